// Sums over each Gaussian's slots in a fixed order, in single precision for gradients, in double for the solver.
// A warp sums a Gaussian of few slots, the whole block one of many; a block has as many Gaussians as warps.
// Defined from outside: THREADS.

#include "gaussian.cuh"

#define TOGETHER (THREADS / 32)
#define MANY 128                          // slots
#define MOST_VALUES (MAX_COMPONENTS + 8)  // of a slot

__device__ void sum_slots(
    const float* slot_sums, const long long* slot_starts, int count, int values, int lanes, float* staged,
    float sums[TOGETHER][MOST_VALUES]
) {
    const int warp = threadIdx.x / 32, base = blockIdx.x * TOGETHER, own = base + warp;
    if (own < count && slot_starts[own + 1] - slot_starts[own] <= MANY) {
        const int width = min(lanes, 32), groups = 32 / width, lane = threadIdx.x % width;
        for (int value = lane; value - lane < values; value += width) {  // as often for every lane
            float sum = 0.0f;
            if (value < values)
#pragma unroll 4
                for (long long slot = slot_starts[own] + threadIdx.x % 32 / width; slot < slot_starts[own + 1];
                     slot += groups)
                    sum += slot_sums[slot * values + value];
            for (int step = width; step < 32; step *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
            if (value < values) sums[warp][value] = sum;
        }
    }
    for (int i = 0; i < TOGETHER && base + i < count; i++) {
        const long long first = slot_starts[base + i], last = slot_starts[base + i + 1];
        if (last - first <= MANY) continue;
        const int groups = THREADS / lanes, lane = threadIdx.x % lanes;
        float sum = 0.0f;
        if (lane < values)
#pragma unroll 4
            for (long long slot = first + threadIdx.x / lanes; slot < last; slot += groups)
                sum += slot_sums[slot * values + lane];
        __syncthreads();
        staged[threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.x < values) {
            float total = 0.0f;
            for (int g = 0; g < groups; g++) total += staged[g * lanes + threadIdx.x];
            sums[i][threadIdx.x] = total;
        }
    }
    __syncthreads();
}

// From moments to gradients. A slot's moments are sum e t, sum e dy, sum e t^2, sum e t dy, sum e dy^2 with
// e = dL/dw exp(-q), t = dx + B/A dy.
extern "C" __global__ void reduce_gradients(
    const float* slot_sums,  // [S, 5 + K]
    const long long* slot_starts, long long capacity, const float* conics, int count, int components, int lanes,
    float* mean_gradients,    // [N, 2]
    float* conic_gradients,   // [N, 3]
    float* feature_gradients  // [N, K]
) {
    __shared__ float staged[THREADS], sums[TOGETHER][MOST_VALUES];
    if (slot_starts[count] > capacity) return;
    sum_slots(slot_sums, slot_starts, count, 5 + components, lanes, staged, sums);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const long long n = (long long)blockIdx.x * TOGETHER + warp;
    if (n >= count) return;
    const float* own = sums[warp];
    if (lane < components) feature_gradients[n * components + lane] = own[5 + lane];
    if (lane == 0) {
        const double a = conics[3 * n], b = conics[3 * n + 1], c = conics[3 * n + 2], k = b / a;
        const double t = own[0], y = own[1], tt = own[2], ty = own[3], yy = own[4];
        mean_gradients[2 * n] = (float)(a * t);
        mean_gradients[2 * n + 1] = (float)(b * t + determinant_of(a, b, c) / a * y);
        conic_gradients[3 * n] = (float)(-0.5 * (tt - 2.0 * k * ty + k * k * yy));
        conic_gradients[3 * n + 1] = (float)(-(ty - k * yy));
        conic_gradients[3 * n + 2] = (float)(-0.5 * yy);
    }
}

// The same for slots that hold one extra value and K features; in float64, for the solver.
extern "C" __global__ void reduce_features(
    const float* slot_sums,  // [S, 1 + K]
    const long long* slot_starts, long long capacity, int count, int components, int lanes,
    double* extras,   // [N], or null
    double* features  // [N, K]
) {
    __shared__ float staged[THREADS], sums[TOGETHER][MOST_VALUES];
    if (slot_starts[count] > capacity) return;
    sum_slots(slot_sums, slot_starts, count, 1 + components, lanes, staged, sums);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const long long n = (long long)blockIdx.x * TOGETHER + warp;
    if (n >= count) return;
    if (lane < components) features[n * components + lane] = sums[warp][1 + lane];
    if (lane == 0 && extras) extras[n] = sums[warp][0];
}
