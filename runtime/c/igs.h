/* igs.h: reads .igs files, one material each: a set of 2D Gaussians that all of its channels share.
 *
 * In ONE source file of a program:
 *     #define IGS_IMPLEMENTATION
 *     #include "igs.h"
 * Everywhere else include it as it is. C99 or C++17, no other file, the C library's memcpy and math functions.
 *
 *     igs_info info;
 *     igs_error error = igs_measure(data, size, &info);          sizes, before any memory is asked for
 *     if (error == IGS_OK) {
 *         void *kept = malloc(info.kept_bytes), *scratch = malloc(info.scratch_bytes);
 *         igs_file file;
 *         error = igs_load(data, size, kept, info.kept_bytes, scratch, info.scratch_bytes, ZSTD_decompress, &file);
 *         free(scratch);                                         file points into kept, and nowhere else
 *     }
 *     if (error != IGS_OK) puts(igs_error_text(error));
 *
 * Nothing is allocated, printed, read or kept in globals here: any thread may load any file at any time, and the same
 * scratch may serve one file after another. Memory should begin where malloc's does (at a multiple of 16 bytes).
 *
 * A file is bytes that anybody may have made. Every law of docs/igs-format.md is checked, each has an error of its own,
 * and a file that breaks one is refused as a whole. kept_bytes and scratch_bytes follow from checked lengths: together
 * at most 48 bytes for each byte of the sections' plain forms (which are at most 512 times the file, and 2^27) and 8 MB; of a
 * residual 160 bytes for each, and 18 MB; of a repeat 1400 bytes for each, and 26 MB.
 *
 * Zstandard: sections of codec 1 are Zstandard frames, and this file has no decoder for them. Hand in libzstd's
 * ZSTD_decompress (also of its single-file decoder, zstddeclib.c), or a function of yours with its signature; it gets
 * frames of which the size is known and checked. NULL will do for files that need none: igs_info.needs_zstd.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IGS_H
#define IGS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IGS_MAX_CHANNELS 32
#define IGS_MAX_FILE_BYTES (1u << 28)

/* name, what it means; in the order in which laws are checked, but that some are of several sections */
#define IGS_ERRORS(X)                                                                         \
    X(OK, "no error")                                                                         \
    X(ARGUMENT, "igs_load got less memory than igs_measure asks for, or another file")        \
    X(NO_ZSTD, "the file has Zstandard frames, and no function to decompress them was given") \
    X(FILE_LARGE, "larger than any .igs file")                                                \
    X(NOT_IGS, "not an .igs file")                                                            \
    X(VERSION, "a version that this reader does not know")                                    \
    X(HEADER_SHORT, "the file ends within its header")                                        \
    X(HEADER_CRC, "the header's checksum does not match")                                     \
    X(KERNEL, "an unknown kernel")                                                            \
    X(SECTION_COUNT, "another number of sections than the version has")                       \
    X(WRAP, "unknown wrap flags")                                                             \
    X(RESERVED, "reserved bytes of the header are not zero")                                  \
    X(SIZE, "width or height is outside 1..16384")                                            \
    X(CHANNELS, "the channel count is outside 1..32")                                         \
    X(COMPONENTS, "the component count is outside 1..channels")                               \
    X(GAUSSIANS, "the number of Gaussians is outside 1..4194304")                             \
    X(CUTOFF, "the cut-off is out of range")                                                  \
    X(POSITION_RATIO, "the position ratio is out of range")                                   \
    X(SIZE_STEP, "the size step is out of range")                                             \
    X(FORM_STEP, "the form step is out of range")                                             \
    X(BASIS_SCALE, "the basis scale is out of range")                                         \
    X(FEATURE_EXPONENT, "the feature exponent is out of range")                               \
    X(CELL_LOG2, "cell log2 is outside 2..8")                                                 \
    X(CELL_COUNT, "too many cells for so few Gaussians")                                      \
    X(TABLE, "an entry of the section table is not that of its section")                      \
    X(CODEC, "a section has an unknown codec")                                                \
    X(EXPANSION, "a section claims to grow beyond reason")                                    \
    X(SECTIONS_LARGE, "the sections are too large together")                                  \
    X(FILE_LENGTH, "the file has not the length that its header says")                        \
    X(SECTION_CRC, "the checksum of a section does not match")                                \
    X(ZSTD_FRAME, "a section is not one Zstandard frame of its raw length")                   \
    X(PLAIN_LENGTH, "a plain section has not its raw length")                                 \
    X(MAP_COUNT, "the number of maps is outside 1..256")                                      \
    X(MAPS_SHORT, "section maps ends within a map")                                           \
    X(MAPS_LONG, "section maps goes on after its last map")                                   \
    X(MAP_NAME_LENGTH, "the length of a map's name is outside 1..1024")                       \
    X(MAP_NAME_UTF8, "a map's name is not UTF-8")                                             \
    X(MAP_SUFFIX_LENGTH, "a map's suffix has more than 16 bytes")                             \
    X(MAP_SUFFIX_ASCII, "a map's suffix is not ASCII")                                        \
    X(MAP_SEMANTIC, "an unknown semantic")                                                    \
    X(MAP_TRANSFER, "an unknown transfer function")                                           \
    X(MAP_SAMPLE_FORMAT, "an unknown sample format")                                          \
    X(MAP_CHANNELS, "a map's channel count is outside 1..32")                                 \
    X(ROUTE_KIND, "a route of an unknown kind")                                               \
    X(ROUTE_INDEX, "a map uses a coded channel that is not there")                            \
    X(MAP_RANGE, "a map without the log transfer has a range other than 0 to 1")              \
    X(LOG_RANGE, "a log range is not an increasing pair of finite numbers")                   \
    X(CONSTANT, "a constant is not finite")                                                   \
    X(UNIT_Z, "the z of a unit normal without an x and a y before it")                        \
    X(COMPONENTS_LENGTH, "section components has not the length that the header implies")     \
    X(FEATURE_STEP, "a feature step is out of range")                                         \
    X(PLANE_WIDTH, "a plane has neither 1 nor 2 bytes per code")                              \
    X(CELLS_SHORT, "section cells is shorter than one byte per cell")                         \
    X(TOO_MANY_CODES, "a section has too many codes for its codec")                           \
    X(CODED_LENGTH, "a section is not exactly what its codes take")                           \
    X(CODE_RANGE, "a code is out of range")                                                   \
    X(CELLS_LENGTH, "section cells has not the length that its counts take")                  \
    X(CELLS_SUM, "section cells does not count every Gaussian once")                          \
    X(SHAPES_LENGTH, "section shapes has not the length that its planes take")                \
    X(GAUSSIAN_SIZE, "a Gaussian's size is out of range")                                     \
    X(GAUSSIAN_THIN, "a Gaussian is thinner than allowed")                                    \
    X(GAUSSIAN_REACH, "a support reaches farther than 64 pictures that repeat")               \
    X(POSITION_TIE, "a position exponent lies on a rounding tie")                             \
    X(POSITIONS_LENGTH, "section positions has not the length that the shapes imply")         \
    X(MEAN_OUTSIDE, "a Gaussian lies outside the picture")                                    \
    X(POSITIONS_FILL, "section positions is not filled up with zeros")                        \
    X(FEATURES_LENGTH, "section features has not the length that its planes take")            \
    X(DETAIL_SHORT, "section detail ends within its head")                                    \
    X(DETAIL_COMPONENTS, "the number of noise components is out of range")                    \
    X(DETAIL_GRID, "the envelope's size is outside 1..64")                                    \
    X(DETAIL_RELIEF, "relief of section detail is above 2")                                   \
    X(DETAIL_LENGTH, "section detail has not the length that its head implies")               \
    X(DETAIL_CODE, "an envelope code is out of range")                                        \
    X(EXACT_DETAIL, "a file of exact samples has no detail")                                  \
    X(EXACT_SHORT, "section exact samples ends within its head")                              \
    X(EXACT_WIDTH, "a sample of section exact samples is not 1..3 bytes")                     \
    X(EXACT_FILTER, "an unknown filter of section exact samples")                             \
    X(EXACT_LENGTH, "section exact samples has not the length that its head implies")         \
    X(EXACT_BETWEEN, "a channel of section exact samples counts from one of another width")   \
    X(RESIDUAL_EXACT, "a file of exact samples has no residual")                              \
    X(RESIDUAL_SHORT, "section residual ends within its head")                                \
    X(RESIDUAL_RESERVED, "reserved bytes of section residual are not zero")                   \
    X(BLOCKS_SIDE, "blocks of residual or repeat are not 4, 8 or 16 texels wide")             \
    X(BLOCKS_OFFSET, "an offset of residual or repeat is outside -64..64")                    \
    X(BLOCKS_STEP, "the step of residual or repeat is out of range")                          \
    X(BLOCKS_COMPONENTS, "the number of components of residual or repeat is out of range")    \
    X(BLOCKS_EMPTY, "residual or repeat has no coefficient")                                  \
    X(BLOCKS_COUNT, "residual or repeat has more coefficients than its blocks may hold")      \
    X(BLOCKS_MANY, "residual or repeat has too many blocks for so few coefficients")          \
    X(BLOCKS_LENGTH, "residual or repeat is shorter than its coefficients")                   \
    X(BLOCKS_CODES, "residual or repeat is not what its codes take")                          \
    X(REPEAT_EXACT, "a file of exact samples has no repeat")                                  \
    X(REPEAT_SHORT, "section repeat ends within its head")                                    \
    X(REPEAT_PERIOD, "a period of section repeat is outside 1..16384")                        \
    X(REPEAT_ORIGIN, "the origin or the shift of section repeat is not within a period")      \
    X(REPEAT_PICTURES, "section repeat has more than 32 pictures")                            \
    X(REPEAT_COMPONENTS, "blocks of section repeat have more than 255 components")            \
    X(REPEAT_LARGE, "the pictures of section repeat are too large together")                  \
    X(REPEAT_WEIGHT_COUNT, "section repeat has too many weights")                             \
    X(REPEAT_NO_PICTURE, "section repeat has weights of no picture")                          \
    X(REPEAT_WEIGHTS, "the weights of section repeat are not what they take")                 \
    X(REPEAT_WEIGHT_RANGE, "a weight of section repeat is out of range")                      \
    X(INDEX_LIMIT, "the supports are beyond what an index can hold: igs_pack.h")

typedef enum igs_error {
#define IGS_ENUM(name, text) IGS_##name,
    IGS_ERRORS(IGS_ENUM)
#undef IGS_ENUM
        IGS_ERROR_COUNT
} igs_error;

/* What the header says, each number within its law, and what loading takes. */
typedef struct igs_info {
    uint32_t version;       /* 1..4 */
    uint32_t width, height; /* texels, 1..16384 */
    uint32_t channels;      /* C, 1..32 */
    uint32_t components;    /* K, 1..C */
    uint32_t gaussians;     /* N, 1..2^22 */
    float cutoff;           /* q at which a support ends */
    float position_ratio;   /* position step over the Gaussian's own width */
    float size_step;        /* of m */
    float form_step;        /* of h and b */
    float basis_scale;
    uint32_t cell_log2; /* cells are 2^cell_log2 texels wide and high */
    uint32_t cells_across, cells_down;
    int wrap_x, wrap_y;        /* whether the picture repeats */
    uint32_t feature_exponent; /* alpha in sixteenths, 0..32 */
    int needs_zstd;            /* whether any section is a Zstandard frame */
    int has_detail;
    int has_residual;
    int has_repeat;
    int is_exact;         /* whether the picture is samples, not Gaussians */
    size_t kept_bytes;    /* what igs_load needs for what it gives */
    size_t scratch_bytes; /* and for the time it runs */
} igs_info;

enum { /* what maps and channels mean */
       IGS_DATA,
       IGS_BASE_COLOUR,
       IGS_NORMAL,
       IGS_ROUGHNESS,
       IGS_GLOSS,
       IGS_METALLIC,
       IGS_OCCLUSION,
       IGS_HEIGHT,
       IGS_OPACITY,
       IGS_EMISSIVE,
       IGS_SPECULAR,
       IGS_IMAGE,
       IGS_MASK,
       IGS_SUBSURFACE,
       IGS_TRANSMISSION,
       IGS_CLEARCOAT,
       IGS_SHEEN,
       IGS_ANISOTROPY,
       IGS_CAVITY,
       IGS_SEMANTICS /* how many there are */
};
enum { IGS_CODED, IGS_CONSTANT_VALUE, IGS_UNIT_Z_VALUE };
enum { IGS_LINEAR, IGS_SRGB, IGS_LOG };
enum { IGS_UINT8, IGS_UINT16, IGS_FLOAT16, IGS_FLOAT32 };

typedef struct igs_channel {
    uint8_t semantic; /* IGS_DATA ... */
    uint8_t kind;     /* IGS_CODED, IGS_CONSTANT_VALUE or IGS_UNIT_Z_VALUE */
    uint8_t index;    /* coded: channel of the picture */
    float constant;   /* constant: the sample's value */
} igs_channel;

typedef struct igs_map {
    const char* name;   /* UTF-8, name_length bytes and NO zero after them; untrusted: never a path */
    const char* suffix; /* ASCII such as .png, likewise */
    uint32_t name_length, suffix_length;
    uint8_t semantic, transfer, sample_format, channel_count;
    float lo, hi; /* of the log transfer */
    const igs_channel* channels;
} igs_map;

/* Noise as codes: docs/igs-format.md, "Section 7: detail". */
typedef struct igs_detail {
    uint32_t components, columns, rows;
    uint32_t relief;         /* texels between three places of a height, the first three components; 0: none */
    const uint8_t* bands;    /* [components][8] */
    const uint8_t* scales;   /* [C] */
    const int8_t* mixing;    /* [C][components] */
    const int16_t* slopes;   /* [components][C] */
    const uint8_t* envelope; /* [rows][columns] */
} igs_detail;

/* Exact samples: docs/igs-format.md, "Section 8: exact samples". */
typedef struct igs_exact {
    const uint32_t* codes;       /* [height][width][C], 0..256^bytes - 1 */
    const uint8_t* sample_bytes; /* [2 C]: bytes of channel c at 2 c */
} igs_exact;

/* Blocks of cosines that are added to the Gaussians' picture: docs/igs-format.md, "Section 9: residual". */
typedef struct igs_residual {
    uint32_t side_log2;    /* blocks are 2^side_log2 texels wide and high, 2..4 */
    uint32_t components;   /* K', 1..C */
    uint32_t coefficients; /* M, 1..2^25 */
    uint32_t blocks_across, blocks_down;
    int8_t offsets[3]; /* of values 1, 2 and more, away from 0, in 1/128 */
    float step;
    const int16_t* basis;   /* [K'][C] / 32767 */
    const uint8_t* counts;  /* [blocks] coefficients of each, 0..128; row by row */
    const uint16_t* places; /* [M] component * 4^side_log2 + place along the diagonals; ascending in a block */
    const int16_t* values;  /* [M] -16384..16384, not 0 */
} igs_residual;

/* Pictures of a lattice's cell, and how much each cell has of them: docs/igs-format.md, "Section 10: repeat". */
typedef struct igs_repeat {
    igs_residual blocks;         /* of a cell; of (V + 1) K' components, v K' + k is component k of picture v */
    uint32_t pictures;           /* V + 1, 1..32 */
    uint32_t period_x, period_y; /* texels of a cell */
    uint32_t origin_x, origin_y; /* where the picture begins in the first cell */
    uint32_t shift;              /* texels by which each row of cells begins further left */
    uint32_t cells_across, cells_down;
    const int8_t* weights; /* [V][cells_down][cells_across] / 64 of the pictures but the first */
} igs_repeat;

typedef struct igs_file {
    igs_info info;
    const igs_map* maps;
    uint32_t map_count;
    const uint16_t* offsets;     /* [C] / 65535 */
    const float* feature_steps;  /* [K] */
    const int16_t* basis;        /* [K][C] * basis_scale / 32767 */
    const uint32_t* cell_firsts; /* [cells + 1]: Gaussians of cell i are cell_firsts[i] to cell_firsts[i + 1] - 1 */
    const int16_t* shapes;       /* [N][3] codes of m, h, b */
    const int32_t* positions;    /* [N][2] codes from the picture's corner: mean = (code + 1/2) * 2^exponent texels */
    const int8_t* exponents;     /* [N][2] of the position steps */
    const int16_t* features;     /* [N][K] codes */
    igs_detail detail;           /* where info.has_detail */
    igs_residual residual;       /* where info.has_residual */
    igs_repeat repeat;           /* where info.has_repeat */
    igs_exact exact;             /* where info.is_exact */
} igs_file;

/* As ZSTD_decompress: returns the decompressed size, anything else on failure. */
typedef size_t (*igs_zstd_decompress)(void* to, size_t room, const void* from, size_t size);

/* Checks header, section table, lengths and checksums, and says how much memory the rest takes. */
igs_error igs_measure(const void* data, size_t size, igs_info* info);

/* Checks and decodes everything. Scratch may be reused or freed afterwards, data too. */
igs_error igs_load(
    const void* data, size_t size, void* kept, size_t kept_bytes, void* scratch, size_t scratch_bytes,
    igs_zstd_decompress zstd, igs_file* file
);

const char* igs_error_name(igs_error error); /* such as "HEADER_CRC" */
const char* igs_error_text(igs_error error); /* such as "the header's checksum does not match" */

#ifdef __cplusplus
}
#endif
#endif /* IGS_H */

#ifdef IGS_IMPLEMENTATION
#undef IGS_IMPLEMENTATION

#include <math.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Right shifts of negative numbers are arithmetic, as every compiler in use has them. */
#if defined(__GNUC__)
#define IGS__HOT static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define IGS__HOT static __forceinline
#else
#define IGS__HOT static
#endif
/* Where a program shall be small, only what every decision of codec 4 takes is copied to where it is called: 8 KB of igs.wasm. */
#if defined(__OPTIMIZE_SIZE__)
#define IGS__INLINE static
#else
#define IGS__INLINE IGS__HOT
#endif

#if defined(__GNUC__)
#define IGS__UNROLLED _Pragma("GCC unroll 8")
#define IGS__PREFETCH(address) __builtin_prefetch(address)
#define IGS__OPAQUE(value) __asm__("" : "+r"(value))
#else
#define IGS__UNROLLED
#define IGS__PREFETCH(address) ((void)0)
#define IGS__OPAQUE(value) ((void)0)
#endif

typedef char igs__shifts_are_arithmetic[((-3) >> 1) == -2 ? 1 : -1];

enum { IGS__ZSTD = 1, IGS__CONTEXT = 2, IGS__PREDICTION = 3, IGS__FAST = 4, IGS__TRAINED = 5, IGS__DESCRIPTION = 6 };
enum {
    IGS__MAPS,
    IGS__COMPONENTS,
    IGS__CELLS,
    IGS__POSITIONS,
    IGS__SHAPES,
    IGS__FEATURES,
    IGS__DETAIL,
    IGS__EXACT,
    IGS__RESIDUAL,
    IGS__REPEAT
};
#define IGS__SECTIONS 10
#define IGS__MOST_SECTIONS 9u /* of one file: exact samples are alone */
#define IGS__HEADER_BYTES 52
#define IGS__ENTRY_BYTES 16
#define IGS__MAX_RAW_BYTES (1u << 27)
#define IGS__MOST_PREDICTED (1u << 22)
#define IGS__LEAST_MAP_BYTES 18
#define IGS__BLOCK 65536u /* Gaussians whose laws are checked together */

#define IGS__TRY(expression)                         \
    do {                                             \
        igs_error igs__error = (expression);         \
        if (igs__error != IGS_OK) return igs__error; \
    } while (0)
#define IGS__REQUIRE(holds, law)        \
    do {                                \
        if (!(holds)) return IGS_##law; \
    } while (0)

const char* igs_error_name(igs_error error) {
    static const char* const names[] = {
#define IGS__NAME(name, text) #name,
        IGS_ERRORS(IGS__NAME)
#undef IGS__NAME
    };
    return (unsigned)error < IGS_ERROR_COUNT ? names[error] : "UNKNOWN";
}

const char* igs_error_text(igs_error error) {
    static const char* const texts[] = {
#define IGS__TEXT(name, text) text,
        IGS_ERRORS(IGS__TEXT)
#undef IGS__TEXT
    };
    return (unsigned)error < IGS_ERROR_COUNT ? texts[error] : "unknown error";
}

/* ---- bytes and memory ------------------------------------------------------------------------------------------- */

static uint32_t igs__u16(const uint8_t* at) { return (uint32_t)at[0] | (uint32_t)at[1] << 8; }
static uint32_t igs__u32(const uint8_t* at) { return igs__u16(at) | igs__u16(at + 2) << 16; }

static int32_t igs__i16(const uint8_t* at) {
    const int32_t value = (int32_t)igs__u16(at);
    return value < 32768 ? value : value - 65536;
}

