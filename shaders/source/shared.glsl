// One decoder for every material of a buffer: the numbers of a material come from its header, docs/gpu-buffer.md.

// A byte of a word of the header.
uint igs_byte(uint word, uint place)
{
    return (igs_word(word) >> (8u * place)) & 255u;
}

float igs_number(uint word)
{
    return igs_as_float(igs_word(word));
}

// The numbers of a material, counted from 0 in the order of the buffer's directory.
IgsMaterial igs_material(uint number)
{
    uint at = igs_word(3u + number);
    IgsMaterial m;
    m.at = at;
    m.width = int(igs_word(at + 1u) & 65535u);
    m.height = int(igs_word(at + 1u) >> 16u);
    m.channels = int(igs_byte(at + 2u, 0u));
    m.components = int(igs_byte(at + 2u, 1u));
    m.normals = int(igs_byte(at + 2u, 2u));
    uint flags = igs_word(at + 3u);
    m.repeat_x = (flags & 1u) != 0u;
    m.repeat_y = (flags & 2u) != 0u;
    m.images = ivec2(int((flags >> 8u) & 255u), int((flags >> 16u) & 255u));
    m.tile_log2 = igs_byte(at + 5u, 0u);
    m.mask_log2 = igs_byte(at + 5u, 1u);
    m.position_bits = igs_byte(at + 5u, 2u);
    m.offset_bits = igs_byte(at + 5u, 3u);
    m.stride_bits = igs_byte(at + 6u, 0u);
    m.count_bits = igs_byte(at + 6u, 1u);
    m.reach_bits = igs_byte(at + 6u, 2u);
    m.width_bits = igs_byte(at + 6u, 3u);
    m.group_count_bits = igs_byte(at + 7u, 0u);
    m.entry_count_bits = igs_byte(at + 7u, 1u);
    m.tile_bits = igs_byte(at + 7u, 2u);
    m.listed_bits = igs_byte(at + 7u, 3u);
    m.head_words = igs_word(at + 8u);
    m.tiles_at = at + igs_word(at + 9u);
    m.tiles_across = (uint(m.width) + (1u << m.tile_log2) - 1u) >> m.tile_log2;
    m.tiles_down = (uint(m.height) + (1u << m.tile_log2) - 1u) >> m.tile_log2;
    m.levels_at = at + igs_word(at + 10u);
    m.first_level = int(igs_byte(at + 11u, 0u));
    m.last_level = int(igs_byte(at + 11u, 1u));
    m.direct_level = int(igs_byte(at + 11u, 2u));
    m.values = m.channels + m.normals;
    m.widening = 0.0;
    m.position_step = igs_number(at + 15u);
    m.size_step = igs_number(at + 16u);
    m.form_step = igs_number(at + 17u);
    m.edge = igs_number(at + 18u);
    m.limit = igs_number(at + 19u);
    m.size_factor = igs_number(at + 20u);
    m.basis_unit = igs_number(at + 21u);
    for (int field = 0; field < 3; ++field) {
        uint known = igs_word(at + 24u + uint(field));
        m.least[field] = igs_signed_field(known, 0u, 16u);
        m.least_bits[field] = int(known >> 16u);
    }
    m.steps_at = at + 27u;
    m.offsets_at = m.steps_at + uint(m.components);
    m.basis_at = m.offsets_at + uint(m.channels);
    m.normals_at = m.basis_at + uint(m.components * m.channels + 1) / 2u;
    return m;
}

// Sums to components, components through the basis to channels.
IgsTexel igs_finish(IgsMaterial m, IgsSums sums, uvec2 at)
{
    float scale = m.basis_unit / (IGS_EPSILON + sums.weight);
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = 0.0;
        if (c < m.channels) {
            texel.channel[c] = igs_number(m.offsets_at + uint(c));
        }
    }
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        if (k < m.components) {
            float value = scale * igs_number(m.steps_at + uint(k)) * sums.code[k];
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint place = uint(k * m.channels + c);
                    int code = igs_signed_field(igs_word(m.basis_at + (place >> 1u)), 16u * (place & 1u), 16u);
                    texel.channel[c] += value * float(code);
                }
            }
        }
    }
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = clamp(texel.channel[c], 0.0, 1.0);
    }
    for (int n = 0; n < m.normals; ++n) {
        uint sides = igs_word(m.normals_at + uint(n));
        float x = 0.0; // picked by constant numbers: others would move the texel to memory
        float y = 0.0;
        for (int c = 0; c < IGS_VALUES; ++c) {
            x = c == int(sides & 255u) ? 2.0 * texel.channel[c] - 1.0 : x;
            y = c == int(sides >> 8u) ? 2.0 * texel.channel[c] - 1.0 : y;
        }
        float z = 0.5 * sqrt(max(0.0, 1.0 - x * x - y * y)) + 0.5;
        for (int c = 0; c < IGS_VALUES; ++c) {
            texel.channel[c] = c == m.channels + n ? z : texel.channel[c];
        }
    }
    return texel;
}
