/* igs_words.h: what igs_pack.h and igs_levels.h both make words with: fields of bits, keys that sort, normals whose z is made,
 * and the noise tile. It takes the functions of igs.h; igs_levels.h includes it, and igs_pack.h that; nothing is for callers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IGS_WORDS_H
#define IGS_WORDS_H

#include "igs.h"

#define IGS__NOISE_WORDS 4096u
#define IGS__MOST_PAIRS (1u << 27) /* of Gaussian and block, or drawn tile, that are looked at */
#define IGS__LOG2_E 1.4426950408889634

IGS__INLINE double igs__held(double value, double least, double most) {
    return value < least ? least : value > most ? most : value;
}

static uint32_t igs__bits_of(uint64_t most) { /* that hold it */
    uint32_t bits = 0;
    for (; most > 0; most >>= 1) ++bits;
    return bits;
}

static uint32_t igs__more(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Sorts by the bytes of keys from a bit on. */
static void igs__sort_keys(uint64_t* keys, uint64_t* other, size_t count, uint32_t from_bit, uint32_t bits) {
    uint64_t *from = keys, *to = other, *swapped;
    uint32_t shift;
    for (shift = from_bit; shift < from_bit + bits; shift += 8) {
        size_t starts[257] = {0}, i;
        for (i = 0; i < count; ++i) ++starts[(from[i] >> shift & 255) + 1];
        for (i = 0; i < 256; ++i) starts[i + 1] += starts[i];
        for (i = 0; i < count; ++i) to[starts[from[i] >> shift & 255]++] = from[i];
        swapped = from;
        from = to;
        to = swapped;
    }
    if (from != keys) memcpy(keys, from, count * sizeof *keys);
}

/* The coded channels x and y of the normals whose z is made of them, by map; returns how many. */
static uint32_t igs__derived(const igs_file* file, uint32_t map, uint32_t* x, uint32_t* y) {
    const igs_channel* channels[3] = {NULL, NULL, NULL};
    uint32_t found = 0, i;
    for (i = 0; i < file->maps[map].channel_count && found < 3; ++i)
        if (file->maps[map].channels[i].semantic == IGS_NORMAL) channels[found++] = &file->maps[map].channels[i];
    if (found < 2 || channels[0]->kind != IGS_CODED || channels[1]->kind != IGS_CODED) return 0;
    if (found == 3 && channels[2]->kind != IGS_UNIT_Z_VALUE) return 0;
    *x = channels[0]->index;
    *y = channels[1]->index;
    return 1;
}

static void igs__put_word(uint8_t* at, uint32_t word) {
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
    at[2] = (uint8_t)(word >> 16);
    at[3] = (uint8_t)(word >> 24);
}

static uint32_t igs__float_bits(double value) {
    const float nearest = (float)value;
    uint32_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    return bits;
}

static void igs__put_codes(uint8_t* at, const int16_t* codes, uint32_t count) {
    uint32_t i;
    for (i = 0; i < count; ++i) {
        at[2 * i] = (uint8_t)codes[i];
        at[2 * i + 1] = (uint8_t)((uint16_t)codes[i] >> 8);
    }
}

/* Fields one after another, into zeros. */
typedef struct igs__fields {
    uint8_t* bytes;
    uint64_t bit;
} igs__fields;

IGS__INLINE void igs__put(igs__fields* fields, uint32_t value, uint32_t width) {
    uint64_t shifted = (uint64_t)value << (fields->bit & 7);
    uint8_t* at = fields->bytes + (fields->bit >> 3);
    fields->bit += width;
    for (; shifted > 0; shifted >>= 8) *at++ |= (uint8_t)shifted;
}

static void igs__set_bit(uint8_t* bytes, uint64_t bit) { bytes[bit >> 3] |= (uint8_t)(1u << (bit & 7)); }

/* An axis filtered by [1 2 1] or, where sharp, [-1 2 -1], taps so far apart; the tile repeats. */
static void igs__filter(int64_t* plane, int64_t* room, int vertical, uint32_t distance, int sharp) {
    const int64_t sign = sharp ? -1 : 1;
    uint32_t i;
    memcpy(room, plane, IGS__NOISE_WORDS * sizeof *plane);
    for (i = 0; i < IGS__NOISE_WORDS; ++i) {
        const uint32_t row = i >> 6, column = i & 63;
        const uint32_t before = vertical ? ((row - distance) & 63) << 6 | column
                                         : row << 6 | ((column - distance) & 63);
        const uint32_t after = vertical ? ((row + distance) & 63) << 6 | column : row << 6 | ((column + distance) & 63);
        plane[i] = 2 * room[i] + sign * (room[before] + room[after]);
    }
}

static void igs__low(int64_t* plane, int64_t* room, uint32_t distance) {
    igs__filter(plane, room, 0, distance, 0);
    igs__filter(plane, room, 1, distance, 0);
}

/* Texels, right and down, by which a component reads the tile apart. */
typedef struct igs__shift {
    uint8_t x, y;
} igs__shift;

static igs__shift igs__shift_of(const igs_detail* detail, uint32_t component) {
    static const igs__shift apart[4] = {{0, 0}, {32, 0}, {0, 32}, {32, 32}};
    igs__shift found = {0, 0};
    if (detail->relief == 0) return apart[component];
    if (component > 2) return apart[component - 2];
    if (component == 1) found.x = (uint8_t)detail->relief;
    if (component == 2) found.y = (uint8_t)detail->relief;
    return found;
}

/* A band's noise before its filter: a wave of each frequency, of the same strength, in a phase by hash. */
static void igs__white_noise(uint32_t band, int64_t* plane) {
    /* 2^14 cos(2 pi i / 64) */
    static const int16_t quarter[17] = {16384, 16305, 16069, 15679, 15137, 14449, 13623, 12665, 11585,
                                        10394, 9102,  7723,  6270,  4756,  3196,  1606,  0};
    int64_t cosines[64];
    uint32_t phases[64], u, v, x, y;
    for (u = 0; u <= 16; ++u) {
        cosines[u] = cosines[(64 - u) & 63] = quarter[u];
        cosines[32 - u] = cosines[32 + u] = -quarter[u];
    }
    memset(plane, 0, IGS__NOISE_WORDS * sizeof *plane);
    for (v = 0; v <= 32; ++v) {
        const uint32_t first = v % 32 == 0, end = 64 >> first;
        for (u = first; u < end; ++u) {
            uint32_t h = IGS__NOISE_WORDS * 450 + 64 * v + u + 1;
            h ^= h >> 16;
            h *= 0x7FEB352Du;
            h ^= h >> 15;
            h *= 0x846CA68Bu;
            h ^= h >> 16;
            phases[u] = h + 16 * (0x3Au >> band & 1) + 32 * (h >> (6 + band));
        }
        for (x = 0; x < 64; ++x) {
            int64_t even = 0, odd = 0;
            for (u = first; u < end; ++u) {
                const uint32_t phase = phases[u] + u * x;
                even += cosines[phase & 63];
                odd += cosines[(phase - 16) & 63];
            }
            for (y = 0; y < 64; ++y) plane[64 * y + x] += even * cosines[v * y & 63] - odd * cosines[(v * y - 16) & 63];
        }
    }
    for (x = 0; x < IGS__NOISE_WORDS; ++x) plane[x] = (plane[x] + (1 << 25)) >> 26;
}

/* A band of the tile: docs/igs-format.md, "Detail". */
static void igs__noise_plane(uint32_t band, int64_t* plane, int64_t* room, int64_t* kept) {
    uint32_t i, distance;
    igs__white_noise(band, plane);
    if (band <= 3) {
        for (distance = 1; distance < 1u << band; distance *= 2) igs__low(plane, room, distance);
        if (band == 2) return; /* a low-pass, not an octave */
        memcpy(kept, plane, IGS__NOISE_WORDS * sizeof *plane);
        igs__low(plane, room, 1u << band);
        for (i = 0; i < IGS__NOISE_WORDS; ++i) plane[i] = 16 * kept[i] - plane[i];
        return;
    }
    for (distance = 1; distance <= (band < 6 ? 2u : 8u); distance *= 2)
        igs__filter(plane, room, band % 2 != 0, distance, 0); /* bands 4 and 6 along x */
    memcpy(kept, plane, IGS__NOISE_WORDS * sizeof *plane);
    igs__filter(plane, room, band % 2 == 0, 1, 1);
    if (band < 6) return;
    igs__filter(kept, room, band % 2 == 0, 1, 0);
    igs__filter(kept, room, band % 2 == 0, 2, 1);
    for (i = 0; i < IGS__NOISE_WORDS; ++i) plane[i] = 2 * plane[i] + kept[i];
}

/* A number of 128 bits and the square of one of 64. */
typedef struct igs__wide {
    uint64_t high, low;
} igs__wide;

static igs__wide igs__plus_square(igs__wide sum, uint64_t value) {
    const uint64_t a = value >> 32, b = value & 0xFFFFFFFFu, cross = a * b, low = b * b;
    const uint64_t first = low + (cross << 33), second = sum.low + first;
    sum.high += a * a + (cross >> 31) + (first < low) + (second < first);
    sum.low = second;
    return sum;
}

static uint64_t igs__root(igs__wide square) { /* rounded down */
    uint64_t root = 0, bit;
    for (bit = (uint64_t)1 << 62; bit > 0; bit >>= 1) {
        const igs__wide zero = {0, 0}, found = igs__plus_square(zero, root | bit);
        if (found.high < square.high || (found.high == square.high && found.low <= square.low)) root |= bit;
    }
    return root;
}

/* The noise tile, in the room of three planes of 4096. */
static void igs__put_noise(uint8_t* words, int64_t* room) {
    int64_t* plane = room;
    uint32_t band, i;
    for (band = 0; band < 8; ++band) {
        igs__wide square = {0, 0};
        int64_t sum = 0, root;
        igs__noise_plane(band, plane, room + IGS__NOISE_WORDS, room + 2 * IGS__NOISE_WORDS);
        for (i = 0; i < IGS__NOISE_WORDS; ++i) sum += plane[i];
        for (i = 0; i < IGS__NOISE_WORDS; ++i) {
            plane[i] = IGS__NOISE_WORDS * plane[i] - sum;
            square = igs__plus_square(square, (uint64_t)igs__abs(plane[i]));
        }
        root = (int64_t)igs__root(square);
        for (i = 0; i < IGS__NOISE_WORDS; ++i) {
            const int64_t code = igs__clamp(igs__floor_div(352 * plane[i] + root, 2 * root), -8, 7) + 8;
            words[4 * i + band / 2] |= (uint8_t)(code << 4 * (band & 1));
        }
    }
}

#endif /* IGS_WORDS_H */