static float igs__f32(const uint8_t* at) {
    const uint32_t bits = igs__u32(at);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Base-2 logarithm of a positive normal number by the last terms of a series: by ten the error is below 1e-15 of the larger of
 * itself and 1, by five below 3e-9. The C library's has a table of 2 KB, and is not the same everywhere. */
static double igs__log2_by(double x, int terms) {
    static const double series[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                    1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
    double share, square, sum = 0.0;
    uint64_t bits;
    int64_t exponent;
    int i;
    memcpy(&bits, &x, sizeof bits);
    exponent = (int64_t)(bits - 0x3FE6A09E00000000u) >> 52; /* x is 2^exponent times sqrt(1/2) to sqrt(2) */
    bits -= (uint64_t)exponent << 52;
    memcpy(&x, &bits, sizeof x);
    share = (x - 1.0) / (x + 1.0);
    square = share * share;
    for (i = 10 - terms; i < 10; ++i) sum = sum * square + series[i];
    return (double)exponent + 2.8853900817779268147 * share * sum; /* 2 / ln 2 */
}

static double igs__log2(double x) { return igs__log2_by(x, 10); }

/* CRC-32 by eight bytes at a time: tables[j] is what a byte does j bytes further on. */
static uint32_t igs__crc32(const uint8_t* data, size_t size) {
    uint32_t tables[8][256], crc = 0xFFFFFFFFu, i;
    int j;
    for (i = 0; i < 256; ++i) {
        uint32_t rest = i;
        for (j = 0; j < 8; ++j) rest = rest >> 1 ^ (0xEDB88320u & (0u - (rest & 1)));
        tables[0][i] = rest;
    }
    for (i = 0; i < 256; ++i)
        for (j = 1; j < 8; ++j) tables[j][i] = tables[j - 1][i] >> 8 ^ tables[0][tables[j - 1][i] & 255];
    for (; size >= 8; size -= 8, data += 8) {
        const uint32_t low = crc ^ igs__u32(data), high = igs__u32(data + 4);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
            tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
    }
    for (; size > 0; --size) crc = crc >> 8 ^ tables[0][(crc ^ *data++) & 255];
    return crc ^ 0xFFFFFFFFu;
}

/* Hands out pieces of the caller's memory; without memory it only adds up what is asked for. */
typedef struct igs__arena {
    uint8_t* base;
    uint64_t used, peak;
} igs__arena;

static void* igs__take(igs__arena* arena, uint64_t bytes) {
    void* piece = arena->base == NULL ? NULL : arena->base + arena->used;
    arena->used += (bytes + 15) & ~(uint64_t)15;
    if (arena->used > arena->peak) arena->peak = arena->used;
    return piece;
}

#define IGS__ARRAY(arena, type, count) ((type*)igs__take((arena), (uint64_t)(count) * sizeof(type)))

/* ---- header and section table ----------------------------------------------------------------------------------- */

typedef struct igs__section {
    const uint8_t* data;
    uint32_t raw, stored, codec;
} igs__section;

typedef struct igs__front {
    igs_info info;
    igs__section sections[IGS__SECTIONS]; /* by id - 1; codec 0: the file has none */
    uint32_t section_count;
} igs__front;

static int igs__inside(float value, float least, float most) { return value >= least && value <= most; }

static igs_error igs__parse_header(const uint8_t* data, igs__front* front) {
    igs_info* info = &front->info;
    uint32_t exponent = data[50], reserved = data[51], edge;
    const uint32_t wrap = data[49];
    uint64_t cells;
    IGS__REQUIRE(data[10] == 1, KERNEL);
    IGS__REQUIRE(wrap <= (info->version == 1 ? 0u : 3u), WRAP);
    if (info->version < 3) {
        reserved |= exponent;
        exponent = 0;
    }
    IGS__REQUIRE(reserved == 0, RESERVED);
    info->width = igs__u32(data + 12);
    info->height = igs__u32(data + 16);
    info->channels = igs__u16(data + 20);
    info->components = igs__u16(data + 22);
    info->gaussians = igs__u32(data + 24);
    info->cutoff = igs__f32(data + 28);
    info->position_ratio = igs__f32(data + 32);
    info->size_step = igs__f32(data + 36);
    info->form_step = igs__f32(data + 40);
    info->basis_scale = igs__f32(data + 44);
    info->cell_log2 = data[48];
    info->wrap_x = (int)(wrap & 1);
    info->wrap_y = (int)(wrap >> 1);
    info->feature_exponent = exponent;
    IGS__REQUIRE(info->width >= 1 && info->width <= 16384 && info->height >= 1 && info->height <= 16384, SIZE);
    IGS__REQUIRE(info->channels >= 1 && info->channels <= IGS_MAX_CHANNELS, CHANNELS);
    IGS__REQUIRE(info->components >= 1 && info->components <= info->channels, COMPONENTS);
    IGS__REQUIRE(info->gaussians >= 1 && info->gaussians <= 1u << 22, GAUSSIANS);
    IGS__REQUIRE(igs__inside(info->cutoff, 1.0f, 32.0f), CUTOFF);
    IGS__REQUIRE(igs__inside(info->position_ratio, 1.0f / 1024, 16.0f), POSITION_RATIO);
    IGS__REQUIRE(igs__inside(info->size_step, 1.0f / 1024, 4.0f), SIZE_STEP);
    IGS__REQUIRE(igs__inside(info->form_step, 1.0f / 1024, 4.0f), FORM_STEP);
    IGS__REQUIRE(igs__inside(info->basis_scale, 1.0f / 1048576, 1048576.0f), BASIS_SCALE);
    IGS__REQUIRE(exponent <= 32, FEATURE_EXPONENT);
    IGS__REQUIRE(info->cell_log2 >= 2 && info->cell_log2 <= 8, CELL_LOG2);
    edge = (1u << info->cell_log2) - 1;
    info->cells_across = (info->width + edge) >> info->cell_log2;
    info->cells_down = (info->height + edge) >> info->cell_log2;
    cells = (uint64_t)info->cells_across * info->cells_down;
    IGS__REQUIRE(cells <= 16 * (uint64_t)info->gaussians + 4096, CELL_COUNT);
    return IGS_OK;
}

static int igs__is_coded(uint32_t section) { /* whether it can be stored as coded integers */
    return section == IGS__CELLS || section == IGS__SHAPES || section == IGS__FEATURES;
}

static int igs__predicts(uint32_t codec) { /* slow, so that there are at most so many codes */
    return codec == IGS__PREDICTION || codec == IGS__TRAINED;
}

static int igs__codec_known(uint32_t version, uint32_t section, uint32_t codec) {
    const int coded = igs__is_coded(section);
    switch (codec) {
        case IGS__ZSTD: return 1;
        case IGS__CONTEXT: return coded && version >= 2;
        case IGS__PREDICTION: return coded && version >= 3;
        case IGS__FAST: return version >= 4;
        case IGS__TRAINED: return coded && version >= 4;
        case IGS__DESCRIPTION: return version >= 4 && (section == IGS__MAPS || section == IGS__COMPONENTS);
        default: return 0;
    }
}

static igs_error igs__parse_front(const uint8_t* data, size_t size, igs__front* front) {
    static const uint8_t magic[8] = {0x89, 'I', 'G', 'S', 0x0D, 0x0A, 0x1A, 0x0A};
    size_t front_bytes, at;
    uint64_t raw_sum = 0, total;
    uint32_t i, id = 0;
    memset(front, 0, sizeof *front);
    IGS__REQUIRE(size <= IGS_MAX_FILE_BYTES, FILE_LARGE);
    IGS__REQUIRE(size > 0 && memcmp(data, magic, size < 8 ? size : 8) == 0, NOT_IGS);
    if (size >= 10) {
        front->info.version = igs__u16(data + 8);
        IGS__REQUIRE(front->info.version >= 1 && front->info.version <= 4, VERSION);
    }
    IGS__REQUIRE(size >= IGS__HEADER_BYTES, HEADER_SHORT);
    front->section_count = data[11];
    IGS__REQUIRE(
        front->section_count >= 6 && front->section_count <= (front->info.version < 4 ? 6u : IGS__MOST_SECTIONS),
        SECTION_COUNT
    );
    front_bytes = IGS__HEADER_BYTES + IGS__ENTRY_BYTES * (size_t)front->section_count + 4;
    IGS__REQUIRE(size >= front_bytes, HEADER_SHORT);
    IGS__REQUIRE(igs__crc32(data, front_bytes - 4) == igs__u32(data + front_bytes - 4), HEADER_CRC);
    IGS__TRY(igs__parse_header(data, front));
    total = front_bytes;
    for (i = 0; i < front->section_count; ++i) {
        const uint8_t* entry = data + IGS__HEADER_BYTES + IGS__ENTRY_BYTES * i;
        const uint32_t last = id;
        igs__section* section;
        id = entry[0];
        IGS__REQUIRE((i < 6 ? id == i + 1 : id > last && id <= IGS__SECTIONS) && igs__u16(entry + 2) == 0, TABLE);
        section = &front->sections[id - 1];
        section->codec = entry[1];
        section->raw = igs__u32(entry + 4);
        section->stored = igs__u32(entry + 8);
        IGS__REQUIRE(igs__codec_known(front->info.version, id - 1, section->codec), CODEC);
        IGS__REQUIRE(
            section->raw <= (section->codec == IGS__ZSTD ? 512u : 64u) * (uint64_t)section->stored + 4096, EXPANSION
        );
        raw_sum += section->raw;
        total += section->stored;
        if (section->codec == IGS__ZSTD) front->info.needs_zstd = 1;
    }
    IGS__REQUIRE(raw_sum <= IGS__MAX_RAW_BYTES, SECTIONS_LARGE);
    IGS__REQUIRE(total == size, FILE_LENGTH);
    front->info.has_detail = front->sections[IGS__DETAIL].codec != 0;
    front->info.has_residual = front->sections[IGS__RESIDUAL].codec != 0;
    front->info.has_repeat = front->sections[IGS__REPEAT].codec != 0;
    front->info.is_exact = front->sections[IGS__EXACT].codec != 0;
    for (i = 0, at = front_bytes; i < front->section_count; ++i) {
        const uint8_t* entry = data + IGS__HEADER_BYTES + IGS__ENTRY_BYTES * i;
        igs__section* section = &front->sections[entry[0] - 1];
        section->data = data + at;
        at += section->stored;
        IGS__REQUIRE(igs__crc32(section->data, section->stored) == igs__u32(entry + 12), SECTION_CRC);
    }
    return IGS_OK;
}

/* ---- the binary arithmetic coder and what it is told ------------------------------------------------------------- */

IGS__INLINE int64_t igs__clamp(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

IGS__INLINE int64_t igs__floor_div(int64_t value, int64_t positive) {
    const int64_t quotient = value / positive;
    return quotient - (value % positive < 0);
}

IGS__INLINE int64_t igs__abs(int64_t value) { return value < 0 ? -value : value; }

IGS__INLINE int igs__length(int64_t value) { /* bits of the magnitude */
    uint64_t rest = (uint64_t)igs__abs(value);
#if defined(__GNUC__)
    return rest == 0 ? 0 : 64 - __builtin_clzll(rest);
#else
    int length = 0;
    for (; rest >= 256; rest >>= 8) length += 8;
    for (; rest > 0; rest >>= 1) ++length;
    return length;
#endif
}

IGS__INLINE int igs__length32(uint32_t value) {
#if defined(__GNUC__)
    return value == 0 ? 0 : 32 - __builtin_clz(value);
#else
    return igs__length((int64_t)value);
#endif
}

static int igs__sign(int64_t value) { return (value > 0) + 2 * (value < 0); }
static int igs__least(int a, int b) { return a < b ? a : b; }

#define IGS__MAX_LENGTH 23
#define IGS__STRETCH_LIMIT 2047
#define IGS__COUNT_LIMIT 120

IGS__INLINE int16_t igs__input(int64_t value) {
    return (int16_t)igs__clamp(value, -IGS__STRETCH_LIMIT, IGS__STRETCH_LIMIT);
}

/* An encoder is the same code with a place to write to: igs_coder.c defines this as 1, and what a reader does that is
 * ahead of its writer, and what follows a written byte. */
#ifndef IGS__WRITES
#define IGS__WRITES 0
#define IGS__BYTE_BEYOND(bits, at) 0u
#define IGS__WRITTEN(bits)
#endif

typedef struct igs__bits {
    const uint8_t* data;
    size_t size, passed;
    uint32_t low, high, x;
    uint8_t* to;      /* of size bytes, where IGS__WRITES; NULL to read */
    uint64_t* follow; /* likewise: bytes that a writer has written for a reader beside it; NULL: one of them is alone */
} igs__bits;

static uint32_t igs__byte(igs__bits* bits, size_t at) {
    return at < bits->size ? bits->data[at] : IGS__BYTE_BEYOND(bits, at);
}

static void igs__bits_begin(igs__bits* bits, const uint8_t* data, size_t size) {
    size_t i;
    bits->data = data;
    bits->size = size;
    bits->passed = 0;
    bits->low = 0;
    bits->high = 0xFFFFFFFFu;
    bits->x = 0;
    bits->to = NULL;
    bits->follow = NULL;
    for (i = 0; i < 4; ++i) bits->x = bits->x << 8 | igs__byte(bits, i);
}

/* Reads a decision, or writes the one it is given; yes has all bits. Without a branch, which could not be foretold. */
IGS__INLINE uint32_t igs__code_mask(igs__bits* bits, uint32_t probability, int probability_bits, int yes) {
    const uint32_t middle =
        bits->low + (uint32_t)((uint64_t)(bits->high - bits->low) * probability >> probability_bits);
    uint32_t mask;
    if (!IGS__WRITES || bits->to == NULL) yes = bits->x <= middle;
    mask = 0u - (uint32_t)yes;
    IGS__OPAQUE(mask);
    bits->high ^= (bits->high ^ middle) & mask;
    bits->low ^= (bits->low ^ (middle + 1)) & ~mask;
    while ((bits->low ^ bits->high) >> 24 == 0) {
        if (IGS__WRITES && bits->to != NULL && bits->passed < bits->size) {
            bits->to[bits->passed] = (uint8_t)(bits->high >> 24);
            IGS__WRITTEN(bits);
        }
        bits->x = bits->x << 8 | igs__byte(bits, bits->passed + 4);
        bits->low <<= 8;
        bits->high = bits->high << 8 | 255;
        ++bits->passed;
    }
    return mask;
}

IGS__INLINE int igs__code_bit(igs__bits* bits, uint32_t probability, int probability_bits, int yes) {
    return igs__code_mask(bits, probability, probability_bits, yes) != 0;
}

#define IGS__TRAINED_UNITS 16
#define IGS__TRAINED_INPUTS 22
#define IGS__PREDICTION_NODES 608 /* of which 604 are used */
#define IGS__FARTHEST 5120        /* of a distribution's tail, in 1/256 octaves of the odds */

/* Statistics of codecs 2, 3 and 5, [rows of all contexts][nodes], and weights. */
typedef struct igs__model {
    uint32_t*
        statistics;  /* in the upper half the probability with its highest bit turned, below how much it has seen */
    uint8_t* stamps; /* [rows]: the plane that a row was last cleared for */
    int64_t* weights;
    uint16_t* squash; /* of -2047..2047 */
    int16_t* stretch; /* of probabilities in 1/4096 */
    uint32_t shares[IGS__COUNT_LIMIT + 1];
    uint32_t rows, nodes, weight_count;
    int is_trained; /* of codec 5 rather than 3 */
    /* of codecs 3 and 5 */
    int32_t* mixed_weights;            /* [groups, then all together][classes of nodes][inputs] */
    uint32_t* tails;                   /* [IGS__FARTHEST + 1] shares in 2^-32, by distance */
    int16_t units[IGS__TRAINED_UNITS]; /* of codec 5: the hidden units of a value */
    int16_t layer[IGS__TRAINED_INPUTS / 2 * IGS__TRAINED_UNITS * 2]; /* likewise: pairs of inputs, by unit */
    uint8_t classes[IGS__PREDICTION_NODES];                          /* likewise: which weights a node has */
} igs__model;

static void igs__model_take(igs__model* model, igs__arena* arena, uint32_t rows, uint32_t nodes, uint32_t weights) {
    model->rows = rows;
    model->nodes = nodes;
    model->weight_count = weights;
    model->statistics = IGS__ARRAY(arena, uint32_t, rows* nodes);
    model->stamps = IGS__ARRAY(arena, uint8_t, rows);
    model->weights = IGS__ARRAY(arena, int64_t, weights);
    model->squash = IGS__ARRAY(arena, uint16_t, 2 * IGS__STRETCH_LIMIT + 1);
    model->stretch = IGS__ARRAY(arena, int16_t, 4096);
}

static void igs__model_tables(igs__model* model, const uint16_t* knots, int probability_bits) {
    int32_t x, p;
    uint32_t n;
    for (x = -IGS__STRETCH_LIMIT; x <= IGS__STRETCH_LIMIT; ++x) {
        const int32_t place = (x >> 7) + 16, rest = x & 127;
        const int32_t value = (knots[place] * (128 - rest) + knots[place + 1] * rest + 64) >> 7;
        model->squash[x + IGS__STRETCH_LIMIT] = (uint16_t)(value < 1 ? 1 : value);
    }
    for (p = 0, x = -IGS__STRETCH_LIMIT; p < 4096; ++p) {
        while (x < IGS__STRETCH_LIMIT && model->squash[x + IGS__STRETCH_LIMIT] < p << (probability_bits - 12)) ++x;
        model->stretch[p] = (int16_t)x;
    }
    for (n = 0; n <= IGS__COUNT_LIMIT; ++n) model->shares[n] = 655360 / (10 * n + 16);
}

/* Clears a context's row at a plane's first use of it: all of codec 3's are 8 MB, of which few are used. */
static void igs__model_row(igs__model* model, uint32_t row, uint32_t plane) {
    if (model->stamps[row] == plane + 1) return;
    model->stamps[row] = (uint8_t)(plane + 1);
    memset(model->statistics + (size_t)row * model->nodes, 0, model->nodes * sizeof *model->statistics);
}

/* The logarithm of a statistic's odds. */
IGS__INLINE int32_t igs__stretched(const igs__model* model, uint32_t at) {
    return model->stretch[model->statistics[at] >> 20 ^ 2048];
}

/* No moves p by its share; yes moves 65535 - p, which is p with all bits turned. */
IGS__INLINE void igs__adapt(igs__model* model, uint32_t at, int yes) {
    const uint32_t held = model->statistics[at], seen = held & 255, turned = yes ? 0x7FFF : 0x8000;
    uint32_t p = held >> 16 ^ turned;
    p -= p * model->shares[seen] >> 16;
    model->statistics[at] = (p ^ turned) << 16 | (seen + (seen < IGS__COUNT_LIMIT));
}

/* ---- planes of codes: what is known of their items ---------------------------------------------------------------- */

#define IGS__FAST_CONTEXTS 5
#define IGS__FAST_FIRSTS 16 /* first symbols */
#define IGS__FAST_SECONDS 8 /* second ones */
#define IGS__FAST_SPANS 3   /* first symbols of either sign that have a second one */
#define IGS__FAST_INPUTS 8

/* What a context has learnt: distributions, cumulative in 1/65536, and how many symbols they have seen. */
typedef struct igs__fast_row {
    uint8_t seen[8]; /* of the first one and of the seconds */
    uint8_t unused[8];
    uint16_t first[IGS__FAST_FIRSTS];
    uint16_t second[2 * IGS__FAST_SPANS][IGS__FAST_SECONDS];
} igs__fast_row;

/* What is known of an item before its first plane: 0, 0, 0, 0, three numbers, 256. */
typedef struct igs__known {
    int16_t inputs[IGS__FAST_INPUTS];
} igs__known;

/* The last items of each cell, as many as are neighbours, one after another: what codecs 3 and 5 weigh four at a time.
 * Behind the last are some that only fill a vector up. */
typedef struct igs__kept {
    uint32_t* firsts; /* [cells + 1] first kept item of each cell */
    size_t room;      /* of a plane */
    float* values;    /* [planes][room] */
    uint32_t* off;    /* [room] of the current plane, without sign */
    float* places[2]; /* [room] means where they are known; or columns, and nothing */
    float* steps[2];  /* [room] that divide the distances between means: powers of two */
} igs__kept;

typedef struct igs__items {
    uint32_t count, planes, across, down;
    const uint32_t* cells;  /* [count] ascending, row * across + column */
    const uint32_t* firsts; /* [cells + 1] first item of each cell */
    uint8_t* groups;        /* [count] 0..6 */
    int32_t* above;         /* [count] last item of the nearest cell above that holds any, or -1 */
    int32_t* last;          /* [across] to find them */
    uint8_t* longest;       /* [count] greatest length of the earlier planes */
    int32_t* values; /* what is decoded, off the centres: that of item n in plane k at n * item_step + k * plane_step */
    size_t item_step, plane_step;
    /* of codecs 3 and 5 */
    uint32_t sign_count;     /* what else tells how far values scatter */
    int32_t* signs;          /* [count][sign_count] */
    int32_t* means;          /* [count][2] in 1/32 texel, NULL where they are not known yet */
    const int8_t* exponents; /* [count][2] of the position steps */
    int32_t* off;            /* [count][planes] by how much each expected value missed */
    uint32_t* hashes;        /* [count] */
    igs__kept kept;
    igs__model model;
    /* of codec 4 */
    int32_t* neighbours; /* [count][8] nearest first */
    uint16_t* bases;     /* [count][8] their weights by distance */
    uint16_t* unlike;    /* [count][8] how much they differ in earlier planes */
    uint16_t* weights;   /* [count][8] what they weigh of 16384 */
    int16_t* held;       /* [count] values of a plane within 16 bits */
    igs__known* known;   /* [count] */
    int16_t* logs[3];    /* [count] of sizes: in the last plane, in the one before, the mean of those before that */
    int32_t* sums;       /* [count] of these before the last two */
    int32_t* always;     /* [count] what is known says of the expected miss, in every plane */
    int32_t* offs;       /* [count] what all that is known before a plane says of it */
    uint8_t* trits;      /* [count] signs in the last three planes */
    uint16_t* earlier;   /* [count] context of the last two planes */
    uint16_t* trends;    /* [count] context of signs and sizes in earlier planes */
    uint8_t* places;     /* [count] which of the neighbours is the item before, or 8 */
    uint16_t* before;    /* [count] what that one weighs */
    uint32_t* like;      /* [count] the neighbour that weighs most; the own item, which counts as 0, where none does */
    uint8_t* stamps;     /* [rows of all contexts]: the plane that a row was last begun for */
    igs__fast_row* rows;
    uint32_t* steps; /* [count * planes * 4] of a writer */
} igs__items;

#define IGS__CONTEXT_NODES 88
#define IGS__CONTEXT_ROWS 438
#define IGS__CONTEXT_INPUTS 7
#define IGS__PREDICTION_ROWS 3192
#define IGS__PREDICTION_INPUTS 12
#define IGS__TRAINED_CLASSES 32 /* of nodes, which share their weights */
#define IGS__TRAINED_MIXED (IGS__PREDICTION_INPUTS + IGS__TRAINED_UNITS)
#define IGS__GROUPS 7
#define IGS__FAST_ROWS 2361
#define IGS__FAST_STEPS 5 /* of a value, at most */
#define IGS__FAST_NEIGHBOURS 8

static void igs__items_take(
    igs__items* items, igs__arena* arena, uint32_t codec, uint32_t section, uint32_t count, uint32_t planes,
    uint32_t across, uint32_t down
) {
    const uint64_t codes = (uint64_t)count * planes;
    int i;
    memset(items, 0, sizeof *items);
    items->count = count;
    items->planes = planes;
    items->across = across;
    items->down = down;
    items->item_step = codec == IGS__FAST ? 1 : planes;
    items->plane_step = codec == IGS__FAST ? count : 1;
    items->groups = IGS__ARRAY(arena, uint8_t, count);
    if (codec != IGS__FAST) {
        items->above = IGS__ARRAY(arena, int32_t, count);
        items->last = IGS__ARRAY(arena, int32_t, across);
        items->longest = IGS__ARRAY(arena, uint8_t, count);
    }
    items->values = IGS__ARRAY(arena, int32_t, codes);
    if (codec == IGS__FAST) {
        items->known = IGS__ARRAY(arena, igs__known, count);
        items->trits = IGS__ARRAY(arena, uint8_t, count);
        items->places = IGS__ARRAY(arena, uint8_t, count);
        if (section == IGS__FEATURES) items->means = IGS__ARRAY(arena, int32_t, (uint64_t)count * 2);
        items->neighbours = IGS__ARRAY(arena, int32_t, (uint64_t)count* IGS__FAST_NEIGHBOURS);
        items->bases = IGS__ARRAY(arena, uint16_t, (uint64_t)count* IGS__FAST_NEIGHBOURS);
        items->unlike = IGS__ARRAY(arena, uint16_t, (uint64_t)count* IGS__FAST_NEIGHBOURS);
        items->weights = IGS__ARRAY(arena, uint16_t, (uint64_t)count* IGS__FAST_NEIGHBOURS);
        items->held = IGS__ARRAY(arena, int16_t, count);
        items->sums = IGS__ARRAY(arena, int32_t, count);
        for (i = 0; i < 3; ++i) items->logs[i] = IGS__ARRAY(arena, int16_t, count);
        items->always = IGS__ARRAY(arena, int32_t, count);
        items->offs = IGS__ARRAY(arena, int32_t, count);
        items->earlier = IGS__ARRAY(arena, uint16_t, count);
        items->trends = IGS__ARRAY(arena, uint16_t, count);
        items->before = IGS__ARRAY(arena, uint16_t, count);
        items->like = IGS__ARRAY(arena, uint32_t, count);
        items->stamps = IGS__ARRAY(arena, uint8_t, IGS__FAST_ROWS);
        items->rows = IGS__ARRAY(arena, igs__fast_row, IGS__FAST_ROWS);
        if (IGS__WRITES) items->steps = IGS__ARRAY(arena, uint32_t, IGS__FAST_STEPS* codes);
    }
    if (codec == IGS__CONTEXT)
        igs__model_take(
            &items->model, arena, IGS__CONTEXT_ROWS, IGS__CONTEXT_NODES, IGS__CONTEXT_NODES * IGS__CONTEXT_INPUTS
        );
    if (igs__predicts(codec)) {
        const uint32_t weights = codec == IGS__TRAINED ? IGS__TRAINED_CLASSES * IGS__TRAINED_MIXED
                                                       : IGS__PREDICTION_NODES * IGS__PREDICTION_INPUTS;
        items->sign_count = section == IGS__CELLS ? 0 : section == IGS__SHAPES ? 1 : 3;
        items->signs = IGS__ARRAY(arena, int32_t, (uint64_t)count * items->sign_count);
        if (section == IGS__FEATURES) items->means = IGS__ARRAY(arena, int32_t, (uint64_t)count * 2);
        items->off = IGS__ARRAY(arena, int32_t, codes);
#if defined(__SSE2__)
        items->kept.room = (size_t)count + 3;
        items->kept.firsts = IGS__ARRAY(arena, uint32_t, (uint64_t)across* down + 1);
        items->kept.values = IGS__ARRAY(arena, float, (uint64_t)planes * items->kept.room);
        items->kept.off = IGS__ARRAY(arena, uint32_t, items->kept.room);
        items->kept.places[0] = IGS__ARRAY(arena, float, items->kept.room);
        if (section == IGS__FEATURES) {
            items->kept.places[1] = IGS__ARRAY(arena, float, items->kept.room);
            items->kept.steps[0] = IGS__ARRAY(arena, float, items->kept.room);
            items->kept.steps[1] = IGS__ARRAY(arena, float, items->kept.room);
        }
#endif
        items->hashes = IGS__ARRAY(arena, uint32_t, count);
        igs__model_take(&items->model, arena, IGS__PREDICTION_ROWS, IGS__PREDICTION_NODES, 0);
        items->model.mixed_weights = IGS__ARRAY(arena, int32_t, (IGS__GROUPS + 1) * weights);
        items->model.tails = IGS__ARRAY(arena, uint32_t, IGS__FARTHEST + 1);
    }
}

static void igs__find_above(igs__items* items) {
    uint32_t n, m, start = 0;
    for (n = 0; n < items->across; ++n) items->last[n] = -1;
    for (n = 0; n <= items->count; ++n) {
        if (n < items->count && items->cells[n] / items->across == items->cells[start] / items->across) continue;
        for (m = start; m < n; ++m) items->above[m] = items->last[items->cells[m] % items->across];
        for (m = start; m < n; ++m) items->last[items->cells[m] % items->across] = (int32_t)m;
        start = n;
    }
}

/* The value in plane k of an item of that many planes before. */
static int32_t igs__earlier(const igs__items* items, uint32_t n, uint32_t k, uint32_t before) {
    return k >= before ? items->values[n * items->planes + k - before] : 0;
}

/* ---- codec 2: context coding -------------------------------------------------------------------------------------- */

static int igs__context_decide(igs__model* model, igs__bits* bits, uint32_t node, const uint32_t* contexts, int yes) {
    int32_t stretched[IGS__CONTEXT_INPUTS];
    int64_t* weights = model->weights + node * IGS__CONTEXT_INPUTS;
    int64_t total = 0, error;
    int32_t probability;
    int i;
    for (i = 0; i < IGS__CONTEXT_INPUTS; ++i) {
        stretched[i] = igs__stretched(model, contexts[i] * model->nodes + node);
        total += weights[i] * stretched[i];
    }
    probability = model->squash[igs__clamp(total >> 16, -IGS__STRETCH_LIMIT, IGS__STRETCH_LIMIT) + IGS__STRETCH_LIMIT];
    yes = igs__code_bit(bits, (uint32_t)probability, 12, yes);
    error = ((yes ? 4096 : 0) - probability) * 20;
    for (i = 0; i < IGS__CONTEXT_INPUTS; ++i) {
        weights[i] += (stretched[i] * error + 32768) >> 16;
        igs__adapt(model, contexts[i] * model->nodes + node, yes);
    }
    return yes;
}

/* Reads a value, or writes the one it is given; so do those of the other codecs. */
static int32_t igs__context_value(igs__model* model, igs__bits* bits, const uint32_t* contexts, int32_t value) {
    const uint32_t magnitude = (uint32_t)(value < 0 ? -value : value);
    const int known = IGS__WRITES ? igs__length(value) : 0;
    int negative, place;
    uint32_t length = 1, prefix = 1, found = 1;
    if (!igs__context_decide(model, bits, 0, contexts, known > 0)) return 0;
    negative = igs__context_decide(model, bits, 1, contexts, value < 0);
    while (length < IGS__MAX_LENGTH && igs__context_decide(model, bits, 1 + length, contexts, known > (int)length))
        ++length;
    for (place = (int)length - 2; place >= 0; --place) {
        int bit = (int)(magnitude >> place & 1);
        if ((int)length - 2 - place < 3) {
            const uint32_t block = (length < 10 ? length : 10) - 2;
            bit = igs__context_decide(model, bits, 25 + 7 * block + prefix - 1, contexts, bit);
            prefix = 2 * prefix + (uint32_t)bit;
        } else {
            bit = igs__code_bit(bits, 2048, 12, bit);
        }
        found = 2 * found + (uint32_t)bit;
    }
    return negative ? -(int32_t)found : (int32_t)found;
}

static void igs__context_planes(igs__items* items, igs__bits* bits) {
    static const uint16_t knots[33] = {1,    2,    4,    6,    10,   17,   27,   45,   74,   120,  194,
                                       311,  488,  747,  1102, 1546, 2048, 2550, 2994, 3349, 3608, 3785,
                                       3902, 3976, 4022, 4051, 4069, 4079, 4086, 4090, 4092, 4094, 4095};
    static const uint32_t starts[IGS__CONTEXT_INPUTS] = {0, 1, 50, 86, 287, 335, 398};
    igs__model* model = &items->model;
    uint32_t n, k, i;
    igs__model_tables(model, knots, 12);
    memset(model->stamps, 0, model->rows);
    memset(items->longest, 0, items->count);
    for (k = 0; k < items->planes; ++k) {
        for (i = 0; i < model->weight_count; ++i) model->weights[i] = 9000;
        for (n = 0; n < items->count; ++n) {
            const int32_t left = n > 0 ? items->values[(n - 1) * items->planes + k] : 0;
            const int32_t up = items->above[n] >= 0 ? items->values[(uint32_t)items->above[n] * items->planes + k]
                                                    : left;
            const int left_length = igs__least(5, igs__length(left)), up_length = igs__least(5, igs__length(up));
            const int a = igs__length(igs__earlier(items, n, k, 1)), b = igs__length(igs__earlier(items, n, k, 2));
            const int c = igs__length(igs__earlier(items, n, k, 3));
            uint32_t contexts[IGS__CONTEXT_INPUTS];
            int32_t value = IGS__WRITES ? items->values[n * items->planes + k] : 0;
            int length;
            contexts[0] = 0;
            contexts[1] = (uint32_t)(igs__least(6, a) * 7 + igs__least(6, b));
            contexts[2] = (uint32_t)(left_length * 6 + up_length);
            contexts[3] = (uint32_t)(100 + igs__clamp(((int64_t)left + up + 1) >> 1, -100, 100));
            contexts[4] = (uint32_t)(igs__least(11, 2 * a + b + c) * 4 + igs__least(3, (left_length + up_length) >> 1));
            contexts[5] = (uint32_t)(items->groups[n] * 9 + igs__sign(left) * 3 + igs__sign(up));
            contexts[6] = (uint32_t)(igs__least(9, items->longest[n]) * 4 + igs__least(3, left_length));
            for (i = 0; i < IGS__CONTEXT_INPUTS; ++i) igs__model_row(model, contexts[i] += starts[i], k);
            value = igs__context_value(model, bits, contexts, value);
            items->values[n * items->planes + k] = value;
            length = igs__length(value);
            if (length > items->longest[n]) items->longest[n] = (uint8_t)length;
        }
    }
}

/* 65536 / (1 + e^(-x / 256)) at x = -2048, -1920, ... 2048. */
static const uint16_t igs__logistic[33] = {22,    36,    60,    98,    162,   267,   439,   720,   1179,  1921,  3108,
                                           4971,  7812,  11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565,
                                           62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514};

/* ---- codec 3: prediction coding ----------------------------------------------------------------------------------- */

#define IGS__TERMS (2 + IGS_MAX_CHANNELS + 3)
#define IGS__MEAN_LIMIT (1 << 29)
#define IGS__FACTOR_LIMIT (1 << 22)

typedef struct igs__regression {
    int64_t factors[IGS__TERMS], inputs[IGS__TERMS], memory[IGS__TERMS];
} igs__regression;

typedef struct igs__expectation {
    int64_t value, log_scatter, wide, scatter; /* in 1/64; log_scatter in 1/256 octaves */
    int32_t like;                              /* value of the neighbour that weighs most */
} igs__expectation;

IGS__INLINE int64_t igs__log(int64_t value) {
    const int e = igs__length(value) - 1;
    return 256 * e + (((value << 8) >> e) - 256);
}

static int64_t igs__power(int64_t logarithm) { return ((256 + (logarithm & 255)) << (logarithm >> 8)) >> 8; }

/* Divides exact whole numbers below 2^53, so that what is left of the quotient's fraction tells it from any whole one. */
IGS__INLINE double igs__quotient(int64_t value, int64_t positive) { return (double)value / (double)positive; }

IGS__INLINE int64_t igs__floor(double value) {
    const int64_t whole = (int64_t)value;
    return whole - (value < (double)whole);
}

static void igs__find_tails(uint32_t* tails) {
    int64_t size;
    for (size = 0; size <= IGS__FARTHEST; ++size)
        tails[size] = (uint32_t)(((int64_t)1 << 40) / (256 + ((256 + (size & 255)) << (size >> 8))));
}

/* The share, in 2^-32, of values above threshold + 1/2. */
IGS__INLINE int64_t igs__above_share(const uint32_t* tails, int64_t threshold, int64_t mean, int64_t scale) {
    const int64_t far_away = igs__floor(igs__quotient((64 * threshold + 32 - mean) * 615, scale));
    const int64_t t = igs__clamp(far_away, -IGS__FARTHEST, IGS__FARTHEST);
    return t >= 0 ? (int64_t)tails[t] : ((int64_t)1 << 32) - tails[-t];
}

/* Codec 5, trained coding, is the same with a mixer of more inputs that begins with trained weights. */

#define IGS__TRAINED_STARTS 5

/* clang-format off */
static const signed char igs__trained_layers[IGS__TRAINED_STARTS * IGS__TRAINED_UNITS * (IGS__TRAINED_INPUTS + 1)] = {
    -17, -16, -6, -15, 7, 11, 41, -3, -11, -3, 12, 2, -24, 17, 11, -3, 4, -11, 3, 0, 0, 0, -23, -44, -20, -24, 10, 27,
    17, 1, -31, -5, 2, -13, 13, -19, 0, 30, -22, -9, 2, 9, 0, 0, 0, -22, -21, 1, -9, 13, 11, -7, 3, -1, -10, 3, 4,
    -13, -11, 4, 4, 5, -4, 15, 14, 0, 0, 0, -4, -13, 15, -5, 7, 11, 3, 2, 0, 7, 15, -1, 14, -9, 2, 13, -12, 8, 5, -8,
    0, 0, 0, -11, -23, 1, -25, 13, -4, 1, -18, 12, 8, 4, 13, 56, -28, -15, -8, 5, 5, -3, 8, 0, 0, 0, -11, 1, -15, -8,
    -10, 29, -11, -26, 4, 6, 5, -6, -1, 6, 7, 7, -4, -13, 4, -5, 0, 0, 0, -6, -28, -12, -13, 6, 19, 16, 26, -12, 25,
    -3, 10, 40, -37, 0, 2, 1, 0, -10, -4, 0, 0, 0, -26, -39, 25, -4, 6, 5, 8, 3, -1, -14, -2, 8, 36, 1, -21, -16, -6,
    -1, 8, 10, 0, 0, 0, -3, -28, 3, -12, -3, -9, 11, 20, -8, -1, 2, 4, 9, -36, 9, 10, 3, 5, 13, 7, 0, 0, 0, -17, -43,
    -16, 0, 11, -5, 37, 9, -6, 1, -10, 3, 7, -42, 11, -5, 11, 15, 18, 17, 0, 0, 0, -10, -15, 6, -23, 16, 11, -16, 22,
    25, -8, -24, -2, 28, -18, -4, 4, 8, 4, -5, -18, 0, 0, 0, -22, 21, 6, 9, 30, -12, -7, -2, -5, -16, 2, 5, -29, 27,
    11, 5, -8, -3, -17, -2, 0, 0, 0, 8, 30, 20, 25, -17, -27, -19, -11, 2, -1, -9, -4, -6, 40, 6, -18, -9, 1, -8, 15,
    0, 0, 0, 24, 9, 17, 33, -13, 12, -13, -11, 15, -13, 4, -14, -7, -20, -6, 16, 1, -2, 1, -11, 0, 0, 0, 0, -3, 10,
    -23, 22, 12, 14, 26, 12, -4, 2, 3, -14, -10, -12, 19, 23, 19, 6, 6, 0, 0, 0, -6, -30, -18, -25, -8, 24, 24, 7, 18,
    3, 5, -18, 4, -50, -2, -9, 10, 36, 7, 14, 0, 0, 0, -20, -8, 0, 3, -6, 8, -15, -2, -6, 2, -25, -10, -4, -4, 16, 35,
    -7, 25, -16, 2, 3, 10, 0, 22, -11, 30, -22, 22, 43, 5, -10, 18, -4, -20, -3, 22, 0, 13, -52, -22, -6, -16, -29,
    20, -8, 0, 5, 2, 7, 39, -1, 73, 9, 28, 29, -5, -5, 15, -15, 4, 3, -74, -37, 12, -33, -40, 5, -27, 0, 6, -2, 23,
    -8, -17, 79, 6, 15, 19, 5, -17, 7, -11, 15, 10, 58, -2, 10, -26, -21, 15, -3, 0, 16, 21, -35, -21, 2, -60, -6, 9,
    0, -23, -17, 4, 10, -33, -2, -66, 15, -15, 27, 18, 9, 17, 0, -10, -8, -19, -4, -5, -33, 14, 25, -10, -19, -25, 11,
    -21, 5, 22, -31, -10, -8, 22, 12, -9, -10, 0, -11, 6, 12, 10, 14, 34, -25, -2, -8, 10, 15, -3, -10, 9, 3, 71, -12,
    -3, 0, -12, -17, 18, 0, 7, 7, -22, 3, 6, -15, -20, 11, 23, 31, -6, -6, 5, -14, 4, -59, 38, -36, 15, 7, 22, -15, 0,
    -17, -8, 35, -6, -27, 70, 0, 6, -2, -23, 6, 2, 29, -7, 3, 79, -17, 3, -12, 16, -12, -29, 0, 5, 18, 2, 12, 10, 36,
    -4, -7, 15, 21, 14, 5, -16, 11, 10, 93, -17, 35, -26, 3, -16, 11, 0, -1, -16, 10, -15, 28, -2, -2, -15, -2, -10,
    -7, -4, -11, -6, 5, -106, -26, -50, 25, -24, 18, -20, 0, 5, 23, -17, -13, -3, -25, 6, 5, -1, 7, 2, 10, -23, 8, -2,
    -48, 24, -14, 19, -9, -15, -4, 0, -5, 1, -10, 15, 6, -7, 0, -18, -11, -13, 16, -15, -8, 17, 1, -113, -23, 19, -15,
    2, 4, -8, 0, 4, 14, -13, -12, -9, -8, -5, -7, -12, -11, -6, -17, -6, 2, -3, -61, 30, -36, 46, 18, 0, -6, 0, -17,
    -17, -55, 1, 11, -46, -12, 24, -29, -4, 29, 3, 22, -24, -2, -107, 7, -31, 30, 14, 5, 24, 0, -13, -19, -13, -25, 0,
    -54, 3, -38, 12, -3, 22, -3, -33, 3, 34, -71, 4, -2, 2, 25, 24, 2, 0, 0, 19, 36, -7, 3, 8, 2, -3, 6, -9, -5, -9,
    19, -9, 17, 8, 9, -14, -6, 3, -4, -10, 0, 4, 9, -10, 0, -13, 21, 17, 3, 3, 12, 9, -29, 14, 3, 15, 8, 3, 10, -3,
    14, 5, 5, 0, 4, -14, -33, 0, 5, 29, 6, -8, 5, -4, 10, -2, 13, -14, 8, 5, 9, 4, -15, -2, -9, -10, 0, 8, -7, -17,
    23, -24, 13, 0, -21, 13, -1, 16, -10, 1, 2, 8, 9, 3, -6, -4, 8, -11, -9, 0, 2, 13, 23, 8, -27, 2, -9, -18, 14, -9,
    3, -14, 15, 4, 15, 0, -2, 8, -7, 13, -1, -13, 0, 4, -3, 41, 2, -1, 4, 12, -8, -11, -14, -4, -21, 13, 6, 6, 0, -15,
    16, -5, 1, 5, -6, 0, -3, -11, -1, 4, -20, 39, 8, 3, 17, 11, 10, 3, -13, 16, 13, -5, 12, -4, -11, -3, -12, 18, 0,
    -3, -6, 27, 11, 0, -3, -9, 1, 15, -10, 11, -32, 3, 0, -14, -21, 20, -15, -10, 2, -6, -10, 0, -3, 0, -24, 9, -24,
    16, 35, -8, 7, 20, 2, 13, 5, 3, 7, 22, 4, 11, -8, -11, 2, 19, 0, 1, 4, 43, -18, 14, -5, 1, 5, 18, -15, -14, -4,
    -5, 7, 25, -19, 4, 5, 4, -11, -10, -9, 0, -1, 4, 15, -2, 14, 0, 6, -9, 6, -6, 33, 18, 21, -20, 6, 0, 12, -7, 4,
    -14, -5, -4, 0, 2, 6, 30, 6, 21, 20, -12, -8, -6, -11, 5, 0, 14, -5, 2, 4, 3, 7, -3, -23, -4, 5, 0, 6, 12, 18,
    -28, 19, 31, -2, 20, 1, -10, 15, -10, 11, -6, 6, 12, 3, -6, 10, -15, 16, -15, 0, 0, -8, -12, 13, 17, -14, -15, -9,
    18, -2, -21, 8, 27, -19, -1, -8, -13, -11, 4, -3, -6, 13, 0, -1, 8, 53, -18, -7, 13, 1, 13, -11, -3, -23, -3, 30,
    -1, 17, -4, 5, 0, -1, -24, -6, 17, 0, 1, -28, 11, 3, -12, -44, -13, 13, 0, 9, -2, -16, 20, -13, -25, -13, 12, 3,
    -1, 4, 3, -14, 0, 1, -1, 15, -32, 18, 4, 3, -7, 3, -16, -18, -4, 17, -17, 11, -2, 17, -16, -10, -2, -4, 11, 0, 5,
    -5, -14, 32, 41, 29, 23, -12, 5, -23, -1, 12, 1, -6, 15, 12, 11, -1, -7, -21, -1, -3, 0, 7, -6, 31, 1, -14, 7, -4,
    14, 2, -2, 2, 2, 11, 1, -5, 6, -8, -1, 19, 7, -3, 13, 0, -2, 22, 25, 1, -9, 26, 5, -22, -2, 19, 3, 2, -55, 25, 35,
    -1, 12, -9, -5, 19, 4, 8, 0, -4, -3, -4, 8, 3, -26, -9, 5, 1, 11, 8, 17, -22, 2, -1, 5, 3, 13, 3, -8, -13, -5, 0,
    -3, -10, 1, -10, 22, -5, -6, 14, 7, -6, -7, -8, 4, -13, 17, 11, 5, -9, -2, 6, -6, -10, 0, 4, 0, 13, -12, 3, 2,
    -11, 5, 10, -5, -9, 0, 14, -19, 15, -4, 20, -20, -10, 12, -3, 2, 0, -3, -19, -8, 25, -10, 46, 38, -24, -7, -3, -8,
    10, -4, 9, 10, -7, -13, -7, 11, 15, -1, 0, 0, 0, 10, -4, -31, -2, -25, -10, 9, -7, 12, 12, -3, -22, 28, -5, -5,
    -31, 21, 19, 2, 4, -1, 0, -5, 15, -4, -4, -14, -37, -18, 9, 3, -3, -2, -5, 6, 24, -3, -2, 3, -7, -6, 9, -7, -5, 0,
    -2, 15, -5, -16, -14, -10, -5, 11, -18, -19, 8, 18, 5, 4, 26, 13, 4, 8, -3, -8, 12, 3, 0, 1, -22, -7, 6, 9, 11, 9,
    8, -2, 14, 2, 4, -18, 10, 4, 7, -2, 11, 19, -23, -2, -4, 0, 3, 14, -2, -3, -1, 3, 3, 0, -2, 16, 12, -10, 21, -20,
    19, 1, -15, 7, 7, 13, 2, -13, 0, 1, -8, 7, -2, -10, 3, -10, -4, -3, 8, 19, -2, 2, 3, -16, 8, 23, -8, -8, -7, 1,
    -8, 0, -1, -9, -4, -15, -23, -3, -6, 22, -5, 3, -7, 15, -32, 29, -14, -11, 8, -14, -17, 20, 1, 3, 0, 1, 2, 10, 3,
    5, 23, 11, -4, 24, 10, -7, -19, 2, -5, 8, 2, -9, 16, -6, 3, -20, 5, 0, 5, -7, 7, 13, 7, -4, -4, -6, -4, -1, 7, 15,
    11, -16, 15, -64, -29, 3, 8, -3, 2, 5, -11, 0, 1, 26, 15, -6, -15, -5, -7, -3, -8, -5, -15, -39, 58, -15, 10, -16,
    3, -1, -6, -18, -4, -1, -12, -39, -2, 7, 2, -6, 0, 8, -4, 3, -1, -12, 11, -5, 30, -52, 18, 8, 9, 7, 8, 2, -2, -15,
    -15, 41, 6, -12, -3, 6, 8, 8, 0, -10, 2, -6, -2, 37, -35, -12, -8, -1, 0, -8, -19, 8, -10, 26, 14, -9, -16, 0, 9,
    3, -1, 6, 10, -6, 50, -49, -13, 94, 3, -1, 8, -1, 14, -3, -4, 10, -3, -19, 5, 4, 2, 2, -3, -2, 10, 1, -7, 21, -14,
    -15, 8, -9, 12, 2, -3, -1, 13, 5, -2, 5, -5, -3, 34, 0, -1, -5, 0, 3, -2, 1, 18, -51, -9, 33, -37, 18, 16, 8, -8,
    14, 0, 26, 11, 22, -5, 0, 1, 0, -5, -5, -6, -2, 5, -26, 24, -11, -60, -8, -11, 8, 5, 9, -5, -4, 6, -3, 5, 12, 28,
    -5, -7, -4, -1, 9, 5, 2, 26, -69, -2, 105, -32, 14, -2, -2, -6, 2, -5, 15, 6, -29, 3, -34, -6, 0, -5, -7, -2, -9,
    1, 51, -32, 96, 54, -53, 3, 5, 0, 12, -1, -1, -18, -13, -7, 6, 10, 5, -3, 0, 6, 6, -12, -9, 28, -35, -37, 27, 54,
    15, -10, -2, 6, 6, 11, 29, 16, -2, -11, -17, 3, -7, 1, -2, 11, 1, -16, -64, 95, 2, 0, -2, -3, 6, 3, 11, 1, -8,
    -11, 0, -7, 0, -10, 5, 5, 0, 3, -10, -5, 5, -54, 64, -1, -23, 2, 17, -9, 7, -7, -4, -7, -21, -8, 46, -2, -20, -1,
    -2, 4, -14, 7, 1, -4, -8, 17, -2, 3, 2, 15, 7, -1, -3, -4, 5, -6, -9, 16, 13, -12, -1, -2, -10, 1, -9, 14, 3, 2,
    10, 8, -78, 55, 16, 3, -6, -1, -6, -4, -1, -4, -17, 8, 1, -10, 2, 0, -3, -1, 5, -4, -56, 34, -81, 29, -41, 27, 5,
    -16, -3, -13, 5, -7,
};
static const signed char igs__trained_weights[IGS__TRAINED_STARTS * IGS__TRAINED_CLASSES * IGS__TRAINED_MIXED] = {
    1, 1, 35, 14, 14, 1, 9, 14, 1, 5, 35, -10, 4, 14, 0, 11, 33, 0, 24, 18, 10, 19, 12, -14, -14, -1, -1, 11, 20, 20,
    27, 8, 4, 20, 4, -7, 20, 2, 38, 4, -2, 3, -10, 2, -13, 7, -5, -5, -16, -43, 2, 7, 11, -5, -5, -21, 5, 5, 17, 12,
    4, 5, 7, 2, 5, 5, 30, -3, 9, 12, 3, 6, 15, -2, 19, 3, 9, 33, 9, -10, -11, -1, 7, 6, 9, 9, 11, 8, 7, 9, 4, 4, 9, 4,
    25, -10, 19, 12, 9, 0, 1, 1, 23, -9, 19, 8, 9, -2, -23, 1, 11, 23, 18, 18, 6, 12, 14, 18, 7, 5, 18, 5, 13, -16,
    12, -3, -7, 27, -4, -10, 12, -5, 11, 1, 19, 8, -7, 15, 12, 4, 24, 24, 6, 19, 4, 24, -6, 10, 24, -4, 9, -22, 9,
    -11, 3, 18, 2, -1, -3, 0, 5, -8, 15, -2, -1, 26, 15, -7, 20, 20, 14, 12, 13, 20, 13, 10, 20, 13, 15, -35, -2, -28,
    22, 2, 10, -15, -23, 31, 13, -22, -8, -8, 26, 28, -25, 27, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 60, -9, 2, -11,
    -9, -6, -3, 15, -3, 5, -14, -4, -12, -6, 3, -9, 0, -26, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -4, -3, -2,
    -10, 0, 8, 10, -10, 0, 4, 2, -4, -7, 11, -6, 4, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 2, 1, -8, -5, -1,
    -6, -7, 4, -1, 5, -13, -15, 1, -11, 8, -11, 10, 10, 7, 5, 2, 10, 4, 2, 10, 3, 31, -9, 11, 8, 2, 7, 2, 3, 9, -5, 6,
    9, -1, -3, -7, 6, -1, 17, 12, 12, 5, 5, 10, 12, 2, -1, 12, 4, 27, -10, 12, 16, -1, -5, -5, 3, 6, -2, 9, 2, 16,
    -11, -14, 5, -2, 10, 9, 9, 10, 2, 0, 9, -1, -1, 9, -3, 27, -16, 8, 1, -8, 11, -3, -12, 5, 1, 8, 5, 1, -3, -11, 17,
    -3, 10, 8, 8, 1, 2, 14, 8, 12, 11, 8, 15, 26, 0, -12, -9, 2, 11, -11, 12, -6, 6, -6, -10, 8, -4, -8, 11, 4, -19,
    3, 3, -1, -1, -2, 3, 5, -4, 3, -2, 27, -17, 5, 3, -5, -3, -5, 1, 5, 8, 2, -6, -6, -11, 0, 10, -4, -2, 11, 11, 1,
    -1, 11, 11, 0, 3, 11, -1, 28, -10, -17, -35, 9, 8, -1, 7, -14, 4, 2, 11, 19, -13, 9, 14, -23, 19, 6, 6, 5, -3,
    -11, 6, -10, -7, 6, -3, 21, -5, 7, -10, 5, -6, -13, 0, 2, 14, -4, 3, -11, 0, 22, 2, -6, -2, 28, 28, 18, 17, 20,
    28, 8, 12, 28, 6, 14, 6, 14, 6, -17, -14, 6, 17, 23, -5, -14, -11, -7, 11, 6, -13, -18, -10, 28, 28, 22, 21, 29,
    28, 22, 30, 28, 22, 66, -25, 29, -15, 30, 15, -12, 1, -8, 2, 29, 17, -22, -12, -21, 37, -7, 41, 10, 10, 10, 10,
    10, 10, 10, 10, 10, 10, 51, 0, -8, 16, -5, 7, -4, 5, 13, -3, -3, -3, 2, -6, 5, -4, 1, 1, 10, 10, 10, 10, 10, 10,
    10, 10, 10, 10, 51, 0, 6, 5, -9, -13, -1, 4, -11, 5, -2, 8, 3, 2, -7, -6, 6, 3, 10, 10, 10, 10, 10, 10, 10, 10,
    10, 10, 51, 0, 6, 6, -7, -4, -1, -8, 8, -1, -9, 7, -7, -2, 12, -15, 3, -1, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
    51, 0, 4, 7, 8, -10, -5, -8, 4, 4, 2, 2, -1, 10, -1, -9, -6, -2, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 5,
    0, -5, 3, -3, -9, 10, 3, -13, 3, 4, -3, 3, -3, 14, -1, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -1, 3, 5, 0,
    -3, -4, 11, -6, -7, -1, -8, 4, 1, 7, 8, 0, 27, 27, 23, 22, 28, 27, 22, 27, 27, 23, 71, -25, 17, -4, 38, 27, -19,
    -1, -16, 7, 22, 1, -10, -23, -20, 32, -5, 28, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 3, 2, 9, 2, 10, 4,
    -11, -4, 0, 6, 0, 0, 4, -10, -4, -1, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 4, -4, -2, 0, 3, 5, -7, -8,
    -1, -4, 5, 1, 7, 7, 4, 5, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -9, -5, -1, -2, -5, 9, -19, -1, -5, -2,
    14, 3, -6, 13, -11, -4, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -5, -12, -7, -4, -15, -6, 4, -5, 2, 7, 0,
    10, -14, -1, -10, 4, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -7, 3, -3, -4, -2, -4, -1, 6, 4, -5, 0, -9,
    -8, 4, -6, -7, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -8, -1, 4, 12, 2, 5, -8, -2, 0, 9, -7, 3, -5, 0, -6,
    0, 1, 1, 40, 14, 4, 1, 11, 1, 1, 28, 45, -1, 5, 9, 17, -1, 2, -27, -3, 3, -4, -15, 9, 0, -34, 5, -3, 4, -8, -8,
    32, 15, 20, -8, -3, 5, -8, 31, 52, -12, -9, -12, 1, -29, 21, 17, -27, 31, -30, -16, 9, 26, 12, 35, 38, 18, 0, 0,
    25, 20, 6, 0, 4, 0, 0, 29, 49, 7, 17, 13, 14, -6, -25, -11, 2, -19, 17, 14, 7, -16, 2, -25, -16, -8, -7, -7, 5,
    38, 24, -7, 4, -5, -7, 35, 41, 5, 0, 19, 25, 6, -24, -27, 6, -21, 6, 19, -2, -22, 8, -29, -10, -2, -6, -6, -8, 17,
    45, -6, 10, 7, -6, 35, 39, 4, 6, 21, 31, 9, -12, -19, 3, -18, 8, 17, 12, -10, 21, -34, -20, -2, 2, 2, 5, -15, 37,
    2, 5, 22, 2, 26, 48, 5, 4, 21, 39, 35, -21, -8, 4, -16, 8, 2, 26, 17, 30, -36, -19, 8, 4, 4, 31, -3, 21, 4, 28,
    18, 4, 18, 61, 2, 12, 28, 35, 20, -34, 13, 12, -6, -29, 7, 40, 29, 21, -35, -15, 11, 24, 24, 22, 23, 26, 24, 23,
    32, 24, 15, 43, -36, 22, -9, -12, -33, 50, -19, 6, 20, 11, -50, 5, -14, -29, -3, 49, -6, 10, 10, 10, 10, 10, 10,
    10, 10, 10, 10, 51, 0, -1, 3, -5, 16, -9, 3, 3, 7, -3, -1, -6, -10, 5, 0, -1, -8, 10, 10, 10, 10, 10, 10, 10, 10,
    10, 10, 51, 0, 0, 5, -3, 12, -4, 1, -1, 8, 5, 3, -1, 6, -14, -12, -7, 3, 3, 3, -2, 14, 2, 3, 9, 8, 3, 21, 15, 0,
    -1, -1, 1, 6, -10, -10, 10, 4, 11, 9, 8, 8, -1, -4, -10, -6, -4, -4, -6, 23, 13, -4, 9, 3, -4, 26, 49, -6, -1, 0,
    13, 7, -6, -13, -2, -7, 26, 5, 1, -9, 18, -14, -2, 0, 3, 3, -4, 3, 0, 3, 6, 8, 3, 14, 33, -3, 8, 4, 7, 0, -6, -4,
    -2, 2, 9, 2, 3, -4, -1, -9, -3, -4, 2, 2, 4, -7, 18, 2, 6, 13, 2, 25, 60, -4, 3, 17, 24, 5, -13, -7, -3, 1, 15,
    13, 10, 0, 26, -13, -17, 2, 8, 8, 0, -6, 7, 8, 5, 4, 8, 11, 48, -5, 5, 4, 13, 2, -4, -3, -5, -1, 7, 5, 5, -4, 15,
    -1, -6, 0, 2, 2, 24, 1, 23, 2, 20, 12, 2, 19, 71, 5, 7, 7, 41, 16, -19, 0, 5, 1, -14, 2, 11, 27, 18, -15, -22, 20,
    8, 8, 8, 2, 6, 8, 12, 5, 8, 14, 65, -7, 3, 0, 15, 2, -4, -4, 0, -4, -9, 4, 3, 1, 15, -3, -8, 9, 1, 1, 0, 28, 12,
    1, -4, 3, 1, 38, 48, 0, -7, 16, 17, -19, 37, -4, -22, 21, -41, -26, 5, 1, 28, 9, 35, 16, 2, 2, -3, 14, 16, 2, 3,
    1, 2, 41, 50, -3, 3, 17, 16, -21, 32, 3, -20, 10, -36, -27, 23, 3, 28, 13, 35, 11, 7, 7, 0, -19, 26, 7, 7, 4, 7,
    42, 45, -3, 1, 18, 16, -9, 26, 10, -13, 9, -11, -55, 37, 11, 32, 5, 31, 6, 13, 13, 3, -6, 21, 13, 5, 13, 13, 30,
    42, 10, -15, 23, 20, -4, 13, 11, -6, 22, -4, -44, 70, 12, 23, 15, 24, -4, 19, 19, 10, 7, 16, 19, 0, 13, 19, 2, 40,
    8, -14, 15, 4, 9, 2, -10, -1, 9, 26, -24, 48, -5, 2, 21, 21, -18, 27, 27, 20, 25, 22, 27, 17, 24, 27, 16, 45, -37,
    23, 12, 48, 31, 1, -22, -19, -26, 8, -12, 2, 37, -13, -26, -42, 12, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0,
    -7, 2, -6, 5, -6, -5, 3, -2, 8, 2, 4, 1, 4, 4, -2, 4, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 2, -4, 6, -5,
    -12, -1, -4, 1, -6, 5, 1, -2, -1, -6, -10, 5, 1, 1, 0, 25, 2, 1, 7, -7, 1, 23, 19, -7, 9, 9, 0, -4, 16, -1, -8,
    -2, -17, -10, 2, 5, 10, 8, 6, 4, 6, 6, -2, -20, 2, 6, 9, -3, 6, 35, 54, -4, -3, 7, 12, -7, 15, 8, -17, -2, -16,
    -20, 14, 1, 20, 9, 17, 12, 11, 11, -3, -10, 5, 11, 10, 7, 11, 21, 27, 2, -7, -1, 13, -7, 7, 3, -1, 5, -11, -10,
    11, -10, 4, 4, 8, 10, 10, 10, 3, -5, 22, 10, 5, 4, 10, 28, 57, 3, -4, 26, 20, -8, 7, 9, -11, 10, -2, -40, 39, 1,
    20, 12, 26, 8, 16, 16, 0, -7, 2, 16, 6, -4, 16, 17, 44, -1, -8, 9, 9, -1, 0, 7, -2, -2, -5, -18, 20, 3, 11, 11, 9,
    7, 24, 24, -3, 3, 16, 24, 26, 13, 24, 30, 35, 6, -8, 8, -4, 17, 6, -1, 12, 22, -18, -18, 50, 11, 18, 12, 16, -14,
    16, 16, 4, -5, 12, 16, 8, 3, 16, 15, 38, 5, 0, 1, 10, 4, 7, -8, 4, 7, -10, -5, 20, -2, 14, 5, 11, -8, 10, 10, 5,
    9, 5, -1, 1, 6, 8, 2, 53, 5, 14, 11, 1, -5, 12, 6, -14, 2, 1, -3, 7, 8, 22, 10, -2, 11, -22, -1, 22, -3, -5, -3,
    -2, 5, 12, 16, 61, -5, -2, -8, -3, -5, 2, 0, -12, 5, -19, 0, 1, -4, -1, 4, -7, 21, 18, 7, 4, 4, 6, -2, 1, 10, 6,
    3, 55, 18, 13, 10, 8, -6, -1, 1, 6, -3, 1, -2, 7, 10, 11, 6, 6, -8, 4, 2, 7, 4, 3, -5, 2, 9, 10, 4, 58, 15, 11,
    19, 7, -5, -2, 4, 3, -3, 0, 2, 8, 15, 10, 1, 7, -7, 4, 2, 2, 4, 2, 0, 5, 16, 9, 6, 57, -3, 15, 5, 1, 2, 6, 5, 4,
    1, 4, 4, 7, 11, 8, -2, 13, -16, 21, 14, -1, 2, 10, 0, 2, 16, 1, 3, 67, -2, 12, 1, 3, 4, 10, -4, 11, 2, -2, 23, 15,
    4, 1, 2, 15, -19, 33, 28, 26, 27, 29, 26, 26, 29, 25, 24, 85, -32, -35, -14, 16, 16, 15, -10, -6, 8, -9, -3, -19,
    -21, -26, -11, -19, 26, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -5, -4, -4, -4, -3, 1, -6, -10, -5, 2, 12,
    -6, -16, -7, 1, -7, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 11, 8, -5, 8, -13, -1, 9, 0, -3, -1, -1, -5, 5,
    -4, -13, -4, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 3, -7, -4, -2, 12, 4, 0, 1, -5, -2, -12, 3, -1, 3, 7,
    -12, 42, 0, 3, 0, -3, 5, 5, 9, -2, 4, 14, -10, -4, 4, -3, 0, 2, -1, -3, 8, 2, -1, 2, 5, 8, -4, -5, -11, 23, 10, 2,
    -2, 5, 4, 0, -8, 1, 2, 48, -1, 3, 0, 3, 3, 3, -1, 4, -4, -5, 1, 6, 2, 8, -9, 1, -7, 50, 5, 1, 3, 7, -1, -1, 6, 2,
    5, 20, -8, 5, -4, -1, -4, 1, 3, 1, -2, 4, -11, -1, 4, 8, 0, 0, -4, 12, 3, -2, 3, 2, 4, 5, 11, -1, 7, 65, -11, 8,
    -2, 3, 3, 0, 1, -1, 0, 2, 4, 5, 9, 0, 3, 6, -24, 51, 5, 0, -4, 6, -1, 1, 5, 0, 3, 33, -5, 7, -6, -2, -3, 1, 2, 2,
    0, 4, -5, 4, 6, 2, -4, 7, -8, 51, 19, -5, 9, 11, 8, -4, 12, 1, -9, 88, -12, 21, 0, -6, 10, 14, 23, -1, -8, -7, 32,
    9, -6, 14, 16, 14, -10, 60, 6, 2, 3, 0, 0, 1, 10, 6, 1, 65, -1, 5, -6, -6, 4, 7, -10, 5, 3, 7, 5, 5, -2, 6, 1, 5,
    -5, 14, 12, 5, 7, 5, -2, 3, 6, 6, 1, 58, 12, 15, 3, -3, -10, -2, -1, -17, 8, -10, 0, 10, 7, -4, 18, 5, 15, 8, 5,
    8, 2, 1, -2, 3, 4, 6, 4, 60, 17, 3, 0, 1, -8, -1, -2, -15, -1, -16, 0, 10, 9, 2, 13, 6, 17, -7, 12, 10, 3, 3, -7,
    8, 8, 13, 7, 60, 3, 3, -10, 3, -7, -10, -1, -11, 3, -18, 5, 8, 7, 1, 3, 10, 11, 20, 10, 1, 3, 11, 4, 10, 15, 5, 4,
    62, -5, -2, -24, 15, -5, -12, -6, 3, 12, -34, 3, 14, 12, 9, 9, 5, 4, 32, 28, 26, 27, 28, 25, 27, 28, 25, 26, 82,
    -30, 3, -34, 0, 28, 10, -13, 21, -14, 45, 21, -31, -23, -12, -1, -13, -30, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
    51, 0, -1, 0, -1, 8, 2, -6, -4, 2, 19, 8, -8, -7, 4, 3, -3, 4, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 4,
    -6, -3, -5, -4, -3, 8, -12, -7, 10, -1, -8, 1, 1, -3, -13, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 8, -6,
    -6, 2, 7, 3, -12, -8, 0, -7, 3, 0, 0, 6, 4, 0, 23, 9, -1, 1, 0, 2, 0, 7, 2, 3, 19, -8, 6, -1, -5, -5, -3, -4, 0,
    0, -1, 6, -1, 2, 6, -1, 0, 1, 24, 8, 0, 4, 1, 1, 4, 0, 0, 6, 50, -1, 4, -5, -9, 6, -2, 0, -9, 5, -7, -1, 5, 1, -4,
    -5, 7, 5, 44, -3, 5, 1, 5, 2, 6, 6, 1, 0, 9, -5, -6, -5, 2, 2, 2, 4, -4, -3, -5, -1, 8, 2, -4, 1, 5, 5, 23, 1, 4,
    4, 6, 3, 4, 12, -1, 4, 63, -4, -4, -12, 9, -4, -9, 0, -13, 5, -15, 11, 0, 8, -5, 2, 11, 4, 46, 3, 3, -2, 3, 3, 4,
    6, 2, 3, 38, -10, -1, -6, 0, -3, 1, 2, -3, -3, -3, 1, 2, 1, 1, 3, 7, 4, 39, 22, 0, 2, 4, 5, 14, 28, 3, -11, 62,
    -17, -12, -18, 16, 17, -12, -40, 9, 16, -5, -8, -7, 0, 6, 6, 4, 14, 52, 13, 0, -3, 4, 4, 7, 8, 4, 0, 60, -4, -6,
    -1, 4, 6, -2, -2, 11, 10, -9, 5, -1, 5, 2, 12, -3, -1, 5, 16, 7, 22, 8, 3, 7, 12, 3, 3, 52, -6, 8, -1, 8, -18, -6,
    -6, 5, -8, -11, -12, 10, -15, 3, -1, -24, 6, -10, 3, 24, 0, -5, 0, 10, 2, -1, 11, 48, -2, 4, -11, 2, -8, 2, 7, 7,
    -15, 10, 12, 6, -6, 1, 0, 4, -8, 9, 12, 6, 13, 4, 4, 0, 14, 2, 4, 58, 15, 5, 21, 5, -14, -13, 10, 6, 6, -11, 0, 0,
    -3, 4, 3, -17, 2, 5, 9, 2, 15, 3, 2, 1, 9, 5, 5, 61, 14, 3, 14, 0, -10, -7, 5, 8, 4, -7, -1, -5, 6, 9, 0, -10, 5,
    12, 11, 7, 5, 1, 4, 10, 9, 2, 2, 61, 3, 1, 9, -1, -11, -5, 6, 5, 9, -13, 0, -10, 0, 9, -8, -17, 6, 31, 5, -1, 7,
    12, 4, 11, 8, 7, 0, 66, -11, -11, 16, -10, -17, 0, 5, -4, 2, -14, 5, 1, -13, 0, -21, -17, 1, 38, 36, 28, 33, 32,
    25, 33, 31, 24, 35, 74, -32, 11, -47, -12, -4, -1, -7, 5, -30, -5, -30, 8, -13, -29, 9, 13, 4, 10, 10, 10, 10, 10,
    10, 10, 10, 10, 10, 51, 0, -6, -3, 1, 7, 10, 7, -2, -7, 4, 10, -3, -3, 2, -7, 6, 7, 10, 10, 10, 10, 10, 10, 10,
    10, 10, 10, 51, 0, 1, 4, 0, -3, 1, -1, -3, 5, 3, 7, 2, 2, -3, 3, -8, -5, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
    51, 0, 1, 7, -5, 13, 5, 7, -9, -5, -17, -8, 6, -2, 11, 2, -7, 5, 38, 6, 2, 8, 4, 6, 7, 1, -2, 0, 29, 1, 0, 0, -1,
    -1, -11, 3, 2, 3, -9, -1, 7, 5, 1, 0, -11, 0, 26, 4, 7, 5, -6, 1, -1, 4, 3, 5, 56, -2, 0, 3, 7, -4, 1, 5, 5, 4,
    -7, 2, 0, -3, 2, 3, -9, 5, 50, 2, 0, 6, 6, 11, 4, 1, 2, 0, 37, 0, 3, -3, 1, 0, -5, 1, 1, 1, -8, 1, 2, 0, 2, -7,
    -6, 5, 19, 8, 6, 7, 2, 8, 8, 11, 2, 3, 68, -2, 2, 8, -2, -11, 1, 1, 3, -3, -10, 2, -3, 7, 6, -6, -17, 9, 52, 0, 0,
    4, 3, 2, 2, 3, 2, 1, 59, -4, 0, 2, -4, -2, -5, 0, 0, -1, -2, -2, -4, -1, 4, -1, -11, 3, 37, 4, 17, 9, 18, 44, 9,
    9, 26, 13, 88, -31, -1, -24, -11, 21, -16, -12, -18, -21, -4, -29, 19, 5, -22, -20, -1, 10, 43, 8, -1, 3, 4, 11,
    5, -7, -1, 3, 74, -18, -7, 2, 0, -8, -6, -4, 12, -7, -16, -1, 9, 0, -1, -3, -11, -15, 8, 8, 5, 14, 3, 3, 4, 12, 3,
    3, 63, 9, 15, 6, 1, -24, -6, 3, 5, -7, -1, 14, 5, -6, 5, 4, -12, -9, 3, 8, 6, 10, 5, 3, 2, 10, 4, 2, 58, 15, 15,
    1, 0, -19, 5, 9, 8, -5, 3, 11, -3, 2, 11, 4, -8, -7, 8, 8, 5, 9, 5, 2, 11, 6, 4, -2, 55, 0, 13, -7, -6, -25, -3,
    14, 9, -10, 0, -1, -10, -8, 3, 0, -10, 0, 32, 4, 1, 12, 8, 3, 10, 14, 0, 0, 52, -14, 20, -10, -10, -23, -22, 2,
    11, 6, 0, -10, 0, -15, -9, 5, -1, -6, 41, 35, 31, 36, 33, 24, 36, 32, 27, 36, 73, -38, -11, -4, 16, -5, -18, -33,
    -16, -17, -39, -54, 22, -3, -32, -16, -18, 23, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, 0, 2, 2, -6, -2, 1,
    -2, -2, 1, -5, -4, -5, 2, 1, 1, -9, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -3, -1, 1, 2, -2, -3, 6, 5, 2,
    -12, -6, -1, -1, -2, 8, 12, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 51, 0, -12, -1, -3, 1, -2, -1, -10, -6, -2, 3,
    3, 10, 5, 6, 6, -1, 41, 4, 3, 2, 4, 3, 4, 3, 3, 4, 20, -5, 2, -1, 4, -4, -6, 13, 8, 0, -3, 2, 2, 3, -3, 6, -13, 0,
    16, 4, 2, 5, 3, 3, 0, 5, -2, -3, 50, -5, 6, -4, -6, -7, 9, 9, 4, -4, -3, 3, -1, 4, -1, 1, -9, 0, 56, 0, 3, 3, 2,
    2, 5, -1, 3, 0, 31, -3, 7, -12, 5, -4, 3, 3, 7, 4, -4, 4, 0, 0, 5, -2, -6, -2, 22, 10, 1, 9, 3, 6, 9, 5, 1, 3, 68,
    -3, 6, -2, -1, -15, -11, 5, 6, -1, 11, -1, -5, -8, 3, 6, -2, 7, 48, 3, 1, 5, 0, 4, 2, 2, 2, 1, 47, -11, 6, -8, -1,
    -7, -2, -1, 5, -5, -3, -3, -7, 0, 1, 0, -5, -3, 29, 12, 11, 19, 15, -19, 9, 21, -11, 11, 89, -36, -4, -16, -5,
    -21, -23, -22, -7, -14, -26, -44, 14, 6, -37, -1, 2, 30, 40, -6, -2, 13, 5, 3, -1, 3, 8, -7, 74, -15, 2, -6, -7,
    -2, -9, 6, 1, -4, -5, -18, 2, -2, -9, -2, -1, -11, -15, 21, 12, 17, 17, 13, 9, 22, 1, 20, 34, -23, 2, -21, 4, -1,
    8, 3, 3, -6, 8, 28, 4, -17, -6, -3, 0, -9, -47, 17, 25, 5, -4, 6, 19, 22, -1, 45, 51, 6, -5, -6, -14, -4, 8, -3,
    -4, 1, -7, -5, 4, 0, 5, -5, 0, -7, 1, 18, 8, 11, 14, 8, 11, 13, 2, 18, 43, 1, 0, -6, -2, -8, 17, 6, 9, -7, 24, 8,
    7, -13, -14, 0, 4, 4, -13, 19, 8, 8, 16, 6, 14, 17, 4, 21, 45, 13, 5, -12, -7, -3, 4, -4, 6, 0, 22, 5, -2, -20,
    -3, -8, -6, 8, -6, 19, 11, 3, 21, -1, 15, 14, 10, 23, 33, 11, 2, 8, -17, 5, 20, -3, 4, 4, 21, 0, 3, -18, -14, 4,
    -10, -10, -2, 16, 9, 7, 26, -1, 12, 10, 6, 24, 35, -16, -2, 4, -10, 7, 27, 4, 8, 5, -1, -2, -4, -8, -21, 8, -8,
    -24, -4, 11, 21, 12, 33, -6, 23, 22, 12, 21, 36, -39, 17, -11, -1, 4, 16, -2, 13, 10, 8, 0, -22, 4, -11, 2, 2,
    -29, 1, 9, 15, 21, 39, -17, 20, 3, 4, 30, 47, -33, 20, 0, -7, -16, 12, -11, 21, 20, 12, -7, -23, -4, -15, -5, 14,
    -32, 40, -15, 27, -7, 41, 1, 6, 8, 2, 28, 77, -12, 18, -3, -20, 6, 28, 17, 37, -4, 32, 9, 5, -23, -48, -21, -12,
    -40, 8, 5, -8, 21, -4, -13, 5, 4, 26, -20, 76, -29, 6, -50, 35, 1, -7, 24, 10, -53, 20, 21, 21, -18, 2, 12, -12,
    5, 45, 12, 4, 6, 11, 4, 6, 3, 3, 8, 35, 15, 7, 0, -3, -7, 10, 5, -1, -3, 8, 1, 3, -8, -11, -4, -2, 3, 18, 11, 4,
    1, 14, 12, 7, 4, 15, 11, 52, 19, -1, 1, -7, 2, -1, 3, -1, -3, 12, 2, 2, -7, -12, -4, -5, 1, 46, 6, 5, 5, 13, 13,
    4, 2, 3, 6, 46, 12, 2, -4, -3, 4, 0, -2, -4, -3, 2, 0, -3, -9, -5, -7, -1, -2, 15, 12, 10, 3, 20, 9, 10, 5, 12,
    12, 48, 18, -7, 8, -5, 3, 12, 6, 3, 0, -1, 0, -1, -11, -13, -1, -5, -3, 49, 2, 6, 1, 15, 12, 6, -2, 11, 8, 35, 3,
    -1, 4, -1, 0, 8, 0, 3, 0, 6, 1, 1, -4, -2, -2, -2, -4, -14, 15, 11, 13, 34, 9, 13, 7, 17, 21, 59, 19, 5, -2, -3,
    -1, 4, -3, 2, 8, 2, 8, -13, 2, -2, 0, 0, -16, 33, 1, 9, 0, 19, 5, 4, -1, 18, 11, 52, 1, 1, 1, 2, 0, 3, -1, 2, 0,
    3, 1, 0, -1, 3, 1, -1, -5, -2, 23, 9, 16, 13, 5, 12, 12, 1, 18, 40, 9, 0, -19, 5, -3, 16, 4, 4, -6, 20, 0, 13,
    -19, -3, -5, 2, -1, -7, 18, 9, 12, 17, 1, 14, 11, 4, 20, 38, 20, -5, -15, 2, -2, -6, 1, 12, -5, 17, -5, 13, -22,
    -2, -5, -6, -5, -14, 24, 10, 5, 15, -4, 16, 7, 14, 22, 29, 8, 7, -2, 14, 11, -1, -2, -2, -1, 8, -19, 8, -26, -16,
    14, 12, -23, -14, 20, 13, 1, 26, -10, 14, 14, 25, 20, 35, -23, 0, 1, 13, 0, -7, 3, -3, 1, -4, -3, 12, -11, -22,
    10, 3, -36, 4, 8, 11, 26, 16, -31, 7, 15, 34, 15, 42, -15, -1, 11, 1, 10, -15, -11, -6, 0, 3, 9, 4, -27, -16, -3,
    0, -31, 7, -67, 34, 55, 16, -32, 8, 18, 88, 19, 49, 3, 13, 17, -1, 14, -14, -8, -13, 0, -10, 21, -33, -18, 20, -7,
    13, -39, 24, -31, 32, 54, 44, 2, 2, 1, 87, 10, 44, 19, -21, 14, 5, 6, -16, 0, -33, -13, 10, 28, -10, 16, 19, 28,
    -30, -38, 30, 21, 38, 16, 35, -13, 8, 11, 9, 6, 22, -50, -13, 19, 2, 19, 20, -38, -15, -18, 42, 59, -18, -32, 4,
    15, -19, -10, 35, 15, 5, 7, 17, 10, 8, 2, 3, 9, 33, 13, 7, -12, -1, -6, 0, 4, -3, 1, 3, -2, 8, -4, -11, -3, -3,
    -1, 5, 11, 8, 4, 21, 9, 10, 8, 11, 11, 45, 18, 4, -3, -4, -5, 0, 8, 0, -6, 7, -4, -3, -10, -5, 3, 1, -8, 47, 12,
    7, 3, 13, 4, 5, 0, 14, 8, 36, 9, 0, -5, 2, 6, -2, 1, 5, 0, -3, 3, 1, -6, -3, -1, -2, -3, -5, 15, 14, 0, 21, -2, 5,
    2, 26, 14, 48, 3, 1, 0, 10, 5, -6, 0, 2, 6, -10, -4, 2, -10, -16, 5, 2, -13, 44, 1, 8, 1, 15, 12, 3, 1, 13, 8, 35,
    2, 4, 2, 7, 0, 2, -1, 0, 2, -2, -2, 2, -9, -5, 1, 8, -7, -15, 17, 22, 20, 30, -6, 2, 5, 41, 7, 57, 30, -6, 4, 6,
    -3, -4, 3, -2, -7, -5, 8, -5, -4, -10, -9, -9, -18, 17, 4, 11, 8, 18, -6, 2, -3, 45, 9, 48, 1, -3, 1, 2, 1, -1, 0,
    -1, -2, -4, 0, -2, -3, -5, -2, -5, -6,
};
/* clang-format on */

/* Nodes lie so that those of small values share one line of a cache: is it 0, is it negative, then lengths up to 7 of
 * positive and of negative ones; longer ones and bits of positive ones, the same of negative ones. */
#define IGS__SHORT_NODES 7
#define IGS__LONG_AT 16
#define IGS__BITS_AT (IGS__MAX_LENGTH - 1 - IGS__SHORT_NODES) /* behind the long ones */
#define IGS__SIDE_NODES 294

/* Nodes that are alike share their weights. */
static void igs__find_classes(uint8_t* classes) {
    uint32_t node, i, negative, length;
    memset(classes, 0, IGS__PREDICTION_NODES);
    classes[1] = 1;
    for (negative = 0; negative < 2; ++negative) {
        const uint32_t side = negative ? 17 : 2;
        for (i = 0; i < IGS__SHORT_NODES; ++i) classes[2 + IGS__SHORT_NODES * negative + i] = (uint8_t)(side + i);
        node = IGS__LONG_AT + IGS__SIDE_NODES * negative;
        for (i = 0; i < IGS__BITS_AT; ++i) classes[node++] = (uint8_t)(side + IGS__SHORT_NODES);
        for (length = 2; length <= 10; ++length)
            for (i = 0; i < 31; ++i) /* the first is the bit below the leading one */
                classes[node++] =
                    (uint8_t)(side + (length == 2 ? 8 : 2 * (length < 5 ? length : 5) + 4 - (i == 0 ? 1u : 0u)));
    }
}

static void igs__begin_trained(igs__model* model, uint32_t start) {
    const uint32_t count = IGS__TRAINED_CLASSES * IGS__TRAINED_MIXED;
    const signed char* rows = igs__trained_layers + (size_t)start * IGS__TRAINED_UNITS * (IGS__TRAINED_INPUTS + 1);
    int32_t* shared = model->mixed_weights + IGS__GROUPS * (size_t)count;
    uint32_t i, j;
    memset(model->mixed_weights, 0, IGS__GROUPS * count * sizeof *model->mixed_weights);
    for (i = 0; i < count; ++i) shared[i] = 512 * igs__trained_weights[start * count + i];
    for (j = 0; j < IGS__TRAINED_UNITS; ++j, rows += IGS__TRAINED_INPUTS + 1)
        for (i = 0; i < IGS__TRAINED_INPUTS; ++i) model->layer[(i / 2 * IGS__TRAINED_UNITS + j) * 2 + i % 2] = rows[i];
}

/* What is mixed for a decision. All that a section's decisions can teach keeps a weight, and the sum of two, within 2^30:
 * each moves the weights' length by what it rounds, except where it moves the total towards what was wrong. */
typedef struct igs__mixed {
#if defined(__SSE2__)
    __m128i inputs[4]; /* in 16 bits, as many as are used */
#else
    int16_t inputs[IGS__TRAINED_MIXED];
#endif
} igs__mixed;

#if defined(__SSE2__)
/* Of four weights from one on, both sets together: what they add in products of their upper and of their lower halves. */
IGS__HOT void igs__mix_four(const int32_t* shared, const int32_t* own, __m128i inputs, int upper, __m128i* sums) {
    const __m128i nothing = _mm_setzero_si128();
    const __m128i weight = _mm_add_epi32(
        _mm_loadu_si128((const __m128i*)(const void*)shared), _mm_loadu_si128((const __m128i*)(const void*)own)
    );
    const __m128i rounded = _mm_add_epi32(weight, _mm_set1_epi32(32768)); /* as the lower half counts with its sign */
    const __m128i low = upper ? _mm_unpackhi_epi16(inputs, nothing) : _mm_unpacklo_epi16(inputs, nothing);
    const __m128i high = upper ? _mm_unpackhi_epi16(nothing, inputs) : _mm_unpacklo_epi16(nothing, inputs);
    sums[0] = _mm_add_epi32(sums[0], _mm_madd_epi16(rounded, high));
    sums[1] = _mm_add_epi32(sums[1], _mm_madd_epi16(weight, low));
}

IGS__HOT int32_t igs__mix_all(const int32_t* shared, const int32_t* own, const igs__mixed* mixed, uint32_t inputs) {
    __m128i sums[2], both;
    uint32_t i;
    sums[0] = sums[1] = _mm_setzero_si128();
    IGS__UNROLLED for (i = 0; i < inputs; i += 4)
        igs__mix_four(shared + i, own + i, mixed->inputs[i >> 3], i & 4, sums);
    both = _mm_add_epi32(_mm_unpacklo_epi32(sums[0], sums[1]), _mm_unpackhi_epi32(sums[0], sums[1]));
    both = _mm_add_epi32(both, _mm_shuffle_epi32(both, 0x4E));
    return _mm_cvtsi128_si32(both) + (_mm_cvtsi128_si32(_mm_shuffle_epi32(both, 0x55)) >> 16);
}

/* Each weight moves by (input * rate * off + 2^18) / 2^19, rounded down; off has 17 bits and is multiplied in two parts. */
IGS__HOT void igs__teach_all(
    int32_t* shared, int32_t* own, const igs__mixed* mixed, uint32_t inputs, int32_t off, int32_t rate
) {
    const int32_t part = off >> 1;
    const __m128i parts = _mm_set1_epi32((int32_t)((uint32_t)part << 16 | ((uint32_t)(off - part) & 0xFFFF)));
    const __m128i rates = _mm_set1_epi16((short)rate), half = _mm_set1_epi32(1 << 18);
    uint32_t i;
    IGS__UNROLLED for (i = 0; i < inputs; i += 4) {
        __m128i *first = (__m128i*)(void*)(shared + i), *second = (__m128i*)(void*)(own + i);
        __m128i change = _mm_mullo_epi16(mixed->inputs[i >> 3], rates);
        change = i & 4 ? _mm_unpackhi_epi16(change, change) : _mm_unpacklo_epi16(change, change);
        change = _mm_srai_epi32(_mm_add_epi32(_mm_madd_epi16(change, parts), half), 19);
        _mm_storeu_si128(first, _mm_add_epi32(_mm_loadu_si128(first), change));
        _mm_storeu_si128(second, _mm_add_epi32(_mm_loadu_si128(second), change));
    }
}

IGS__HOT void igs__set_mixed(
    igs__mixed* mixed, const igs__model* model, const uint32_t* slots, int32_t expected, int trained
) {
    mixed->inputs[0] = _mm_set_epi16(
        (short)igs__stretched(model, slots[7]), (short)igs__stretched(model, slots[6]),
        (short)igs__stretched(model, slots[5]), (short)igs__stretched(model, slots[4]),
        (short)igs__stretched(model, slots[3]), (short)igs__stretched(model, slots[2]),
        (short)igs__stretched(model, slots[1]), (short)igs__stretched(model, slots[0])
    );
    mixed->inputs[1] = _mm_set_epi16(
        0, 0, 0, 0, trained ? 256 : 77, (short)expected, (short)igs__stretched(model, slots[9]),
        (short)igs__stretched(model, slots[8])
    );
    if (trained) {
        const __m128i units = _mm_loadu_si128((const __m128i*)(const void*)model->units);
        mixed->inputs[1] = _mm_unpacklo_epi64(mixed->inputs[1], units);
        mixed->inputs[2] = _mm_loadu_si128((const __m128i*)(const void*)(model->units + 4));
        mixed->inputs[3] = _mm_srli_si128(_mm_loadu_si128((const __m128i*)(const void*)(model->units + 8)), 8);
    }
}
#else
IGS__INLINE int32_t igs__mix_all(const int32_t* shared, const int32_t* own, const igs__mixed* mixed, uint32_t inputs) {
    int64_t total = 0;
    uint32_t i;
    for (i = 0; i < inputs; ++i) total += (int64_t)(shared[i] + own[i]) * mixed->inputs[i];
    return (int32_t)(total >> 16);
}

IGS__INLINE void igs__teach_all(
    int32_t* shared, int32_t* own, const igs__mixed* mixed, uint32_t inputs, int32_t off, int32_t rate
) {
    uint32_t i;
    for (i = 0; i < inputs; ++i) {
        const int32_t change = (mixed->inputs[i] * rate * off + (1 << 18)) >> 19;
        shared[i] += change;
        own[i] += change;
    }
}

IGS__INLINE void igs__set_mixed(
    igs__mixed* mixed, const igs__model* model, const uint32_t* slots, int32_t expected, int trained
) {
    int i;
    for (i = 0; i < 10; ++i) mixed->inputs[i] = (int16_t)igs__stretched(model, slots[i]);
    mixed->inputs[10] = (int16_t)expected;
    mixed->inputs[11] = trained ? 256 : 77;
    if (trained) memcpy(mixed->inputs + IGS__PREDICTION_INPUTS, model->units, sizeof model->units);
}
#endif

/* Whether it is yes, of a decision whose distribution says part / whole; with the weights of a class of nodes. */
IGS__INLINE int igs__mixed_decide(
    igs__model* model, igs__bits* bits, uint32_t node, int64_t part, int64_t whole, uint32_t group,
    const uint32_t* contexts, int yes, int trained
) {
    const uint32_t inputs = trained ? IGS__TRAINED_MIXED : IGS__PREDICTION_INPUTS;
    const uint32_t classes = trained ? IGS__TRAINED_CLASSES : IGS__PREDICTION_NODES;
    const uint32_t row = trained ? model->classes[node] : node;
    const int64_t share = igs__clamp(igs__floor(igs__quotient(4096 * part, whole)), 0, 4095);
    int32_t* shared = model->mixed_weights + (IGS__GROUPS * classes + row) * inputs;
    int32_t* own = model->mixed_weights + (group * classes + row) * inputs;
    uint32_t slots[10];
    igs__mixed mixed;
    int32_t total, probability;
    int i;
    for (i = 0; i < 10; ++i) slots[i] = contexts[i] + node;
    igs__set_mixed(&mixed, model, slots, model->stretch[share], trained);
    total = igs__mix_all(shared, own, &mixed, inputs);
    total = total > IGS__STRETCH_LIMIT ? IGS__STRETCH_LIMIT : total;
    total = total < -IGS__STRETCH_LIMIT ? -IGS__STRETCH_LIMIT : total;
    probability = model->squash[total + IGS__STRETCH_LIMIT];
    yes = igs__code_bit(bits, (uint32_t)probability, 16, yes);
    igs__teach_all(shared, own, &mixed, inputs, (yes ? 65536 : 0) - probability, trained ? 5 : 11);
    for (i = 0; i < 10; ++i) igs__adapt(model, slots[i], yes);
    return yes;
}

static int igs__prediction_decide(
    igs__model* model, igs__bits* bits, uint32_t node, int64_t part, int64_t whole, uint32_t group,
    const uint32_t* contexts, int yes
) {
    if (model->is_trained) return igs__mixed_decide(model, bits, node, part, whole, group, contexts, yes, 1);
    return igs__mixed_decide(model, bits, node, part, whole, group, contexts, yes, 0);
}

static int32_t igs__prediction_value(
    igs__model* model, igs__bits* bits, int64_t mean, int64_t wide, uint32_t group, const uint32_t* contexts,
    int32_t value
) {
    const uint32_t magnitude = (uint32_t)(value < 0 ? -value : value);
    const int known = IGS__WRITES ? igs__length(value) : 0;
    const int64_t one = (int64_t)1 << 32;
    const int64_t below = one - igs__above_share(model->tails, -1, mean, wide),
                  over = igs__above_share(model->tails, 0, mean, wide);
    int64_t centre, more, low, high;
    uint32_t length = 1, found = 1, prefix = 1, short_at = 2, long_at = IGS__LONG_AT - IGS__SHORT_NODES;
    int negative, place;
    if (!igs__prediction_decide(model, bits, 0, below + over, one, group, contexts, known > 0)) return 0;
    negative = igs__prediction_decide(model, bits, 1, below, below + over, group, contexts, value < 0);
    if (negative) short_at += IGS__SHORT_NODES, long_at += IGS__SIDE_NODES;
    centre = negative ? -mean : mean;
    more = igs__above_share(model->tails, 0, centre, wide);
    while (length < IGS__MAX_LENGTH) {
        const int64_t yet = igs__above_share(model->tails, ((int64_t)1 << length) - 1, centre, wide);
        const uint32_t node = length - 1 + (length <= IGS__SHORT_NODES ? short_at : long_at);
        if (!igs__prediction_decide(model, bits, node, yet, more, group, contexts, known > (int)length)) break;
        more = yet;
        ++length;
    }
    low = more;
    high = igs__above_share(model->tails, ((int64_t)1 << length) - 1, centre, wide);
    for (place = (int)length - 2; place >= 0; --place) {
        int bit = (int)(magnitude >> place & 1);
        if ((int)length - 2 - place < 5) {
            const int64_t threshold = ((2 * (int64_t)found + 1) << place) - 1;
            const int64_t middle = igs__above_share(model->tails, threshold, centre, wide);
            const uint32_t block = long_at + IGS__MAX_LENGTH - 1 + 31 * ((length < 10 ? length : 10) - 2);
            bit = igs__prediction_decide(
                model, bits, block + prefix - 1, middle - high + 1, low - high + 2, group, contexts, bit
            );
            if (bit) low = middle;
            else high = middle;
            prefix = 2 * prefix + (uint32_t)bit;
        } else {
            bit = igs__code_bit(bits, 32768, 16, bit);
        }
        found = 2 * found + (uint32_t)bit;
    }
    return negative ? -(int32_t)found : (int32_t)found;
}

typedef struct igs__neighbourhood {
    int64_t weight_sum, value_sum, off_sum, size_sum, best_weight;
    int32_t like;
} igs__neighbourhood;

IGS__INLINE uint32_t igs__distance(const igs__items* items, uint32_t n, uint32_t j) {
    const int32_t *mean = items->means + 2 * (size_t)n, *other = items->means + 2 * (size_t)j;
    const int8_t *step = items->exponents + 2 * (size_t)n, *other_step = items->exponents + 2 * (size_t)j;
    uint32_t far_away = 0;
    int axis;
    for (axis = 0; axis < 2; ++axis) {
        const int32_t distance = mean[axis] < other[axis] ? other[axis] - mean[axis] : mean[axis] - other[axis];
        const uint32_t ours = (uint32_t)distance >> (step[axis] + 4),
                       theirs = (uint32_t)distance >> (other_step[axis] + 4);
        far_away += ours < 8192 ? ours * ours : 1u << 26; /* the limit of the sum */
        far_away += theirs < 8192 ? theirs * theirs : 1u << 26;
    }
    return 480 + (far_away < 1u << 26 ? far_away : 1u << 26);
}

static void igs__weigh(
    const igs__items* items, const int64_t* scales, uint32_t n, uint32_t j, uint32_t k, int64_t far_away,
    igs__neighbourhood* near
) {
    const int32_t *own = items->values + (size_t)n * items->planes, *their = items->values + (size_t)j * items->planes;
    int64_t unlike = 64, weight;
    uint32_t i;
    if (items->means != NULL) far_away = igs__distance(items, n, j);
    for (i = k > 8 ? k - 8 : 0; i < k; ++i) {
        const int64_t term = (igs__abs((int64_t)own[i] - their[i]) * scales[i]) >> 7;
        unlike += term < 512 ? term : 512;
    }
    weight = ((int64_t)1 << 48) / (far_away * unlike * unlike * unlike);
    if (weight < 1) weight = 1;
    near->weight_sum += weight;
    near->value_sum += weight * their[k];
    near->size_sum += weight * igs__abs(their[k]);
    near->off_sum += weight * igs__abs(items->off[(size_t)j * items->planes + k]);
    if (weight >= near->best_weight) {
        near->best_weight = weight;
        near->like = their[k];
    }
}

#define IGS__AROUND_CELLS 3 /* to either side and above */
#define IGS__MOST_IN_CELL 4

/* Weighs the last items of cell of row y before n, and of those beside it. */
static void igs__weigh_cells(
    const igs__items* items, const int64_t* scales, uint32_t n, uint32_t k, int32_t y, int32_t from, int32_t to,
    igs__neighbourhood* near
) {
    const int32_t across = (int32_t)items->across, row = (int32_t)items->cells[n] / across;
    const int32_t column = (int32_t)items->cells[n] % across;
    int32_t x;
    for (x = from; x <= to; ++x) {
        const uint32_t cell = (uint32_t)(y * across + x), first = items->firsts[cell];
        const uint32_t end = items->firsts[cell + 1] < n ? items->firsts[cell + 1] : n;
        const int64_t far_away = 512 + 1024 * ((row - y) * (row - y) + (column - x) * (column - x));
        uint32_t j = end > IGS__MOST_IN_CELL && end - IGS__MOST_IN_CELL > first ? end - IGS__MOST_IN_CELL : first;
        for (; j < end; ++j) igs__weigh(items, scales, n, j, k, far_away, near);
    }
}

#if defined(__SSE2__)
/* What is summed of neighbours, four at a time. Weights have 22 bits at most and values 23, so that doubles hold sums of
 * their products; the best is a weight with the order of coming below it. */
typedef struct igs__sums {
    __m128d values, sizes;
    __m128i weights, off, best;
    int32_t steps, at[4 * 8]; /* of four neighbours, and where each step began */
} igs__sums;

/* What is known of the item that neighbours are weighed for. */
typedef struct igs__own {
    __m128 place[2], step[2];
    __m128 values[8], scales[8]; /* of the planes that are compared; scales in 1/128 */
    uint32_t first, compared;    /* planes */
} igs__own;

/* Divided and squared distances along an axis. */
IGS__HOT __m128i igs__squares(__m128 distance, __m128 step) {
    const __m128i whole = _mm_cvttps_epi32(_mm_min_ps(_mm_mul_ps(distance, step), _mm_set1_ps(8192.0f)));
    return _mm_madd_epi16(whole, whole);
}

IGS__HOT __m128d igs__weight_two(__m128i far_away, __m128i unlike) {
    const __m128d alike = _mm_cvtepi32_pd(unlike);
    const __m128d distance = _mm_min_pd(_mm_cvtepi32_pd(far_away), _mm_set1_pd((double)((1 << 26) + 480)));
    const __m128d weight = _mm_div_pd(
        _mm_set1_pd((double)((int64_t)1 << 48)), _mm_mul_pd(_mm_mul_pd(distance, alike), _mm_mul_pd(alike, alike))
    );
    return _mm_max_pd(weight, _mm_set1_pd(1.0)); /* a product that is not exact is above 2^53, its weight 1 */
}

/* Weighs kept items of a row of cells, from first to end; nearer: what is known of their distance, in vertical. */
static void igs__weigh_row(
    const igs__items* items, const igs__own* own, uint32_t first, uint32_t end, uint32_t k, int32_t vertical,
    igs__sums* sums
) {
    const igs__kept* kept = &items->kept;
    const __m128 sign = _mm_set1_ps(-0.0f);
    uint32_t at, i;
    for (at = first; at < end; at += 4) {
        const float* held = kept->values + own->first * kept->room + at;
        const __m128i off = _mm_loadu_si128((const __m128i*)(const void*)(kept->off + at));
        const __m128 across = _mm_andnot_ps(sign, _mm_sub_ps(own->place[0], _mm_loadu_ps(kept->places[0] + at)));
        __m128 value = _mm_loadu_ps(kept->values + k * kept->room + at);
        __m128i far_away, unlike = _mm_set1_epi32(64), weights, keys, above;
        __m128d low, high;
        if (items->means != NULL) {
            const __m128 down = _mm_andnot_ps(sign, _mm_sub_ps(own->place[1], _mm_loadu_ps(kept->places[1] + at)));
            far_away = _mm_add_epi32(
                _mm_add_epi32(
                    igs__squares(across, own->step[0]), igs__squares(across, _mm_loadu_ps(kept->steps[0] + at))
                ),
                _mm_add_epi32(igs__squares(down, own->step[1]), igs__squares(down, _mm_loadu_ps(kept->steps[1] + at)))
            );
            far_away = _mm_add_epi32(far_away, _mm_set1_epi32(480));
        } else {
            const __m128i whole = _mm_cvttps_epi32(across);
            far_away = _mm_add_epi32(_mm_set1_epi32(vertical), _mm_slli_epi32(_mm_madd_epi16(whole, whole), 10));
        }
        for (i = 0; i < own->compared; ++i, held += kept->room) {
            const __m128 differs = _mm_andnot_ps(sign, _mm_sub_ps(own->values[i], _mm_loadu_ps(held)));
            unlike = _mm_add_epi32(
                unlike, _mm_cvttps_epi32(_mm_min_ps(_mm_mul_ps(differs, own->scales[i]), _mm_set1_ps(512.0f)))
            );
        }
        low = igs__weight_two(far_away, unlike);
        high = igs__weight_two(_mm_shuffle_epi32(far_away, 0x4E), _mm_shuffle_epi32(unlike, 0x4E));
        weights = _mm_unpacklo_epi64(_mm_cvttpd_epi32(low), _mm_cvttpd_epi32(high));
        if (end - at < 4) { /* those behind may not be decoded yet */
            const __m128i used = _mm_cmplt_epi32(_mm_set_epi32(3, 2, 1, 0), _mm_set1_epi32((int32_t)(end - at)));
            weights = _mm_and_si128(weights, used);
            value = _mm_and_ps(value, _mm_castsi128_ps(used));
        }
        keys = _mm_or_si128(
            _mm_slli_epi32(weights, 7), _mm_add_epi32(_mm_set_epi32(3, 2, 1, 0), _mm_set1_epi32(4 * sums->steps))
        );
        above = _mm_cmpgt_epi32(keys, sums->best);
        sums->best = _mm_or_si128(_mm_and_si128(above, keys), _mm_andnot_si128(above, sums->best));
        sums->at[sums->steps++] = (int32_t)at;
        sums->weights = _mm_add_epi32(sums->weights, weights);
        sums->off = _mm_add_epi64(sums->off, _mm_mul_epu32(weights, off));
        sums->off = _mm_add_epi64(sums->off, _mm_mul_epu32(_mm_srli_epi64(weights, 32), _mm_srli_epi64(off, 32)));
        low = _mm_mul_pd(_mm_cvtepi32_pd(weights), _mm_cvtps_pd(value));
        high = _mm_mul_pd(_mm_cvtepi32_pd(_mm_shuffle_epi32(weights, 0x4E)), _mm_cvtps_pd(_mm_movehl_ps(value, value)));
        sums->values = _mm_add_pd(sums->values, _mm_add_pd(low, high));
        low = _mm_andnot_pd(_mm_set1_pd(-0.0), low);
        high = _mm_andnot_pd(_mm_set1_pd(-0.0), high);
        sums->sizes = _mm_add_pd(sums->sizes, _mm_add_pd(low, high));
    }
}

IGS__INLINE float igs__own_place(const igs__items* items, uint32_t n, uint32_t axis) {
    return items->means == NULL ? (float)(items->cells[n] % items->across) : (float)items->means[2 * (size_t)n + axis];
}

IGS__INLINE float igs__own_step(const igs__items* items, uint32_t n, uint32_t axis) {
    static const float powers[13] = {1.0f,        1.0f / 2,    1.0f / 4,   1.0f / 8,   1.0f / 16,
                                     1.0f / 32,   1.0f / 64,   1.0f / 128, 1.0f / 256, 1.0f / 512,
                                     1.0f / 1024, 1.0f / 2048, 1.0f / 4096};
    return powers[items->exponents[2 * (size_t)n + axis] + 4];
}

static void igs__find_own(const igs__items* items, const int64_t* scales, uint32_t n, uint32_t k, igs__own* own) {
    const int32_t* values = items->values + (size_t)n * items->planes;
    uint32_t i;
    own->first = k > 8 ? k - 8 : 0;
    own->compared = k - own->first;
    for (i = 0; i < own->compared; ++i) {
        own->values[i] = _mm_set1_ps((float)values[own->first + i]);
        own->scales[i] = _mm_set1_ps((float)scales[own->first + i] * (1.0f / 128));
    }
    for (i = 0; i < 2; ++i) {
        own->place[i] = _mm_set1_ps(igs__own_place(items, n, i));
        if (items->means != NULL) own->step[i] = _mm_set1_ps(igs__own_step(items, n, i));
    }
}

static void igs__begin_kept(igs__items* items) {
    igs__kept* kept = &items->kept;
    uint32_t cell, i, at = 0;
    for (cell = 0; cell < items->across * items->down; ++cell) {
        const uint32_t end = items->firsts[cell + 1], held = end - items->firsts[cell];
        kept->firsts[cell] = at;
        for (i = end - (held < IGS__MOST_IN_CELL ? held : IGS__MOST_IN_CELL); i < end; ++i, ++at) {
            kept->places[0][at] = igs__own_place(items, i, 0);
            if (items->means == NULL) continue;
            kept->places[1][at] = igs__own_place(items, i, 1);
            kept->steps[0][at] = igs__own_step(items, i, 0);
            kept->steps[1][at] = igs__own_step(items, i, 1);
        }
    }
    kept->firsts[cell] = at;
    for (; at < kept->room; ++at) { /* what fills vectors up is read, and weighs nothing */
        kept->places[0][at] = 0.0f;
        kept->off[at] = 0;
        for (i = 0; i < items->planes; ++i) kept->values[i * kept->room + at] = 0.0f;
        if (items->means == NULL) continue;
        kept->places[1][at] = kept->steps[0][at] = kept->steps[1][at] = 0.0f;
    }
}

static void igs__keep(igs__items* items, uint32_t n, uint32_t k, int32_t value, int64_t miss) {
    const uint32_t cell = items->cells[n], before_end = items->firsts[cell + 1] - n;
    const size_t at = (size_t)items->kept.firsts[cell + 1] - before_end;
    if (before_end > IGS__MOST_IN_CELL) return;
    items->kept.values[k * items->kept.room + at] = (float)value;
    items->kept.off[at] = (uint32_t)igs__abs(miss);
}

static igs__neighbourhood igs__look_around(const igs__items* items, const int64_t* scales, uint32_t n, uint32_t k) {
    const int32_t across = (int32_t)items->across, row = (int32_t)items->cells[n] / across;
    const int32_t column = (int32_t)items->cells[n] % across;
    const int32_t from = column > IGS__AROUND_CELLS ? column - IGS__AROUND_CELLS : 0;
    igs__own own;
    igs__neighbourhood near = {0, 0, 0, 0, -1, 0};
    igs__sums sums;
    int32_t y, i, parts[4];
    double halves[2];
    int64_t off[2];
    igs__find_own(items, scales, n, k, &own);
    sums.values = sums.sizes = _mm_setzero_pd();
    sums.weights = sums.off = sums.best = _mm_setzero_si128();
    sums.steps = 0;
    for (y = row > IGS__AROUND_CELLS ? row - IGS__AROUND_CELLS : 0; y <= row; ++y) {
        const int32_t after = column + IGS__AROUND_CELLS < across ? column + IGS__AROUND_CELLS + 1 : across;
        const uint32_t* firsts = items->kept.firsts + y * across;
        igs__weigh_row(
            items, &own, firsts[from], firsts[y == row ? column : after], k, 512 + 1024 * (row - y) * (row - y), &sums
        );
    }
    if (sums.steps > 0) {
        int32_t best = 0;
        _mm_storeu_si128((__m128i*)(void*)parts, sums.weights);
        near.weight_sum = (int64_t)parts[0] + parts[1] + parts[2] + parts[3];
        _mm_storeu_si128((__m128i*)(void*)off, sums.off);
        near.off_sum = off[0] + off[1];
        _mm_storeu_pd(halves, sums.values);
        near.value_sum = (int64_t)(halves[0] + halves[1]);
        _mm_storeu_pd(halves, sums.sizes);
        near.size_sum = (int64_t)(halves[0] + halves[1]);
        _mm_storeu_si128((__m128i*)(void*)parts, sums.best);
        for (i = 0; i < 4; ++i) best = parts[i] > best ? parts[i] : best;
        near.best_weight = best >> 7;
        if (near.weight_sum > 0)
            near.like =
                (int32_t)items->kept.values[k * items->kept.room + (size_t)sums.at[best >> 2 & 31] + (best & 3)];
        else near.best_weight = -1;
    }
    igs__weigh_cells(items, scales, n, k, row, column, column, &near);
    if (near.weight_sum < 1) near.weight_sum = 1;
    return near;
}
#else
static igs__neighbourhood igs__look_around(const igs__items* items, const int64_t* scales, uint32_t n, uint32_t k) {
    const int32_t across = (int32_t)items->across, row = (int32_t)items->cells[n] / across;
    const int32_t column = (int32_t)items->cells[n] % across;
    const int32_t from = column > IGS__AROUND_CELLS ? column - IGS__AROUND_CELLS : 0;
    igs__neighbourhood near = {0, 0, 0, 0, -1, 0};
    int32_t y;
    for (y = row > IGS__AROUND_CELLS ? row - IGS__AROUND_CELLS : 0; y <= row; ++y) {
        const int32_t last = column + IGS__AROUND_CELLS < across ? column + IGS__AROUND_CELLS : across - 1;
        igs__weigh_cells(items, scales, n, k, y, from, y == row ? column : last, &near);
    }
    if (near.weight_sum < 1) near.weight_sum = 1;
    return near;
}
#endif

static igs__expectation igs__expect(
    const igs__items* items, const igs__neighbourhood* near, uint32_t n, uint32_t k, igs__regression* location,
    igs__regression* scatter
) {
    const int32_t* off = items->off + (size_t)n * items->planes;
    igs__expectation expected;
    int64_t total = 0;
    uint32_t i;
    location->inputs[0] = igs__floor_div(64 * near->value_sum, near->weight_sum);
    location->inputs[1] = 64;
    for (i = 0; i < k; ++i) location->inputs[2 + i] = off[i];
    for (i = 0; i < 2 + k; ++i) total += location->factors[i] * location->inputs[i];
    expected.value = igs__clamp(total >> 16, -IGS__MEAN_LIMIT, IGS__MEAN_LIMIT);
    scatter->inputs[1] = igs__log(near->off_sum / near->weight_sum + 20);
    for (i = 0; i < k; ++i) scatter->inputs[2 + i] = igs__log(igs__abs(off[i]) + 20);
    for (i = 0; i < items->sign_count; ++i) scatter->inputs[2 + k + i] = items->signs[n * items->sign_count + i];
    total = scatter->factors[0] * 256;
    for (i = 1; i < 2 + k + items->sign_count; ++i)
        total += scatter->factors[i] * (scatter->inputs[i] - (scatter->memory[i] >> 8));
    expected.log_scatter = igs__clamp(total >> 16, -768, 2304);
    expected.scatter = igs__power(expected.log_scatter + 1536);
    expected.wide = expected.scatter < 20 ? 20 : expected.scatter;
    expected.like = near->like;
    return expected;
}

static void igs__learn(
    const igs__items* items, const igs__expectation* expected, int64_t miss, uint32_t k, int64_t share,
    igs__regression* location, igs__regression* scatter
) {
    int64_t step = igs__clamp(igs__floor_div(miss * 256, expected->wide), -768, 768);
    uint32_t i;
    for (i = 0; i < 2 + k; ++i) {
        const int64_t part =
            igs__clamp(igs__floor(igs__quotient(location->inputs[i] * 256, expected->wide)), -65536, 65536);
        location->memory[i] += ((part * part - location->memory[i]) * 5) >> 8;
        location->factors[i] = igs__clamp(
            location->factors[i] + igs__floor(igs__quotient(step * part * 655, location->memory[i] + 66)),
            -IGS__FACTOR_LIMIT, IGS__FACTOR_LIMIT
        );
    }
    step = igs__abs(miss) * 256 / expected->scatter;
    step = (step < 1024 ? step : 1024) - 256;
    scatter->factors[0] = igs__clamp(scatter->factors[0] + 10 * step, -IGS__FACTOR_LIMIT, IGS__FACTOR_LIMIT);
    for (i = 1; i < 2 + k + items->sign_count; ++i) {
        const int64_t change = (step * (scatter->inputs[i] - (scatter->memory[i] >> 8)) * 13) >> 12;
        scatter->factors[i] = igs__clamp(scatter->factors[i] + change, -IGS__FACTOR_LIMIT, IGS__FACTOR_LIMIT);
        scatter->memory[i] += ((scatter->inputs[i] * 256 - scatter->memory[i]) * share) >> 16;
    }
}

static void igs__prediction_contexts(
    const igs__items* items, uint32_t n, uint32_t k, const igs__expectation* expected, uint32_t* contexts
) {
    static const uint32_t starts[10] = {0, 1, 50, 113, 153, 223, 1247, 1374, 1914, 2938};
    const int32_t left = n > 0 ? items->values[(size_t)(n - 1) * items->planes + k] : 0;
    const int32_t up = items->above[n] >= 0 ? items->values[(size_t)items->above[n] * items->planes + k] : left;
    const int32_t first = igs__earlier(items, n, k, 1), second = igs__earlier(items, n, k, 2);
    const int32_t third = igs__earlier(items, n, k, 3), group = items->groups[n];
    const int32_t spread = (int32_t)igs__clamp((expected->log_scatter >> 7) + 6, 0, 19);
    int i;
    contexts[0] = 0;
    contexts[1] = (uint32_t)(igs__least(6, igs__length(first)) * 7 + igs__least(6, igs__length(second)));
    contexts[2] = (uint32_t)(group * 9 + igs__sign(left) * 3 + igs__sign(up));
    contexts[3] = (uint32_t)(igs__least(9, items->longest[n]) * 4 + igs__least(3, igs__length(left)));
    contexts[4] = (uint32_t)((spread >> 1) * 7 + group);
    contexts[5] = (uint32_t)((first & 31) * 32 + (second & 31));
    contexts[6] = (uint32_t)(igs__clamp(expected->like, -63, 63) + 63);
    contexts[7] = (uint32_t)((igs__sign(first) * 9 + igs__sign(second) * 3 + igs__sign(third)) * 20 + spread);
    contexts[8] = items->hashes[n] >> 22;
    if (items->means != NULL)
        contexts[9] =
            (uint32_t)(group * 19 + 9 +
                       igs__clamp(
                           igs__floor_div(4 * expected->value + expected->scatter, 2 * expected->scatter), -9, 9
                       ));
    else contexts[9] = (uint32_t)((igs__clamp(left, -63, 63) + 63) * 2 + (group & 1));
    for (i = 0; i < 10; ++i) contexts[i] += starts[i];
}

IGS__INLINE int64_t igs__size_log(int64_t value) { return igs__log(64 * igs__abs(value) + 20); }

/* The cells on the left, above, above to either side, and two to the left and above; 0 outside the grid. */
static void igs__know_cell(const igs__items* items, uint32_t n, int32_t* inputs) {
    const uint32_t across = items->across, row = n / across, column = n % across;
    const int32_t* values = items->values;
    if (column > 0) inputs[13] = igs__input(256 * (int64_t)values[n - 1]);
    if (row > 0) inputs[14] = igs__input(256 * (int64_t)values[n - across]);
    if (row > 0 && column > 0) inputs[15] = igs__input(256 * (int64_t)values[n - across - 1]);
    if (row > 0 && column + 1 < across) inputs[16] = igs__input(256 * (int64_t)values[n - across + 1]);
    if (column > 1) inputs[17] = igs__input(256 * (int64_t)values[n - 2]);
    if (row > 1) inputs[18] = igs__input(256 * (int64_t)values[n - 2 * across]);
}

/* Where the Gaussian stands among those of its cell, which are sorted by size, and how crowded it is. */
static void igs__know_shape(const igs__items* items, uint32_t n, int32_t* inputs) {
    const uint32_t cell = items->cells[n], begin = items->firsts[cell], end = items->firsts[cell + 1];
    if (n == begin) {
        inputs[13] = inputs[4];
        inputs[4] = 0;
    } else {
        inputs[14] = 256;
    }
    inputs[15] = 256 * (int32_t)(end - begin - 1);
    inputs[16] = 256 * (int32_t)(n - begin);
    inputs[17] = 256 * (int32_t)(end - 1 - n);
    inputs[18] = items->signs[n] - 1500;
}

static void igs__find_inputs(
    const igs__items* items, uint32_t section, uint32_t n, uint32_t k, const igs__neighbourhood* near,
    const igs__expectation* expected, const igs__regression* location, const igs__regression* scatter, int64_t spent,
    int32_t* inputs /* [IGS__TRAINED_INPUTS + 2]; all are below 2^31 */
) {
    const int32_t* off = items->off + (size_t)n * items->planes;
    const int32_t left = n > 0 ? items->values[(size_t)(n - 1) * items->planes + k] : 0;
    const int32_t up = items->above[n] >= 0 ? items->values[(size_t)items->above[n] * items->planes + k] : left;
    const int32_t first = igs__earlier(items, n, k, 1), second = igs__earlier(items, n, k, 2);
    const int32_t* signs = items->signs + (size_t)n * items->sign_count;
    uint32_t at = 19, i;
    memset(inputs, 0, (IGS__TRAINED_INPUTS + 2) * sizeof *inputs);
    inputs[0] = (int32_t)(2 * expected->value);
    inputs[1] = (int32_t)expected->log_scatter - 600;
    inputs[2] = (int32_t)(2 * location->inputs[0]);
    inputs[3] = (int32_t)scatter->inputs[1] - 1100;
    inputs[4] = 64 * left;
    inputs[5] = 64 * up;
    inputs[6] = 64 * near->like;
    inputs[7] = 64 * first;
    inputs[8] = k > 0 ? (int32_t)igs__size_log(first) - 1300 : 0;
    inputs[9] = 64 * second;
    inputs[10] = k > 1 ? (int32_t)igs__size_log(second) - 1300 : 0;
    inputs[11] = (int32_t)igs__log(64 * near->size_sum / near->weight_sum + 20) - 1100;
    inputs[12] = (int32_t)igs__log(64 * spent / (n + 2) + 20) - 1100;
    if (section == IGS__CELLS) igs__know_cell(items, n, inputs);
    else if (section == IGS__SHAPES) igs__know_shape(items, n, inputs);
    else {
        const int32_t size = (int32_t)igs__clamp(igs__floor_div(signs[0], 43), -60, 60);
        inputs[13] = 24 * size;
        inputs[14] = size * size >> 1;
        inputs[15] = (signs[2] >> 1) - 300;
        inputs[16] = 256 * (int32_t)(k < 7 ? k : 7);
        at = 17;
    }
    if (k > 0) inputs[at] = 2 * off[k - 1];
    if (k > 1) inputs[at + 1] = 2 * off[k - 2];
    if (section == IGS__FEATURES) {
        int64_t sizes = 0;
        for (i = 0; i + 2 < k; ++i) sizes += igs__size_log(items->values[(size_t)n * items->planes + i]);
        if (k > 2) inputs[19] = (int32_t)(sizes / (k - 2)) - 1300;
        if (near->best_weight > 0) inputs[20] = (int32_t)igs__log(near->best_weight) - 6000;
        inputs[21] = 64 * igs__earlier(items, n, k, 3);
    }
}

/* The hidden units, of what is known of a value. */
static void igs__excite(igs__model* model, const int32_t* inputs, uint32_t start) {
    const signed char* biases =
        igs__trained_layers + (size_t)start * IGS__TRAINED_UNITS * (IGS__TRAINED_INPUTS + 1) + IGS__TRAINED_INPUTS;
    uint32_t i, j;
#if defined(__SSE2__)
    const __m128i most = _mm_set1_epi16(IGS__STRETCH_LIMIT), least = _mm_set1_epi16(-IGS__STRETCH_LIMIT);
    const __m128i *four = (const __m128i*)(const void*)inputs, *layer = (const __m128i*)(const void*)model->layer;
    __m128i sums[4];
    int32_t pairs[12];
    for (i = 0; i < 3; ++i) {
        const __m128i held = _mm_packs_epi32(_mm_loadu_si128(four + 2 * i), _mm_loadu_si128(four + 2 * i + 1));
        _mm_storeu_si128((__m128i*)(void*)pairs + i, _mm_max_epi16(least, _mm_min_epi16(most, held)));
    }
    for (j = 0; j < 4; ++j) {
        const signed char* bias = biases + (IGS__TRAINED_INPUTS + 1) * 4 * j;
        sums[j] = _mm_slli_epi32(
            _mm_set_epi32(
                bias[3 * (IGS__TRAINED_INPUTS + 1)], bias[2 * (IGS__TRAINED_INPUTS + 1)], bias[IGS__TRAINED_INPUTS + 1],
                bias[0]
            ),
            8
        );
    }
    for (i = 0; i < IGS__TRAINED_INPUTS / 2; ++i) {
        const __m128i pair = _mm_set1_epi32(pairs[i]);
        IGS__UNROLLED for (j = 0; j < 4; ++j)
            sums[j] = _mm_add_epi32(sums[j], _mm_madd_epi16(_mm_loadu_si128(layer + 4 * i + j), pair));
    }
    for (j = 0; j < 2; ++j) {
        const __m128i units = _mm_packs_epi32(_mm_srai_epi32(sums[2 * j], 7), _mm_srai_epi32(sums[2 * j + 1], 7));
        _mm_storeu_si128(
            (__m128i*)(void*)model->units + j,
            _mm_max_epi16(_mm_set1_epi16(-1023), _mm_min_epi16(units, _mm_set1_epi16(1023)))
        );
    }
#else
    int32_t totals[IGS__TRAINED_UNITS];
    for (j = 0; j < IGS__TRAINED_UNITS; ++j) totals[j] = 256 * biases[(IGS__TRAINED_INPUTS + 1) * j];
    for (i = 0; i < IGS__TRAINED_INPUTS; ++i) {
        const int16_t *layer = model->layer + i / 2 * IGS__TRAINED_UNITS * 2 + i % 2, input = igs__input(inputs[i]);
        for (j = 0; j < IGS__TRAINED_UNITS; ++j) totals[j] += layer[2 * j] * input;
    }
    for (j = 0; j < IGS__TRAINED_UNITS; ++j) model->units[j] = (int16_t)igs__clamp(totals[j] >> 7, -1023, 1023);
#endif
}

static void igs__prediction_planes(igs__items* items, igs__bits* bits, uint32_t codec, uint32_t section) {
    igs__model* model = &items->model;
    igs__regression location, scatter;
    int64_t scales[IGS_MAX_CHANNELS];
    int32_t inputs[IGS__TRAINED_INPUTS + 2];
    uint32_t n, k, i;
    igs__model_tables(model, igs__logistic, 16);
    memset(model->stamps, 0, model->rows);
#if defined(__SSE2__)
    igs__begin_kept(items);
#endif
    model->is_trained = codec == IGS__TRAINED;
    igs__find_tails(model->tails);
    igs__find_classes(model->classes);
    for (i = 0; !model->is_trained && i < (IGS__GROUPS + 1) * IGS__PREDICTION_NODES * IGS__PREDICTION_INPUTS; ++i) {
        const uint32_t input = i % IGS__PREDICTION_INPUTS;
        model->mixed_weights[i] = input < 10 ? 2600 : input == 10 ? 13100 : 0;
    }
    memset(items->longest, 0, items->count);
    memset(items->hashes, 0, items->count * sizeof *items->hashes);
    for (k = 0; k < items->planes; ++k) {
        const uint32_t start = section == IGS__CELLS ? 0 : section == IGS__SHAPES ? 1 + k : 4;
        int64_t spent = 0; /* sizes of the plane's values so far */
        if (codec == IGS__TRAINED && (k == 0 || section == IGS__SHAPES)) igs__begin_trained(model, start);
        memset(&location, 0, sizeof location);
        memset(&scatter, 0, sizeof scatter);
        for (i = 0; i < IGS__TERMS; ++i) location.memory[i] = 65536;
        location.factors[0] = 16384;
        scatter.factors[0] = 131072;
        if (k > 0) {
            int64_t total = 0;
            for (n = 0; n < items->count; ++n) total += igs__abs(items->values[(size_t)n * items->planes + k - 1]);
            scales[k - 1] = (1 << 20) / (64 * total / items->count + 6);
        }
        for (n = 0; n < items->count; ++n) {
            const igs__neighbourhood near = igs__look_around(items, scales, n, k);
            const igs__expectation expected = igs__expect(items, &near, n, k, &location, &scatter);
            uint32_t contexts[10];
            int64_t miss;
            int32_t value = IGS__WRITES ? items->values[(size_t)n * items->planes + k] : 0;
            int length;
            igs__prediction_contexts(items, n, k, &expected, contexts);
            for (i = 0; i < 10; ++i) {
                igs__model_row(model, contexts[i], k);
                contexts[i] *= model->nodes; /* from here on its first statistic */
            }
            if (codec == IGS__TRAINED) {
                igs__find_inputs(items, section, n, k, &near, &expected, &location, &scatter, spent, inputs);
                igs__excite(model, inputs, start);
            }
            value =
                igs__prediction_value(model, bits, expected.value, expected.wide, items->groups[n], contexts, value);
            spent += igs__abs(value);
            miss = igs__clamp(64 * (int64_t)value - expected.value, -IGS__MEAN_LIMIT, IGS__MEAN_LIMIT);
            items->values[(size_t)n * items->planes + k] = value;
            items->off[(size_t)n * items->planes + k] = (int32_t)miss;
#if defined(__SSE2__)
            igs__keep(items, n, k, value, miss);
#endif
            length = igs__length(value);
            if (length > items->longest[n]) items->longest[n] = (uint8_t)length;
            items->hashes[n] = items->hashes[n] * 0x9E3779B1u + (uint32_t)(value + 77) * 0x85EBCA6Bu;
            igs__learn(
                items, &expected, miss, k, model->shares[n < IGS__COUNT_LIMIT ? n : IGS__COUNT_LIMIT], &location,
                &scatter
            );
        }
    }
}

/* ---- codec 4: fast coding ----------------------------------------------------------------------------------------- */

#define IGS__FAST_SIZES 14   /* steps of the expected miss */
#define IGS__FAST_PLACES 25  /* of the expected value: twelve of either sign, and 0 */
#define IGS__FAST_SINGLES 4  /* magnitudes that are a symbol of their own */
#define IGS__FAST_LARGE 61   /* and beyond those that two symbols tell */
#define IGS__FAST_COMPARED 3 /* planes */
#define IGS__FAST_SEEN 120
#define IGS__FAST_STATE (1u << 24)
#define IGS__FAST_LEAST_WEIGHT 64

static const uint32_t igs__fast_starts[IGS__FAST_CONTEXTS] = {0, 350, 441, 1416, 1983};

/* By which inputs are summed up, in 1/4096, to the logarithm of the expected miss: docs/igs-format.md. */
static const int16_t igs__fast_factors[8][IGS__FAST_INPUTS] = {
    {2240, 259, 0, 0, 0, 0, 0, 19098},
    {309, 0, 0, 0, -216, 1711, -2753, 31837},
    {523, -117, 0, 0, -10, 594, -909, 30678},
    {1201, -371, -70, 0, 102, 334, -613, 27577},
    {2206, 0, 0, 0, -1345, 3591, 1886, 25051},
    {2270, -36, 0, 0, -649, 2121, 1, 20968},
    {2334, 177, -74, 0, -703, 1143, -154, 19804},
    {2753, 278, 118, -6, -189, 66, 100, 18670},
};

/* Distributions that the second symbols begin with. */
static const uint16_t igs__fast_seconds[IGS__FAST_SPANS][IGS__FAST_SECONDS] = {
    {13952, 25903, 35818, 44236, 51210, 56838, 61573, 65535},
    {18633, 31847, 41961, 49549, 55287, 59811, 62966, 65535},
    {18074, 32052, 42157, 49394, 54465, 58664, 62380, 65535},
};

/* What is decoded, or written: a state that takes in two bytes where it gets small. */
typedef struct igs__fast_stream {
    uint64_t x; /* 2^24 at least, below 2^40 */
    const uint8_t* data;
    size_t size, at;
    uint32_t* steps; /* of a writer: what is to be taken out of the state, one after another; NULL to read */
    size_t step_count;
} igs__fast_stream;

typedef struct igs__fast_mixer { /* vectors first, that none lies across two lines of a cache */
#if defined(__SSE2__)
    __m128i shares[IGS__FAST_SEEN + 1]; /* eight times each */
#else
    uint16_t shares[IGS__FAST_SEEN + 1];
#endif
    int16_t weights[1 + 2 * IGS__FAST_SPANS][8]; /* in 1/32768, of contexts 1 to 4, then of context 0 */
    uint16_t prior[IGS__FAST_SIZES * IGS__FAST_PLACES][IGS__FAST_FIRSTS];
    uint8_t has_prior[IGS__FAST_SIZES * IGS__FAST_PLACES];
    uint8_t stamp;
    uint8_t* stamps;
    igs__fast_row* rows;
    igs__fast_row* row[IGS__FAST_CONTEXTS]; /* of a value's contexts */
} igs__fast_mixer;

IGS__INLINE int32_t igs__held32(int32_t value, int32_t most) {
    value = value > most ? most : value;
    return value < -most ? -most : value;
}

IGS__INLINE int32_t igs__up_to(int32_t value, int32_t most) { /* 0 to most */
    value = value > most ? most : value;
    return value < 0 ? 0 : value;
}

static void igs__fast_open(igs__fast_stream* stream, const uint8_t* data, size_t size, uint32_t* steps) {
    int i;
    memset(stream, 0, sizeof *stream);
    stream->data = data;
    stream->size = size;
    stream->steps = steps;
    stream->at = 5;
    for (i = 0; i < 5; ++i) stream->x |= (uint64_t)((size_t)i < size ? data[i] : 0) << (8 * i);
}

IGS__INLINE void igs__fast_take(igs__fast_stream* stream, uint32_t start, uint32_t width) {
    uint64_t x = (uint64_t)width * (stream->x >> 15) + (stream->x & 32767) - start;
    const size_t at = stream->at;
    const uint64_t little = 0u - (uint64_t)(x < IGS__FAST_STATE); /* no branch: it could not be foretold */
    uint32_t word = 0;
    if (at + 1 < stream->size) word = igs__u16(stream->data + at);
    else if (at < stream->size) word = stream->data[at];
    x = x << (little & 16) | (word & little);
    stream->at = at + (little & 2);
    stream->x = x;
}

/* Reads count bits, at most 15, each of which costs one; or writes those it is given. */
IGS__INLINE uint32_t igs__fast_raw(igs__fast_stream* stream, uint32_t bits, int count) {
    const int rest = 15 - count;
    if (IGS__WRITES && stream->steps != NULL) {
        stream->steps[stream->step_count++] = bits << (rest + 16) | 1u << rest;
        return bits;
    }
    bits = (uint32_t)(stream->x & 32767) >> rest;
    igs__fast_take(stream, bits << rest, 1u << rest);
    return bits;
}

#if IGS__WRITES
/* Turns a writer's steps into bytes, the last one first; returns how many, of which no more than size are written. */
static size_t igs__fast_close(const igs__fast_stream* stream, uint8_t* to, size_t size) {
    uint32_t* steps = stream->steps;
    uint64_t x = IGS__FAST_STATE;
    size_t i, at = stream->step_count, used; /* words take the places of steps before them */
    for (i = stream->step_count; i-- > 0;) {
        const uint32_t start = steps[i] >> 16, width = steps[i] & 0xFFFF;
        if (x >= (uint64_t)width << 25) {
            steps[--at] = (uint32_t)(x & 0xFFFF);
            x >>= 16;
        }
        x = (x / width) << 15 | (x % width + start);
    }
    used = 5 + 2 * (stream->step_count - at);
    if (used > size) return used;
    for (i = 0; i < 5; ++i) to[i] = (uint8_t)(x >> (8 * i));
    for (i = 5; at < stream->step_count; ++at, i += 2) {
        to[i] = (uint8_t)steps[at];
        to[i + 1] = (uint8_t)(steps[at] >> 8);
    }
    return used;
}
#endif

/* The logistic function of x / 256, in 1/65536. */
static int64_t igs__fast_logistic(int64_t x) {
    const int64_t held = igs__clamp(x, -2048, 2047), rest = held & 127;
    const uint16_t* knots = igs__logistic + ((held >> 7) + 16);
    return (knots[0] * (128 - rest) + knots[1] * rest) >> 7;
}

static int64_t igs__fast_below(int64_t bound, int64_t mean, int64_t scale) {
    const int64_t off = 256 * (bound - mean);
    return (7 * igs__fast_logistic(igs__floor_div(off, scale)) + igs__fast_logistic(igs__floor_div(off, 3 * scale))) >>
        3;
}

/* What the first context's row begins with: a logistic distribution with a tail. */
static const uint16_t* igs__fast_prior(igs__fast_mixer* mixer, uint32_t row) {
    static const int16_t bounds[8] = {32, 96, 160, 224, 288, 800, 1824, 3872};
    const int32_t size = (int32_t)(row / IGS__FAST_PLACES), place = (int32_t)(row % IGS__FAST_PLACES) - 12;
    const int32_t far_off = place < 0 ? -place : place;
    uint16_t* prior = mixer->prior[row];
    int64_t scale, mean, sum;
    int i;
    if (mixer->has_prior[row]) return prior;
    mixer->has_prior[row] = 1;
    scale = igs__power(956 + 128 * size);
    mean = far_off == 0 ? 0 : igs__power(512 + 128 * size + 128 * far_off);
    if (place < 0) mean = -mean;
    sum = igs__fast_below(bounds[0], mean, scale) - igs__fast_below(-bounds[0], mean, scale);
    prior[0] = (uint16_t)sum;
    for (i = 0; i < 7; ++i) {
        sum += igs__fast_below(bounds[i + 1], mean, scale) - igs__fast_below(bounds[i], mean, scale);
        prior[1 + i] = (uint16_t)sum;
    }
    for (i = 0; i < 7; ++i) {
        sum += igs__fast_below(-bounds[i], mean, scale) - igs__fast_below(-bounds[i + 1], mean, scale);
        prior[8 + i] = (uint16_t)sum;
    }
    prior[15] = 65535;
    return prior;
}

static void igs__fast_begin_first(igs__fast_mixer* mixer, uint32_t index) {
    igs__fast_row* row = mixer->rows + index;
    int part;
    memcpy(row->first, igs__fast_prior(mixer, index), sizeof row->first);
    for (part = 0; part < 2 * IGS__FAST_SPANS; ++part)
        memcpy(row->second[part], igs__fast_seconds[part % IGS__FAST_SPANS], sizeof row->second[part]);
    memset(row->seen, 13, sizeof row->seen);
}

/* The row of the first context, by the steps of what is expected. */
IGS__INLINE igs__fast_row* igs__fast_first_row(igs__fast_mixer* mixer, uint32_t index) {
    if (mixer->stamps[index] != mixer->stamp) {
        mixer->stamps[index] = mixer->stamp;
        igs__fast_begin_first(mixer, index);
    }
    return mixer->rows + index;
}

/* That of another one, which begins as the first context's is. */
IGS__INLINE igs__fast_row* igs__fast_other_row(igs__fast_mixer* mixer, int context, uint32_t index) {
    igs__fast_row* row;
    index += igs__fast_starts[context];
    row = mixer->rows + index;
    if (mixer->stamps[index] != mixer->stamp) {
        mixer->stamps[index] = mixer->stamp;
        *row = *mixer->row[0];
        memset(row->seen, 0, sizeof row->seen);
    }
    return row;
}

static void igs__fast_begin(igs__fast_mixer* mixer, const igs__items* items) {
    uint32_t i, context;
    memset(mixer->has_prior, 0, sizeof mixer->has_prior);
    memset(mixer->weights, 0, sizeof mixer->weights);
    for (i = 0; i < 1 + 2 * IGS__FAST_SPANS; ++i)
        for (context = 0; context < IGS__FAST_CONTEXTS; ++context) mixer->weights[i][context] = 6553;
    for (i = 0; i <= IGS__FAST_SEEN; ++i) {
        const uint32_t share = 655360 / (7 * i + 30);
#if defined(__SSE2__)
        mixer->shares[i] = _mm_set1_epi16((short)share);
#else
        mixer->shares[i] = (uint16_t)share;
#endif
    }
    mixer->rows = items->rows;
    mixer->stamps = items->stamps;
    mixer->stamp = 1;
    memset(items->stamps, 0, IGS__FAST_ROWS);
}

/* Weights that take up more than all of it. */
static int32_t igs__fast_limit(int16_t* weights) {
    int32_t others;
    do {
        int i;
        others = 0;
        for (i = 0; i < IGS__FAST_CONTEXTS - 1; ++i) {
            weights[i] = (int16_t)(weights[i] - (weights[i] >> 4));
            others += weights[i];
        }
    } while (others > 32767 - IGS__FAST_LEAST_WEIGHT);
    return others;
}

/* From the one at 16 - symbol on: all bits of the symbol and of those behind it, and none of those in front. */
static const uint16_t igs__fast_turned[32] = {0,     0,     0,     0,     0,     0,     0,     0,
                                              0,     0,     0,     0,     0,     0,     0,     0,
                                              65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
                                              65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535};

/* Reads a symbol, or writes the one it is given: of 16 in part 0, of 8 in others. The distribution is the mean of the five
 * contexts'. Then weights follow which of them foresaw the symbol, and distributions move towards it. */
#if defined(__SSE2__)
IGS__INLINE uint32_t igs__lowest_bit(uint32_t bits) {
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctz(bits);
#else
    uint32_t place = 0;
    for (; (bits & 1) == 0; bits >>= 1) ++place;
    return place;
#endif
}

#define IGS__LOAD(at) _mm_loadu_si128((const __m128i*)(const void*)(at))
#define IGS__STORE(at, vector) _mm_storeu_si128((__m128i*)(void*)(at), vector)
/* The 16 bits before a place and those at it. */
IGS__HOT __m128i igs__load_pair(const uint16_t* sums, size_t at) {
    int32_t both;
    memcpy(&both, (const uint8_t*)sums + at - 2, sizeof both);
    return _mm_cvtsi32_si128(both);
}
#define IGS__LOAD_PAIR(sums, at) igs__load_pair(sums, at)
#define IGS__SUMS(row) ((part) == 0 ? (row)->first : (row)->second[(part) - 1])

IGS__INLINE uint32_t
igs__fast_decide(igs__fast_mixer* mixer, igs__fast_stream* stream, uint32_t part, uint32_t symbol) {
    int16_t* kept = mixer->weights[part];
    const __m128i weights = IGS__LOAD(kept), doubled = _mm_add_epi16(weights, weights);
    uint16_t* sums[IGS__FAST_CONTEXTS];
    union {
        __m128i vectors[3];
        uint16_t all[24]; /* 0, and from the eighth on where the symbols' parts end */
    } bounds;
    __m128i low, high = _mm_setzero_si128(), factors[IGS__FAST_CONTEXTS], said;
    uint32_t start, width, c;
    factors[1] = _mm_shuffle_epi32(_mm_shufflelo_epi16(doubled, 0x00), 0x00);
    factors[2] = _mm_shuffle_epi32(_mm_shufflelo_epi16(doubled, 0x55), 0x00);
    factors[3] = _mm_shuffle_epi32(_mm_shufflelo_epi16(doubled, 0xAA), 0x00);
    factors[4] = _mm_shuffle_epi32(_mm_shufflelo_epi16(doubled, 0xFF), 0x00);
    factors[0] = _mm_shuffle_epi32(_mm_shufflehi_epi16(doubled, 0x00), 0xAA);
    low = _mm_setzero_si128();
    IGS__UNROLLED for (c = 0; c < IGS__FAST_CONTEXTS; ++c) {
        sums[c] = IGS__SUMS(mixer->row[c]);
        low = _mm_add_epi16(low, _mm_mulhi_epu16(IGS__LOAD(sums[c]), factors[c]));
        if (part == 0) high = _mm_add_epi16(high, _mm_mulhi_epu16(IGS__LOAD(sums[c] + 8), factors[c]));
    }
    low = _mm_srli_epi16(low, 1);
    low = _mm_add_epi16(_mm_sub_epi16(low, _mm_srli_epi16(low, 9)), _mm_set_epi16(32, 28, 24, 20, 16, 12, 8, 4));
    if (part == 0) {
        high = _mm_srli_epi16(high, 1);
        high =
            _mm_add_epi16(_mm_sub_epi16(high, _mm_srli_epi16(high, 9)), _mm_set_epi16(64, 60, 56, 52, 48, 44, 40, 36));
        high = _mm_insert_epi16(high, -32768, 7);
        bounds.vectors[2] = high;
    } else {
        low = _mm_insert_epi16(low, -32768, 7);
    }
    bounds.all[7] = 0;
    bounds.vectors[1] = low;
    if (!IGS__WRITES || stream->steps == NULL) {
        const __m128i slot = _mm_set1_epi16((short)(stream->x & 32767));
        const __m128i over =
            _mm_packs_epi16(_mm_cmpgt_epi16(low, slot), part == 0 ? _mm_cmpgt_epi16(high, slot) : slot);
        symbol = igs__lowest_bit((uint32_t)_mm_movemask_epi8(over) | (part == 0 ? 0x8000u : 0x80u));
    }
    start = bounds.all[7 + symbol];
    width = bounds.all[8 + symbol] - start;
    if (IGS__WRITES && stream->steps != NULL) stream->steps[stream->step_count++] = start << 16 | width;
    else igs__fast_take(stream, start, width);
    { /* what each context said of it, and in the lower half of what is before it: for the first symbol, not part of it */
        const size_t at = 2 * (size_t)symbol;
        const __m128i low_half = _mm_set1_epi32(symbol > 0 ? 0xFFFF : 0);
        said = _mm_unpacklo_epi64(
            _mm_unpacklo_epi32(IGS__LOAD_PAIR(sums[1], at), IGS__LOAD_PAIR(sums[2], at)),
            _mm_unpacklo_epi32(IGS__LOAD_PAIR(sums[3], at), IGS__LOAD_PAIR(sums[4], at))
        );
        said = _mm_srli_epi32(_mm_sub_epi32(_mm_srli_epi32(said, 16), _mm_and_si128(said, low_half)), 1);
        said = _mm_packs_epi32(said, said);
    }
    {
        const __m128i turned = IGS__LOAD(igs__fast_turned + 16 - symbol),
                      after = IGS__LOAD(igs__fast_turned + 24 - symbol);
        IGS__UNROLLED for (c = 0; c < IGS__FAST_CONTEXTS; ++c) {
            uint8_t* seen = mixer->row[c]->seen + part;
            const __m128i share = mixer->shares[*seen];
            __m128i moved = _mm_xor_si128(IGS__LOAD(sums[c]), turned);
            *seen = (uint8_t)(*seen + (*seen < IGS__FAST_SEEN));
            moved = _mm_sub_epi16(moved, _mm_mulhi_epu16(moved, share));
            IGS__STORE(sums[c], _mm_xor_si128(moved, turned));
            if (part == 0) {
                moved = _mm_xor_si128(IGS__LOAD(sums[c] + 8), after);
                moved = _mm_sub_epi16(moved, _mm_mulhi_epu16(moved, share));
                IGS__STORE(sums[c] + 8, _mm_xor_si128(moved, after));
            }
        }
    }
    {
        const int shift = 15 - igs__length32(width), up = shift > 2 ? shift - 2 : 0, down = shift < 2 ? 2 - shift : 0;
        const __m128i others = _mm_set_epi16(0, 0, 0, 0, -1, -1, -1, -1);
        const __m128i most = _mm_set1_epi16((short)(shift < 2 ? 32767 : 131068 >> shift));
        __m128i better = _mm_min_epi16(_mm_sub_epi16(said, _mm_set1_epi16((short)width)), most), sum;
        int32_t total;
        better = _mm_sra_epi16(_mm_sll_epi16(better, _mm_cvtsi32_si128(up)), _mm_cvtsi32_si128(down));
        better = _mm_srai_epi16(_mm_add_epi16(_mm_mulhi_epi16(weights, better), _mm_set1_epi16(1)), 1);
        better = _mm_max_epi16(_mm_adds_epi16(weights, better), _mm_set1_epi16(IGS__FAST_LEAST_WEIGHT));
        better = _mm_and_si128(better, others);
        sum = _mm_madd_epi16(better, _mm_set1_epi16(1));
        total = _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1)));
        IGS__STORE(kept, _mm_insert_epi16(better, (short)(32767 - total), 4));
        if (total > 32767 - IGS__FAST_LEAST_WEIGHT) kept[4] = (int16_t)(32767 - igs__fast_limit(kept));
    }
    return symbol;
}
#else
/* Where the part of symbol i ends. */
IGS__INLINE uint32_t igs__fast_end(const igs__fast_mixer* mixer, uint32_t part, uint32_t i) {
    const int16_t* weights = mixer->weights[part];
    uint32_t sum = 0;
    int c;
    for (c = 0; c < IGS__FAST_CONTEXTS; ++c) {
        const uint16_t* sums = part == 0 ? mixer->row[c]->first : mixer->row[c]->second[part - 1];
        sum += (2 * (uint32_t)weights[c == 0 ? 4 : c - 1] * sums[i]) >> 16;
    }
    sum >>= 1;
    return sum - (sum >> 9) + 4 * (i + 1);
}

