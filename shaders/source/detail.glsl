// The detail layer: what the Gaussians leave, drawn as noise that a texel's position alone tells; docs/igs-format.md,
// "Detail". It is read from a tile of 64 x 64 texels at two places, one for each of two grids of blocks that lie half a
// block apart. A place depends on the block, and weighs the more the farther the texel is from the block's border.
// All of that is unsigned integers, so that every decoder reads the same texels.

// What the components of a texel's noise share.
struct IgsGrain {
    uint first;   // texel of the tile for the first grid, row by row
    uint second;  // for the second grid
    vec2 weights; // of the two, in twelfths: 17 together at most
    float envelope;
};

// Where a texel lies along an axis.
struct IgsBlocks {
    uvec2 number; // of the block in each grid
    uvec2 passed; // blocks before it, the same but beyond the end of an axis
    uvec2 local;  // texels from the block's first
    uint place;   // 0..255 within the first grid's block
};

// The "lowbias32" finaliser of Wellons (2018).
uint igs_hash(uint value)
{
    value = (value ^ (value >> 16u)) * 0x7FEB352Du;
    value = (value ^ (value >> 15u)) * 0x846CA68Bu;
    return value ^ (value >> 16u);
}

// Texel `at` of an axis of `size` texels, which `count` blocks fill.
IgsBlocks igs_blocks(uint at, uint size, uint count)
{
    uint scaled = at * count;
    uint first = scaled / size;
    uint second = (2u * scaled + size) / (2u * size);
    IgsBlocks blocks;
    blocks.passed = uvec2(first, second);
    blocks.number = uvec2(first, second % count);
    // The second grid's first block begins before the axis: one axis length more on both sides keeps that unsigned.
    uint begin = ((2u * (second + count) - 1u) * size + 2u * count - 1u) / (2u * count);
    blocks.local = uvec2(at - (first * size + count - 1u) / count, at + size - begin);
    blocks.place = (scaled - first * size) * 256u / size;
    return blocks;
}

// How far a place 0..255 within the first grid's block is from that grid's border, and from the second's.
uvec2 igs_border(uint place)
{
    return uvec2(min(place, 255u - place), max(place, 128u) - min(place, 128u));
}

// Which weights two grids have whose borders are so far away, 0..15.
uint igs_weights_number(float first, float second)
{
    float total = first + second;
    // 16 * first / total, cut off: a quarter more is far from the next whole number, and rounding is far below that.
    return total > 0.0 ? min(uint((16.0 * first + 0.25) / total), 15u) : 8u;
}

// The weights of the two grids, in twelfths.
vec2 igs_layer_weights(uint number)
{
    uint first = number < 8u ? IGS_FIRST_WEIGHTS_0 : IGS_FIRST_WEIGHTS_8;
    uint second = number < 8u ? IGS_SECOND_WEIGHTS_0 : IGS_SECOND_WEIGHTS_8;
    uint bit = 4u * (number & 7u);
    return vec2(float((first >> bit) & 15u), float((second >> bit) & 15u));
}

// By how many columns and rows a block reads the tile beside others: the rows 7 bits above the columns, so that texels of the
// block can be added to both at once.
uint igs_block_shift(uvec2 number, uint grid)
{
    uint hash = igs_hash(2u * (number.y * IGS_NOISE_BLOCK_ROW + number.x) + grid);
    return (hash & 63u) | ((hash & 0xFC0u) << 1u);
}

// The cells of the envelope whose centres a texel's centre lies between along an axis, and how far it is from the first
// of them towards the second, in 1 / (2 size).
uvec3 igs_cells(uint at, uint size, uint cells, bool repeats)
{
    uint scaled = (2u * at + 1u) * cells + size;
    uint next = scaled / (2u * size); // 0 where the first cell is the one before the axis
    uint rest = scaled % (2u * size);
    uint low = repeats ? (next + cells - 1u) % cells : max(next, 1u) - 1u;
    uint high = repeats ? next % cells : min(next, cells - 1u);
    return uvec3(low, high, rest);
}

