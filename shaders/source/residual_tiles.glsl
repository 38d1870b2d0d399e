// The residual for the compute decoder: a block's threads read its list once, each a part of it. What it holds is shared as
// coefficients, ready to be summed up for the texels of the block.

// The functions of the transform at a block's texels, frequency by frequency, four texels to a vector.
IGS_SHARED vec4 igs_waves[64];
// Of each block, IGS_LIST_SHARE of them for 4 texels: a coefficient as a float32, whose lowest 8 bits are its frequencies
// (2^-16 of it is lost); 0 where a component ends.
IGS_SHARED uint igs_coefficients[IGS_LIST_SHARE * (IGS_GROUP_SIDE * IGS_GROUP_SIDE / 4u)];
IGS_SHARED uvec4 igs_list_lengths[IGS_GROUP_SIDE * IGS_GROUP_SIDE / 64u]; // of blocks, row by row
#if IGS_CHANNELS * IGS_LAYERS > 128
#define IGS_RESIDUAL_VECTORS 1u // they do not fit: Direct3D 11 has 32,768 bytes in all
#else
#define IGS_RESIDUAL_VECTORS (uint(IGS_CHANNELS) * uint(IGS_LAYERS))
#endif
// What a coefficient of each component adds to four channels.
IGS_SHARED vec4 igs_residual_vectors[IGS_RESIDUAL_VECTORS];

// One of them, from the buffer.
vec4 igs_residual_values(IgsMaterial m, IgsCosineBlocks blocks, uint place)
{
    uint row = place / uint(IGS_LAYERS); // behind the last component lies something else, which nobody reads
    uint first = 4u * (place - row * uint(IGS_LAYERS));
    vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
    for (uint i = 0u; i < 4u; ++i) {
        if (first + i < uint(m.channels)) {
            uint code = blocks.basis + row * uint(m.channels) + first + i;
            uint pair = igs_word(code >> 1u);
            values[i] = blocks.unit * float(igs_signed_field(pair, 16u * (code & 1u), 16u));
        }
    }
    return values;
}

vec4 igs_residual_vector(IgsMaterial m, IgsCosineBlocks blocks, uint place)
{
#if IGS_CHANNELS * IGS_LAYERS > 128
    return igs_residual_values(m, blocks, place);
#else
    return igs_residual_vectors[place];
#endif
}

// How many coefficients of a block are shared.
uint igs_list_room(IgsCosineBlocks blocks)
{
    return IGS_LIST_SHARE << (2u * blocks.log2 - 2u);
}

void igs_share_waves(IgsMaterial m, IgsCosineBlocks blocks, uint thread)
{
    uint side = 1u << blocks.log2;
    for (uint place = thread; place < side * side / 4u; place += IGS_GROUP_THREADS) {
        uint texel = (4u * place) & (side - 1u);
        vec4 waves = vec4(0.0, 0.0, 0.0, 0.0);
        for (uint i = 0u; i < 4u; ++i) {
            float turns = (float(texel + i) + 0.5) * (0.5 / float(side));
            waves[i] = igs_wave((4u * place) >> blocks.log2, turns);
        }
        igs_waves[place] = waves;
    }
    for (uint place = thread; place < IGS_RESIDUAL_VECTORS; place += IGS_GROUP_THREADS) {
        igs_residual_vectors[place] = igs_residual_values(m, blocks, place);
    }
}

// What the parts of lists hold, in igs_tile_words: coefficients and ends of components; above them places from the last end on,
// or from the part's first; whether a component ends.
uint igs_list_part(uint count, IgsList list, bool ends)
{
    return count | (list.place << 16u) | (ends ? 0x80000000u : 0u);
}

// All threads of the workgroup must call this; half a word for each texel is read. Nibbles tell what comes before them alone,
// so all is read twice: for how far a part leads, then for what it holds.
void igs_share_lists(IgsMaterial m, IgsCosineBlocks blocks, uvec2 group, uint thread)
{
    uint parts_log2 = 2u * blocks.log2 - 2u;
    uint part = thread & ((1u << parts_log2) - 1u);
    uint block = thread >> parts_log2;
    uint across_log2 = uint(IGS_GROUP_LOG2) - blocks.log2;
    uvec2 within = uvec2(block & ((1u << across_log2) - 1u), block >> across_log2);
    uvec2 texel = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + (within << uvec2(blocks.log2, blocks.log2));
    uvec2 last = uvec2(uint(m.width - 1), uint(m.height - 1));
    IgsList list = igs_list_of_block(blocks, min(texel, last));
    uint first = list.at;
    bool inside = texel.x <= last.x && texel.y <= last.y;
    uint length = inside ? ((list.end - first) >> parts_log2) + 1u : 0u; // of a part, in nibbles and the end
    uint begin = min(first + part * length, list.end + 1u);
    uint end = inside ? min(begin + length, list.end + 1u) : begin;
    list = igs_list_from(blocks, list, begin);
    if (part > 0u && begin < end) { // what makes a coefficient larger belongs to the part that this is in
        uint back = begin;
        while (back > first && igs_list_from(blocks, list, back - 1u).nibble == IGS_NIBBLE_FAR) {
            --back;
        }
        if (((begin - back) & 1u) > 0u) {
            list = igs_next_nibble(blocks, list);
        }
        while (list.nibble > IGS_NIBBLE_NEXT) {
            if (list.nibble == IGS_NIBBLE_FAR) {
                list = igs_next_nibble(blocks, list);
            }
            list = igs_next_nibble(blocks, list);
        }
        begin = list.at;
    }
    uint count = 0u;
    bool ends = false;
    while (list.at < end) {
        list = igs_read_on(blocks, list);
        count += list.ends || list.value != 0.0 ? 1u : 0u;
        ends = ends || list.ends;
    }
    igs_tile_words[thread] = igs_list_part(count, list, ends);
    igs_barrier();
    count = 0u;
    uint place = 0u;
    for (uint before = thread - part; before < thread; ++before) {
        uint known = igs_tile_words[before];
        count += known & 65535u;
        place = ((known >> 31u) > 0u ? 0u : place) + ((known >> 16u) & 32767u);
    }
    uint room = igs_list_room(blocks);
    list = igs_list_from(blocks, list, begin);
    list.place = place;
    while (list.at < end) {
        list = igs_read_on(blocks, list);
        if (list.ends || list.value != 0.0) {
            if (count < room) {
                uint rounded = (igs_as_bits(list.value) + 128u) & 0xFFFFFF00u;
                igs_coefficients[block * room + count] = rounded | list.frequencies;
            }
            ++count;
        }
    }
    if (part == (1u << parts_log2) - 1u) {
        igs_list_lengths[block >> 2u][block & 3u] = count;
    }
    igs_barrier(); // igs_tile_words
}

// All threads of the workgroup must call this; a barrier follows before anybody reads.
void igs_share_residual(IgsMaterial m, uvec2 group, uint thread)
{
    IgsCosineBlocks blocks = igs_residual_blocks(m);
    igs_share_waves(m, blocks, thread);
    igs_share_lists(m, blocks, group, thread);
}

// The block of the group that a texel lies in.
uint igs_list_of(IgsCosineBlocks blocks, uvec2 texel)
{
    uvec2 block = (texel & uvec2(IGS_GROUP_SIDE - 1u, IGS_GROUP_SIDE - 1u)) >> uvec2(blocks.log2, blocks.log2);
    return (block.y << (uint(IGS_GROUP_LOG2) - blocks.log2)) + block.x;
}
