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
