// Geometry codes on the GPU: trials on patches of the picture; Gaussians whose patches share no texel move at once.
// Nothing is added up by atomics. Not compiled for a number of components: it is once per process.
// Defined from outside: CLAIM (texels per side of the squares by which patches are told apart), THREADS (of
// refine_patches).

#include "gaussian.cuh"
#include "turns.cuh"

// ---- patches ------------------------------------------------------------------------------------------------------
// A patch is the rectangle of texels that a Gaussian's trials can reach: left, top, columns, rows. Where the picture
// repeats it may begin before the picture or end behind it.

__device__ void reach_of(double position, double half, int size, int repeats, int* first, int* count) {
    double low = floor(position - half - 0.5), high = ceil(position + half - 0.5);
    if (!repeats) {
        low = fmax(low, 0.0);
        high = fmin(high, size - 1.0);
    }
    *first = (int)low;
    *count = (int)fmin(fmax(high - low + 1.0, 0.0), 65536.0);
}

extern "C" __global__ void find_patches(
    const double* means,  // [N, 2]
    const int* codes,     // [N, 3]
    int count, double size_step, double form_step, double cutoff, double reach, double margin, int width, int height,
    int repeats_x, int repeats_y, int most_texels,
    int4* patches  // [N] left, top, columns, rows; without texels where the Gaussian is to rest
) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count) return;
    const double h = codes[3 * n + 1] * form_step, b = codes[3 * n + 2] * form_step;
    const Conic s = conic_of(form_of(codes[3 * n] * size_step, h, b), h, b);
    const double determinant = determinant_of(s.a, s.b, s.c);
    int4 patch;
    reach_of(
        means[2 * n], reach * sqrt(2.0 * cutoff * s.c / determinant) + margin, width, repeats_x, &patch.x, &patch.z
    );
    reach_of(
        means[2 * n + 1], reach * sqrt(2.0 * cutoff * s.a / determinant) + margin, height, repeats_y, &patch.y, &patch.w
    );
    // a patch wider than the picture would hold a texel twice
    if (patch.z > width || patch.w > height || (long long)patch.z * patch.w > most_texels) patch.z = patch.w = 0;
    patches[n] = patch;
}

// Call f(number, square) for all squares of a patch, numbered from 0. A square may come twice where a patch that crosses
// a border ends in the square that it begins in.
template <typename F>
__device__ int each_square(int4 patch, int width, int height, F f) {
    const int across = (width + CLAIM - 1) / CLAIM;
    int number = 0;
    if (patch.z == 0) return number;
    for (int half_y = 0; half_y < 2; half_y++) {  // a patch that crosses a border comes in two parts each way
        const int y = patch.y < 0 ? patch.y + height : patch.y;
        const int y0 = half_y ? 0 : y, y1 = half_y ? y + patch.w - height : min(y + patch.w, height);
        for (int half_x = 0; half_x < 2; half_x++) {
            const int x = patch.x < 0 ? patch.x + width : patch.x;
            const int x0 = half_x ? 0 : x, x1 = half_x ? x + patch.z - width : min(x + patch.z, width);
            if (x1 <= x0 || y1 <= y0) continue;
            const int columns = (x1 - 1) / CLAIM - x0 / CLAIM + 1, rows = (y1 - 1) / CLAIM - y0 / CLAIM + 1;
            for (int i = 0; i < columns * rows; i++)
                f(number + i, (y0 / CLAIM + i / columns) * across + x0 / CLAIM + i % columns);
            number += columns * rows;
        }
    }
    return number;
}

extern "C" __global__ void count_squares(
    const int4* patches, int count, int width, int height,
    long long* counts  // [N]
) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n < count) counts[n] = each_square(patches[n], width, height, [](int, int) {});
}

// What to sort by: the squares of each Gaussian, and its place in the order.
extern "C" __global__ void list_squares(
    const int4* patches, int count, int width, int height,
    const long long* starts,  // [N + 1] where the squares of each begin
    const int* places,        // [N]
    long long* keys           // [squares of all]
) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count) return;
    long long* own = keys + starts[n];
    const int place = places[n];
    each_square(patches[n], width, height, [&](int number, int square) {
        own[number] = (long long)square << 32 | place;
    });
}

// ---- geometry -----------------------------------------------------------------------------------------------------
// With S = sum w f, T = EPSILON + sum w and R = S - T * target, changing one Gaussian's weight by d changes a texel's
// squared error from sum R^2 / T^2 to (A + 2 d B + d^2 C) / (T + d)^2, where A = sum R^2, B = sum R (f - target) and
// C = sum (f - target)^2 over the components. So a trial costs the same for any number of components.

