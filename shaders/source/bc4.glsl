
// BC4: the least and the greatest value, and six between them.
uvec2 igs_bc4(IgsBlock block, int channel)
{
    float least = 255.0;
    float most = 0.0;
    for (int k = 0; k < 16; ++k) {
        float value = block.texel[k][channel];
        least = min(least, value);
        most = max(most, value);
    }
    float first = floor(most + 0.5);
    float last = floor(least + 0.5);
    uvec2 words = uvec2(uint(first) | (uint(last) << 8u), 0u);
    if (first > last) {
        for (int k = 0; k < 16; ++k) {
            float share = clamp((block.texel[k][channel] - last) / (first - last), 0.0, 1.0);
            uint code = uint(7.0 * share + 0.5);
            code = code == 7u ? 0u : (code == 0u ? 1u : 8u - code);
            int bit = 16 + 3 * k;
            if (bit < 32) {
                words.x |= code << uint(bit);
                words.y |= bit > 29 ? code >> uint(32 - bit) : 0u;
            } else {
                words.y |= code << uint(bit - 32);
            }
        }
    }
    return words;
}
