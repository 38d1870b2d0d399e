// The vectors of conjugate gradients with a diagonal preconditioner (Hestenes and Stiefel, "Methods of conjugate
// gradients for solving linear systems", 1952); the matrix's products are rasterize.cu's. One thread per entry of
// [N, K].
//
// Dot products are per component. Blocks leave partial sums [blocks, K]; whoever needs the sum adds them up again in
// the same order, so no kernel is spent on it and every run gives the same bits. THREADS / K rows are handled at a
// time.
// Defined from outside: THREADS.

__device__ double sum_partials(const double* partials, int components, double* staged) {
    const int rows = THREADS / components, row = threadIdx.x / components, k = threadIdx.x % components;
    double sum = 0.0;
    if (row < rows)
        for (int block = row; block < (int)gridDim.x; block += rows) sum += partials[block * components + k];
    __syncthreads();
    staged[threadIdx.x] = sum;
    __syncthreads();
    double total = 0.0;
    for (int r = 0; r < rows; r++) total += staged[r * components + k];
    return total;
}

__device__ void leave_partial(double sum, double* partials, int components, double* staged) {
    const int rows = THREADS / components;
    __syncthreads();
    staged[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x < components) {
        double total = 0.0;
        for (int r = 0; r < rows; r++) total += staged[r * components + threadIdx.x];
        partials[blockIdx.x * components + threadIdx.x] = total;
    }
}

// ---- damping ------------------------------------------------------------------------------------------------------

#define DIGIT 8  // bits of a value that are looked at together

// What is added to the diagonal: relative to its middle value, of an even number the lower of the two in the middle;
// to its greatest where that is 0. One block. No value is below 0, so that they are in the order of their bits, and the
// middle one is found digit by digit, from the first that differs.
extern "C" __global__ void cg_damping(
    const double* diagonal, int count, double relative, double least,
    double* damping  // [1]
) {
    typedef unsigned long long Bits;
    __shared__ Bits lowest[32], highest[32], found;
    __shared__ int numbers[1 << DIGIT], chosen, before;
    const int tid = threadIdx.x, lane = tid % 32;
    const Bits* values = (const Bits*)diagonal;
    Bits low = ~0ull, high = 0;
    for (int i = tid; i < count; i += blockDim.x) {
        low = min(low, values[i]);
        high = max(high, values[i]);
    }
    for (int step = 16; step > 0; step /= 2) {
        low = min(low, __shfl_xor_sync(0xffffffffu, low, step));
        high = max(high, __shfl_xor_sync(0xffffffffu, high, step));
    }
    if (lane == 0) {
        lowest[tid / 32] = low;
        highest[tid / 32] = high;
    }
    __syncthreads();
    for (int i = 0; i < blockDim.x / 32; i++) {
        low = min(low, lowest[i]);
        high = max(high, highest[i]);
    }
    int left = low == high ? 0 : 64 - __clzll(low ^ high), rank = (count - 1) / 2, alike = count;
    Bits middle = left < 64 ? high >> left : 0;  // its bits but those left
    while (left > 0 && alike > 1) {
        const int bits = min(DIGIT, left), shift = left - bits;
        for (int i = tid; i < 1 << DIGIT; i += blockDim.x) numbers[i] = 0;
        __syncthreads();
        for (int i = tid; i < count; i += blockDim.x)
            if (left == 64 || values[i] >> left == middle)
                atomicAdd(numbers + (int)(values[i] >> shift & (1 << bits) - 1), 1);
        __syncthreads();
        if (tid < 32) {  // each lane has so many digits, one after the other
            const int own = (1 << DIGIT) / 32, *first = numbers + lane * own;
            int sum = 0;
            for (int i = 0; i < own; i++) sum += first[i];
            int up_to = sum;
            for (int step = 1; step < 32; step *= 2) {
                const int other = __shfl_up_sync(0xffffffffu, up_to, step);
                if (lane >= step) up_to += other;
            }
            int below = up_to - sum;
            if (below <= rank && rank < up_to) {
                int digit = 0;
                while (below + first[digit] <= rank) below += first[digit++];
                chosen = lane * own + digit;
                before = below;
            }
        }
        __syncthreads();
        middle = middle << bits | chosen;
        rank -= before;
        alike = numbers[chosen];
        left = shift;
        __syncthreads();
    }
    if (left > 0) {  // one value begins so
        for (int i = tid; i < count; i += blockDim.x)
            if (values[i] >> left == middle) found = values[i];
        __syncthreads();
        middle = found;
    }
    if (tid) return;
    const double median = __longlong_as_double(middle), greatest = __longlong_as_double(high);
    *damping = __dadd_rn(__dmul_rn(relative, median > 0.0 ? median : greatest), least);
}

