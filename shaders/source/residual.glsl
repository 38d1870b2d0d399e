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

// Adds the layer at a point of the texel `at` to the channels: the sum over the block's coefficients, read from front to back.
IgsTexel igs_add_residual(IgsMaterial m, IgsTexel texel, vec2 p, uvec2 at)
{
    uvec2 corner = (at >> uvec2(m.residual_log2, m.residual_log2)) << uvec2(m.residual_log2, m.residual_log2);
    vec2 turns = (p - vec2(float(corner.x), float(corner.y))) * (0.5 / float(1u << m.residual_log2));
    uint known = igs_residual_block(m, at);
    uint end = igs_word(known + 1u);
    uint row = m.residual_basis; // where the component's codes lie, counted in 16 bits
    uint place = 0u;
    uint size = 0u;
    float wave = 0.0;
    float sum = 0.0; // of the component
    uint first = igs_word(known);
    uint word = igs_word(m.residual_lists + (first >> 3u)) >> (4u * (first & 7u)); // what is left of it
    for (uint n = first; n <= end; ++n) {
        uint nibble = n == end ? IGS_RESIDUAL_NEXT : word & 15u;
        word = (n & 7u) == 7u ? igs_word(m.residual_lists + ((n + 1u) >> 3u)) : word >> 4u;
        if (nibble < IGS_RESIDUAL_SKIP) {
            place += nibble < IGS_RESIDUAL_TWO ? nibble >> 1u : 0u;
            size = nibble < IGS_RESIDUAL_TWO ? 1u : 2u;
            uint frequencies = igs_word(m.residual_order + (place >> 2u)) >> (8u * (place & 3u));
            wave = igs_wave(frequencies & 15u, turns.y) * igs_wave((frequencies >> 4u) & 15u, turns.x);
            wave = (nibble & 1u) > 0u ? -wave : wave;
            sum += igs_coefficient(m, size) * wave;
            ++place;
        } else if (nibble == IGS_RESIDUAL_SKIP) {
            place += IGS_RESIDUAL_RUNS;
        } else if (nibble == IGS_RESIDUAL_NEXT) {
            sum *= m.residual_unit;
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint code = row + uint(c);
                    uint pair = igs_word(code >> 1u);
                    texel.channel[c] += sum * float(igs_signed_field(pair, 16u * (code & 1u), 16u));
                }
            }
            row += uint(m.channels);
            place = 0u;
            sum = 0.0;
        } else {
            uint before = size;
            size += 1u;
            if (nibble == IGS_RESIDUAL_FAR) {
                ++n;
                size = 16u * before - 14u + (word & 15u);
                word = (n & 7u) == 7u ? igs_word(m.residual_lists + ((n + 1u) >> 3u)) : word >> 4u;
            }
            sum += (igs_coefficient(m, size) - igs_coefficient(m, before)) * wave;
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
