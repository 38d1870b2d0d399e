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
    ivec2 images;     // of a Gaussian, beside the nearest one, that a point looks at on either side
    vec2 size;        // width and height
    vec2 turns;       // pictures per texel along axes that repeat, 0 along others
    uvec2 tiles;      // across and down
    uint tiles_at;    // word of the buffer: the tiles' heads
    uint head_words;  // of a tile
    uint blocks_at;   // the word from which on bits of the tiles' blocks count
    uvec3 least;      // codes of m, h and b in the file: 16 bits; above them, bits of a tile's own above those
    uint exact_at;    // word of the buffer: exact samples, 0 without; they stand in for all Gaussians
    uint levels_at;   // word of the buffer
    int first_level;  // of those that lie there: texels are 2^level texels of the picture
    int direct_level; // the first that lies there as texels, not as a difference
    int last_level;
    int values;          // of a texel
    float widening;      // added to each Gaussian's variance along every axis, square texels; 0 is the picture
    float position_step; // texels
    float size_step;     // of m
    float form_step;     // of h and b
    float edge;          // the weight at the cut-off
    float limit;         // q * log2(e) there
    float size_factor;   // log2 of the features' scale over m
    //@generated layout_numbers
    //@generated more_numbers
};

// Where a tile's Gaussians lie.
struct IgsHead {
    uint at;       // word of the buffer
    uint records;  // bit of the blocks
    uint stride;   // bits of a record
    uint count;    // own Gaussians
    uint reaching; // of them, those that reach other tiles; they come first
};

// How a tile's records are to be read. The first coordinate of positions lies at bit 0 of a record.
struct IgsTile {
    uint at;      // of its head: word of the buffer
    uint records; // bit of the blocks
    uint stride;
    vec2 corner;                  // texels
    uvec2 up;                     // how far the coordinates are shifted, up to position units
    uvec2 half_unit;              // what is added to them then
    uvec2 masks;                  // of the coordinates, unshifted
    uvec3 form_masks;             // of m, h and b
    uint second_at;               // bits of a record before the second coordinate
    uint form_at;                 // and before m
    uvec2 within;                 // bits from there on before h and b
    uint rest;                    // bits of a record before the features
    ivec3 least;                  // codes of m, h and b
    uint widths[IGS_WIDTH_WORDS]; // of features, six each; 0 beyond the last
};

// What reaches a tile.
struct IgsLists {
    uint groups;  // far ones
    uint entries; // own, near and far ones, where there are masks
    uint mask_at; // bit of the blocks
    uint far_at;  // bit of the blocks
};

// One Gaussian's geometry.
struct IgsGeometry {
    vec2 mean; // texels
    float m;   // logarithm of the size
    float h;   // in steps, as the following: the axes depend on their ratio only
    float b;
    float r;      // length of (h, b)
    float narrow; // square roots of exp(-m) * exp(r) and exp(-m) * exp(-r), r in units
    float wide;
    float share; // of the weight: 1, or less where widening spreads it out
    uint rest;   // bit of the blocks at which the feature codes begin
};

