// Adds the noise of a texel of the picture to its channels, by the numbers behind the envelope: docs/gpu-buffer.md,
// "Detail". Each component has its own bands, and an amplitude that grows with the channels.
IgsTexel igs_add_detail(IgsMaterial m, IgsTexel texel, uvec2 at)
{
    if (IGS_DETAIL != 0) {
        uint cells = igs_word(m.at + 13u);
        uint blocks = igs_word(m.at + 14u);
        m.envelope_at = m.at + igs_word(m.at + 12u);
        m.envelope_cells = uvec2(cells & 65535u, cells >> 16u);
        m.noise_at = igs_word(2u);
        m.noise_blocks = uvec2(blocks & 65535u, blocks >> 16u);
        uint numbers = m.envelope_at + ((m.envelope_cells.x * m.envelope_cells.y + 7u) >> 3u);
        uint count = igs_word(numbers);
        uint scales = numbers + 1u + 4u * count;
        IgsGrain grain = igs_grain(m, at);
        int middle = int(IGS_BAND_MIDDLE * (grain.weights.x + grain.weights.y));
        IgsTexel more = texel;
        for (uint k = 0u; k < count; ++k) {
            uint head = numbers + 1u + 4u * k;
            uint shift = igs_word(head);
            uint even = igs_word(head + 1u);
            uint odd = igs_word(head + 2u);
            uvec2 bands = igs_bands(m, grain, uvec2(shift & 255u, shift >> 8u));
            int total = 0;
            for (uint b = 0u; b < 32u; b += 8u) {
                total += int((even >> b) & 255u) * (int((bands.x >> b) & 255u) - middle);
                total += int((odd >> b) & 255u) * (int((bands.y >> b) & 255u) - middle);
            }
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
