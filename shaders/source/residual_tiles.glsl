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
vec4 igs_residual_values(IgsMaterial m, uint place)
{
    uint row = place / uint(IGS_LAYERS); // behind the last component lies something else, which nobody reads
    uint first = 4u * (place - row * uint(IGS_LAYERS));
    vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
    for (uint i = 0u; i < 4u; ++i) {
        if (first + i < uint(m.channels)) {
            uint code = m.residual_basis + row * uint(m.channels) + first + i;
            uint pair = igs_word(code >> 1u);
            values[i] = m.residual_unit * float(igs_signed_field(pair, 16u * (code & 1u), 16u));
        }
    }
    return values;
}

vec4 igs_residual_vector(IgsMaterial m, uint place)
{
#if IGS_CHANNELS * IGS_LAYERS > 128
    return igs_residual_values(m, place);
#else
    return igs_residual_vectors[place];
#endif
}

// How many coefficients of a block are shared.
uint igs_list_room(IgsMaterial m)
{
    return IGS_LIST_SHARE << (2u * m.residual_log2 - 2u);
}

void igs_share_waves(IgsMaterial m, uint thread)
{
    uint side = 1u << m.residual_log2;
    for (uint place = thread; place < side * side / 4u; place += IGS_GROUP_THREADS) {
        uint texel = (4u * place) & (side - 1u);
        vec4 waves = vec4(0.0, 0.0, 0.0, 0.0);
        for (uint i = 0u; i < 4u; ++i) {
            float turns = (float(texel + i) + 0.5) * (0.5 / float(side));
            waves[i] = igs_wave((4u * place) >> m.residual_log2, turns);
        }
        igs_waves[place] = waves;
    }
    for (uint place = thread; place < IGS_RESIDUAL_VECTORS; place += IGS_GROUP_THREADS) {
        igs_residual_vectors[place] = igs_residual_values(m, place);
    }
}

// A block's list, as far as it has been read.
struct IgsList {
    uint at;          // nibble that comes next
    uint end;         // the one behind the last
    uint word;        // what is left of the one that the nibble lies in
    uint nibble;      // that one, IGS_RESIDUAL_NEXT at the end
    uint place;       // behind the last coefficient
    bool ends;        // a component, with what was read last
    uint frequencies; // of a coefficient: down in the lowest 4 bits, across above them
    float value;      // in steps, 0 where no coefficient was read
};

// The same list from another nibble on.
IgsList igs_list_from(IgsMaterial m, IgsList list, uint at)
{
    list.at = at;
    list.word = igs_word(m.residual_lists + (at >> 3u)) >> (4u * (at & 7u));
    list.nibble = at < list.end ? list.word & 15u : IGS_RESIDUAL_NEXT;
    return list;
}

IgsList igs_residual_list(IgsMaterial m, uvec2 texel)
{
    uint known = igs_residual_block(m, texel);
    IgsList list;
    list.end = igs_word(known + 1u);
    list.place = 0u;
    list.ends = false;
    list.frequencies = 0u;
    list.value = 0.0;
    return igs_list_from(m, list, igs_word(known));
}

IgsList igs_next_nibble(IgsMaterial m, IgsList list)
{
    list.at += 1u;
    list.word = (list.at & 7u) == 0u ? igs_word(m.residual_lists + (list.at >> 3u)) : list.word >> 4u;
    list.nibble = list.at < list.end ? list.word & 15u : IGS_RESIDUAL_NEXT;
    return list;
}

