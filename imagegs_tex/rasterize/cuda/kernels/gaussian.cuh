// What every kernel knows of a Gaussian: its conic, the values that a file can hold, its record, its copies, its
// weight.
// Defined from outside, for all files: TILE, RECORD_HEAD, MAX_COMPONENTS, EPSILON, LOG2_E.
#pragma once

// ---- from log-covariance to conic (docs/igs-format.md, section 5) --------------------------------------------------

struct Form {
    double scale, cosh_r, s, slope;  // exp(-m), cosh r, sinh(r)/r, (cosh r - sinh(r)/r)/r^2 with r = |(h, b)|
};

struct Conic {
    double a, b, c;
};

__device__ __forceinline__ Form form_of(double m, double h, double b) {
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

__device__ __forceinline__ Conic conic_of(const Form& f, double h, double b) {
    return {f.scale * (f.cosh_r - h * f.s), -f.scale * b * f.s, f.scale * (f.cosh_r + h * f.s)};
}

// Rounding must not make a thin ellipse unbounded.
__device__ __forceinline__ double determinant_of(double a, double b, double c) {
    return fmax(a * c - b * b, 1e-9 * a * c);
}

// ---- positions that a file can hold --------------------------------------------------------------------------------

// log2 of the position step along the axis that a conic's coefficient A or C belongs to.
__device__ __forceinline__ double exponent_of(
    double coefficient, double log2_ratio, int least_exponent, int cell_log2
) {
    const double exponent = rint(log2_ratio - 0.5 * log2(coefficient));
    return fmin(fmax(exponent, (double)least_exponent), (double)cell_log2);
}

// The middle of the step that a position within the picture lies in. Where the picture repeats and its size is no
// multiple of the step, the first position of the next picture can be nearer than the last one here.
__device__ __forceinline__ double nearest_position(double position, double step, double size, bool repeats) {
    const double last = fmax(ceil(size / step - 0.5) - 1.0, 0.0);
    double code = fmin(fmax(floor(position / step), 0.0), last);
    if (repeats && 2.0 * position > size + (last + 1.0) * step) code = 0.0;
    return (code + 0.5) * step;
}

// ---- records, copies and weights -----------------------------------------------------------------------------------

// The exponent of a Gaussian with the square completed: q log2(e) = across t^2 + along dy^2, t = dx + B/A dy. Nothing
// cancels, however thin and oblique the Gaussian is. What B/A lost when it was rounded is one multiply-add: without it,
// values of Gaussians 50 times as long as wide were off by 1e-4.
//
// A record holds it in float32: x, y, B/A, across, along, one unused (staged records have the slot's info there),
// what B/A lost, one unused, then the features padded with zeros to a multiple of four.
struct CompletedSquare {
    float x, y;               // of the mean, or of one of its copies
    float slant, slant_rest;  // B/A, and what it lost when it was rounded
    float across, along;      // A/2 log2(e), (C - B^2/A)/2 log2(e)
};

__device__ __forceinline__ CompletedSquare square_of(float4 head, float4 rest) {
    return {head.x, head.y, head.z, rest.z, head.w, rest.x};
}

__device__ __forceinline__ CompletedSquare square_of(const float* record) {
    return {record[0], record[1], record[2], record[6], record[3], record[4]};
}

// Entry i of a record's head.
__device__ __forceinline__ float record_entry(int i, float x, float y, double a, double b, double c) {
    const double slant = b / a, half_log2e = 0.5 * LOG2_E;
    switch (i) {
        case 0: return x;
        case 1: return y;
        case 2: return (float)slant;
        case 3: return (float)(a * half_log2e);
        case 4: return (float)(determinant_of(a, b, c) / a * half_log2e);
        case 6: return (float)(slant - (float)slant);
        default: return 0.0f;
    }
}

// Where the picture repeats, a Gaussian is drawn at every whole number of pictures from its mean from which its support
// reaches in. A copy is named by these numbers: in y << 16 | in x, both signed.
__device__ __forceinline__ int copy_name(int x, int y) { return (int)((unsigned)y << 16 | (unsigned)x & 0xffffu); }

// Texels from a Gaussian to one of its copies. Texels are moved the other way instead: sizes and texel centres are
// exact, so nothing is lost.
__device__ __forceinline__ float2 copy_offset(int copy, int width, int height) {
    return make_float2((float)((int)(short)(copy & 0xffff) * width), (float)((copy >> 16) * height));
}

__device__ __forceinline__ float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Weight at t = dx + B/A dy; rest = along dy^2.
__device__ __forceinline__ float weight_at(float t, float across, float rest, float cutoff_weight) {
    return fmaxf(exp2_fast(-fmaf(across * t, t, rest)) - cutoff_weight, 0.0f);
}

// t at a texel dx, dy from the mean.
__device__ __forceinline__ float sheared(const CompletedSquare& g, float dx, float dy) {
    return fmaf(g.slant_rest, dy, fmaf(g.slant, dy, dx));
}

__device__ __forceinline__ float weight_of(const CompletedSquare& g, float px, float py, float cutoff_weight) {
    const float dy = py - g.y;
    return weight_at(sheared(g, px - g.x, dy), g.across, g.along * dy * dy, cutoff_weight);
}

// The same of a slot of a tile's list; copies is null where nothing repeats.
__device__ __forceinline__ float weight_of_slot(
    const float* record, const int* copies, long long slot, float px, float py, float cutoff_weight, int width,
    int height
) {
    if (copies) {
        const float2 offset = copy_offset(copies[slot], width, height);
        px -= offset.x;
        py -= offset.y;
    }
    return weight_of(square_of(record), px, py, cutoff_weight);
}
