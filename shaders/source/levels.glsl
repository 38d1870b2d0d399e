// Levels of a mip chain. From the first stored level on, a level is what the buffer says of it: up to the direct level the
// difference to the picture with every Gaussian widened by the level's texels, from there on its texels themselves.
// docs/gpu-buffer.md, "Levels", defines the bits.

// What gathers texels.
IgsTexel igs_no_texel()
{
    IgsTexel sum;
    for (int c = 0; c < IGS_VALUES; ++c) {
        sum.channel[c] = 0.0;
    }
    return sum;
}

IgsTexel igs_plus(IgsTexel sum, IgsTexel texel, float weight)
{
    for (int c = 0; c < IGS_VALUES; ++c) {
        sum.channel[c] += weight * texel.channel[c];
    }
    return sum;
}

// The variance of a level's texels along an axis, in texels of the picture.
float igs_level_widening(int level)
{
    return (exp2(2.0 * float(level)) - 1.0) / 12.0;
}

// Along one axis, what the four sums and differences of a block weigh in a texel of a level.
//   part  0 where a block has 4 x 4 texels of the level, 1 where it has 2 x 2, 2 where it has one
//   base  level of the block's own texels, which count by what of the picture they cover
//   size  of the picture, in texels
vec4 igs_level_signs(int at, int part, int base, int size)
{
    vec4 sum = vec4(0.0, 0.0, 0.0, 0.0);
    float total = 0.0;
    for (int k = 0; k < (1 << uint(part)); ++k) {
        int texel = (at << uint(part)) + k;
        float covered = float(clamp(size - (texel << uint(base)), 0, 1 << uint(base)));
        float halves = (texel & 2) > 0 ? -covered : covered;
        sum += vec4(covered, halves, (texel & 1) > 0 ? -covered : covered, (texel & 1) > 0 ? -halves : halves);
        total += covered;
    }
    return sum / total;
}

// The same of a sample that lies between two texels, of what they share of it.
vec4 igs_level_weights(ivec2 texels, vec2 shares, int part, int base, int size)
{
    return shares.x * igs_level_signs(texels.x, part, base, size) +
        shares.y * igs_level_signs(texels.y, part, base, size);
}

// One of four, without memory that is addressed.
float igs_pick(vec4 values, uint place)
{
    float low = (place & 1u) > 0u ? values.y : values.x;
    float high = (place & 1u) > 0u ? values.w : values.z;
    return (place & 2u) > 0u ? high : low;
}

// Blocks of one class among some that two bits each tell.
uint igs_level_count(uint classes, uint which)
{
    uint same = ~(classes ^ (which * 0x55555555u));
    return igs_count_bits(same & (same >> 1u) & 0x55555555u);
}

// A number of a picture's mean, row 0, or of the axis of a component, row 1 and up, in 1 / 32767.
float igs_level_axis(IgsMaterial m, uint set, int row, int value)
{
    uint place = uint(row * m.values + value);
    return float(igs_signed_field(igs_word(set + 8u + (place >> 1u)), 16u * (place & 1u), 16u));
}

// The sum of the widths that a word of a table holds.
uint igs_level_width(uint widths)
{
    uint pairs = (widths & 0x0F0F0F0Fu) + ((widths >> 4u) & 0x0F0F0F0Fu);
    return (pairs * 0x01010101u) >> 24u;
}

// Bits of a table's widths that count, of its first half and of its second.
uvec2 igs_level_kept(int kept)
{
    uint first = kept == 16 ? 0xFFFFFFFFu : (kept == 4 ? 0xFFFFu : 0xFu);
    return uvec2(first, kept == 16 ? 0xFFFFFFFFu : 0u);
}

// What a block adds to a sample. Loops end where the buffer says, or compilers would write all of it out.
//   kept          coefficients that count: 16, 4 or 1
//   along, down   what a sample weighs them by, of one axis each
IgsTexel igs_level_block(IgsMaterial m, IgsTexel sum, uint set, uint block, int kept, vec4 along, vec4 down)
{
    float step = igs_as_float(igs_word(set));
    uint group = set + igs_word(set + 2u) + 3u * (block >> 5u);
    uint within = block & 31u;
    uint low = igs_word(group + 1u);
    uint high = igs_word(group + 2u);
    uint which = igs_field(within < 16u ? low : high, 2u * (within & 15u), 2u);
    uint bit = igs_word(group);
    uint head = 0u; // of the block's class
    for (uint k = 0u; k < 4u; ++k) {
        uint known = igs_word(set + 4u + k);
        uint earlier = igs_level_count(igs_field(low, 0u, 2u * min(within, 16u)), k);
        uint later = within > 16u ? igs_level_count(igs_field(high, 0u, 2u * (within - 16u)), k) : 0u;
        earlier -= k == 0u ? 16u - min(within, 16u) : 0u; // bits beyond the field count as class 0
        later -= k == 0u && within > 16u ? 32u - within : 0u;
        bit += (earlier + later) * (known >> 16u);
        head = k == which ? known : head;
    }
    uint records = set + igs_word(set + 3u);
    uint table = set + (igs_word(set + 1u) >> 8u) + 2u * ((head >> 8u) & 255u);
    int count = int(head & 255u);
    for (int k = 0; k < count; ++k) {
        float value = 0.0;
        uint first = igs_word(table + 2u * uint(k));
        uint second = igs_word(table + 2u * uint(k) + 1u);
        uvec2 widths = uvec2(first, second) & igs_level_kept(kept); // what does not count comes last
        uint at = bit;
        uint stored = igs_window(records, at);
        uint used = 0u; // bits of it
        for (int half_table = 0; half_table < (kept == 16 ? 2 : 1); ++half_table) {
            uint those = half_table == 0 ? widths.x : widths.y;
            vec2 rows = half_table == 0 ? vec2(down.x, down.y) : vec2(down.z, down.w);
            for (uint t = 0u; t < 8u; ++t) { // once it is written out, what fields weigh is known
                uint width = those & 15u;
                those >>= 4u;
                if (used + width > 32u) {
                    at += used;
                    used = 0u;
                    stored = igs_window(records, at);
                }
                if (width > 0u) {
                    float code = float(igs_field(stored, used, width)) + 0.5 - float((1u << width) >> 1u);
                    value += code * igs_pick(along, (t & 1u) | ((t >> 1u) & 2u)) * ((t & 2u) > 0u ? rows.y : rows.x);
                    used += width;
                }
            }
        }
        bit += igs_level_width(first) + igs_level_width(second);
        value *= step / 32767.0;
        for (int c = 0; c < IGS_VALUES; ++c) {
            if (c < m.values) {
                sum.channel[c] += value * igs_level_axis(m, set, k + 1, c);
            }
        }
    }
    return sum;
}

