#if IGS_DETAIL != 0
// What a workgroup shares of its material's noise, ready to be used: read from the buffer for each texel it would fill
// registers, and an H200 would have room for half of the workgroups.
IGS_SHARED uint igs_noise_count[1];                        // of components
IGS_SHARED uvec4 igs_noise_weights[2 * IGS_NOISES];        // for igs_weighed_bands: low ones, high ones
IGS_SHARED uvec4 igs_noise_heads[IGS_NOISES];              // shift right, down; middle of sums; amplitude
IGS_SHARED vec4 igs_noise_slopes[IGS_NOISES * IGS_LAYERS]; // of the amplitude, four channels to a vector
IGS_SHARED vec4 igs_noise_shares[IGS_NOISES * IGS_LAYERS]; // what a component adds to those channels

// All threads of the workgroup must call this; barriers follow before anybody reads it.
void igs_share_noise(IgsMaterial m, uint thread)
{
    uint numbers = m.envelope_at + ((m.envelope_cells.x * m.envelope_cells.y + 7u) >> 3u);
    uint count = min(igs_word(numbers), uint(IGS_NOISES));
    uint scales = numbers + 1u + 4u * count;
    if (thread == 0u) {
        igs_noise_count[0] = count;
    }
    // The first threads have more to do.
    for (uint place = IGS_GROUP_THREADS - 1u - thread; place < count * uint(IGS_LAYERS); place += IGS_GROUP_THREADS) {
        uint k = place / uint(IGS_LAYERS);
        uint first = 4u * (place - k * uint(IGS_LAYERS));
        uint factors = scales + uint(m.channels) * (k + 1u);
        vec4 slopes = vec4(0.0, 0.0, 0.0, 0.0);
        vec4 shares = vec4(0.0, 0.0, 0.0, 0.0);
        for (uint i = 0u; i < 4u; ++i) {
            if (first + i < uint(m.channels)) {
                uint both = igs_word(factors + first + i);
                float scale = IGS_NOISE_SCALE * igs_number(scales + first + i);
                slopes[i] = float(igs_signed_field(both, 0u, 16u)) / 256.0;
                shares[i] = scale * float(igs_signed_field(both, 16u, 8u));
            }
        }
        igs_noise_slopes[place] = slopes;
        igs_noise_shares[place] = shares;
        if (first == 0u) {
            uint head = numbers + 1u + 4u * k;
            uint shift = igs_word(head);
            uint even = igs_word(head + 1u);
            uint odd = igs_word(head + 2u);
            uint middle = IGS_SUM_MIDDLE * igs_weight_sum(even, odd);
            igs_noise_weights[2u * k] = igs_noise_band_weights(even, odd);
            igs_noise_weights[2u * k + 1u] = igs_noise_band_weights(even >> 16u, odd >> 16u);
            igs_noise_heads[k] = uvec4(shift & 255u, (shift >> 8u) << 6u, middle, igs_word(head + 3u));
        }
    }
}

// igs_add_detail by what the workgroup shares.
IgsTexel igs_add_group_detail(IgsMaterial m, IgsTexel texel, IgsGrain grain)
{
    uint count = igs_noise_count[0];
    vec4 more[IGS_LAYERS];
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        more[layer] = igs_layer(texel, layer);
    }
    for (uint k = 0u; k < count; ++k) {
        uvec4 head = igs_noise_heads[k];
        uvec2 place = uvec2(igs_shifted(grain.first, head.x, head.y), igs_shifted(grain.second, head.x, head.y));
        uvec4 high = igs_noise_weights[2u * k + 1u];
        float total = igs_total(m, grain, place, igs_noise_weights[2u * k], high, head.z);
        float amplitude = igs_as_float(head.w);
        uint at = k * uint(IGS_LAYERS);
        for (int layer = 0; layer < IGS_LAYERS; ++layer) {
            if (4 * layer < m.channels) {
                amplitude += dot(igs_noise_slopes[at + uint(layer)], igs_layer(texel, layer));
            }
        }
        float noise = total * grain.envelope * clamp(amplitude, 0.0, IGS_MOST_AMPLITUDE);
        for (int layer = 0; layer < IGS_LAYERS; ++layer) {
            if (4 * layer < m.channels) {
                more[layer] += noise * igs_noise_shares[at + uint(layer)];
            }
        }
    }
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = clamp(more[c / 4][c & 3], 0.0, 1.0);
    }
    return texel;
}
#else
#define igs_add_group_detail(m, texel, grain) texel
#endif
