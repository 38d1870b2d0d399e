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

/* 2^(sixteenths / 16), the nearest double. */
static double igs__power_of_two(int sixteenths) {
    /* clang-format off */
    static const double roots[16] = {
        1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916,
        1.189207115002721, 1.241857812073484, 1.2968395546510096, 1.3542555469368927,
        1.4142135623730951, 1.4768261459394993, 1.5422108254079407, 1.6104903319492543,
        1.681792830507429, 1.7562521603732995, 1.8340080864093424, 1.9152065613971474,
    };
    /* clang-format on */
    return ldexp(roots[sixteenths & 15], sixteenths >> 4);
}

IGS__INLINE double igs__held(double value, double least, double most) {
    return value < least ? least : value > most ? most : value;
}

static uint32_t igs__bits_of(uint64_t most) { /* that hold it */
    uint32_t bits = 0;
    for (; most > 0; most >>= 1) ++bits;
    return bits;
}

static uint32_t igs__more(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t igs__less(uint32_t a, uint32_t b) { return a < b ? a : b; }

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

/* Fields one after another, into words of zeros. */
typedef struct igs__fields {
    uint8_t* bytes;
    uint64_t bit;
} igs__fields;

/* A field lies in the words of its first and its last bit, which often are the same: then the second one gets nothing. */
IGS__INLINE void igs__put(igs__fields* fields, uint32_t value, uint32_t width) {
    const uint64_t shifted = (uint64_t)value << (fields->bit & 31);
    uint8_t *first_word = fields->bytes + (fields->bit >> 5) * 4, *last_word;
    if (width == 0) return;
    fields->bit += width;
    last_word = fields->bytes + ((fields->bit - 1) >> 5) * 4;
    igs__put_word(first_word, igs__u32(first_word) | (uint32_t)shifted);
    igs__put_word(last_word, igs__u32(last_word) | (uint32_t)(shifted >> 32));
}

static void igs__set_bit(uint8_t* bytes, uint64_t bit) { bytes[bit >> 3] |= (uint8_t)(1u << (bit & 7)); }

/* What the noise tile is made in: planes of a band, 64 rows of 64, and half its waves. */
typedef struct igs__noise {
    int32_t plane[IGS__NOISE_WORDS], kept[IGS__NOISE_WORDS], room[IGS__NOISE_WORDS];
    /* [v 0..16][x] of the waves v and 32 - v the sum and the difference: whole numbers below 2^23 */
    double even[2][17][64], odd[2][17][64];
    uint8_t words[4 * IGS__NOISE_WORDS];
} igs__noise;

IGS__INLINE void igs__filter_row(
    int32_t* to, const int32_t* middle, const int32_t* before, const int32_t* after, int32_t sign
) {
    int32_t row[64]; /* lies apart, so that compilers take several at once */
    uint32_t x;
    for (x = 0; x < 64; ++x) row[x] = 2 * middle[x] + sign * (before[x] + after[x]);
    memcpy(to, row, sizeof row);
}

/* An axis filtered by [1 2 1] or, where sharp, [-1 2 -1], taps at most 8 apart; the tile repeats. */
static void igs__filter(int32_t* plane, int32_t* room, int vertical, uint32_t distance, int sharp) {
    const int32_t sign = sharp ? -1 : 1;
    int32_t wide[8 + 64 + 8];
    uint32_t y;
    if (vertical) memcpy(room, plane, IGS__NOISE_WORDS * sizeof *plane);
    for (y = 0; y < 64; ++y, plane += 64) {
        if (vertical) {
            const int32_t *before = room + 64 * ((y - distance) & 63), *after = room + 64 * ((y + distance) & 63);
            igs__filter_row(plane, room + 64 * y, before, after, sign);
        } else {
            memcpy(wide, plane + 56, 8 * sizeof *plane);
            memcpy(wide + 8, plane, 64 * sizeof *plane);
            memcpy(wide + 72, plane, 8 * sizeof *plane);
            igs__filter_row(plane, wide + 8, wide + 8 - distance, wide + 8 + distance, sign);
        }
    }
}

static void igs__low(int32_t* plane, int32_t* room, uint32_t distance) {
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

/* The phases of a band's waves of v, by u: their hashes. */
static void igs__find_phases(uint32_t band, uint32_t v, uint32_t* phases) {
    uint32_t u;
    for (u = 0; u < 64; ++u) {
        uint32_t h = IGS__NOISE_WORDS * 450 + 64 * v + u + 1;
        h ^= h >> 16;
        h *= 0x7FEB352Du;
        h ^= h >> 15;
        h *= 0x846CA68Bu;
        h ^= h >> 16;
        phases[u] = h + 16 * (0x3Au >> band & 1) + 32 * (h >> (6 + band));
    }
}

/* The waves of v by x: sums over u of cosines and of sines. A pair has a cosine in its lower half and a sine above it, both with
 * 2^14 added, so that one sum is both. A quarter of the tile farther waves have turned by u quarters. */
static void igs__add_up_waves(
    const uint64_t* pairs, const uint32_t* phases, uint32_t first, uint32_t end, double* even, double* odd
) {
    uint64_t sums[4][16]; /* by u mod 4 */
    uint32_t u, x;
    memset(sums, 0, sizeof sums);
    for (u = first; u < end; ++u)
        for (x = 0; x < 16; ++x) sums[u & 3][x] += pairs[(phases[u] + u * x) & 63];
    for (x = 0; x < 16; ++x) {
        int32_t e[4], o[4];
        for (u = 0; u < 4; ++u) {
            const int32_t added = (int32_t)(end / 4 - (first > u)) << 14;
            e[u] = (int32_t)(uint32_t)sums[u][x] - added;
            o[u] = (int32_t)(uint32_t)(sums[u][x] >> 32) - added;
        }
        even[x] = e[0] + e[1] + e[2] + e[3];
        odd[x] = o[0] + o[1] + o[2] + o[3];
        even[x + 16] = e[0] - o[1] - e[2] + o[3];
        odd[x + 16] = o[0] + e[1] - o[2] - e[3];
        even[x + 32] = e[0] - e[1] + e[2] - e[3];
        odd[x + 32] = o[0] - o[1] + o[2] - o[3];
        even[x + 48] = e[0] + o[1] - e[2] - o[3];
        odd[x + 48] = o[0] - e[1] - o[2] + e[3];
    }
}

IGS__INLINE int32_t igs__rounded(double value) { /* divided by 2^26; the result is beyond -2^16 */
    return (int32_t)(value * (1.0 / (1 << 26)) + 65536.5) - 65536;
}

/* The lines y, 64 - y, 32 - y and 32 + y of the tile, 0 <= y <= 16, of all waves: but for signs, the same products. */
static void igs__draw_waves(igs__noise* noise, const int32_t* cosines, uint32_t y) {
    double even[2][64], odd[2][64]; /* by v mod 2 */
    uint32_t v, x;
    memset(even, 0, sizeof even);
    memset(odd, 0, sizeof odd);
    for (v = 0; v <= 16; ++v) {
        const double cosine = cosines[v * y & 63], sine = cosines[(v * y - 16) & 63];
        const double *from_even = noise->even[y & 1][v], *from_odd = noise->odd[y & 1][v];
        double *to_even = even[v & 1], *to_odd = odd[v & 1];
        for (x = 0; x < 64; ++x) to_even[x] += from_even[x] * cosine;
        for (x = 0; x < 64; ++x) to_odd[x] += from_odd[x] * sine;
    }
    for (x = 0; x < 64; ++x) {
        const double a = even[0][x] + even[1][x], b = odd[0][x] + odd[1][x];
        const double c = even[0][x] - even[1][x], d = odd[0][x] - odd[1][x];
        noise->plane[64 * y + x] = igs__rounded(a - b);
        noise->plane[64 * ((64 - y) & 63) + x] = igs__rounded(a + b);
        noise->plane[64 * (32 - y) + x] = igs__rounded(c + d);
        noise->plane[64 * (32 + y) + x] = igs__rounded(c - d);
    }
}

/* A band's noise before its filter: a wave of each frequency, of the same strength, in a phase by hash. */
static void igs__white_noise(uint32_t band, igs__noise* noise) {
    /* 2^14 cos(2 pi i / 64) */
    static const int16_t quarter[17] = {16384, 16305, 16069, 15679, 15137, 14449, 13623, 12665, 11585,
                                        10394, 9102,  7723,  6270,  4756,  3196,  1606,  0};
    int32_t cosines[64];
    uint64_t pairs[64];
    uint32_t phases[64], u, v, x;
    for (u = 0; u <= 16; ++u) {
        cosines[u] = cosines[(64 - u) & 63] = quarter[u];
        cosines[32 - u] = cosines[32 + u] = -quarter[u];
    }
    for (u = 0; u < 64; ++u)
        pairs[u] = (uint64_t)(uint32_t)(cosines[(u - 16) & 63] + (1 << 14)) << 32 | (uint32_t)(cosines[u] + (1 << 14));
    for (v = 0; v <= 16; ++v) { /* and 32 - v, whose waves are those of v turned back */
        double even[64] = {0.0}, odd[64] = {0.0};
        igs__find_phases(band, v, phases);
        igs__add_up_waves(pairs, phases, v == 0, v == 0 ? 32 : 64, noise->even[0][v], noise->odd[0][v]);
        if (v < 16) {
            igs__find_phases(band, 32 - v, phases);
            igs__add_up_waves(pairs, phases, v == 0, v == 0 ? 32 : 64, even, odd);
        }
        for (x = 0; x < 64; ++x) {
            noise->even[1][v][x] = noise->even[0][v][x] - even[x];
            noise->even[0][v][x] += even[x];
            noise->odd[1][v][x] = noise->odd[0][v][x] + odd[x];
            noise->odd[0][v][x] -= odd[x];
        }
    }
    for (v = 0; v <= 16; ++v) igs__draw_waves(noise, cosines, v);
}

/* A band of the tile: docs/igs-format.md, "Detail". 32 bits hold what the hashes make. */
static void igs__noise_plane(uint32_t band, igs__noise* noise) {
    int32_t *plane = noise->plane, *kept = noise->kept, *room = noise->room;
    uint32_t i, distance;
    igs__white_noise(band, noise);
    if (band <= 3) {
        for (distance = 1; distance < 1u << band; distance *= 2) igs__low(plane, room, distance);
        if (band == 2) return; /* a low-pass, not an octave */
        memcpy(kept, plane, sizeof noise->plane);
        igs__low(plane, room, 1u << band);
        for (i = 0; i < IGS__NOISE_WORDS; ++i) noise->plane[i] = 16 * noise->kept[i] - noise->plane[i];
        if (band > 0) return;
        igs__filter(kept, room, 0, 1, 1);
    } else {
        for (distance = 1; distance <= (band < 6 ? 2u : 8u); distance *= 2)
            igs__filter(plane, room, band % 2 != 0, distance, 0); /* bands 4 and 6 along x */
        memcpy(kept, plane, sizeof noise->plane);
        igs__filter(plane, room, band % 2 == 0, 1, 1);
        if (band < 6) return;
        igs__filter(kept, room, band % 2 == 0, 1, 0);
    }
    igs__filter(kept, room, band % 2 == 0, band > 0 ? 2 : 1, 1);
    for (i = 0; i < IGS__NOISE_WORDS; ++i)
        noise->plane[i] = 2 * noise->plane[i] + (band > 0 ? noise->kept[i] : -noise->kept[i]);
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

/* The noise tile's words: codes by how many times the root of the mean square a value is. */
static void igs__make_noise(igs__noise* noise) {
    uint32_t band, i;
    memset(noise->words, 0, sizeof noise->words);
    for (band = 0; band < 8; ++band) {
        const igs__wide zero = {0, 0};
        igs__wide square, off;
        uint64_t squares = 0;
        int64_t sum = 0, root;
        igs__noise_plane(band, noise);
        for (i = 0; i < IGS__NOISE_WORDS; ++i) {
            sum += noise->plane[i];
            squares += (uint64_t)((int64_t)noise->plane[i] * noise->plane[i]);
        }
        /* of the values times 4096, off their sum: 4096^2 squares - 4096 sum^2 */
        off = igs__plus_square(zero, 64 * (uint64_t)igs__abs(sum));
        square.high = (squares >> 40) - off.high - (squares << 24 < off.low);
        square.low = (squares << 24) - off.low;
        root = (int64_t)igs__root(square);
        for (i = 0; i < IGS__NOISE_WORDS; ++i) {
            const int64_t value = 352 * ((int64_t)IGS__NOISE_WORDS * noise->plane[i] - sum) + root;
            const int64_t code = igs__clamp(igs__floor(igs__quotient(value, 2 * root)), -8, 7) + 8;
            noise->words[4 * i + band / 2] |= (uint8_t)(code << 4 * (band & 1));
        }
    }
}

#endif /* IGS_WORDS_H */
