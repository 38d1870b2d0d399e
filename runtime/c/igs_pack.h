/* igs_pack.h: makes of a loaded .igs file the buffer that shaders read: docs/gpu-buffer.md, byte for byte what
 * `imagegs-tex emit` writes as igs_data.bin, but for what maps' names say of green in normals (bits 8 and 9 of the meanings are 0).
 *
 * Include igs.h first; where IGS_IMPLEMENTATION is defined for that, define IGS_PACK_IMPLEMENTATION for this. igs_levels.h
 * and igs_words.h lie beside it.
 *
 *     igs_pack pack;
 *     igs_error error = igs_pack_measure(&file, 1, &pack);                   how much scratch it takes
 *     void* scratch = malloc(pack.scratch_bytes);
 *     error = igs_pack_index(&file, scratch, pack.scratch_bytes, &pack);     which Gaussians reach which tile
 *     void* buffer = malloc(pack.buffer_bytes);
 *     error = igs_pack_write(&file, &pack, buffer, pack.buffer_bytes);       little-endian words
 *     free(scratch);
 *
 * The second argument asks for the coarse levels of a mip chain, which takes a picture to be drawn: with 0, words 10 and 11
 * of the material are 0, a shader must not ask for footprints, and the buffer is there in a tenth of the time.
 *
 * As in igs.h nothing is allocated, printed or kept in globals; kept of the file must still be there. IGS_INDEX_LIMIT is a
 * file whose supports overlap beyond what an index can hold.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IGS_PACK_H
#define IGS_PACK_H

#include "igs.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct igs_pack {
    size_t scratch_bytes; /* set by igs_pack_measure */
    size_t buffer_bytes;  /* set by igs_pack_index: 4 for each word */
    void* scratch;        /* what was given to igs_pack_index */
    int with_levels;
    double widening;                  /* of listed supports, square texels */
    uint64_t most_entries, entries;   /* (Gaussian, tile) pairs */
    uint64_t most_images, most_drawn; /* of Gaussians, and their pairs with tiles that are drawn */
    uint32_t groups;
    uint32_t images_x, images_y;
    uint32_t tiles_across, tiles_down;
    /* widths in bits of what the tiles' heads and groups hold */
    uint32_t mask_log2, position_bits, offset_bits, stride_bits, count_bits, reach_bits, width_bits;
    uint32_t group_count_bits, entry_count_bits, tile_bits, listed_bits, least_bits[3];
    int32_t least[3];
    uint32_t head_words, header_words, block_words, level_words;
} igs_pack;

igs_error igs_pack_measure(const igs_file* file, int with_levels, igs_pack* pack);
igs_error igs_pack_index(const igs_file* file, void* scratch, size_t scratch_bytes, igs_pack* pack);
igs_error igs_pack_write(const igs_file* file, const igs_pack* pack, void* buffer, size_t buffer_bytes);

#ifdef __cplusplus
}
#endif
#endif /* IGS_PACK_H */

#ifdef IGS_PACK_IMPLEMENTATION
#undef IGS_PACK_IMPLEMENTATION

#include "igs_levels.h"

#define IGS__TILE_LOG2 6u /* of texels */
#define IGS__BLOCK_LOG2 4u
#define IGS__FAR 9u
#define IGS__GROUP_REACH 15.5   /* texels from a compute decoder's group's middle to its farthest texel's */
#define IGS__MEANING_WORDS 128  /* 18 meanings of at most four constants and the two ends of a log range */
#define IGS__LEAST_LEVELS 2048u /* bytes that levels may take; more is 2/5 of what the material takes without */
#define IGS__LEAST_WITH_REPEAT 4096u

/* A support: q = (a dx^2 + 2 b dx dy + c dy^2) / 2 < cutoff. */
typedef struct igs__support {
    double x, y, a, b, c, reach_x, reach_y;
} igs__support;

typedef struct igs__entry {
    uint64_t key; /* tile, kind, source, number; before: tile, and the Gaussian */
    uint32_t mask;
    uint32_t kind; /* 0: of the Gaussian's own tile; 1..8: of one around it; IGS__FAR */
} igs__entry;

typedef struct igs__group {
    uint32_t source, length;
} igs__group;

/* What is kept of a tile; first_* count from the picture's first. */
typedef struct igs__tile {
    uint32_t first, first_entry, first_group; /* of the tile after: where this one's end */
    uint32_t reaching, stride, far_bits;
    int32_t least[3];
    uint8_t shifts[2], halves[2], widths[5 + IGS_MAX_CHANNELS]; /* of both coordinates, m, h, b, features */
} igs__tile;

typedef struct igs__packing {
    igs__noise* noise;            /* where there is detail: the noise tile */
    igs__entry *entries, *sorted; /* [entries], twice for sorting */
    igs__group* groups;           /* [entries] */
    uint64_t *order, *order_too;  /* [N] keys, the Gaussian in the lowest 22 bits */
    uint32_t *tile_of, *number;   /* [N] of each Gaussian */
    uint8_t* reach;               /* [N] 1: a tile around its own, 2: one farther away */
    uint32_t* slots;              /* [T] */
    igs__tile* tiles;             /* [T + 1] */
    struct igs__levels* levels;   /* where they are asked for */
} igs__packing;

/* ---- which supports touch which tile --------------------------------------------------------------------------- */

static uint64_t igs__plan_packing(
    const igs_file* file, const igs_pack* pack, uint8_t* base, int describe, igs__packing* plan
) {
    const uint64_t count = file->info.gaussians, tiles = (uint64_t)pack->tiles_across * pack->tiles_down;
    igs__arena arena = {base, 0, 0};
    plan->noise = IGS__ARRAY(&arena, igs__noise, file->info.has_detail);
    plan->entries = IGS__ARRAY(&arena, igs__entry, pack->most_entries);
    plan->sorted = IGS__ARRAY(&arena, igs__entry, pack->most_entries);
    plan->groups = IGS__ARRAY(&arena, igs__group, pack->most_entries);
    plan->order = IGS__ARRAY(&arena, uint64_t, count);
    plan->order_too = IGS__ARRAY(&arena, uint64_t, count > tiles ? count : tiles);
    plan->tile_of = IGS__ARRAY(&arena, uint32_t, count);
    plan->number = IGS__ARRAY(&arena, uint32_t, count);
    plan->reach = IGS__ARRAY(&arena, uint8_t, count);
    plan->slots = IGS__ARRAY(&arena, uint32_t, tiles);
    plan->tiles = IGS__ARRAY(&arena, igs__tile, tiles + 1);
    plan->levels = NULL;
    if (pack->with_levels) {
        igs__levels unplaced, *levels = IGS__ARRAY(&arena, igs__levels, 1);
        plan->levels = levels;
        if (levels == NULL) levels = &unplaced;
        if (describe) igs__describe_levels(file, levels);
        igs__plan_levels(file, pack->most_images, pack->most_drawn, &arena, levels);
    }
    return arena.peak;
}

/* Powers of e that Gaussians of one size share, by the last bits of m's code: a material has few sizes. */
typedef struct igs__sizes {
    int32_t codes[IGS__SIZES]; /* of m; beyond 16 bits where nothing has been kept */
    double scales[IGS__SIZES], squares[IGS__SIZES];
} igs__sizes;

static void igs__forget_sizes(igs__sizes* sizes) {
    uint32_t i;
    for (i = 0; i < IGS__SIZES; ++i) sizes->codes[i] = INT32_MAX;
}

