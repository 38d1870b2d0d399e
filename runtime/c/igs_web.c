/* igs_web.c: igs.h and igs_pack.h for a page. runtime/build_web.py makes igs.wasm of it, runtime/web/igs.js calls it.
 *
 * One file at a time: igs_web_room gives room for its bytes, igs_web_load decodes them and makes the GPU buffer, and what
 * igs_web_result points to holds until the next igs_web_room or igs_web_release. No imports, so that nothing but numbers
 * comes in from the page.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdlib.h>
#include <zstd.h>

#define IGS_IMPLEMENTATION
#include "igs.h"
#define IGS_PACK_IMPLEMENTATION
#include "igs_pack.h"

#define IGS_WEB_EXPORT(name) __attribute__((export_name(#name)))
#define IGS_WEB_NO_MEMORY IGS_ERROR_COUNT
#define IGS_WEB_MOST_MEMORY ((size_t)1 << 30) /* the linker is told the same */

/* What igs.js reads word by word; pointers are addresses in the module's memory. */
typedef struct igs_web_file {
    uint32_t version, width, height, channels, components, gaussians;
    uint32_t wrap_x, wrap_y, has_detail, is_exact;
    uint32_t map_count;
    const igs_map* maps;
    uint32_t buffer_bytes;
    const void* buffer;
    float cutoff, size_step, form_step;
    const int16_t* shapes;
    const int32_t* positions;
    const int8_t* exponents;
    uint32_t has_residual, has_repeat;
} igs_web_file;

/* igs.js has these numbers. */
_Static_assert(sizeof(igs_web_file) == 88 && sizeof(igs_map) == 32 && sizeof(igs_channel) == 8, "igs.js reads this");
_Static_assert(offsetof(igs_map, semantic) == 16 && offsetof(igs_map, lo) == 20, "igs.js reads this");
_Static_assert(offsetof(igs_map, channels) == 28 && offsetof(igs_channel, constant) == 4, "igs.js reads this");

static struct {
    void* data;
    size_t size;
    igs_web_file file;
} igs_web;

static size_t igs_web_unpack(void* to, size_t room, const void* from, size_t size) {
    return ZSTD_decompress(to, room, from, size);
}

/* Memory: taken from the end of what is there, given back all at once or down to a mark. One file at a time needs no more, and a
 * general allocator would be a tenth of the module. Zstandard asks malloc, too. */
extern unsigned char __heap_base;
static size_t igs_web_top;

void* malloc(size_t size) {
    const size_t first = igs_web_top, room = (size + 15) & ~(size_t)15, page = 65536;
    const size_t held = __builtin_wasm_memory_size(0) * page;
    if (room < size || room > IGS_WEB_MOST_MEMORY - first) return NULL;
    if (first + room > held && __builtin_wasm_memory_grow(0, (first + room - held + page - 1) / page) == (size_t)-1)
        return NULL;
    igs_web_top += room;
    return (void*)first;
}

void* calloc(size_t count, size_t size) {
    void* found = size > 0 && count > (size_t)-1 / size ? NULL : malloc(count * size);
    return found == NULL ? NULL : memset(found, 0, count * size);
}

void free(void* given) { (void)given; }

IGS_WEB_EXPORT(igs_web_release) void igs_web_release(void) {
    memset(&igs_web, 0, sizeof igs_web);
    igs_web_top = ((size_t)&__heap_base + 15) & ~(size_t)15;
}

/* To be called first. Without a call of what runs constructors, the linker has every export run them, and exit handlers. */
extern void __wasm_call_ctors(void);
IGS_WEB_EXPORT(_initialize) void igs_web_initialize(void) {
    __wasm_call_ctors();
    igs_web_release();
}

/* Room for a file's bytes; 0 where there is none. */
IGS_WEB_EXPORT(igs_web_room) void* igs_web_room(size_t size) {
    igs_web_release();
    igs_web.data = malloc(size > 0 ? size : 1);
    igs_web.size = size;
    return igs_web.data;
}

static igs_error igs_web_pack(const igs_file* file, int with_levels) {
    igs_pack pack;
    void *scratch, *buffer;
    IGS__TRY(igs_pack_measure(file, with_levels, &pack));
    scratch = malloc(pack.scratch_bytes);
    if (scratch == NULL) return IGS_WEB_NO_MEMORY;
    IGS__TRY(igs_pack_index(file, scratch, pack.scratch_bytes, &pack));
    buffer = malloc(pack.buffer_bytes);
    if (buffer == NULL) return IGS_WEB_NO_MEMORY;
    igs_web.file.buffer_bytes = (uint32_t)pack.buffer_bytes;
    igs_web.file.buffer = buffer;
    return igs_pack_write(file, &pack, buffer, pack.buffer_bytes);
}

/* 0, the number of a law as in IGS_ERRORS, or the number after the last where memory ends. */
IGS_WEB_EXPORT(igs_web_load) int igs_web_load(int with_levels) {
    igs_info info;
    igs_file file;
    void *kept, *scratch;
    size_t mark;
    igs_error error = igs_measure(igs_web.data, igs_web.size, &info);
    if (error != IGS_OK) return (int)error;
    kept = malloc(info.kept_bytes);
    mark = igs_web_top;
    scratch = malloc(info.scratch_bytes);
    if (kept == NULL || scratch == NULL) return IGS_WEB_NO_MEMORY;
    error =
        igs_load(igs_web.data, igs_web.size, kept, info.kept_bytes, scratch, info.scratch_bytes, igs_web_unpack, &file);
    igs_web_top = mark;
    if (error == IGS_OK) error = igs_web_pack(&file, with_levels);
    if (error != IGS_OK) return (int)error;
    igs_web.file.version = info.version;
    igs_web.file.width = info.width;
    igs_web.file.height = info.height;
    igs_web.file.channels = info.channels;
    igs_web.file.components = info.components;
    igs_web.file.gaussians = info.gaussians;
    igs_web.file.wrap_x = (uint32_t)info.wrap_x;
    igs_web.file.wrap_y = (uint32_t)info.wrap_y;
    igs_web.file.has_detail = (uint32_t)info.has_detail;
    igs_web.file.has_residual = (uint32_t)info.has_residual;
    igs_web.file.has_repeat = (uint32_t)info.has_repeat;
    igs_web.file.is_exact = (uint32_t)info.is_exact;
    igs_web.file.map_count = file.map_count;
    igs_web.file.maps = file.maps;
    igs_web.file.cutoff = info.cutoff;
    igs_web.file.size_step = info.size_step;
    igs_web.file.form_step = info.form_step;
    igs_web.file.shapes = file.shapes;
    igs_web.file.positions = file.positions;
    igs_web.file.exponents = file.exponents;
    return 0;
}

IGS_WEB_EXPORT(igs_web_result) const igs_web_file* igs_web_result(void) { return &igs_web.file; }

/* Both end with a zero. */
IGS_WEB_EXPORT(igs_web_error_name) const char* igs_web_error_name(uint32_t error) {
    return error == IGS_WEB_NO_MEMORY ? "NO_MEMORY" : igs_error_name((igs_error)error);
}

IGS_WEB_EXPORT(igs_web_error_text) const char* igs_web_error_text(uint32_t error) {
    return error == IGS_WEB_NO_MEMORY ? "the file takes more memory than this page gets"
                                      : igs_error_text((igs_error)error);
}
