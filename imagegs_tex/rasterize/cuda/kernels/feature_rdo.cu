// Rounding features to codes by coordinate descent, and the rounds in which Gaussians that are no neighbours in the
// matrix move at once. Not compiled for a number of components: it is once per process.
// Defined from outside: THREADS (of choose_round).

#include "independent_sets.cuh"

// A warp per Gaussian: those whose keys are above those of all neighbours that have no round yet take this one. So
// no two of a round are neighbours in the matrix.
extern "C" __global__ void colour_rows(
    const long long* row_starts, const int* columns, int count, int round,
    int* rounds,  // [N] -1 as long as a Gaussian has none
    int* waiting  // [1] how many go on waiting
) {
    const int n = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (n >= count || rounds[n] >= 0) return;
    const unsigned key = shuffled(n);
    bool lost = false;
    for (long long i = row_starts[n] + lane; i < row_starts[n + 1] && !lost; i += 32) {
        const int m = columns[i], other = rounds[m];  // a neighbour may be taking this round at this moment
        lost = m != n && (other < 0 || other == round) && shuffled(m) > key;
    }
    lost = __any_sync(0xffffffffu, lost);
    if (lane) return;
    if (lost) atomicAdd(waiting, 1);
    else rounds[n] = round;
}

// A block per Gaussian of a round: the cheapest code of each feature while all others stay.
extern "C" __global__ void __launch_bounds__(THREADS) choose_round(
    const int* order, const long long* row_starts, const int* columns, const double* values, const double* diagonal,
    const double* best, const double* steps, double floor_of_diagonal, double bit_price, const double* prices,
    const int* price_starts, const int* least, int components,
    int lanes,          // threads side by side for the features of one neighbour: a power of two
    double* distances,  // [N, K] value of the code minus the best feature
    int* codes          // [N, K]
) {
    __shared__ double slopes[THREADS];
    const int n = order[blockIdx.x], k = threadIdx.x % lanes, group = threadIdx.x / lanes, groups = THREADS / lanes;
    double slope = 0.0;
    if (k < components)
#pragma unroll 4
        for (long long i = row_starts[n] + group; i < row_starts[n + 1]; i += groups)
            slope += values[i] * distances[(long long)columns[i] * components + k];
    slopes[threadIdx.x] = slope;
    __syncthreads();
    if (k >= components || group) return;
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
