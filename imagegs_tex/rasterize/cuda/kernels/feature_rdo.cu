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
    const bool chooses = k < components && !group;
    const long long at = (long long)n * components + k;
    double own = 0.0, step = 0.0, best_here = 0.0;
    int current = 0, least_here = 0, price_count = 0;
    if (chooses) {  // before the wait: nobody else changes these
        own = diagonal[n] + floor_of_diagonal;
        step = steps[k];
        best_here = best[at];
        current = codes[at];
        least_here = least[k];
        prices += price_starts[k];
        price_count = price_starts[k + 1] - price_starts[k];
    }
    const unsigned own_number = shuffled(n);
    for (long long i = row_starts[n] + threadIdx.x; i < row_starts[n + 1]; i += THREADS) {
        const int m = columns[i];
        if (shuffled(m) > own_number) wait_for(done, m, sweep);
    }
    __threadfence();
    __syncthreads();
    double slope = 0.0;
    if (k < components)
#pragma unroll 4
        for (long long i = row_starts[n] + group; i < row_starts[n + 1]; i += groups)
            slope += values[i] * distances[(long long)columns[i] * components + k];
    slopes[threadIdx.x] = slope;
    __syncthreads();
    if (chooses) {
        slope = 0.0;
        for (int i = 0; i < groups; i++) slope += slopes[i * lanes + k];
        const double optimum = current * step - slope / own;
        const int below = (int)floor(optimum / step);
        int chosen = current;
        double lowest = 1e300;
        for (int i = 0; i < 5; i++) {
            const int candidate = i < 4 ? below - 1 + i : 0, index = candidate - least_here;
            if (index < 0 || index >= price_count) continue;
            const double distance = candidate * step - optimum;
            const double cost = own * distance * distance + bit_price * prices[index];
            if (cost < lowest) {
                lowest = cost;
                chosen = candidate;
            }
        }
        codes[at] = chosen;
        distances[at] = chosen * step - best_here;
    }
    say_done(done, n, sweep);
}
