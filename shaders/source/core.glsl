// The algorithm. A material's numbers come from igs_material; constants in capitals bound arrays and loops.

// What is known of a material before any texel is looked at; docs/gpu-buffer.md says where each number lies.
struct IgsMaterial {
    uint at; // word of the buffer at which the material begins
    int width;
    int height;
    int channels;
    int components;
    bool repeat_x; // whether the picture goes on at the other side
    bool repeat_y;
    ivec2 images;       // of a Gaussian, beside the nearest one, that a point looks at on either side
    uint tiles_at;      // word of the buffer: the table of the tiles' offsets
    uint tiles_across;  // tiles
    uint tiles_down;    // tiles
    uint tile_log2;     // tiles are 2^tile_log2 texels
    uint mask_log2;     // masks tell 2^mask_log2 blocks apart, across and down
    uint position_bits; // and the following: widths of what tiles hold
    uint offset_bits;
    uint count_bits;
    uint far_count_bits;
    uint near_count_bits;
    uint entry_count_bits;
    uint stride_bits;
    uint width_bits;
    uint tile_bits;
    uint index_bits;
    uint head_bits;
    ivec3 least;      // codes of m, h and b in the file
    ivec3 least_bits; // of a tile's own above them
    uint levels_at;   // word of the buffer
    int first_level;  // of those that lie there: texels are 2^level texels of the picture
    int last_level;
    float position_step; // texels
    float size_step;     // of m
    float form_step;     // of h and b
    float edge;          // the weight at the cut-off
    float limit;         // q * log2(e) there
    float size_factor;   // log2 of the features' scale over m
    //@generated detail_numbers
};

// What a tile's head says of its records.
struct IgsTile {
    uint at; // word of the buffer
    uvec2 place;
    uint stride; // bits of a record
    uint scale;  // of the two coordinates of positions: shift and half in 4, 1, 4, 1 bits
    uint widths; // of m, h and b
    ivec3 least; // codes of m, h and b
};

// What a tile's head says of those who reach it.
struct IgsLists {
    uint count;     // own Gaussians
    uint far_count; // entries
    uint entries;   // own, near and far ones, where there are masks
    uint near_at;   // bit of the tile
};

// One Gaussian's geometry as seen from a point. With d the way from that point to another, in texels, and
// t = at + vec2(dot(along, d), dot(across, d)), dot(t, t) is q * log2(e) at the other.
struct IgsShape {
    vec2 at;     // the point itself, in units of the axes
    vec2 along;  // long axis
    vec2 across; // short axis
    float scale; // what the Gaussian's size makes of the feature steps
    uint rest;   // bit of the tile at which the feature codes begin
};

// One Gaussian's codes, one per component.
struct IgsFeatures {
    float code[IGS_COMPONENTS];
};

// What is gathered over the Gaussians at one point.
struct IgsSums {
    float weight;
    float code[IGS_COMPONENTS];
};

// The picture at one point: coded channels in [0, 1], which the accessors below turn into values with a meaning, and
// behind them (z + 1) / 2 of normals whose z is not coded, where there are functions that take a footprint.
struct IgsTexel {
    float channel[IGS_VALUES];
};

// 32 bits from a bit on, counted from the lowest one of a word.
uint igs_window(uint word, uint bit)
{
    uint at = word + (bit >> 5u);
    uint shift = bit & 31u;
    return (igs_word(at) >> shift) | ((igs_word(at + 1u) << 1u) << (31u - shift));
}

// Up to 32 of them.
uint igs_bits(uint word, uint bit, uint count)
{
    return igs_field(igs_window(word, bit), 0u, count);
}

//@generated material
//@generated detail
//@generated finish

// The texture coordinate inside the picture that one anywhere means.
vec2 igs_inside(IgsMaterial m, vec2 uv)
{
    vec2 turned = uv - floor(uv);
    vec2 held = clamp(uv, vec2(0.0, 0.0), vec2(1.0, 1.0));
    return vec2(m.repeat_x ? turned.x : held.x, m.repeat_y ? turned.y : held.y);
}

// Width and height in texels.
vec2 igs_size(IgsMaterial m)
{
    return vec2(float(m.width), float(m.height));
}

