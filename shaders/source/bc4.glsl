
// Eight codes of BC4, 3 bits each, for eighths of the way from the least value to the greatest: 7 is code 0, 0 code 1,
// others count backwards. All at once: the negative number modulo 8, then 0 and 1 exchanged.
uint igs_bc4_codes(uint ways)
{
    uint other = ~ways;
    uint codes = ((other & 0x6DB6DBu) + 0x249249u) ^ (other & 0x924924u);
    return codes ^ (~((codes >> 1u) | (codes >> 2u)) & 0x249249u);
}

// BC4: the least and the greatest value, and six between them.
uvec2 igs_bc4(IgsBlock block, int channel)
{
    uint shift = 8u * uint(channel);
    uint least = 255u;
    uint most = 0u;
    for (int k = 0; k < 16; ++k) {
        uint value = (block.texel[k] >> shift) & 255u;
        least = min(least, value);
        most = max(most, value);
    }
    uvec2 words = uvec2(most | (least << 8u), 0u);
    if (most > least) {
        float scale = 7.0 / float(most - least);
        uint upper = 0u;
        uint lower = 0u;
        for (int k = 0; k < 8; ++k) {
            upper |= uint(scale * float(((block.texel[k] >> shift) & 255u) - least) + 0.5) << uint(3 * k);
            lower |= uint(scale * float(((block.texel[k + 8] >> shift) & 255u) - least) + 0.5) << uint(3 * k);
        }
        upper = igs_bc4_codes(upper);
        lower = igs_bc4_codes(lower);
        words.x |= upper << 16u;
        words.y = (upper >> 16u) | (lower << 8u);
    }
    return words;
}
