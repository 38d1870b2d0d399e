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

// A component's weights of bands 0 to 3 for igs_weighed_bands, by the words of its even and its odd bands; of bands 4 to 7
// by the upper halves of these.
uvec4 igs_noise_band_weights(uint even, uint odd)
{
    return uvec4((even & 255u) << 12u, (odd & 255u) << 8u, (even & 0xFF00u) >> 4u, (odd & 0xFF00u) >> 8u);
}

// The sum of all of its weights.
uint igs_weight_sum(uint even, uint odd)
{
    uint pairs = (even & 0x00FF00FFu) + ((even >> 8u) & 0x00FF00FFu);
    pairs += (odd & 0x00FF00FFu) + ((odd >> 8u) & 0x00FF00FFu);
    return (pairs & 65535u) + (pairs >> 16u);
}

// Adds the noise of a texel of the picture to its channels, by the numbers behind the envelope: docs/gpu-buffer.md,
// "Detail". Each component has its own bands, and an amplitude that grows with the channels.
IgsTexel igs_add_detail(IgsMaterial m, IgsTexel texel, IgsGrain grain)
{
    if (IGS_DETAIL != 0) {
        uint numbers = m.envelope_at + ((m.envelope_cells.x * m.envelope_cells.y + 7u) >> 3u);
        uint count = igs_word(numbers);
        uint scales = numbers + 1u + 4u * count;
        IgsTexel more = texel;
        for (uint k = 0u; k < count; ++k) {
            uint head = numbers + 1u + 4u * k;
            uint shift = igs_word(head);
            uint right = shift & 255u;
            uint down = (shift >> 8u) << 6u;
            uvec2 place = uvec2(igs_shifted(grain.first, right, down), igs_shifted(grain.second, right, down));
            uint even = igs_word(head + 1u);
            uint odd = igs_word(head + 2u);
            uvec4 low = igs_noise_band_weights(even, odd);
            uvec4 high = igs_noise_band_weights(even >> 16u, odd >> 16u);
            float total = igs_total(m, grain, place, low, high, IGS_SUM_MIDDLE * igs_weight_sum(even, odd));
            float amplitude = igs_number(head + 3u);
            uint factors = scales + uint(m.channels) * (k + 1u);
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    int slope = igs_signed_field(igs_word(factors + uint(c)), 0u, 16u);
                    amplitude += float(slope) / 256.0 * texel.channel[c];
                }
            }
            float noise = IGS_NOISE_SCALE * total * grain.envelope * clamp(amplitude, 0.0, IGS_MOST_AMPLITUDE);
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
