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
    uint size = igs_word(at + 1u);
    m.width = int(size & 65535u);
    m.height = int(size >> 16u);
    m.channels = int(igs_byte(at + 2u, 0u));
    m.components = int(igs_byte(at + 2u, 1u));
    m.normals = int(igs_byte(at + 2u, 2u));
    uint flags = igs_word(at + 3u);
    m.repeat_x = (flags & 1u) != 0u;
    m.repeat_y = (flags & 2u) != 0u;
    m.has_detail = (flags & 4u) != 0u;
    m.images = ivec2(int((flags >> 8u) & 255u), int((flags >> 16u) & 255u));
    m.exact_words = flags >> 24u;
    uint exact_at = igs_word(at + 22u);
    m.exact_at = exact_at > 0u ? at + exact_at : 0u;
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
    uint levels_at = igs_word(at + 10u);
    uint levels = levels_at > 0u ? igs_word(at + 11u) : 0x00020102u; // without: level 1, from decodes alone
    m.levels_at = at + levels_at;
    m.first_level = int(igs_field(levels, 0u, 8u));
    m.last_level = int(igs_field(levels, 8u, 8u));
    m.direct_level = int(igs_field(levels, 16u, 8u));
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
    m.envelope_at = 0u; // the following are read where noise is drawn
    m.envelope_cells = uvec2(0u, 0u);
    m.noise_at = 0u;
    m.noise_blocks = uvec2(0u, 0u);
    return m;
}
