#if IGS_STORES_LAYERS != 0
// Storing a thread's texels layer by layer, of materials of Gaussians alone. What four channels are made of is read once for
// all of the texels, and no texel has to be held as a whole.

// Four channels of a thread's texels.
struct IgsRows {
    vec4 row[IGS_ROWS];
};

// 1 at one of four places.
vec4 igs_one_at(uint place)
{
    return vec4(place == 0u ? 1.0 : 0.0, place == 1u ? 1.0 : 0.0, place == 2u ? 1.0 : 0.0, place == 3u ? 1.0 : 0.0);
}

vec4 igs_held(vec4 values)
{
    return clamp(values, vec4(0.0, 0.0, 0.0, 0.0), vec4(1.0, 1.0, 1.0, 1.0));
}

vec4 igs_row_dots(IgsRows values, vec4 factors)
{
    return vec4(
        dot(values.row[0], factors), dot(values.row[min(1, IGS_ROWS - 1)], factors),
        dot(values.row[min(2, IGS_ROWS - 1)], factors), dot(values.row[min(3, IGS_ROWS - 1)], factors)
    );
}

// What Gaussians make of a layer's channels.
//   sums  over the sum of weights
IgsRows igs_rows_of_layer(IgsMaterial m, IgsGroupSums sums[IGS_ROWS], int layer)
{
    IgsRows values;
    vec4 basis = igs_shared_basis(1, layer);
    vec4 offset = igs_shared_basis(0, layer);
    for (int row = 0; row < IGS_ROWS; ++row) {
        values.row[row] = sums[row].first.x * basis + offset;
    }
    basis = igs_shared_basis(2, layer);
    for (int row = 0; row < IGS_ROWS; ++row) {
        values.row[row] += sums[row].first.y * basis;
    }
    for (int v = 0; v < IGS_GROUP_VECTORS - 3; ++v) {
        if (4 * v + 2 < m.components) {
            basis = igs_shared_basis(4 * v + 3, layer);
            for (int row = 0; row < IGS_ROWS; ++row) {
                values.row[row] += sums[row].code[v].x * basis;
            }
            basis = igs_shared_basis(4 * v + 4, layer);
            for (int row = 0; row < IGS_ROWS; ++row) {
                values.row[row] += sums[row].code[v].y * basis;
            }
            basis = igs_shared_basis(4 * v + 5, layer);
            for (int row = 0; row < IGS_ROWS; ++row) {
                values.row[row] += sums[row].code[v].z * basis;
            }
            basis = igs_shared_basis(4 * v + 6, layer);
            for (int row = 0; row < IGS_ROWS; ++row) {
                values.row[row] += sums[row].code[v].w * basis;
            }
        }
    }
    for (int row = 0; row < IGS_ROWS; ++row) {
        values.row[row] = igs_held(values.row[row]);
    }
    return values;
}

// Whether igs_store_rows does it.
bool igs_stores_rows(IgsMaterial m)
{
    bool noisy = IGS_DETAIL != 0 && m.has_detail;
    bool layered = (IGS_RESIDUAL != 0 && m.residual_at > 0u) || (IGS_REPEAT != 0 && m.repeat_at > 0u);
    return !noisy && !layered && m.exact_at == 0u && m.normals < 2 && IGS_BASIS_FITS != 0;
}

// Stores a thread's texels.
//   at     the first of them, the others below it
//   place  where the picture's texel (0, 0) would go to
void igs_store_rows(IgsMaterial m, IgsGroupSums sums[IGS_ROWS], uvec2 at, ivec2 place)
{
    for (int row = 0; row < IGS_ROWS; ++row) {
        float scale = 1.0 / (IGS_EPSILON + sums[row].weight);
        sums[row].first *= scale;
        for (int v = 0; v < IGS_GROUP_VECTORS - 3; ++v) {
            sums[row].code[v] *= scale;
        }
    }
    // First the layers that hold x and y of a normal whose z is made of them, then all of them.
    uint sides = m.normals > 0 ? igs_word(m.normals_at) : 0u;
    vec4 square = vec4(0.0, 0.0, 0.0, 0.0);   // of the length of (x, y)
    int last = IGS_LAYERS + int(at.x >> 31u); // a bound that compilers do not know
    for (int step = -2 * m.normals; step < last; ++step) {
        uint side = (sides >> (step == -1 ? 8u : 0u)) & 255u;
        int layer = step < 0 ? int(side >> 2u) : step;
        IgsRows values = igs_rows_of_layer(m, sums, layer);
        if (step < 0) {
            vec4 x = 2.0 * igs_row_dots(values, igs_one_at(side & 3u)) - vec4(1.0, 1.0, 1.0, 1.0);
            square += x * x;
        } else {
            if (m.normals > 0 && layer == m.channels >> 2u) {
                vec4 here = igs_one_at(uint(m.channels) & 3u);
                for (int row = 0; row < IGS_ROWS; ++row) { // there is 0 so far
                    values.row[row] += (0.5 * sqrt(max(0.0, 1.0 - square[row])) + 0.5) * here;
                }
            }
            for (int row = 0; row < IGS_ROWS; ++row) {
                if (at.x < uint(m.width) && at.y + uint(row) < uint(m.height)) {
                    igs_store_layer(ivec2(at) + place + ivec2(0, row), layer, values.row[row]);
                }
            }
        }
    }
}
#else
#define igs_stores_rows(m) false
#define igs_store_rows(m, sums, at, place)
#endif
