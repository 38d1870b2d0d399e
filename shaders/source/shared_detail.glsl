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

// The word of the buffer behind the envelope, where what follows is read from: docs/gpu-buffer.md, "Detail".
uint igs_noise_numbers(IgsMaterial m)
{
    return m.envelope_at + ((m.envelope_cells.x * m.envelope_cells.y + 7u) >> 3u);
}

// A component of the noise.
struct IgsNoise {
    uvec4 weights; // for igs_weighed_bands
    uvec2 shift;   // by which it reads the tile apart
    uint sum;      // of the bands' weights
    float amplitude;
};

// Weights of a band, and of the fourth after it, for igs_weighed_bands.
uint igs_band_weights(uint numbers)
{
    return ((numbers & 255u) << 16u) | ((numbers >> 16u) & 255u);
}

// A component with the amplitude where all channels are 0.
IgsNoise igs_noise(uint numbers, uint k)
{
    uint head = numbers + 1u + 4u * k;
    uint shift = igs_word(head);
    uint even = igs_word(head + 1u);
    uint odd = igs_word(head + 2u);
    IgsNoise noise;
    noise.weights =
        uvec4(igs_band_weights(even), igs_band_weights(odd), igs_band_weights(even >> 8u), igs_band_weights(odd >> 8u));
    uint sums = noise.weights.x + noise.weights.y + noise.weights.z + noise.weights.w;
    noise.sum = (sums & 65535u) + (sums >> 16u);
    noise.shift = uvec2(shift & 255u, shift >> 8u);
    noise.amplitude = igs_number(head + 3u);
    return noise;
}

// The word of slope and mixing code of a channel in a component.
uint igs_noise_factors(IgsMaterial m, uint numbers, uint k, uint c)
{
    return igs_word(numbers + 1u + 4u * igs_word(numbers) + uint(m.channels) * (k + 1u) + c);
}

// How a component's amplitude grows with a channel.
float igs_noise_slope(IgsMaterial m, uint numbers, uint k, uint c)
{
    return float(igs_signed_field(igs_noise_factors(m, numbers, k, c), 0u, 16u)) / 256.0;
}

// What a component adds to a channel.
float igs_noise_share(IgsMaterial m, uint numbers, uint k, uint c)
{
    float mixing = float(igs_signed_field(igs_noise_factors(m, numbers, k, c), 16u, 8u));
    return IGS_NOISE_SCALE * igs_number(numbers + 1u + 4u * igs_word(numbers) + c) * mixing;
}

// A component of a texel's noise, but for its amplitude.
float igs_plain_noise(IgsMaterial m, IgsGrain grain, IgsNoise noise)
{
    int middle = int(noise.sum * IGS_BAND_MIDDLE * (grain.weights.x + grain.weights.y));
    return float(int(igs_total(m, grain, noise.shift, noise.weights)) - middle) * grain.envelope;
}

// Adds the noise of a texel of the picture to its channels. Each component has its own bands, and an amplitude that
// grows with the channels.
IgsTexel igs_add_detail(IgsMaterial m, IgsTexel texel, IgsGrain grain)
{
    if (IGS_DETAIL != 0) {
        uint numbers = igs_noise_numbers(m);
        uint count = igs_word(numbers);
        IgsTexel more = texel;
        for (uint k = 0u; k < count; ++k) {
            IgsNoise noise = igs_noise(numbers, k);
            float drawn = igs_plain_noise(m, grain, noise);
            float amplitude = noise.amplitude;
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    amplitude += igs_noise_slope(m, numbers, k, uint(c)) * texel.channel[c];
                }
            }
            drawn *= clamp(amplitude, 0.0, IGS_MOST_AMPLITUDE);
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    more.channel[c] += igs_noise_share(m, numbers, k, uint(c)) * drawn;
                }
            }
        }
        for (int c = 0; c < IGS_VALUES; ++c) {
            texel.channel[c] = clamp(more.channel[c], 0.0, 1.0);
        }
    }
    return texel;
}