/* Moves four numbers: two products fit 64 bits. */
IGS__INLINE void igs__fast_move(uint16_t* sums, const uint16_t* turned, uint32_t share) {
    const uint64_t other = 0x0000FFFF0000FFFFu;
    uint64_t moved, bits;
    memcpy(&moved, sums, sizeof moved);
    memcpy(&bits, turned, sizeof bits);
    moved ^= bits;
    moved -= ((moved & other) * share >> 16 & other) | ((moved >> 16 & other) * share & ~other);
    moved ^= bits;
    memcpy(sums, &moved, sizeof moved);
}

IGS__INLINE uint32_t
igs__fast_decide(igs__fast_mixer* mixer, igs__fast_stream* stream, uint32_t part, uint32_t symbol) {
    int16_t* weights = mixer->weights[part];
    const uint32_t count = part == 0 ? IGS__FAST_FIRSTS : IGS__FAST_SECONDS;
    uint32_t start = 0, end = 32768, i;
    int32_t others = 0, width;
    int c, shift;
    if (!IGS__WRITES || stream->steps == NULL) {
        const uint32_t slot = (uint32_t)(stream->x & 32767);
        uint32_t half = count / 2;
        for (symbol = count - 1; half > 0; half /= 2) { /* the first one that ends behind it */
            const uint32_t middle = igs__fast_end(mixer, part, symbol - half);
            if (middle > slot) end = middle, symbol -= half;
            else start = middle;
        }
        igs__fast_take(stream, start, end - start);
    } else {
        if (symbol > 0) start = igs__fast_end(mixer, part, symbol - 1);
        if (symbol < count - 1) end = igs__fast_end(mixer, part, symbol);
        stream->steps[stream->step_count++] = start << 16 | (end - start);
    }
    width = (int32_t)(end - start);
    shift = 15 - igs__length32((uint32_t)width);
    for (c = 0; c < IGS__FAST_CONTEXTS; ++c) {
        igs__fast_row* row = mixer->row[c];
        uint16_t* sums = part == 0 ? row->first : row->second[part - 1];
        const uint32_t share = mixer->shares[row->seen[part]];
        if (c > 0) {
            const int32_t said = (int32_t)((uint32_t)(sums[symbol] - (symbol > 0 ? sums[symbol - 1] : 0)) >> 1);
            int32_t better = said - width, weight = weights[c - 1];
            if (shift < 2) better = better >> (2 - shift);
            else better = (better < 131068 >> shift ? better : 131068 >> shift) * (1 << (shift - 2));
            weight += (((weight * better) >> 16) + 1) >> 1;
            weight = weight < IGS__FAST_LEAST_WEIGHT ? IGS__FAST_LEAST_WEIGHT : weight > 32767 ? 32767 : weight;
            weights[c - 1] = (int16_t)weight;
            others += weight;
        }
        for (i = 0; i < count; i += 4) igs__fast_move(sums + i, igs__fast_turned + 16 - symbol + i, share);
        row->seen[part] = (uint8_t)(row->seen[part] + (row->seen[part] < IGS__FAST_SEEN));
    }
    if (others > 32767 - IGS__FAST_LEAST_WEIGHT) others = igs__fast_limit(weights);
    weights[4] = (int16_t)(32767 - others);
    return symbol;
}
#endif

