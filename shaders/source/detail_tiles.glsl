#if IGS_DETAIL != 0
// What the texels of a group share of their noise.
// Of its columns, then of its rows: texels from the corners of the blocks of both grids, rows times 128; which of
// igs_block_shifts belong to these blocks; how far the two grids' borders are. First grids are in the lower 16 bits.
IGS_SHARED uvec4 igs_axes[2u * IGS_GROUP_SIDE];
IGS_SHARED uint igs_block_shifts[32];           // of up to 4 x 4 blocks of the first grid, then of the second
IGS_SHARED vec2 igs_grid_weights[16];           // by igs_weights_number
IGS_SHARED float igs_rows_down[IGS_GROUP_SIDE]; // of rows: where they lie between those of igs_factors
// The envelope of the group's columns in rows of cells.
IGS_SHARED float igs_factors[IGS_ENVELOPE_ROWS * IGS_GROUP_SIDE];

// Where a texel lies between the centres of cells, in cells, from that of the cell before the axis on.
uint igs_cells_before(uint at, uint size, uint cells)
{
    return ((2u * at + 1u) * cells + size) / (2u * size);
}

// Whether rows of cells that a group touches are so few that they are shared.
bool igs_shares_factors(IgsMaterial m)
{
    return IGS_GROUP_SIDE * m.envelope_cells.y <= (IGS_ENVELOPE_ROWS - 2u) * uint(m.height);
}

// The envelope of a column in a row of cells, counted from the one before the picture.
float igs_factor(IgsMaterial m, uint column, uint row)
{
    uint cells = m.envelope_cells.y;
    uint held = min(max(row, 1u) - 1u, cells - 1u);
    uint cell = m.repeat_y ? (row + cells - 1u) % cells : held;
    uvec3 across = igs_cells(column, uint(m.width), m.envelope_cells.x, m.repeat_x);
    float part = float(across.z) / float(2 * m.width);
    uvec2 ends = min(uvec2(across.x, across.y), uvec2(m.envelope_cells.x - 1u, m.envelope_cells.x - 1u));
    return (1.0 - part) * igs_envelope_cell(m, ends.x, cell) + part * igs_envelope_cell(m, ends.y, cell);
}

// All threads of the workgroup must call this; a barrier follows before anybody reads.
void igs_share_grain(IgsMaterial m, uvec2 group, uint thread)
{
    uvec2 corner = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE);
    uint first_row = igs_cells_before(corner.y, uint(m.height), m.envelope_cells.y);
    if (igs_shares_factors(m)) {
        for (uint place = thread; place < IGS_ENVELOPE_ROWS * IGS_GROUP_SIDE; place += IGS_GROUP_THREADS) {
            uint row = place / IGS_GROUP_SIDE;
            igs_factors[place] = igs_factor(m, corner.x + (place & (IGS_GROUP_SIDE - 1u)), first_row + row);
        }
    }
    IgsBlocks corner_x = igs_blocks(corner.x, uint(m.width), m.noise_blocks.x);
    IgsBlocks corner_y = igs_blocks(corner.y, uint(m.height), m.noise_blocks.y);
    // The last threads have less to do so far.
    uint behind = IGS_GROUP_THREADS - 1u - thread;
    for (uint place = behind; place < 2u * IGS_GROUP_SIDE; place += IGS_GROUP_THREADS) {
        bool down = place >= IGS_GROUP_SIDE;
        uint at = place & (IGS_GROUP_SIDE - 1u);
        at += down ? corner.y : corner.x;
        uint size = uint(down ? m.height : m.width);
        IgsBlocks blocks = igs_blocks(at, size, down ? m.noise_blocks.y : m.noise_blocks.x);
        // Blocks are 24 texels or more, but for one that is an axis: of texels beyond it nobody asks.
        uvec2 begin = down ? corner_y.passed : corner_x.passed;
        uvec2 number = min(blocks.passed - begin, uvec2(3u, 3u)) << (down ? uvec2(2u, 2u) : uvec2(0u, 0u));
        uvec2 local = (blocks.local & uvec2(63u, 63u)) << (down ? uvec2(7u, 7u) : uvec2(0u, 0u));
        uvec2 border = igs_border(blocks.place);
        igs_axes[place] = uvec4(
            local.x | (local.y << 16u), number.x | (number.y << 16u), igs_as_bits(float(border.x)),
            igs_as_bits(float(border.y))
        );
        if (down) {
            uint cells = m.envelope_cells.y;
            uint row = igs_cells_before(at, size, cells);
            uint rest = (2u * at + 1u) * cells + size - row * 2u * size;
            igs_rows_down[place - IGS_GROUP_SIDE] = float(row - first_row) + float(rest) / float(2u * size);
        }
    }
    for (uint place = thread; place < 32u; place += IGS_GROUP_THREADS) {
        uvec2 number = uvec2(place & 3u, (place >> 2u) & 3u);
        if (place < 16u) {
            number += uvec2(corner_x.passed.x, corner_y.passed.x);
            igs_block_shifts[place] = igs_block_shift(number, 0u);
            igs_grid_weights[place] = igs_layer_weights(place);
        } else {
            number = (number + uvec2(corner_x.passed.y, corner_y.passed.y)) % m.noise_blocks;
            igs_block_shifts[place] = igs_block_shift(number, 1u) << 16u;
        }
    }
}

IgsGrain igs_group_grain(IgsMaterial m, uvec2 at)
{
    uvec2 place = at & uvec2(IGS_GROUP_SIDE - 1u, IGS_GROUP_SIDE - 1u);
    uvec4 x = igs_axes[place.x];
    uvec4 y = igs_axes[IGS_GROUP_SIDE + place.y];
    uint blocks = x.y + y.y;
    uint local = x.x + y.x + igs_block_shifts[blocks & 15u] + igs_block_shifts[16u + (blocks >> 16u)];
    local = (local & 0x003F003Fu) | ((local >> 1u) & 0x0FC00FC0u);
    float first = min(igs_as_float(x.z), igs_as_float(y.z));
    float second = min(igs_as_float(x.w), igs_as_float(y.w));
    IgsGrain grain;
    grain.first = local & 0xFFFFu;
    grain.second = local >> 16u;
    grain.weights = igs_grid_weights[igs_weights_number(first, second)];
    if (igs_shares_factors(m)) {
        float down = igs_rows_down[place.y];
        uint row = uint(down);
        float part = down - float(row);
        uint factor = row * IGS_GROUP_SIDE + place.x;
        grain.envelope = (1.0 - part) * igs_factors[factor] + part * igs_factors[factor + IGS_GROUP_SIDE];
    } else {
        uvec3 across = igs_cells(at.x, uint(m.width), m.envelope_cells.x, m.repeat_x);
        grain.envelope = igs_envelope(m, across, igs_cells(at.y, uint(m.height), m.envelope_cells.y, m.repeat_y));
    }
    return grain;
}
#else // memory that nothing uses would cost 10 % all the same
#define igs_group_grain(m, at) igs_grain(m, at)
#endif
