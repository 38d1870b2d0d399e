// Tile lists on the GPU: which Gaussians reach which tile, exactly from the ellipses.
//
// A slot is one image of a Gaussian in one tile. Where the picture repeats, a Gaussian has an image a whole number of
// pictures away wherever one reaches in; otherwise it is its only image. Slots are numbered Gaussian by Gaussian, so that sums over a Gaussian's slots have
// a fixed order. Integer atomics only count and hand out places; order_tiles then sorts each tile's slots, so nothing
// depends on the order in which the atomics ran. Defined from outside: TILE, SIDE (threads per Gaussian).
//
// A record is what the rasterizer reads of a Gaussian: x, y, B/A, A/2 log2(e), (C - B^2/A)/2 log2(e), one unused,
// what B/A lost when it was rounded, one unused, then the features padded with zeros to a multiple of four. In this form exp2(-(A' t^2 + D' dy^2)) with
// t = dx + B/A dy has no cancellation, however thin and oblique the Gaussian is. (The rest of B/A is one multiply-add;
// without it the values of Gaussians 50 times as long as wide were off by 1e-4.)


struct Ellipse {
    double x, y, b, c, limit, determinant, lowest_x;
    int first, last;  // columns of texel centres inside
    double half_width;
    int images[4];  // first and last image in x, first and last in y
};

__device__ int first_centre(double edge, int size) { return (int)fmin(fmax(ceil(edge - 0.5), 0.0), (double)size); }

__device__ int last_centre(double edge, int size) { return (int)fmax(fmin(floor(edge - 0.5), (double)(size - 1)), -1.0); }

__device__ Ellipse ellipse_of(
    const float* means, const float* conics, long long n, double limit, int width, int height, int repeats_x, int repeats_y
) {
    Ellipse e;
    const double a = conics[3 * n];
    e.b = conics[3 * n + 1];
    e.c = conics[3 * n + 2];
    e.x = means[2 * n];
    e.y = means[2 * n + 1];
    e.limit = limit;
    e.determinant = fmax(a * e.c - e.b * e.b, 1e-9 * a * e.c);  // rounding must not make a thin ellipse unbounded
    e.half_width = sqrt(limit * e.c / e.determinant);
    const double half_height = sqrt(limit * a / e.determinant);
    e.lowest_x = -e.b / a * half_height;
    for (int i = 0; i < 4; i++) e.images[i] = 0;
    if (repeats_x) {
        e.images[0] = (int)ceil((0.5 - e.x - e.half_width) / width);
        e.images[1] = (int)floor((width - 0.5 - e.x + e.half_width) / width);
    }
    if (repeats_y) {
        e.images[2] = (int)ceil((0.5 - e.y - half_height) / height);
        e.images[3] = (int)floor((height - 0.5 - e.y + half_height) / height);
    }
    return e;
}

// Move an ellipse to one of its images; false if that holds no column of texel centres.
__device__ bool move_to(Ellipse& e, const float* means, long long n, int image_x, int image_y, int width, int height) {
    e.x = means[2 * n] + (double)image_x * width;
    e.y = means[2 * n + 1] + (double)image_y * height;
    e.first = first_centre(e.x - e.half_width, width);
    e.last = last_centre(e.x + e.half_width, width);
    return e.first <= e.last;
}

// First and last row of texel centres inside the ellipse within one column of tiles; empty when last < first.
__device__ int2 rows_in_column(const Ellipse& e, int column, int height) {
    const double x0 = max(column * TILE, e.first) + 0.5 - e.x;
    const double x1 = min(column * TILE + TILE - 1, e.last) + 0.5 - e.x;
    const double x_low = fmin(fmax(e.lowest_x, x0), x1);
    const double x_high = fmin(fmax(-e.lowest_x, x0), x1);
    const double y_low = (-e.b * x_low + sqrt(fmax(e.limit * e.c - e.determinant * x_low * x_low, 0.0))) / e.c;
    const double y_high = (-e.b * x_high - sqrt(fmax(e.limit * e.c - e.determinant * x_high * x_high, 0.0))) / e.c;
    return make_int2(first_centre(e.y + y_high, height), last_centre(e.y + y_low, height));
}