/* A value beyond those that two symbols tell: its sign and length, then its bits. */
static int32_t igs__fast_large(igs__fast_stream* stream, int32_t value) {
    const uint32_t rest = (uint32_t)(value < 0 ? -value : value) - IGS__FAST_LARGE;
    const uint32_t known = (uint32_t)igs__length32(IGS__WRITES ? rest & 0xFFFFFF : 0);
    const uint32_t head = igs__fast_raw(stream, (value < 0 ? 8u : 0u) + (known < 7 ? known : 7), 4);
    int length = (int)(head & 7), count;
    uint32_t found = length > 0;
    if (length == 7) length = igs__least(7 + (int)igs__fast_raw(stream, known - 7, 5), 23);
    count = length > 16 ? 15 : length - 1;
    if (length > 16) {
        const int more = length - 16;
        found = found << more | igs__fast_raw(stream, rest >> 15 & ((1u << more) - 1), more);
    }
    if (count > 0) found = found << count | igs__fast_raw(stream, rest & ((1u << count) - 1), count);
    found += IGS__FAST_LARGE;
    if (found > 8388607) found = 8388607;
    return head & 8 ? -(int32_t)found : (int32_t)found;
}

/* Reads a value, or writes the one it is given: 0, four magnitudes of either sign, three spans of either sign, or large. */
IGS__INLINE int32_t igs__fast_value(igs__fast_mixer* mixer, igs__fast_stream* stream, int32_t value) {
    const uint32_t magnitude = (uint32_t)(value < 0 ? -value : value);
    uint32_t symbol = 0, found;
    int negative;
    if (IGS__WRITES) {
        if (magnitude >= IGS__FAST_LARGE) symbol = 15;
        else {
            symbol = magnitude < 5 ? magnitude : magnitude < 13 ? 5 : magnitude < 29 ? 6 : 7;
            if (value < 0) symbol += 7;
        }
    }
    symbol = igs__fast_decide(mixer, stream, 0, symbol);
    if (symbol == 15) {
        igs__fast_stream copy = *stream; /* that this one can stay in registers */
        value = igs__fast_large(&copy, value);
        *stream = copy;
        return value;
    }
    negative = symbol > 7;
    found = negative ? symbol - 7 : symbol;
    if (found > IGS__FAST_SINGLES) {
        const int bits = (int)found - 5;
        const uint32_t least = (8u << bits) - 3, off = magnitude - least;
        found = least + (igs__fast_decide(mixer, stream, symbol - (negative ? 8 : 4), off >> bits & 7) << bits);
        if (bits > 0) found += igs__fast_raw(stream, off & ((1u << bits) - 1), bits);
    }
    return negative ? -(int32_t)found : (int32_t)found;
}

