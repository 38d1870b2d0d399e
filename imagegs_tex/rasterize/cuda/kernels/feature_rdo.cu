// Rounding features to codes by coordinate descent; Gaussians that are no neighbours in the matrix move at once. Not
// compiled for a number of components: it is once per process.
// Defined from outside: THREADS.

#include "turns.cuh"

// A block per Gaussian: the cheapest code of each feature while all others stay. Of neighbours in the matrix, the one of
// the greater shuffled number moves first.
extern "C" __global__ void __launch_bounds__(THREADS) choose_codes(
    const int* order,  // [N] by shuffled numbers, descending
    int* turn, int* done, int sweep, const long long* row_starts, const int* columns, const double* values,
    const double* diagonal, const double* best, const double* steps, double floor_of_diagonal, double bit_price,
    const double* prices, const int* price_starts, const int* least, int components,
    int lanes,          // threads side by side for the features of one neighbour: a power of two
    double* distances,  // [N, K] value of the code minus the best feature
    int* codes          // [N, K]
) {
    __shared__ double slopes[THREADS];
    const int n = order[take_turn(turn)], k = threadIdx.x % lanes, group = threadIdx.x / lanes,
              groups = THREADS / lanes;
    const unsigned own_number = shuffled(n);
    for (long long i = row_starts[n] + group; i < row_starts[n + 1]; i += groups) {
        const int m = columns[i];
        if (shuffled(m) > own_number) wait_for(done, m, sweep);
    }
    __threadfence();
    double slope = 0.0;
    if (k < components)
#pragma unroll 4
        for (long long i = row_starts[n] + group; i < row_starts[n + 1]; i += groups)
            slope += values[i] * distances[(long long)columns[i] * components + k];
    slopes[threadIdx.x] = slope;
    __syncthreads();
    if (k < components && !group) {
        slope = 0.0;
        for (int i = 0; i < groups; i++) slope += slopes[i * lanes + k];
        const long long at = (long long)n * components + k;
        const double own = diagonal[n] + floor_of_diagonal, step = steps[k];
        const int current = codes[at];
        const double optimum = current * step - slope / own;
        const int below = (int)floor(optimum / step);
        int chosen = current;
        double lowest = 1e300;
        for (int i = 0; i < 5; i++) {
            const int candidate = i < 4 ? below - 1 + i : 0, index = candidate - least[k];
            if (index < 0 || index >= price_starts[k + 1] - price_starts[k]) continue;
            const double distance = candidate * step - optimum;
            const double cost = own * distance * distance + bit_price * prices[price_starts[k] + index];
            if (cost < lowest) {
                lowest = cost;
                chosen = candidate;
            }
        }
        codes[at] = chosen;
        distances[at] = chosen * step - best[at];
    }
    say_done(done, n, sweep);
}