#define TOGETHER 8  // components summed at once

// One block per tile, a thread per texel: T and R of the whole picture.
extern "C" __global__ void __launch_bounds__(TILE* TILE) sum_picture(
    const float* records, int record_floats, const unsigned* ordered_info,
    const int* ordered_copies,  // or null where nothing repeats
    const long long* tile_starts, float cutoff_weight, int width, int height, int across,
    const float* target,  // [H, W, K]
    int components,
    float4* texels,    // [H, W] T, and room for A, B, C
    float* remainders  // [H, W, K] R
) {
    const long long start = tile_starts[blockIdx.x] - tile_starts[0],
                    end = tile_starts[blockIdx.x + 1] - tile_starts[0];
    const int x = blockIdx.x % across * TILE + threadIdx.x % TILE, y = blockIdx.x / across * TILE + threadIdx.x / TILE;
    if (x >= width || y >= height) return;
    const long long at = (long long)y * width + x;
    for (int first = 0; first < components; first += TOGETHER) {
        float total = EPSILON, sums[TOGETHER] = {};
        for (long long i = start; i < end; i++) {
            const float* record = records + (long long)(ordered_info[i] >> 8) * record_floats;
            const float w = weight_of_slot(record, ordered_copies, i, x + 0.5f, y + 0.5f, cutoff_weight, width, height);
            total += w;
#pragma unroll
            for (int k = 0; k < TOGETHER; k++)
                if (first + k < components) sums[k] = fmaf(record[RECORD_HEAD + first + k], w, sums[k]);
        }
        texels[at].x = total;
#pragma unroll
        for (int k = 0; k < TOGETHER; k++)
            if (first + k < components) {
                const long long place = at * components + first + k;
                remainders[place] = sums[k] - total * target[place];
            }
    }
}

struct Prices {
    const double* bits;  // [3, length] of each shape code
    int least[3], length;
};

struct Limits {
    double size_step, form_step, log2_ratio, bit_price, least_size, greatest_form;
    int least_exponent, cell_log2, size[2], repeats[2];
};

// A Gaussian as its codes have it, with what trials that go on from it need again.
struct Trial {
    double at[2], rate;       // x, y inside the picture
    double scale, cosh_r, s;  // of its form
    double steps[2];          // of its position
    int codes[3], valid;
    CompletedSquare square;  // of the copy by the patch
};

// A trial with one of x, y, m, h, b moved by a sign; axis 5 moves nothing, and computes all that other trials take over.
// The Gaussian's patch lies by the origin.
__device__ __noinline__ void try_step(
    Trial& to, const Trial& from, const double origin[2], int axis, int sign, const Limits& limits, const Prices& prices
) {
    Trial trial = from;
    to.valid = 0;
    int index[3];
#pragma unroll
    for (int i = 0; i < 3; i++) {  // no index but constants, which keeps it all in registers
        trial.codes[i] += axis == 2 + i ? sign : 0;
        index[i] = trial.codes[i] - prices.least[i];
        if (index[i] < 0 || index[i] >= prices.length) return;
    }
    const double m = trial.codes[0] * limits.size_step;
    const double h = trial.codes[1] * limits.form_step, b = trial.codes[2] * limits.form_step;
    if (axis < 5 && (m < limits.least_size || h * h + b * b > limits.greatest_form * limits.greatest_form)) return;
    if (axis >= 2) {
        if (axis == 2) trial.scale = exp(-m);
        else {
            const Form form = form_of(m, h, b);
            if (axis == 5) trial.scale = form.scale;
            trial.cosh_r = form.cosh_r;
            trial.s = form.s;
        }
        const Conic conic = conic_of({trial.scale, trial.cosh_r, trial.s, 0.0}, h, b);
        const double slant = conic.b / conic.a, half_log2e = 0.5 * LOG2_E;
        double exponents = 0.0;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const double exponent =
                exponent_of(i ? conic.c : conic.a, limits.log2_ratio, limits.least_exponent, limits.cell_log2);
            trial.steps[i] = exp2(exponent);
            exponents += exponent;
        }
        double bits = -exponents;
#pragma unroll
        for (int i = 0; i < 3; i++) bits += prices.bits[i * prices.length + index[i]];
        trial.rate = limits.bit_price * bits;
        trial.square.slant = (float)slant;
        trial.square.slant_rest = (float)(slant - (float)slant);
        trial.square.across = (float)(conic.a * half_log2e);
        trial.square.along = (float)(fmax(conic.c - conic.b * slant, 0.0) * half_log2e);
    }
    double near[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const double size = limits.size[i], step = trial.steps[i];
        if (axis < 5) {  // else as it is held already
            if (axis == i) trial.at[i] += sign * step;
            if (limits.repeats[i]) trial.at[i] -= floor(trial.at[i] / size) * size;
            else if (trial.at[i] < 0.0 || trial.at[i] >= size) return;
            trial.at[i] = nearest_position(trial.at[i], step, size, limits.repeats[i]);
        }
        near[i] = trial.at[i];
        if (limits.repeats[i]) near[i] += rint((origin[i] - near[i]) / size) * size;
    }
    trial.square.x = (float)near[0];
    trial.square.y = (float)near[1];
    trial.valid = 1;
    to = trial;
}