/* igs__log of a positive number, by the exponent and the first eight bits behind it of a double. */
IGS__INLINE int32_t igs__short_log(int32_t value) {
    const double held = value;
    uint64_t bits;
    memcpy(&bits, &held, sizeof bits);
    return (int32_t)(bits >> 44) - (1023 << 8);
}

/* The steps of the expected miss and of the expected value. */
typedef struct igs__fast_steps {
    int32_t size, place;
} igs__fast_steps;

IGS__INLINE igs__fast_steps igs__fast_expect(int32_t value, int32_t size, int32_t off, int32_t factor) {
    const int32_t miss = (off + factor * igs__held32(igs__short_log(size + 20) - 1100, IGS__STRETCH_LIMIT)) >> 12;
    const int32_t far_off = igs__up_to((igs__short_log((value < 0 ? -value : value) + 1) - miss + 640) >> 7, 12);
    igs__fast_steps steps;
    steps.size = igs__up_to((miss - 1024) >> 7, IGS__FAST_SIZES - 1);
    steps.place = 12 + (value > 0 ? far_off : value < 0 ? -far_off : 0);
    return steps;
}

static void igs__fast_counts(igs__items* items, igs__fast_stream* kept, uint32_t gaussians) {
    const uint32_t across = items->across;
    const int16_t* factors = igs__fast_factors[0];
    igs__fast_stream stream = *kept;
    igs__fast_mixer mixer;
    uint32_t n, row = 0, column = 0;
    int32_t off = igs__held32((int32_t)igs__log(64 * (int64_t)gaussians / items->count + 8) - 600, IGS__STRETCH_LIMIT);
    igs__fast_begin(&mixer, items);
    off = factors[1] * off + factors[7] * 256;
    for (n = 0; n < items->count; ++n) {
        const int32_t* values = items->values + n;
        const int32_t left = column > 0 ? values[-1] : 0, further = column > 1 ? values[-2] : 0;
        const int32_t up = row > 0 ? values[-(ptrdiff_t)across] : 0,
                      higher = row > 1 ? values[-2 * (ptrdiff_t)across] : 0;
        const int32_t before = row > 0 && column > 0 ? values[-(ptrdiff_t)across - 1] : 0;
        const int32_t after = row > 0 && column + 1 < across ? values[1 - (ptrdiff_t)across] : 0;
        const int32_t around = 4 * (left + up) + 2 * (before + after + further + higher);
        const int32_t sizes = 4 * ((left < 0 ? -left : left) + (up < 0 ? -up : up)) +
            2 *
                ((before < 0 ? -before : before) + (after < 0 ? -after : after) + (further < 0 ? -further : further) +
                 (higher < 0 ? -higher : higher));
        const igs__fast_steps steps = igs__fast_expect(4 * around, 4 * sizes, off, factors[0]);
        mixer.row[0] = igs__fast_first_row(&mixer, (uint32_t)(steps.size * IGS__FAST_PLACES + steps.place));
        mixer.row[1] = igs__fast_other_row(&mixer, 1, (uint32_t)(igs__up_to(left + 3, 7) * 8 + igs__up_to(up + 3, 7)));
        mixer.row[2] = igs__fast_other_row(
            &mixer, 2, (uint32_t)(igs__up_to(before + after + 4, 12) * 13 + igs__up_to(left + up + 4, 12))
        );
        mixer.row[3] = igs__fast_other_row(
            &mixer, 3, (uint32_t)(igs__up_to(left + further + 4, 8) * 9 + igs__up_to(up + higher + 4, 8))
        );
        mixer.row[4] = igs__fast_other_row(&mixer, 4, (uint32_t)igs__up_to((around >> 3) + 20, 60));
        items->values[n] = igs__fast_value(&mixer, &stream, IGS__WRITES ? items->values[n] : 0);
        if (++column == across) column = 0, ++row;
    }
    *kept = stream;
}

#if defined(__SSE2__)
#define IGS__OWN 4          /* where a cell's own items end */
#define IGS__ROOM_AROUND 60 /* four of its own, four of each of 12 cells, and what fills a vector up */

/* What may be near the items of a cell: of the cells around it that come before the last four items each, and of its own the
 * last four in front of those, from the last to the first. */
typedef struct igs__around {
    float means[2][IGS__ROOM_AROUND], steps[2][IGS__ROOM_AROUND]; /* by axis; steps are 2^-(exponent + 4) */
    int32_t items[IGS__ROOM_AROUND];
    uint32_t first, end;
} igs__around;

IGS__INLINE void igs__put_around(
    igs__around* around, const igs__items* items, const float* steps, uint32_t at, uint32_t j
) {
    around->means[0][at] = (float)items->means[2 * (size_t)j];
    around->means[1][at] = (float)items->means[2 * (size_t)j + 1];
    around->steps[0][at] = steps[2 * (size_t)j];
    around->steps[1][at] = steps[2 * (size_t)j + 1];
    around->items[at] = (int32_t)j;
}

/* Adds those of cells of a row, from the right. */
static void igs__gather_row(
    igs__around* around, const igs__items* items, const float* steps, int32_t row, int32_t left, int32_t right
) {
    const uint32_t* firsts = items->firsts + (size_t)row * items->across;
    const uint32_t first = firsts[left], end = firsts[right + 1];
    uint32_t most = 0, j;
    int32_t cell;
    for (cell = left; cell <= right; ++cell) {
        const uint32_t held = firsts[cell + 1] - firsts[cell];
        most = held > most ? held : most;
    }
    if (most <= 4) { /* all of them, which follow each other */
        for (j = end; j > first; ++around->end) igs__put_around(around, items, steps, around->end, --j);
        return;
    }
    for (cell = right; cell >= left; --cell)
        for (j = firsts[cell + 1]; j > firsts[cell] && j + 4 > firsts[cell + 1]; ++around->end)
            igs__put_around(around, items, steps, around->end, --j);
}

static void igs__gather_around(
    igs__around* around, const igs__items* items, const float* steps, int32_t row, int32_t column
) {
    const int32_t last = (int32_t)items->across - 1;
    const int32_t left = column > 2 ? column - 2 : 0, right = column + 2 < last ? column + 2 : last;
    around->first = around->end = IGS__OWN;
    if (column > 0) igs__gather_row(around, items, steps, row, left, column - 1);
    if (row > 0) igs__gather_row(around, items, steps, row - 1, left, right);
    if (row > 1) igs__gather_row(around, items, steps, row - 2, left, right);
}

/* Adds an item of the cell, in front. */
static void igs__put_own(igs__around* around, const igs__items* items, const float* steps, uint32_t n) {
    uint32_t at;
    if (around->first > IGS__OWN - 4) --around->first;
    else
        for (at = IGS__OWN - 1; at > IGS__OWN - 4; --at)
            igs__put_around(around, items, steps, at, (uint32_t)around->items[at - 1]);
    igs__put_around(around, items, steps, around->first, n);
}

/* By how many steps four candidates are off along an axis, the own ones and theirs, in halves of 16 bits. */
IGS__INLINE __m128i igs__four_steps(float mean, float step, const float* means, const float* steps) {
    const __m128 most = _mm_set1_ps(512.0f), sign = _mm_set1_ps(-0.0f);
    const __m128 off = _mm_andnot_ps(sign, _mm_sub_ps(_mm_set1_ps(mean), _mm_loadu_ps(means)));
    const __m128i ours = _mm_cvttps_epi32(_mm_min_ps(_mm_mul_ps(off, _mm_set1_ps(step)), most));
    const __m128i theirs = _mm_cvttps_epi32(_mm_min_ps(_mm_mul_ps(off, _mm_loadu_ps(steps)), most));
    return _mm_or_si128(ours, _mm_slli_epi32(theirs, 16));
}

/* Keys of four candidates: how far off they are and, below that, their order; floats hold them exactly. */
IGS__INLINE __m128 igs__four_keys(const float* mean, const float* step, const igs__around* around, uint32_t at) {
    const __m128i x = igs__four_steps(mean[0], step[0], around->means[0] + at, around->steps[0] + at);
    const __m128i y = igs__four_steps(mean[1], step[1], around->means[1] + at, around->steps[1] + at);
    const __m128 far_away = _mm_cvtepi32_ps(_mm_add_epi32(_mm_madd_epi16(x, x), _mm_madd_epi16(y, y)));
    return _mm_mul_ps(_mm_min_ps(far_away, _mm_set1_ps((float)(1 << 17))), _mm_set1_ps(64.0f));
}

IGS__INLINE void igs__exchange(__m128* less, __m128* more) {
    const __m128 held = *less;
    *less = _mm_min_ps(held, *more);
    *more = _mm_max_ps(held, *more);
}

/* The nearest candidates, nearest first; returns how many. Of two as near the one that comes first. No branch decides what is kept:
 * candidates do not come by distance, so that it would be hard to foretell. The least of every fourth candidate are kept
 * side by side, then merged. */
IGS__INLINE uint32_t
igs__take_nearest(const igs__around* from, const float* mean, const float* step, int32_t* found, uint16_t* bases) {
    const uint32_t all = from->end - from->first, count = all < IGS__FAST_NEIGHBOURS ? all : IGS__FAST_NEIGHBOURS;
    const __m128 none = _mm_set1_ps(1e30f), four = _mm_set1_ps(4.0f);
    __m128 keys[8], order = _mm_add_ps(_mm_set1_ps(480.0f * 64.0f + (float)from->first), _mm_set_ps(3, 2, 1, 0));
    __m128 low, high, less, more;
    int32_t places[8];
    uint32_t at, i;
    IGS__UNROLLED for (i = 0; i < 8; ++i) keys[i] = none;
    for (at = from->first; at < from->end; at += 4, order = _mm_add_ps(order, four)) {
        __m128 key = _mm_add_ps(igs__four_keys(mean, step, from, at), order);
        if (at + 4 > from->end) {
            const __m128 beyond = _mm_cmpge_ps(order, _mm_set1_ps(480.0f * 64.0f + (float)from->end));
            key = _mm_or_ps(_mm_andnot_ps(beyond, key), _mm_and_ps(beyond, none));
        }
        IGS__UNROLLED for (i = 0; i < 8; ++i) igs__exchange(keys + i, &key);
    }
    IGS__UNROLLED for (i = 0; i < 4; ++i) { /* lanes 0 and 2, 1 and 3: what falls, then rises */
        const __m128 first = _mm_shuffle_ps(keys[i], keys[i], 0x4E),
                     last = _mm_shuffle_ps(keys[7 - i], keys[7 - i], 0x4E);
        keys[i] = _mm_min_ps(keys[i], last);
        keys[7 - i] = _mm_min_ps(keys[7 - i], first);
    }
    IGS__UNROLLED for (i = 0; i < 4; ++i) igs__exchange(keys + i, keys + i + 4);
    IGS__UNROLLED for (i = 0; i < 4; ++i) igs__exchange(keys + 2 * i - (i & 1), keys + 2 * i - (i & 1) + 2);
    IGS__UNROLLED for (i = 0; i < 8; i += 2) igs__exchange(keys + i, keys + i + 1);
    IGS__UNROLLED for (i = 0; i < 4; ++i) { /* lanes 0 and 1 */
        const __m128 first = _mm_shuffle_ps(keys[i], keys[i], 0x55),
                     last = _mm_shuffle_ps(keys[7 - i], keys[7 - i], 0x55);
        keys[i] = _mm_min_ps(keys[i], last);
        keys[7 - i] = _mm_min_ps(keys[7 - i], first);
    }
    low = _mm_movelh_ps(_mm_unpacklo_ps(keys[0], keys[1]), _mm_unpacklo_ps(keys[2], keys[3]));
    high = _mm_movelh_ps(_mm_unpacklo_ps(keys[4], keys[5]), _mm_unpacklo_ps(keys[6], keys[7]));
    igs__exchange(&low, &high);
    less = _mm_unpacklo_ps(low, high), more = _mm_unpackhi_ps(low, high);
    igs__exchange(&less, &more);
    low = _mm_shuffle_ps(less, less, 0x4E), high = _mm_shuffle_ps(more, more, 0x4E);
    igs__exchange(&less, &low); /* of lanes 0 and 1 the less, and in low the more; the same in more and high */
    igs__exchange(&more, &high);
    low = _mm_unpacklo_ps(less, low), high = _mm_unpacklo_ps(more, high);
    {
        const __m128i first = _mm_cvttps_epi32(_mm_movelh_ps(low, high)),
                      last = _mm_cvttps_epi32(_mm_movehl_ps(high, low));
        const __m128d whole = _mm_set1_pd((double)(1 << 20));
        __m128i far_away[2], shares[4];
        far_away[0] = _mm_srli_epi32(first, 6), far_away[1] = _mm_srli_epi32(last, 6);
        IGS__STORE(places, _mm_and_si128(first, _mm_set1_epi32(63)));
        IGS__STORE(places + 4, _mm_and_si128(last, _mm_set1_epi32(63)));
        for (i = 0; i < 2; ++i) { /* a far away of none is so large that it has no share */
            const __m128i behind = _mm_shuffle_epi32(far_away[i], 0x4E);
            shares[2 * i] = _mm_cvttpd_epi32(_mm_div_pd(whole, _mm_cvtepi32_pd(far_away[i])));
            shares[2 * i + 1] = _mm_cvttpd_epi32(_mm_div_pd(whole, _mm_cvtepi32_pd(behind)));
        }
        shares[0] = _mm_unpacklo_epi64(shares[0], shares[1]);
        shares[2] = _mm_unpacklo_epi64(shares[2], shares[3]);
        IGS__STORE(bases, _mm_packs_epi32(shares[0], shares[2]));
    }
    for (i = 0; i < 8; ++i) found[i] = from->items[places[i]];
    for (i = count; i < 8; ++i) found[i] = 0;
    return 8;
}
#else
/* What may be near an item: of the cells around it that come before, and of its own, the last four items each. */
typedef struct igs__candidates {
    int32_t items[64]; /* 13 cells of 4 */
    uint32_t far_away[64], count;
} igs__candidates;

/* The nearest candidates, nearest first; returns how many. Of two as near the one that came first. */
static uint32_t igs__take_nearest(const igs__candidates* from, int32_t* found, uint16_t* bases) {
    uint64_t keys[IGS__FAST_NEIGHBOURS]; /* distances and, below them, the order of coming */
    uint32_t at, i;
    for (i = 0; i < IGS__FAST_NEIGHBOURS; ++i) keys[i] = UINT64_MAX;
    for (at = 0; at < from->count; ++at) {
        uint64_t key = (uint64_t)from->far_away[at] << 6 | at;
        IGS__UNROLLED for (i = 0; i < IGS__FAST_NEIGHBOURS; ++i) {
            const uint64_t held = keys[i];
            keys[i] = held < key ? held : key;
            key = held < key ? key : held;
        }
    }
    for (i = 0; i < IGS__FAST_NEIGHBOURS && keys[i] != UINT64_MAX; ++i) {
        const uint32_t base = (1u << 20) / (uint32_t)(keys[i] >> 6);
        found[i] = from->items[keys[i] & 63];
        bases[i] = (uint16_t)(base > 0 ? base : 1);
    }
    return i;
}

/* Adds those of cells of a row before item n, from the right. */
static void igs__add_cells(const igs__items* items, uint32_t n, uint32_t left, uint32_t right, igs__candidates* to) {
    const uint32_t* firsts = items->firsts;
    uint32_t cell, j;
    for (cell = right + 1; cell > left; --cell) {
        const uint32_t last = firsts[cell] < n ? firsts[cell] : n;
        const uint32_t first = last > firsts[cell - 1] + 4 ? last - 4 : firsts[cell - 1];
        for (j = last; j > first; ++to->count) {
            to->items[to->count] = (int32_t)--j;
            to->far_away[to->count] = igs__distance(items, n, j);
            if (to->far_away[to->count] > 480 + (1u << 17)) to->far_away[to->count] = 480 + (1u << 17);
        }
    }
}
#endif

/* The first items of the cells around one that come before it, by distance and then from the last: where cells alone tell, they
 * are the nearest. */
