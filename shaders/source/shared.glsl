// One decoder for every material of a buffer: the numbers of a material come from its header, docs/gpu-buffer.md.

// A byte of a word of the header.
uint igs_byte(uint word, uint place)
{
    return (igs_word(word) >> (8u * place)) & 255u;
}

float igs_number(uint word)
{
    return igs_as_float(igs_word(word));
}

// The word of the buffer at which a material begins, counted from 0 in the order of the buffer's directory.
uint igs_material_at(uint number)
{
    return igs_word(3u + number);
}
