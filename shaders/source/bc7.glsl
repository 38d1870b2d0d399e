
// An end of a segment as BC7's mode 6 holds it: seven bits of each channel above one that they share.
//   opaque  an alpha of 255 exactly, which asks for that bit
vec4 igs_bc7_end(vec4 colour, bool opaque)
{
    vec4 half_way = vec4(0.5, 0.5, 0.5, 0.5);
    vec4 most = vec4(127.0, 127.0, 127.0, 127.0);
    vec4 even = min(floor(0.5 * colour + half_way), most);
    vec4 odd = clamp(floor(0.5 * colour), vec4(0.0, 0.0, 0.0, 0.0), most);
    even = 2.0 * even;
    odd = 2.0 * odd + vec4(1.0, 1.0, 1.0, 1.0);
    vec4 even_error = even - colour;
    vec4 odd_error = odd - colour;
    return opaque || dot(odd_error, odd_error) < dot(even_error, even_error) ? odd : even;
}

IgsLine igs_bc7_line(IgsLine segment, bool opaque)
{
    segment.first = igs_bc7_end(segment.first, opaque);
    segment.last = igs_bc7_end(segment.last, opaque);
    return segment;
}

// BC7, mode 6: one segment of 16 colours with alpha.
uvec4 igs_bc7(IgsBlock block, bool opaque)
{
    // The refined ends are better than the fitted ones in all but a few blocks, and asking which takes as long as refining.
    IgsLine segment = igs_bc7_line(igs_refined_line(block, igs_fitted_line(block), 15.0), opaque);
    IgsScale scale = igs_scale(segment, 15.0);
    if (igs_along(scale, igs_texel(block, 0), 15.0) >= 7.5) { // the first texel's code has no highest bit
        vec4 other = segment.first;
        segment.first = segment.last;
        segment.last = other;
        scale = igs_scale(segment, 15.0);
    }
    uvec4 first = uvec4(segment.first);
    uvec4 last = uvec4(segment.last);
    uvec4 words;
    words.x = 64u | ((first.x >> 1u) << 7u) | ((last.x >> 1u) << 14u) | ((first.y >> 1u) << 21u) |
        ((last.y >> 1u) << 28u);
    words.y = (last.y >> 5u) | ((first.z >> 1u) << 3u) | ((last.z >> 1u) << 10u) | ((first.w >> 1u) << 17u);
    words.y |= ((last.w >> 1u) << 24u) | ((first.x & 1u) << 31u);
    words.z = last.x & 1u;
    words.w = 0u;
    for (int k = 0; k < 16; ++k) {
        uint code = uint(igs_along(scale, igs_texel(block, k), 15.0) + 0.5);
        code = k == 0 ? min(code, 7u) : code;
        if (k < 8) {
            words.z |= code << uint(k == 0 ? 1 : 4 * k);
        } else {
            words.w |= code << uint(4 * k - 32);
        }
    }
    return words;
}