static void igs__list_around(const igs__items* items, int32_t row, int32_t column, int32_t* found, uint16_t* bases) {
    static const signed char rows[12] = {0, 1, 1, 1, 0, 2, 1, 1, 2, 2, 2, 2};
    static const signed char columns[12] = {-1, 0, 1, -1, -2, 0, 2, -2, 1, -1, 2, -2};
    const int32_t across = (int32_t)items->across;
    int count = 0, i;
    for (i = 0; i < 12 && count < IGS__FAST_NEIGHBOURS; ++i) {
        const int32_t x = column + columns[i], y = row - rows[i];
        const uint32_t* firsts;
        uint32_t j, k;
        if (x < 0 || x >= across || y < 0) continue;
        firsts = items->firsts + y * across + x;
        for (j = firsts[1], k = 0; j > firsts[0] && k < 4 && count < IGS__FAST_NEIGHBOURS; ++k) {
            found[count] = (int32_t)--j;
            bases[count++] =
                (uint16_t)((1u << 20) / (uint32_t)(512 + 1024 * (rows[i] * rows[i] + columns[i] * columns[i])));
        }
    }
    for (; count < IGS__FAST_NEIGHBOURS; ++count) found[count] = bases[count] = 0;
}

/* The nearest items before each, nearest first; of two as near the later one. The last ones of an item that has fewer are
 * item 0 with a weight of 0. */
static void igs__find_nearest(igs__items* items) {
    const int32_t across = (int32_t)items->across;
    int32_t row = 0, column = 0, around[IGS__FAST_NEIGHBOURS];
    uint16_t around_bases[IGS__FAST_NEIGHBOURS];
    uint32_t n, last_cell = 0;
#if defined(__SSE2__)
    float* steps = (float*)(void*)items->unlike; /* [count][2], as long as nothing is compared */
    igs__around near_by;
    memset(&near_by, 0, sizeof near_by);
    for (n = 0; items->means != NULL && n < 2 * items->count; ++n)
        steps[n] = 1.0f / (float)(1 << (items->exponents[n] + 4));
#endif
    for (n = 0; n < items->count; ++n) {
        int32_t* neighbours = items->neighbours + (size_t)n * IGS__FAST_NEIGHBOURS;
        uint16_t* bases = items->bases + (size_t)n * IGS__FAST_NEIGHBOURS;
        const uint32_t first = items->firsts[items->cells[n]];
        int found = 0, place, i;
        for (column += (int32_t)(items->cells[n] - last_cell); column >= across; column -= across) ++row;
        last_cell = items->cells[n];
        if (items->means == NULL) {
            uint32_t j;
            if (n == first) igs__list_around(items, row, column, around, around_bases);
            for (j = n; j > first && found < 4; ++found) {
                neighbours[found] = (int32_t)--j;
                bases[found] = (1u << 20) / 512;
            }
            for (i = 0; found < IGS__FAST_NEIGHBOURS; ++i, ++found) {
                neighbours[found] = around[i];
                bases[found] = around_bases[i];
            }
        } else {
#if defined(__SSE2__)
            const float mean[2] = {(float)items->means[2 * (size_t)n], (float)items->means[2 * (size_t)n + 1]};
            if (n == first) igs__gather_around(&near_by, items, steps, row, column);
            found = (int)igs__take_nearest(&near_by, mean, steps + 2 * (size_t)n, neighbours, bases);
            if (n + 1 < items->firsts[last_cell + 1]) igs__put_own(&near_by, items, steps, n);
#else
            const int32_t left = column > 2 ? column - 2 : 0, right = column + 2 < across ? column + 2 : across - 1;
            igs__candidates near_by;
            int32_t y;
            near_by.count = 0;
            for (y = row; y >= 0 && y >= row - 2; --y)
                igs__add_cells(
                    items, n, (uint32_t)(y * across + left), (uint32_t)(y * across + (y == row ? column : right)),
                    &near_by
                );
            found = (int)igs__take_nearest(&near_by, neighbours, bases);
#endif
        }
        for (; found < IGS__FAST_NEIGHBOURS; ++found) {
            neighbours[found] = 0;
            bases[found] = 0;
        }
        place = IGS__FAST_NEIGHBOURS;
        IGS__UNROLLED for (i = IGS__FAST_NEIGHBOURS - 1; i >= 0; --i) /* of those that fill up the last ones none */
            place = neighbours[i] == (int32_t)n - 1 ? i : place;
        items->places[n] = (uint8_t)place;
    }
}

/* Adds to how much the neighbours of all items differ by what they do in the plane before: scale is 2^20 over its values' mean size,
 * and from far_off on differences count alike. */
#if defined(__SSE2__)
IGS__INLINE __m128i
igs__differences(const int32_t* before, const int32_t* at, __m128i own, uint32_t scale, uint32_t far_off) {
    const __m128i theirs = _mm_set_epi32(before[at[3]], before[at[2]], before[at[1]], before[at[0]]);
    const __m128i apart = _mm_sub_epi32(own, theirs), sign = _mm_srai_epi32(apart, 31);
    const __m128 size = _mm_cvtepi32_ps(_mm_sub_epi32(_mm_xor_si128(apart, sign), sign));
    const __m128 off =
        _mm_mul_ps(_mm_min_ps(size, _mm_set1_ps((float)far_off)), _mm_set1_ps((float)scale)); /* is exact */
    return _mm_srli_epi32(_mm_cvttps_epi32(off), 7);
}

static void igs__compare_neighbours(igs__items* items, uint32_t scale, uint32_t far_off, const int32_t* before) {
    uint32_t n;
    for (n = 0; n < items->count; ++n) {
        const int32_t* at = items->neighbours + (size_t)n * IGS__FAST_NEIGHBOURS;
        __m128i* unlike = (__m128i*)(void*)(items->unlike + (size_t)n * IGS__FAST_NEIGHBOURS);
        const __m128i own = _mm_set1_epi32(before[n]);
        const __m128i off = _mm_packs_epi32(
            igs__differences(before, at, own, scale, far_off), igs__differences(before, at + 4, own, scale, far_off)
        );
        _mm_storeu_si128(unlike, _mm_add_epi16(_mm_loadu_si128(unlike), _mm_min_epi16(off, _mm_set1_epi16(512))));
    }
}
#else
static void igs__compare_neighbours(igs__items* items, uint32_t scale, uint32_t far_off, const int32_t* before) {
    uint32_t n;
    int i;
    for (n = 0; n < items->count; ++n) {
        const int32_t* neighbours = items->neighbours + (size_t)n * IGS__FAST_NEIGHBOURS;
        uint16_t* unlike = items->unlike + (size_t)n * IGS__FAST_NEIGHBOURS;
        for (i = 0; i < IGS__FAST_NEIGHBOURS; ++i) {
            const int32_t apart = before[n] - before[neighbours[i]];
            uint32_t off = (uint32_t)(apart < 0 ? -apart : apart);
            off = ((off < far_off ? off : far_off) * scale) >> 7;
            unlike[i] = (uint16_t)(unlike[i] + (off < 512 ? off : 512));
        }
    }
}
#endif

/* Weighs the neighbours of all items by how alike their values are in the planes before. */
static void igs__weigh_neighbours(igs__items* items) {
    uint16_t nearness[256];
    uint32_t n, i;
    for (i = 0; i < 256; ++i) {
        const uint32_t cube = i < 4 ? 64 : i * i * i;
        nearness[i] = (uint16_t)((1u << 22) / cube < 65535 ? (1u << 22) / cube : 65535);
    }
    for (n = 0; n < items->count; ++n) {
        const uint16_t* bases = items->bases + (size_t)n * IGS__FAST_NEIGHBOURS;
        const uint16_t* unlike = items->unlike + (size_t)n * IGS__FAST_NEIGHBOURS;
        uint16_t* weights = items->weights + (size_t)n * IGS__FAST_NEIGHBOURS;
        int shift;
#if defined(__SSE2__)
        const __m128i differs = _mm_min_epi16(_mm_srli_epi16(IGS__LOAD(unlike), 4), _mm_set1_epi16(255));
        const __m128i alike = _mm_set_epi16(
            (short)nearness[_mm_extract_epi16(differs, 7)], (short)nearness[_mm_extract_epi16(differs, 6)],
            (short)nearness[_mm_extract_epi16(differs, 5)], (short)nearness[_mm_extract_epi16(differs, 4)],
            (short)nearness[_mm_extract_epi16(differs, 3)], (short)nearness[_mm_extract_epi16(differs, 2)],
            (short)nearness[_mm_extract_epi16(differs, 1)], (short)nearness[_mm_extract_epi16(differs, 0)]
        );
        const __m128i base = IGS__LOAD(bases), low = _mm_mullo_epi16(base, alike), high = _mm_mulhi_epu16(base, alike);
        __m128i first = _mm_unpacklo_epi16(low, high), second = _mm_unpackhi_epi16(low, high);
        __m128i sum = _mm_add_epi32(first, second), most;
        uint32_t total;
        sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
        total = (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1))); /* below 2^31 */
        if (total == 0) {
            IGS__STORE(weights, _mm_setzero_si128());
            items->like[n] = n;
            items->before[n] = 0;
            continue;
        }
        shift = igs__length32(total) - 16;
        {
            const __m128i by = _mm_cvtsi32_si128(shift < 0 ? -shift : shift), half = _mm_set1_epi32(32768);
            total = shift < 0 ? total << -shift : total >> shift;
            first = shift < 0 ? _mm_sll_epi32(first, by) : _mm_srl_epi32(first, by);
            second = shift < 0 ? _mm_sll_epi32(second, by) : _mm_srl_epi32(second, by);
            first = _mm_packs_epi32(_mm_sub_epi32(first, half), _mm_sub_epi32(second, half));
            first = _mm_xor_si128(first, _mm_set1_epi16(-32768));
        }
        first = _mm_mulhi_epu16(first, _mm_set1_epi16((short)(int32_t)((double)(1 << 30) / total)));
        IGS__STORE(weights, first);
        most = _mm_or_si128(_mm_and_si128(first, _mm_set1_epi16(-8)), _mm_set_epi16(0, 1, 2, 3, 4, 5, 6, 7));
        most = _mm_max_epi16(most, _mm_shuffle_epi32(most, 0x4E));
        most = _mm_max_epi16(most, _mm_shuffle_epi32(most, 0xB1));
        most = _mm_max_epi16(most, _mm_srli_epi32(most, 16));
        items->like[n] =
            (uint32_t)items->neighbours[(size_t)n * IGS__FAST_NEIGHBOURS + 7 - (_mm_cvtsi128_si32(most) & 7)];
#else
        uint32_t raised[IGS__FAST_NEIGHBOURS], total = 0, most = 0, part;
        for (i = 0; i < IGS__FAST_NEIGHBOURS; ++i) {
            const uint32_t differs = unlike[i] >> 4;
            raised[i] = (uint32_t)bases[i] * nearness[differs < 255 ? differs : 255];
            total += raised[i];
        }
        items->like[n] = n;
        shift = igs__length32(total) - 16;
        total = shift < 0 ? total << -shift : total >> shift;
        part = total > 0 ? (1u << 30) / total : 0;
        for (i = 0; i < IGS__FAST_NEIGHBOURS; ++i) {
            weights[i] = (uint16_t)((shift < 0 ? raised[i] << -shift : raised[i] >> shift) * part >> 16);
            if (part > 0 && (i == 0 || weights[i] >> 3 > most)) {
                most = weights[i] >> 3;
                items->like[n] = (uint32_t)items->neighbours[(size_t)n * IGS__FAST_NEIGHBOURS + i];
            }
        }
#endif
        items->before[n] = items->places[n] < IGS__FAST_NEIGHBOURS ? weights[items->places[n]] : 0;
    }
}

/* Takes in what an item's value in the plane before plane k is. */
static void igs__know_item(igs__items* items, uint32_t k, uint32_t n, const int16_t* factors, int32_t rest) {
    const int32_t value = igs__held32(items->values[(size_t)(k - 1) * items->count + n], 32767);
    const int32_t second = k > 1 ? items->values[(size_t)(k - 2) * items->count + n] : 0;
    int16_t** logs = items->logs;
    int32_t sizes;
    if (k > 2) {
        items->sums[n] += logs[1][n] + 1300;
        logs[2][n] = (int16_t)((((int64_t)items->sums[n] * rest) >> 16) - 1300);
    }
    if (k > 1) logs[1][n] = logs[0][n];
    logs[0][n] = (int16_t)(igs__short_log(64 * (value < 0 ? -value : value) + 20) - 1300);
    items->trits[n] =
        (uint8_t)(((value > 0) + 2 * (value < 0)) * 9 + (items->trits[n] * 11 >> 5)); /* a third of 0..26 */
    sizes = igs__up_to((logs[k > 2 ? 2 : 0][n] + 200) >> 6, IGS__FAST_SIZES - 1);
    items->earlier[n] = (uint16_t)(487 + 15 * igs__held32(value, 32) + igs__held32(second, 7));
    items->trends[n] = (uint16_t)(items->trits[n] * IGS__FAST_SIZES + sizes);
    items->offs[n] = items->always[n] + factors[1] * igs__held32(logs[0][n], IGS__STRETCH_LIMIT) +
        factors[2] * igs__held32(logs[1][n], IGS__STRETCH_LIMIT) +
        factors[3] * igs__held32(logs[2][n], IGS__STRETCH_LIMIT);
}

#if defined(__SSE2__)
IGS__INLINE __m128i igs__held16(__m128i value, int most) {
    return _mm_max_epi16(_mm_min_epi16(value, _mm_set1_epi16((short)most)), _mm_set1_epi16((short)-most));
}

/* Of four numbers below 2^24, which floats hold: igs__log - 1300. */
IGS__INLINE __m128i igs__four_logs(__m128i values) {
    const __m128i bits = _mm_srli_epi32(_mm_castps_si128(_mm_cvtepi32_ps(values)), 15);
    return _mm_sub_epi32(bits, _mm_set1_epi32((127 << 8) + 1300));
}

/* Of four positive numbers below 2^32: (number * rest) >> 16, where that is below 2^32. */
IGS__INLINE __m128i igs__four_shares(__m128i values, __m128i rest) {
    const __m128i even = _mm_srli_epi64(_mm_mul_epu32(values, rest), 16);
    const __m128i odd = _mm_slli_epi64(_mm_mul_epu32(_mm_srli_epi64(values, 32), rest), 16);
    const __m128i high = _mm_set_epi32(-1, 0, -1, 0);
    return _mm_or_si128(_mm_andnot_si128(high, even), _mm_and_si128(high, odd));
}

/* The same of eight items. */
IGS__INLINE void igs__know_eight(igs__items* items, uint32_t k, uint32_t n, const int16_t* factors, int32_t rest) {
    const int32_t* first = items->values + (size_t)(k - 1) * items->count + n;
    const __m128i zero = _mm_setzero_si128(), shift = _mm_set1_epi32(20), most = _mm_set1_epi16(32767);
    const __m128i value =
        _mm_max_epi16(_mm_packs_epi32(IGS__LOAD(first), IGS__LOAD(first + 4)), _mm_sub_epi16(zero, most));
    const __m128i size = _mm_max_epi16(value, _mm_sub_epi16(zero, value));
    const __m128i last = IGS__LOAD(items->logs[0] + n);
    __m128i logs[3], context, sizes, trits, low, high;
    logs[1] = k > 1 ? last : zero;
    logs[2] = zero;
    if (k > 2) {
        const __m128i factor = _mm_set1_epi32(rest),
                      before = _mm_add_epi16(IGS__LOAD(items->logs[1] + n), _mm_set1_epi16(1300));
        int32_t* sums = items->sums + n;
        low = _mm_add_epi32(IGS__LOAD(sums), _mm_unpacklo_epi16(before, zero));
        high = _mm_add_epi32(IGS__LOAD(sums + 4), _mm_unpackhi_epi16(before, zero));
        IGS__STORE(sums, low);
        IGS__STORE(sums + 4, high);
        logs[2] = _mm_packs_epi32(igs__four_shares(low, factor), igs__four_shares(high, factor));
        logs[2] = _mm_sub_epi16(logs[2], _mm_set1_epi16(1300));
        IGS__STORE(items->logs[2] + n, logs[2]);
    }
    low = igs__four_logs(_mm_add_epi32(_mm_slli_epi32(_mm_unpacklo_epi16(size, zero), 6), shift));
    high = igs__four_logs(_mm_add_epi32(_mm_slli_epi32(_mm_unpackhi_epi16(size, zero), 6), shift));
    logs[0] = _mm_packs_epi32(low, high);
    IGS__STORE(items->logs[0] + n, logs[0]);
    IGS__STORE(items->logs[1] + n, logs[1]);
    trits = _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i*)(const void*)(items->trits + n)), zero);
    trits = _mm_srli_epi16(_mm_mullo_epi16(trits, _mm_set1_epi16(11)), 5);
    trits = _mm_add_epi16(trits, _mm_and_si128(_mm_cmpgt_epi16(value, zero), _mm_set1_epi16(9)));
    trits = _mm_add_epi16(trits, _mm_and_si128(_mm_cmpgt_epi16(zero, value), _mm_set1_epi16(18)));
    _mm_storel_epi64((__m128i*)(void*)(items->trits + n), _mm_packus_epi16(trits, zero));
    sizes = _mm_srai_epi16(_mm_add_epi16(logs[k > 2 ? 2 : 0], _mm_set1_epi16(200)), 6);
    sizes = _mm_max_epi16(_mm_min_epi16(sizes, _mm_set1_epi16(IGS__FAST_SIZES - 1)), zero);
    sizes = _mm_add_epi16(sizes, _mm_mullo_epi16(trits, _mm_set1_epi16(IGS__FAST_SIZES)));
    IGS__STORE(items->trends + n, sizes);
    context = _mm_add_epi16(_mm_mullo_epi16(igs__held16(value, 32), _mm_set1_epi16(15)), _mm_set1_epi16(487));
    if (k > 1) {
        const int32_t* second = first - items->count;
        context = _mm_add_epi16(context, igs__held16(_mm_packs_epi32(IGS__LOAD(second), IGS__LOAD(second + 4)), 7));
    }
    IGS__STORE(items->earlier + n, context);
    {
        const __m128i two = _mm_set1_epi32((int)((uint32_t)(uint16_t)factors[2] << 16 | (uint16_t)factors[1]));
        const __m128i third = _mm_set1_epi32((uint16_t)factors[3]);
        const __m128i a = igs__held16(logs[0], IGS__STRETCH_LIMIT), b = igs__held16(logs[1], IGS__STRETCH_LIMIT);
        const __m128i c = igs__held16(logs[2], IGS__STRETCH_LIMIT);
        low = _mm_add_epi32(IGS__LOAD(items->always + n), _mm_madd_epi16(_mm_unpacklo_epi16(a, b), two));
        high = _mm_add_epi32(IGS__LOAD(items->always + n + 4), _mm_madd_epi16(_mm_unpackhi_epi16(a, b), two));
        low = _mm_add_epi32(low, _mm_madd_epi16(_mm_unpacklo_epi16(c, zero), third));
        high = _mm_add_epi32(high, _mm_madd_epi16(_mm_unpackhi_epi16(c, zero), third));
        IGS__STORE(items->offs + n, low);
        IGS__STORE(items->offs + n + 4, high);
    }
}
#endif

/* Takes in the values of the plane before plane k: what is known of items by their earlier planes. */
static void igs__know_plane(igs__items* items, uint32_t k, const int16_t* factors) {
    const int32_t rest = k > 2 ? 65536 / (int32_t)(k - 2) : 0;
    uint32_t n = 0;
    int i;
    for (n = 0; k <= 3 && n < items->count; ++n) { /* factors are the same later */
        items->always[n] = 0;
        for (i = 4; i < IGS__FAST_INPUTS; ++i) items->always[n] += factors[i] * items->known[n].inputs[i];
    }
    for (n = 0; k == 0 && n < items->count; ++n) {
        items->offs[n] = items->always[n];
        items->earlier[n] = 487;
        items->trends[n] = 0;
        items->trits[n] = 0;
        items->sums[n] = items->logs[0][n] = items->logs[1][n] = items->logs[2][n] = 0;
    }
    if (k == 0) return;
    n = 0;
#if defined(__SSE2__)
    for (; n + 8 <= items->count; n += 8) igs__know_eight(items, k, n, factors, rest);
#endif
    for (; n < items->count; ++n) igs__know_item(items, k, n, factors, rest);
}

/* Everything of a plane that is known before its first value. */
static void igs__prepare_plane(igs__items* items, uint32_t k, const int16_t* factors) {
    igs__know_plane(items, k, factors);
    if (k > 0 && k <= IGS__FAST_COMPARED) {
        const int32_t* before = items->values + (size_t)(k - 1) * items->count;
        int64_t total = 0;
        uint32_t n, scale;
        for (n = 0; n < items->count; ++n) total += before[n] < 0 ? -before[n] : before[n];
        scale = (uint32_t)((1 << 20) / (64 * total / (int64_t)items->count + 6));
        igs__compare_neighbours(items, scale, 65536 / (scale > 0 ? scale : 1) + 1, before);
    }
    if (k <= IGS__FAST_COMPARED) igs__weigh_neighbours(items);
    memset(items->held, 0, items->count * sizeof *items->held);
}

/* Sums of the values of item n's neighbours, weighed, and of their sizes; a value that is not decoded yet counts as 0. */
typedef struct igs__fast_sums {
    int32_t value, size;
} igs__fast_sums;

IGS__INLINE igs__fast_sums igs__fast_look_around(const igs__items* items, uint32_t n) {
    const int32_t* neighbours = items->neighbours + (size_t)n * IGS__FAST_NEIGHBOURS;
    const uint16_t* weights = items->weights + (size_t)n * IGS__FAST_NEIGHBOURS;
    const int16_t* held = items->held;
    igs__fast_sums sums;
#if defined(__SSE2__)
    const __m128i values = _mm_set_epi16(
        held[neighbours[7]], held[neighbours[6]], held[neighbours[5]], held[neighbours[4]], held[neighbours[3]],
        held[neighbours[2]], held[neighbours[1]], held[neighbours[0]]
    );
    const __m128i by = IGS__LOAD(weights), sizes = _mm_max_epi16(values, _mm_sub_epi16(_mm_setzero_si128(), values));
    const __m128i first = _mm_madd_epi16(values, by), second = _mm_madd_epi16(sizes, by);
    __m128i sum = _mm_add_epi32(_mm_unpacklo_epi32(first, second), _mm_unpackhi_epi32(first, second));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sums.value = _mm_cvtsi128_si32(sum);
    sums.size = _mm_cvtsi128_si32(_mm_shuffle_epi32(sum, 1));
#else
    int i;
    sums.value = sums.size = 0;
    for (i = 0; i < IGS__FAST_NEIGHBOURS; ++i) {
        const int32_t value = held[neighbours[i]];
        sums.value += weights[i] * value;
        sums.size += weights[i] * (value < 0 ? -value : value);
    }
#endif
    return sums;
}

static void igs__fast_planes(igs__items* items, igs__fast_stream* kept, uint32_t set) {
    const uint32_t count = items->count;
    igs__fast_stream stream = *kept;
    igs__fast_mixer mixer;
    uint32_t n, k;
    size_t i;
    igs__fast_begin(&mixer, items);
    igs__find_nearest(items);
    for (i = 0; i < (size_t)count * IGS__FAST_NEIGHBOURS; ++i) items->unlike[i] = 64;
    for (k = 0; k < items->planes; ++k) {
        int32_t *values = items->values + (size_t)k * count, last = 0;
        const int16_t* factors = igs__fast_factors[set + (k < 3 ? k : 3)];
        igs__fast_sums sums;
        mixer.stamp = (uint8_t)(k + 1);
        igs__prepare_plane(items, k, factors);
        sums = igs__fast_look_around(items, 0);
        for (n = 0; n < count; ++n) {
            const int32_t before = items->before[n], value = (sums.value + before * last) >> 8;
            const int32_t size = (sums.size + before * (last < 0 ? -last : last)) >> 8;
            const igs__fast_steps steps = igs__fast_expect(value, size, items->offs[n], factors[0]);
            const int32_t like = igs__held32(items->held[items->like[n]], 40);
            int32_t found;
            mixer.row[0] = igs__fast_first_row(&mixer, (uint32_t)(steps.size * IGS__FAST_PLACES + steps.place));
            mixer.row[1] = igs__fast_other_row(&mixer, 1, items->groups[n] * 13u + (uint32_t)(steps.place >> 1));
            mixer.row[2] = igs__fast_other_row(&mixer, 2, items->earlier[n]);
            mixer.row[3] = igs__fast_other_row(&mixer, 3, (uint32_t)((like + 40) * 7 + (steps.size >> 1)));
            mixer.row[4] = igs__fast_other_row(&mixer, 4, items->trends[n]);
            if (n + 1 < count) {
                sums = igs__fast_look_around(items, n + 1);
                IGS__PREFETCH(mixer.rows + igs__fast_starts[2] + items->earlier[n + 1]);
            }
            found = igs__fast_value(&mixer, &stream, IGS__WRITES ? values[n] : 0);
            values[n] = found;
            last = igs__held32(found, 32767);
            items->held[n] = (int16_t)last;
        }
    }
    *kept = stream;
}

/* Codes the values of a section; whether all of the bytes were what they take. */
static int igs__fast_code(igs__items* items, igs__fast_stream* stream, uint32_t section, uint32_t gaussians) {
    if (section == IGS__CELLS) igs__fast_counts(items, stream, gaussians);
    else igs__fast_planes(items, stream, section == IGS__SHAPES ? 1 : 4);
    return stream->x == IGS__FAST_STATE && stream->at == stream->size;
}

/* Codes the values of a section in another codec; the bytes are those passed and one more. */
static void igs__code_planes(igs__items* items, igs__bits* bits, uint32_t codec, uint32_t section) {
    igs__find_above(items);
    if (codec == IGS__CONTEXT) igs__context_planes(items, bits);
    else igs__prediction_planes(items, bits, codec, section);
}

/* Decodes a coded section's values; adds the planes' centres. */
static igs_error igs__decode_planes(igs__items* items, const igs__section* section, uint32_t id, uint32_t gaussians) {
    const size_t head = 2 * (size_t)items->planes;
    uint32_t n, k;
    IGS__REQUIRE(section->stored > head, CODED_LENGTH);
    if (section->codec == IGS__FAST) {
        igs__fast_stream stream;
        igs__fast_open(&stream, section->data + head, section->stored - head, NULL);
        IGS__REQUIRE(igs__fast_code(items, &stream, id, gaussians), CODED_LENGTH);
    } else {
        igs__bits bits;
        igs__bits_begin(&bits, section->data + head, section->stored - head);
        igs__code_planes(items, &bits, section->codec, id);
        IGS__REQUIRE(bits.passed + 1 == bits.size, CODED_LENGTH);
    }
    for (k = 0; k < items->planes; ++k) {
        const int32_t centre = igs__i16(section->data + 2 * k);
        for (n = 0; n < items->count; ++n) items->values[n * items->item_step + k * items->plane_step] += centre;
    }
    return IGS_OK;
}

/* What is known of each section's items before their codes. */

static void igs__describe_cells(igs__items* items, uint32_t* identity) {
    uint32_t i;
    for (i = 0; i <= items->count; ++i) identity[i] = i;
    items->cells = items->firsts = identity;
    memset(items->groups, 0, items->count);
}

static void igs__begin_known(igs__known* known, int64_t first, int64_t second, int64_t third) {
    memset(known, 0, sizeof *known);
    known->inputs[4] = igs__input(first);
    known->inputs[5] = igs__input(second);
    known->inputs[6] = igs__input(third);
    known->inputs[7] = 256;
}

/* How many items lie in a cell and around it, those farther off for less. */
static int64_t igs__crowd(const uint32_t* firsts, uint32_t cell, uint32_t across, uint32_t down) {
    static const uint8_t shares[3][3] = {{60, 30, 12}, {30, 20, 10}, {12, 10, 0}}; /* 60 / (1 + distance^2) */
    const int32_t row = (int32_t)(cell / across), column = (int32_t)(cell % across);
    int64_t near = 18;
    int32_t x, y;
    for (y = row > 2 ? row - 2 : 0; y <= row + 2 && y < (int32_t)down; ++y)
        for (x = column > 2 ? column - 2 : 0; x <= column + 2 && x < (int32_t)across; ++x) {
            const uint32_t other = (uint32_t)y * across + (uint32_t)x, held = firsts[other + 1] - firsts[other];
            const uint32_t share = shares[y < row ? row - y : y - row][x < column ? column - x : x - column];
            near += share > 0 ? (int64_t)share * held : 60 * (int64_t)held / 9;
        }
    return near;
}

static void igs__describe_shapes(igs__items* items, uint32_t codec, const uint32_t* firsts, const uint32_t* cell_of) {
    const uint32_t across = items->across, down = items->down;
    int32_t density = 0;
    uint32_t n;
    items->cells = cell_of;
    items->firsts = firsts;
    for (n = 0; codec == IGS__CONTEXT && n < items->count; ++n)
        items->groups[n] = n > 0 && cell_of[n] == cell_of[n - 1];
    for (n = 0; codec >= IGS__PREDICTION && n < items->count; ++n) {
        const uint32_t first = firsts[cell_of[n]], held = firsts[cell_of[n] + 1] - first;
        if (n == first) density = (int32_t)igs__log(igs__crowd(firsts, cell_of[n], across, down));
        items->groups[n] = (uint8_t)(2 * (held > 2 ? 2 : held - 1) + (n > first));
        if (codec == IGS__FAST)
            igs__begin_known(
                items->known + n, density - 1500,
                held > 2        ? 200
                    : held == 2 ? 100
                                : 0,
                n > first ? 256 : 0
            );
        else items->signs[n] = density;
    }
}

static void igs__describe_features(
    igs__items* items, uint32_t codec, const uint32_t* firsts, const uint32_t* cell_of, const int16_t* shapes,
    const int32_t* positions, const int8_t* exponents
) {
    int64_t mean = 0;
    uint32_t n;
    size_t i;
    items->cells = cell_of;
    items->firsts = firsts;
    items->exponents = exponents;
    for (n = 0; n < items->count; ++n) mean += shapes[3 * (size_t)n];
    mean = igs__floor_div(mean, items->count);
    for (n = 0; n < items->count; ++n) {
        const int64_t size = shapes[3 * (size_t)n] - mean;
        const int64_t h = igs__abs(shapes[3 * (size_t)n + 1]), b = igs__abs(shapes[3 * (size_t)n + 2]);
        items->groups[n] = (uint8_t)igs__clamp(igs__floor_div(size, 3) + 3, 0, IGS__GROUPS - 1);
        if (codec == IGS__FAST) {
            const int64_t held = igs__clamp(size, -60, 60);
            igs__begin_known(
                items->known + n, 24 * held, held * held >> 1, (h > b ? 16 * h + 6 * b : 16 * b + 6 * h) - 300
            );
        }
        if (igs__predicts(codec)) {
            int32_t* signs = items->signs + 3 * (size_t)n;
            signs[0] = (int32_t)(43 * size);
            signs[1] = (int32_t)(7 * (size * size < 4096 ? size * size : 4096));
            signs[2] = (int32_t)(h > b ? 32 * h + 12 * b : 32 * b + 12 * h);
        }
    }
    for (i = 0; codec >= IGS__PREDICTION && i < 2 * (size_t)items->count; ++i)
        items->means[i] = (2 * positions[i] + 1) * (1 << (exponents[i] + 4));
}

/* ---- codec 6: description coding ---------------------------------------------------------------------------------- */

#define IGS__MOST_DESCRIBED 4096
#define IGS__DESCRIPTION_CONTEXTS 6
#define IGS__DESCRIPTION_SETS 4 /* of weights */

/* Maps as they are often called, which the coder of section maps learns first: docs/igs-format.md. */
/* clang-format off */
static const uint8_t igs__usual_maps[801] = {
    9, 0, 8, 0, 115, 112, 101, 99, 117, 108, 97, 114, 4, 46, 112, 110, 103, 10, 1, 0, 3, 0, 0, 0, 0, 0, 0, 128, 63, 10,
    0, 0, 10, 0, 0, 10, 0, 0, 4, 0, 109, 97, 115, 107, 4, 46, 112, 110, 103, 12, 0, 0, 1, 0, 0, 0, 0, 0, 0, 128, 63,
    12, 0, 3, 10, 0, 103, 108, 111, 115, 115, 105, 110, 101, 115, 115, 4, 46, 112, 110, 103, 4, 0, 0, 1, 0, 0, 0, 0, 0,
    0, 128, 63, 4, 0, 4, 8, 0, 101, 109, 105, 115, 115, 105, 118, 101, 4, 46, 112, 110, 103, 9, 1, 0, 3, 0, 0, 0, 0, 0,
    0, 128, 63, 9, 0, 5, 9, 0, 6, 9, 0, 7, 7, 0, 111, 112, 97, 99, 105, 116, 121, 4, 46, 112, 110, 103, 8, 0, 0, 1, 0,
    0, 0, 0, 0, 0, 128, 63, 8, 0, 8, 12, 0, 100, 105, 115, 112, 108, 97, 99, 101, 109, 101, 110, 116, 4, 46, 101, 120,
    114, 7, 0, 2, 1, 0, 0, 0, 0, 0, 0, 128, 63, 7, 0, 9, 17, 0, 97, 109, 98, 105, 101, 110, 116, 95, 111, 99, 99, 108,
    117, 115, 105, 111, 110, 4, 46, 106, 112, 103, 6, 0, 0, 1, 0, 0, 0, 0, 0, 0, 128, 63, 6, 0, 10, 4, 0, 6, 0, 97,
    108, 98, 101, 100, 111, 4, 46, 116, 103, 97, 1, 1, 0, 4, 0, 0, 0, 0, 0, 0, 128, 63, 1, 0, 0, 1, 0, 1, 1, 0, 2, 8,
    1, 0, 0, 128, 63, 7, 0, 100, 105, 102, 102, 117, 115, 101, 4, 46, 106, 112, 103, 1, 1, 0, 3, 0, 0, 0, 0, 0, 0, 128,
    63, 1, 0, 0, 1, 0, 1, 1, 0, 2, 5, 0, 99, 111, 108, 111, 114, 4, 46, 106, 112, 103, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0,
    128, 63, 1, 0, 0, 9, 0, 111, 99, 99, 108, 117, 115, 105, 111, 110, 4, 46, 112, 110, 103, 6, 0, 0, 1, 0, 0, 0, 0, 0,
    0, 128, 63, 6, 0, 3, 18, 0, 109, 101, 116, 97, 108, 108, 105, 99, 95, 114, 111, 117, 103, 104, 110, 101, 115, 115,
    4, 46, 112, 110, 103, 3, 0, 0, 3, 0, 0, 0, 0, 0, 0, 128, 63, 0, 1, 0, 0, 0, 0, 3, 0, 4, 5, 0, 5, 9, 0, 109, 101,
    116, 97, 108, 110, 101, 115, 115, 4, 46, 112, 110, 103, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 128, 63, 5, 1, 0, 0, 0, 0, 1,
    0, 5, 0, 105, 109, 97, 103, 101, 4, 46, 112, 110, 103, 11, 1, 0, 3, 0, 0, 0, 0, 0, 0, 128, 63, 11, 0, 0, 11, 0, 1,
    11, 0, 2, 3, 0, 9, 0, 98, 97, 115, 101, 99, 111, 108, 111, 114, 4, 46, 112, 110, 103, 1, 1, 0, 3, 0, 0, 0, 0, 0, 0,
    128, 63, 1, 0, 0, 1, 0, 1, 1, 0, 2, 6, 0, 110, 111, 114, 109, 97, 108, 4, 46, 112, 110, 103, 2, 0, 0, 3, 0, 0, 0,
    0, 0, 0, 128, 63, 2, 0, 3, 2, 0, 4, 2, 2, 28, 0, 111, 99, 99, 108, 117, 115, 105, 111, 110, 95, 114, 111, 117, 103,
    104, 110, 101, 115, 115, 95, 109, 101, 116, 97, 108, 108, 105, 99, 4, 46, 112, 110, 103, 6, 0, 0, 3, 0, 0, 0, 0, 0,
    0, 128, 63, 6, 0, 5, 3, 0, 6, 5, 0, 7, 5, 0, 2, 0, 97, 111, 4, 46, 106, 112, 103, 6, 0, 0, 1, 0, 0, 0, 0, 0, 0,
    128, 63, 6, 0, 0, 9, 0, 98, 97, 115, 101, 99, 111, 108, 111, 114, 4, 46, 106, 112, 103, 1, 1, 0, 3, 0, 0, 0, 0, 0,
    0, 128, 63, 1, 0, 1, 1, 0, 2, 1, 0, 3, 6, 0, 104, 101, 105, 103, 104, 116, 4, 46, 112, 110, 103, 7, 0, 1, 1, 0, 0,
    0, 0, 0, 0, 128, 63, 7, 0, 4, 8, 0, 109, 101, 116, 97, 108, 108, 105, 99, 4, 46, 106, 112, 103, 5, 0, 0, 1, 0, 0,
    0, 0, 0, 0, 128, 63, 5, 0, 5, 6, 0, 110, 111, 114, 109, 97, 108, 4, 46, 106, 112, 103, 2, 0, 0, 3, 0, 0, 0, 0, 0,
    0, 128, 63, 2, 0, 6, 2, 0, 7, 2, 0, 8, 9, 0, 114, 111, 117, 103, 104, 110, 101, 115, 115, 4, 46, 106, 112, 103, 3,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 128, 63, 3, 0, 9,
};
/* clang-format on */

typedef struct igs__description {
    uint32_t section, channels, components;
    uint32_t learned; /* bytes of igs__usual_maps before the section's */
    uint8_t* data;    /* what is decoded, or encoded */
    uint32_t size;
} igs__description;

static uint32_t igs__joined(uint32_t found, uint32_t number) { return (found + number + 1) * 0x9E3779B1u; }

/* The byte so many before another one of what is learned and the section; 0 where there is none. */
static uint32_t igs__byte_before(const igs__description* described, uint32_t at, uint32_t back) {
    if (at < back) return 0;
    at -= back;
    return at < described->learned ? igs__usual_maps[at] : described->data[at - described->learned];
}