// The same as seen from a point. With d the way from that point to another, in texels, and
// t = at + vec2(dot(along, d), dot(across, d)), dot(t, t) is q * log2(e) at the other.
struct IgsShape {
    vec2 at;     // the point itself, in units of the axes
    vec2 along;  // long axis
    vec2 across; // short axis
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

//@generated layout
//@generated material
int igs_least(uint known)
{
    return igs_signed_field(known, 0u, 16u);
}

//@generated detail
//@generated layers
//@generated finish

// The texture coordinate inside the picture that one anywhere means.
vec2 igs_inside(IgsMaterial m, vec2 uv)
{
    vec2 turned = uv - floor(uv);
    vec2 held = clamp(uv, vec2(0.0, 0.0), vec2(1.0, 1.0));
    return vec2(m.repeat_x ? turned.x : held.x, m.repeat_y ? turned.y : held.y);
}

// Where an image of a Gaussian lies: the nearest one to a point, or another beside it. Where supports are smaller than the
// picture, the nearest one is the only one.
// It is exact in float32 and near the point, so that nothing is lost when it is subtracted.
vec2 igs_image_mean(IgsMaterial m, vec2 mean, vec2 p, int image)
{
    vec2 nearest = floor((p - mean) * m.turns + vec2(0.5, 0.5));
    if (m.images.x + m.images.y > 0) { // dividing by numbers of the buffer takes long
        int across = 2 * m.images.x + 1;
        nearest += vec2(float(image % across - m.images.x), float(image / across - m.images.y));
    }
    return mean + m.size * nearest;
}

int igs_image_count(IgsMaterial m)
{
    return (2 * m.images.x + 1) * (2 * m.images.y + 1);
}

// Bits of a head at which the scale of positions, the features' widths and the counts of the lists begin.
uint igs_scale_bit(IgsMaterial m)
{
    return igs_offset_bits(m) + igs_stride_bits(m) + igs_own_count_bits(m) + igs_reach_bits(m);
}

uint igs_features_bit(IgsMaterial m)
{
    return igs_scale_bit(m) + 10u + 3u * igs_width_bits(m) + (m.least.x >> 16u) + (m.least.y >> 16u) +
        (m.least.z >> 16u);
}

IgsHead igs_head(IgsMaterial m, uint number)
{
    IgsHead head;
    head.at = m.tiles_at + m.head_words * number;
    head.records = igs_field(igs_word(head.at), 0u, igs_offset_bits(m));
    uint known = igs_window(head.at, igs_offset_bits(m)); // surely holds two fields
    head.stride = igs_field(known, 0u, igs_stride_bits(m));
    head.count = igs_field(known, igs_stride_bits(m), igs_own_count_bits(m));
    uint bit = igs_offset_bits(m) + igs_stride_bits(m) + igs_own_count_bits(m);
    head.reaching = igs_bits(head.at, bit, igs_reach_bits(m));
    return head;
}

// What a tile's head says of its records.
struct IgsScales {
    uint scale;  // of the two coordinates of positions: shift and half in 4, 1, 4, 1 bits
    uint widths; // of m, h and b
    ivec3 least; // codes of m, h and b
};

IgsScales igs_scales(IgsMaterial m, uint at)
{
    IgsScales scales;
    uint bit = igs_scale_bit(m);
    uint known = igs_window(at, bit); // 25 of them at most
    scales.scale = igs_field(known, 0u, 10u);
    scales.widths = igs_field(known, 10u, 3u * igs_width_bits(m));
    bit += 10u + 3u * igs_width_bits(m);
    scales.least.x = igs_least(m.least.x) + int(igs_bits(at, bit, m.least.x >> 16u));
    bit += m.least.x >> 16u;
    scales.least.y = igs_least(m.least.y) + int(igs_bits(at, bit, m.least.y >> 16u));
    bit += m.least.y >> 16u;
    scales.least.z = igs_least(m.least.z) + int(igs_bits(at, bit, m.least.z >> 16u));
    return scales;
}

uint igs_low_mask(uint width)
{
    return (1u << width) - 1u;
}

IgsTile igs_tile(IgsMaterial m, IgsScales scales, uint at, uint records, uint stride, uint number)
{
    IgsTile tile;
    tile.at = at;
    tile.records = records;
    tile.stride = stride;
    uint row = igs_tile_row(m, number);
    uvec2 place = uvec2(number - row * m.tiles.x, row) << uvec2(igs_tile_log2(m), igs_tile_log2(m));
    tile.corner = vec2(float(place.x), float(place.y));
    uvec2 shift = uvec2(scales.scale & 15u, (scales.scale >> 5u) & 15u);
    uvec2 half_left_out = uvec2((scales.scale >> 4u) & 1u, scales.scale >> 9u);
    tile.up = shift + half_left_out;
    tile.half_unit = half_left_out << shift;
    tile.second_at = igs_position_bits(m) - tile.up.x;
    tile.form_at = tile.second_at + igs_position_bits(m) - tile.up.y;
    tile.masks = uvec2(igs_low_mask(tile.second_at), igs_low_mask(igs_position_bits(m) - tile.up.y));
    uint width_m = igs_field(scales.widths, 0u, igs_width_bits(m));
    uint width_h = igs_field(scales.widths, igs_width_bits(m), igs_width_bits(m));
    uint width_b = igs_field(scales.widths, 2u * igs_width_bits(m), igs_width_bits(m));
    tile.form_masks = uvec3(igs_low_mask(width_m), igs_low_mask(width_h), igs_low_mask(width_b));
    tile.within = uvec2(width_m, width_m + width_h);
    tile.rest = tile.form_at + width_m + width_h + width_b;
    tile.least = scales.least;
    for (int word = 0; word < IGS_WIDTH_WORDS; ++word) {
        uint first = 6u * uint(word);
        uint count = clamp(uint(m.components), first, first + 6u) - first;
        tile.widths[word] = igs_bits(at, igs_features_bit(m) + first * igs_width_bits(m), count * igs_width_bits(m));
    }
    return tile;
}

// The bit of the blocks at which the lists begin of which of a tile's Gaussians reach the tiles around.
uint igs_near_at(IgsHead head)
{
    return head.records + head.count * head.stride;
}

IgsLists igs_lists(IgsMaterial m, IgsHead head)
{
    uint bit = igs_features_bit(m) + uint(m.components) * igs_width_bits(m);
    IgsLists lists;
    lists.groups = igs_bits(head.at, bit, igs_group_count_bits(m));
    lists.entries = igs_bits(head.at, bit + igs_group_count_bits(m), igs_entry_count_bits(m));
    lists.mask_at = igs_near_at(head) + 8u * head.reaching;
    lists.far_at = lists.mask_at + (igs_mask_log2(m) > 0u ? lists.entries << (2u * igs_mask_log2(m)) : 0u);
    return lists;
}

// Column and row of that, plus one; of 3 x 3 without the middle, two bits each say how far it is from the first.
uvec2 igs_near_place(uvec2 place, uint k)
{
    return place + ((uvec2(IGS_NEAR_COLUMNS, IGS_NEAR_ROWS) >> uvec2(2u * k, 2u * k)) & uvec2(3u, 3u));
}

// The tile around another that is the k-th in reading order; beyond a border that the picture does not repeat at there
// is none.
bool igs_near_exists(IgsMaterial m, uvec2 place, uint k)
{
    uvec2 near = igs_near_place(place, k);
    bool across = m.repeat_x || near.x - 1u < m.tiles.x;
    return across && (m.repeat_y || near.y - 1u < m.tiles.y);
}

uint igs_near(IgsMaterial m, uvec2 place, uint k)
{
    uvec2 near = igs_near_place(place, k);
    uint x = near.x == 0u ? m.tiles.x : (near.x > m.tiles.x ? 1u : near.x);
    uint y = near.y == 0u ? m.tiles.y : (near.y > m.tiles.y ? 1u : near.y);
    return (y - 1u) * m.tiles.x + x - 1u;
}

// A Gaussian of a tile, unpacked.
IgsGeometry igs_geometry(IgsMaterial m, IgsTile tile, uint gaussian)
{
    uint bit = tile.records + gaussian * tile.stride;
    uint stored = igs_window(m.blocks_at, bit);
    uint first = ((stored & tile.masks.x) << tile.up.x) | tile.half_unit.x;
    uint second = (((stored >> tile.second_at) & tile.masks.y) << tile.up.y) | tile.half_unit.y;
    stored = igs_window(m.blocks_at, bit + tile.form_at);
    ivec3 codes = tile.least;
    codes.x += int(stored & tile.form_masks.x);
    codes.y += int((stored >> tile.within.x) & tile.form_masks.y);
    if (igs_width_bits(m) > 3u) { // three fields can be wider than a word
        stored = igs_window(m.blocks_at, bit + tile.form_at + tile.within.y);
        codes.z += int(stored & tile.form_masks.z);
    } else {
        codes.z += int((stored >> tile.within.y) & tile.form_masks.z);
    }
    // The coordinate along the axis that the support is longer on comes first.
    uvec2 within = codes.y < 0 ? uvec2(second, first) : uvec2(first, second);
    IgsGeometry geometry;
    geometry.mean = tile.corner + m.position_step * vec2(float(within.x), float(within.y));
    geometry.m = m.size_step * float(codes.x);
    geometry.h = float(codes.y);
    geometry.b = float(codes.z);
    geometry.r = sqrt(geometry.h * geometry.h + geometry.b * geometry.b);
    geometry.narrow = exp2(-0.5 * IGS_LOG2_E * (geometry.m - m.form_step * geometry.r));
    geometry.wide = exp2(-0.5 * IGS_LOG2_E * (geometry.m + m.form_step * geometry.r));
    geometry.share = 1.0;
    if (m.widening > 0.0) {
        float narrower = 1.0 / sqrt(1.0 + m.widening * geometry.narrow * geometry.narrow);
        float wider = 1.0 / sqrt(1.0 + m.widening * geometry.wide * geometry.wide);
        geometry.narrow *= narrower;
        geometry.wide *= wider;
        float spread = narrower * wider; // as a picture that is a sum would have it; this one is a quotient
        geometry.share = spread * (0.5 + 0.5 * spread);
    }
    geometry.rest = bit + tile.rest;
    return geometry;
}

// Whether a point can lie in the support, d texels from the mean: q from the part of d across and the one along, in
// plain float32. What rounding takes off the part across is far below the 1e-6 that is taken off here.
bool igs_may_reach(IgsMaterial m, IgsGeometry geometry, vec2 d)
{
    vec2 square = d * d;
    float turned = geometry.h * (square.x - square.y) + 2.0 * geometry.b * d.x * d.y;
    turned /= max(geometry.r, 1.0); // the codes are whole: where r is below 1, so is turned
    float length_2 = square.x + square.y;
    float narrow = geometry.narrow * geometry.narrow;
    float wide = geometry.wide * geometry.wide;
    float q = narrow * (0.999998 * length_2 - turned) + wide * (length_2 + turned);
    return 0.25 * IGS_LOG2_E * q < 1.001 * m.limit + 0.01;
}

// Symmetric log-covariance [m + h, b; b, m - h] to axes, seen from a point d texels from the mean.
// Where a texel lies across a thin Gaussian is a small difference of large products, and at the edge of the supports
// the picture magnifies an error of q a hundredfold. Through the inverse covariance's entries in float32, weights are off
// by 8e-4 at r = 5; along float32 axes by 5e-6, which can still put a texel 9e-4 off. Hence numbers in two parts (T. J.
// Dekker, "A floating-point technique for extending the available precision", 1971): high parts of 12 bits, whose products
// are exact, and what remains. That leaves 5e-4, from the rounding of the axes' lengths.
IgsShape igs_shape(IgsGeometry geometry, vec2 d)
{
    float h = geometry.h;
    float b = geometry.b;
    float n = h * h + b * b;
    float r = geometry.r;
    float r_high = igs_high(r);
    float r_low = r - r_high;
    float rest = n > 0.0 ? (n - r_high * r_high - 2.0 * r_high * r_low - r_low * r_low) / (2.0 * r) : 0.0;
    // The long axis is (r + h, b) or (b, r - h), which are parallel: take the one that adds.
    float add = n > 0.0 ? abs(h) : 1.0;
    float x = r + add;
    float x_high = igs_high(x);
    float x_low = r - x_high + add + rest;
    float size = n > 0.0 ? sqrt(2.0 * r * x) : 1.0;
    float narrow = IGS_ROOT_HALF_LOG2_E * geometry.narrow / size;
    float wide = IGS_ROOT_HALF_LOG2_E * geometry.wide / size;
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

// What a Gaussian's size makes of the feature steps.
float igs_scale(IgsMaterial m, IgsGeometry geometry)
{
    return exp2(m.size_factor * geometry.m);
}

// The feature codes of a Gaussian of a tile, from the bit on that its shape tells.
IgsFeatures igs_features(IgsMaterial m, IgsTile tile, uint bit)
{
    bool wide = igs_width_bits(m) > 3u; // a word surely holds two fields, else four
    uint stored = 0u;
    uint used = 0u;
    uint widths = 0u;
    IgsFeatures features;
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        widths = k % 6 == 0 ? tile.widths[k / 6] : widths;
        if (k < m.components && (k % 4 == 0 || (wide && k % 2 == 0))) {
            bit += used;
            used = 0u;
            stored = igs_window(m.blocks_at, bit);
        }
        uint width = igs_field(widths, 0u, igs_width_bits(m));
        features.code[k] = float(igs_signed_field(stored, used, width));
        used += width;
        widths >>= igs_width_bits(m); // from field to field: where fields lie would fill registers all over the tile
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
    uint block_log2 = igs_tile_log2(m) - igs_mask_log2(m);
    uint last = (1u << igs_mask_log2(m)) - 1u;
    return (((texel.y >> block_log2) & last) << igs_mask_log2(m)) + ((texel.x >> block_log2) & last);
}

// The picture at a point in texels: texel (x, y) has its centre at (x + 0.5, y + 0.5), the origin is top left.
IgsTexel igs_decode_material_at(IgsMaterial m, vec2 p)
{
    uvec2 last = uvec2(uint(m.width - 1), uint(m.height - 1));
    uvec2 texel = min(uvec2(max(p, vec2(0.0, 0.0))), last);
    uvec2 place = texel >> uvec2(igs_tile_log2(m), igs_tile_log2(m));
    uint own = place.y * m.tiles.x + place.x;
    IgsHead head = igs_head(m, own);
    IgsLists lists = igs_lists(m, head);
    uint far_bits_at = lists.far_at + lists.groups * (igs_tile_bits(m) + igs_listed_bits(m));
    uint mask_at = lists.mask_at + igs_block(m, texel) * lists.entries;
    IgsSums sums = igs_no_sums();
    // Where Gaussians come from: the tile itself, the eight around it, and those farther away.
    uint sources = m.exact_at > 0u ? 0u : 9u + lists.groups;
    for (uint source = 0u; source < sources; ++source) {
        //@generated source_material
        uint number = own;
        uint end = head.count;
        uint listed_at = 0u;
        if (source > 8u) {
            uint bit = lists.far_at + (source - 9u) * (igs_tile_bits(known) + igs_listed_bits(known));
            number = igs_bits(known.blocks_at, bit, igs_tile_bits(known));
            end = igs_bits(known.blocks_at, bit + igs_tile_bits(known), igs_listed_bits(known));
            head = igs_head(known, number);
            listed_at = far_bits_at;
            far_bits_at += end;
        } else if (source > 0u) {
            end = 0u;
            if (igs_near_exists(known, place, source - 1u)) {
                number = igs_near(known, place, source - 1u);
                head = igs_head(known, number);
                end = head.reaching;
                listed_at = igs_near_at(head) + (source - 1u) * end;
            }
        }
        for (uint start = 0u; start < end; start += 32u) {
            uint listed = 0xFFFFFFFFu >> (32u - min(end - start, 32u));
            if (source > 0u) {
                listed &= igs_window(known.blocks_at, listed_at + start);
            }
            uint touching = 0xFFFFFFFFu; // of those that are listed
            if (igs_mask_log2(known) > 0u) {
                uint listed_count = igs_count_bits(listed);
                touching = igs_bits(known.blocks_at, mask_at, listed_count);
                mask_at += listed_count;
            }
            if (listed != 0u && touching != 0u) {
                IgsTile tile = igs_tile(known, igs_scales(known, head.at), head.at, head.records, head.stride, number);
                for (; listed != 0u; listed &= listed - 1u) {
                    if ((touching & 1u) != 0u) {
                        uint gaussian = start + igs_first_bit(listed);
                        IgsGeometry geometry = igs_geometry(m, tile, gaussian);
                        float weight = 0.0;
                        for (int image = 0; image < igs_image_count(m); ++image) {
                            vec2 d = p - igs_image_mean(m, geometry.mean, p, image);
                            if (igs_may_reach(m, geometry, d)) {
                                weight += geometry.share * igs_weight(m, igs_shape(geometry, d).at);
                            }
                        }
                        if (weight > 0.0) {
                            IgsFeatures features = igs_features(m, tile, geometry.rest);
                            float scaled = weight * igs_scale(m, geometry);
                            sums.weight += weight;
                            for (int k = 0; k < IGS_COMPONENTS; ++k) {
                                sums.code[k] += scaled * features.code[k];
                            }
                        }
                    }
                    touching >>= igs_mask_log2(m) > 0u ? 1u : 0u;
                }
            }
        }
    }
    //@generated return_finished
}

// The picture at a texture coordinate; (0, 0) is the top left corner. Outside [0, 1] the picture repeats or its border
// goes on, as the file says for each axis.
IgsTexel igs_decode_material(IgsMaterial m, vec2 uv)
{
    return igs_decode_material_at(m, igs_inside(m, uv) * m.size);
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