// Eight threads per Gaussian: its record, its number of slots, and one more for every tile that it reaches.
extern "C" __global__ void count_slots(
    const float* means,     // [N, 2]
    const float* conics,    // [N, 3]
    const float* features,  // [N, K], or null for zeros
    int count, int components, int record_floats, double limit, int width, int height, int repeats_x, int repeats_y,
    float* records,                  // [N, record_floats]
    long long* slot_counts,          // [N]
    unsigned long long* tile_counts  // [T], zero on entry
) {
    const long long n = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / SIDE;
    const int lane = threadIdx.x % SIDE;
    const unsigned others = 0xffu << (threadIdx.x % 32 / SIDE * SIDE);
    if (n >= count) return;
    Ellipse e = ellipse_of(means, conics, n, limit, width, height, repeats_x, repeats_y);
    const int across = (width + TILE - 1) / TILE;
    int slots = 0;
    for (int image_x = e.images[0]; image_x <= e.images[1]; image_x++)
        for (int image_y = e.images[2]; image_y <= e.images[3]; image_y++) {
            if (!move_to(e, means, n, image_x, image_y, width, height)) continue;
            for (int column = e.first / TILE + lane; column <= e.last / TILE; column += SIDE) {
                const int2 rows = rows_in_column(e, column, height);
                if (rows.x > rows.y) continue;
                for (int row = rows.x / TILE; row <= rows.y / TILE; row++, slots++)
                    atomicAdd(&tile_counts[row * across + column], 1ull);
            }
        }
    for (int step = SIDE / 2; step > 0; step /= 2) slots += __shfl_xor_sync(others, slots, step);
    if (lane == 0) slot_counts[n] = slots;
    const double a = conics[3 * n], half_log2e = 0.72134752044448170368;
    for (int i = lane; i < record_floats; i += SIDE) {
        float value = 0.0f;
        if (i == 0) value = means[2 * n];
        if (i == 1) value = means[2 * n + 1];
        if (i == 2) value = (float)(e.b / a);
        if (i == 3) value = (float)(a * half_log2e);
        if (i == 6) value = (float)(e.b / a - (float)(e.b / a));
        if (i == 4) value = (float)(e.determinant / a * half_log2e);
        if (features && i >= 8 && i - 8 < components) value = features[n * components + i - 8];
        records[n * record_floats + i] = value;
    }
}

// Eight threads per Gaussian: its slots, each handed a place in its tile's list.
extern "C" __global__ void fill_slots(
    const float* means, const float* conics, int count, double limit, int width, int height, int repeats_x, int repeats_y,
    const long long* slot_starts,  // [N + 1]
    const long long* tile_starts,  // [T + 1], counted from the first, which is the number of slots
    long long capacity,            // of the arrays of slots; nothing is written if they do not suffice
    unsigned long long* tile_places,  // [T], zero on entry
    unsigned* slot_info,           // [S] Gaussian << 8 | first row << 4 | last row, rows counted from the tile's top
    int* slot_images,              // [S] image in y << 16 | image in x, both signed; null where nothing repeats
    int* tile_slots                // [S] slots by tile, in any order within one
) {
    const long long n = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / SIDE;
    const int lane = threadIdx.x % SIDE;
    const unsigned others = 0xffu << (threadIdx.x % 32 / SIDE * SIDE);
    if (n >= count || slot_starts[count] > capacity) return;
    Ellipse e = ellipse_of(means, conics, n, limit, width, height, repeats_x, repeats_y);
    const int across = (width + TILE - 1) / TILE;
    long long start = slot_starts[n];
    for (int image_x = e.images[0]; image_x <= e.images[1]; image_x++)
        for (int image_y = e.images[2]; image_y <= e.images[3]; image_y++) {
            if (!move_to(e, means, n, image_x, image_y, width, height)) continue;
            for (int base = e.first / TILE; base <= e.last / TILE; base += SIDE) {
                const int column = base + lane;
                int2 rows = make_int2(1, 0);
                if (column <= e.last / TILE) rows = rows_in_column(e, column, height);
                const int own = rows.x <= rows.y ? rows.y / TILE - rows.x / TILE + 1 : 0;
                int running = own;
                for (int step = 1; step < SIDE; step *= 2) {
                    const int left = __shfl_up_sync(others, running, step, SIDE);
                    if (lane >= step) running += left;
                }
                long long slot = start + running - own;
                for (int row = rows.x / TILE; own > 0 && row <= rows.y / TILE; row++, slot++) {
                    const int tile = row * across + column;
                    const unsigned top = max(rows.x - row * TILE, 0), bottom = min(rows.y - row * TILE, TILE - 1);
                    slot_info[slot] = (unsigned)n << 8 | top << 4 | bottom;
                    if (slot_images) slot_images[slot] = (int)((unsigned)image_y << 16 | (unsigned)image_x & 0xffffu);
                    tile_slots[tile_starts[tile] - tile_starts[0] + atomicAdd(&tile_places[tile], 1ull)] = (int)slot;
                }
                start += __shfl_sync(others, running, SIDE - 1, SIDE);
            }
        }
}

