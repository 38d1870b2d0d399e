// The fit's own arithmetic on the GPU, a few kernels where torch would launch hundreds of small ones: geometry to
// conics, Adam, and the vectors of conjugate gradients. One thread per Gaussian, or per entry of [N, K].

// ---- geometry -----------------------------------------------------------------------------------------------------

struct Form {
    double scale, cosh_r, s, slope;  // exp(-m), cosh r, sinh(r)/r, (cosh r - sinh(r)/r)/r^2
};

__device__ Form form_of(double m, double h, double b) {
    const double squared = h * h + b * b;
    Form f;
    f.scale = exp(-m);
    if (squared < 0.01) {  // the quotients lose their digits here
        f.cosh_r = 1.0 + squared * (1.0 / 2 + squared * (1.0 / 24 + squared / 720));
        f.s = 1.0 + squared * (1.0 / 6 + squared * (1.0 / 120 + squared / 5040));
        f.slope = 1.0 / 3 + squared * (1.0 / 30 + squared / 840);
    } else {
        const double r = sqrt(squared);
        f.cosh_r = cosh(r);
        f.s = sinh(r) / r;
        f.slope = (f.cosh_r - f.s) / squared;
    }
    return f;
}

// Means and log-covariances as the picture is to be rendered with them, rounded to the file's values if asked.
extern "C" __global__ void use_geometry(
    const float* means,   // [N, 2]
    const float* shapes,  // [N, 3] m, h, b
    int count, int rounded, double size_step, double form_step, double log2_ratio, int least_exponent, int cell_log2,
    int width, int height, int repeats_x, int repeats_y,
    float* used_means, float* used_shapes,
    float* conics  // [N, 3]
) {
    const long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count) return;
    double shape[3], mean[2] = {means[2 * n], means[2 * n + 1]};
    for (int i = 0; i < 3; i++) shape[i] = shapes[3 * n + i];
    if (rounded)
        for (int i = 0; i < 3; i++) {
            const double step = i ? form_step : size_step;
            shape[i] = rint(shape[i] / step) * step;
        }
    const Form f = form_of(shape[0], shape[1], shape[2]);
    const double a = f.scale * (f.cosh_r - shape[1] * f.s), c = f.scale * (f.cosh_r + shape[1] * f.s);
    if (rounded)
        for (int axis = 0; axis < 2; axis++) {
            const double exponent = rint(log2_ratio - 0.5 * log2(axis ? c : a));
            const double step = exp2(fmin(fmax(exponent, (double)least_exponent), (double)cell_log2));
            const double size = axis ? height : width, last = fmax(ceil(size / step - 0.5) - 1.0, 0.0);
            const bool repeats = axis ? repeats_y : repeats_x;
            if (repeats) mean[axis] -= floor(mean[axis] / size) * size;
            double code = fmin(fmax(floor(mean[axis] / step), 0.0), last);
            if (repeats && 2.0 * mean[axis] > size + (last + 1.0) * step) code = 0.0;  // the next picture's first is nearer
            mean[axis] = (code + 0.5) * step;
        }
    for (int i = 0; i < 2; i++) used_means[2 * n + i] = (float)mean[i];
    for (int i = 0; i < 3; i++) used_shapes[3 * n + i] = (float)shape[i];
    conics[3 * n] = (float)a;
    conics[3 * n + 1] = (float)(-f.scale * shape[2] * f.s);
    conics[3 * n + 2] = (float)c;
}

// ---- Adam ---------------------------------------------------------------------------------------------------------

struct Adam {
    float keep_first, keep_second, correct_first, correct_second, epsilon;
};

__device__ float adam_change(float gradient, float* first, float* second, const Adam& a) {
    *first = *first * a.keep_first + (1.0f - a.keep_first) * gradient;
    *second = *second * a.keep_second + (1.0f - a.keep_second) * gradient * gradient;
    return *first * a.correct_first / (sqrtf(*second * a.correct_second) + a.epsilon);
}