// Where an image of a Gaussian lies: the nearest one to a point, or another beside it.
// It is exact in float32 and near the point, so that nothing is lost when it is subtracted.
vec2 igs_image(IgsMaterial m, vec2 mean, vec2 p, int image)
{
    vec2 size = igs_size(m);
    int across = 2 * m.images.x + 1;
    vec2 beside = vec2(float(image % across - m.images.x), float(image / across - m.images.y));
    vec2 nearest = floor((p - mean) / size + vec2(0.5, 0.5)) + beside;
    return mean + size * vec2(m.repeat_x ? nearest.x : 0.0, m.repeat_y ? nearest.y : 0.0);
}

int igs_image_count(IgsMaterial m)
{
    return (2 * m.images.x + 1) * (2 * m.images.y + 1);
}

// The word at which a tile begins.
uint igs_tile_at(IgsMaterial m, uint number)
{
    return m.tiles_at + igs_bits(m.tiles_at, number * m.offset_bits, m.offset_bits);
}

// Bits of a head: the counts for the tiles around, the length of a record, and the widths of fields begin there.
uint igs_near_counts_bit(IgsMaterial m)
{
    return m.count_bits + m.far_count_bits;
}

uint igs_stride_bit(IgsMaterial m)
{
    return igs_near_counts_bit(m) + 8u * m.near_count_bits + m.entry_count_bits;
}

uint igs_widths_bit(IgsMaterial m)
{
    return igs_stride_bit(m) + m.stride_bits + 10u;
}

IgsTile igs_tile(IgsMaterial m, uint number)
{
    IgsTile tile;
    tile.at = igs_tile_at(m, number);
    tile.place = uvec2(number % m.tiles_across, number / m.tiles_across);
    uint bit = igs_stride_bit(m);
    tile.stride = igs_bits(tile.at, bit, m.stride_bits);
    tile.scale = igs_bits(tile.at, bit + m.stride_bits, 10u);
    tile.widths = igs_bits(tile.at, igs_widths_bit(m), 3u * m.width_bits);
    bit = igs_widths_bit(m) + uint(3 + m.components) * m.width_bits;
    tile.least.x = m.least.x + int(igs_bits(tile.at, bit, uint(m.least_bits.x)));
    bit += uint(m.least_bits.x);
    tile.least.y = m.least.y + int(igs_bits(tile.at, bit, uint(m.least_bits.y)));
    bit += uint(m.least_bits.y);
    tile.least.z = m.least.z + int(igs_bits(tile.at, bit, uint(m.least_bits.z)));
    return tile;
}

IgsLists igs_lists(IgsMaterial m, uint at)
{
    IgsLists lists;
    lists.count = igs_bits(at, 0u, m.count_bits);
    lists.far_count = igs_bits(at, m.count_bits, m.far_count_bits);
    lists.entries = igs_bits(at, igs_stride_bit(m) - m.entry_count_bits, m.entry_count_bits);
    lists.near_at = m.head_bits + lists.count * igs_bits(at, igs_stride_bit(m), m.stride_bits);
    return lists;
}

// Gaussians of the k-th tile around that can reach a tile.
uint igs_near_count(IgsMaterial m, uint at, uint k)
{
    return igs_bits(at, igs_near_counts_bit(m) + k * m.near_count_bits, m.near_count_bits);
}

// A tile around another, the k-th in reading order. Beyond a border that the picture does not repeat at there is none.
uint igs_near(IgsMaterial m, uvec2 place, uint k)
{
    uint square = k + (k > 3u ? 1u : 0u); // of 3 x 3, without the middle
    ivec2 size = ivec2(int(m.tiles_across), int(m.tiles_down));
    ivec2 at = ivec2(int(place.x), int(place.y)) + ivec2(int(square % 3u) - 1, int(square / 3u) - 1);
    ivec2 turned = ivec2((at.x + size.x) % size.x, (at.y + size.y) % size.y);
    return uint(turned.y * size.x + turned.x);
}

// A coordinate within the tile in units of m.position_step.
//   scale  its shift, 4 bits, and above them 1 where half a unit of what is shifted is left out
uint igs_position(uint stored, uint scale)
{
    return ((stored << (scale >> 4u)) | (scale >> 4u)) << (scale & 15u);
}

