// The matrix of the normal equations, written out: products of normalised weights, per tile and pair of Gaussians.
// Only the last rounding of the features wants it; the solver multiplies without it (rasterize.cu, mode 3).
// Defined from outside: THREADS (one per texel), SIDE (Gaussians of a block of the matrix), KEY_BITS.

#include "gaussian.cuh"

#define STRIDE (THREADS + 1)  // so that a column of texels lies in different banks

__device__ float weight_of_listed(
    const float* records, int record_floats, const unsigned* info, const int* copies, long long slot, float px,
    float py, float cutoff_weight, int width, int height
) {
    const float* record = records + (long long)(info[slot] >> 8) * record_floats;
    return weight_of_slot(record, copies, slot, px, py, cutoff_weight, width, height);
}

extern "C" __global__ void __launch_bounds__(THREADS) correlate(
    const float* records, int record_floats, const unsigned* ordered_info,
    const int* ordered_copies,  // or null where nothing repeats
    const long long* tile_starts, float cutoff_weight, int width, int height, int across,
    const float* importance,  // [T, TILE * TILE], or null for 1
    int first_tile,
    const long long* pair_starts,  // [tiles of this launch + 1]
    long long* keys,               // [P] row << KEY_BITS | column
    float* products                // [P]
) {
    extern __shared__ float shared[];
    float *rows = shared, *columns = shared + SIDE * STRIDE;
    const int tile = first_tile + blockIdx.x, tid = threadIdx.x;
    const long long start = tile_starts[tile] - tile_starts[0], pair_start = pair_starts[blockIdx.x];
    const int length = (int)(tile_starts[tile + 1] - tile_starts[tile]);
    const int x = tile % across * TILE + tid % TILE, y = tile / across * TILE + tid / TILE;
    const float px = x + 0.5f, py = y + 0.5f;
    float sum = EPSILON;
    for (int i = 0; i < length; i++)
        sum += weight_of_listed(
            records, record_floats, ordered_info, ordered_copies, start + i, px, py, cutoff_weight, width, height
        );
    const float root = importance ? sqrtf(importance[(long long)tile * THREADS + tid]) : 1.0f;
    const float inverse = x < width && y < height ? root / sum : 0.0f;
    const int ti = tid / 16, tj = tid % 16;
    for (int row_base = 0; row_base < length; row_base += SIDE) {
        for (int column_base = 0; column_base <= row_base; column_base += SIDE) {
            __syncthreads();
            for (int i = 0; i < SIDE; i++) {
                float w = 0.0f, v = 0.0f;
                if (row_base + i < length)
                    w = weight_of_listed(
                        records, record_floats, ordered_info, ordered_copies, start + row_base + i, px, py,
                        cutoff_weight, width, height
                    );
                if (column_base + i < length)
                    v = weight_of_listed(
                        records, record_floats, ordered_info, ordered_copies, start + column_base + i, px, py,
                        cutoff_weight, width, height
                    );
                rows[i * STRIDE + tid] = w * inverse;
                columns[i * STRIDE + tid] = v * inverse;
            }
            __syncthreads();
            float s[2][2] = {};
            for (int p = 0; p < THREADS; p++) {
                const float a = rows[ti * STRIDE + p], b = rows[(ti + 16) * STRIDE + p];
                const float c = columns[tj * STRIDE + p], d = columns[(tj + 16) * STRIDE + p];
                s[0][0] = fmaf(a, c, s[0][0]);
                s[0][1] = fmaf(a, d, s[0][1]);
                s[1][0] = fmaf(b, c, s[1][0]);
                s[1][1] = fmaf(b, d, s[1][1]);
            }
            for (int half = 0; half < 4; half++) {
                const int i = row_base + ti + 16 * (half / 2), j = column_base + tj + 16 * (half % 2);
                if (i >= length || j > i) continue;
                const float value = s[half / 2][half % 2];
                const long long row = ordered_info[start + i] >> 8, column = ordered_info[start + j] >> 8;
                const long long at = pair_start + (long long)i * length + j,
                                mirrored = pair_start + (long long)j * length + i;
                keys[at] = row << KEY_BITS | column;
                products[at] = value;
                keys[mirrored] = column << KEY_BITS | row;
                products[mirrored] = value;
            }
        }
    }
}

// Sum runs of equal keys, in order.
extern "C" __global__ void sum_runs(const double* values, const long long* run_starts, long long runs, double* sums) {
    const long long run = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (run >= runs) return;
    double sum = 0.0;
    for (long long i = run_starts[run]; i < run_starts[run + 1]; i++) sum += values[i];
    sums[run] = sum;
}