// Adds what the buffer says of a level at a point of the picture, between the level's four nearest texels.
IgsTexel igs_add_level(IgsMaterial m, IgsTexel texel, vec2 p, int level)
{
    bool direct = level >= m.direct_level;
    int part = direct ? (level - m.direct_level) % 3 : 0;
    int base = level - part;
    int number = direct ? m.direct_level - m.first_level + (level - m.direct_level) / 3 : level - m.first_level;
    uint at = igs_word(m.levels_at + uint(number));
    uint set = m.levels_at + at;
    if (at > 0u) {
        int reach = (1 << uint(level)) - 1;
        ivec2 size = ivec2((m.width + reach) >> uint(level), (m.height + reach) >> uint(level));
        int across = (m.width + (4 << uint(base)) - 1) >> uint(base + 2); // blocks
        vec2 q = p / float(1 << uint(level)) - vec2(0.5, 0.5);
        vec2 corner = floor(q);
        vec2 share = q - corner;
        ivec2 first = ivec2(int(corner.x), int(corner.y)); // from -1 on
        ivec2 next = first + ivec2(1, 1);
        ivec2 last = size - ivec2(1, 1);
        first = ivec2(
            m.repeat_x ? (first.x + size.x) % size.x : clamp(first.x, 0, last.x),
            m.repeat_y ? (first.y + size.y) % size.y : clamp(first.y, 0, last.y)
        );
        next = ivec2(
            m.repeat_x ? next.x % size.x : clamp(next.x, 0, last.x),
            m.repeat_y ? next.y % size.y : clamp(next.y, 0, last.y)
        );
        int to_block = 2 - part;
        ivec2 block = first >> ivec2(to_block, to_block);
        ivec2 block_next = next >> ivec2(to_block, to_block);
        bool one_along = block.x == block_next.x;
        bool one_down = block.y == block_next.y;
        for (int c = 0; c < IGS_VALUES; ++c) {
            if (c < m.values) {
                texel.channel[c] += igs_level_axis(m, set, 0, c) / 32767.0;
            }
        }
        int columns = one_along ? 1 : 2;
        int blocks = one_down ? columns : 2 * columns;
        for (int k = 0; k < blocks; ++k) { // weights are made anew for each, or they would fill the registers
            bool right = k % columns > 0;
            bool below = k / columns > 0;
            vec2 shares = vec2(right ? 0.0 : 1.0 - share.x, right || one_along ? share.x : 0.0);
            vec4 along = igs_level_weights(ivec2(first.x, next.x), shares, part, base, m.width);
            shares = vec2(below ? 0.0 : 1.0 - share.y, below || one_down ? share.y : 0.0);
            vec4 down = igs_level_weights(ivec2(first.y, next.y), shares, part, base, m.height);
            // Whole texels of a level above the blocks' own weigh the rest with exactly 0.
            vec4 fine = abs(along) + abs(down);
            int kept = fine.z + fine.w > 0.0 ? 16 : (fine.y > 0.0 ? 4 : 1);
            uint which = uint((below ? block_next.y : block.y) * across + (right ? block_next.x : block.x));
            texel = igs_level_block(m, texel, set, which, kept, along, down);
        }
    }
    return texel;
}

// A level at a point: level 0 and those below the first stored one are the picture there.
IgsTexel igs_level_value(IgsMaterial m, vec2 p, int level)
{
    bool stored = level >= m.first_level;
    IgsTexel texel = igs_no_texel();
    if (level < m.direct_level) {
        m.widening = stored ? igs_level_widening(level) : 0.0;
        texel = igs_decode_material_at(m, p);
    }
    if (stored) {
        texel = igs_add_level(m, texel, p, level);
        for (int c = 0; c < IGS_VALUES; ++c) {
            texel.channel[c] = clamp(texel.channel[c], 0.0, 1.0);
        }
    }
    return texel;
}
