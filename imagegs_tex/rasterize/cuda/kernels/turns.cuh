// One launch in which blocks have one Gaussian after the other, and wait for those that must move before it. Blocks
// take their turns in the order of Gaussians, whatever order they start in, so that nobody waits for one that has no block
// yet.
#pragma once

// A shuffled number, no two alike.
__device__ __forceinline__ unsigned shuffled(int n) {
    unsigned mixed = n;
    mixed = (mixed ^ mixed >> 16) * 0x85ebca6bu;
    mixed = (mixed ^ mixed >> 13) * 0xc2b2ae35u;
    return mixed ^ mixed >> 16;
}

// The place in the order that a block works at next; turn is 0 at first. All of its threads call this.
__device__ __forceinline__ int take_turn(int* turn) {
    __shared__ int place;
    if (threadIdx.x == 0) place = atomicAdd(turn, 1);
    __syncthreads();
    const int own = place;
    __syncthreads();  // before the next turn is written
    return own;
}

// Wait until somebody is done. What they have written is seen after a __threadfence() of the thread that has waited.
__device__ __forceinline__ void wait_for(const int* done, int who, int number) {
    while (*(const volatile int*)(done + who) < number) __nanosleep(40);
}

// Say that a block is done. All of its threads call this after the last of their writes.
__device__ __forceinline__ void say_done(int* done, int who, int number) {
    __syncthreads();
    if (threadIdx.x) return;
    __threadfence();
    *(volatile int*)(done + who) = number;
}
