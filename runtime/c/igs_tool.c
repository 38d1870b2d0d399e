/* igs_tool: what igs.h gives, at a command line.
 *
 *     igs_tool info FILE.igs             what the file holds
 *     igs_tool time FILE.igs [RUNS]      how long it takes to load, in processor time without reading from disk
 *     igs_tool pack FILE.igs OUT         the buffer for shaders with the levels of a mip chain: docs/gpu-buffer.md
 *     igs_tool pack0 FILE.igs OUT        the same without levels, in a tenth of the time
 *     igs_tool codes FILE.igs OUT        what was decoded, as little-endian arrays one after another: cell_firsts,
 *                                        shapes, positions, exponents, features, offsets, feature_steps, basis
 *     igs_tool check FILE.igs...         one line for each: OK, or the name of the law that it breaks
 *
 * cc -std=c99 -O2 igs_tool.c -lzstd -lm -o igs_tool
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#define IGS_IMPLEMENTATION
#include "igs.h"
#define IGS_PACK_IMPLEMENTATION
#include "igs_pack.h"

typedef struct bytes {
    uint8_t* data;
    size_t size;
} bytes;

static bytes read_file(const char* path) {
    bytes file = {NULL, 0};
    FILE* stream = fopen(path, "rb");
    size_t room = 1 << 16;
    if (stream == NULL) return file;
    file.data = (uint8_t*)malloc(room);
    while (file.data != NULL) {
        uint8_t* grown;
        file.size += fread(file.data + file.size, 1, room - file.size, stream);
        if (file.size < room || file.size > IGS_MAX_FILE_BYTES) break;
        room *= 2;
        grown = (uint8_t*)realloc(file.data, room);
        if (grown == NULL) free(file.data);
        file.data = grown;
    }
    fclose(stream);
    return file;
}

static size_t decompress(void* to, size_t room, const void* from, size_t size) {
    return ZSTD_decompress(to, room, from, size);
}

/* A loaded file; kept is to be freed. */
static igs_error load(bytes data, igs_file* file, void** kept) {
    igs_info info;
    igs_error error = igs_measure(data.data, data.size, &info);
    void* scratch;
    *kept = NULL;
    if (error != IGS_OK) return error;
    *kept = malloc(info.kept_bytes);
    scratch = malloc(info.scratch_bytes);
    error = igs_load(data.data, data.size, *kept, info.kept_bytes, scratch, info.scratch_bytes, decompress, file);
    free(scratch);
    return error;
}

static void print_text(const char* text, size_t size) { /* names are untrusted: no control characters */
    size_t i;
    for (i = 0; i < size; ++i) putchar((unsigned char)text[i] < 32 || text[i] == 127 ? '?' : text[i]);
}

static void print_info(const igs_file* file, size_t size) {
    static const char* const transfers[] = {"linear", "sRGB", "log"};
    static const char* const formats[] = {"uint8", "uint16", "float16", "float32"};
    const igs_info* info = &file->info;
    uint32_t i;
    printf(
        "version %u, %u x %u texels, %u Gaussians, %u channels of %u components, %lu bytes\n", info->version,
        info->width, info->height, info->gaussians, info->channels, info->components, (unsigned long)size
    );
    printf(
        "repeats in x: %s, in y: %s; detail: %s; residual: %s; repeat: %s; exact samples: %s; needs Zstandard: %s\n",
        info->wrap_x ? "yes" : "no", info->wrap_y ? "yes" : "no", info->has_detail ? "yes" : "no",
        info->has_residual ? "yes" : "no", info->has_repeat ? "yes" : "no", info->is_exact ? "yes" : "no",
        info->needs_zstd ? "yes" : "no"
    );
    printf(
        "memory: %lu bytes kept, %lu while loading\n", (unsigned long)info->kept_bytes,
        (unsigned long)info->scratch_bytes
    );
    for (i = 0; i < file->map_count; ++i) {
        const igs_map* map = &file->maps[i];
        printf("map ");
        print_text(map->name, map->name_length);
        print_text(map->suffix, map->suffix_length);
        printf(": %u channels, %s, %s\n", map->channel_count, transfers[map->transfer], formats[map->sample_format]);
    }
}

