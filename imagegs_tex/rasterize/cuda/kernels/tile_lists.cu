// Tile lists on the GPU: which Gaussians reach which tile, exactly from the ellipses.
//
// A slot is one copy of a Gaussian in one tile. Slots are numbered Gaussian by Gaussian, so that sums over a
// Gaussian's slots have a fixed order. Integer atomics only count and hand out places; order_tiles then sorts each
// tile's slots, so nothing depends on the order in which the atomics ran.
// Defined from outside: SIDE (threads per Gaussian).

#include "gaussian.cuh"

struct Ellipse {
    double x, y, b, c, limit, determinant, lowest_x;
    int first, last;  // columns of texel centres inside
    double half_width;
    int copies[4];  // first and last copy in x, first and last in y
};

__device__ int first_centre(double edge, int size) { return (int)fmin(fmax(ceil(edge - 0.5), 0.0), (double)size); }

__device__ int last_centre(double edge, int size) {
    return (int)fmax(fmin(floor(edge - 0.5), (double)(size - 1)), -1.0);
}

__device__ Ellipse ellipse_of(
    const float* means, const float* conics, long long n, double limit, int width, int height, int repeats_x,
    int repeats_y
) {
    Ellipse e;
    const double a = conics[3 * n];
    e.b = conics[3 * n + 1];
    e.c = conics[3 * n + 2];
    e.x = means[2 * n];
    e.y = means[2 * n + 1];
    e.limit = limit;
    e.determinant = determinant_of(a, e.b, e.c);
    e.half_width = sqrt(limit * e.c / e.determinant);
    const double half_height = sqrt(limit * a / e.determinant);
    e.lowest_x = -e.b / a * half_height;
    for (int i = 0; i < 4; i++) e.copies[i] = 0;
    if (repeats_x) {
        e.copies[0] = (int)ceil((0.5 - e.x - e.half_width) / width);
        e.copies[1] = (int)floor((width - 0.5 - e.x + e.half_width) / width);
    }
    if (repeats_y) {
        e.copies[2] = (int)ceil((0.5 - e.y - half_height) / height);
        e.copies[3] = (int)floor((height - 0.5 - e.y + half_height) / height);
    }
    return e;
}

// Move an ellipse to one of its copies; false if that holds no column of texel centres.
__device__ bool move_to(Ellipse& e, const float* means, long long n, int copy_x, int copy_y, int width, int height) {
    e.x = means[2 * n] + (double)copy_x * width;
    e.y = means[2 * n + 1] + (double)copy_y * height;
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

// SIDE threads per Gaussian: its record, its number of slots, and one more for every tile that it reaches.
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
    const unsigned others = ((1u << SIDE) - 1) << (threadIdx.x % 32 / SIDE * SIDE);
    if (n >= count) return;
    Ellipse e = ellipse_of(means, conics, n, limit, width, height, repeats_x, repeats_y);
    const int across = (width + TILE - 1) / TILE;
    int slots = 0;
    for (int copy_x = e.copies[0]; copy_x <= e.copies[1]; copy_x++)
        for (int copy_y = e.copies[2]; copy_y <= e.copies[3]; copy_y++) {
            if (!move_to(e, means, n, copy_x, copy_y, width, height)) continue;
            for (int column = e.first / TILE + lane; column <= e.last / TILE; column += SIDE) {
                const int2 rows = rows_in_column(e, column, height);
                if (rows.x > rows.y) continue;
                for (int row = rows.x / TILE; row <= rows.y / TILE; row++, slots++)
                    atomicAdd(&tile_counts[row * across + column], 1ull);
            }
        }
    for (int step = SIDE / 2; step > 0; step /= 2) slots += __shfl_xor_sync(others, slots, step);
    if (lane == 0) slot_counts[n] = slots;
    for (int i = lane; i < record_floats; i += SIDE) {
        const int k = i - RECORD_HEAD;
        float value = 0.0f;
        if (k < 0) value = record_entry(i, means[2 * n], means[2 * n + 1], conics[3 * n], e.b, e.c);
        else if (features && k < components) value = features[n * components + k];
        records[n * record_floats + i] = value;
    }
}

// SIDE threads per Gaussian: its slots, each handed a place in its tile's list.
extern "C" __global__ void fill_slots(
    const float* means, const float* conics, int count, double limit, int width, int height, int repeats_x,
    int repeats_y,
    const long long* slot_starts,     // [N + 1]
    const long long* tile_starts,     // [T + 1], counted from the first, which is the number of slots
    long long capacity,               // of the arrays of slots; nothing is written if they do not suffice
    unsigned long long* tile_places,  // [T], zero on entry
    unsigned* slot_info,              // [S] Gaussian << 8 | first row << 4 | last row, rows counted from the tile's top
    int* slot_copies,                 // [S] null where nothing repeats
    int* tile_slots                   // [S] slots by tile, in any order within one
) {
    const long long n = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / SIDE;
    const int lane = threadIdx.x % SIDE;
    const unsigned others = ((1u << SIDE) - 1) << (threadIdx.x % 32 / SIDE * SIDE);
    if (n >= count || slot_starts[count] > capacity) return;
    Ellipse e = ellipse_of(means, conics, n, limit, width, height, repeats_x, repeats_y);
    const int across = (width + TILE - 1) / TILE;
    long long start = slot_starts[n];
    for (int copy_x = e.copies[0]; copy_x <= e.copies[1]; copy_x++)
        for (int copy_y = e.copies[2]; copy_y <= e.copies[3]; copy_y++) {
            if (!move_to(e, means, n, copy_x, copy_y, width, height)) continue;
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
                    if (slot_copies) slot_copies[slot] = copy_name(copy_x, copy_y);
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
    const int* slot_copies,
    int* ordered_slots,      // [S]
    unsigned* ordered_info,  // [S]
    int* ordered_copies      // [S], or null where nothing repeats
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
            if (ordered_copies) ordered_copies[start + rank] = slot_copies[own];
        }
    }
}