static igs__support igs__support_of(const igs_file* file, uint32_t n, double widening, igs__sizes* sizes) {
    static const double steps[13] = {0.0625, 0.125, 0.25, 0.5,  1.0,   2.0,  4.0,
                                     8.0,    16.0,  32.0, 64.0, 128.0, 256.0}; /* 2^-4 to 2^8 texels */
    const igs_info* info = &file->info;
    const int16_t* shape = file->shapes + 3 * (size_t)n;
    const double m = shape[0] * (double)info->size_step, h = shape[1] * (double)info->form_step;
    const double b = shape[2] * (double)info->form_step, r = sqrt(h * h + b * b);
    const double grown = exp(r), cosine = 0.5 * (grown + 1.0 / grown);
    const double sine = r > 0.0 ? 0.5 * (grown - 1.0 / grown) / r : 1.0;
    const uint32_t slot = (uint32_t)shape[0] % IGS__SIZES;
    double scale, square;
    igs__support support;
    if (sizes->codes[slot] != shape[0]) {
        sizes->codes[slot] = shape[0];
        sizes->scales[slot] = exp(-m);
        sizes->squares[slot] = exp(2.0 * m);
    }
    scale = sizes->scales[slot];
    square = sizes->squares[slot];
    support.x = (file->positions[2 * (size_t)n] + 0.5) * steps[file->exponents[2 * (size_t)n] + 4];
    support.y = (file->positions[2 * (size_t)n + 1] + 0.5) * steps[file->exponents[2 * (size_t)n + 1] + 4];
    support.a = scale * (cosine - h * sine);
    support.b = -scale * b * sine;
    support.c = scale * (cosine + h * sine);
    support.reach_x = sqrt(2.0 * (double)info->cutoff * (support.c * square));
    support.reach_y = sqrt(2.0 * (double)info->cutoff * (support.a * square));
    if (widening > 0.0) {
        const double determinant = support.a * support.c - support.b * support.b;
        const double xx = support.c + widening * determinant, yy = support.a + widening * determinant;
        const double shrunk = determinant / (xx * yy - support.b * support.b);
        support.a = yy * shrunk;
        support.b = support.b * shrunk;
        support.c = xx * shrunk;
        support.reach_x = sqrt(support.reach_x * support.reach_x + 2.0 * (double)info->cutoff * widening);
        support.reach_y = sqrt(support.reach_y * support.reach_y + 2.0 * (double)info->cutoff * widening);
    }
    return support;
}

typedef struct igs__range {
    int32_t first_x, last_x, first_y, last_y;
} igs__range;

/* Whether a support ends a texel before the picture's borders, so that no other image of it reaches the picture. */
IGS__INLINE int igs__lies_inside(double middle, double reach, double side) {
    return middle - reach > 1.0 && middle + reach < side - 1.0;
}

/* Images of a support that may reach the picture. */
static igs__range igs__images_of(const igs_info* info, const igs__support* support) {
    const double width = info->width, height = info->height;
    igs__range images = {0, 0, 0, 0};
    if (info->wrap_x && !igs__lies_inside(support->x, support->reach_x, width)) {
        images.first_x = (int32_t)ceil((-support->x - support->reach_x) / width);
        images.last_x = (int32_t)floor((width - support->x + support->reach_x) / width);
    }
    if (info->wrap_y && !igs__lies_inside(support->y, support->reach_y, height)) {
        images.first_y = (int32_t)ceil((-support->y - support->reach_y) / height);
        images.last_y = (int32_t)floor((height - support->y + support->reach_y) / height);
    }
    return images;
}

IGS__INLINE int32_t igs__whole(double value) { /* rounded down; 32 bits hold it */
    const int32_t cut = (int32_t)value;
    return cut - (value < cut);
}

IGS__INLINE int32_t igs__block_at(double place, int32_t last) {
    const int32_t block = igs__whole(place * (1.0 / (1 << IGS__BLOCK_LOG2))); /* no reach is beyond 2^24 texels */
    return block < 0 ? 0 : block > last ? last : block;
}

static igs__range igs__blocks_of(const igs_info* info, const igs__support* support, double x, double y) {
    const int32_t across = (int32_t)(info->width - 1) >> IGS__BLOCK_LOG2;
    const int32_t down = (int32_t)(info->height - 1) >> IGS__BLOCK_LOG2;
    igs__range blocks;
    blocks.first_x = igs__block_at(x - support->reach_x, across);
    blocks.last_x = igs__block_at(x + support->reach_x, across);
    blocks.first_y = igs__block_at(y - support->reach_y, down);
    blocks.last_y = igs__block_at(y + support->reach_y, down);
    return blocks;
}

igs_error igs_pack_measure(const igs_file* file, int with_levels, igs_pack* pack) {
    const igs_info* info = &file->info;
    const uint32_t tile = (1u << IGS__TILE_LOG2) - 1;
    double reach_x = 0.0, reach_y = 0.0;
    uint64_t images = 0, pairs = 0, bytes;
    igs__packing plan;
    igs__sizes sizes;
    uint32_t n, level;
    igs__forget_sizes(&sizes);
    memset(pack, 0, sizeof *pack);
    pack->tiles_across = (info->width + tile) >> IGS__TILE_LOG2;
    pack->tiles_down = (info->height + tile) >> IGS__TILE_LOG2;
    pack->with_levels = with_levels != 0;
    if (pack->with_levels && !info->is_exact) pack->widening = igs__widening(igs__direct_level(file) - 1);
    for (n = 0; n < info->gaussians; ++n) {
        const igs__support support = igs__support_of(file, n, pack->widening, &sizes);
        const igs__range range = igs__images_of(info, &support);
        const uint64_t tiles = (uint64_t)pack->tiles_across * pack->tiles_down;
        uint64_t entries = 0;
        int32_t i, j;
        reach_x = support.reach_x > reach_x ? support.reach_x : reach_x;
        reach_y = support.reach_y > reach_y ? support.reach_y : reach_y;
        images += (uint64_t)(range.last_x - range.first_x + 1) * (uint64_t)(range.last_y - range.first_y + 1);
        IGS__REQUIRE(images <= IGS__MOST_PAIRS, INDEX_LIMIT);
        for (j = range.first_y; j <= range.last_y; ++j)
            for (i = range.first_x; i <= range.last_x; ++i) {
                const igs__range blocks = igs__blocks_of(
                    info, &support, support.x + i * (double)info->width, support.y + j * (double)info->height
                );
                pairs +=
                    (uint64_t)(blocks.last_x - blocks.first_x + 1) * (uint64_t)(blocks.last_y - blocks.first_y + 1);
                entries += (uint64_t)((blocks.last_x >> 2) - (blocks.first_x >> 2) + 1) *
                    (uint64_t)((blocks.last_y >> 2) - (blocks.first_y >> 2) + 1);
            }
        IGS__REQUIRE(pairs <= IGS__MOST_PAIRS, INDEX_LIMIT);
        pack->most_entries += entries < tiles ? entries : tiles;
    }
    /* an image beside the nearest one to the middle of a group of texels reaches one of them only with so much of a reach */
    if (info->wrap_x && reach_x + IGS__GROUP_REACH > 0.5 * info->width)
        pack->images_x = (uint32_t)ceil((reach_x + IGS__GROUP_REACH) / info->width - 0.5);
    if (info->wrap_y && reach_y + IGS__GROUP_REACH > 0.5 * info->height)
        pack->images_y = (uint32_t)ceil((reach_y + IGS__GROUP_REACH) / info->height - 0.5);
    for (level = 0; pack->with_levels && !info->is_exact && level < igs__direct_level(file);
         level = level == 0 ? 2 : level + 1) {
        igs__list_images(file, NULL, level, 0, &images, &pairs);
        IGS__REQUIRE(images <= IGS__MOST_PAIRS && pairs <= IGS__MOST_PAIRS, INDEX_LIMIT);
        pack->most_images = images > pack->most_images ? images : pack->most_images;
        pack->most_drawn = pairs > pack->most_drawn ? pairs : pack->most_drawn;
    }
    bytes = igs__plan_packing(file, pack, NULL, 1, &plan);
    pack->scratch_bytes = (size_t)bytes;
    IGS__REQUIRE(pack->scratch_bytes == bytes, INDEX_LIMIT); /* more than 32 bits address */
    return IGS_OK;
}

/* Whether the least q over a block's rectangle is below the cut-off: along an edge q is a parabola, whose lowest point is
 * moved to the nearer end if it is outside. */