__device__ __forceinline__ float error_of(float4 texel, float change) {
    const float inverse = __fdividef(1.0f, fmaxf(texel.x + change, 0.5f * EPSILON));
    return fmaf(change, fmaf(change, texel.w, 2.0f * texel.z), texel.y) * inverse * inverse;
}

// Sum three values over the first THREADS of the block; every thread of warp 0 has the result.
__device__ void sum_block(double sums[3], double (*staged)[THREADS / 32]) {
    for (int i = 0; i < 3; i++) {
        for (int step = 16; step > 0; step /= 2) sums[i] += __shfl_xor_sync(0xffffffffu, sums[i], step);
        if (threadIdx.x % 32 == 0 && threadIdx.x < THREADS) staged[i][threadIdx.x / 32] = sums[i];
    }
    __syncthreads();
    if (threadIdx.x < 32)
        for (int i = 0; i < 3; i++) {
            sums[i] = staged[i][threadIdx.x % (THREADS / 32)];
            for (int step = THREADS / 64; step > 0; step /= 2) sums[i] += __shfl_xor_sync(0xffffffffu, sums[i], step);
        }
}

// Place of a patch's texel in the picture.
__device__ __forceinline__ long long place_of(int x, int y, int width, int height) {
    x += x < 0 ? width : x >= width ? -width : 0;
    y += y < 0 ? height : y >= height ? -height : 0;
    return (long long)y * width + x;
}

