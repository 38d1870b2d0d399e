
// 5, 6 and 5 bits of a colour.
uint igs_bc1_code(vec4 colour)
{
    uvec4 code = uvec4(colour * vec4(31.0 / 255.0, 63.0 / 255.0, 31.0 / 255.0, 0.0) + vec4(0.5, 0.5, 0.5, 0.0));
    return (code.x << 11u) | (code.y << 5u) | code.z;
}

vec4 igs_bc1_colour(uint code)
{
    uint red = code >> 11u;
    uint green = (code >> 5u) & 63u;
    uint blue = code & 31u;
    red = (red << 3u) | (red >> 2u);
    green = (green << 2u) | (green >> 4u);
    blue = (blue << 3u) | (blue >> 2u);
    return vec4(float(red), float(green), float(blue), 255.0);
}

// BC1: two colours and two between them, no alpha.
uvec2 igs_bc1(IgsBlock block)
{
    for (int k = 0; k < 16; ++k) {
        block.texel[k] |= 0xFF000000u;
    }
    IgsLine segment = igs_refined_line(block, igs_fitted_line(block), 3.0);
    uint first = igs_bc1_code(segment.first);
    uint last = igs_bc1_code(segment.last);
    uvec2 words = uvec2(max(first, last) | (min(first, last) << 16u), 0u);
    segment.first = igs_bc1_colour(max(first, last));
    segment.last = igs_bc1_colour(min(first, last));
    if (first != last) {
        IgsScale scale = igs_scale(segment, 3.0);
        for (int k = 0; k < 16; ++k) {
            uint code = uint(igs_along(scale, igs_texel(block, k), 3.0) + 0.5);
            code = code == 3u ? 1u : (code == 0u ? 0u : code + 1u);
            words.y |= code << uint(2 * k);
        }
    }
    return words;
}
