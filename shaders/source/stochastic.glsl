// Sampling with a footprint at the price of one decode: of all that igs_sample_material_grad would add up, one term is
// drawn with the probability of its weight, so that the mean over noise is that sum. For renderers that gather frames,
// such as temporal anti-aliasing (M. Pharr and others, "Filtering After Shading With Stochastic Texture Filtering", 2024).

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
    float fine_lod = min(within, float(m.first_level - 1));
    int taps = igs_tap_count(m, fine_lod);
    float apart = igs_tap_distance(fine_lod, taps);
    vec2 tap = floor(vec2(noise.x, igs_rest(noise.y, 0.0, fine)) * float(taps));
    vec2 centre = 0.5 * float(taps - 1) * vec2(1.0, 1.0);
    int level = max(int(within), m.first_level);
    level += igs_rest(noise.y, fine, 1.0 - fine) < within - float(level) ? 1 : 0;
    bool stored = noise.y >= fine;
    vec2 at = igs_within(m, p + apart * (tap - centre), p);
    return igs_level_value(m, stored ? p : at, stored ? level : 0);
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
