/* Loads every file that comes on stdin (u32 length, then its bytes, again and again) and prints each one's verdict.
 *
 * Every piece of memory has exactly the size that was asked for, so that the address sanitizer sees the first byte
 * beyond. Built with -DIGS_LIBFUZZER -fsanitize=fuzzer it is libFuzzer's target instead, which mends checksums first; with
 * -DIGS_MUTATIONS it damages files itself, some thousand a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define IGS_IMPLEMENTATION
#include "igs.h"
#define IGS_PACK_IMPLEMENTATION
#include "igs_pack.h"

static size_t decompress(void* to, size_t room, const void* from, size_t size) {
    return ZSTD_decompress(to, room, from, size);
}

#define MOST_SCRATCH (1u << 28)
#define MOST_DRAWN (1u << 15) /* Gaussians in a tile, each up to 4096 texels */

/* What igs.h promises to stay below. */
static uint64_t most_bytes(const uint8_t* data) {
    uint64_t sum = 8u << 20;
    uint32_t i;
    for (i = 0; i < data[11]; ++i) {
        const uint8_t* entry = data + 52 + 16 * i;
        const uint32_t id = entry[0] - 1u, more = id == IGS__RESIDUAL ? 160 : id == IGS__REPEAT ? 1400 : 0;
        sum += (48 + more) * (uint64_t)igs__u32(entry + 4);
        sum += id == IGS__RESIDUAL ? 18u << 20 : id == IGS__REPEAT ? 26u << 20 : 0;
    }
    return sum;
}

/* Makes the buffer as well; whether an index can hold it is no verdict on the file. */
static void pack(const igs_file* file, int with_levels) {
    igs_pack packing;
    void* scratch;
    if (igs_pack_measure(file, with_levels, &packing) != IGS_OK) return;
    if (packing.scratch_bytes > MOST_SCRATCH || packing.most_drawn > MOST_DRAWN)
        return; /* lawful, but not within the sanitizer's memory, or its time */
    scratch = malloc(packing.scratch_bytes);
    if (igs_pack_index(file, scratch, packing.scratch_bytes, &packing) == IGS_OK) {
        void* buffer = malloc(packing.buffer_bytes);
        if (igs_pack_write(file, &packing, buffer, packing.buffer_bytes) != IGS_OK) abort();
        free(buffer);
    }
    free(scratch);
}

static igs_error verdict(const uint8_t* data, size_t size) {
    igs_info info;
    igs_file file;
    void *kept, *scratch;
    igs_error error = igs_measure(data, size, &info);
    if (error != IGS_OK) return error;
    if (info.kept_bytes + info.scratch_bytes > most_bytes(data)) abort();
    kept = malloc(info.kept_bytes);
    scratch = malloc(info.scratch_bytes);
    error = igs_load(data, size, kept, info.kept_bytes, scratch, info.scratch_bytes, decompress, &file);
    if (error == IGS_OK && file.cell_firsts[info.cells_across * info.cells_down] != info.gaussians) abort();
    if (error == IGS_OK) {
        pack(&file, 0);
        pack(&file, 1);
    }
    free(scratch);
    free(kept);
    return error;
}

#if defined(IGS_LIBFUZZER) || defined(IGS_MUTATIONS)
static void put32(uint8_t* at, uint32_t value) {
    int i;
    for (i = 0; i < 4; ++i) at[i] = (uint8_t)(value >> (8 * i));
}

/* Makes the checksums fit. */
static void mend(uint8_t* data, size_t size) {
    const uint32_t sections = size > 11 && data[11] <= IGS__MOST_SECTIONS ? data[11] : 6;
    const size_t front = 52 + 16 * (size_t)sections;
    size_t at = front + 4;
    uint32_t i;
    if (size < front + 4) return;
    for (i = 0; i < sections; ++i) {
        const uint32_t stored = igs__u32(data + 52 + 16 * i + 8);
        if (stored > size - at) break;
        put32(data + 52 + 16 * i + 12, igs__crc32(data + at, stored));
        at += stored;
    }
    put32(data + front, igs__crc32(data, front));
}
#endif