// Symmetric log-covariance [m + h, b; b, m - h] to axes, seen from a point.
// Where a texel lies across a thin Gaussian is a small difference of large products, and at the edge of the supports
// the picture magnifies an error of q a hundredfold. Through the inverse covariance's entries in float32, weights are off
// by 8e-4 at r = 5; along float32 axes by 5e-6, which can still put a texel 9e-4 off. Hence numbers in two parts (T. J.
// Dekker, "A floating-point technique for extending the available precision", 1971): high parts of 12 bits, whose products
// are exact, and what remains. That leaves 5e-4, from the rounding of the axes' lengths.
//   image  which of the Gaussian's images: where supports are smaller than the picture there is one
IgsShape igs_shape(IgsMaterial m, IgsTile tile, uint gaussian, vec2 p, int image)
{
    uint bit = m.head_bits + gaussian * tile.stride;
    uint scale_first = tile.scale & 31u;
    uint scale_second = tile.scale >> 5u;
    uint width_first = m.position_bits - (scale_first & 15u) - (scale_first >> 4u);
    uint width_second = m.position_bits - (scale_second & 15u) - (scale_second >> 4u);
    uint stored = igs_window(tile.at, bit);
    uint first = igs_position(igs_field(stored, 0u, width_first), scale_first);
    uint second = igs_position(igs_field(stored, width_first, width_second), scale_second);
    bit += width_first + width_second;
    uint width_m = igs_field(tile.widths, 0u, m.width_bits);
    uint width_h = igs_field(tile.widths, m.width_bits, m.width_bits);
    uint width_b = igs_field(tile.widths, 2u * m.width_bits, m.width_bits);
    stored = igs_window(tile.at, bit);
    ivec3 codes = tile.least;
    codes.x += int(igs_field(stored, 0u, width_m));
    codes.y += int(igs_field(stored, width_m, width_h));
    if (m.width_bits > 3u) { // three fields can be wider than a word
        codes.z += int(igs_bits(tile.at, bit + width_m + width_h, width_b));
    } else {
        codes.z += int(igs_field(stored, width_m + width_h, width_b));
    }
    bit += width_m + width_h + width_b;
    // The coordinate along the axis that the support is longer on comes first.
    uvec2 within = codes.y < 0 ? uvec2(second, first) : uvec2(first, second);
    uvec2 position = within + (tile.place << uvec2(m.position_bits, m.position_bits));
    vec2 mean = m.position_step * vec2(float(position.x), float(position.y));
    float size_log = m.size_step * float(codes.x);
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
    float narrow = IGS_ROOT_HALF_LOG2_E * exp2(-0.5 * IGS_LOG2_E * (size_log - m.form_step * r)) / size;
    float wide = IGS_ROOT_HALF_LOG2_E * exp2(-0.5 * IGS_LOG2_E * (size_log + m.form_step * r)) / size;
    vec2 d = p - igs_image(m, mean, p, image);
    vec2 turned = h < 0.0 ? vec2(d.x, d.y) : vec2(d.y, d.x);
    vec2 high = vec2(igs_high(turned.x), igs_high(turned.y));
    vec2 low = turned - high;
    float cross_d = (x_high * high.x - b * high.y) + (x_high * low.x + x_low * turned.x - b * low.y);
    vec2 axis = h < 0.0 ? vec2(b, x) : vec2(x, b);
    IgsShape shape;
    shape.at = vec2(wide * dot(axis, d), h < 0.0 ? -narrow * cross_d : narrow * cross_d);
    shape.along = wide * axis;
    shape.across = narrow * vec2(-axis.y, axis.x);
    shape.scale = exp2(m.size_factor * size_log);
    shape.rest = bit;
    return shape;
}

// The feature codes of a Gaussian of a tile, from the bit on that its shape tells.
IgsFeatures igs_features(IgsMaterial m, IgsTile tile, uint bit)
{
    int at_once = m.width_bits > 3u ? 2 : 4; // fields that a word surely holds
    uint stored = 0u;
    uint used = 0u;
    uint widths = 0u; // six at a time
    IgsFeatures features;
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        features.code[k] = 0.0;
        if (k < m.components) {
            if (k % 6 == 0) {
                widths = igs_window(tile.at, igs_widths_bit(m) + uint(3 + k) * m.width_bits);
            }
            if (k % at_once == 0) {
                bit += used;
                used = 0u;
                stored = igs_window(tile.at, bit);
            }
            uint width = igs_field(widths, uint(k % 6) * m.width_bits, m.width_bits);
            features.code[k] = float(igs_signed_field(stored, used, width));
            used += width;
        }
    }
    return features;
}

