// Sampling with a footprint at the price of one decode: of all that igs_sample_material_grad would add up, one term is
// drawn with the probability of its weight, so that the mean over noise is that sum. For renderers that gather frames,
// such as temporal anti-aliasing (M. Pharr and others, "Filtering After Shading With Stochastic Texture Filtering", 2024).

// The texel of a coarse level that a draw takes of the four around a point.
IgsTexel igs_coarse_draw(IgsMaterial m, vec2 p, int level, vec2 noise)
{
    uvec3 place = igs_coarse_level(m, level); // first word, texels across, down
    ivec2 size = ivec2(int(place.y), int(place.z));
    vec2 q = p / float(1 << level) - vec2(0.5, 0.5);
    vec2 corner = floor(q);
    vec2 part = q - corner;
    ivec2 at = ivec2(int(corner.x) + (noise.x < part.x ? 1 : 0), int(corner.y) + (noise.y < part.y ? 1 : 0));
    ivec2 held = clamp(at, ivec2(0, 0), size - ivec2(1, 1));
    int x = m.repeat_x ? (at.x + size.x) % size.x : held.x;
    int y = m.repeat_y ? (at.y + size.y) % size.y : held.y;
    return igs_coarse_texel(m, m.levels_at + place.x + uint(y * size.x + x) * igs_coarse_words(m));
}

// What a draw is left with of a number in 0..1 once it has chosen what lies between first and first + share.
float igs_rest(float number, float first, float share)
{
    return clamp((number - first) / max(share, 0.00000001), 0.0, 0.99999994);
}

// One draw of igs_sample_material_at.
IgsTexel igs_draw_material_at(IgsMaterial m, vec2 p, float lod, vec2 noise)
{
    float within = clamp(lod, 0.0, float(m.last_level));
    float fine = clamp(float(m.first_level) - within, 0.0, 1.0);
    if (noise.y >= fine) {
        float rest = igs_rest(noise.y, fine, 1.0 - fine);
        int level = max(int(within), m.first_level);
        float next = max(within - float(level), 0.0);
        bool upper = rest < next;
        float left = upper ? igs_rest(rest, 0.0, next) : igs_rest(rest, next, 1.0 - next);
        return igs_coarse_draw(m, p, upper ? level + 1 : level, vec2(noise.x, left));
    }
    float flat_lod = min(within, float(m.first_level - 1));
    int taps = igs_tap_count(m, flat_lod);
    float apart = igs_tap_distance(flat_lod, taps);
    vec2 tap = floor(vec2(noise.x, igs_rest(noise.y, 0.0, fine)) * float(taps));
    vec2 centre = 0.5 * float(taps - 1) * vec2(1.0, 1.0);
    return igs_decode_material_at(m, igs_within(m, p + apart * (tap - centre), p));
}

// One draw of igs_sample_material_grad. Noise: two numbers in 0..1, below 1, new ones for every pixel and frame.
IgsTexel igs_sample_material_stochastic(IgsMaterial m, vec2 uv, vec2 step_x, vec2 step_y, vec2 noise)
{
    IgsFootprint footprint = igs_footprint(m, uv, step_x, step_y);
    float count = float(footprint.count);
    float place = min(floor(noise.x * count), count - 1.0);
    vec2 centre = igs_footprint_centre(m, footprint, int(place));
    vec2 left = vec2(igs_rest(noise.x, place / count, 1.0 / count), noise.y);
    return igs_draw_material_at(m, centre, footprint.lod, left);
}

//@generated draw