// One step on everything, with the gradients of the geometry in use passed straight through to the unrounded one, and
// the constraints of the fit afterwards.
extern "C" __global__ void adam_step(
    const float* used_shapes, const float* mean_gradients, const float* conic_gradients, const float* feature_gradients,
    const float* deviations,  // [K]
    int count, int components, float keep_first, float keep_second, float correct_first, float correct_second,
    float epsilon, float mean_rate, float shape_rate, float feature_rate, float width, float height, int repeats_x,
    int repeats_y, float least_size, float largest_size, float largest_form, float largest_deviation, float narrowest,
    float widest,
    float* means, float* shapes, float* features,
    float* first, float* second  // [N, 5 + K]
) {
    const long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count) return;
    const Adam adam = {keep_first, keep_second, correct_first, correct_second, epsilon};
    first += n * (5 + components);
    second += n * (5 + components);
    const double m = used_shapes[3 * n], h = used_shapes[3 * n + 1], b = used_shapes[3 * n + 2];
    const Form f = form_of(m, h, b);
    const float size[2] = {width, height};
    const int repeats[2] = {repeats_x, repeats_y};
    for (int i = 0; i < 2; i++) {
        const double along = rsqrt(f.scale * (f.cosh_r + (i ? h : -h) * f.s));
        const float rate = mean_rate * fminf(fmaxf((float)along, narrowest), widest);
        const float moved = means[2 * n + i] - rate * adam_change(mean_gradients[2 * n + i], first + i, second + i, adam);
        float inside = fminf(fmaxf(moved, 0.0f), size[i] - 1e-2f);
        if (repeats[i]) {  // it comes back on the other side; just below zero rounds up to the size
            inside = moved - floorf(moved / size[i]) * size[i];
            if (inside < 0.0f || inside >= size[i]) inside = 0.0f;
        }
        means[2 * n + i] = inside;
    }
    const double ga = f.scale * conic_gradients[3 * n], gb = f.scale * conic_gradients[3 * n + 1],
                 gc = f.scale * conic_gradients[3 * n + 2];
    const double gradients[3] = {
        -ga * (f.cosh_r - h * f.s) + gb * b * f.s - gc * (f.cosh_r + h * f.s),
        ga * (f.s * h - f.s - f.slope * h * h) - gb * b * f.slope * h + gc * (f.s * h + f.s + f.slope * h * h),
        ga * (f.s * b - h * f.slope * b) - gb * (f.s + f.slope * b * b) + gc * (f.s * b + h * f.slope * b),
    };
    float shape[3];
    for (int i = 0; i < 3; i++)
        shape[i] = shapes[3 * n + i] - shape_rate * adam_change((float)gradients[i], first + 2 + i, second + 2 + i, adam);
    const float length = sqrtf(shape[1] * shape[1] + shape[2] * shape[2]);
    const float shrink = fminf(largest_form / fmaxf(length, largest_form), 1.0f);
    shape[0] = fminf(fmaxf(shape[0], least_size), largest_size);
    shape[1] *= shrink;
    shape[2] *= shrink;
    for (int i = 0; i < 2; i++)
        if (repeats[i]) {  // of a wider one each image would have to be drawn
            const Form now = form_of(shape[0], shape[1], shape[2]);
            const float log_variance = (float)log(now.cosh_r + (i ? -1.0 : 1.0) * shape[1] * now.s);
            shape[0] = fmaxf(fminf(shape[0], 2.0f * logf(largest_deviation * size[i]) - log_variance), least_size);
        }
    for (int i = 0; i < 3; i++) shapes[3 * n + i] = shape[i];
    for (int k = 0; k < components; k++) {
        const float change = adam_change(feature_gradients[n * components + k], first + 5 + k, second + 5 + k, adam);
        features[n * components + k] -= feature_rate * deviations[k] * change;
    }
}

// ---- conjugate gradients ------------------------------------------------------------------------------------------
// Dot products are per component. Blocks leave partial sums [blocks, K]; whoever needs the sum adds them up again in the
// same order, so no kernel is spent on it and every run gives the same bits. THREADS / K rows are handled at a time.

#define THREADS 256

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

#define EACH_ENTRY                                                                                                  \
    const int rows = THREADS / components, k = threadIdx.x % components;                                            \
    const long long skip = (long long)gridDim.x * rows;                                                             \
    if (threadIdx.x < rows * components)                                                                            \
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
        const double p = direction[i], image = product[i] + *damping * p;
        product[i] = image;
        sum += p * image;
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