// exp(-q) - exp(-cut-off), and zero outside the support; t in units of the axes.
float igs_weight(IgsMaterial m, vec2 t)
{
    return max(0.0, exp2(-dot(t, t)) - m.edge);
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

// The block that holds a texel, among those of its tile that masks tell apart.
uint igs_block(IgsMaterial m, uvec2 texel)
{
    uint block_log2 = m.tile_log2 - m.mask_log2;
    uint last = (1u << m.mask_log2) - 1u;
    return (((texel.y >> block_log2) & last) << m.mask_log2) + ((texel.x >> block_log2) & last);
}

// The picture at a point in texels: texel (x, y) has its centre at (x + 0.5, y + 0.5), the origin is top left.
IgsTexel igs_decode_material_at(IgsMaterial m, vec2 p)
{
    uvec2 last = uvec2(uint(m.width - 1), uint(m.height - 1));
    uvec2 texel = min(uvec2(max(p, vec2(0.0, 0.0))), last);
    uvec2 place = texel >> uvec2(m.tile_log2, m.tile_log2);
    uint own = place.y * m.tiles_across + place.x;
    uint own_at = igs_tile_at(m, own);
    IgsLists lists = igs_lists(m, own_at);
    uint far_at = lists.near_at;
    for (uint k = 0u; k < 8u; ++k) {
        far_at += igs_near_count(m, own_at, k);
    }
    uint mask_at = far_at + lists.far_count * (m.tile_bits + m.index_bits) + igs_block(m, texel) * lists.entries;
    uint near_at = lists.near_at;
    IgsSums sums = igs_no_sums();
    // Where Gaussians come from: the tile itself, the eight around it, and farther away one by one.
    for (uint source = 0u; source < 9u + lists.far_count; ++source) {
        uint number = own;
        uint first = 0u;
        uint end = lists.count;
        if (source > 8u) {
            uint bit = far_at + (source - 9u) * (m.tile_bits + m.index_bits);
            number = igs_bits(own_at, bit, m.tile_bits);
            first = igs_bits(own_at, bit + m.tile_bits, m.index_bits);
            end = first + 1u;
        } else if (source > 0u) {
            number = igs_near(m, place, source - 1u);
            end = igs_near_count(m, own_at, source - 1u);
        }
        for (uint start = first; start < end; start += 32u) {
            uint count = min(end - start, 32u);
            uint listed = 0xFFFFFFFFu >> (32u - count);
            if (source > 0u && source < 9u) {
                listed = igs_bits(own_at, near_at, count);
                near_at += count;
            }
            uint touching = 0xFFFFFFFFu; // of those that are listed
            if (m.mask_log2 > 0u) {
                uint listed_count = igs_count_bits(listed);
                touching = igs_bits(own_at, mask_at, listed_count);
                mask_at += listed_count;
            }
            if (touching != 0u) {
                IgsTile tile = igs_tile(m, number);
                for (; listed != 0u; listed &= listed - 1u) {
                    if ((touching & 1u) != 0u) {
                        uint gaussian = start + igs_first_bit(listed);
                        IgsShape shape;
                        float weight = 0.0;
                        for (int image = 0; image < igs_image_count(m); ++image) {
                            shape = igs_shape(m, tile, gaussian, p, image);
                            weight += igs_weight(m, shape.at);
                        }
                        if (weight > 0.0) {
                            IgsFeatures features = igs_features(m, tile, shape.rest);
                            float scaled = weight * shape.scale;
                            sums.weight += weight;
                            for (int k = 0; k < IGS_COMPONENTS; ++k) {
                                sums.code[k] += scaled * features.code[k];
                            }
                        }
                    }
                    touching >>= m.mask_log2 > 0u ? 1u : 0u;
                }
            }
        }
    }
    return igs_finish(m, sums, texel);
}

// The picture at a texture coordinate; (0, 0) is the top left corner. Outside [0, 1] the picture repeats or its border
// goes on, as the file says for each axis.
IgsTexel igs_decode_material(IgsMaterial m, vec2 uv)
{
    return igs_decode_material_at(m, igs_inside(m, uv) * igs_size(m));
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

//@generated decode
//@generated accessors