/* The buffer of a file, to be freed; NULL where it is not made. */
static uint8_t* make_buffer(const igs_file* file, int with_levels, igs_pack* pack, igs_error* error) {
    uint8_t* buffer = NULL;
    void* scratch;
    *error = igs_pack_measure(file, with_levels, pack);
    if (*error != IGS_OK) return NULL;
    scratch = malloc(pack->scratch_bytes);
    *error = igs_pack_index(file, scratch, pack->scratch_bytes, pack);
    if (*error == IGS_OK) {
        buffer = (uint8_t*)malloc(pack->buffer_bytes);
        *error = igs_pack_write(file, pack, buffer, pack->buffer_bytes);
    }
    free(scratch);
    return buffer;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static igs_error print_times(bytes data, int runs) {
    double best = 1e9, measured = 1e9, packed[2] = {1e9, 1e9};
    igs_pack pack;
    igs_info info;
    igs_file file;
    igs_error error = igs_measure(data.data, data.size, &info);
    void *kept, *scratch;
    int run, levels;
    if (error != IGS_OK) return error;
    kept = malloc(info.kept_bytes);
    scratch = malloc(info.scratch_bytes);
    for (run = 0; run < runs && error == IGS_OK; ++run) {
        double start = seconds(), passed;
        igs_measure(data.data, data.size, &info);
        passed = seconds() - start;
        if (passed < measured) measured = passed;
        start = seconds();
        error = igs_load(data.data, data.size, kept, info.kept_bytes, scratch, info.scratch_bytes, decompress, &file);
        passed = seconds() - start;
        if (passed < best) best = passed;
        if (error != IGS_OK) break;
        for (levels = 0; levels < 2 && error == IGS_OK; ++levels) {
            start = seconds();
            free(make_buffer(&file, levels, &pack, &error));
            passed = seconds() - start;
            if (passed < packed[levels]) packed[levels] = passed;
        }
    }
    free(kept);
    free(scratch);
    if (error == IGS_OK)
        printf(
            "load %.3f ms, of which header and checksums %.3f ms; pack %.3f ms, with levels %.3f ms (best of %d)\n",
            1e3 * best, 1e3 * measured, 1e3 * packed[0], 1e3 * packed[1], runs
        );
    return error;
}

static int write_blocks(const igs_residual* layer, size_t channels, FILE* stream) {
    const size_t blocks = (size_t)layer->blocks_across * layer->blocks_down, m = layer->coefficients;
    return m == 0 ||
        (fwrite(layer->basis, 2, layer->components * channels, stream) == layer->components * channels &&
         fwrite(layer->counts, 1, blocks, stream) == blocks && fwrite(layer->places, 2, m, stream) == m &&
         fwrite(layer->values, 2, m, stream) == m);
}

static int write_codes(const igs_file* file, const char* path) {
    const igs_info* info = &file->info;
    const size_t n = info->gaussians, c = info->channels, k = info->components;
    const size_t samples = info->is_exact ? (size_t)info->width * info->height * c : 0;
    const igs_repeat* repeat = &file->repeat;
    const uint32_t lattice[7] = {repeat->period_x, repeat->period_y,     repeat->origin_x,  repeat->origin_y,
                                 repeat->shift,    repeat->cells_across, repeat->cells_down};
    const size_t weights = info->has_repeat ? (repeat->pictures - 1) * repeat->cells_across * repeat->cells_down : 0;
    FILE* stream = fopen(path, "wb");
    int done;
    if (stream == NULL) return 0;
    done = fwrite(file->cell_firsts, 4, (size_t)info->cells_across * info->cells_down + 1, stream) > 0 &&
        fwrite(file->shapes, 2, 3 * n, stream) == 3 * n && fwrite(file->positions, 4, 2 * n, stream) == 2 * n &&
        fwrite(file->exponents, 1, 2 * n, stream) == 2 * n && fwrite(file->features, 2, k * n, stream) == k * n &&
        fwrite(file->offsets, 2, c, stream) == c && fwrite(file->feature_steps, 4, k, stream) == k &&
        fwrite(file->basis, 2, k * c, stream) == k * c &&
        (samples == 0 || fwrite(file->exact.codes, 4, samples, stream) == samples) &&
        write_blocks(&file->residual, c, stream) && write_blocks(&repeat->blocks, c, stream) &&
        (!info->has_repeat ||
         (fwrite(lattice, 4, 7, stream) == 7 && fwrite(repeat->weights, 1, weights, stream) == weights));
    return fclose(stream) == 0 && done;
}

static int write_buffer(const igs_file* file, int with_levels, const char* path, igs_error* error) {
    igs_pack pack;
    uint8_t* buffer = make_buffer(file, with_levels, &pack, error);
    FILE* stream = *error == IGS_OK ? fopen(path, "wb") : NULL;
    int done = stream != NULL && fwrite(buffer, 1, pack.buffer_bytes, stream) == pack.buffer_bytes;
    if (stream != NULL && fclose(stream) != 0) done = 0;
    free(buffer);
    return done;
}

static int check_files(int count, char** paths) {
    int i;
    for (i = 0; i < count; ++i) {
        bytes data = read_file(paths[i]);
        igs_file file;
        void* kept;
        puts(igs_error_name(load(data, &file, &kept)));
        free(kept);
        free(data.data);
    }
    return 0;
}

int main(int count, char** arguments) {
    const char* command = count > 2 ? arguments[1] : "";
    bytes data;
    igs_file file;
    igs_error error;
    void* kept = NULL;
    int status = 0;
    if (strcmp(command, "check") == 0) return check_files(count - 2, arguments + 2);
    if (strcmp(command, "info") != 0 && strcmp(command, "time") != 0 &&
        ((strcmp(command, "codes") != 0 && strcmp(command, "pack") != 0 && strcmp(command, "pack0") != 0) ||
         count != 4)) {
        fputs(
            "usage: igs_tool info FILE | time FILE [RUNS] | pack[0] FILE OUT | codes FILE OUT | check FILE...\n", stderr
        );
        return 2;
    }
    data = read_file(arguments[2]);
    if (data.data == NULL) {
        fprintf(stderr, "igs_tool: %s cannot be read\n", arguments[2]);
        return 3;
    }
    error = load(data, &file, &kept);
    if (error == IGS_OK && command[0] == 'i') print_info(&file, data.size);
    if (error == IGS_OK && command[0] == 't') error = print_times(data, count > 3 ? atoi(arguments[3]) : 20);
    if (error == IGS_OK &&
        ((command[0] == 'c' && !write_codes(&file, arguments[3])) ||
         (command[0] == 'p' && !write_buffer(&file, command[4] != '0', arguments[3], &error) && error == IGS_OK))) {
        fprintf(stderr, "igs_tool: %s cannot be written\n", arguments[3]);
        status = 3;
    }
    if (error != IGS_OK) {
        fprintf(stderr, "igs_tool: %s: %s\n", arguments[2], igs_error_text(error));
        status = 4;
    }
    free(kept);
    free(data.data);
    return status;
}
