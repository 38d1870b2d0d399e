// The numbers of the noise, which are looked up where it is drawn.
IgsMaterial igs_with_noise(IgsMaterial m)
{
    uint cells = igs_word(m.at + 13u);
    uint blocks = igs_word(m.at + 14u);
    m.envelope_at = m.at + igs_word(m.at + 12u);
    m.envelope_cells = uvec2(cells & 65535u, cells >> 16u);
    m.noise_at = igs_word(2u);
    m.noise_blocks = uvec2(blocks & 65535u, blocks >> 16u);
    return m;
}

// Weights of a band, and of the fourth after it, for igs_weighed_bands.
uint igs_band_weights(uint numbers)
{
    return ((numbers & 255u) << 16u) | ((numbers >> 16u) & 255u);
}

// Those of a component, by the words of its even and its odd bands; and what they add up to.
uvec4 igs_noise_band_weights(uint even, uint odd)
{
    return uvec4(
        igs_band_weights(even), igs_band_weights(odd), igs_band_weights(even >> 8u), igs_band_weights(odd >> 8u)
    );
}

uint igs_weight_sum(uvec4 weights)
{
    uint sums = weights.x + weights.y + weights.z + weights.w;
    return (sums & 65535u) + (sums >> 16u);
}

// Adds the noise of a texel of the picture to its channels, by the numbers behind the envelope: docs/gpu-buffer.md,
// "Detail". Each component has its own bands, and an amplitude that grows with the channels.
IgsTexel igs_add_detail(IgsMaterial m, IgsTexel texel, IgsGrain grain)
{
    if (IGS_DETAIL != 0) {
        uint numbers = m.envelope_at + ((m.envelope_cells.x * m.envelope_cells.y + 7u) >> 3u);
        uint count = igs_word(numbers);
        uint scales = numbers + 1u + 4u * count;
        int middle = int(IGS_BAND_MIDDLE * (grain.weights.x + grain.weights.y));
        IgsTexel more = texel;
        for (uint k = 0u; k < count; ++k) {
            uint head = numbers + 1u + 4u * k;
            uint shift = igs_word(head);
            uvec4 weights = igs_noise_band_weights(igs_word(head + 1u), igs_word(head + 2u));
            int total = int(igs_total(m, grain, uvec2(shift & 255u, shift >> 8u), weights));
            total -= int(igs_weight_sum(weights)) * middle;
            float amplitude = igs_number(head + 3u);
            uint factors = scales + uint(m.channels) * (k + 1u);
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    int slope = igs_signed_field(igs_word(factors + uint(c)), 0u, 16u);
                    amplitude += float(slope) / 256.0 * texel.channel[c];
                }
            }
            float noise = IGS_NOISE_SCALE * float(total) * grain.envelope * clamp(amplitude, 0.0, IGS_MOST_AMPLITUDE);
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    int mixing = igs_signed_field(igs_word(factors + uint(c)), 16u, 8u);
                    more.channel[c] += igs_number(scales + uint(c)) * float(mixing) * noise;
                }
            }
        }
        for (int c = 0; c < IGS_VALUES; ++c) {
            texel.channel[c] = clamp(more.channel[c], 0.0, 1.0);
        }
    }
    return texel;
}
