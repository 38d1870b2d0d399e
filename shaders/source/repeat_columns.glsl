// The repeat of columns: where their texels lie in one block, a thread reads its list once for all of them.

// The functions of the transform at the texels of a block, frequency by frequency; 256 at most, and what the last column
// of less than four texels reads behind its own.
IGS_SHARED float igs_repeat_waves[260];

// All threads of the workgroup must call this; a barrier follows before anybody reads.
void igs_share_repeat(IgsMaterial m, uint thread)
{
    uint log2 = igs_repeat_blocks(m).log2;
    float part = 0.5 / float(1u << log2);
    for (uint place = thread; place < 1u << (2u * log2); place += IGS_GROUP_THREADS) {
        float texel = float(place & ((1u << log2) - 1u));
        igs_repeat_waves[place] = igs_wave(place >> log2, (texel + 0.5) * part);
    }
}

// Adds the layer to a column.
//   at  its first texel
IgsColumn igs_add_repeat_column(IgsMaterial m, IgsColumn column, uvec2 at)
{
    IgsCosineBlocks blocks = igs_repeat_blocks(m);
    IgsLattice lattice = igs_lattice(m);
    IgsCell cell = igs_cell(blocks, lattice, at);
    uint rows = uint(IGS_ROWS);
    bool together = cell.within.y + rows <= 1u << blocks.log2 && cell.local.y + rows <= lattice.period.y;
    if (!together) {
        for (int place = 0; place < IGS_ROWS; ++place) {
            uvec2 texel = at + uvec2(0u, uint(place));
            column = igs_add_to_column(column, igs_add_repeat(m, igs_nothing(), igs_centre(texel), texel), place);
        }
        return column;
    }
    uint row = blocks.basis;
    uint last_row = row + blocks.components * uint(m.channels);
    uint weights = cell.weights;
    float unit = blocks.unit;
    vec4 sums = vec4(0.0, 0.0, 0.0, 0.0);
    IgsList list = igs_list_of_block(blocks, cell.local);
    while (list.at <= list.end) {
        list = igs_read_on(blocks, list);
        if (list.ends) {
            sums *= unit;
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint code = row + uint(c);
                    uint pair = igs_word(code >> 1u);
                    column.channel[c] += float(igs_signed_field(pair, 16u * (code & 1u), 16u)) * sums;
                }
            }
            sums = vec4(0.0, 0.0, 0.0, 0.0);
            row += uint(m.channels);
            if (row == last_row) { // the next picture
                row = blocks.basis;
                unit = blocks.unit * igs_picture_weight(weights);
                weights += 1u;
            }
        } else if (list.value != 0.0) {
            uint across = ((list.frequencies >> 4u) << blocks.log2) + cell.within.x;
            uint down = ((list.frequencies & 15u) << blocks.log2) + cell.within.y;
            vec4 waves = vec4(
                igs_repeat_waves[down], igs_repeat_waves[down + 1u], igs_repeat_waves[down + 2u],
                igs_repeat_waves[down + 3u]
            );
            sums += list.value * igs_repeat_waves[across] * waves;
        }
    }
    return column;
}
