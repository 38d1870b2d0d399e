// Sampling with a footprint. Below the first stored level, a footprint is the mean of the picture at a square of taps at
// most one texel apart; from there on it is one value of a level, with linear interpolation; between the two, and
// between levels, results are mixed: a mip chain (L. Williams, "Pyramidal Parametrics", 1983) of box-filtered levels.

// A place that a footprint around a centre reaches: on the other side where the picture repeats, at the outermost texel
// centres where it does not.
vec2 igs_within(IgsMaterial m, vec2 p, vec2 centre)
{
    vec2 size = m.size;
    vec2 turned = p - size * floor(p / size);
    vec2 held = clamp(p, min(vec2(0.5, 0.5), centre), max(size - vec2(0.5, 0.5), centre));
    return vec2(m.repeat_x ? turned.x : held.x, m.repeat_y ? turned.y : held.y);
}

// Taps on each side of a footprint that is 2^lod texels wide, lod below the first stored level.
int igs_tap_count(IgsMaterial m, float lod)
{
    return 1 << uint(clamp(int(ceil(lod - 0.00390625)), 0, m.first_level - 1));
}

// How far apart they are, in texels.
float igs_tap_distance(float lod, int taps)
{
    return sqrt((exp2(2.0 * lod) - 1.0) / float(max(taps * taps - 1, 1)));
}

// The picture over 2^lod x 2^lod texels around a point in texels. Below the first stored level the taps' variance is that
// of the texels of a level, (4^lod - 1) / 12 on each axis: at whole lods and a level's texel centres they are those texels.
IgsTexel igs_sample_material_at(IgsMaterial m, vec2 p, float lod)
{
    float within = clamp(lod, 0.0, float(m.last_level));
    float fine = clamp(float(m.first_level) - within, 0.0, 1.0);
    float fine_lod = min(within, float(m.first_level - 1));
    int taps = igs_tap_count(m, fine_lod);
    float apart = igs_tap_distance(fine_lod, taps);
    vec2 first = p - 0.5 * apart * float(taps - 1) * vec2(1.0, 1.0);
    int tap_count = fine > 0.0 ? taps * taps : 0;
    IgsTexel sum = igs_no_texel();
    for (int k = 0; k < tap_count + 2; ++k) { // one call, because compilers copy all of it to every call
        int level = int(within) + k - tap_count;
        bool tap = k < tap_count;
        float share = tap ? fine / float(taps * taps) : 1.0 - abs(within - float(level));
        if (tap || (share > 0.0 && level >= m.first_level)) {
            vec2 at = first + apart * vec2(float(k % taps), float(k / taps));
            at = tap ? igs_within(m, at, p) : p;
            sum = igs_plus(sum, igs_level_value(m, at, tap ? 0 : level), share);
        }
    }
    return sum;
}

// The material at a texture coordinate and level of detail: 0 is igs_decode, level l is as wide as 2^l texels.
IgsTexel igs_sample_material_lod(IgsMaterial m, vec2 uv, float lod)
{
    return igs_sample_material_at(m, igs_inside(m, uv) * m.size, lod);
}

// What a pixel's steps span: samples along the longer one, each as wide as the shorter one, or as their distance if that
// is more (as in J. McCormack and others, "Feline: Fast Elliptical Lines for Anisotropic Texture Mapping", 1999).
struct IgsFootprint {
    vec2 p;      // its middle, in texels
    vec2 longer; // the longer step, in texels
    int count;   // samples along it, 1 to IGS_MAX_ANISOTROPY
    float lod;   // of each
};

IgsFootprint igs_footprint(IgsMaterial m, vec2 uv, vec2 step_x, vec2 step_y)
{
    vec2 size = m.size;
    vec2 u = step_x * size;
    vec2 v = step_y * size;
    float u_length = length(u);
    float v_length = length(v);
    float most = max(max(u_length, v_length), 1.0);
    float least = max(min(u_length, v_length), 1.0);
    IgsFootprint footprint;
    footprint.p = igs_inside(m, uv) * size;
    footprint.longer = u_length < v_length ? v : u;
    footprint.count = int(clamp(ceil(most / least - 0.015625), 1.0, float(IGS_MAX_ANISOTROPY)));
    footprint.lod = log2(max(least, most / float(footprint.count)));
    return footprint;
}

// The middle of one of a footprint's samples.
vec2 igs_footprint_centre(IgsMaterial m, IgsFootprint footprint, int k)
{
    float along = (float(k) + 0.5) / float(footprint.count) - 0.5;
    return igs_within(m, footprint.p + footprint.longer * along, footprint.p);
}

// The material under a pixel whose steps to the next pixels are step_x and step_y, in texture coordinates.
IgsTexel igs_sample_material_grad(IgsMaterial m, vec2 uv, vec2 step_x, vec2 step_y)
{
    IgsFootprint footprint = igs_footprint(m, uv, step_x, step_y);
    IgsTexel sum = igs_no_texel();
    for (int k = 0; k < footprint.count; ++k) {
        vec2 centre = igs_footprint_centre(m, footprint, k);
        sum = igs_plus(sum, igs_sample_material_at(m, centre, footprint.lod), 1.0 / float(footprint.count));
    }
    return sum;
}

//@generated sample
//@generated normals