// One block per Gaussian: try x, y, m, h and b one step up and down in turn, keep what is cheapest. While THREADS of it
// sum errors, a warp more works out the trials that follow, for each of what may win: nothing, up, down.
extern "C" __global__ void __launch_bounds__(THREADS + 32, 2) refine_patches(
    const int* order,         // [N]
    const long long* starts,  // [N + 1] where the squares of each begin
    const int* earlier,       // [squares of all] place in the order of who moves before in that square; -1: nobody
    int* turn, int* done,     // [1], [N] by place
    const int4* patches,
    const float* features,  // [N, K]
    const float* target,    // [H, W, K]
    int components,
    const float* importance,  // [H, W], or null for 1
    float cutoff_weight, int width, int height, double size_step, double form_step, double log2_ratio, double bit_price,
    double least_size, double greatest_form, int least_exponent, int cell_log2, int repeats_x, int repeats_y,
    const double* code_bits, int least_m, int least_h, int least_b, int code_bits_length, double* means, int* codes,
    float4* texels, float* remainders
) {
    __shared__ Trial kept, plans[2][3][2];
    __shared__ double staged[3][THREADS / 32];
    __shared__ float f[MAX_COMPONENTS];
    __shared__ int moved, winner;
    const int tid = threadIdx.x, place = take_turn(turn), n = order[place];
    const int4 patch = patches[n];
    if (patch.z == 0) return;  // it rests
    const Limits limits = {size_step,     form_step,      log2_ratio, bit_price,       least_size,
                           greatest_form, least_exponent, cell_log2,  {width, height}, {repeats_x, repeats_y}};
    const Prices prices = {code_bits, {least_m, least_h, least_b}, code_bits_length};
    const bool sums_errors = tid < THREADS;
    if (!sums_errors && tid - THREADS < 3) {  // each of the three in a thread of its own
        const int own = tid - THREADS;
        Trial &held = plans[1][own][0], &codes_alone = plans[1][own][1];  // both free until the first plans
        codes_alone = {};
        for (int i = 0; i < 2; i++) codes_alone.at[i] = means[2 * n + i];
        for (int i = 0; i < 3; i++) codes_alone.codes[i] = codes[3 * n + i];
        held = codes_alone;
        try_step(held, codes_alone, means + 2 * n, 5, 0, limits, prices);
        if (own < 2) try_step(plans[0][0][own], held, means + 2 * n, 0, own ? -1 : 1, limits, prices);
        else kept = held;
    }
    if (tid == 0) moved = winner = 0;
    if (tid >= 32 && tid - 32 < components) f[tid - 32] = features[(long long)n * components + tid - 32];
    if (sums_errors)
        for (long long i = starts[n] + tid; i < starts[n + 1]; i += THREADS)
            if (earlier[i] >= 0) wait_for(done, earlier[i], 1);
    __threadfence();
    __syncthreads();
    const CompletedSquare before = kept.square;
    const int count = sums_errors ? patch.z * patch.w : 0;
    const float per_column = 1.0f / patch.z;
    float error = 0.0f;
    for (int i = tid; i < count; i += THREADS) {
        const int row = (int)((i + 0.5f) * per_column), column = i - row * patch.z;  // exact for so few texels
        const long long at = place_of(patch.x + column, patch.y + row, width, height);
        float4 texel = texels[at];
        float a = 0.0f, b = 0.0f, c = 0.0f;
#pragma unroll 4
        for (int k = 0; k < components; k++) {
            const float r = remainders[at * components + k], g = f[k] - target[at * components + k];
            a = fmaf(r, r, a);
            b = fmaf(r, g, b);
            c = fmaf(g, g, c);
        }
        const float texel_weight = importance ? importance[at] : 1.0f;
        texel.y = a * texel_weight;
        texel.z = b * texel_weight;
        texel.w = c * texel_weight;
        texels[at] = texel;
        error += error_of(texel, 0.0f);
    }
    double lowest = 0.0;
    for (int axis = 0; axis < 5; axis++) {
        const Trial* tried = plans[axis % 2][winner];
        float above = 0.0f, below = 0.0f;
        if (sums_errors) {
            const CompletedSquare up = tried[0].square, down = tried[1].square;
#pragma unroll 4
            for (int i = tid; i < count; i += THREADS) {  // each thread reads what it has written
                const int row = (int)((i + 0.5f) * per_column), column = i - row * patch.z;
                const int x = patch.x + column, y = patch.y + row;
                const float4 texel = texels[place_of(x, y, width, height)];
                const float px = x + 0.5f, py = y + 0.5f, old = weight_of(before, px, py, cutoff_weight);
                above += error_of(texel, weight_of(up, px, py, cutoff_weight) - old);
                below += error_of(texel, weight_of(down, px, py, cutoff_weight) - old);
            }
        } else if (axis < 4 && tid - THREADS < 6) {
            const int wins = (tid - THREADS) / 2, down = tid % 2;
            const Trial& from = wins ? tried[wins - 1] : kept;
            if (from.valid || !wins)
                try_step(
                    plans[(axis + 1) % 2][wins][down], from, means + 2 * n, axis + 1, down ? -1 : 1, limits, prices
                );
        }
        double sums[3] = {error, above, below};
        sum_block(sums, staged);
        if (tid < 32) {  // all of them come to the same
            if (axis == 0) lowest = kept.rate + sums[0];
            int wins = 0;
            for (int i = 0; i < 2; i++) {
                const double cost = tried[i].rate + sums[1 + i];
                if (tried[i].valid && cost < lowest) {
                    lowest = cost;
                    wins = i + 1;
                }
            }
            __syncwarp();
            if (wins)
                for (int i = tid; i < sizeof(Trial) / 4; i += 32) ((int*)&kept)[i] = ((const int*)&tried[wins - 1])[i];
            if (tid == 0) {
                winner = wins;
                moved |= wins;
            }
        }
        __syncthreads();
    }
    if (moved) {
        const CompletedSquare after = kept.square;
        for (int i = tid; i < count; i += THREADS) {
            const int row = (int)((i + 0.5f) * per_column), column = i - row * patch.z;
            const int x = patch.x + column, y = patch.y + row;
            const float change = weight_of(after, x + 0.5f, y + 0.5f, cutoff_weight) -
                weight_of(before, x + 0.5f, y + 0.5f, cutoff_weight);
            const long long at = place_of(x, y, width, height);
            texels[at].x += change;
#pragma unroll 4
            for (int k = 0; k < components; k++)
                remainders[at * components + k] += change * (f[k] - target[at * components + k]);
        }
        if (tid < 2) means[2 * n + tid] = kept.at[tid];
        if (tid < 3) codes[3 * n + tid] = kept.codes[tid];
    }
    say_done(done, place, 1);
}