static void igs__map_contexts(const igs__description* described, uint32_t at, uint32_t* contexts) {
    uint32_t i, back;
    for (i = 0; i < IGS__DESCRIPTION_CONTEXTS; ++i) {
        contexts[i] = igs__joined(0, i);
        for (back = 1; back <= (i < IGS__DESCRIPTION_CONTEXTS - 1 ? i : 6u); ++back)
            contexts[i] = igs__joined(contexts[i], igs__byte_before(described, at, back));
    }
}

static void igs__component_contexts(const igs__description* described, uint32_t at, uint32_t* contexts) {
    const uint32_t width = 2 * described->channels, basis = width + 4 * described->components;
    uint32_t field, back, row = 0, before, like, i;
    if (at < width) {
        field = at & 1;
        back = 2;
    } else if (at < basis) {
        field = 2 + ((at - width) & 3);
        back = 4;
    } else if (at < basis + width * described->components) {
        field = 6 + ((at - basis) & 1);
        back = width;
        row = (at - basis) / width < 8 ? (at - basis) / width : 8;
    } else {
        field = 8 + (at - basis - width * described->components) % 3;
        back = 3;
    }
    before = igs__byte_before(described, at, 1);
    like = igs__byte_before(described, at, back);
    for (i = 0; i < IGS__DESCRIPTION_CONTEXTS; ++i) contexts[i] = igs__joined(igs__joined(0, i), field);
    contexts[1] = igs__joined(contexts[1], like);
    contexts[2] = igs__joined(contexts[2], before);
    contexts[3] = igs__joined(contexts[3], row);
    contexts[4] = igs__joined(igs__joined(contexts[4], before), like);
    contexts[5] = igs__joined(contexts[5], igs__byte_before(described, at, 2));
}

static void igs__description_take(igs__model* model, igs__arena* arena) {
    igs__model_take(model, arena, 256, 256, IGS__DESCRIPTION_SETS * IGS__DESCRIPTION_CONTEXTS);
}

/* A bit of a byte, whose higher ones follow a 1 in prefix; coded unless it is of what is learned. */
static int igs__description_decide(
    igs__model* model, igs__bits* bits, const uint32_t* contexts, uint32_t prefix, int yes, int is_coded
) {
    static const int32_t confidence[3] = {0, 6, 8};
    uint32_t slots[IGS__DESCRIPTION_CONTEXTS], i, met = 0;
    int32_t stretched[IGS__DESCRIPTION_CONTEXTS], probability;
    int64_t *weights, total = 0, error;
    for (i = 0; i < IGS__DESCRIPTION_CONTEXTS; ++i) {
        uint32_t seen;
        slots[i] = (contexts[i] + prefix * 0x85EBCA6Bu) >> 16;
        seen = model->statistics[slots[i]] & 255;
        if (i > 0 && seen > 0) ++met;
        stretched[i] = (int32_t)(((int64_t)igs__stretched(model, slots[i]) * confidence[seen < 2 ? seen : 2]) >> 3);
    }
    weights = model->weights + IGS__DESCRIPTION_CONTEXTS * (met < 3 ? met : 3);
    for (i = 0; i < IGS__DESCRIPTION_CONTEXTS; ++i) total += weights[i] * stretched[i];
    probability = model->squash[igs__clamp(total >> 16, -IGS__STRETCH_LIMIT, IGS__STRETCH_LIMIT) + IGS__STRETCH_LIMIT];
    if (is_coded) yes = igs__code_bit(bits, (uint32_t)probability, 16, yes);
    error = ((yes ? 65536 : 0) - probability) * 82;
    for (i = 0; i < IGS__DESCRIPTION_CONTEXTS; ++i) {
        weights[i] += (stretched[i] * error + (1 << 19)) >> 20;
        igs__adapt(model, slots[i], yes);
    }
    return yes;
}

static void igs__code_description(igs__model* model, igs__bits* bits, igs__description* described) {
    uint32_t at, i;
    described->learned = described->section == IGS__MAPS ? (uint32_t)sizeof igs__usual_maps : 0;
    igs__model_tables(model, igs__logistic, 16);
    memset(model->statistics, 0, (size_t)model->rows * model->nodes * sizeof *model->statistics);
    for (i = 0; i < model->weight_count; ++i) model->weights[i] = 22000;
    for (at = 0; at < described->learned + described->size; ++at) {
        const int is_coded = at >= described->learned;
        const uint32_t byte = !is_coded ? igs__usual_maps[at]
            : IGS__WRITES               ? described->data[at - described->learned]
                                        : 0;
        uint32_t contexts[IGS__DESCRIPTION_CONTEXTS], prefix = 1;
        int place;
        if (described->section == IGS__MAPS) igs__map_contexts(described, at, contexts);
        else igs__component_contexts(described, at, contexts);
        for (place = 7; place >= 0; --place)
            prefix = 2 * prefix +
                (uint32_t)igs__description_decide(model, bits, contexts, prefix, byte >> place & 1, is_coded);
        if (is_coded) described->data[at - described->learned] = (uint8_t)prefix;
    }
}

static igs_error igs__decode_description(
    igs__model* model, const igs__section* section, uint32_t id, const igs_info* info, uint8_t* data
) {
    igs__description described;
    igs__bits bits;
    IGS__REQUIRE(section->raw > 0 && section->raw <= IGS__MOST_DESCRIBED, TOO_MANY_CODES);
    described.section = id;
    described.channels = info->channels;
    described.components = info->components;
    described.data = data;
    described.size = section->raw;
    igs__bits_begin(&bits, section->data, section->stored);
    igs__code_description(model, &bits, &described);
    IGS__REQUIRE(bits.passed + 1 == bits.size, CODED_LENGTH);
    return IGS_OK;
}

/* ---- blocks of residual and repeat ---------------------------------------------------------------------------------------- */

#define IGS__RESIDUAL_HEAD 16
#define IGS__REPEAT_HEAD 28
#define IGS__MOST_PERIOD 16384u
#define IGS__MOST_BLOCK_COMPONENTS 255u
#define IGS__MOST_CELL_PLACES (1u << 23)
#define IGS__MOST_WEIGHTS (1u << 22)
#define IGS__MOST_IN_BLOCK 128u
#define IGS__MOST_COEFFICIENTS (1u << 25)
#define IGS__RESIDUAL_INPUTS 7
#define IGS__RESIDUAL_NODES 8
#define IGS__END_INPUTS 4
#define IGS__END_LENGTHS 9
#define IGS__END_NODES (4 * IGS__END_LENGTHS)
#define IGS__LEVELS 9
#define IGS__FREQUENCIES 8 /* groups of them */
#define IGS__MOST_PLACES 256
#define IGS__AROUND 7 /* neighbours of a place; the last two are coded after it */

/* What the first bytes of a section of blocks say, whose side is known to be lawful, held against every law but that of the
 * section's length. The blocks cover so many texels, and have the components of so many pictures. */
static igs_error igs__read_blocks(
    const uint8_t* head, uint32_t width, uint32_t height, uint32_t pictures, uint32_t channels, igs_residual* blocks
) {
    const uint32_t edge = (1u << head[0]) - 1;
    uint64_t count, most;
    uint32_t i;
    for (i = 0; i < 3; ++i) {
        blocks->offsets[i] = (int8_t)(head[1 + i] < 128 ? head[1 + i] : head[1 + i] - 256);
        IGS__REQUIRE(blocks->offsets[i] >= -64 && blocks->offsets[i] <= 64, BLOCKS_OFFSET);
    }
    blocks->side_log2 = head[0];
    blocks->step = igs__f32(head + 4);
    blocks->coefficients = igs__u32(head + 8);
    blocks->components = head[12];
    blocks->blocks_across = (width + edge) >> head[0];
    blocks->blocks_down = (height + edge) >> head[0];
    IGS__REQUIRE(igs__inside(blocks->step, 1.0f / 1048576, 16.0f), BLOCKS_STEP);
    IGS__REQUIRE(blocks->components >= 1 && blocks->components <= channels, BLOCKS_COMPONENTS);
    IGS__REQUIRE(blocks->coefficients >= 1, BLOCKS_EMPTY);
    count = (uint64_t)blocks->blocks_across * blocks->blocks_down;
    most = pictures * blocks->components << 2 * head[0];
    most = count * (most < IGS__MOST_IN_BLOCK ? most : IGS__MOST_IN_BLOCK);
    most = most < IGS__MOST_COEFFICIENTS ? most : IGS__MOST_COEFFICIENTS;
    IGS__REQUIRE(blocks->coefficients <= most, BLOCKS_COUNT);
    IGS__REQUIRE(count <= 16 * (uint64_t)blocks->coefficients + 4096, BLOCKS_MANY);
    return IGS_OK;
}

static int igs__side_fits(uint32_t side_log2) { return side_log2 >= 2 && side_log2 <= 4; }

/* What the section's first bytes say, held against its laws. */
static igs_error igs__check_residual(const uint8_t* raw, uint32_t size, const igs_info* info, igs_residual* residual) {
    uint64_t start;
    IGS__REQUIRE(size >= IGS__RESIDUAL_HEAD, RESIDUAL_SHORT);
    IGS__REQUIRE(igs__side_fits(raw[0]), BLOCKS_SIDE);
    IGS__REQUIRE(raw[13] == 0 && raw[14] == 0 && raw[15] == 0, RESIDUAL_RESERVED);
    IGS__TRY(igs__read_blocks(raw, info->width, info->height, 1, info->channels, residual));
    start = IGS__RESIDUAL_HEAD + 2 * (uint64_t)residual->components * info->channels;
    IGS__REQUIRE(size > start && residual->coefficients <= 8 * (size - start), BLOCKS_LENGTH);
    return IGS_OK;
}

/* Likewise. */
static igs_error igs__check_repeat(const uint8_t* raw, uint32_t size, const igs_info* info, igs_repeat* repeat) {
    igs_residual* blocks = &repeat->blocks;
    uint64_t start, weights, bytes;
    uint32_t components;
    IGS__REQUIRE(size >= IGS__REPEAT_HEAD, REPEAT_SHORT);
    IGS__REQUIRE(igs__side_fits(raw[0]), BLOCKS_SIDE);
    repeat->pictures = raw[13] + 1u;
    repeat->period_x = igs__u16(raw + 14);
    repeat->period_y = igs__u16(raw + 16);
    repeat->origin_x = igs__u16(raw + 18);
    repeat->origin_y = igs__u16(raw + 20);
    repeat->shift = igs__u16(raw + 22);
    bytes = igs__u32(raw + 24);
    IGS__REQUIRE(
        repeat->period_x - 1 < IGS__MOST_PERIOD && repeat->period_y - 1 < IGS__MOST_PERIOD, REPEAT_PERIOD
    ); /* 0 wraps */
    IGS__REQUIRE(
        repeat->origin_x < repeat->period_x && repeat->origin_y < repeat->period_y && repeat->shift < repeat->period_x,
        REPEAT_ORIGIN
    );
    IGS__REQUIRE(repeat->pictures <= 32, REPEAT_PICTURES);
    components = repeat->pictures * raw[12];
    IGS__REQUIRE(components <= IGS__MOST_BLOCK_COMPONENTS, REPEAT_COMPONENTS);
    IGS__TRY(igs__read_blocks(raw, repeat->period_x, repeat->period_y, repeat->pictures, info->channels, blocks));
    IGS__REQUIRE(
        ((uint64_t)blocks->blocks_across * blocks->blocks_down * components) << 2 * blocks->side_log2 <=
            IGS__MOST_CELL_PLACES,
        REPEAT_LARGE
    );
    weights = repeat->shift ? repeat->period_x - 1 : repeat->origin_x;
    repeat->cells_across = (info->width + (uint32_t)weights + repeat->period_x - 1) / repeat->period_x;
    repeat->cells_down = (info->height + repeat->origin_y + repeat->period_y - 1) / repeat->period_y;
    weights = (uint64_t)(repeat->pictures - 1) * repeat->cells_across * repeat->cells_down;
    IGS__REQUIRE(
        weights == 0 || (bytes > 0 && weights <= 64 * bytes + 4096 && weights <= IGS__MOST_WEIGHTS), REPEAT_WEIGHT_COUNT
    );
    IGS__REQUIRE(weights > 0 || bytes == 0, REPEAT_NO_PICTURE);
    start = IGS__REPEAT_HEAD + 2 * (uint64_t)blocks->components * info->channels + bytes;
    IGS__REQUIRE(size > start && blocks->coefficients <= 8 * (size - start), BLOCKS_LENGTH);
    return IGS_OK;
}

typedef struct igs__residual_coder {
    igs__model values, ends;
    /* Of each block the last one of its column that is done, the one above or, on the left, of this row; sums are added to where a
     * size is decoded that is not 0, as few are. What is above 255 counts as that: contexts do not tell it apart. Behind a block's
     * last place is one for neighbours that there are not. */
    uint8_t* sizes;  /* [blocks across + 2][K'][places + 1] of codes, between two blocks of zeros */
    uint8_t* around; /* likewise: sums of those next to each place, in the blocks above and on the left */
    uint8_t *row_ends, *above_ends;      /* [blocks across + 2][K'] lengths of where components end */
    uint8_t *own, *passed;               /* [K'][places + 1] sizes of this block, and of the one above on the left */
    uint8_t* below;                      /* likewise: what this block adds to sums of the one below */
    uint16_t* wider;                     /* [K'][places + 1] sums next to each place */
    uint16_t near[IGS__MOST_PLACES + 1]; /* the same, of this component, by distance */
    uint16_t earlier[IGS__MOST_PLACES];  /* of all components so far at each place */
    uint16_t seen_from[IGS__MOST_PLACES][IGS__AROUND]; /* places whose neighbour it is */
    uint8_t groups[IGS__MOST_PLACES];
    uint32_t places, components, starts[IGS__RESIDUAL_INPUTS];
} igs__residual_coder;

static void igs__residual_take(
    igs__residual_coder* coder, igs__arena* arena, const igs_residual* residual, uint32_t components
) {
    const uint32_t places = 1u << 2 * residual->side_log2;
    const uint64_t blocks = ((uint64_t)residual->blocks_across + 2) * components;
    const uint32_t sizes[IGS__RESIDUAL_INPUTS] = {
        components * places,
        IGS__LEVELS * IGS__LEVELS * IGS__FREQUENCIES,
        components * IGS__LEVELS * IGS__FREQUENCIES,
        IGS__LEVELS * IGS__LEVELS * IGS__LEVELS,
        components * 16 * IGS__LEVELS,
        IGS__LEVELS * IGS__LEVELS * components,
        IGS__LEVELS * IGS__LEVELS * IGS__FREQUENCIES,
    };
    uint32_t rows = 0, i;
    for (i = 0; i < IGS__RESIDUAL_INPUTS; rows += sizes[i++]) coder->starts[i] = rows;
    coder->places = places;
    coder->components = components;
    igs__model_take(
        &coder->values, arena, rows, IGS__RESIDUAL_NODES,
        IGS__FREQUENCIES * IGS__LEVELS * IGS__RESIDUAL_NODES * IGS__RESIDUAL_INPUTS
    );
    igs__model_take(&coder->ends, arena, 101 * components + 1100, IGS__END_NODES, IGS__END_NODES * IGS__END_INPUTS);
    coder->sizes = IGS__ARRAY(arena, uint8_t, blocks*(places + 1));
    coder->around = IGS__ARRAY(arena, uint8_t, blocks*(places + 1));
    coder->own = IGS__ARRAY(arena, uint8_t, components*(places + 1));
    coder->passed = IGS__ARRAY(arena, uint8_t, components*(places + 1));
    coder->below = IGS__ARRAY(arena, uint8_t, components*(places + 1));
    coder->wider = IGS__ARRAY(arena, uint16_t, components*(places + 1));
    coder->row_ends = IGS__ARRAY(arena, uint8_t, blocks);
    coder->above_ends = IGS__ARRAY(arena, uint8_t, blocks);
}

/* The frequencies at each place, u down and v across, along diagonals. */
static void igs__find_frequencies(uint32_t side, uint8_t* down, uint8_t* across) {
    uint32_t sum, first, place = 0;
    for (sum = 0; sum < 2 * side - 1; ++sum)
        for (first = 0; first < side; ++first) {
            const uint32_t second = sum - first;
            if (first > sum || second >= side) continue;
            down[place] = (uint8_t)(sum % 2 ? second : first);
            across[place++] = (uint8_t)(sum % 2 ? first : second);
        }
}

static uint64_t igs__residual_bytes(const igs_residual* residual, uint32_t components) {
    igs__arena arena = {NULL, 0, 0};
    igs__residual_coder coder;
    igs__residual_take(&coder, &arena, residual, components);
    return arena.peak;
}

/* What the weights of a repeat are decoded with. */
static void igs__weights_take(
    igs__items* items, uint32_t** identity, igs__arena* arena, uint32_t planes, uint32_t across, uint32_t down
) {
    *identity = IGS__ARRAY(arena, uint32_t, (uint64_t)across* down + 1);
    igs__items_take(items, arena, IGS__CONTEXT, IGS__CELLS, across * down, planes, across, down);
}

static uint64_t igs__weights_bytes(uint32_t planes, uint32_t across, uint32_t down) {
    igs__arena arena = {NULL, 0, 0};
    igs__items items;
    uint32_t* identity;
    if (planes > 0) igs__weights_take(&items, &identity, &arena, planes, across, down);
    return arena.peak;
}

/* What is known of a block's own codes. */
static void igs__residual_forget(igs__residual_coder* coder) {
    const size_t block = (size_t)coder->components * (coder->places + 1);
    memset(coder->own, 0, block);
    memset(coder->below, 0, block);
    memset(coder->wider, 0, block * sizeof *coder->wider);
    memset(coder->earlier, 0, sizeof coder->earlier);
}

static void igs__residual_begin(igs__residual_coder* coder, uint32_t blocks_across) {
    static const int8_t steps[IGS__AROUND][2] = {{1, 0}, {0, 1}, {1, 1}, {2, 0}, {0, 2}, {-1, 0}, {0, -1}};
    const size_t blocks = ((size_t)blocks_across + 2) * coder->components;
    uint32_t side = 4, place, i;
    uint8_t down[IGS__MOST_PLACES], across[IGS__MOST_PLACES], at[IGS__MOST_PLACES];
    igs__model* models[2];
    while (side * side < coder->places) side *= 2;
    igs__find_frequencies(side, down, across);
    for (place = 0; place < coder->places; ++place) at[down[place] * side + across[place]] = (uint8_t)place;
    for (place = 0; place < coder->places; ++place) {
        const uint32_t scaled = 8u * (down[place] + across[place]) / side;
        coder->groups[place] = (uint8_t)igs__least(IGS__FREQUENCIES - 1, igs__length(scaled * scaled));
        for (i = 0; i < IGS__AROUND; ++i) {
            const uint32_t u = down[place] + (uint32_t)steps[i][0], v = across[place] + (uint32_t)steps[i][1];
            coder->seen_from[place][i] = u < side && v < side ? at[u * side + v] : (uint16_t)coder->places;
        }
    }
    models[0] = &coder->values;
    models[1] = &coder->ends;
    for (i = 0; i < 2; ++i) {
        uint32_t weight;
        igs__model_tables(models[i], igs__logistic, 16);
        memset(models[i]->statistics, 0, (size_t)models[i]->rows * models[i]->nodes * sizeof *models[i]->statistics);
        for (weight = 0; weight < models[i]->weight_count; ++weight) models[i]->weights[weight] = 19660;
    }
    memset(coder->sizes, 0, blocks * (coder->places + 1));
    memset(coder->around, 0, blocks * (coder->places + 1));
    memset(coder->near, 0, sizeof coder->near);
    igs__residual_forget(coder);
    memset(coder->row_ends, 0, blocks);
    memset(coder->above_ends, 0, blocks);
}

IGS__INLINE int igs__residual_decide(
    igs__model* model, igs__bits* bits, uint32_t node, uint32_t set, const uint32_t* contexts, uint32_t inputs
) {
    int64_t *weights = model->weights + (set * model->nodes + node) * inputs, total = 0, error;
    int32_t stretched[IGS__RESIDUAL_INPUTS], probability;
    uint32_t at[IGS__RESIDUAL_INPUTS], i;
    int yes;
    IGS__UNROLLED for (i = 0; i < inputs; ++i) {
        at[i] = contexts[i] * model->nodes + node;
        stretched[i] = igs__stretched(model, at[i]);
        total += weights[i] * stretched[i];
    }
    probability = model->squash[igs__clamp(total >> 16, -IGS__STRETCH_LIMIT, IGS__STRETCH_LIMIT) + IGS__STRETCH_LIMIT];
    yes = igs__code_bit(bits, (uint32_t)probability, 16, 0);
    error = ((yes ? 65536 : 0) - probability) * 41;
    IGS__UNROLLED for (i = 0; i < inputs; ++i) {
        weights[i] += (stretched[i] * error + (1 << 18)) >> 19;
        igs__adapt(model, at[i], yes);
    }
    return yes;
}

/* Where a component of a block ends: how many places there are up to its last code that is not 0. */
static uint32_t igs__residual_end(igs__residual_coder* coder, igs__bits* bits, uint32_t k, uint8_t* end) {
    const uint32_t left = *(end - coder->components), above = coder->above_ends[end - coder->row_ends];
    const uint32_t before = k > 0 ? *(end - 1) : 0, second = k > 1 ? *(end - 2) : 0;
    const uint32_t first = coder->components,
                   contexts[IGS__END_INPUTS] = {
                       k,
                       first + (k * 10 + (left > above ? left : above)) * 10 + before,
                       101 * first + (left * 10 + above) * 10 + before,
                       101 * first + 1000 + before * 10 + second,
                   };
    uint32_t length = 0, found = 1, prefix = 0;
    int place;
    while (length < IGS__END_LENGTHS && igs__residual_decide(&coder->ends, bits, length, 0, contexts, IGS__END_INPUTS))
        ++length;
    *end = (uint8_t)length;
    if (length == 0) return 0;
    for (place = (int)length - 2; place >= 0; --place) {
        uint32_t bit;
        if ((int)length - 2 - place < 2) {
            const uint32_t node = IGS__END_LENGTHS + 3 * (length - 1) + prefix;
            bit = (uint32_t)igs__residual_decide(&coder->ends, bits, node, 0, contexts, IGS__END_INPUTS);
            prefix = 1 + bit;
        } else {
            bit = (uint32_t)igs__code_bit(bits, 32768, 16, 0);
        }
        found = 2 * found + bit;
    }
    return found;
}

IGS__INLINE uint32_t igs__level(uint32_t sum) {
    static const uint8_t levels[30] = {0, 1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, 6,
                                       7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8};
    return levels[sum < 29 ? sum : 29];
}

/* What tells the statistics of place p of a component apart, of sizes that are known of this block and around it; returns the
 * set of weights. at is where the component lies in a row; own and filled are levels of the sums of its and of the block's sizes. */
static uint32_t igs__residual_contexts(
    const igs__residual_coder* coder, size_t at, uint32_t k, uint32_t p, uint32_t end, uint32_t own, uint32_t filled,
    uint32_t* contexts
) {
    const size_t stride = coder->places + 1u, block = stride * coder->components;
    const uint32_t group = coder->groups[p], near = coder->near[p], further = coder->around[at + p];
    const uint8_t* up = coder->sizes + at + p;
    const uint32_t beside = 2u * (up[0] + *(up - block)) + coder->passed[k * stride + p] + up[block];
    const uint32_t near_level = igs__level(near);
    uint32_t earlier = coder->earlier[p], wider = 0, m, i;
    for (m = k > 2 ? k - 2 : 0; m < k; ++m) {
        earlier += 2u * coder->own[m * stride + p];
        wider += coder->wider[m * stride + p];
    }
    contexts[0] = k * coder->places + p;
    contexts[1] = (near_level * IGS__LEVELS + igs__level(beside)) * IGS__FREQUENCIES + group;
    contexts[2] = (k * IGS__LEVELS + igs__level(earlier)) * IGS__FREQUENCIES + group;
    contexts[3] =
        (igs__level((near + beside) >> 1) * IGS__LEVELS + igs__level((2 * earlier + wider) >> 1)) * IGS__LEVELS +
        igs__level(further);
    contexts[4] = (k * 16 + (end - 1 - p < 15 ? end - 1 - p : 15)) * IGS__LEVELS + near_level;
    contexts[5] = (own * IGS__LEVELS + filled) * coder->components + k;
    contexts[6] =
        (igs__level((near + beside + earlier + further + wider) >> 1) * IGS__LEVELS + own) * IGS__FREQUENCIES + group;
    IGS__UNROLLED for (i = 0; i < IGS__RESIDUAL_INPUTS; ++i) contexts[i] += coder->starts[i];
    return group * IGS__LEVELS + igs__level((near + beside + earlier) / 3);
}

static void igs__add_held(uint8_t* to, uint32_t size) {
    const uint32_t sum = *to + size;
    *to = (uint8_t)(sum < 255 ? sum : 255);
}

/* Adds a size to what is known around its place, of component k at in a row. */
static void igs__residual_note(igs__residual_coder* coder, size_t at, uint32_t k, uint32_t p, uint32_t found) {
    const size_t stride = coder->places + 1u, own = k * stride;
    const uint32_t size = found < 255 ? found : 255;
    uint8_t *after = coder->around + at + stride * coder->components, *below = coder->below + own;
    uint16_t *near = coder->near, *wider = coder->wider + own;
    uint32_t i;
    coder->own[own + p] = (uint8_t)size;
    coder->earlier[p] = (uint16_t)(coder->earlier[p] + size);
    for (i = 0; i < IGS__AROUND; ++i) {
        const uint32_t q = coder->seen_from[p][i];
        igs__add_held(after + q, size);
        igs__add_held(below + q, size);
        if (i < 5) near[q] = (uint16_t)(near[q] + (i < 2 ? 2 * size : size));
        if (i < 2 || i > 4) wider[q] = (uint16_t)(wider[q] + size);
    }
}

/* A block is done, at in a row: what it knows of itself is what the next ones know of it. */
static void igs__residual_next(igs__residual_coder* coder, size_t at, int is_empty) {
    const size_t block = (size_t)coder->components * (coder->places + 1);
    memcpy(coder->passed, coder->sizes + at, block);
    memcpy(coder->sizes + at, coder->own, block);
    memcpy(coder->around + at, coder->below, block);
    if (!is_empty) igs__residual_forget(coder);
}

static uint32_t igs__residual_size(
    igs__model* model, igs__bits* bits, uint32_t least, uint32_t set, const uint32_t* contexts
) {
    uint32_t size = least, length = 1, found = 1;
    while (size < IGS__RESIDUAL_NODES && igs__residual_decide(model, bits, size, set, contexts, IGS__RESIDUAL_INPUTS))
        ++size;
    if (size < IGS__RESIDUAL_NODES) return size;
    while (length < 15 && igs__code_bit(bits, 32768, 16, 0)) ++length; /* an Elias gamma code */
    while (--length > 0) found = 2 * found + (uint32_t)igs__code_bit(bits, 32768, 16, 0);
    return IGS__RESIDUAL_NODES - 1 + found;
}

/* Decodes blocks, row by row, into room for the coefficients that there shall be. */
static igs_error igs__decode_residual(
    igs__residual_coder* coder, const uint8_t* data, size_t size, const igs_residual* residual, uint8_t* counts,
    uint16_t* places, int16_t* values
) {
    const uint32_t components = coder->components, stride = coder->places + 1, across = residual->blocks_across;
    const size_t block = (size_t)components * stride;
    uint32_t at = 0, y, x, k, p;
    igs__bits bits;
    igs__bits_begin(&bits, data, size);
    igs__residual_begin(coder, across);
    for (y = 0; y < residual->blocks_down; ++y) {
        uint8_t* ends = coder->above_ends;
        coder->above_ends = coder->row_ends;
        coder->row_ends = ends;
        memset(coder->passed, 0, block);
        for (x = 0; x < across; ++x) {
            const size_t row_at = (x + 1) * block;
            const uint32_t first = at;
            uint32_t filled = 0;
            for (k = 0; k < components; ++k) {
                const uint32_t end = igs__residual_end(coder, &bits, k, coder->row_ends + (x + 1) * components + k);
                uint32_t own = 0, own_level = 0, filled_level = igs__level(2 * filled / (k + 1));
                IGS__REQUIRE(end <= coder->places, BLOCKS_CODES);
                for (p = 0; p < end; ++p) {
                    const size_t component_at = row_at + k * stride;
                    uint32_t contexts[IGS__RESIDUAL_INPUTS], found;
                    const uint32_t set =
                        igs__residual_contexts(coder, component_at, k, p, end, own_level, filled_level, contexts);
                    int negative;
                    found = igs__residual_size(&coder->values, &bits, p + 1 == end, set, contexts);
                    if (found == 0) continue;
                    negative = igs__code_bit(&bits, 32768, 16, 0);
                    IGS__REQUIRE(
                        at < residual->coefficients && at - first < IGS__MOST_IN_BLOCK && found <= 16384, BLOCKS_CODES
                    );
                    places[at] = (uint16_t)(k * coder->places + p);
                    values[at++] = (int16_t)(negative ? -(int32_t)found : (int32_t)found);
                    igs__residual_note(coder, component_at, k, p, found);
                    own += found;
                    filled += found;
                    own_level = igs__level(own);
                    filled_level = igs__level(2 * filled / (k + 1));
                }
                if (own > 0) memset(coder->near, 0, sizeof coder->near);
            }
            igs__residual_next(coder, row_at, at == first);
            *counts++ = (uint8_t)(at - first);
        }
    }
    IGS__REQUIRE(at == residual->coefficients && bits.passed + 1 == bits.size, BLOCKS_CODES);
    return IGS_OK;
}

/* ---- the sections in the file's order ----------------------------------------------------------------------------- */

/* Room for a section of blocks, and how much may be put there. */
typedef struct igs__blocks_room {
    int16_t *basis, *values;
    uint16_t* places;
    uint8_t *counts, *scratch;
    uint64_t scratch_bytes, most_blocks, most_weights;
    uint32_t most_coefficients;
} igs__blocks_room;

/* Where everything lies in the caller's memory. What the header says is only made room for as far as the sections'
 * lengths, which are checked, can hold it; where they cannot, a law is broken before that memory would be used. */
typedef struct igs__plan {
    const uint8_t* plain[IGS__SECTIONS]; /* forms of sections whose integers are not coded */
    uint8_t* room[IGS__SECTIONS];        /* for those, where they do not stay in the file */
    igs_map* maps;
    igs_channel* channels;
    uint16_t* offsets;
    float* feature_steps;
    int16_t* basis;
    int16_t* slopes;
    uint32_t* exact;
    igs__blocks_room residual, repeat;
    int8_t* weights;
    uint32_t* cell_firsts;
    int16_t* shapes;
    int32_t* positions;
    int8_t* exponents;
    int16_t* features;
    uint32_t* cell_of; /* scratch from here on */
    uint32_t* identity;
    igs__model description;     /* of sections maps and components */
    igs__items cells, codes[2]; /* of sections cells, shapes and features: one after another in the same memory */
} igs__plan;

static void igs__plan_items(
    igs__items* items, const igs__front* front, igs__arena* scratch, uint32_t section, uint32_t count, uint32_t planes
) {
    const uint32_t codec = front->sections[section].codec;
    const uint64_t mark = scratch->used;
    if (codec == IGS__ZSTD || (igs__predicts(codec) && (uint64_t)count * planes > IGS__MOST_PREDICTED)) return;
    igs__items_take(items, scratch, codec, section, count, planes, front->info.cells_across, front->info.cells_down);
    scratch->used = mark;
}

/* The first bytes of the section's plain form where the file has them as they are, which it has unless a frame of Zstandard got
 * smaller than what is in it; NULL elsewhere. */
static const uint8_t* igs__blocks_head(const igs__section* section, uint32_t bytes) {
    static const uint8_t more[4] = {0, 1, 2, 4}, sizes[4] = {0, 2, 4, 8};
    const uint8_t* data = section->data;
    uint32_t at = 0;
    if (section->raw < bytes) return NULL;
    if (section->codec == IGS__ZSTD) { /* RFC 8878, 3.1.1: a block of kind 0 */
        if (section->stored < 6) return NULL;
        at = 5u + (data[4] >> 5 & 1 ? 0u : 1u) + more[data[4] & 3] +
            (data[4] >> 6 == 0 ? data[4] >> 5 & 1u : sizes[data[4] >> 6]);
        if (section->stored < at + 3 || (data[at] & 6) != 0 ||
            (igs__u16(data + at) | (uint32_t)data[at + 2] << 16) >> 3 < bytes)
            return NULL;
        at += 3;
    }
    return section->stored >= at + bytes ? data + at : NULL;
}

