// The picture and its gradients, one block of 128 threads per tile of 16 x 16 texels, everything in one pass.
//
// Forward: a thread owns two texels of a row; Gaussians are staged in shared memory. Then the loss's gradient of
// every texel, over the sum of weights, goes to shared memory once. Backward: roles are transposed. A thread owns
// one Gaussian and some of the tile's rows and keeps that Gaussian's gradients in registers; the texels' values are
// broadcast from shared memory, so nothing is reduced across lanes until the rows are added up, once per Gaussian
// and tile. Weights are computed twice rather than kept: five multiply-adds and an exp2 are cheaper than the
// traffic.
//
// Defined from outside: THREADS, STAGED (Gaussians in shared memory at once), K (components), WRAP (whether the picture
// repeats), and MODE:
//   0 render            image = y
//   1 squared error     gradients of sum (y - target)^2, and that sum
//   2 given gradient    gradients of sum y * source
//   3 multiply          sum over texels of v_i y, v the normalised weights: the normal equations' matrix times features
//   4 right-hand side   sum v_i target and sum v_i^2
// In modes 1, 3 and 4 each texel's terms count by its importance.

#include "gaussian.cuh"

#define PADDED ((K + 3) / 4 * 4)
#define RECORD (RECORD_HEAD + PADDED)
#define TEXEL ((K + 4) / 4 * 4)  // K gradients and one more value, in whole float4
#define ROW (TILE * TEXEL + 4)   // four more, so that two rows lie in different banks
#define MOMENTS (MODE <= 2 ? 5 : 1)
#define VALUES (MOMENTS + K)
#define STRIDE (THREADS + 1)
#define SCRATCH (STAGED * RECORD > VALUES * STRIDE ? STAGED * RECORD : VALUES * STRIDE)

