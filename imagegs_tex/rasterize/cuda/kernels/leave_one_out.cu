// By how much a tile's squared error grows without one slot: one block per tile, one thread per texel.
// Defined from outside: THREADS (TILE * TILE), K (components).

#include "gaussian.cuh"

#define WARPS (THREADS / 32)
#define TOGETHER 32  // slots whose errors are added up at once

extern "C" __global__ void __launch_bounds__(THREADS) leave_out(
    const float* records, int record_floats, const unsigned* ordered_info,
    const int* ordered_copies,  // or null where nothing repeats
    const int* ordered_slots, const long long* tile_starts, long long capacity, float cutoff_weight, int width,
    int height, int across,
    const float* planes,      // [T, K, TILE * TILE] the target
    const float* importance,  // [T, TILE * TILE], or null for 1
    float* slot_errors        // [S]
) {
    __shared__ float partial[TOGETHER][WARPS];
    if (tile_starts[0] > capacity) return;
    const int tile = blockIdx.x, tid = threadIdx.x;
    const long long start = tile_starts[tile] - tile_starts[0];
    const int length = (int)(tile_starts[tile + 1] - tile_starts[tile]);
    const int x = tile % across * TILE + tid % TILE, y = tile / across * TILE + tid / TILE;
    const float px = x + 0.5f, py = y + 0.5f;

    float total = EPSILON, sums[K] = {}, target[K];
    for (int i = 0; i < length; i++) {
        const float* record = records + (long long)(ordered_info[start + i] >> 8) * record_floats;
        const float w = weight_of_slot(record, ordered_copies, start + i, px, py, cutoff_weight, width, height);
        total += w;
#pragma unroll
        for (int k = 0; k < K; k++) sums[k] = fmaf(w, record[RECORD_HEAD + k], sums[k]);
    }
    float texel_weight = 0.0f, before = 0.0f;
    if (x < width && y < height) texel_weight = importance ? importance[(long long)tile * THREADS + tid] : 1.0f;
#pragma unroll
    for (int k = 0; k < K; k++) {
        target[k] = texel_weight > 0.0f ? planes[((long long)tile * K + k) * THREADS + tid] : 0.0f;
        const float difference = sums[k] / total - target[k];
        before = fmaf(difference, difference, before);
    }
    for (int base = 0; base < length; base += TOGETHER) {
        const int held = min(TOGETHER, length - base);
        for (int i = 0; i < held; i++) {
            const float* record = records + (long long)(ordered_info[start + base + i] >> 8) * record_floats;
            const float w =
                weight_of_slot(record, ordered_copies, start + base + i, px, py, cutoff_weight, width, height);
            const float inverse = 1.0f / fmaxf(total - w, EPSILON);
            float after = 0.0f;
#pragma unroll
            for (int k = 0; k < K; k++) {
                const float difference = (sums[k] - w * record[RECORD_HEAD + k]) * inverse - target[k];
                after = fmaf(difference, difference, after);
            }
            float grown = w > 0.0f ? texel_weight * (after - before) : 0.0f;
            for (int step = 16; step > 0; step /= 2) grown += __shfl_xor_sync(0xffffffffu, grown, step);
            if (tid % 32 == 0) partial[i][tid / 32] = grown;
        }
        __syncthreads();
        if (tid < held) {
            float grown = 0.0f;
            for (int warp = 0; warp < WARPS; warp++) grown += partial[tid][warp];
            slot_errors[ordered_slots[start + base + tid]] = grown;
        }
        __syncthreads();
    }
}
