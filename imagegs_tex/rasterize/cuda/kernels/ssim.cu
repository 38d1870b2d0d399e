// SSIM of two pictures, channel by channel: a block filters one rectangle of one channel, along rows and then down
// columns, and leaves the sum of its indices. imagegs_tex/metrics/ssim.py does the same on the CPU.
// Defined from outside: THREADS, COLUMNS and ROWS of a rectangle, TAPS (of the window, at most).

extern "C" __global__ void __launch_bounds__(THREADS) similarity(
    const float* first, const float* second,  // [H, W, channels]
    int height, int width, int channels, const float* down, int down_count, const float* across,
    int across_count,  // taps of the window
    double c1, double c2,
    double* sums  // [channels, rectangles]
) {
    __shared__ float x[ROWS + TAPS - 1][COLUMNS + TAPS - 1], y[ROWS + TAPS - 1][COLUMNS + TAPS - 1];
    __shared__ float moments[5][ROWS + TAPS - 1][COLUMNS];  // of x, y, xx, yy, xy
    __shared__ double warps[THREADS / 32];
    const int kept_columns = width - across_count + 1, kept_rows = height - down_count + 1;
    const int rectangles_across = (kept_columns + COLUMNS - 1) / COLUMNS;
    const int rectangles = rectangles_across * ((kept_rows + ROWS - 1) / ROWS);
    const int channel = blockIdx.x / rectangles, rectangle = blockIdx.x % rectangles;
    const int left = rectangle % rectangles_across * COLUMNS, top = rectangle / rectangles_across * ROWS;
    const int rows = min(ROWS, kept_rows - top), columns = min(COLUMNS, kept_columns - left);
    const int loaded_rows = rows + down_count - 1, loaded_columns = columns + across_count - 1;
    for (int i = threadIdx.x; i < loaded_rows * loaded_columns; i += THREADS) {
        const int r = i / loaded_columns, c = i % loaded_columns;
        const long long at = ((long long)(top + r) * width + left + c) * channels + channel;
        x[r][c] = first[at];
        y[r][c] = second[at];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < loaded_rows * columns; i += THREADS) {
        const int r = i / columns, c = i % columns;
        float m[5] = {};
        for (int tap = 0; tap < across_count; tap++) {
            const float weight = across[tap], u = x[r][c + tap], v = y[r][c + tap];
            m[0] += weight * u;
            m[1] += weight * v;
            m[2] += weight * u * u;
            m[3] += weight * v * v;
            m[4] += weight * u * v;
        }
        for (int k = 0; k < 5; k++) moments[k][r][c] = m[k];
    }
    __syncthreads();
    double sum = 0.0;
    for (int i = threadIdx.x; i < rows * columns; i += THREADS) {
        const int r = i / columns, c = i % columns;
        float m[5] = {};
        for (int tap = 0; tap < down_count; tap++)
            for (int k = 0; k < 5; k++) m[k] += down[tap] * moments[k][r + tap][c];
        const double u = m[0], v = m[1];
        const double variances = m[2] - u * u + m[3] - v * v, covariance = m[4] - u * v;
        sum += (2 * u * v + c1) * (2 * covariance + c2) / ((u * u + v * v + c1) * (variances + c2));
    }
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        double total = 0.0;
        for (int i = 0; i < THREADS / 32; i++) total += warps[i];
        sums[blockIdx.x] = total;
    }
}