extern "C" __global__ void __launch_bounds__(THREADS) rasterize(
    const float* __restrict__ records,          // [N, RECORD]
    const unsigned* __restrict__ ordered_info,  // [S]
    const int* __restrict__ ordered_copies,     // [S], read if WRAP
    const int* __restrict__ ordered_slots,      // [S]
    const long long* __restrict__ tile_starts,  // [T + 1], counted from the first, which is the number of slots
    long long capacity, float cutoff_weight, int width, int height, int across,
    const float* __restrict__ source,      // planes [T, K, TILE * TILE] (modes 1 and 4) or a picture [H, W, K] (mode 2)
    const float* __restrict__ importance,  // [T, TILE * TILE], or null for 1
    float* __restrict__ slot_sums,         // [S, VALUES]
    double* __restrict__ tile_errors,      // [T]
    float* __restrict__ image              // [H, W, K]
) {
    extern __shared__ float4 shared4[];
#if WRAP
    __shared__ float2 offsets[STAGED];
#endif
    float* texels = reinterpret_cast<float*>(shared4);  // TILE * ROW
    float* scratch = texels + TILE * ROW;               // SCRATCH
    const long long slot_total = tile_starts[0];
    if (slot_total > capacity) return;
    const int tile = blockIdx.x, tid = threadIdx.x;
    const long long start = tile_starts[tile] - slot_total, end = tile_starts[tile + 1] - slot_total;
    const int x0 = tile % across * TILE, y0 = tile / across * TILE;
    const int row = tid / 8, column = tid % 8;  // and column + 8
    const int strip = tid / 32 * 4;             // a warp's first row

    float acc[2][K], sum[2] = {EPSILON, EPSILON};
#pragma unroll
    for (int k = 0; k < K; k++) acc[0][k] = acc[1][k] = 0.0f;
    {
        const float px = x0 + column + 0.5f, py = y0 + row + 0.5f;
        for (long long base = start; base < end; base += STAGED) {
            const int held = (int)min((long long)STAGED, end - base);
            __syncthreads();
            for (int i = tid; i < held * (RECORD / 4); i += THREADS) {
                const int e = i / (RECORD / 4), part = i % (RECORD / 4);
                const unsigned info = ordered_info[base + e];
                float4 v = reinterpret_cast<const float4*>(records)[(long long)(info >> 8) * (RECORD / 4) + part];
                if (part == 1) v.y = __uint_as_float(info);
                reinterpret_cast<float4*>(scratch)[i] = v;
#if WRAP
                if (part == 0) offsets[e] = copy_offset(ordered_copies[base + e], width, height);
#endif
            }
            __syncthreads();
            for (int e = 0; e < held; e++) {
                const float4* record = reinterpret_cast<const float4*>(scratch) + e * (RECORD / 4);
                const float4 rest_of_head = record[1];
                const unsigned info = __float_as_uint(rest_of_head.y);
                if ((int)(info & 15) < strip || (int)(info >> 4 & 15) > strip + 3) continue;  // the same for the warp
                const CompletedSquare g = square_of(record[0], rest_of_head);
#if WRAP
                const float qx = px - offsets[e].x, qy = py - offsets[e].y;
#else
                const float qx = px, qy = py;
#endif
                const float dy = qy - g.y, rest = g.along * dy * dy, t = sheared(g, qx - g.x, dy);
                const float w0 = weight_at(t, g.across, rest, cutoff_weight),
                            w1 = weight_at(t + 8.0f, g.across, rest, cutoff_weight);
                sum[0] += w0;
                sum[1] += w1;
                if (MODE != 4) {
#pragma unroll
                    for (int k = 0; k < K; k += 4) {
                        const float4 f = record[RECORD_HEAD / 4 + k / 4];
                        const float lanes[4] = {f.x, f.y, f.z, f.w};
#pragma unroll
                        for (int j = 0; j < 4; j++)
                            if (k + j < K) {
                                acc[0][k + j] = fmaf(lanes[j], w0, acc[0][k + j]);
                                acc[1][k + j] = fmaf(lanes[j], w1, acc[1][k + j]);
                            }
                    }
                }
            }
        }
    }

    float error = 0.0f;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int c = column + 8 * half, x = x0 + c, y = y0 + row;
        const bool inside = x < width && y < height;
        const float inverse = inside ? 1.0f / sum[half] : 0.0f;
        const float* planes = source + (long long)tile * K * (TILE * TILE) + row * TILE + c;
        const float* picture = source + ((long long)y * width + x) * K;
        const float texel_weight = importance && inside ? importance[(long long)tile * (TILE * TILE) + row * TILE + c]
                                                        : 1.0f;
        float values[TEXEL] = {};
        float dot = 0.0f;
#pragma unroll
        for (int k = 0; k < K; k++) {
            const float out = acc[half][k] * inverse;
            float g = out;
            if (MODE == 1) {
                const float d = inside ? out - planes[k * (TILE * TILE)] : 0.0f;
                error = fmaf(d * texel_weight, d, error);
                g = 2.0f * d * texel_weight * inverse;
            }
            if (MODE == 2) g = inside ? picture[k] * inverse : 0.0f;
            if (MODE == 3) g = out * texel_weight * inverse;
            if (MODE == 4) g = inside ? planes[k * (TILE * TILE)] * texel_weight * inverse : 0.0f;
            dot = fmaf(g, out, dot);
            values[k] = g;
        }
        values[K] = MODE == 4 ? sqrtf(texel_weight) * inverse : dot;
        float4* texel = reinterpret_cast<float4*>(texels + row * ROW + c * TEXEL);
#pragma unroll
        for (int k = 0; k < TEXEL; k += 4)
            texel[k / 4] = make_float4(values[k], values[k + 1], values[k + 2], values[k + 3]);
    }

    if (MODE == 0) {  // through shared memory: straight from registers, each store would touch a sector per lane
        __syncthreads();
        const int columns = min(TILE, width - x0), rows = min(TILE, height - y0);
        for (int i = tid; i < rows * columns * K; i += THREADS) {
            const int r = i / (columns * K), rest = i % (columns * K);
            image[((long long)(y0 + r) * width + x0) * K + rest] = texels[r * ROW + rest / K * TEXEL + rest % K];
        }
        return;
    }
    if (MODE == 1) {
        for (int step = 16; step > 0; step /= 2) error += __shfl_xor_sync(0xffffffffu, error, step);
        __syncthreads();
        if (tid % 32 == 0) scratch[tid / 32] = error;
        __syncthreads();
        if (tid == 0) tile_errors[tile] = ((double)scratch[0] + scratch[1]) + ((double)scratch[2] + scratch[3]);
    }
    __syncthreads();

    for (long long base = start; base < end;) {
        // so many Gaussians side by side that few threads idle: 128 threads are (Gaussians) x (groups of rows)
        const long long left = end - base;
        const int side = left >= 128 ? 128 : left >= 64 ? 64 : left > 16 ? 32 : left > 8 ? 16 : 8;
        const int lane = tid & (side - 1), group = tid / side, rows = side / 8;
        const bool active = lane < left;
        float moments[MOMENTS] = {}, gradients[K] = {};
        if (active) {
            const unsigned info = ordered_info[base + lane];
            const float4* record = reinterpret_cast<const float4*>(records) + (long long)(info >> 8) * (RECORD / 4);
            const CompletedSquare g = square_of(record[0], record[1]);
#if WRAP
            const float2 offset = copy_offset(ordered_copies[base + lane], width, height);
            // the other copies of this Gaussian in this tile stand beside it in the list
            long long run_start = base + lane, run_end = base + lane + 1;
            if (MODE == 4) {
                while (run_start > start && ordered_info[run_start - 1] >> 8 == info >> 8) run_start--;
                while (run_end < end && ordered_info[run_end] >> 8 == info >> 8) run_end++;
            }
#else
            const float2 offset = make_float2(0.0f, 0.0f);
#endif
            float f[PADDED] = {};
            if (MODE <= 2) {
#pragma unroll
                for (int k = 0; k < PADDED; k += 4) {
                    const float4 v = record[RECORD_HEAD / 4 + k / 4];
                    f[k] = v.x, f[k + 1] = v.y, f[k + 2] = v.z, f[k + 3] = v.w;
                }
            }
            const int first = max(group * rows, (int)(info >> 4 & 15)),
                      last = min(group * rows + rows - 1, (int)(info & 15));
            for (int r = first; r <= last; r++) {
                const float dy = y0 + r + 0.5f - offset.y - g.y, rest = g.along * dy * dy;
                const float left_t = sheared(g, x0 + 0.5f - offset.x - g.x, dy);
                const float4* texel = reinterpret_cast<const float4*>(texels + r * ROW);
                float m0 = 0.0f, m1 = 0.0f, m2 = 0.0f;
#pragma unroll 2
                for (int c = 0; c < TILE; c++, texel += TEXEL / 4) {
                    const float t = left_t + c, w = weight_at(t, g.across, rest, cutoff_weight);
                    float values[TEXEL];
#pragma unroll
                    for (int k = 0; k < TEXEL; k += 4) {
                        const float4 v = texel[k / 4];
                        values[k] = v.x, values[k + 1] = v.y, values[k + 2] = v.z, values[k + 3] = v.w;
                    }
                    float slope = -values[K];
#pragma unroll
                    for (int k = 0; k < K; k++) {
                        if (MODE <= 2) slope = fmaf(f[k], values[k], slope);
                        gradients[k] = fmaf(w, values[k], gradients[k]);
                    }
                    if (MODE <= 2) {
                        float e = w > 0.0f ? (w + cutoff_weight) * slope : 0.0f;
                        m0 += e;
                        e *= t;
                        m1 += e;
                        m2 = fmaf(e, t, m2);
                    }
                    float together = w;
#if WRAP
                    if (MODE == 4)
                        for (long long i = run_start; i < run_end; i++) {
                            const float2 other = copy_offset(ordered_copies[i], width, height);
                            const float down = y0 + r + 0.5f - other.y - g.y;
                            const float over = sheared(g, x0 + c + 0.5f - other.x - g.x, down);
                            if (i != base + lane)
                                together += weight_at(over, g.across, g.along * down * down, cutoff_weight);
                        }
#endif
                    if (MODE == 4) m0 = fmaf(w * values[K], together * values[K], m0);
                }
                if (MODE <= 2) {
                    moments[0] += m1;
                    moments[1 % MOMENTS] = fmaf(m0, dy, moments[1 % MOMENTS]);
                    moments[2 % MOMENTS] += m2;
                    moments[3 % MOMENTS] = fmaf(m1, dy, moments[3 % MOMENTS]);
                    moments[4 % MOMENTS] = fmaf(m0 * dy, dy, moments[4 % MOMENTS]);
                } else {
                    moments[0] += m0;
                }
            }
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < MOMENTS; i++) scratch[i * STRIDE + tid] = moments[i];
#pragma unroll
        for (int k = 0; k < K; k++) scratch[(MOMENTS + k) * STRIDE + tid] = gradients[k];
        __syncthreads();
        const int held = (int)min(left, (long long)side);
        for (int i = tid; i < held * VALUES; i += THREADS) {
            const int e = i / VALUES, value = i % VALUES;
            float total = 0.0f;
            for (int g = 0; g < THREADS; g += side) total += scratch[value * STRIDE + g + e];
            slot_sums[(long long)ordered_slots[base + e] * VALUES + value] = total;
        }
        base += side;
    }
}