static int igs__touches(const igs__support* support, double x, double y, int32_t column, int32_t row, double limit) {
    const double left = column * (double)(1 << IGS__BLOCK_LOG2) - x, right = left + (1 << IGS__BLOCK_LOG2);
    const double top = row * (double)(1 << IGS__BLOCK_LOG2) - y, bottom = top + (1 << IGS__BLOCK_LOG2);
    const double a = support->a, b = support->b, c = support->c;
    int edge;
    if (left <= 0.0 && right >= 0.0 && top <= 0.0 && bottom >= 0.0) return 1;
    for (edge = 0; edge < 2; ++edge) {
        const double dx = edge == 0 ? left : right, dy = igs__held(-b * dx / c, top, bottom);
        if (a * dx * dx + 2.0 * b * dx * dy + c * dy * dy < limit) return 1;
    }
    for (edge = 0; edge < 2; ++edge) {
        const double dy = edge == 0 ? top : bottom, dx = igs__held(-b * dy / a, left, right);
        if (a * dx * dx + 2.0 * b * dx * dy + c * dy * dy < limit) return 1;
    }
    return 0;
}

/* Along a row of blocks an ellipse reaches one block after another: from the leftmost of its points between the row's edges to
 * the rightmost. Both are reckoned once for a row, so that only blocks as near to them as rounding can matter are tested. */
typedef struct igs__span {
    int32_t first, last, sure_first, sure_last; /* blocks that may be reached, and those that are */
} igs__span;

/* What the spans of a support have in common: at y from its middle, the ellipse's edge is at (-slant * y +- the root of
 * square - narrowing * y^2), and its rightmost point at y = tip. */
typedef struct igs__ellipse {
    double slant, square, narrowing, tip, unsure;
} igs__ellipse;

static igs__ellipse igs__ellipse_of(const igs__support* support, double limit) {
    const double inverse = 1.0 / support->a, slant = support->b * inverse;
    igs__ellipse ellipse;
    ellipse.slant = slant;
    ellipse.square = limit * inverse;
    ellipse.narrowing = support->c * inverse - slant * slant;
    ellipse.tip = -support->b * support->reach_x / support->c;
    ellipse.unsure = 0.015625 + support->reach_x * (1.0 / 4096); /* far more than rounding moves an edge */
    return ellipse;
}

static igs__span igs__span_of(const igs__ellipse* ellipse, double x, double y, int32_t row, const igs__range* blocks) {
    const double side = 1 << IGS__BLOCK_LOG2, top = row * side - y, bottom = top + side;
    const double right_at = igs__held(ellipse->tip, top, bottom), left_at = igs__held(-ellipse->tip, top, bottom);
    const double right_square = ellipse->square - ellipse->narrowing * right_at * right_at;
    const double left_square = ellipse->square - ellipse->narrowing * left_at * left_at, unsure = ellipse->unsure;
    igs__span span = {blocks->first_x, blocks->last_x, 1, 0};
    double left, right;
    int32_t first, last;
    if (!(right_square > 0.0 && left_square > 0.0)) return span;
    right = igs__held(x + sqrt(right_square) - ellipse->slant * right_at, -1e9, 1e9); /* 32 bits hold it */
    left = igs__held(x - sqrt(left_square) - ellipse->slant * left_at, -1e9, 1e9);
    if (!(right - left > 2.0 * unsure)) return span;
    first = igs__whole((left - unsure) * (1.0 / side));
    last = igs__whole((right + unsure) * (1.0 / side));
    span.first = first > span.first ? first : span.first;
    span.last = last < span.last ? last : span.last;
    span.sure_first = igs__whole((left + unsure) * (1.0 / side));
    span.sure_last = igs__whole((right - unsure) * (1.0 / side));
    return span;
}

/* Where a tile lies from another one along an axis: -1, 0 or 1; 2 where farther away. */
static int32_t igs__step_to(int32_t tile, int32_t source, int32_t count, int wraps) {
    const int32_t apart = source - tile;
    if (apart == -1 || (wraps && apart == count - 1)) return -1;
    if (apart == 0) return 0;
    return apart == 1 || (wraps && apart == 1 - count) ? 1 : 2;
}

/* The Gaussian whose entries are made, its tile, its first entry, and how many there are of all so far. */
typedef struct igs__listing {
    int32_t tile_x, tile_y;
    uint32_t n, own_first, found;
} igs__listing;

/* The place at which the Gaussian's tile lies around another one, 1..8; 0 where it is the same, IGS__FAR where it lies farther away. */
static uint32_t igs__near_place(
    const igs_info* info, const igs_pack* pack, const igs__listing* listing, int32_t tile_x, int32_t tile_y
) {
    static const uint8_t places[4][4] = {
        {1, 2, 3, IGS__FAR}, {4, 0, 5, IGS__FAR}, {6, 7, 8, IGS__FAR}, {IGS__FAR, IGS__FAR, IGS__FAR, IGS__FAR}
    };
    const int32_t right = igs__step_to(tile_x, listing->tile_x, (int32_t)pack->tiles_across, info->wrap_x);
    const int32_t below = igs__step_to(tile_y, listing->tile_y, (int32_t)pack->tiles_down, info->wrap_y);
    if (tile_x == listing->tile_x && tile_y == listing->tile_y) return 0;
    return places[below + 1][right + 1];
}

static void igs__list_mask(
    const igs_file* file, const igs_pack* pack, igs__packing* plan, igs__listing* listing, int32_t tile_x, int32_t row,
    uint32_t columns
) {
    const uint32_t tile = (uint32_t)(row >> 2) * pack->tiles_across + (uint32_t)tile_x;
    uint32_t slot = plan->slots[tile]; /* of this Gaussian, or left from another one */
    if (slot < listing->own_first || slot >= listing->found || plan->entries[slot].key >> 22 != tile) {
        const uint32_t kind = igs__near_place(&file->info, pack, listing, tile_x, row >> 2);
        const uint8_t reach = (uint8_t)((kind > 0) + (kind == IGS__FAR));
        plan->slots[tile] = slot = listing->found++;
        plan->entries[slot].key = (uint64_t)tile << 22 | listing->n;
        plan->entries[slot].mask = 0;
        plan->entries[slot].kind = kind;
        if (plan->reach[listing->n] < reach) plan->reach[listing->n] = reach;
    }
    plan->entries[slot].mask |= columns << (row & 3) * 4;
}

/* Entries of all tiles, Gaussian by Gaussian. */
static void igs__list(const igs_file* file, igs_pack* pack, igs__packing* plan) {
    const igs_info* info = &file->info;
    const double limit = 2.0 * (double)info->cutoff;
    igs__listing listing = {0, 0, 0, 0, 0};
    igs__sizes sizes;
    igs__forget_sizes(&sizes);
    memset(plan->slots, 0, (size_t)pack->tiles_across * pack->tiles_down * sizeof *plan->slots);
    memset(plan->reach, 0, info->gaussians);
    for (; listing.n < info->gaussians; ++listing.n) {
        const igs__support support = igs__support_of(file, listing.n, pack->widening, &sizes);
        const igs__range images = igs__images_of(info, &support);
        const igs__ellipse ellipse = igs__ellipse_of(&support, limit);
        int32_t i, j, row, column, tile_x;
        listing.tile_x = (int32_t)(plan->tile_of[listing.n] % pack->tiles_across);
        listing.tile_y = (int32_t)(plan->tile_of[listing.n] / pack->tiles_across);
        listing.own_first = listing.found;
        for (j = images.first_y; j <= images.last_y; ++j)
            for (i = images.first_x; i <= images.last_x; ++i) {
                const double x = support.x + i * (double)info->width, y = support.y + j * (double)info->height;
                const igs__range blocks = igs__blocks_of(info, &support, x, y);
                for (row = blocks.first_y; row <= blocks.last_y; ++row) {
                    const igs__span span = igs__span_of(&ellipse, x, y, row, &blocks);
                    const int all_sure = span.first >= span.sure_first && span.last <= span.sure_last;
                    if (span.first > span.last) continue;
                    for (tile_x = span.first >> 2; tile_x <= span.last >> 2; ++tile_x) {
                        const int32_t first = span.first > 4 * tile_x ? span.first : 4 * tile_x;
                        const int32_t last = span.last < 4 * tile_x + 3 ? span.last : 4 * tile_x + 3;
                        uint32_t columns = 0;
                        if (all_sure) columns = (2u << (last & 3)) - (1u << (first & 3));
                        for (column = first; !all_sure && column <= last; ++column)
                            if ((column >= span.sure_first && column <= span.sure_last) ||
                                igs__touches(&support, x, y, column, row, limit))
                                columns |= 1u << (column & 3);
                        if (columns != 0) igs__list_mask(file, pack, plan, &listing, tile_x, row, columns);
                    }
                }
            }
    }
    pack->entries = listing.found;
}

