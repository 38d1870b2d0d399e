// The residual of columns, by what a workgroup shares.

// One of the functions at the texels of a column.
vec4 igs_waves_down(uint place)
{
    vec4 waves = igs_waves[place >> 2u];
#if IGS_ROWS < 4 // columns begin at any of four texels
    waves = (place & 2u) > 0u ? vec4(waves.z, waves.w, waves.x, waves.y) : waves;
    waves = (place & 1u) > 0u ? vec4(waves.y, waves.z, waves.w, waves.x) : waves;
#endif
    return waves;
}

// Adds the layer to a column.
//   at  its first texel
IgsColumn igs_add_residual_column(IgsMaterial m, IgsColumn column, uvec2 at)
{
    IgsCosineBlocks blocks = igs_residual_blocks(m);
    uint block = igs_list_of(blocks, at);
    uint room = igs_list_room(blocks);
    uint length = igs_list_lengths[block >> 2u][block & 3u];
    uvec2 local = at & uvec2((1u << blocks.log2) - 1u, (1u << blocks.log2) - 1u);
    uint end = length > room ? 0u : block * room + length;
    uint row = 0u;
    vec4 sums = vec4(0.0, 0.0, 0.0, 0.0);
    for (uint next = block * room; next < end; ++next) {
        uint coefficient = igs_coefficients[next];
        while (coefficient != 0u) {
            uint across = (((coefficient >> 4u) & 15u) << blocks.log2) + local.x;
            uint down = ((coefficient & 15u) << blocks.log2) + local.y;
            float value = igs_as_float(coefficient & 0xFFFFFF00u) * igs_waves[across >> 2u][across & 3u];
            sums += value * igs_waves_down(down);
            ++next;
            coefficient = igs_coefficients[next];
        }
        for (int layer = 0; layer < IGS_LAYERS; ++layer) {
            vec4 values = igs_residual_vector(m, blocks, row + uint(layer));
            for (int i = 0; i < 4; ++i) {
                if (4 * layer + i < IGS_VALUES) {
                    column.channel[min(4 * layer + i, IGS_VALUES - 1)] += values[i] * sums;
                }
            }
        }
        row += uint(IGS_LAYERS);
        sums = vec4(0.0, 0.0, 0.0, 0.0);
    }
    if (length > room) { // it did not fit
        for (int place = 0; place < IGS_ROWS; ++place) {
            vec2 p = vec2(float(at.x) + 0.5, float(at.y) + float(place) + 0.5);
            column = igs_add_to_column(column, igs_add_residual(m, igs_nothing(), p, at), place);
        }
    }
    return column;
}
