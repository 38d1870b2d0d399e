// The repeat layer: pictures of one cell of a lattice as blocks of cosines, and weights of each cell. docs/gpu-buffer.md, "Repeat".

// How cells cover the picture.
struct IgsLattice {
    uvec2 period;  // of a cell, texels
    uvec2 origin;  // of the picture in its first cell, texels
    uint shift;    // texels by which each row of cells begins further left
    uint across;   // cells
    uint pictures; // of a cell, behind the first
    uint weights;  // byte of the buffer
};

//@generated lattice
// The middle of a texel.
vec2 igs_centre(uvec2 at)
{
    return vec2(float(at.x) + 0.5, float(at.y) + 0.5);
}

// Where a texel lies.
struct IgsCell {
    uvec2 local;  // from its cell's corner, texels
    uvec2 within; // from its block's corner
    uint weights; // byte of the buffer
};

IgsCell igs_cell(IgsCosineBlocks blocks, IgsLattice lattice, uvec2 at)
{
    uint row = (at.y + lattice.origin.y) / lattice.period.y;
    uvec2 place = at + uvec2((lattice.origin.x + row * lattice.shift) % lattice.period.x, lattice.origin.y);
    uint column = place.x / lattice.period.x;
    IgsCell cell;
    cell.local = place - uvec2(column, row) * lattice.period;
    cell.within = cell.local & uvec2((1u << blocks.log2) - 1u, (1u << blocks.log2) - 1u);
    cell.weights = lattice.weights + (row * lattice.across + column) * lattice.pictures;
    return cell;
}

// Adds the layer at a point of the texel `at` to the channels.
IgsTexel igs_add_repeat(IgsMaterial m, IgsTexel texel, vec2 p, uvec2 at)
{
    IgsCosineBlocks blocks = igs_repeat_blocks(m);
    IgsCell cell = igs_cell(blocks, igs_lattice(m), at);
    vec2 from_texel = p - vec2(float(at.x), float(at.y));
    vec2 from_block = from_texel + vec2(float(cell.within.x), float(cell.within.y));
    vec2 turns = from_block * (0.5 / float(1u << blocks.log2));
    return igs_add_blocks(m, texel, blocks, igs_block_of(blocks, cell.local), turns, cell.weights);
}
