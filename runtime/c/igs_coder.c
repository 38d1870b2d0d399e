/* igs_coder: the coders of igs.h as a library that Python loads (formats/igs/compiled_coder.py).
 *
 * Reads and writes codecs 2 to 6: what takes long in a file. Everything else of a file, its laws among it, is
 * the Python reader's.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#define EXPORTED __declspec(dllexport)
#define LET_OTHERS_RUN() SwitchToThread()
#define PUBLISH(where, value) InterlockedExchange64((volatile LONG64*)(where), (LONG64)(value))
#define PUBLISHED(where) ((uint64_t)InterlockedCompareExchange64((volatile LONG64*)(where), 0, 0))
#else
#include <sched.h>
#define EXPORTED __attribute__((visibility("default")))
#define LET_OTHERS_RUN() sched_yield()
#define PUBLISH(where, value) __atomic_store_n((where), (uint64_t)(value), __ATOMIC_RELEASE)
#define PUBLISHED(where) __atomic_load_n((where), __ATOMIC_ACQUIRE)
#endif

/* That a reader waits for: one behind each byte has its processor and the writer's ask each other for the same memory. */
#define BYTES_AT_ONCE 256

struct igs__bits;
static uint32_t byte_of_writer(struct igs__bits* bits, size_t at);

#define IGS__WRITES 1
#define IGS__BYTE_BEYOND(bits, at) byte_of_writer(bits, at)
#define IGS__WRITTEN(bits)                                                             \
    if ((bits)->follow != NULL && (bits)->passed % BYTES_AT_ONCE == BYTES_AT_ONCE - 1) \
    PUBLISH((bits)->follow, (bits)->passed + 1)
#define IGS_IMPLEMENTATION
#include "igs.h"

/* What compiled_coder.py compares, so that no older library is taken for this one. */
#define IGS_CODER_INTERFACE 6

/* Added to the bytes written once there come no more. */
#define END_OF_WRITING ((uint64_t)1 << 63)

/* A section's planes, and what is known of its items; compiled_coder.py has the same. */
typedef struct igs_coder_planes {
    uint32_t codec, section; /* 2 to 5; 3, 5 or 6. Or 6; 1 or 2 */
    uint32_t count, planes, across, down,
        gaussians;            /* of codec 6, sections 1 and 2: bytes, 1, channels, components, 0 */
    uint32_t writes;          /* 1: from values to bytes; 0: from bytes to values */
    const uint32_t* firsts;   /* [across * down + 1] first Gaussian of each cell; of section 3: not read */
    const int16_t* shapes;    /* [count][3] of section 6 */
    const int32_t* positions; /* [count][2] of section 6 */
    const int8_t* exponents;  /* [count][2] of section 6 */
    uint8_t* bytes;
    uint64_t size;
    int32_t* values;  /* [count][planes] off the planes' centres */
    uint64_t* follow; /* of codecs 2, 3 and 5: a writer says here how far it is, and a reader of the same bytes in
                         another thread waits for it; 0 before both begin. NULL: neither */
} igs_coder_planes;

EXPORTED int32_t igs_coder_interface(void);
EXPORTED int64_t igs_coder_run(const igs_coder_planes* call);

int32_t igs_coder_interface(void) { return IGS_CODER_INTERFACE; }

/* A byte behind those that a reader knows of: 0, or, of one beside a writer, the one that is written next. */
static uint32_t byte_of_writer(igs__bits* bits, size_t at) {
    if (bits->follow == NULL || bits->to != NULL) return 0;
    for (;;) {
        const uint64_t written = PUBLISHED(bits->follow);
        bits->size = (size_t)(written & ~END_OF_WRITING);
        if (at < bits->size) return bits->data[at];
        if (written & END_OF_WRITING) return 0;
        LET_OTHERS_RUN();
    }
}

static void begin_bits(const igs_coder_planes* call, igs__bits* bits) {
    const int follows = call->follow != NULL && !call->writes;
    int i;
    igs__bits_begin(bits, call->bytes, follows ? 0 : (size_t)call->size);
    if (call->writes) bits->to = call->bytes;
    bits->follow = call->follow;
    if (!follows) return;
    for (i = 0; i < 4; ++i) bits->x = bits->x << 8 | igs__byte(bits, (size_t)i);
}

static void copy_values(const igs_coder_planes* call, const igs__items* items, int out) {
    size_t n, k;
    for (n = 0; n < call->count; ++n)
        for (k = 0; k < call->planes; ++k) {
            int32_t* ours = items->values + n * items->item_step + k * items->plane_step;
            int32_t* theirs = call->values + n * call->planes + k;
            if (out) *theirs = *ours;
            else *ours = *theirs;
        }
}