/* Sorts what lies in from by the bits of keys from a bit on, into entries, which is from or to. */
static void igs__sort_entries(
    igs__entry* entries, igs__entry* from, igs__entry* to, size_t count, uint32_t from_bit, uint32_t bits
) {
    igs__entry* swapped;
    uint32_t shift;
    for (shift = from_bit; shift < from_bit + bits; shift += 8) {
        size_t starts[257] = {0}, i;
        for (i = 0; i < count; ++i) ++starts[(from[i].key >> shift & 255) + 1];
        for (i = 0; i < 256; ++i) starts[i + 1] += starts[i];
        for (i = 0; i < count; ++i) to[starts[from[i].key >> shift & 255]++] = from[i];
        swapped = from;
        from = to;
        to = swapped;
    }
    if (from != entries) memcpy(entries, from, count * sizeof *entries);
}

/* Positions in units of 2^(e_min - 1) texels. */
static uint32_t igs__position(const igs_file* file, uint32_t n, int axis, int least) {
    const size_t at = 2 * (size_t)n + (size_t)axis;
    return (2 * (uint32_t)file->positions[at] + 1) << (file->exponents[at] - least);
}

static int igs__least_exponent(const igs_info* info) {
    const uint32_t side = igs__more(info->width, info->height);
    return side <= 2048 ? -4 : side <= 4096 ? -3 : side <= 8192 ? -2 : -1;
}

/* Orders each tile's Gaussians: those that reach far, those that reach near, the others; by m, largest first. */
static void igs__order(const igs_file* file, igs_pack* pack, igs__packing* plan) {
    const igs_info* info = &file->info;
    const uint32_t tiles = pack->tiles_across * pack->tiles_down;
    uint32_t n, tile, at;
    memset(plan->tiles, 0, (tiles + 1) * sizeof *plan->tiles);
    for (n = 0; n < info->gaussians; ++n) {
        plan->order[n] = (uint64_t)plan->tile_of[n] << 40 | (uint64_t)(2 - plan->reach[n]) << 38 |
            (uint64_t)(32767 - file->shapes[3 * (size_t)n]) << 22 | n;
        ++plan->tiles[plan->tile_of[n] + 1].first;
        plan->tiles[plan->tile_of[n]].reaching += plan->reach[n] > 0;
    }
    for (tile = 0; tile < tiles; ++tile) plan->tiles[tile + 1].first += plan->tiles[tile].first;
    igs__sort_keys(plan->order, plan->order_too, info->gaussians, 22, 18 + igs__bits_of(tiles - 1));
    for (at = 0; at < info->gaussians; ++at) {
        n = (uint32_t)plan->order[at] & 0x3FFFFF;
        plan->number[n] = at - plan->tiles[plan->tile_of[n]].first;
    }
}

/* Sorts entries by tile, kind, source and number, and makes far groups of them. They lie Gaussian by Gaussian, and
 * Gaussians have been ordered by source and number: two of four keys are sorted by taking them in that order. */
static void igs__group_entries(const igs_file* file, igs_pack* pack, igs__packing* plan, uint32_t tile_bits) {
    uint64_t* ends = plan->order_too; /* of each Gaussian's entries: has served for sorting */
    uint64_t e, at = 0;
    uint32_t tile, n, last_source = 0;
    for (n = 0, e = 0; n < file->info.gaussians; ++n) {
        while (e < pack->entries && ((uint32_t)plan->entries[e].key & 0x3FFFFF) == n) ++e;
        ends[n] = e;
    }
    for (n = 0; n < file->info.gaussians; ++n) {
        const uint32_t of = (uint32_t)plan->order[n] & 0x3FFFFF, source = plan->tile_of[of];
        for (e = of > 0 ? ends[of - 1] : 0; e < ends[of]; ++e) {
            const igs__entry* entry = plan->entries + e;
            const uint64_t place = entry->key >> 22 << 4 | entry->kind;
            plan->sorted[at].key = (place << tile_bits | source) << 22 | plan->number[of];
            plan->sorted[at++].mask = entry->mask;
        }
    }
    igs__sort_entries(plan->entries, plan->sorted, plan->entries, (size_t)pack->entries, 22 + tile_bits, 4 + tile_bits);
    pack->groups = 0;
    for (e = 0; e < pack->entries; ++e) {
        const uint64_t key = plan->entries[e].key;
        const uint32_t source = (uint32_t)(key >> 22) & ((1u << tile_bits) - 1), number = (uint32_t)key & 0x3FFFFF;
        igs__tile* of;
        tile = (uint32_t)(key >> (26 + tile_bits));
        of = &plan->tiles[tile];
        ++plan->tiles[tile + 1].first_entry;
        if ((key >> (22 + tile_bits) & 15) != IGS__FAR) continue;
        if (plan->tiles[tile + 1].first_group == 0 || source != last_source) {
            plan->groups[pack->groups].source = last_source = source;
            plan->groups[pack->groups++].length = 0;
            ++plan->tiles[tile + 1].first_group;
        }
        of->far_bits += number + 1 - plan->groups[pack->groups - 1].length;
        plan->groups[pack->groups - 1].length = number + 1;
    }
    for (tile = 0; tile < pack->tiles_across * pack->tiles_down; ++tile) {
        plan->tiles[tile + 1].first_entry += plan->tiles[tile].first_entry;
        plan->tiles[tile + 1].first_group += plan->tiles[tile].first_group;
    }
}

/* Coordinates of a Gaussian within its tile: first that along which its position steps are larger. */
static void igs__within(const igs_file* file, const igs_pack* pack, uint32_t n, int least, uint32_t* within) {
    const int turned = file->shapes[3 * (size_t)n + 1] < 0;
    const uint32_t mask = (1u << pack->position_bits) - 1;
    within[turned] = igs__position(file, n, 0, least) & mask;
    within[1 - turned] = igs__position(file, n, 1, least) & mask;
}

/* Widths of a tile's fields and what they count from. */
static void igs__scale_tile(const igs_file* file, const igs_pack* pack, const igs__packing* plan, uint32_t number) {
    const uint32_t components = file->info.components;
    const int least = igs__least_exponent(&file->info);
    igs__tile* tile = &plan->tiles[number];
    int32_t most[3] = {0, 0, 0};
    uint32_t sizes[IGS_MAX_CHANNELS] = {0}, any[IGS_MAX_CHANNELS] = {0}, at, k;
    uint32_t lowest[2] = {UINT32_MAX, UINT32_MAX}, highest[2] = {0, 0}; /* of the last bits that are set */
    if (tile->first == plan->tiles[number + 1].first) return;
    for (at = tile->first; at < plan->tiles[number + 1].first; ++at) {
        const uint32_t n = (uint32_t)plan->order[at] & 0x3FFFFF;
        const int16_t *shape = file->shapes + 3 * (size_t)n, *features = file->features + (size_t)n * components;
        uint32_t within[2];
        igs__within(file, pack, n, least, within);
        for (k = 0; k < 2; ++k) {
            const uint32_t bits = within[k] | 1u << pack->position_bits, last = bits & (0u - bits);
            if (last < lowest[k]) lowest[k] = last;
            highest[k] = igs__more(highest[k], last);
        }
        for (k = 0; k < 3; ++k) {
            if (at == tile->first || shape[k] < tile->least[k]) tile->least[k] = shape[k];
            if (at == tile->first || shape[k] > most[k]) most[k] = shape[k];
        }
        for (k = 0; k < components; ++k) {
            const int32_t code = features[k];
            sizes[k] |= (uint32_t)(code < 0 ? -1 - code : code); /* as wide as the largest */
            any[k] |= (uint32_t)(code != 0);
        }
    }
    for (k = 0; k < 2; ++k) {
        tile->shifts[k] = (uint8_t)(igs__bits_of(lowest[k]) - 1);
        tile->halves[k] = highest[k] == lowest[k] && tile->shifts[k] < pack->position_bits;
        tile->widths[k] = (uint8_t)(pack->position_bits - tile->shifts[k] - tile->halves[k]);
    }
    for (k = 0; k < 3; ++k) tile->widths[2 + k] = (uint8_t)igs__bits_of((uint64_t)(most[k] - tile->least[k]));
    for (k = 0; k < components; ++k) tile->widths[5 + k] = (uint8_t)(any[k] ? igs__bits_of(sizes[k]) + 1 : 0);
    for (k = 0; k < 5 + components; ++k) tile->stride += tile->widths[k];
}

