// Block compression: Direct3D 11, "Texture Block Compression" and "BC7 Format Mode Reference". Values are 0..255 here.

// A segment of colours.
struct IgsLine {
    vec4 first;
    vec4 last;
};

// Where a texel lies on it, from 0 to 1; times a number of steps.
float igs_along(IgsLine segment, vec4 texel, float steps)
{
    vec4 way = segment.last - segment.first;
    return clamp(dot(texel - segment.first, way) / max(dot(way, way), 0.000001), 0.0, 1.0) * steps;
}

// The segment along the direction in which the texels differ most, found by powers of their covariance.
IgsLine igs_fitted_line(IgsBlock block)
{
    vec4 mean = vec4(0.0, 0.0, 0.0, 0.0);
    for (int k = 0; k < 16; ++k) {
        mean += 0.0625 * block.texel[k];
    }
    vec4 row_x = vec4(0.0, 0.0, 0.0, 0.0);
    vec4 row_y = row_x;
    vec4 row_z = row_x;
    vec4 row_w = row_x;
    for (int k = 0; k < 16; ++k) {
        vec4 d = block.texel[k] - mean;
        row_x += d.x * d;
        row_y += d.y * d;
        row_z += d.z * d;
        row_w += d.w * d;
    }
    vec4 axis = row_x;
    float most = row_x.x;
    axis = row_y.y > most ? row_y : axis;
    most = max(most, row_y.y);
    axis = row_z.z > most ? row_z : axis;
    most = max(most, row_z.z);
    axis = row_w.w > most ? row_w : axis;
    for (int turn = 0; turn < 4; ++turn) {
        axis *= 1.0 / max(max(max(abs(axis.x), abs(axis.y)), max(abs(axis.z), abs(axis.w))), 0.000001);
        axis = vec4(dot(row_x, axis), dot(row_y, axis), dot(row_z, axis), dot(row_w, axis));
    }
    axis *= 1.0 / max(length(axis), 0.000001);
    float least = 0.0;
    most = 0.0;
    for (int k = 0; k < 16; ++k) {
        float along = dot(block.texel[k] - mean, axis);
        least = min(least, along);
        most = max(most, along);
    }
    IgsLine segment;
    segment.first = clamp(mean + least * axis, vec4(0.0, 0.0, 0.0, 0.0), vec4(255.0, 255.0, 255.0, 255.0));
    segment.last = clamp(mean + most * axis, vec4(0.0, 0.0, 0.0, 0.0), vec4(255.0, 255.0, 255.0, 255.0));
    return segment;
}

// The segment with the least squared error for the places on it that the texels take in another, of so many steps.
IgsLine igs_refined_line(IgsBlock block, IgsLine segment, float steps)
{
    float first_first = 0.0;
    float first_last = 0.0;
    float last_last = 0.0;
    vec4 first = vec4(0.0, 0.0, 0.0, 0.0);
    vec4 last = first;
    for (int k = 0; k < 16; ++k) {
        float share = floor(igs_along(segment, block.texel[k], steps) + 0.5) / steps;
        float rest = 1.0 - share;
        first_first += rest * rest;
        first_last += rest * share;
        last_last += share * share;
        first += rest * block.texel[k];
        last += share * block.texel[k];
    }
    float area = first_first * last_last - first_last * first_last;
    IgsLine refined = segment;
    if (area > 0.001) {
        vec4 black = vec4(0.0, 0.0, 0.0, 0.0);
        vec4 white = vec4(255.0, 255.0, 255.0, 255.0);
        refined.first = clamp((last_last * first - first_last * last) / area, black, white);
        refined.last = clamp((first_first * last - first_last * first) / area, black, white);
    }
    return refined;
}
