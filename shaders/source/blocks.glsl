// Block compression: Direct3D 11, "Texture Block Compression" and "BC7 Format Mode Reference". Values are 0..255 here.

// A segment of colours.
struct IgsLine {
    vec4 first;
    vec4 last;
};

// What tells where on a segment a colour lies: dot(colour, along) - first, from 0 to the number of steps.
struct IgsScale {
    vec4 along;
    float first;
};

vec4 igs_texel(IgsBlock block, int k)
{
    uint texel = block.texel[k];
    return vec4(float(texel & 255u), float((texel >> 8u) & 255u), float((texel >> 16u) & 255u), float(texel >> 24u));
}

IgsScale igs_scale(IgsLine segment, float steps)
{
    vec4 way = segment.last - segment.first;
    IgsScale scale;
    scale.along = (steps / max(dot(way, way), 0.000001)) * way;
    scale.first = dot(segment.first, scale.along);
    return scale;
}

float igs_along(IgsScale scale, vec4 texel, float steps)
{
    return clamp(dot(texel, scale.along) - scale.first, 0.0, steps);
}

vec4 igs_colour(vec4 colour)
{
    return clamp(colour, vec4(0.0, 0.0, 0.0, 0.0), vec4(255.0, 255.0, 255.0, 255.0));
}

// The segment along the direction in which the texels differ most, found by powers of their covariance.
IgsLine igs_fitted_line(IgsBlock block)
{
    vec4 mean = vec4(0.0, 0.0, 0.0, 0.0);
    for (int k = 0; k < 16; ++k) {
        mean += igs_texel(block, k);
    }
    mean *= 0.0625;
    vec4 row_x = vec4(0.0, 0.0, 0.0, 0.0);
    vec3 row_y = vec3(0.0, 0.0, 0.0); // from its own channel on
    vec2 row_z = vec2(0.0, 0.0);
    float row_w = 0.0;
    for (int k = 0; k < 16; ++k) {
        vec4 d = igs_texel(block, k) - mean;
        row_x += d.x * d;
        row_y += d.y * d.yzw;
        row_z += d.z * d.zw;
        row_w += d.w * d.w;
    }
    float most = max(max(row_x.x, row_y.x), max(row_z.x, row_w));
    vec4 axis = vec4(row_x.w, row_y.z, row_z.y, row_w);
    axis = row_z.x == most ? vec4(row_x.z, row_y.y, row_z.x, row_z.y) : axis;
    axis = row_y.x == most ? vec4(row_x.y, row_y.x, row_y.y, row_y.z) : axis;
    axis = row_x.x == most ? row_x : axis;
    for (int turn = 0; turn < 4; ++turn) {
        axis *= 1.0 / max(max(max(abs(axis.x), abs(axis.y)), max(abs(axis.z), abs(axis.w))), 0.000001);
        float x = dot(row_x, axis);
        float y = row_x.y * axis.x + dot(row_y, axis.yzw);
        float z = row_x.z * axis.x + row_y.y * axis.y + dot(row_z, axis.zw);
        axis = vec4(x, y, z, row_x.w * axis.x + row_y.z * axis.y + row_z.y * axis.z + row_w * axis.w);
    }
    axis *= 1.0 / max(length(axis), 0.000001);
    float middle = dot(mean, axis);
    float least = middle;
    most = middle;
    for (int k = 0; k < 16; ++k) {
        float along = dot(igs_texel(block, k), axis);
        least = min(least, along);
        most = max(most, along);
    }
    IgsLine segment;
    segment.first = igs_colour(mean + (least - middle) * axis);
    segment.last = igs_colour(mean + (most - middle) * axis);
    return segment;
}

// The segment with the least squared error for the places on it that the texels take in another, of so many steps.
IgsLine igs_refined_line(IgsBlock block, IgsLine segment, float steps)
{
    IgsScale scale = igs_scale(segment, steps);
    float sum = 0.0;
    float squares = 0.0;
    vec4 all = vec4(0.0, 0.0, 0.0, 0.0);
    vec4 last = all;
    for (int k = 0; k < 16; ++k) {
        vec4 texel = igs_texel(block, k);
        float share = floor(igs_along(scale, texel, steps) + 0.5);
        sum += share;
        squares += share * share;
        all += texel;
        last += share * texel;
    }
    // With shares from 0 to 1: sums of rest * rest, rest * share and share * share, and of both times the texels.
    sum /= steps;
    squares /= steps * steps;
    last *= 1.0 / steps;
    vec4 first = all - last;
    float first_first = 16.0 - 2.0 * sum + squares;
    float first_last = sum - squares;
    float area = first_first * squares - first_last * first_last;
    IgsLine refined = segment;
    if (area > 0.001) {
        refined.first = igs_colour((1.0 / area) * (squares * first - first_last * last));
        refined.last = igs_colour((1.0 / area) * (first_first * last - first_last * first));
    }
    return refined;
}