// One block per tile: sort its slots by counting the smaller ones. Lists are short (about 20); the square is cheap.
#define STAGED 512
extern "C" __global__ void order_tiles(
    const long long* tile_starts, long long capacity, const int* tile_slots, const unsigned* slot_info,
    const int* slot_images,
    int* ordered_slots,      // [S]
    unsigned* ordered_info,  // [S]
    int* ordered_images      // [S], or null where nothing repeats
) {
    __shared__ int staged[STAGED];
    if (tile_starts[0] > capacity) return;
    const long long start = tile_starts[blockIdx.x] - tile_starts[0];
    const int length = (int)(tile_starts[blockIdx.x + 1] - tile_starts[blockIdx.x]);
    for (int base = 0; base < length; base += blockDim.x) {
        const int i = base + threadIdx.x;
        const int own = i < length ? tile_slots[start + i] : 0;
        int rank = 0;
        for (int first = 0; first < length; first += STAGED) {
            const int held = min(STAGED, length - first);
            __syncthreads();
            for (int j = threadIdx.x; j < held; j += blockDim.x) staged[j] = tile_slots[start + first + j];
            __syncthreads();
            for (int j = 0; j < held; j++) rank += staged[j] < own;
        }
        if (i < length) {
            ordered_slots[start + rank] = own;
            ordered_info[start + rank] = slot_info[own];
            if (ordered_images) ordered_images[start + rank] = slot_images[own];
        }
    }
}

// Four Gaussians per block: the sums over their slots in a fixed order, turned from moments into gradients.
// A moment set is: sum e t, sum e dy, sum e t^2, sum e t dy, sum e dy^2 with e = dL/dw exp(-q), t = dx + B/A dy.
// A warp sums a Gaussian of few slots, the whole block one of many.
#define SUM_THREADS 128
#define TOGETHER (SUM_THREADS / 32)
#define MANY 128
#define MOST_VALUES 40

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
                for (long long slot = slot_starts[own] + threadIdx.x % 32 / width; slot < slot_starts[own + 1]; slot += groups)
                    sum += slot_sums[slot * values + value];
            for (int step = width; step < 32; step *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
            if (value < values) sums[warp][value] = sum;
        }
    }
    for (int i = 0; i < TOGETHER && base + i < count; i++) {
        const long long first = slot_starts[base + i], last = slot_starts[base + i + 1];
        if (last - first <= MANY) continue;
        const int groups = SUM_THREADS / lanes, lane = threadIdx.x % lanes;
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

extern "C" __global__ void reduce_gradients(
    const float* slot_sums,  // [S, 5 + K]
    const long long* slot_starts, long long capacity, const float* conics, int count, int components, int lanes,
    float* mean_gradients,     // [N, 2]
    float* conic_gradients,    // [N, 3]
    float* feature_gradients   // [N, K]
) {
    __shared__ float staged[SUM_THREADS], sums[TOGETHER][MOST_VALUES];
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
        mean_gradients[2 * n + 1] = (float)(b * t + fmax(a * c - b * b, 1e-9 * a * c) / a * y);
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
    __shared__ float staged[SUM_THREADS], sums[TOGETHER][MOST_VALUES];
    if (slot_starts[count] > capacity) return;
    sum_slots(slot_sums, slot_starts, count, 1 + components, lanes, staged, sums);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const long long n = (long long)blockIdx.x * TOGETHER + warp;
    if (n >= count) return;
    if (lane < components) features[n * components + lane] = sums[warp][1 + lane];
    if (lane == 0 && extras) extras[n] = sums[warp][0];
}
