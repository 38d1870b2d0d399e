// Who goes first among Gaussians that may not move at once. As in the parallel colourings of Luby ("A simple parallel
// algorithm for the maximal independent set problem", 1986) and Jones and Plassmann ("A parallel graph coloring
// heuristic", 1993), those whose keys are the highest among all that they would disturb take a round.
#pragma once

// A shuffled number, no two alike.
__device__ __forceinline__ unsigned shuffled(int n) {
    unsigned mixed = n;
    mixed = (mixed ^ mixed >> 16) * 0x85ebca6bu;
    mixed = (mixed ^ mixed >> 13) * 0xc2b2ae35u;
    return mixed ^ mixed >> 16;
}