/* Lays the blocks out; returns the bits of records, and those of all that tells which Gaussians a texel looks at. */
static void igs__lay_out(
    const igs_file* file, igs_pack* pack, const igs__packing* plan, uint64_t* records, uint64_t* listed
) {
    const uint32_t tiles = pack->tiles_across * pack->tiles_down,
                   masks = pack->mask_log2 ? 1u << 2 * pack->mask_log2 : 0;
    uint64_t end = 0, last = 0;
    uint32_t tile, head;
    *records = *listed = 0;
    for (tile = 0; tile < tiles; ++tile) {
        const igs__tile *of = &plan->tiles[tile], *next = of + 1;
        const uint64_t own = (uint64_t)(next->first - of->first) * of->stride;
        const uint64_t rest = 8 * (uint64_t)of->reaching + (uint64_t)(next->first_entry - of->first_entry) * masks +
            (uint64_t)(next->first_group - of->first_group) * (pack->tile_bits + pack->listed_bits) + of->far_bits;
        last = end;
        end += own + rest;
        *records += own;
        *listed += rest;
    }
    pack->offset_bits = igs__bits_of(last); /* of the last block's begin */
    head = pack->offset_bits + pack->stride_bits + pack->count_bits + pack->reach_bits + 10 +
        (3 + file->info.components) * pack->width_bits + pack->least_bits[0] + pack->least_bits[1] +
        pack->least_bits[2] + pack->group_count_bits + (pack->mask_log2 ? pack->entry_count_bits : 0);
    pack->head_words = (head + 31) / 32;
    pack->block_words = (uint32_t)((end + 31) / 32);
}

/* What channels mean: entries of two words, then constants. Returns the words behind the first. */
static uint32_t igs__meanings(const igs_file* file, uint32_t* entries, uint32_t* constants, uint32_t* count) {
    const uint32_t colours = 1u << 1 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 16, many = colours | 1u << 17;
    uint32_t found = 1, held = 0, behind = 0, map, channel, x, y; /* found: bits, data counts as found */
    *count = 0;
    for (map = 0; map < file->map_count; ++map) {
        const igs_map* of = &file->maps[map];
        const uint32_t derived = igs__derived(file, map, &x, &y);
        for (channel = 0; channel < of->channel_count; ++channel) {
            const uint32_t meaning = of->channels[channel].semantic, first = held;
            const uint32_t most = meaning == 2 ? 3 : many >> meaning & 1 ? 4 : 1;
            const uint32_t z = derived ? file->info.channels + behind : 127;
            uint32_t sources = 0, flags = 0, next, k;
            if (found >> meaning & 1) continue;
            found |= 1u << meaning;
            if (of->transfer == IGS_LOG) {
                for (k = 0; k < 2; ++k) {
                    const double end = k ? (double)of->hi : (double)of->lo;
                    const double size = igs__log2(1.0 + (end < 0.0 ? -end : end) * 64.0);
                    constants[held++] = igs__float_bits(end < 0.0 ? -size : size);
                }
                flags = 2;
            } else if (of->transfer == IGS_SRGB && (colours >> meaning & 1)) {
                flags = 1;
            }
            for (k = 0, next = channel; next < of->channel_count && k < most; ++next) {
                const igs_channel* from = &of->channels[next];
                uint32_t source = from->kind == IGS_CODED ? from->index : z;
                if (from->semantic != meaning) continue;
                if (from->kind == IGS_CONSTANT_VALUE) {
                    source = 128 + held;
                    constants[held++] = igs__float_bits((double)from->constant);
                }
                sources |= source << 8 * k++;
            }
            if (meaning == 2 && k == 2) sources |= z << 8 * k++;
            entries[2 * *count] = meaning | k << 8 | flags << 16 | first << 24;
            entries[2 * (*count)++ + 1] = sources;
        }
        behind += derived;
    }
    return 2 * *count + held;
}

static uint32_t igs__texel_words(const igs_file* file) {
    uint32_t bit = 0, c;
    for (c = 0; c < file->info.channels; ++c) {
        const uint32_t width = 8u * file->exact.sample_bytes[2 * c];
        if (bit % 32 + width > 32) bit = (bit + 31) / 32 * 32;
        bit += width;
    }
    return (bit + 31) / 32;
}

/* Words of the detail layer: the envelope, and the numbers behind it. */
static uint32_t igs__envelope_words(const igs_file* file) {
    return file->info.has_detail ? (file->detail.rows * file->detail.columns + 7) / 8 : 0;
}

static uint32_t igs__detail_words(const igs_file* file) {
    const uint32_t components = file->detail.components, channels = file->info.channels;
    if (!file->info.has_detail) return 0;
    return igs__envelope_words(file) + 1 + 4 * components + channels + components * channels;
}

#define IGS__REPEAT_WORDS 6

/* Nibbles of the lists of residual and repeat: docs/gpu-buffer.md, "Residual". */
enum { IGS__TWO = 10, IGS__SKIP = 12, IGS__NEXT = 13, IGS__MORE = 14, IGS__DIGIT = 15, IGS__RUNS = 5 };

/* Puts a coefficient behind so many zeros of its component; returns its nibbles. Only counts them where to is NULL. */
static uint64_t igs__put_coefficient(uint32_t zeros, int32_t value, igs__fields* to) {
    const uint32_t size = (uint32_t)(value < 0 ? -value : value), sign = value < 0, rest = zeros % IGS__RUNS;
    const uint32_t is_two = rest == 0 && (size == 2 || size == 3), is_more = size - is_two == 2;
    uint32_t skips = zeros / IGS__RUNS, digits = 0, from[4], left = size, i;
    if (!is_two && !is_more)
        for (; left > 1; left = ((left - 2) >> 4) + 1) from[digits++] = (left - 2) & 15; /* the last digit first */
    if (to == NULL) return skips + 1 + is_more + 2 * digits;
    for (i = 0; i < skips; ++i) igs__put(to, IGS__SKIP, 4);
    igs__put(to, (is_two ? (uint32_t)IGS__TWO : 2 * rest) + sign, 4);
    if (is_more) igs__put(to, IGS__MORE, 4);
    for (i = digits; i > 0; --i) igs__put(to, IGS__DIGIT | from[i - 1] << 4, 8);
    return skips + 1 + is_more + 2 * digits;
}

/* Bytes of eight blocks that tell where their lists begin: of the first in a word, of each 16 bits from there on. */
#define IGS__BEGINS 20