// Reads on: some zeros, the end of a component, or a coefficient with what makes it larger. The last component ends where the
// list does, list.at is beyond then.
IgsList igs_read_on(IgsMaterial m, IgsList list)
{
    uint nibble = list.nibble;
    list = igs_next_nibble(m, list);
    list.ends = nibble == IGS_RESIDUAL_NEXT;
    list.frequencies = 0u;
    list.value = 0.0;
    if (nibble < IGS_RESIDUAL_SKIP) {
        uint size = nibble < IGS_RESIDUAL_TWO ? 1u : 2u;
        list.place += nibble < IGS_RESIDUAL_TWO ? nibble >> 1u : 0u;
        while (list.nibble > IGS_RESIDUAL_NEXT) {
            bool far = list.nibble == IGS_RESIDUAL_FAR;
            if (far) {
                list = igs_next_nibble(m, list);
            }
            size = far ? 16u * size - 14u + list.nibble : size + 1u;
            list = igs_next_nibble(m, list);
        }
        list.frequencies = (igs_word(m.residual_order + (list.place >> 2u)) >> (8u * (list.place & 3u))) & 255u;
        float value = igs_coefficient(m, size);
        list.value = (nibble & 1u) > 0u ? -value : value;
        list.place += 1u;
    } else {
        list.place = list.ends ? 0u : list.place + IGS_RESIDUAL_RUNS;
    }
    return list;
}

// What the parts of lists hold, in igs_tile_words: coefficients and ends of components; above them places from the last end on,
// or from the part's first; whether a component ends.
uint igs_list_part(uint count, IgsList list, bool ends)
{
    return count | (list.place << 16u) | (ends ? 0x80000000u : 0u);
}

// All threads of the workgroup must call this; half a word for each texel is read. Nibbles tell what comes before them alone,
// so all is read twice: for how far a part leads, then for what it holds.
void igs_share_lists(IgsMaterial m, uvec2 group, uint thread)
{
    uint parts_log2 = 2u * m.residual_log2 - 2u;
    uint part = thread & ((1u << parts_log2) - 1u);
    uint block = thread >> parts_log2;
    uint across_log2 = uint(IGS_GROUP_LOG2) - m.residual_log2;
    uvec2 within = uvec2(block & ((1u << across_log2) - 1u), block >> across_log2);
    uvec2 texel = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + (within << uvec2(m.residual_log2, m.residual_log2));
    uvec2 last = uvec2(uint(m.width - 1), uint(m.height - 1));
    IgsList list = igs_residual_list(m, min(texel, last));
    uint first = list.at;
    bool inside = texel.x <= last.x && texel.y <= last.y;
    uint length = inside ? ((list.end - first) >> parts_log2) + 1u : 0u; // of a part, in nibbles and the end
    uint begin = min(first + part * length, list.end + 1u);
    uint end = inside ? min(begin + length, list.end + 1u) : begin;
    list = igs_list_from(m, list, begin);
    if (part > 0u && begin < end) { // what makes a coefficient larger belongs to the part that this is in
        uint back = begin;
        while (back > first && igs_list_from(m, list, back - 1u).nibble == IGS_RESIDUAL_FAR) {
            --back;
        }
        if (((begin - back) & 1u) > 0u) {
            list = igs_next_nibble(m, list);
        }
        while (list.nibble > IGS_RESIDUAL_NEXT) {
            if (list.nibble == IGS_RESIDUAL_FAR) {
                list = igs_next_nibble(m, list);
            }
            list = igs_next_nibble(m, list);
        }
        begin = list.at;
    }
    uint count = 0u;
    bool ends = false;
    while (list.at < end) {
        list = igs_read_on(m, list);
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
    uint room = igs_list_room(m);
    list = igs_list_from(m, list, begin);
    list.place = place;
    while (list.at < end) {
        list = igs_read_on(m, list);
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
    igs_share_waves(m, thread);
    igs_share_lists(m, group, thread);
}

// The block of the group that a texel lies in.
uint igs_list_of(IgsMaterial m, uvec2 texel)
{
    uvec2 block = (texel & uvec2(IGS_GROUP_SIDE - 1u, IGS_GROUP_SIDE - 1u)) >> uvec2(m.residual_log2, m.residual_log2);
    return (block.y << (uint(IGS_GROUP_LOG2) - m.residual_log2)) + block.x;
}
