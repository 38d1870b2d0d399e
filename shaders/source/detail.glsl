// The detail layer: what the Gaussians leave, drawn as noise that a texel's position alone tells; docs/igs-format.md,
// "Detail". It is read from a tile of 64 x 64 texels at two places, one for each of two grids of blocks that lie half a
// block apart. A place depends on the block, and weighs the more the farther the texel is from the block's border.
// All of that is unsigned integers, so that every decoder reads the same texels.

// What the components of a texel's noise share.
struct IgsGrain {
    uvec2 first;   // texel of the tile for the first grid, modulo 64
    uvec2 second;  // for the second grid
    uvec2 weights; // of the two, in twelfths: 17 together at most
    float envelope;
};

// Where a texel lies along an axis.
struct IgsBlocks {
    uvec2 number; // of the block in each grid
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
    blocks.number = uvec2(first, second % count);
    // The second grid's first block begins before the axis: one axis length more on both sides keeps that unsigned.
    uint begin = ((2u * (second + count) - 1u) * size + 2u * count - 1u) / (2u * count);
    blocks.local = uvec2(at - (first * size + count - 1u) / count, at + size - begin);
    blocks.place = (scaled - first * size) * 256u / size;
    return blocks;
}

// The weights of the two grids, in twelfths, at a place 0..255 across and down the first grid's block.
uvec2 igs_layer_weights(uvec2 place)
{
    uvec2 outer = min(place, uvec2(255u, 255u) - place);
    uvec2 inner = max(place, uvec2(128u, 128u)) - min(place, uvec2(128u, 128u));
    uint border = min(outer.x, outer.y);
    uint total = border + min(inner.x, inner.y);
    // 16 * border / total, cut off: a quarter more is far from the next whole number, and rounding is far below that.
    uint number = total > 0u ? min(uint((float(16u * border) + 0.25) / float(total)), 15u) : 8u;
    uint first = number < 8u ? IGS_FIRST_WEIGHTS_0 : IGS_FIRST_WEIGHTS_8;
    uint second = number < 8u ? IGS_SECOND_WEIGHTS_0 : IGS_SECOND_WEIGHTS_8;
    uint bit = 4u * (number & 7u);
    return uvec2((first >> bit) & 15u, (second >> bit) & 15u);
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

// What texels of one place along an axis share.
struct IgsAxis {
    IgsBlocks blocks;
    uvec3 cells;
};

IgsAxis igs_axis_x(IgsMaterial m, uint at)
{
    IgsAxis axis;
    axis.blocks = igs_blocks(at, uint(m.width), m.noise_blocks.x);
    axis.cells = igs_cells(at, uint(m.width), m.envelope_cells.x, m.repeat_x);
    return axis;
}

IgsAxis igs_axis_y(IgsMaterial m, uint at)
{
    IgsAxis axis;
    axis.blocks = igs_blocks(at, uint(m.height), m.noise_blocks.y);
    axis.cells = igs_cells(at, uint(m.height), m.envelope_cells.y, m.repeat_y);
    return axis;
}

// What is computed once per texel.
IgsGrain igs_grain_of(IgsMaterial m, IgsAxis x, IgsAxis y)
{
    uint first = igs_hash(2u * (y.blocks.number.x * IGS_NOISE_BLOCK_ROW + x.blocks.number.x));
    uint second = igs_hash(2u * (y.blocks.number.y * IGS_NOISE_BLOCK_ROW + x.blocks.number.y) + 1u);
    IgsGrain grain;
    grain.first = uvec2(x.blocks.local.x, y.blocks.local.x) + uvec2(first, first >> 6u);
    grain.second = uvec2(x.blocks.local.y, y.blocks.local.y) + uvec2(second, second >> 6u);
    grain.weights = igs_layer_weights(uvec2(x.blocks.place, y.blocks.place));
    grain.envelope = igs_envelope(m, x.cells, y.cells);
    return grain;
}

IgsGrain igs_grain(IgsMaterial m, uvec2 at)
{
    return igs_grain_of(m, igs_axis_x(m, at.x), igs_axis_y(m, at.y));
}

// A texel of the tile: eight bands of 0..15, four bits each.
uint igs_tile_bands(IgsMaterial m, uvec2 place)
{
    return igs_word(m.noise_at + (place.y & 63u) * 64u + (place.x & 63u));
}

// Two of the bands, as factors of igs_weighed_bands.
uint igs_band_pair(uint bands, uint first)
{
    return (bands >> (4u * first)) & 0x000F000Fu;
}

// The sum of a texel's bands times weights of 8 bits. A product of two pairs of 16 bits has the sum of both products in its
// upper half, if the weights' pair is the other way round: of four such, 30,600 at most above 15,300 at most.
//   weights  band k below band k + 4, the other way round
uint igs_weighed_bands(uint bands, uvec4 weights)
{
    uint sum = weights.x * igs_band_pair(bands, 0u) + weights.y * igs_band_pair(bands, 1u);
    sum += weights.z * igs_band_pair(bands, 2u) + weights.w * igs_band_pair(bands, 3u);
    return sum >> 16u;
}

// A component's noise, which reads the tile at its own shift: the two grids weighed and added up, 17 * 30,600 at most.
uint igs_total(IgsMaterial m, IgsGrain grain, uvec2 shift, uvec4 weights)
{
    uint first = igs_weighed_bands(igs_tile_bands(m, grain.first + shift), weights);
    uint second = igs_weighed_bands(igs_tile_bands(m, grain.second + shift), weights);
    return grain.weights.x * first + grain.weights.y * second;
}

//@generated noise
