// The residual layer: what the Gaussians leave, as blocks of cosines. docs/gpu-buffer.md, "Residual", defines the nibbles.

// The cosine of some turns. On a quarter turn it is an odd polynomial, within 8e-7; built-in ones may be off by 5e-4.
float igs_cosine(float turns)
{
    float x = 0.25 - abs(turns - floor(turns + 0.5));
    float square = x * x;
    return x * (6.2831640 + square * (-41.337142 + square * (81.340769 - 70.993432 * square)));
}

// A function of the transform but for a factor that all of them share.
float igs_wave(uint frequency, float turns)
{
    return (frequency > 0u ? 1.0 : 0.70710678) * igs_cosine(float(frequency) * turns);
}

// What a code of some size means, in steps.
float igs_coefficient(IgsMaterial m, uint size)
{
    float beyond = size == 1u ? m.residual_offsets.x : (size == 2u ? m.residual_offsets.y : m.residual_offsets.z);
    return float(size) + beyond;
}

// A place of the list that tells where the blocks begin.
uint igs_residual_block(IgsMaterial m, uvec2 texel)
{
    uvec2 block = texel >> uvec2(m.residual_log2, m.residual_log2);
    return m.residual_blocks + block.y * m.residual_across + block.x;
}

// A block's list, as far as it has been read.
struct IgsList {
    uint at;          // nibble that comes next
    uint end;         // the one behind the last
    uint word;        // what is left of the one that the nibble lies in
    uint nibble;      // that one, IGS_RESIDUAL_NEXT at the end
    uint place;       // behind the last coefficient
    bool ends;        // a component, with what was read last
    uint frequencies; // of a coefficient: down in the lowest 4 bits, across above them
    float value;      // in steps, 0 where no coefficient was read
};

// The same list from another nibble on.
IgsList igs_list_from(IgsMaterial m, IgsList list, uint at)
{
    list.at = at;
    list.word = igs_word(m.residual_lists + (at >> 3u)) >> (4u * (at & 7u));
    list.nibble = at < list.end ? list.word & 15u : IGS_RESIDUAL_NEXT;
    return list;
}

IgsList igs_residual_list(IgsMaterial m, uvec2 texel)
{
    uint known = igs_residual_block(m, texel);
    IgsList list;
    list.end = igs_word(known + 1u);
    list.place = 0u;
    list.ends = false;
    list.frequencies = 0u;
    list.value = 0.0;
    return igs_list_from(m, list, igs_word(known));
}

IgsList igs_next_nibble(IgsMaterial m, IgsList list)
{
    list.at += 1u;
    list.word = (list.at & 7u) == 0u ? igs_word(m.residual_lists + (list.at >> 3u)) : list.word >> 4u;
    list.nibble = list.at < list.end ? list.word & 15u : IGS_RESIDUAL_NEXT;
    return list;
}

// Reads on: some zeros, the end of a component, or a coefficient with what makes it larger. The last component ends where the
// list does, list.at is beyond then.
IgsList igs_read_on(IgsMaterial m, IgsList list)
{
    uint nibble = list.nibble;
    list = igs_next_nibble(m, list);
    list.ends = nibble == IGS_RESIDUAL_NEXT;
    list.frequencies = 0u;
    list.value = 0.0;
    if (nibble < IGS_RESIDUAL_SKIP) {
        uint size = nibble < IGS_RESIDUAL_TWO ? 1u : 2u;
        list.place += nibble < IGS_RESIDUAL_TWO ? nibble >> 1u : 0u;
        while (list.nibble > IGS_RESIDUAL_NEXT) {
            bool far = list.nibble == IGS_RESIDUAL_FAR;
            if (far) {
                list = igs_next_nibble(m, list);
            }
            size = far ? 16u * size - 14u + list.nibble : size + 1u;
            list = igs_next_nibble(m, list);
        }
        list.frequencies = (igs_word(m.residual_order + (list.place >> 2u)) >> (8u * (list.place & 3u))) & 255u;
        float value = igs_coefficient(m, size);
        list.value = (nibble & 1u) > 0u ? -value : value;
        list.place += 1u;
    } else {
        list.place = list.ends ? 0u : list.place + IGS_RESIDUAL_RUNS;
    }
    return list;
}

// Adds the layer at a point of the texel `at` to the channels: the sum over the block's coefficients, read from front to back.
IgsTexel igs_add_residual(IgsMaterial m, IgsTexel texel, vec2 p, uvec2 at)
{
    uvec2 corner = (at >> uvec2(m.residual_log2, m.residual_log2)) << uvec2(m.residual_log2, m.residual_log2);
    vec2 turns = (p - vec2(float(corner.x), float(corner.y))) * (0.5 / float(1u << m.residual_log2));
    uint row = m.residual_basis; // where the component's codes lie, counted in 16 bits
    float sum = 0.0;             // of the component
    IgsList list = igs_residual_list(m, at);
    while (list.at <= list.end) {
        list = igs_read_on(m, list);
        if (list.value != 0.0) {
            sum += list.value * igs_wave(list.frequencies & 15u, turns.y) * igs_wave(list.frequencies >> 4u, turns.x);
        } else if (list.ends) {
            sum *= m.residual_unit;
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint code = row + uint(c);
                    uint pair = igs_word(code >> 1u);
                    texel.channel[c] += sum * float(igs_signed_field(pair, 16u * (code & 1u), 16u));
                }
            }
            row += uint(m.channels);
            sum = 0.0;
        }
    }
    return texel;
}

// The channels held to 0..1.
IgsTexel igs_in_range(IgsTexel texel)
{
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = clamp(texel.channel[c], 0.0, 1.0);
    }
    return texel;
}
