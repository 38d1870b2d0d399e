// The residual for the compute decoder: a thread reads its block's list once for all of its texels, which lie in one column
// of one block.

// The functions of the transform at a block's texels, frequency by frequency, four texels to a vector.
IGS_SHARED vec4 igs_waves[64];

// All threads of the workgroup must call this; a barrier follows before anybody reads.
void igs_share_waves(IgsMaterial m, uint thread)
{
    uint side = 1u << m.residual_log2;
    for (uint place = thread; place < side * side / 4u; place += IGS_GROUP_THREADS) {
        uint texel = (4u * place) & (side - 1u);
        vec4 waves = vec4(0.0, 0.0, 0.0, 0.0);
        for (uint i = 0u; i < 4u; ++i) {
            float turns = (float(texel + i) + 0.5) * (0.5 / float(side));
            waves[i] = igs_wave((4u * place) >> m.residual_log2, turns);
        }
        igs_waves[place] = waves;
    }
}

// What is added to four texels of a column, each in a component.
struct IgsColumn {
    vec4 channel[IGS_VALUES];
};

// What the layer adds to the four texels of a column that `at` is among.
IgsColumn igs_residual_column(IgsMaterial m, uvec2 at)
{
    at = min(at, uvec2(uint(m.width - 1), uint(m.height - 1)));
    uint last = (1u << m.residual_log2) - 1u;
    uint known = igs_residual_block(m, at);
    uint end = igs_word(known + 1u);
    uint row = m.residual_basis;
    uint place = 0u;
    uint size = 0u;
    vec4 waves = vec4(0.0, 0.0, 0.0, 0.0);
    vec4 sums = vec4(0.0, 0.0, 0.0, 0.0);
    IgsColumn column;
    for (int c = 0; c < IGS_VALUES; ++c) {
        column.channel[c] = vec4(0.0, 0.0, 0.0, 0.0);
    }
    uint first = igs_word(known);
    uint word = igs_word(m.residual_lists + (first >> 3u)) >> (4u * (first & 7u)); // what is left of it
    for (uint n = first; n <= end; ++n) {
        uint nibble = n == end ? IGS_RESIDUAL_NEXT : word & 15u;
        word = (n & 7u) == 7u ? igs_word(m.residual_lists + ((n + 1u) >> 3u)) : word >> 4u;
        if (nibble < IGS_RESIDUAL_SKIP) {
            place += nibble < IGS_RESIDUAL_TWO ? nibble >> 1u : 0u;
            size = nibble < IGS_RESIDUAL_TWO ? 1u : 2u;
            uint frequencies = igs_word(m.residual_order + (place >> 2u)) >> (8u * (place & 3u));
            uint along = (((frequencies >> 4u) & 15u) << m.residual_log2) + (at.x & last);
            float across = igs_waves[along >> 2u][along & 3u];
            across = (nibble & 1u) > 0u ? -across : across;
            waves = across * igs_waves[(((frequencies & 15u) << m.residual_log2) + (at.y & last)) >> 2u];
            sums += igs_coefficient(m, size) * waves;
            ++place;
        } else if (nibble == IGS_RESIDUAL_SKIP) {
            place += IGS_RESIDUAL_RUNS;
        } else if (nibble == IGS_RESIDUAL_NEXT) {
            sums *= m.residual_unit;
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint code = row + uint(c);
                    uint pair = igs_word(code >> 1u);
                    column.channel[c] += float(igs_signed_field(pair, 16u * (code & 1u), 16u)) * sums;
                }
            }
            sums = vec4(0.0, 0.0, 0.0, 0.0);
            row += uint(m.channels);
            place = 0u;
        } else {
            uint before = size;
            size += 1u;
            if (nibble == IGS_RESIDUAL_FAR) {
                ++n;
                size = 16u * before - 14u + (word & 15u);
                word = (n & 7u) == 7u ? igs_word(m.residual_lists + ((n + 1u) >> 3u)) : word >> 4u;
            }
            sums += (igs_coefficient(m, size) - igs_coefficient(m, before)) * waves;
        }
    }
    return column;
}

// Adds to a texel what a column says of it.
IgsTexel igs_add_column(IgsTexel texel, IgsColumn column, uvec2 at)
{
    vec4 chosen = vec4(
        (at.y & 3u) == 0u ? 1.0 : 0.0, (at.y & 3u) == 1u ? 1.0 : 0.0, (at.y & 3u) == 2u ? 1.0 : 0.0,
        (at.y & 3u) == 3u ? 1.0 : 0.0
    );
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] += dot(column.channel[c], chosen);
    }
    return texel;
}
