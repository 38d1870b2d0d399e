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

// What trials can reach in each row of a patch: the first column, counted from the patch's, and how many texels there
// are in the rows before. One more says how many there are in all.
struct Span {
    int first, start;
};

// A warp per Gaussian. Most texels of a rectangle around a slanted line lie in no trial's support: a row's span is that
// of its supports as it is and with one shape code moved, each larger by reach; in groups of eight, as on the CPU.
extern "C" __global__ void find_spans(
    const double* means, const int* codes, int count, double size_step, double form_step, double cutoff, double reach,
    const int4* patches,
    const long long* row_starts,  // [N + 1] where the spans of each begin
    Span* spans                   // [rows of all, and one for each Gaussian]
) {
    const int n = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (n >= count) return;
    const int4 patch = patches[n];
    const double x = means[2 * n] - patch.x - 0.5, y = means[2 * n + 1] - patch.y - 0.5;
    const double limit = 2.0 * cutoff * reach * reach;
    int code[3];
#pragma unroll
    for (int i = 0; i < 3; i++) code[i] = codes[3 * n + i] + (lane == 2 * i + 1) - (lane == 2 * i + 2);
    const double h = code[1] * form_step, b = code[2] * form_step;
    const Conic conic = conic_of(form_of(code[0] * size_step, h, b), h, b);  // of lanes 0 to 6
    const double slant = conic.b / conic.a, along = fmax(conic.c - conic.b * slant, 0.0);
    Span* own = spans + row_starts[n];
    int texels = 0;
    for (int top = 0; top < patch.w; top += 32) {
        const double dy = top + lane - y;
        int first = patch.z, last = -1;
        for (int trial = 0; trial < 7; trial++) {
            const double a = __shfl_sync(0xffffffffu, conic.a, trial);
            const double inside = limit - __shfl_sync(0xffffffffu, along, trial) * dy * dy;
            const double middle = x - __shfl_sync(0xffffffffu, slant, trial) * dy;
            if (inside < 0.0) continue;
            const double half = sqrt(inside / a) + 0.5;
            first = min(first, (int)fmax(floor(middle - half), 0.0));
            last = max(last, (int)fmin(ceil(middle + half), patch.z - 1.0));
        }
        const int length = top + lane < patch.w ? min(patch.z, (max(0, last - first + 1) + 7) / 8 * 8) : 0;
        int up_to = length;
        for (int step = 1; step < 32; step *= 2) {
            const int other = __shfl_up_sync(0xffffffffu, up_to, step);
            if (lane >= step) up_to += other;
        }
        if (top + lane < patch.w) own[top + lane] = {min(first, patch.z - length), texels + up_to - length};
        texels += __shfl_sync(0xffffffffu, up_to, 31);
    }
    if (lane == 0) own[patch.w] = {0, texels};
}

// Call f(number, square) for all squares of columns first to last of a row of squares, numbered on.
template <typename F>
__device__ int squares_of_columns(int first, int last, int square_row, int across, int number, F f) {
    if (last < first) return number;
    for (int square = first / CLAIM; square <= last / CLAIM; square++) f(number++, square_row * across + square);
    return number;
}

// Call f(number, square) for all squares that a patch's spans meet, numbered from 0. A square may come twice where a
// patch that crosses a border ends in the square that it begins in.
template <typename F>
__device__ int each_square(int4 patch, const Span* spans, int width, int height, F f) {
    const int across = (width + CLAIM - 1) / CLAIM;
    int number = 0;
    for (int row = 0; row < patch.w;) {
        int y = patch.y + row, left = patch.z, right = -1;
        y += y < 0 ? height : y >= height ? -height : 0;
        const int square_row = y / CLAIM;
        for (; row < patch.w && y < height && y / CLAIM == square_row; row++, y++) {
            const int length = spans[row + 1].start - spans[row].start;
            if (length == 0) continue;
            left = min(left, spans[row].first);
            right = max(right, spans[row].first + length - 1);
        }
        if (right < left) continue;
        const int x0 = patch.x + left, x1 = patch.x + right;  // may be beyond the picture, where it repeats
        if (x0 < 0) number = squares_of_columns(x0 + width, min(x1, -1) + width, square_row, across, number, f);
        number = squares_of_columns(max(x0, 0), min(x1, width - 1), square_row, across, number, f);
        if (x1 >= width) number = squares_of_columns(max(x0, width) - width, x1 - width, square_row, across, number, f);
    }
    return number;
}