static void describe(const igs_coder_planes* call, igs__items* items, uint32_t* cell_of) {
    uint32_t cell, n;
    if (call->section - 1 == IGS__CELLS) {
        igs__describe_cells(items, cell_of);
        return;
    }
    for (cell = 0; cell < call->across * call->down; ++cell)
        for (n = call->firsts[cell]; n < call->firsts[cell + 1]; ++n) cell_of[n] = cell;
    if (call->section - 1 == IGS__SHAPES) igs__describe_shapes(items, call->codec, call->firsts, cell_of);
    else
        igs__describe_features(
            items, call->codec, call->firsts, cell_of, call->shapes, call->positions, call->exponents
        );
}

static int64_t run_description(const igs_coder_planes* call) {
    igs__arena arena = {NULL, 0, 0};
    igs__model model;
    igs__description described;
    igs__bits bits;
    void* memory = NULL;
    uint32_t i;
    int pass;
    for (pass = 0; pass < 2; ++pass) {
        if (pass == 1) {
            arena.base = memory = (uint8_t*)malloc((size_t)arena.peak);
            if (memory == NULL) return -1;
            arena.used = 0;
        }
        igs__description_take(&model, &arena);
        described.data = IGS__ARRAY(&arena, uint8_t, (uint64_t)call->count);
    }
    described.section = call->section - 1;
    described.channels = call->across;
    described.components = call->down;
    described.size = call->count;
    igs__bits_begin(&bits, call->bytes, (size_t)call->size);
    for (i = 0; i < call->count; ++i) described.data[i] = (uint8_t)call->values[i];
    if (call->writes) bits.to = call->bytes;
    igs__code_description(&model, &bits, &described);
    if (call->writes && bits.passed < bits.size) bits.to[bits.passed] = (uint8_t)(bits.high >> 24);
    for (i = 0; i < call->count; ++i) call->values[i] = described.data[i];
    free(memory);
    return (int64_t)bits.passed + 1;
}

/* Codec 4; 0: the bytes are not what the planes take. */
static int64_t run_fast(const igs_coder_planes* call, igs__items* items) {
    igs__fast_stream stream;
    int exact;
    igs__fast_open(&stream, call->bytes, (size_t)call->size, call->writes ? items->steps : NULL);
    exact = igs__fast_code(items, &stream, call->section - 1, call->gaussians);
    if (call->writes) return (int64_t)igs__fast_close(&stream, call->bytes, (size_t)call->size);
    return exact || stream.x == IGS__FAST_STATE ? (int64_t)stream.at : 0;
}

static int64_t run(const igs_coder_planes* call) {
    igs__arena arena = {NULL, 0, 0};
    igs__items items;
    igs__bits bits;
    uint32_t* cell_of;
    void* memory;
    int pass;
    if (call->codec == IGS__DESCRIPTION) return run_description(call);
    for (pass = 0; pass < 2; ++pass) { /* measured, then handed out */
        if (pass == 1) {
            arena.base = memory = (uint8_t*)malloc((size_t)arena.peak);
            if (memory == NULL) return -1;
            arena.used = 0;
        }
        cell_of = IGS__ARRAY(&arena, uint32_t, (uint64_t)call->count + 1);
        igs__items_take(
            &items, &arena, call->codec, call->section - 1, call->count, call->planes, call->across, call->down
        );
    }
    describe(call, &items, cell_of);
    if (call->writes) copy_values(call, &items, 0);
    if (call->codec == IGS__FAST) {
        const int64_t used = run_fast(call, &items);
        if (!call->writes) copy_values(call, &items, 1);
        free(memory);
        return used;
    }
    begin_bits(call, &bits);
    igs__code_planes(&items, &bits, call->codec, call->section - 1);
    if (call->writes && bits.passed < bits.size) bits.to[bits.passed] = (uint8_t)(bits.high >> 24);
    if (!call->writes) copy_values(call, &items, 1);
    free(memory);
    return (int64_t)bits.passed + 1;
}

/* The bytes that the planes take, more than size where there is no room for them; -1: no memory. */
int64_t igs_coder_run(const igs_coder_planes* call) {
    const int64_t used = run(call);
    if (call->follow != NULL && call->writes) {
        const uint64_t written = used < 0 ? 0 : (uint64_t)used;
        PUBLISH(call->follow, (written < call->size ? written : call->size) | END_OF_WRITING);
    }
    return used;
}
