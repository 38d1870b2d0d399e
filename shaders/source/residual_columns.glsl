// Four texels of a column, from a thread's first on, each in a component.
struct IgsColumn {
    vec4 channel[IGS_VALUES];
};

IgsColumn igs_column_of(IgsTexel first, IgsTexel second, IgsTexel third, IgsTexel fourth)
{
    IgsColumn column;
    for (int c = 0; c < IGS_VALUES; ++c) {
        column.channel[c] = vec4(first.channel[c], second.channel[c], third.channel[c], fourth.channel[c]);
    }
    return column;
}

IgsTexel igs_texel_of_column(IgsColumn column, int row)
{
    vec4 chosen = vec4(row == 0 ? 1.0 : 0.0, row == 1 ? 1.0 : 0.0, row == 2 ? 1.0 : 0.0, row == 3 ? 1.0 : 0.0);
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = dot(column.channel[c], chosen);
    }
    return texel;
}

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
    uint block = igs_list_of(m, at);
    uint room = igs_list_room(m);
    uint length = igs_list_lengths[block >> 2u][block & 3u];
    uvec2 local = at & uvec2((1u << m.residual_log2) - 1u, (1u << m.residual_log2) - 1u);
    uint end = length > room ? 0u : block * room + length;
    uint row = 0u;
    vec4 sums = vec4(0.0, 0.0, 0.0, 0.0);
    for (uint next = block * room; next < end; ++next) {
        uint coefficient = igs_coefficients[next];
        while (coefficient != 0u) {
            uint across = (((coefficient >> 4u) & 15u) << m.residual_log2) + local.x;
            uint down = ((coefficient & 15u) << m.residual_log2) + local.y;
            float value = igs_as_float(coefficient & 0xFFFFFF00u) * igs_waves[across >> 2u][across & 3u];
            sums += value * igs_waves_down(down);
            ++next;
            coefficient = igs_coefficients[next];
        }
        for (int layer = 0; layer < IGS_LAYERS; ++layer) {
            vec4 values = igs_residual_vector(m, row + uint(layer));
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
            IgsTexel texel;
            for (int c = 0; c < IGS_VALUES; ++c) {
                texel.channel[c] = 0.0;
            }
            texel = igs_add_residual(m, texel, p, at);
            vec4 chosen =
                vec4(place == 0 ? 1.0 : 0.0, place == 1 ? 1.0 : 0.0, place == 2 ? 1.0 : 0.0, place == 3 ? 1.0 : 0.0);
            for (int c = 0; c < IGS_VALUES; ++c) {
                column.channel[c] += texel.channel[c] * chosen;
            }
        }
    }
    return column;
}