/* Puts all blocks' lists, and where they begin; returns their nibbles. Only counts them where begins is NULL. */
static uint64_t igs__put_lists(const igs_residual* residual, uint8_t* begins, igs__fields* to) {
    const uint32_t blocks = residual->blocks_across * residual->blocks_down, places = 1u << 2 * residual->side_log2;
    uint64_t nibbles = 0, first = 0;
    uint32_t block, at = 0, i;
    for (block = 0; block <= blocks; ++block) {
        uint32_t next = 0, component = 0; /* place after the last coefficient, of its component */
        if (block % 8 == 0) first = nibbles;
        if (begins != NULL) {
            uint8_t* group = begins + IGS__BEGINS * (size_t)(block / 8);
            if (block % 8 == 0) igs__put_word(group, (uint32_t)first);
            group[4 + 2 * (block % 8)] = (uint8_t)(nibbles - first);
            group[5 + 2 * (block % 8)] = (uint8_t)((nibbles - first) >> 8);
        }
        for (i = 0; block < blocks && i < residual->counts[block]; ++i, ++at) {
            const uint32_t k = residual->places[at] / places, place = residual->places[at] % places;
            for (; component < k; ++component, ++nibbles, next = 0)
                if (begins != NULL) igs__put(to, IGS__NEXT, 4);
            nibbles += igs__put_coefficient(place - next, residual->values[at], begins != NULL ? to : NULL);
            next = place + 1;
        }
    }
    return nibbles;
}

/* Words in front of the lists, and with them. */
static uint64_t igs__blocks_words(const igs_residual* residual, uint32_t channels, int with_lists) {
    const uint64_t blocks = (uint64_t)residual->blocks_across * residual->blocks_down;
    const uint64_t front = 3 + (residual->components * channels + 1) / 2 + (1u << 2 * residual->side_log2) / 4 +
        IGS__BEGINS / 4 * (blocks / 8 + 1);
    return with_lists ? front + (igs__put_lists(residual, NULL, NULL) + 7) / 8 : front;
}

static void igs__put_blocks(const igs_residual* residual, uint32_t channels, uint8_t* words) {
    const uint32_t codes = residual->components * channels, places = 1u << 2 * residual->side_log2;
    uint8_t down[IGS__MOST_PLACES], across[IGS__MOST_PLACES], *at = words + 12 + 4 * (size_t)((codes + 1) / 2);
    igs__fields to = {words + 4 * (size_t)igs__blocks_words(residual, channels, 0), 0};
    uint32_t i;
    igs__find_frequencies(1u << residual->side_log2, down, across);
    words[0] = (uint8_t)residual->side_log2;
    words[1] = (uint8_t)residual->components;
    for (i = 0; i < 3; ++i) words[4 + i] = (uint8_t)residual->offsets[i];
    igs__put_word(words + 8, igs__float_bits((double)residual->step));
    igs__put_codes(words + 12, residual->basis, codes);
    for (i = 0; i < places; ++i) at[i] = (uint8_t)(down[i] | across[i] << 4);
    igs__put_lists(residual, at + places, &to);
}

/* Words of the repeat without its weights, and with them: docs/gpu-buffer.md, "Repeat". */
static uint64_t igs__repeat_words(const igs_file* file, int with_weights) {
    const igs_repeat* repeat = &file->repeat;
    const uint64_t weights = (uint64_t)(repeat->pictures - 1) * repeat->cells_across * repeat->cells_down;
    if (!file->info.has_repeat) return 0;
    return IGS__REPEAT_WORDS + igs__blocks_words(&repeat->blocks, file->info.channels, 1) +
        (with_weights ? (weights + 3) / 4 : 0);
}

static void igs__put_repeat(const igs_file* file, uint8_t* words) {
    const igs_repeat* repeat = &file->repeat;
    const uint32_t cells = repeat->cells_across * repeat->cells_down, planes = repeat->pictures - 1;
    const uint32_t weights_at = (uint32_t)igs__repeat_words(file, 0);
    uint8_t* at = words + 4 * (size_t)weights_at;
    uint32_t cell, k;
    igs__put_word(words, repeat->period_x | repeat->period_y << 16);
    igs__put_word(words + 4, repeat->origin_x | repeat->origin_y << 16);
    igs__put_word(words + 8, repeat->shift | repeat->cells_across << 16);
    igs__put_word(words + 12, planes);
    igs__put_word(words + 16, weights_at);
    igs__put_word(words + 20, (uint32_t)igs__repeat_words(file, 1));
    igs__put_blocks(&repeat->blocks, file->info.channels, words + 4 * IGS__REPEAT_WORDS);
    for (cell = 0; cell < cells; ++cell)
        for (k = 0; k < planes; ++k) *at++ = (uint8_t)repeat->weights[(size_t)k * cells + cell];
}