// The factor of a cell of the envelope.
float igs_envelope_cell(IgsMaterial m, uint column, uint row)
{
    uint cell = row * m.envelope_cells.x + column;
    uint code = (igs_word(m.envelope_at + (cell >> 3u)) >> (4u * (cell & 7u))) & 15u;
    return code > 0u ? exp2(0.25 * float(code) - 2.5) : 0.0;
}

// The envelope between the centres of cells along both axes, linear.
float igs_envelope(IgsMaterial m, uvec3 x, uvec3 y)
{
    float across = float(x.z) / float(2 * m.width);
    float down = float(y.z) / float(2 * m.height);
    float upper = (1.0 - across) * igs_envelope_cell(m, x.x, y.x) + across * igs_envelope_cell(m, x.y, y.x);
    float lower = (1.0 - across) * igs_envelope_cell(m, x.x, y.y) + across * igs_envelope_cell(m, x.y, y.y);
    return (1.0 - down) * upper + down * lower;
}

IgsGrain igs_grain(IgsMaterial m, uvec2 at)
{
    IgsBlocks x = igs_blocks(at.x, uint(m.width), m.noise_blocks.x);
    IgsBlocks y = igs_blocks(at.y, uint(m.height), m.noise_blocks.y);
    uvec2 local = x.local + (y.local << uvec2(7u, 7u));
    local.x += igs_block_shift(uvec2(x.number.x, y.number.x), 0u);
    local.y += igs_block_shift(uvec2(x.number.y, y.number.y), 1u);
    uvec2 border = min(igs_border(x.place), igs_border(y.place));
    IgsGrain grain;
    grain.first = (local.x & 63u) | ((local.x >> 1u) & 0xFC0u);
    grain.second = (local.y & 63u) | ((local.y >> 1u) & 0xFC0u);
    grain.weights = igs_layer_weights(igs_weights_number(float(border.x), float(border.y)));
    uvec3 across = igs_cells(at.x, uint(m.width), m.envelope_cells.x, m.repeat_x);
    grain.envelope = igs_envelope(m, across, igs_cells(at.y, uint(m.height), m.envelope_cells.y, m.repeat_y));
    return grain;
}

// A texel of the tile some texels further right and rows (counted in texels of the tile, 64 each) further down.
uint igs_shifted(uint place, uint right, uint down)
{
    return ((place + right) & 63u) | ((place + down) & 0xFC0u);
}

// The sum of four bands, 4 bits each, times their weights of 8 bits: 2^12 of it. So bands need no shifts: a weight has as many
// bits more as its band lies further down.
//   weights  2^12, 2^8, 2^4 and 1 of each
uint igs_weighed_bands(uint bands, uvec4 weights)
{
    uint sum = weights.x * (bands & 15u) + weights.y * (bands & 0xF0u);
    return sum + weights.z * (bands & 0xF00u) + weights.w * (bands & 0xF000u);
}

// A component's noise, 2^12 of it: the two grids weighed and added up. All of that is whole numbers, 20 bits of 2^12 at most,
// which float32 holds.
//   place      of the tile, for each grid
//   low, high  weights of bands 0 to 3 and 4 to 7, for igs_weighed_bands
//   middle     what either grid's sum is where there is no noise
float igs_total(IgsMaterial m, IgsGrain grain, uvec2 place, uvec4 low, uvec4 high, uint middle)
{
    uvec2 bands = uvec2(igs_word(m.noise_at + place.x), igs_word(m.noise_at + place.y));
    uint first = igs_weighed_bands(bands.x, low);
    uint second = igs_weighed_bands(bands.y, low);
    if ((high.x | high.y | high.z | high.w) != 0u) { // few layers have streaks
        first += igs_weighed_bands(bands.x >> 16u, high);
        second += igs_weighed_bands(bands.y >> 16u, high);
    }
    return grain.weights.x * float(int(first - middle)) + grain.weights.y * float(int(second - middle));
}

//@generated noise
