// By how much a tile's squared error grows without one slot: one block per tile, one thread per texel.
// Defined from outside: TILE (16), EPSILON, K (components).

#define THREADS 256
#define WARPS (THREADS / 32)
#define TOGETHER 32  // slots whose errors are added up at once

__device__ __forceinline__ float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

extern "C" __global__ void __launch_bounds__(THREADS) leave_out(
    const float* records, int record_floats, const unsigned* ordered_info,
    const int* ordered_images,  // or null where nothing repeats
    const int* ordered_slots, const long long* tile_starts, long long capacity, float edge, int width, int height, int across,
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

    auto weight_of = [&](long long at, const float* record) {
        float qx = px, qy = py;
        if (ordered_images) {
            qx -= (float)((int)(short)(ordered_images[at] & 0xffff) * width);
            qy -= (float)((ordered_images[at] >> 16) * height);
        }
        const float dy = qy - record[1], t = fmaf(record[6], dy, fmaf(record[2], dy, qx - record[0]));
        return fmaxf(exp2_fast(-fmaf(record[3] * t, t, record[4] * dy * dy)) - edge, 0.0f);
    };

    float total = EPSILON, sums[K] = {}, wanted[K];
    for (int i = 0; i < length; i++) {
        const float* record = records + (long long)(ordered_info[start + i] >> 8) * record_floats;
        const float w = weight_of(start + i, record);
        total += w;
#pragma unroll
        for (int k = 0; k < K; k++) sums[k] = fmaf(w, record[8 + k], sums[k]);
    }
    float counts = 0.0f, before = 0.0f;
    if (x < width && y < height) counts = importance ? importance[(long long)tile * THREADS + tid] : 1.0f;
#pragma unroll
    for (int k = 0; k < K; k++) {
        wanted[k] = counts > 0.0f ? planes[((long long)tile * K + k) * THREADS + tid] : 0.0f;
        const float difference = sums[k] / total - wanted[k];
        before = fmaf(difference, difference, before);
    }
    for (int base = 0; base < length; base += TOGETHER) {
        const int held = min(TOGETHER, length - base);
        for (int i = 0; i < held; i++) {
            const float* record = records + (long long)(ordered_info[start + base + i] >> 8) * record_floats;
            const float w = weight_of(start + base + i, record), inverse = 1.0f / fmaxf(total - w, EPSILON);
            float after = 0.0f;
#pragma unroll
            for (int k = 0; k < K; k++) {
                const float difference = (sums[k] - w * record[8 + k]) * inverse - wanted[k];
                after = fmaf(difference, difference, after);
            }
            float grown = w > 0.0f ? counts * (after - before) : 0.0f;
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