#if defined(IGS_LIBFUZZER)
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint8_t* mended = (uint8_t*)malloc(size > 0 ? size : 1);
    if (size > 0) memcpy(mended, data, size);
    mend(mended, size);
    verdict(mended, size);
    free(mended);
    return 0;
}
#elif defined(IGS_MUTATIONS)
static uint32_t draw(uint64_t* state, uint32_t below) { /* Vigna's xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 2685821657736338717u) >> 32) % below;
}

/* Changes bytes, or takes some away from a section or adds some to it, whose length the table is told. */
static size_t damage(uint8_t* data, size_t size, uint64_t* state) {
    const uint32_t edits = 1 + draw(state, 3) * draw(state, 3);
    const size_t front = 52 + 16 * (size_t)data[11] + 4;
    uint32_t edit;
    for (edit = 0; edit < edits; ++edit) {
        const int of_front = draw(state, 5) == 0;
        size_t at = of_front ? 8 + draw(state, (uint32_t)front - 8) : front + draw(state, (uint32_t)(size - front));
        switch (draw(state, of_front ? 3 : 4)) {
            case 0: data[at] ^= (uint8_t)(1u << draw(state, 8)); break;
            case 1: data[at] = (uint8_t)draw(state, 256); break;
            case 2: data[at] = (uint8_t)(draw(state, 2) ? 255 : 0); break;
            default: {
                /* An edit before may have left the table no sections. */
                const uint32_t section = draw(state, data[11] ? data[11] : 1), bytes = 1 + draw(state, 4);
                uint8_t* length = data + 52 + 16 * section + 8;
                size_t start = front;
                uint32_t i;
                for (i = 0; i < section; ++i) start += igs__u32(data + 52 + 16 * i + 8);
                if (start + igs__u32(length) > size || igs__u32(length) <= bytes) break;
                at = start + draw(state, igs__u32(length) - bytes);
                if (draw(state, 2)) {
                    memmove(data + at, data + at + bytes, size - at - bytes);
                    put32(length, igs__u32(length) - bytes);
                    size -= bytes;
                } else {
                    memmove(data + at + bytes, data + at, size - at);
                    put32(length, igs__u32(length) + bytes);
                    size += bytes;
                }
            }
        }
    }
    return size;
}

/* mutations COUNT SEED FILE...: how often each verdict comes */
int main(int count, char** arguments) {
    const uint32_t rounds = (uint32_t)atol(arguments[1]);
    uint64_t state = 88172645463325252u + (uint64_t)atol(arguments[2]);
    uint32_t verdicts[IGS_ERROR_COUNT] = {0}, i;
    for (i = 0; i < rounds; ++i) {
        FILE* stream = fopen(arguments[3 + draw(&state, (uint32_t)count - 3)], "rb");
        uint8_t room[1 << 16], *data;
        size_t size = fread(room, 1, sizeof room - 64, stream);
        fclose(stream);
        size = damage(room, size, &state);
        mend(room, size);
        data = (uint8_t*)malloc(size);
        memcpy(data, room, size);
        ++verdicts[verdict(data, size)];
        free(data);
    }
    for (i = 0; i < IGS_ERROR_COUNT; ++i)
        if (verdicts[i] > 0) printf("%s %u\n", igs_error_name((igs_error)i), verdicts[i]);
    return 0;
}
#else
int main(void) {
    uint8_t length[4];
    while (fread(length, 1, 4, stdin) == 4) {
        const size_t size = igs__u32(length);
        uint8_t* data = (uint8_t*)malloc(size);
        if (fread(data, 1, size, stdin) != size) return 1;
        puts(igs_error_name(verdict(data, size)));
        free(data);
    }
    return 0;
}
#endif
