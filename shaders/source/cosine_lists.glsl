// Lists of coefficients for the compute decoder, read one by one.

// A block's list, as far as it has been read.
struct IgsList {
    uint at;          // nibble that comes next
    uint end;         // the one behind the last
    uint word;        // what is left of the one that the nibble lies in
    uint nibble;      // that one, IGS_NIBBLE_NEXT at the end
    uint place;       // behind the last coefficient
    bool ends;        // a component, with what was read last
    uint frequencies; // of a coefficient: down in the lowest 4 bits, across above them
    float value;      // in steps, 0 where no coefficient was read
};

// The same list from another nibble on.
IgsList igs_list_from(IgsCosineBlocks blocks, IgsList list, uint at)
{
    list.at = at;
    list.word = igs_word(blocks.lists + (at >> 3u)) >> (4u * (at & 7u));
    list.nibble = at < list.end ? list.word & 15u : IGS_NIBBLE_NEXT;
    return list;
}

IgsList igs_list_of_block(IgsCosineBlocks blocks, uvec2 texel)
{
    uint block = igs_block_of(blocks, texel);
    IgsList list;
    list.end = igs_list_begin(blocks, block + 1u);
    list.place = 0u;
    list.ends = false;
    list.frequencies = 0u;
    list.value = 0.0;
    return igs_list_from(blocks, list, igs_list_begin(blocks, block));
}

IgsList igs_next_nibble(IgsCosineBlocks blocks, IgsList list)
{
    list.at += 1u;
    list.word = (list.at & 7u) == 0u ? igs_word(blocks.lists + (list.at >> 3u)) : list.word >> 4u;
    list.nibble = list.at < list.end ? list.word & 15u : IGS_NIBBLE_NEXT;
    return list;
}

// Reads on: some zeros, the end of a component, or a coefficient with what makes it larger. The last component ends where the
// list does, list.at is beyond then.
IgsList igs_read_on(IgsCosineBlocks blocks, IgsList list)
{
    uint nibble = list.nibble;
    list = igs_next_nibble(blocks, list);
    list.ends = nibble == IGS_NIBBLE_NEXT;
    list.frequencies = 0u;
    list.value = 0.0;
    if (nibble < IGS_NIBBLE_SKIP) {
        uint size = nibble < IGS_NIBBLE_TWO ? 1u : 2u;
        list.place += nibble < IGS_NIBBLE_TWO ? nibble >> 1u : 0u;
        while (list.nibble > IGS_NIBBLE_NEXT) {
            bool far = list.nibble == IGS_NIBBLE_FAR;
            if (far) {
                list = igs_next_nibble(blocks, list);
            }
            size = far ? 16u * size - 14u + list.nibble : size + 1u;
            list = igs_next_nibble(blocks, list);
        }
        list.frequencies = (igs_word(blocks.order + (list.place >> 2u)) >> (8u * (list.place & 3u))) & 255u;
        float value = igs_coefficient(blocks, size);
        list.value = (nibble & 1u) > 0u ? -value : value;
        list.place += 1u;
    } else {
        list.place = list.ends ? 0u : list.place + IGS_NIBBLE_RUNS;
    }
    return list;
}
