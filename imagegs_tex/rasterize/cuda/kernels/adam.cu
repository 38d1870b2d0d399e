// A fit's step on the GPU, two kernels where torch would launch hundreds of small ones: the geometry in use, and Adam
// (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) with the constraints. One thread per Gaussian.

#include "gaussian.cuh"

// ---- geometry -----------------------------------------------------------------------------------------------------

// Means and log-covariances as the picture is to be rendered with them, rounded to the file's values if asked.
extern "C" __global__ void use_geometry(
    const float* means,   // [N, 2]
    const float* shapes,  // [N, 3] m, h, b
    int count, int rounded, double size_step, double form_step, double log2_ratio, int least_exponent, int cell_log2,
    int width, int height, int repeats_x, int repeats_y, float* used_means, float* used_shapes,
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
    const Conic conic = conic_of(f, shape[1], shape[2]);
    if (rounded)
        for (int axis = 0; axis < 2; axis++) {
            const double step = exp2(exponent_of(axis ? conic.c : conic.a, log2_ratio, least_exponent, cell_log2));
            const double size = axis ? height : width;
            const bool repeats = axis ? repeats_y : repeats_x;
            if (repeats) mean[axis] -= floor(mean[axis] / size) * size;
            mean[axis] = nearest_position(mean[axis], step, size, repeats);
        }
    for (int i = 0; i < 2; i++) used_means[2 * n + i] = (float)mean[i];
    for (int i = 0; i < 3; i++) used_shapes[3 * n + i] = (float)shape[i];
    conics[3 * n] = (float)conic.a;
    conics[3 * n + 1] = (float)conic.b;
    conics[3 * n + 2] = (float)conic.c;
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
    float widest, float* means, float* shapes, float* features, float* first, float* second  // [N, 5 + K]
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
        const float moved =
            means[2 * n + i] - rate * adam_change(mean_gradients[2 * n + i], first + i, second + i, adam);
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
        shape[i] =
            shapes[3 * n + i] - shape_rate * adam_change((float)gradients[i], first + 2 + i, second + 2 + i, adam);
    const float length = sqrtf(shape[1] * shape[1] + shape[2] * shape[2]);
    const float shrink = fminf(largest_form / fmaxf(length, largest_form), 1.0f);
    shape[0] = fminf(fmaxf(shape[0], least_size), largest_size);
    shape[1] *= shrink;
    shape[2] *= shrink;
    for (int i = 0; i < 2; i++)
        if (repeats[i]) {  // of a wider one each copy would have to be drawn
            const Form constrained = form_of(shape[0], shape[1], shape[2]);
            const float log_variance = (float)log(constrained.cosh_r + (i ? -1.0 : 1.0) * shape[1] * constrained.s);
            shape[0] = fmaxf(fminf(shape[0], 2.0f * logf(largest_deviation * size[i]) - log_variance), least_size);
        }
    for (int i = 0; i < 3; i++) shapes[3 * n + i] = shape[i];
    for (int k = 0; k < components; k++) {
        const float change = adam_change(feature_gradients[n * components + k], first + 5 + k, second + 5 + k, adam);
        features[n * components + k] -= feature_rate * deviations[k] * change;
    }
}