igs_error igs_pack_index(const igs_file* file, void* scratch, size_t scratch_bytes, igs_pack* pack) {
    const igs_info* info = &file->info;
    const uint32_t tiles = pack->tiles_across * pack->tiles_down, components = info->components;
    const uint32_t source_bits = igs__bits_of(tiles - 1);
    uint64_t records, listed, words;
    uint32_t n, k, tile, x, y, count, entries[IGS__MEANING_WORDS], constants[IGS__MEANING_WORDS];
    igs__packing plan;
    IGS__REQUIRE(scratch != NULL && scratch_bytes >= pack->scratch_bytes && pack->scratch_bytes > 0, ARGUMENT);
    igs__plan_packing(file, pack, (uint8_t*)scratch, 1, &plan);
    pack->position_bits = (uint32_t)((int)IGS__TILE_LOG2 - igs__least_exponent(info) + 1);
    for (n = 0; n < info->gaussians; ++n) {
        x = igs__position(file, n, 0, igs__least_exponent(info)) >> pack->position_bits;
        y = igs__position(file, n, 1, igs__least_exponent(info)) >> pack->position_bits;
        IGS__REQUIRE(
            x < pack->tiles_across && y < pack->tiles_down, INDEX_LIMIT
        ); /* beyond the edge of a thin picture */
        plan.tile_of[n] = y * pack->tiles_across + x;
    }
    igs__list(file, pack, &plan);
    igs__order(file, pack, &plan);
    igs__group_entries(file, pack, &plan, source_bits);
    for (tile = 0; tile < tiles; ++tile) igs__scale_tile(file, pack, &plan, tile);
    for (k = 0; k < 3; ++k) {
        int32_t most = 0;
        pack->least[k] = 32767;
        for (tile = 0; tile < tiles; ++tile)
            if (plan.tiles[tile].first < plan.tiles[tile + 1].first && plan.tiles[tile].least[k] < pack->least[k])
                pack->least[k] = plan.tiles[tile].least[k];
        for (tile = 0; tile < tiles; ++tile)
            if (plan.tiles[tile].first < plan.tiles[tile + 1].first &&
                plan.tiles[tile].least[k] - pack->least[k] > most)
                most = plan.tiles[tile].least[k] - pack->least[k];
        pack->least_bits[k] = igs__bits_of((uint64_t)most);
    }
    pack->stride_bits = pack->count_bits = pack->reach_bits = pack->width_bits = 0;
    pack->group_count_bits = pack->entry_count_bits = pack->tile_bits = pack->listed_bits = 0;
    for (tile = 0; tile < tiles; ++tile) {
        const igs__tile *of = &plan.tiles[tile], *next = of + 1;
        pack->stride_bits = igs__more(pack->stride_bits, igs__bits_of(of->stride));
        pack->count_bits = igs__more(pack->count_bits, igs__bits_of(next->first - of->first));
        pack->reach_bits = igs__more(pack->reach_bits, igs__bits_of(of->reaching));
        pack->group_count_bits = igs__more(pack->group_count_bits, igs__bits_of(next->first_group - of->first_group));
        pack->entry_count_bits = igs__more(pack->entry_count_bits, igs__bits_of(next->first_entry - of->first_entry));
        for (k = 2; k < 5 + components; ++k)
            pack->width_bits = igs__more(pack->width_bits, igs__bits_of(of->widths[k]));
    }
    for (n = 0; n < pack->groups; ++n) {
        pack->tile_bits = igs__more(pack->tile_bits, igs__bits_of(plan.groups[n].source));
        pack->listed_bits = igs__more(pack->listed_bits, igs__bits_of(plan.groups[n].length));
    }
    pack->mask_log2 = 1; /* taken where they and the entries are at most 9/25 of heads and records */
    igs__lay_out(file, pack, &plan, &records, &listed);
    if (25 * listed > 9 * (32 * (uint64_t)pack->head_words * tiles + records)) {
        pack->mask_log2 = pack->entry_count_bits = 0;
        igs__lay_out(file, pack, &plan, &records, &listed);
    }
    pack->header_words = 27 + components + info->channels + (components * info->channels + 1) / 2;
    for (k = 0; k < file->map_count; ++k) pack->header_words += igs__derived(file, k, &x, &y);
    pack->header_words += 1 + igs__meanings(file, entries, constants, &count);
    words = 5;
    if (info->has_detail) {
        igs__make_noise(plan.noise);
        words += IGS__NOISE_WORDS + igs__detail_words(file);
    }
    if (info->is_exact) {
        pack->header_words += (info->channels + 15) / 16;
        words += (uint64_t)info->width * info->height * igs__texel_words(file);
    }
    words += igs__repeat_words(file, 1);
    if (info->has_residual) words += igs__blocks_words(&file->residual, info->channels, 1);
    words += pack->header_words + (uint64_t)pack->head_words * tiles + pack->block_words;
    if (pack->with_levels) {
        const uint64_t rest = 4 * (words - 4 - (info->has_detail ? IGS__NOISE_WORDS : 0));
        const uint64_t least = info->has_repeat ? IGS__LEAST_WITH_REPEAT : IGS__LEAST_LEVELS;
        const uint64_t most = 2 * rest / 5 > least ? 2 * rest / 5 : least;
        pack->level_words =
            (uint32_t)igs__make_levels(file, plan.levels, most, info->has_detail ? plan.noise->words : NULL);
        words += pack->level_words;
    }
    IGS__REQUIRE(4 * words <= UINT32_MAX, INDEX_LIMIT); /* shaders count words with 32 bits, and wasm bytes */
    pack->buffer_bytes = (size_t)(4 * words);
    pack->scratch = scratch;
    return IGS_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void igs__put_header(
    const igs_file* file, const igs_pack* pack, const igs__packing* plan, uint8_t* words, uint32_t levels,
    uint32_t envelope, uint32_t last
) {
    const igs_info* info = &file->info;
    const uint32_t columns = info->has_detail ? file->detail.columns : 0,
                   rows = info->has_detail ? file->detail.rows : 0;
    uint32_t head[27], at = 27, derived = 0, x, y, i, count, entries[IGS__MEANING_WORDS], constants[IGS__MEANING_WORDS];
    const uint32_t table = igs__meanings(file, entries, constants, &count);
    for (i = 0; i < file->map_count; ++i) derived += igs__derived(file, i, &x, &y);
    memset(head, 0, sizeof head);
    head[0] = 0x32425349; /* ISB2 */
    head[1] = info->width | info->height << 16;
    head[2] = info->channels | info->components << 8 | derived << 16;
    head[3] = (uint32_t)info->wrap_x | (uint32_t)info->wrap_y << 1 | (uint32_t)info->has_detail << 2 |
        (uint32_t)info->has_residual << 3 | (uint32_t)info->has_repeat << 4 | pack->images_x << 8 |
        pack->images_y << 16 | (info->is_exact ? igs__texel_words(file) << 24 : 0);
    head[4] = info->gaussians;
    head[5] = IGS__TILE_LOG2 | pack->mask_log2 << 8 | pack->position_bits << 16 | pack->offset_bits << 24;
    head[6] = pack->stride_bits | pack->count_bits << 8 | pack->reach_bits << 16 | pack->width_bits << 24;
    head[7] = pack->group_count_bits | pack->entry_count_bits << 8 | pack->tile_bits << 16 | pack->listed_bits << 24;
    head[8] = pack->head_words;
    head[9] = pack->header_words;
    head[10] = levels;
    if (levels > 0) head[11] = plan->levels->first | plan->levels->last << 8 | plan->levels->direct << 16;
    head[12] = envelope;
    head[13] = columns | rows << 16;
    head[14] = igs__more(1, (info->width + 16) / 32) | igs__more(1, (info->height + 16) / 32) << 16;
    head[15] = igs__float_bits(ldexp(1.0, igs__least_exponent(info) - 1));
    head[16] = igs__float_bits((double)info->size_step);
    head[17] = igs__float_bits((double)info->form_step);
    head[18] = igs__float_bits(exp(-(double)info->cutoff));
    head[19] = igs__float_bits((double)info->cutoff * IGS__LOG2_E);
    head[20] = igs__float_bits(-(info->feature_exponent / 16.0) * (0.5 * IGS__LOG2_E));
    head[21] = igs__float_bits((double)info->basis_scale / 32767.0);
    head[22] = last;
    head[23] = pack->header_words - 1 - table;
    for (i = 0; i < 3; ++i) head[24 + i] = ((uint32_t)pack->least[i] & 0xFFFF) | pack->least_bits[i] << 16;
    for (i = 0; i < 27; ++i) igs__put_word(words + 4 * i, head[i]);
    for (i = 0; i < info->components; ++i)
        igs__put_word(words + 4 * at++, igs__float_bits((double)file->feature_steps[i]));
    for (i = 0; i < info->channels; ++i) igs__put_word(words + 4 * at++, igs__float_bits(file->offsets[i] / 65535.0));
    for (i = 0; i < info->components * info->channels; i += 2) {
        const uint32_t other = i + 1 < info->components * info->channels ? (uint16_t)file->basis[i + 1] : 0u;
        igs__put_word(words + 4 * at++, (uint16_t)file->basis[i] | other << 16);
    }
    for (i = 0; i < file->map_count; ++i)
        if (igs__derived(file, i, &x, &y)) igs__put_word(words + 4 * at++, x | y << 8);
    for (i = 0; info->is_exact && i < info->channels; ++i)
        words[4 * at + i / 4] |= (uint8_t)(file->exact.sample_bytes[2 * i] << 2 * (i % 4));
    at = head[23];
    igs__put_word(words + 4 * at++, count);
    for (i = 0; i < 2 * count; ++i) igs__put_word(words + 4 * at++, entries[i]);
    for (i = 0; i < table - 2 * count; ++i) igs__put_word(words + 4 * at++, constants[i]);
}

static void igs__put_head(
    const igs_file* file, const igs_pack* pack, const igs__tile* tile, uint64_t offset, igs__fields* to
) {
    const igs__tile* next = tile + 1;
    const int held = tile->first < next->first;
    uint32_t k;
    igs__put(to, (uint32_t)offset, pack->offset_bits);
    igs__put(to, tile->stride, pack->stride_bits);
    igs__put(to, next->first - tile->first, pack->count_bits);
    igs__put(to, tile->reaching, pack->reach_bits);
    for (k = 0; k < 2; ++k) {
        igs__put(to, tile->shifts[k], 4);
        igs__put(to, tile->halves[k], 1);
    }
    for (k = 0; k < 3; ++k) igs__put(to, tile->widths[2 + k], pack->width_bits);
    for (k = 0; k < 3; ++k) igs__put(to, held ? (uint32_t)(tile->least[k] - pack->least[k]) : 0, pack->least_bits[k]);
    for (k = 0; k < file->info.components; ++k) igs__put(to, tile->widths[5 + k], pack->width_bits);
    igs__put(to, next->first_group - tile->first_group, pack->group_count_bits);
    if (pack->mask_log2) igs__put(to, next->first_entry - tile->first_entry, pack->entry_count_bits);
}

static void igs__put_records(
    const igs_file* file, const igs_pack* pack, const igs__packing* plan, const igs__tile* tile, igs__fields* to
) {
    const uint32_t components = file->info.components;
    const int least = igs__least_exponent(&file->info);
    uint32_t at, k;
    for (at = tile->first; at < tile[1].first; ++at) {
        const uint32_t n = (uint32_t)plan->order[at] & 0x3FFFFF;
        const int16_t *shape = file->shapes + 3 * (size_t)n, *features = file->features + (size_t)n * components;
        uint32_t within[2];
        igs__within(file, pack, n, least, within);
        for (k = 0; k < 2; ++k) igs__put(to, within[k] >> (tile->shifts[k] + tile->halves[k]), tile->widths[k]);
        for (k = 0; k < 3; ++k) igs__put(to, (uint32_t)(shape[k] - tile->least[k]), tile->widths[2 + k]);
        for (k = 0; k < components; ++k)
            igs__put(to, (uint32_t)features[k] & ((1u << tile->widths[5 + k]) - 1), tile->widths[5 + k]);
    }
}

/* Masks, far groups and far bits of a tile. */
static void igs__put_entries(
    const igs_pack* pack, const igs__packing* plan, const igs__tile* tile, uint32_t source_bits, igs__fields* to
) {
    static const uint32_t quarters[4] = {0x0033, 0x00CC, 0x3300, 0xCC00};
    uint64_t far_at;
    uint32_t block, e, group, word = 0, held = 0;
    for (block = 0; pack->mask_log2 && block < 4; ++block)
        for (e = tile->first_entry; e < tile[1].first_entry; ++e) {
            word |= (uint32_t)((plan->entries[e].mask & quarters[block]) != 0) << held;
            if (++held == 32) {
                igs__put(to, word, 32);
                word = held = 0;
            }
        }
    igs__put(to, word, held);
    far_at = to->bit + (uint64_t)(tile[1].first_group - tile->first_group) * (pack->tile_bits + pack->listed_bits);
    e = tile->first_entry;
    for (group = tile->first_group; group < tile[1].first_group; ++group) {
        igs__put(to, plan->groups[group].source, pack->tile_bits);
        igs__put(to, plan->groups[group].length, pack->listed_bits);
        for (; e < tile[1].first_entry; ++e) {
            const uint64_t key = plan->entries[e].key;
            if ((key >> (22 + source_bits) & 15) != IGS__FAR) continue;
            if (((uint32_t)(key >> 22) & ((1u << source_bits) - 1)) != plan->groups[group].source) break;
            igs__set_bit(to->bytes, far_at + (key & 0x3FFFFF));
        }
        far_at += plan->groups[group].length;
    }
    to->bit = far_at;
}

static void igs__put_tiles(const igs_file* file, const igs_pack* pack, const igs__packing* plan, uint8_t* heads) {
    const uint32_t tiles = pack->tiles_across * pack->tiles_down, source_bits = igs__bits_of(tiles - 1);
    uint64_t* near_at = plan->order_too; /* of each tile: has served for sorting */
    igs__fields to = {heads + 4 * (size_t)pack->head_words * tiles, 0};
    uint32_t tile;
    uint64_t e;
    for (tile = 0; tile < tiles; ++tile) {
        const igs__tile* of = &plan->tiles[tile];
        igs__fields head = {heads + 4 * (size_t)pack->head_words * tile, 0};
        igs__put_head(file, pack, of, to.bit, &head);
        igs__put_records(file, pack, plan, of, &to);
        near_at[tile] = to.bit;
        to.bit += 8 * (uint64_t)of->reaching;
        igs__put_entries(pack, plan, of, source_bits, &to);
    }
    for (e = 0; e < pack->entries; ++e) {
        const uint64_t key = plan->entries[e].key;
        const uint32_t kind = (uint32_t)(key >> (22 + source_bits)) & 15;
        const uint32_t source = (uint32_t)(key >> 22) & ((1u << source_bits) - 1);
        if (kind > 0 && kind < IGS__FAR)
            igs__set_bit(to.bytes, near_at[source] + (kind - 1) * plan->tiles[source].reaching + (key & 0x3FFFFF));
    }
}

static void igs__put_detail(const igs_file* file, uint8_t* words) {
    const igs_detail* detail = &file->detail;
    const uint32_t channels = file->info.channels, cells = detail->rows * detail->columns;
    uint8_t* at = words + 4 * (size_t)igs__envelope_words(file);
    uint32_t i, k, c;
    for (i = 0; i < cells; ++i) words[i / 2] |= (uint8_t)(detail->envelope[i] << 4 * (i % 2));
    igs__put_word(at, detail->components);
    at += 4;
    for (k = 0; k < detail->components; ++k, at += 16) {
        const igs__shift shift = igs__shift_of(detail, k);
        double amplitude = 1.0;
        at[0] = shift.x;
        at[1] = shift.y;
        for (i = 0; i < 8; ++i) at[4 + 4 * (i % 2) + i / 2] = detail->bands[8 * k + i];
        for (c = 0; c < channels; ++c)
            amplitude -= detail->slopes[k * channels + c] / 256.0 * (file->offsets[c] / 65535.0);
        igs__put_word(at + 12, igs__float_bits(amplitude));
    }
    for (c = 0; c < channels; ++c, at += 4)
        igs__put_word(at, igs__float_bits(igs__power_of_two(-(int)detail->scales[c]) / 127.0));
    for (k = 0; k < detail->components; ++k)
        for (c = 0; c < channels; ++c, at += 4)
            igs__put_word(
                at,
                (uint32_t)(uint16_t)detail->slopes[k * channels + c] |
                    (uint32_t)(uint8_t)detail->mixing[c * detail->components + k] << 16
            );
}

static void igs__put_exact(const igs_file* file, uint8_t* words) {
    const uint32_t channels = file->info.channels, texel_words = igs__texel_words(file);
    const size_t texels = (size_t)file->info.width * file->info.height;
    size_t i;
    uint32_t c;
    for (i = 0; i < texels; ++i) {
        igs__fields to = {words + 4 * texel_words * i, 0};
        for (c = 0; c < channels; ++c) {
            const uint32_t width = 8u * file->exact.sample_bytes[2 * c];
            if (to.bit % 32 + width > 32) to.bit = (to.bit + 31) / 32 * 32;
            igs__put(&to, file->exact.codes[i * channels + c], width);
        }
    }
}

igs_error igs_pack_write(const igs_file* file, const igs_pack* pack, void* buffer, size_t buffer_bytes) {
    const igs_info* info = &file->info;
    const uint32_t noise = info->has_detail ? IGS__NOISE_WORDS : 0, material = 4 + noise;
    const uint32_t levels =
        pack->header_words + pack->head_words * pack->tiles_across * pack->tiles_down + pack->block_words;
    const uint32_t behind = levels + pack->level_words, last = behind + igs__detail_words(file);
    uint8_t *words = (uint8_t*)buffer, *header = words + 4 * (size_t)material;
    igs__packing plan;
    IGS__REQUIRE(words != NULL && pack->buffer_bytes > 0 && buffer_bytes >= pack->buffer_bytes, ARGUMENT);
    igs__plan_packing(file, pack, (uint8_t*)pack->scratch, 0, &plan);
    memset(words, 0, pack->buffer_bytes);
    igs__put_word(words, 0x42534749); /* IGSB */
    igs__put_word(words + 4, 1);
    igs__put_word(words + 8, noise > 0 ? 4 : 0);
    igs__put_word(words + 12, material);
    igs__put_header(
        file, pack, &plan, header, pack->with_levels ? levels : 0, info->has_detail ? behind : 0,
        info->is_exact || info->has_residual || info->has_repeat ? last : 0
    );
    igs__put_tiles(file, pack, &plan, header + 4 * (size_t)pack->header_words);
    if (pack->with_levels) igs__put_levels(plan.levels, header + 4 * (size_t)levels);
    if (info->is_exact) igs__put_exact(file, header + 4 * (size_t)last);
    if (info->has_repeat) igs__put_repeat(file, header + 4 * (size_t)last);
    if (info->has_residual)
        igs__put_blocks(&file->residual, info->channels, header + 4 * (last + (size_t)igs__repeat_words(file, 1)));
    if (info->has_detail) {
        igs__put_detail(file, header + 4 * (size_t)behind);
        memcpy(words + 16, plan.noise->words, sizeof plan.noise->words);
    }
    return IGS_OK;
}

#endif /* IGS_PACK_IMPLEMENTATION */