extern "C" __global__ void count_squares(
    const int4* patches, const long long* row_starts, const Span* spans, int count, int width, int height,
    long long* counts  // [N]
) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n < count) counts[n] = each_square(patches[n], spans + row_starts[n], width, height, [](int, int) {});
}

// What to sort by: the squares of each Gaussian, and its place in the order.
extern "C" __global__ void list_squares(
    const int4* patches, const long long* row_starts, const Span* spans, int count, int width, int height,
    const long long* starts,  // [N + 1] where the squares of each begin
    const int* places,        // [N]
    long long* keys           // [squares of all]
) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count) return;
    long long* own = keys + starts[n];
    const int place = places[n];
    each_square(patches[n], spans + row_starts[n], width, height, [&](int number, int square) {
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

// Try x, y, m, h and b of each Gaussian one step up and down in turn, keep what is cheapest. A block works on one after
// the other. While THREADS of it sum errors, a warp more works out the trials that follow, for each of what may win:
// nothing, up, down.
extern "C" __global__ void __launch_bounds__(THREADS + 32, 2) refine_patches(
    const int* order,         // [N]
    const long long* starts,  // [N + 1] where the squares of each begin
    const int* earlier,       // [squares of all] place in the order of who moves before in that square; -1: nobody
    int* turn, int* done,     // [1], [N] by place
    int gaussians, const int4* patches, const long long* row_starts, const Span* spans,
    unsigned* rooms,  // [blocks, room] for the texels of a patch: row << 16 | column of each
    int room,
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
    const int tid = threadIdx.x;
    const bool sums_errors = tid < THREADS;
    unsigned* within = rooms + (long long)blockIdx.x * room;
    const Limits limits = {size_step,     form_step,      log2_ratio, bit_price,       least_size,
                           greatest_form, least_exponent, cell_log2,  {width, height}, {repeats_x, repeats_y}};
    const Prices prices = {code_bits, {least_m, least_h, least_b}, code_bits_length};
    for (int place = take_turn(turn); place < gaussians; place = take_turn(turn)) {
        const int n = order[place];
        const int4 patch = patches[n];
        const Span* own = spans + row_starts[n];
        if (patch.z == 0) continue;               // it rests
        if (!sums_errors && tid - THREADS < 3) {  // each of the three in a thread of its own
            const int which = tid - THREADS;
            Trial &held = plans[1][which][0], &codes_alone = plans[1][which][1];  // both free until the first plans
            codes_alone = {};
            for (int i = 0; i < 2; i++) codes_alone.at[i] = means[2 * n + i];
            for (int i = 0; i < 3; i++) codes_alone.codes[i] = codes[3 * n + i];
            held = codes_alone;
            try_step(held, codes_alone, means + 2 * n, 5, 0, limits, prices);
            if (which < 2) try_step(plans[0][0][which], held, means + 2 * n, 0, which ? -1 : 1, limits, prices);
            else kept = held;
        }
        if (tid == 0) moved = winner = 0;
        if (tid >= 32 && tid - 32 < components) f[tid - 32] = features[(long long)n * components + tid - 32];
        if (sums_errors) {
            for (int row = tid / 32; row < patch.w; row += THREADS / 32)
                for (int i = own[row].start + tid % 32; i < own[row + 1].start; i += 32)
                    within[i] = (unsigned)row << 16 | (own[row].first + i - own[row].start);
            for (long long i = starts[n] + tid; i < starts[n + 1]; i += THREADS)
                if (earlier[i] >= 0) wait_for(done, earlier[i], 1);
        }
        __threadfence();
        __syncthreads();
        const CompletedSquare before = kept.square;
        const int count = sums_errors ? own[patch.w].start : 0;
        float error = 0.0f;
        for (int i = tid; i < count; i += THREADS) {
            const int x = patch.x + (int)(within[i] & 0xffff), y = patch.y + (int)(within[i] >> 16);
            const long long at = place_of(x, y, width, height);
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
                    const int x = patch.x + (int)(within[i] & 0xffff), y = patch.y + (int)(within[i] >> 16);
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
                    for (int i = tid; i < sizeof(Trial) / 4; i += 32)
                        ((int*)&kept)[i] = ((const int*)&tried[wins - 1])[i];
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
                const int x = patch.x + (int)(within[i] & 0xffff), y = patch.y + (int)(within[i] >> 16);
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
}
