#if IGS_DETAIL != 0
// What a workgroup shares of its material's noise, ready to be used: read from the buffer for each texel it would fill
// registers, and an H200 would have room for half of the workgroups.
IGS_SHARED uint igs_noise_count[1];                        // of components
IGS_SHARED uvec4 igs_noise_weights[IGS_NOISES];            // for igs_weighed_bands
IGS_SHARED uvec4 igs_noise_heads[IGS_NOISES];              // shift right, down; sum of the weights; amplitude
IGS_SHARED vec4 igs_noise_slopes[IGS_NOISES * IGS_LAYERS]; // of the amplitude, four channels to a vector
IGS_SHARED vec4 igs_noise_shares[IGS_NOISES * IGS_LAYERS]; // what a component adds to those channels

// All threads of the workgroup must call this; barriers follow before anybody reads it.
void igs_share_noise(IgsMaterial m, uint thread)
{
    uint numbers = igs_noise_numbers(m);
    uint count = min(igs_word(numbers), uint(IGS_NOISES));
    if (thread == 0u) {
        igs_noise_count[0] = count;
    }
    // The first threads have more to do.
    for (uint place = IGS_GROUP_THREADS - 1u - thread; place < count * uint(IGS_LAYERS); place += IGS_GROUP_THREADS) {
        uint k = place / uint(IGS_LAYERS);
        uint first = 4u * (place - k * uint(IGS_LAYERS));
        vec4 slopes = vec4(0.0, 0.0, 0.0, 0.0);
        vec4 shares = vec4(0.0, 0.0, 0.0, 0.0);
        for (uint i = 0u; i < 4u; ++i) {
            if (first + i < uint(m.channels)) {
                slopes[i] = igs_noise_slope(m, numbers, k, first + i);
                shares[i] = igs_noise_share(m, numbers, k, first + i);
            }
        }
        igs_noise_slopes[place] = slopes;
        igs_noise_shares[place] = shares;
        if (first == 0u) {
            IgsNoise noise = igs_noise(numbers, k);
            igs_noise_weights[k] = noise.weights;
            igs_noise_heads[k] = uvec4(noise.shift.x, noise.shift.y, noise.sum, igs_as_bits(noise.amplitude));
        }
    }
}

// igs_add_detail by what the workgroup shares.
IgsTexel igs_add_group_detail(IgsMaterial m, IgsTexel texel, IgsGrain grain)
{
    vec4 more[IGS_LAYERS];
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        more[layer] = igs_layer(texel, layer);
    }
    uint count = igs_noise_count[0];
    for (uint k = 0u; k < count; ++k) {
        uvec4 head = igs_noise_heads[k];
        IgsNoise noise;
        noise.weights = igs_noise_weights[k];
        noise.shift = uvec2(head.x, head.y);
        noise.sum = head.z;
        noise.amplitude = igs_as_float(head.w);
        float drawn = igs_plain_noise(m, grain, noise);
        float amplitude = noise.amplitude;
        uint at = k * uint(IGS_LAYERS);
        for (int layer = 0; layer < IGS_LAYERS; ++layer) {
            if (4 * layer < m.channels) {
                amplitude += dot(igs_noise_slopes[at + uint(layer)], igs_layer(texel, layer));
            }
        }
        drawn *= clamp(amplitude, 0.0, IGS_MOST_AMPLITUDE);
        for (int layer = 0; layer < IGS_LAYERS; ++layer) {
            if (4 * layer < m.channels) {
                more[layer] += drawn * igs_noise_shares[at + uint(layer)];
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