// ---- iterations ---------------------------------------------------------------------------------------------------

#define EACH_ENTRY                                                                                                     \
    const int rows = THREADS / components, k = threadIdx.x % components;                                               \
    const long long skip = (long long)gridDim.x * rows;                                                                \
    if (threadIdx.x < rows * components)                                                                               \
        for (long long n = (long long)blockIdx.x * rows + threadIdx.x / components, i = n * components + k; n < count; \
             n += skip, i = n * components + k)

// residual = rhs - product; direction = residual / diagonal; it goes into the records as features too
extern "C" __global__ void cg_start(
    const double* rhs, const double* product, const double* diagonal, const double* damping, int count, int components,
    double* residual, double* direction, float* records, int record_floats, int record_head, double* partials
) {
    __shared__ double staged[THREADS];
    double sum = 0.0;
    EACH_ENTRY {
        const double r = rhs[i] - product[i], z = r / (diagonal[n] + *damping);
        residual[i] = r;
        direction[i] = z;
        records[n * record_floats + record_head + k] = (float)z;
        sum += r * z;
    }
    leave_partial(sum, partials, components, staged);
}

// product += damping * direction; partial sums of direction * product
extern "C" __global__ void cg_curvature(
    const double* direction, const double* damping, int count, int components, double* product, double* partials
) {
    __shared__ double staged[THREADS];
    double sum = 0.0;
    EACH_ENTRY {
        const double p = direction[i], damped = product[i] + *damping * p;
        product[i] = damped;
        sum += p * damped;
    }
    leave_partial(sum, partials, components, staged);
}

// solution += step * direction; residual -= step * product; partial sums of residual^2 / diagonal
extern "C" __global__ void cg_update(
    const double* direction, const double* product, const double* diagonal, const double* damping, int count,
    int components, const double* old_partials, const double* curvature_partials, double* solution, double* residual,
    double* partials
) {
    __shared__ double staged[THREADS];
    const double old = sum_partials(old_partials, components, staged);
    const double curvature = sum_partials(curvature_partials, components, staged);
    const double step = old / fmax(curvature, 1e-300);
    double sum = 0.0;
    EACH_ENTRY {
        const double r = residual[i] - step * product[i];
        solution[i] += step * direction[i];
        residual[i] = r;
        sum += r * r / (diagonal[n] + *damping);
    }
    leave_partial(sum, partials, components, staged);
}

// direction = residual / diagonal + (new / old) * direction, into the records too
extern "C" __global__ void cg_direction(
    const double* residual, const double* diagonal, const double* damping, int count, int components,
    const double* old_partials, const double* new_partials, double* direction, float* records, int record_floats,
    int record_head
) {
    __shared__ double staged[THREADS];
    const double old = sum_partials(old_partials, components, staged);
    const double turn = sum_partials(new_partials, components, staged) / fmax(old, 1e-300);
    EACH_ENTRY {
        const double p = residual[i] / (diagonal[n] + *damping) + turn * direction[i];
        direction[i] = p;
        records[n * record_floats + record_head + k] = (float)p;
    }
}
