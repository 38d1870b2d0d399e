// The algorithm. Everything in capitals is a constant of this file's material, generated from its header.
// core.glsl and core.hlsl differ in the names of vector types only, and so do tiles.glsl and tiles.hlsl; a test says so.

// One Gaussian's geometry, ready to be evaluated.
struct IgsShape {
    float2 mean;   // texels
    float2 along;  // long axis, scaled so that dot(along, d)^2 + dot(across, d)^2 = q * log2(e)
    float2 across; // short axis, scaled likewise
};

// One Gaussian's codes as stored, one per component; the least codes are added once per texel, in igs_finish.
struct IgsFeatures {
    float code[IGS_COMPONENTS];
};

// What is gathered over the Gaussians at one point.
struct IgsSums {
    float weight;
    float code[IGS_COMPONENTS];
};

// The picture at one point: coded channels in [0, 1]. The accessors below turn them into values with a meaning.
struct IgsTexel {
    float channel[IGS_CHANNELS];
};

//@generated codes

// Symmetric log-covariance [m + h, b; b, m - h] to axes. In eigen form nothing cancels, however thin the Gaussian: at
// r = 5 and a cut-off of 8, weights are off by 5e-6 at most; through the inverse covariance's entries A, B, C in
// float32 by 8e-4 (400,000 random Gaussians and points).
IgsShape igs_shape(uint gaussian)
{
    uint at = IGS_RECORDS_AT + gaussian * IGS_RECORD_WORDS;
    int3 codes = igs_shape_codes(at);
    float m = IGS_SIZE_STEP * float(codes.x);
    float h = IGS_FORM_STEP * float(codes.y);
    float b = IGS_FORM_STEP * float(codes.z);
    float r = sqrt(h * h + b * b);
    float2 axis = h >= 0.0 ? float2(r + h, b) : float2(b, r - h); // of the two equal forms, the one that adds
    axis = r > 0.0 ? axis / sqrt(2.0 * r * (r + abs(h))) : float2(1.0, 0.0);
    float narrow = IGS_ROOT_HALF_LOG2_E * exp2(-0.5 * IGS_LOG2_E * (m - r));
    float wide = IGS_ROOT_HALF_LOG2_E * exp2(-0.5 * IGS_LOG2_E * (m + r));
    uint position = igs_word(at);
    IgsShape shape;
    shape.mean = IGS_POSITION_STEP * float2(float(position & 65535u), float(position >> 16u));
    shape.along = wide * axis;
    shape.across = narrow * float2(-axis.y, axis.x);
    return shape;
}

// exp(-q) - exp(-cut-off), and zero outside the support.
float igs_weight(IgsShape shape, float2 p)
{
    float2 d = p - shape.mean;
    float along = dot(shape.along, d);
    float across = dot(shape.across, d);
    return max(0.0, exp2(-(along * along + across * across)) - IGS_EDGE);
}

IgsSums igs_no_sums()
{
    IgsSums sums;
    sums.weight = 0.0;
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        sums.code[k] = 0.0;
    }
    return sums;
}

// The tile that holds a block, in the order of the tile starts.
uint igs_tile_of(uint2 block)
{
    return (block.y >> 2u) * IGS_TILES_ACROSS + (block.x >> 2u);
}

// The bit of a block in the masks of its tile's entries.
uint igs_bit_of(uint2 block)
{
    return (block.y & 3u) * 4u + (block.x & 3u);
}

// The picture at a point in texels: texel (x, y) has its centre at (x + 0.5, y + 0.5), the origin is top left.
IgsTexel igs_decode_at(float2 p)
{
    uint2 last = uint2(IGS_WIDTH - 1, IGS_HEIGHT - 1);
    uint2 block = min(uint2(max(p, float2(0.0, 0.0))), last) >> uint2(IGS_BLOCK_LOG2, IGS_BLOCK_LOG2);
    uint tile = igs_tile_of(block);
    uint mask = 1u << igs_bit_of(block);
    uint end = igs_word(IGS_TILES_AT + tile + 1u);
    IgsSums sums = igs_no_sums();
    for (uint entry = igs_word(IGS_TILES_AT + tile); entry < end; ++entry) {
        uint gaussian = igs_entry(entry, mask);
        if (gaussian != IGS_NONE) {
            float weight = igs_weight(igs_shape(gaussian), p);
            if (weight > 0.0) {
                IgsFeatures features = igs_features(gaussian);
                sums.weight += weight;
                for (int k = 0; k < IGS_COMPONENTS; ++k) {
                    sums.code[k] += weight * features.code[k];
                }
            }
        }
    }
    return igs_finish(sums);
}

// The picture at a texture coordinate, repeated outside [0, 1); (0, 0) is the top left corner.
IgsTexel igs_decode(float2 uv)
{
    float2 inside = uv - floor(uv);
    return igs_decode_at(inside * float2(float(IGS_WIDTH), float(IGS_HEIGHT)));
}

// Four coded channels from channel 4 * layer on; zero beyond the last.
float4 igs_layer(IgsTexel texel, int layer)
{
    float4 values = float4(0.0, 0.0, 0.0, 0.0);
    for (int i = 0; i < 4; ++i) {
        if (layer * 4 + i < IGS_CHANNELS) {
            values[i] = texel.channel[min(layer * 4 + i, IGS_CHANNELS - 1)];
        }
    }
    return values;
}

//@generated accessors
