// The numbers of a material from the words of its header.
IgsMaterial igs_material(uint at)
{
    IgsMaterial m;
    m.at = at;
    uint size = igs_word(at + 1u);
    m.width = int(size & 65535u);
    m.height = int(size >> 16u);
    uint counts = igs_word(at + 2u);
    m.channels = int(counts & 255u);
    m.components = int((counts >> 8u) & 255u);
    m.normals = int((counts >> 16u) & 255u);
    uint flags = igs_word(at + 3u);
    m.repeat_x = (flags & 1u) != 0u;
    m.repeat_y = (flags & 2u) != 0u;
    m.has_detail = (flags & 4u) != 0u;
    m.images = ivec2(int((flags >> 8u) & 255u), int((flags >> 16u) & 255u));
    m.exact_words = flags >> 24u;
    uint last_at = igs_word(at + 22u);
    bool layered = (flags & 8u) != 0u;
    bool repeating = (flags & 16u) != 0u;
    m.exact_at = last_at > 0u && !layered && !repeating ? at + last_at : 0u;
    m.repeat_at = repeating ? at + last_at : 0u;
    m.residual_at = layered ? at + last_at + (repeating ? igs_word(at + last_at + 5u) : 0u) : 0u;
    m.tile_numbers = igs_word(at + 5u);
    m.head_numbers = igs_word(at + 6u);
    m.list_numbers = igs_word(at + 7u);
    m.head_words = igs_word(at + 8u);
    m.tiles_at = at + igs_word(at + 9u);
    m.size = vec2(float(m.width), float(m.height));
    m.turns = vec2(m.repeat_x ? 1.0 / m.size.x : 0.0, m.repeat_y ? 1.0 / m.size.y : 0.0);
    uvec2 last = uvec2(uint(m.width - 1), uint(m.height - 1));
    m.tiles = (last >> uvec2(igs_tile_log2(m), igs_tile_log2(m))) + uvec2(1u, 1u);
    m.tile_row = 1.0 / float(m.tiles.x);
    m.blocks_at = m.tiles_at + m.head_words * m.tiles.x * m.tiles.y;
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
    m.least = uvec3(igs_word(at + 24u), igs_word(at + 25u), igs_word(at + 26u));
    m.steps_at = at + 27u;
    m.offsets_at = m.steps_at + uint(m.components);
    m.basis_at = m.offsets_at + uint(m.channels);
    m.normals_at = m.basis_at + uint(m.components * m.channels + 1) / 2u;
    m.envelope_at = 0u; // the following are read where they are used
    m.envelope_cells = uvec2(0u, 0u);
    m.noise_at = 0u;
    m.noise_blocks = uvec2(0u, 0u);
    return m;
}
