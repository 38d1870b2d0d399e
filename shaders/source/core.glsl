// The algorithm. Everything in capitals is a constant of this file's material, generated from its header.

// One Gaussian's geometry as seen from a point. With d the way from that point to another, in texels, and
// t = at + vec2(dot(along, d), dot(across, d)), dot(t, t) is q * log2(e) at the other.
struct IgsShape {
    vec2 at;     // the point itself, in units of the axes
    vec2 along;  // long axis
    vec2 across; // short axis
};

// One Gaussian's codes as stored, one per component; the least codes are added once per texel, in igs_finish.
struct IgsFeatures {
    float scale; // what the Gaussian's size makes of the feature steps
    float code[IGS_COMPONENTS];
};

// What is gathered over the Gaussians at one point.
struct IgsSums {
    float weight;
    float scaled; // weights times scales
    float code[IGS_COMPONENTS];
};

// The picture at one point: coded channels in [0, 1], which the accessors below turn into values with a meaning, and
// behind them (z + 1) / 2 of normals whose z is not coded, where there are functions that take a footprint.
struct IgsTexel {
    float channel[IGS_VALUES];
};

//@generated detail
//@generated codes

// Symmetric log-covariance [m + h, b; b, m - h] to axes, seen from a point.
// Where a texel lies across a thin Gaussian is a small difference of large products, and at the edge of the supports
// the picture magnifies an error of q a hundredfold. Through the inverse covariance's entries in float32, weights are off
// by 8e-4 at r = 5; along float32 axes by 5e-6, which can still put a texel 9e-4 off. Hence numbers in two parts (T. J.
// Dekker, "A floating-point technique for extending the available precision", 1971): high parts of 12 bits, whose products
// are exact, and what remains. That leaves 5e-4, from the rounding of the axes' lengths.
//   image  which of the Gaussian's images, below IGS_IMAGES: where supports are smaller than the picture there is one
IgsShape igs_shape(uint gaussian, vec2 p, int image)
{
    uint record = IGS_RECORDS_AT + gaussian * IGS_RECORD_WORDS;
    ivec3 codes = igs_shape_codes(record);
    float m = IGS_SIZE_STEP * float(codes.x);
    float h = float(codes.y); // h and b in steps: the axes depend on their ratio only
    float b = float(codes.z);
    float n = h * h + b * b;
    float r = sqrt(n);
    float r_high = igs_high(r);
    float r_low = r - r_high;
    float rest = n > 0.0 ? (n - r_high * r_high - 2.0 * r_high * r_low - r_low * r_low) / (2.0 * r) : 0.0;
    // The long axis is (r + h, b) or (b, r - h), which are parallel: take the one that adds.
    float add = n > 0.0 ? abs(h) : 1.0;
    float x = r + add;
    float x_high = igs_high(x);
    float x_low = r - x_high + add + rest;
    float size = n > 0.0 ? sqrt(2.0 * r * x) : 1.0;
    float narrow = IGS_ROOT_HALF_LOG2_E * exp2(-0.5 * IGS_LOG2_E * (m - IGS_FORM_STEP * r)) / size;
    float wide = IGS_ROOT_HALF_LOG2_E * exp2(-0.5 * IGS_LOG2_E * (m + IGS_FORM_STEP * r)) / size;
    uint position = igs_word(record);
    vec2 mean = IGS_POSITION_STEP * vec2(float(position & 65535u), float(position >> 16u));
    vec2 d = p - igs_image(mean, p, image);
    vec2 turned = h < 0.0 ? vec2(d.x, d.y) : vec2(d.y, d.x);
    vec2 high = vec2(igs_high(turned.x), igs_high(turned.y));
    vec2 low = turned - high;
    float cross_d = (x_high * high.x - b * high.y) + (x_high * low.x + x_low * turned.x - b * low.y);
    vec2 axis = h < 0.0 ? vec2(b, x) : vec2(x, b);
    IgsShape shape;
    shape.at = vec2(wide * dot(axis, d), h < 0.0 ? -narrow * cross_d : narrow * cross_d);
    shape.along = wide * axis;
    shape.across = narrow * vec2(-axis.y, axis.x);
    return shape;
}

// exp(-q) - exp(-cut-off), and zero outside the support; t in units of the axes.
float igs_weight(vec2 t)
{
    return max(0.0, exp2(-dot(t, t)) - IGS_EDGE);
}

IgsSums igs_no_sums()
{
    IgsSums sums;
    sums.weight = 0.0;
    sums.scaled = 0.0;
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        sums.code[k] = 0.0;
    }
    return sums;
}

// The tile that holds a block, in the order of the tile starts.
uint igs_tile_of(uvec2 block)
{
    return (block.y >> 2u) * IGS_TILES_ACROSS + (block.x >> 2u);
}

// The bit of a block in the masks of its tile's entries.
uint igs_bit_of(uvec2 block)
{
    return (block.y & 3u) * 4u + (block.x & 3u);
}

// The picture at a point in texels: texel (x, y) has its centre at (x + 0.5, y + 0.5), the origin is top left.
IgsTexel igs_decode_at(vec2 p)
{
    uvec2 last = uvec2(IGS_WIDTH - 1, IGS_HEIGHT - 1);
    uvec2 block = min(uvec2(max(p, vec2(0.0, 0.0))), last) >> uvec2(IGS_BLOCK_LOG2, IGS_BLOCK_LOG2);
    uint tile = igs_tile_of(block);
    uint mask = 1u << igs_bit_of(block);
    uint end = igs_word(IGS_TILES_AT + tile + 1u);
    IgsSums sums = igs_no_sums();
    for (uint entry = igs_word(IGS_TILES_AT + tile); entry < end; ++entry) {
        uint gaussian = igs_entry(entry, mask);
        if (gaussian != IGS_NONE) {
            float weight = 0.0;
            for (int image = 0; image < IGS_IMAGES; ++image) {
                weight += igs_weight(igs_shape(gaussian, p, image).at);
            }
            if (weight > 0.0) {
                IgsFeatures features = igs_features(gaussian);
                float scaled = weight * features.scale;
                sums.weight += weight;
                sums.scaled += scaled;
                for (int k = 0; k < IGS_COMPONENTS; ++k) {
                    sums.code[k] += scaled * features.code[k];
                }
            }
        }
    }
    //@generated finish
}

// The picture at a texture coordinate; (0, 0) is the top left corner. Outside [0, 1] the picture repeats or its border
// goes on, as the file says for each axis.
IgsTexel igs_decode(vec2 uv)
{
    return igs_decode_at(igs_inside(uv) * vec2(float(IGS_WIDTH), float(IGS_HEIGHT)));
}

// Four coded channels from channel 4 * layer on; zero beyond the last.
vec4 igs_layer(IgsTexel texel, int layer)
{
    vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
    for (int i = 0; i < 4; ++i) {
        if (layer * 4 + i < IGS_CHANNELS) {
            values[i] = texel.channel[min(layer * 4 + i, IGS_CHANNELS - 1)];
        }
    }
    return values;
}

//@generated accessors