static uint64_t igs__fewer(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void igs__more_scratch(igs__blocks_room* room, uint64_t bytes) {
    if (bytes > room->scratch_bytes) room->scratch_bytes = bytes;
}

/* The most scratch that blocks may take which are not known yet, in so many texels across and places of all of them. */
static void igs__most_scratch(igs__blocks_room* room, uint32_t width, uint32_t components, uint64_t places) {
    igs_residual blocks;
    for (blocks.side_log2 = 2; blocks.side_log2 <= 4; ++blocks.side_log2) {
        const uint32_t across = (width + (1u << blocks.side_log2) - 1) >> blocks.side_log2;
        blocks.blocks_across =
            (uint32_t)igs__fewer(across, (places >> 2 * blocks.side_log2) / components + 1); /* rounded up */
        igs__more_scratch(room, igs__residual_bytes(&blocks, components));
    }
}

static void igs__take_blocks(
    igs__blocks_room* room, igs__arena* kept, igs__arena* scratch, uint32_t channels, const igs_residual* blocks
) {
    const uint64_t mark = scratch->used; /* one section's after another's, in the same memory */
    room->most_coefficients = blocks->coefficients;
    room->basis = IGS__ARRAY(kept, int16_t, channels* channels);
    room->counts = IGS__ARRAY(kept, uint8_t, room->most_blocks);
    room->places = IGS__ARRAY(kept, uint16_t, blocks->coefficients);
    room->values = IGS__ARRAY(kept, int16_t, blocks->coefficients);
    room->scratch = IGS__ARRAY(scratch, uint8_t, room->scratch_bytes);
    scratch->used = mark;
}

/* The most that may come of a section whose head is not known yet. */
static void igs__most_blocks(const igs__section* section, igs__blocks_room* room, igs_residual* blocks, uint64_t most) {
    blocks->coefficients = (uint32_t)igs__fewer(8 * (uint64_t)section->raw, IGS__MOST_COEFFICIENTS);
    room->most_blocks = igs__fewer(16 * (uint64_t)blocks->coefficients + 4096, most);
}

static void igs__plan_residual(const igs__front* front, igs__arena* kept, igs__arena* scratch, igs__blocks_room* room) {
    const igs_info* info = &front->info;
    const igs__section* section = &front->sections[IGS__RESIDUAL];
    const uint8_t* head = igs__blocks_head(section, IGS__RESIDUAL_HEAD);
    igs_residual residual;
    if (head != NULL) {
        if (igs__check_residual(head, section->raw, info, &residual) != IGS_OK) return;
        room->most_blocks = (uint64_t)residual.blocks_across * residual.blocks_down;
        room->scratch_bytes = igs__residual_bytes(&residual, residual.components);
    } else {
        igs__most_blocks(section, room, &residual, (uint64_t)((info->width + 3) >> 2) * ((info->height + 3) >> 2));
        igs__most_scratch(room, info->width, info->channels, UINT64_MAX);
    }
    igs__take_blocks(room, kept, scratch, info->channels, &residual);
}

static void igs__plan_repeat(const igs__front* front, igs__arena* kept, igs__arena* scratch, igs__plan* plan) {
    const igs_info* info = &front->info;
    const igs__section* section = &front->sections[IGS__REPEAT];
    const uint8_t* head = igs__blocks_head(section, IGS__REPEAT_HEAD);
    igs__blocks_room* room = &plan->repeat;
    igs_repeat repeat;
    if (head != NULL) {
        const igs_residual* blocks = &repeat.blocks;
        if (igs__check_repeat(head, section->raw, info, &repeat) != IGS_OK) return;
        room->most_blocks = (uint64_t)blocks->blocks_across * blocks->blocks_down;
        room->most_weights = (uint64_t)(repeat.pictures - 1) * repeat.cells_across * repeat.cells_down;
        room->scratch_bytes = igs__residual_bytes(blocks, repeat.pictures * blocks->components);
        igs__more_scratch(room, igs__weights_bytes(repeat.pictures - 1, repeat.cells_across, repeat.cells_down));
    } else {
        igs__most_blocks(section, room, &repeat.blocks, IGS__MOST_CELL_PLACES >> 4);
        room->most_weights = igs__fewer(64 * (uint64_t)section->raw + 4096, IGS__MOST_WEIGHTS);
        igs__most_scratch(room, IGS__MOST_PERIOD, IGS__MOST_BLOCK_COMPONENTS, IGS__MOST_CELL_PLACES);
        igs__more_scratch(room, igs__weights_bytes(1, (uint32_t)room->most_weights, 1));
    }
    plan->weights = IGS__ARRAY(kept, int8_t, room->most_weights);
    igs__take_blocks(room, kept, scratch, info->channels, &repeat.blocks);
}

static void igs__plan_memory(const igs__front* front, igs__arena* kept, igs__arena* scratch, igs__plan* plan) {
    const igs_info* info = &front->info;
    const uint32_t cells = info->cells_across * info->cells_down, count = info->gaussians;
    const igs__section* sections = front->sections;
    const int cells_fit = sections[IGS__CELLS].raw >= cells;
    const int shapes_fit = cells_fit && sections[IGS__SHAPES].raw >= 3 * (uint64_t)count;
    const int features_fit = shapes_fit && sections[IGS__FEATURES].raw >= (uint64_t)count * info->components;
    const uint64_t samples = (uint64_t)info->width * info->height * info->channels;
    uint32_t i;
    memset(plan, 0, sizeof *plan);
    for (i = 0; i < IGS__SECTIONS; ++i) {
        const int stays = i == IGS__MAPS || i == IGS__DETAIL || i == IGS__EXACT; /* what is kept points into these */
        if (sections[i].codec == IGS__ZSTD || sections[i].codec == IGS__DESCRIPTION ||
            (sections[i].codec == IGS__FAST && stays))
            plan->room[i] = IGS__ARRAY(stays ? kept : scratch, uint8_t, sections[i].raw);
    }
    if (sections[IGS__MAPS].codec == IGS__DESCRIPTION || sections[IGS__COMPONENTS].codec == IGS__DESCRIPTION) {
        const uint64_t mark = scratch->used; /* what is coded by planes comes later, in the same memory */
        igs__description_take(&plan->description, scratch);
        scratch->used = mark;
    }
    plan->maps = IGS__ARRAY(kept, igs_map, sections[IGS__MAPS].raw / IGS__LEAST_MAP_BYTES + 1);
    plan->channels = IGS__ARRAY(kept, igs_channel, sections[IGS__MAPS].raw / 2 + 1);
    plan->offsets = IGS__ARRAY(kept, uint16_t, info->channels);
    plan->feature_steps = IGS__ARRAY(kept, float, info->components);
    plan->basis = IGS__ARRAY(kept, int16_t, info->components * info->channels);
    if (info->has_detail) plan->slopes = IGS__ARRAY(kept, int16_t, 6 * info->channels);
    if (info->is_exact && sections[IGS__EXACT].raw >= samples) plan->exact = IGS__ARRAY(kept, uint32_t, samples);
    if (cells_fit) {
        plan->cell_firsts = IGS__ARRAY(kept, uint32_t, cells + 1);
        plan->identity = IGS__ARRAY(scratch, uint32_t, cells + 1);
        igs__plan_items(&plan->cells, front, scratch, IGS__CELLS, cells, 1);
    }
    if (shapes_fit) {
        plan->shapes = IGS__ARRAY(kept, int16_t, 3 * (uint64_t)count);
        plan->positions = IGS__ARRAY(kept, int32_t, 2 * (uint64_t)count);
        plan->exponents = IGS__ARRAY(kept, int8_t, 2 * (uint64_t)count);
        plan->cell_of = IGS__ARRAY(scratch, uint32_t, count);
        igs__plan_items(&plan->codes[0], front, scratch, IGS__SHAPES, count, 3);
    }
    if (features_fit) {
        plan->features = IGS__ARRAY(kept, int16_t, (uint64_t)count * info->components);
        igs__plan_items(&plan->codes[1], front, scratch, IGS__FEATURES, count, info->components);
    }
    if (info->has_residual) igs__plan_residual(front, kept, scratch, &plan->residual);
    if (info->has_repeat) igs__plan_repeat(front, kept, scratch, plan);
}

igs_error igs_measure(const void* data, size_t size, igs_info* info) {
    igs__front front;
    igs__plan plan;
    igs__arena kept = {NULL, 0, 0}, scratch = {NULL, 0, 0};
    igs_error error = igs__parse_front((const uint8_t*)data, size, &front);
    memset(info, 0, sizeof *info);
    if (error != IGS_OK) return error;
    igs__plan_memory(&front, &kept, &scratch, &plan);
    *info = front.info;
    info->kept_bytes = (size_t)kept.peak;
    info->scratch_bytes = (size_t)scratch.peak;
    return IGS_OK;
}

/* Whether data is one frame, to its end, of so many bytes and without a dictionary (RFC 8878, 3.1.1). */
static int igs__is_one_frame(const uint8_t* data, size_t size, uint32_t raw) {
    static const uint8_t dictionary_bytes[4] = {0, 1, 2, 4}, size_bytes[4] = {0, 2, 4, 8};
    size_t at = 5;
    uint32_t flags, field, i, last;
    uint64_t content = 0;
    if (size < 6 || igs__u32(data) != 0xFD2FB528u) return 0;
    flags = data[4];
    if (flags & 8) return 0;
    at += (flags >> 5 & 1) ? 0 : 1;
    for (i = 0; i < dictionary_bytes[flags & 3]; ++i, ++at)
        if (at >= size || data[at] != 0) return 0;
    field = flags >> 6 == 0 ? flags >> 5 & 1 : size_bytes[flags >> 6];
    if (field == 0 || at + field > size) return 0;
    for (i = 0; i < field; ++i) content |= (uint64_t)data[at + i] << (8 * i);
    if (field == 2) content += 256;
    if (content != raw) return 0;
    at += field;
    do {
        uint32_t block, kind;
        if (at + 3 > size) return 0;
        block = igs__u16(data + at) | (uint32_t)data[at + 2] << 16;
        last = block & 1;
        kind = block >> 1 & 3;
        if (kind == 3) return 0;
        at += 3 + (kind == 1 ? 1 : (size_t)(block >> 3));
    } while (!last);
    return at + ((flags & 4) ? 4u : 0u) == size;
}

/* ---- section 1: maps ---------------------------------------------------------------------------------------------- */

typedef struct igs__cursor {
    const uint8_t* data;
    size_t size, at;
} igs__cursor;

static const uint8_t* igs__next(igs__cursor* cursor, size_t bytes) {
    const uint8_t* piece = cursor->data + cursor->at;
    if (cursor->size - cursor->at < bytes) return NULL;
    cursor->at += bytes;
    return piece;
}

#define IGS__NEXT(pointer, cursor, bytes)              \
    const uint8_t* pointer = igs__next(cursor, bytes); \
    IGS__REQUIRE(pointer != NULL, MAPS_SHORT)

static int igs__is_utf8(const uint8_t* text, size_t size) {
    size_t at = 0;
    while (at < size) {
        const uint32_t first = text[at++];
        uint32_t more, least, code, i;
        if (first < 0x80) continue;
        if (first >= 0xC2 && first < 0xE0) more = 1, least = 0x80, code = first & 31;
        else if (first >= 0xE0 && first < 0xF0) more = 2, least = 0x800, code = first & 15;
        else if (first >= 0xF0 && first < 0xF5) more = 3, least = 0x10000, code = first & 7;
        else return 0;
        if (size - at < more) return 0;
        for (i = 0; i < more; ++i) {
            if ((text[at] & 0xC0) != 0x80) return 0;
            code = code << 6 | (text[at++] & 63u);
        }
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
    }
    return 1;
}

static int igs__is_finite(float value) { return value - value == 0.0f; }

static igs_error igs__unpack_channel(igs__cursor* cursor, const igs_info* info, igs_channel* channel) {
    IGS__NEXT(semantic, cursor, 1);
    IGS__REQUIRE(*semantic < IGS_SEMANTICS, MAP_SEMANTIC);
    IGS__NEXT(kind, cursor, 1);
    channel->semantic = *semantic;
    channel->kind = *kind;
    channel->index = 0;
    channel->constant = 0.0f;
    if (*kind == IGS_CONSTANT_VALUE) {
        IGS__NEXT(value, cursor, 4);
        channel->constant = igs__f32(value);
        return IGS_OK;
    }
    if (*kind == IGS_UNIT_Z_VALUE && info->version >= 2) return IGS_OK;
    IGS__REQUIRE(*kind == IGS_CODED, ROUTE_KIND);
    {
        IGS__NEXT(index, cursor, 1);
        IGS__REQUIRE(*index < info->channels, ROUTE_INDEX);
        channel->index = *index;
    }
    return IGS_OK;
}

static igs_error igs__check_map(const igs_map* map) {
    uint32_t i, sides = 0;
    IGS__REQUIRE(map->transfer == IGS_LOG || (map->lo == 0.0f && map->hi == 1.0f), MAP_RANGE);
    IGS__REQUIRE(igs__is_finite(map->lo) && igs__is_finite(map->hi) && map->lo < map->hi, LOG_RANGE);
    for (i = 0; i < map->channel_count; ++i) IGS__REQUIRE(igs__is_finite(map->channels[i].constant), CONSTANT);
    for (i = 0; i < map->channel_count; ++i) {
        const igs_channel* channel = &map->channels[i];
        if (channel->kind == IGS_UNIT_Z_VALUE)
            IGS__REQUIRE(sides >= 2 && channel->semantic == IGS_NORMAL && map->transfer == IGS_LINEAR, UNIT_Z);
        else if (channel->semantic == IGS_NORMAL) ++sides;
    }
    return IGS_OK;
}

static igs_error igs__unpack_map(igs__cursor* cursor, const igs_info* info, igs_map* map, igs_channel* channels) {
    uint32_t i;
    IGS__NEXT(name_length, cursor, 2);
    map->name_length = igs__u16(name_length);
    IGS__REQUIRE(map->name_length >= 1 && map->name_length <= 1024, MAP_NAME_LENGTH);
    IGS__NEXT(name, cursor, map->name_length);
    IGS__REQUIRE(igs__is_utf8(name, map->name_length), MAP_NAME_UTF8);
    IGS__NEXT(suffix_length, cursor, 1);
    map->suffix_length = *suffix_length;
    IGS__REQUIRE(map->suffix_length <= 16, MAP_SUFFIX_LENGTH);
    IGS__NEXT(suffix, cursor, map->suffix_length);
    for (i = 0; i < map->suffix_length; ++i) IGS__REQUIRE(suffix[i] < 128, MAP_SUFFIX_ASCII);
    IGS__NEXT(semantic, cursor, 1);
    IGS__REQUIRE(*semantic < IGS_SEMANTICS, MAP_SEMANTIC);
    IGS__NEXT(transfer, cursor, 1);
    IGS__REQUIRE(*transfer <= 2, MAP_TRANSFER);
    IGS__NEXT(sample_format, cursor, 1);
    IGS__REQUIRE(*sample_format <= 3, MAP_SAMPLE_FORMAT);
    IGS__NEXT(channel_count, cursor, 1);
    IGS__REQUIRE(*channel_count >= 1 && *channel_count <= 32, MAP_CHANNELS);
    IGS__NEXT(range, cursor, 8);
    map->name = (const char*)name;
    map->suffix = (const char*)suffix;
    map->semantic = *semantic;
    map->transfer = *transfer;
    map->sample_format = *sample_format;
    map->channel_count = *channel_count;
    map->lo = igs__f32(range);
    map->hi = igs__f32(range + 4);
    map->channels = channels;
    for (i = 0; i < map->channel_count; ++i) IGS__TRY(igs__unpack_channel(cursor, info, &channels[i]));
    return igs__check_map(map);
}

static igs_error igs__unpack_maps(const uint8_t* raw, size_t size, const igs__plan* plan, igs_file* file) {
    igs__cursor cursor = {raw, size, 0};
    igs_channel* channels = plan->channels;
    uint32_t i;
    IGS__NEXT(count, &cursor, 2);
    file->map_count = igs__u16(count);
    IGS__REQUIRE(file->map_count >= 1 && file->map_count <= 256, MAP_COUNT);
    for (i = 0; i < file->map_count; ++i) {
        igs_map map;
        IGS__TRY(igs__unpack_map(&cursor, &file->info, &map, channels));
        plan->maps[i] = map;
        channels += map.channel_count;
    }
    IGS__REQUIRE(cursor.at == size, MAPS_LONG);
    file->maps = plan->maps;
    return IGS_OK;
}

/* ---- sections 2 to 7 ---------------------------------------------------------------------------------------------- */

typedef struct igs__plane {
    int32_t least;
    uint32_t width; /* bytes per code */
} igs__plane;

typedef struct igs__loader {
    igs__front front;
    igs__plan plan;
    igs__plane planes[3 + IGS_MAX_CHANNELS]; /* of m, h, b and of the components */
    igs_file* file;
} igs__loader;

static igs_error igs__unpack_components(igs__loader* loader) {
    const igs_info* info = &loader->front.info;
    const uint32_t channels = info->channels, components = info->components, planes = 3 + components;
    const uint8_t* at = loader->plan.plain[IGS__COMPONENTS];
    uint32_t i;
    IGS__REQUIRE(
        loader->front.sections[IGS__COMPONENTS].raw ==
            2 * channels + 4 * components + 2 * components * channels + 3 * planes,
        COMPONENTS_LENGTH
    );
    for (i = 0; i < channels; ++i, at += 2) loader->plan.offsets[i] = (uint16_t)igs__u16(at);
    for (i = 0; i < components; ++i, at += 4) {
        loader->plan.feature_steps[i] = igs__f32(at);
        IGS__REQUIRE(igs__inside(loader->plan.feature_steps[i], 1.0f / 1048576, 16.0f), FEATURE_STEP);
    }
    for (i = 0; i < components * channels; ++i, at += 2) loader->plan.basis[i] = (int16_t)igs__i16(at);
    for (i = 0; i < planes; ++i, at += 3) {
        loader->planes[i].least = igs__i16(at);
        loader->planes[i].width = at[2];
        IGS__REQUIRE(at[2] == 1 || at[2] == 2, PLANE_WIDTH);
    }
    loader->file->offsets = loader->plan.offsets;
    loader->file->feature_steps = loader->plan.feature_steps;
    loader->file->basis = loader->plan.basis;
    return IGS_OK;
}

/* Reads the plain form: counts, each in the fewest bytes. */
static igs_error igs__read_counts(igs__loader* loader, const uint8_t* raw, size_t size) {
    const uint32_t cells = loader->front.info.cells_across * loader->front.info.cells_down;
    uint32_t* firsts = loader->plan.cell_firsts;
    uint64_t sum = 0;
    size_t at = 0;
    uint32_t i;
    IGS__REQUIRE(size >= cells, CELLS_SUM);
    for (i = 0; i < cells; ++i) {
        uint32_t count = 0, shift = 0, byte;
        firsts[i] = (uint32_t)sum;
        do {
            IGS__REQUIRE(at < size && shift < 28, CELLS_SUM);
            byte = raw[at++];
            IGS__REQUIRE(shift == 0 || byte != 0, CELLS_SUM);
            count |= (byte & 127) << shift;
            shift += 7;
        } while (byte >= 128);
        sum += count;
        IGS__REQUIRE(sum <= loader->front.info.gaussians, CELLS_SUM);
    }
    IGS__REQUIRE(at == size && sum == loader->front.info.gaussians, CELLS_SUM);
    firsts[cells] = (uint32_t)sum;
    return IGS_OK;
}

static igs_error igs__decode_counts(igs__loader* loader) {
    const igs_info* info = &loader->front.info;
    const igs__section* section = &loader->front.sections[IGS__CELLS];
    const uint32_t cells = info->cells_across * info->cells_down;
    igs__items* items = &loader->plan.cells;
    uint64_t sum = 0, bytes = 0;
    uint32_t i;
    IGS__REQUIRE(section->raw >= cells, CELLS_SHORT);
    IGS__REQUIRE(!igs__predicts(section->codec) || cells <= IGS__MOST_PREDICTED, TOO_MANY_CODES);
    igs__describe_cells(items, loader->plan.identity);
    IGS__TRY(igs__decode_planes(items, section, IGS__CELLS, info->gaussians));
    for (i = 0; i < cells; ++i) {
        const int32_t count = items->values[i];
        IGS__REQUIRE(count >= 0 && count < 1 << 28, CODE_RANGE);
        bytes += count < 1 << 7 ? 1 : count < 1 << 14 ? 2 : count < 1 << 21 ? 3 : 4;
    }
    IGS__REQUIRE(bytes == section->raw, CELLS_LENGTH);
    for (i = 0; i < cells; ++i) {
        loader->plan.cell_firsts[i] = (uint32_t)sum;
        sum += (uint32_t)items->values[i];
        IGS__REQUIRE(sum <= info->gaussians, CELLS_SUM);
    }
    IGS__REQUIRE(sum == info->gaussians, CELLS_SUM);
    loader->plan.cell_firsts[cells] = (uint32_t)sum;
    return IGS_OK;
}

/* Codes [N][planes] from their plain form or from what was decoded. */
static igs_error igs__unpack_planes(
    igs__loader* loader, uint32_t section, const igs__plane* planes, uint32_t plane_count, igs__items* items,
    int16_t* codes
) {
    const uint32_t count = loader->front.info.gaussians;
    const uint8_t* raw = loader->plan.plain[section];
    uint32_t n, k;
    if (loader->front.sections[section].codec != IGS__ZSTD) {
        IGS__TRY(igs__decode_planes(items, &loader->front.sections[section], section, count));
        for (k = 0; k < plane_count; ++k) {
            const int32_t* values = items->values + k * items->plane_step;
            const uint32_t most = planes[k].width == 1 ? 255 : 65535;
            uint32_t wrong = 0;
            for (n = 0; n < count; ++n) {
                const int32_t code = values[n * items->item_step];
                wrong |= (uint32_t)((uint32_t)(code - planes[k].least) > most) | (uint32_t)(code > 32767);
                codes[(size_t)n * plane_count + k] = (int16_t)code;
            }
            IGS__REQUIRE(!wrong, CODE_RANGE);
        }
        return IGS_OK;
    }
    for (k = 0; k < plane_count; ++k) {
        for (n = 0; n < count; ++n) {
            const int32_t high = planes[k].width == 2 ? raw[count + n] : 0;
            const int32_t code = raw[n] + (high << 8) + planes[k].least;
            IGS__REQUIRE(code <= 32767, CODE_RANGE);
            codes[(size_t)n * plane_count + k] = (int16_t)code;
        }
        raw += (size_t)count * planes[k].width;
    }
    return IGS_OK;
}

static igs_error igs__check_planes(
    const igs__loader* loader, uint32_t section, const igs__plane* planes, uint32_t plane_count, igs_error length_law
) {
    const igs__section* stored = &loader->front.sections[section];
    const uint64_t count = loader->front.info.gaussians;
    uint64_t width = 0;
    uint32_t k;
    for (k = 0; k < plane_count; ++k) width += planes[k].width;
    if (stored->raw != count * width) return length_law;
    IGS__REQUIRE(!igs__predicts(stored->codec) || count * plane_count <= IGS__MOST_PREDICTED, TOO_MANY_CODES);
    return IGS_OK;
}

static igs_error igs__unpack_shapes(igs__loader* loader) {
    const uint32_t cells = loader->front.info.cells_across * loader->front.info.cells_down;
    const uint32_t codec = loader->front.sections[IGS__SHAPES].codec;
    const uint32_t* firsts = loader->plan.cell_firsts;
    uint32_t* cell_of = loader->plan.cell_of;
    igs__items* items = &loader->plan.codes[0];
    uint32_t cell, n;
    IGS__TRY(igs__check_planes(loader, IGS__SHAPES, loader->planes, 3, IGS_SHAPES_LENGTH));
    for (cell = 0; cell < cells; ++cell)
        for (n = firsts[cell]; n < firsts[cell + 1]; ++n) cell_of[n] = cell;
    if (codec != IGS__ZSTD) igs__describe_shapes(items, codec, firsts, cell_of);
    return igs__unpack_planes(loader, IGS__SHAPES, loader->planes, 3, items, loader->plan.shapes);
}

#define IGS__SIZES 64u

/* exp(-m) of sizes that came last: they are few. */
typedef struct igs__scales {
    int32_t codes[IGS__SIZES]; /* of m; beyond 16 bits where nothing has been kept */
    double scales[IGS__SIZES];
} igs__scales;

/* The exponents of a Gaussian's position steps; or the first law in the order of their checks that it breaks, kept in
 * broken: all Gaussians of a block are held against one law before the next is looked at. */
static void igs__position_exponents(
    const igs_info* info, const int16_t* shape, double log2_ratio, int least, igs__scales* scales, int8_t* exponents,
    igs_error* broken
) {
    const double m = shape[0] * (double)info->size_step, h = shape[1] * (double)info->form_step;
    const double b = shape[2] * (double)info->form_step, r = sqrt(h * h + b * b);
    const uint32_t slot = (uint32_t)shape[0] % IGS__SIZES;
    double grown, cosine, sine, scale, diagonal[2];
    igs_error found = IGS_OK;
    int axis;
    if (!(m >= -12.0 && m <= 24.0)) found = IGS_GAUSSIAN_SIZE;
    else if (!(r <= 5.0)) found = IGS_GAUSSIAN_THIN;
    if (found != IGS_OK) {
        if (*broken == IGS_OK || found < *broken) *broken = found;
        return;
    }
    grown = exp(r);
    cosine = 0.5 * (grown + 1.0 / grown);
    sine = r > 0.0 ? 0.5 * (grown - 1.0 / grown) / r : 1.0;
    if (scales->codes[slot] != shape[0]) {
        scales->codes[slot] = shape[0];
        scales->scales[slot] = exp(-m);
    }
    scale = scales->scales[slot];
    diagonal[0] = scale * (cosine - h * sine); /* A and C of the inverse covariance */
    diagonal[1] = scale * (cosine + h * sine);
    for (axis = 0; axis < 2; ++axis) {
        double exponent = log2_ratio - 0.5 * igs__log2_by(diagonal[axis], 5), whole = (double)igs__floor(exponent);
        int rounded;
        if (fabs(exponent - whole - 0.5) < 1e-5) { /* seldom near enough to ask more exactly */
            exponent = log2_ratio - 0.5 * igs__log2(diagonal[axis]);
            whole = (double)igs__floor(exponent);
        }
        rounded = (int)whole + (exponent - whole > 0.5);
        if ((axis == 0 ? info->wrap_x : info->wrap_y) != 0) {
            const double variance = diagonal[1 - axis] / (scale * scale);
            const double side = axis == 0 ? info->width : info->height;
            if (sqrt(2.0 * (double)info->cutoff * variance) > 64.0 * side) found = IGS_GAUSSIAN_REACH;
        }
        if (fabs(exponent - whole - 0.5) < 0.5e-6 && found == IGS_OK) found = IGS_POSITION_TIE;
        exponents[axis] =
            (int8_t)(rounded<least ? least : rounded>(int) info->cell_log2 ? (int)info->cell_log2 : rounded);
    }
    if (found != IGS_OK && (*broken == IGS_OK || found < *broken)) *broken = found;
}

static uint32_t igs__field(const uint8_t* raw, size_t size, uint64_t bit, uint32_t width) {
    const size_t at = (size_t)(bit >> 3);
    uint32_t word = 0, i;
    for (i = 0; i < 3 && at + i < size; ++i) word |= (uint32_t)raw[at + i] << (8 * i); /* at most 12 + 7 bits */
    return word >> (bit & 7) & ((1u << width) - 1);
}

static igs_error igs__unpack_positions(igs__loader* loader) {
    const igs_info* info = &loader->front.info;
    const uint8_t* raw = loader->plan.plain[IGS__POSITIONS];
    const size_t size = loader->front.sections[IGS__POSITIONS].raw;
    const uint32_t sides[2] = {info->width, info->height};
    const uint32_t side = info->width > info->height ? info->width : info->height;
    const int least = side <= 2048 ? -4 : side <= 4096 ? -3 : side <= 8192 ? -2 : -1;
    const double log2_ratio = igs__log2((double)info->position_ratio);
    int8_t* exponents = loader->plan.exponents;
    igs__scales scales;
    uint64_t bit = 0;
    uint32_t start, n;
    int axis;
    for (n = 0; n < IGS__SIZES; ++n) scales.codes[n] = INT32_MAX;
    for (start = 0; start < info->gaussians; start += IGS__BLOCK) {
        const uint32_t rest = info->gaussians - start, end = start + (rest < IGS__BLOCK ? rest : IGS__BLOCK);
        uint64_t bits = bit;
        igs_error broken = IGS_OK;
        int outside = 0;
        for (n = start; n < end; ++n) {
            igs__position_exponents(
                info, loader->plan.shapes + 3 * (size_t)n, log2_ratio, least, &scales, exponents + 2 * (size_t)n,
                &broken
            );
            if (broken == IGS_OK)
                bits += (uint64_t)(2 * (int)info->cell_log2 - exponents[2 * (size_t)n] - exponents[2 * (size_t)n + 1]);
        }
        if (broken != IGS_OK) return broken;
        IGS__REQUIRE(bits <= 8 * (uint64_t)size, POSITIONS_LENGTH);
        for (n = start; n < end; ++n) {
            const uint32_t cell = loader->plan.cell_of[n];
            const uint32_t place[2] = {cell % info->cells_across, cell / info->cells_across};
            for (axis = 0; axis < 2; ++axis) {
                const int exponent = exponents[2 * (size_t)n + (size_t)axis];
                const uint32_t width = (uint32_t)((int)info->cell_log2 - exponent);
                const uint32_t code = (place[axis] << width) + igs__field(raw, size, bit, width);
                bit += width;
                loader->plan.positions[2 * (size_t)n + (size_t)axis] = (int32_t)code;
                /* twice the mean in 1/16 texel: (2 * code + 1) * 2^(exponent + 4) */
                if (code != 0 && (2 * (uint64_t)code + 1) << (exponent + 4) >= (uint64_t)sides[axis] << 5) outside = 1;
            }
        }
        IGS__REQUIRE(!outside, MEAN_OUTSIDE);
    }
    IGS__REQUIRE(size == (bit + 7) / 8, POSITIONS_LENGTH);
    IGS__REQUIRE(bit % 8 == 0 || raw[size - 1] >> (bit % 8) == 0, POSITIONS_FILL);
    return IGS_OK;
}

static igs_error igs__unpack_features(igs__loader* loader) {
    const uint32_t components = loader->front.info.components, codec = loader->front.sections[IGS__FEATURES].codec;
    const igs__plan* plan = &loader->plan;
    igs__items* items = &loader->plan.codes[1];
    IGS__TRY(igs__check_planes(loader, IGS__FEATURES, loader->planes + 3, components, IGS_FEATURES_LENGTH));
    if (codec != IGS__ZSTD)
        igs__describe_features(
            items, codec, plan->cell_firsts, plan->cell_of, plan->shapes, plan->positions, plan->exponents
        );
    return igs__unpack_planes(loader, IGS__FEATURES, loader->planes + 3, components, items, loader->plan.features);
}

static igs_error igs__unpack_detail(igs__loader* loader) {
    const uint32_t channels = loader->front.info.channels, size = loader->front.sections[IGS__DETAIL].raw;
    const uint8_t* at = loader->plan.plain[IGS__DETAIL];
    igs_detail* detail = &loader->file->detail;
    uint32_t i;
    IGS__REQUIRE(size >= 4, DETAIL_SHORT);
    detail->components = at[0];
    detail->columns = at[1];
    detail->rows = at[2];
    detail->relief = at[3];
    IGS__REQUIRE(detail->relief <= 2, DETAIL_RELIEF);
    IGS__REQUIRE(
        detail->components >= (detail->relief ? 3 : 1) && detail->components <= (detail->relief ? 6 : 4),
        DETAIL_COMPONENTS
    );
    IGS__REQUIRE(detail->columns >= 1 && detail->columns <= 64 && detail->rows >= 1 && detail->rows <= 64, DETAIL_GRID);
    IGS__REQUIRE(
        size ==
            4 + 8 * detail->components + channels + 3 * channels * detail->components + detail->columns * detail->rows,
        DETAIL_LENGTH
    );
    at += 4;
    detail->bands = at;
    detail->scales = at += 8 * detail->components;
    detail->mixing = (const int8_t*)(at += channels);
    at += channels * detail->components;
    for (i = 0; i < channels * detail->components; ++i, at += 2) loader->plan.slopes[i] = (int16_t)igs__i16(at);
    detail->slopes = loader->plan.slopes;
    detail->envelope = at;
    for (i = 0; i < detail->columns * detail->rows; ++i) IGS__REQUIRE(at[i] <= 15, DETAIL_CODE);
    return IGS_OK;
}

static igs_error igs__unpack_exact(igs__loader* loader) {
    const igs_info* info = &loader->front.info;
    const uint32_t channels = info->channels, raw = loader->front.sections[IGS__EXACT].raw;
    const uint8_t *head = loader->plan.plain[IGS__EXACT], *at;
    const size_t texels = (size_t)info->width * info->height;
    uint32_t* codes = loader->plan.exact;
    uint64_t bytes = 0;
    uint32_t c;
    IGS__REQUIRE(!info->has_detail, EXACT_DETAIL);
    IGS__REQUIRE(raw >= 2 * channels, EXACT_SHORT);
    for (c = 0; c < channels; ++c) {
        IGS__REQUIRE(head[2 * c] >= 1 && head[2 * c] <= 3, EXACT_WIDTH);
        bytes += head[2 * c];
    }
    for (c = 0; c < channels; ++c) IGS__REQUIRE(head[2 * c + 1] < 8, EXACT_FILTER);
    IGS__REQUIRE(raw == 2 * channels + texels * bytes, EXACT_LENGTH);
    at = head + 2 * channels;
    for (c = 0; c < channels; ++c) {
        const uint32_t width = head[2 * c], filter = head[2 * c + 1], mask = (1u << 8 * width) - 1;
        size_t i;
        IGS__REQUIRE(!(filter & 4) || (c > 0 && head[2 * c - 2] == width), EXACT_BETWEEN);
        for (i = 0; i < texels; ++i) {
            uint32_t value = 0, byte;
            for (byte = 0; byte < width; ++byte) value |= (uint32_t)at[byte * texels + i] << 8 * byte;
            if (filter & 1 && i % info->width > 0) value += codes[(i - 1) * channels + c];
            codes[i * channels + c] = value & mask;
        }
        for (i = info->width; filter & 2 && i < texels; ++i)
            codes[i * channels + c] = (codes[i * channels + c] + codes[(i - info->width) * channels + c]) & mask;
        for (i = 0; filter & 4 && i < texels; ++i)
            codes[i * channels + c] = (codes[i * channels + c] + codes[i * channels + c - 1]) & mask;
        at += width * texels;
    }
    loader->file->exact.codes = codes;
    loader->file->exact.sample_bytes = head;
    return IGS_OK;
}

/* Decodes blocks of so many components into their room, from the basis on: head is what was read of the section before, and
 * between the basis and the blocks lie so many bytes of something else. What has been planned by is what has been read, or a
 * function that decompresses gives other bytes than the frame has. */
static igs_error igs__unpack_blocks(
    const igs__loader* loader, const igs__blocks_room* room, uint32_t section, uint32_t head, uint32_t between,
    uint32_t components, igs_residual* blocks
) {
    const uint32_t channels = loader->front.info.channels, size = loader->front.sections[section].raw;
    const uint8_t *raw = loader->plan.plain[section], *at = raw + head;
    igs__arena arena = {room->scratch, 0, 0};
    igs__residual_coder coder;
    uint32_t i;
    IGS__REQUIRE(
        blocks->coefficients <= room->most_coefficients &&
            (uint64_t)blocks->blocks_across * blocks->blocks_down <= room->most_blocks &&
            igs__residual_bytes(blocks, components) <= room->scratch_bytes,
        ZSTD_FRAME
    );
    for (i = 0; i < blocks->components * channels; ++i, at += 2) room->basis[i] = (int16_t)igs__i16(at);
    at += between;
    igs__residual_take(&coder, &arena, blocks, components);
    blocks->basis = room->basis;
    blocks->counts = room->counts;
    blocks->places = room->places;
    blocks->values = room->values;
    return igs__decode_residual(
        &coder, at, size - (size_t)(at - raw), blocks, room->counts, room->places, room->values
    );
}

static igs_error igs__unpack_residual(igs__loader* loader) {
    igs_residual* residual = &loader->file->residual;
    const uint32_t size = loader->front.sections[IGS__RESIDUAL].raw;
    IGS__REQUIRE(!loader->front.info.is_exact, RESIDUAL_EXACT);
    IGS__TRY(igs__check_residual(loader->plan.plain[IGS__RESIDUAL], size, &loader->front.info, residual));
    return igs__unpack_blocks(
        loader, &loader->plan.residual, IGS__RESIDUAL, IGS__RESIDUAL_HEAD, 0, residual->components, residual
    );
}

static igs_error igs__unpack_weights(const igs__loader* loader, const igs_repeat* repeat, igs__section coded) {
    const uint32_t planes = repeat->pictures - 1, cells = repeat->cells_across * repeat->cells_down;
    int8_t* weights = loader->plan.weights;
    igs__arena arena = {loader->plan.repeat.scratch, 0, 0};
    igs__items items;
    uint32_t *identity, k, n;
    IGS__REQUIRE(
        (uint64_t)planes * cells <= loader->plan.repeat.most_weights &&
            igs__weights_bytes(planes, repeat->cells_across, repeat->cells_down) <= loader->plan.repeat.scratch_bytes,
        ZSTD_FRAME
    );
    if (planes == 0) return IGS_OK;
    igs__weights_take(&items, &identity, &arena, planes, repeat->cells_across, repeat->cells_down);
    igs__describe_cells(&items, identity);
    IGS__REQUIRE(igs__decode_planes(&items, &coded, IGS__CELLS, 0) == IGS_OK, REPEAT_WEIGHTS);
    for (k = 0; k < planes; ++k)
        for (n = 0; n < cells; ++n) {
            const int32_t code = items.values[n * items.item_step + k * items.plane_step];
            IGS__REQUIRE(code >= -128 && code <= 127, REPEAT_WEIGHT_RANGE);
            *weights++ = (int8_t)code;
        }
    return IGS_OK;
}

static igs_error igs__unpack_repeat(igs__loader* loader) {
    const igs_info* info = &loader->front.info;
    const uint8_t* raw = loader->plan.plain[IGS__REPEAT];
    igs_repeat* repeat = &loader->file->repeat;
    igs__section coded = {NULL, 0, 0, IGS__CONTEXT};
    IGS__REQUIRE(!info->is_exact, REPEAT_EXACT);
    IGS__TRY(igs__check_repeat(raw, loader->front.sections[IGS__REPEAT].raw, info, repeat));
    coded.data = raw + IGS__REPEAT_HEAD + 2 * repeat->blocks.components * info->channels;
    coded.stored = igs__u32(raw + 24);
    IGS__TRY(igs__unpack_weights(loader, repeat, coded));
    repeat->weights = loader->plan.weights;
    return igs__unpack_blocks(
        loader, &loader->plan.repeat, IGS__REPEAT, IGS__REPEAT_HEAD, coded.stored,
        repeat->pictures * repeat->blocks.components, &repeat->blocks
    );
}

static igs_error igs__unpack(igs__loader* loader, igs_zstd_decompress zstd) {
    const igs__front* front = &loader->front;
    igs__plan* plan = &loader->plan;
    igs_file* file = loader->file;
    uint32_t i;
    IGS__REQUIRE(zstd != NULL || !front->info.needs_zstd, NO_ZSTD);
    for (i = 0; i < IGS__SECTIONS; ++i) {
        const igs__section* section = &front->sections[i];
        plan->plain[i] = plan->room[i];
        if (section->codec == IGS__ZSTD) {
            IGS__REQUIRE(igs__is_one_frame(section->data, section->stored, section->raw), ZSTD_FRAME);
            IGS__REQUIRE(zstd(plan->room[i], section->raw, section->data, section->stored) == section->raw, ZSTD_FRAME);
        }
        if (section->codec == IGS__DESCRIPTION)
            IGS__TRY(igs__decode_description(&plan->description, section, i, &front->info, plan->room[i]));
        if (section->codec == IGS__FAST && !igs__is_coded(i)) {
            IGS__REQUIRE(section->raw == section->stored, PLAIN_LENGTH);
            if (plan->room[i] != NULL) memcpy(plan->room[i], section->data, section->raw);
            else plan->plain[i] = section->data;
        }
    }
    IGS__TRY(igs__unpack_maps(plan->plain[IGS__MAPS], front->sections[IGS__MAPS].raw, plan, file));
    IGS__TRY(igs__unpack_components(loader));
    if (front->sections[IGS__CELLS].codec == IGS__ZSTD)
        IGS__TRY(igs__read_counts(loader, plan->plain[IGS__CELLS], front->sections[IGS__CELLS].raw));
    else IGS__TRY(igs__decode_counts(loader));
    IGS__TRY(igs__unpack_shapes(loader));
    IGS__TRY(igs__unpack_positions(loader));
    IGS__TRY(igs__unpack_features(loader));
    if (front->info.has_detail) IGS__TRY(igs__unpack_detail(loader));
    if (front->info.is_exact) IGS__TRY(igs__unpack_exact(loader));
    if (front->info.has_residual) IGS__TRY(igs__unpack_residual(loader));
    if (front->info.has_repeat) IGS__TRY(igs__unpack_repeat(loader));
    file->cell_firsts = plan->cell_firsts;
    file->shapes = plan->shapes;
    file->positions = plan->positions;
    file->exponents = plan->exponents;
    file->features = plan->features;
    return IGS_OK;
}

igs_error igs_load(
    const void* data, size_t size, void* kept, size_t kept_bytes, void* scratch, size_t scratch_bytes,
    igs_zstd_decompress zstd, igs_file* file
) {
    igs__loader loader;
    igs__arena kept_arena = {NULL, 0, 0}, scratch_arena = {NULL, 0, 0};
    memset(&loader, 0, sizeof loader);
    memset(file, 0, sizeof *file);
    IGS__TRY(igs__parse_front((const uint8_t*)data, size, &loader.front));
    igs__plan_memory(&loader.front, &kept_arena, &scratch_arena, &loader.plan);
    IGS__REQUIRE(
        kept != NULL && scratch != NULL && kept_arena.peak <= kept_bytes && scratch_arena.peak <= scratch_bytes,
        ARGUMENT
    );
    loader.front.info.kept_bytes = (size_t)kept_arena.peak;
    loader.front.info.scratch_bytes = (size_t)scratch_arena.peak;
    file->info = loader.front.info;
    loader.file = file;
    kept_arena.base = (uint8_t*)kept;
    scratch_arena.base = (uint8_t*)scratch;
    kept_arena.used = scratch_arena.used = 0;
    igs__plan_memory(&loader.front, &kept_arena, &scratch_arena, &loader.plan);
    return igs__unpack(&loader, zstd);
}

#endif /* IGS_IMPLEMENTATION */
