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

float igs_shared_wave(uint place)
{
    return igs_waves[place >> 2u][place & 3u];
}

// A thread's texels.
struct IgsRows {
    IgsTexel texel[IGS_ROWS];
};

// Adds the layer to the texels from `at` on, down the column.
IgsRows igs_add_residual_rows(IgsMaterial m, IgsRows rows, uvec2 at)
{
    at = min(at, uvec2(uint(m.width - 1), uint(m.height - 1)));
    uint last = (1u << m.residual_log2) - 1u;
    uint known = igs_residual_block(m, at);
    uint end = igs_word(known + 1u);
    uint row = m.residual_basis;
    uint place = 0u;
    uint size = 0u;
    float waves[IGS_ROWS];
    float sums[IGS_ROWS];
    for (int i = 0; i < IGS_ROWS; ++i) {
        waves[i] = 0.0;
        sums[i] = 0.0;
    }
    for (uint n = igs_word(known); n <= end; ++n) {
        uint nibble = igs_field(igs_word(m.residual_lists + (n >> 3u)), 4u * (n & 7u), 4u);
        nibble = n == end ? IGS_RESIDUAL_NEXT : nibble;
        if (nibble < IGS_RESIDUAL_SKIP) {
            place += nibble < IGS_RESIDUAL_TWO ? nibble >> 1u : 0u;
            size = nibble < IGS_RESIDUAL_TWO ? 1u : 2u;
            uint frequencies = igs_word(m.residual_order + (place >> 2u)) >> (8u * (place & 3u));
            uint down = ((frequencies & 15u) << m.residual_log2) + (at.y & last);
            float across = igs_shared_wave((((frequencies >> 4u) & 15u) << m.residual_log2) + (at.x & last));
            across = (nibble & 1u) > 0u ? -across : across;
            float value = igs_coefficient(m, size);
            for (int i = 0; i < IGS_ROWS; ++i) {
                waves[i] = across * igs_shared_wave(down + uint(i));
                sums[i] += value * waves[i];
            }
            ++place;
        } else if (nibble == IGS_RESIDUAL_SKIP) {
            place += IGS_RESIDUAL_RUNS;
        } else if (nibble == IGS_RESIDUAL_NEXT) {
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint code = row + uint(c);
                    uint pair = igs_word(code >> 1u);
                    float factor = m.residual_unit * float(igs_signed_field(pair, 16u * (code & 1u), 16u));
                    for (int i = 0; i < IGS_ROWS; ++i) {
                        rows.texel[i].channel[c] += factor * sums[i];
                    }
                }
            }
            for (int i = 0; i < IGS_ROWS; ++i) {
                sums[i] = 0.0;
            }
            row += uint(m.channels);
            place = 0u;
        } else {
            uint before = size;
            size += 1u;
            if (nibble == IGS_RESIDUAL_FAR) {
                ++n;
                size = 16u * before - 14u + igs_field(igs_word(m.residual_lists + (n >> 3u)), 4u * (n & 7u), 4u);
            }
            float more = igs_coefficient(m, size) - igs_coefficient(m, before);
            for (int i = 0; i < IGS_ROWS; ++i) {
                sums[i] += more * waves[i];
            }
        }
    }
    return rows;
}
