/* Loads every file that comes on stdin (u32 length, then its bytes, again and again) and prints each one's verdict.
 *
 * Every piece of memory has exactly the size that was asked for, so that the address sanitizer sees the first byte
 * beyond. Built with -DIGS_LIBFUZZER -fsanitize=fuzzer it is libFuzzer's target instead, which mends checksums first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define IGS_IMPLEMENTATION
#include "igs.h"

static size_t decompress(void *to, size_t room, const void *from, size_t size) {
    return ZSTD_decompress(to, room, from, size);
}

static uint64_t plain_bytes(const uint8_t *data) {
    uint64_t sum = 0;
    uint32_t i;
    for (i = 0; i < data[11]; ++i) sum += igs__u32(data + 52 + 16 * i + 4);
    return sum;
}

static igs_error verdict(const uint8_t *data, size_t size) {
    igs_info info;
    igs_file file;
    void *kept, *scratch;
    igs_error error = igs_measure(data, size, &info);
    if (error != IGS_OK) return error;
    if (info.kept_bytes + info.scratch_bytes > 48 * plain_bytes(data) + (8u << 20)) abort();
    kept = malloc(info.kept_bytes);
    scratch = malloc(info.scratch_bytes);
    error = igs_load(data, size, kept, info.kept_bytes, scratch, info.scratch_bytes, decompress, &file);
    if (error == IGS_OK && file.cell_firsts[info.cells_across * info.cells_down] != info.gaussians) abort();
    free(scratch);
    free(kept);
    return error;
}

#ifdef IGS_LIBFUZZER
static void put32(uint8_t *at, uint32_t value) {
    int i;
    for (i = 0; i < 4; ++i) at[i] = (uint8_t)(value >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *mended = (uint8_t *)malloc(size > 0 ? size : 1);
    const uint32_t sections = size > 12 && data[8] > 3 ? 7 : 6;
    const size_t front = 52 + 16 * (size_t)sections;
    size_t at = front + 4;
    uint32_t i;
    if (size > 0) memcpy(mended, data, size);
    if (size >= front + 4) {
        for (i = 0; i < sections; ++i) {
            const uint32_t stored = igs__u32(mended + 52 + 16 * i + 8);
            if (stored > size - at) break;
            put32(mended + 52 + 16 * i + 12, igs__crc32(mended + at, stored));
            at += stored;
        }
        put32(mended + front, igs__crc32(mended, front));
    }
    verdict(mended, size);
    free(mended);
    return 0;
}
#else
int main(void) {
    uint8_t length[4];
    while (fread(length, 1, 4, stdin) == 4) {
        const size_t size = igs__u32(length);
        uint8_t *data = (uint8_t *)malloc(size);
        if (fread(data, 1, size, stdin) != size) return 1;
        puts(igs_error_name(verdict(data, size)));
        free(data);
    }
    return 0;
}
#endif
