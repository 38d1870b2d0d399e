/* igs_levels.h: the coarse levels of a material's mip chain, for igs_pack.h: docs/gpu-buffer.md, "Levels", with the bytes
 * that `imagegs-tex emit` makes. igs_pack.h includes it, and it knows nothing of igs_pack.h; nothing in it is for callers.
 *
 * Bytes are the same wherever float and double are IEEE 754's, without wider intermediate results (not x87) and without
 * fused products, which is asked for here. Everything is done in the order in which imagegs_tex does it:
 * decoder/level_render.py draws, shaders/coarse_levels.py and level_blocks.py code whole numbers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef IGS_LEVELS_H
#define IGS_LEVELS_H

#include "igs_words.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#define IGS__MOST_SIDE 16u
#define IGS__FIRST_LEVEL 2u
#define IGS__DIRECT_LEVEL 4u
#define IGS__MOST_SETS 7u /* levels 2, 3, 4, 7, 10, 13 of 2^14 texels, and one more */
#define IGS__MOST_VALUES (IGS_MAX_CHANNELS + 256u)
#define IGS__DRAWN 64 /* texels across a tile that is drawn */
#define IGS__CLASSES 4u
#define IGS__WIDEST 15
#define IGS__PLANNED 2048u /* blocks by which widths are chosen, at most */
#define IGS__SEARCHED 256u /* and by which the step is searched for */
#define IGS__SIZE_MAX (1 << 21)
#define IGS__PRICE 473
#define IGS__STEPS 577u

/* What a row of texels sees of a Gaussian: q log2(e) = across u^2 + along dy^2 with u = dx + slant dy. */
typedef struct igs__drawn {
    double x, y, slant, along, reach_x, reach_y;
    float across, share;
} igs__drawn;

typedef struct igs__image {
    double x, y;
    uint32_t n;
} igs__image;

typedef struct igs__place { /* of a texel along an axis, in the two grids of blocks of noise */
    int32_t block[2], local[2], place, low, high;
    float share;
} igs__place;

/* A stored picture: coefficients in 2^-22, in blocks of [V][16]. */
typedef struct igs__set {
    uint32_t level, across, down, blocks_across, blocks; /* texels, blocks */
    int32_t* coefficients;
    uint8_t* classes;
    int16_t *mean, *axes; /* [V], [V][V] */
    uint8_t* widths;      /* [4][V][16] */
    uint32_t step, components, tables, groups, records, words;
    uint32_t counts[IGS__CLASSES], bits[IGS__CLASSES];
    uint32_t at; /* word, counted from that of the levels; 0: nothing is stored */
} igs__set;

/* Blocks of cosines in every cell of a lattice; a residual's are of one cell without an end. */
typedef struct igs__layer {
    const igs_residual* blocks;
    const int8_t* weights; /* [V][cells] */
    uint32_t period_x, period_y, origin_x, origin_y, shift, cells_across, cells;
    uint32_t* firsts; /* [blocks + 1] first coefficients */
    double* basis;    /* [K'][C] */
    double* sums;     /* [K'][16] of texels */
    double functions
        [IGS__MOST_SIDE * 2 * IGS__MOST_SIDE]; /* [frequency][2 sides]: at texels of a level, or their means there */
    uint8_t down[IGS__MOST_PLACES], across[IGS__MOST_PLACES];
} igs__layer;

typedef struct igs__levels {
    uint32_t first, direct, last, values, set_count, derived[2 * 256];
    igs__set sets[IGS__MOST_SETS];
    igs__drawn* drawn;    /* [N] */
    float* features;      /* [N][K] */
    igs__image* images;   /* most of any level */
    uint32_t* entries;    /* likewise, images by tile */
    uint32_t* starts;     /* [tiles + 1] */
    float* sums;          /* [K + 1][64] */
    float* value;         /* [V][64] */
    float* noise;         /* [noise components][4096] */
    float* basis;         /* [K][C] */
    igs__place* places;   /* [width] */
    igs__layer layers[2]; /* repeat and residual, as far as the file has them */
    uint32_t layer_count;
    float* added;                  /* [C][64] */
    uint32_t* sums_2;              /* of level 2, in 2^-16 */
    int64_t *sums_odd, *sums_even; /* of the others */
    int32_t* picture;              /* in 2^-20, of whole blocks */
    int64_t* moments;              /* [V][V] */
    double *matrix, *turned;       /* [V][V] */
    int32_t* sizes;                /* [V][16][blocks at a time], in 1/64 steps */
    uint8_t *planned, *chosen;     /* classes of the blocks that are planned with */
    int64_t* costs;                /* [4][blocks] */
    uint64_t *keys, *keys_too;     /* [blocks] */
} igs__levels;

/* ---- e^x as shaders never need it and Python repeats it ------------------------------------------------------------ */

static double igs__plain_exp(double x) {
    const double whole = floor(x * IGS__LOG2_E + 0.5);
    const double rest = (x - whole * 0.6931471803691238) - whole * 1.9082149292705877e-10;
    double series = 1.0;
    int term;
    for (term = 14; term > 0; --term) series = series * rest / term + 1.0;
    return ldexp(series, (int)whole);
}

static double igs__widening(uint32_t level) { return (double)(((uint32_t)1 << 2 * level) - 1) / 12.0; }

static igs__drawn igs__drawn_of(const igs_file* file, uint32_t n, double widening) {
    const igs_info* info = &file->info;
    const int16_t* shape = file->shapes + 3 * (size_t)n;
    const double m = shape[0] * (double)info->size_step, h = shape[1] * (double)info->form_step;
    const double b = shape[2] * (double)info->form_step, r = sqrt(h * h + b * b);
    const double grown = igs__plain_exp(r), scale = igs__plain_exp(-m), cosine = 0.5 * (grown + 1.0 / grown);
    const double sine = r > 0.0 ? 0.5 * (grown - 1.0 / grown) / r : 1.0, determinant = scale * scale;
    const double conic_a = scale * (cosine - h * sine), conic_b = -scale * b * sine;
    const double conic_c = scale * (cosine + h * sine);
    const double wide_a = conic_a + widening * determinant, wide_c = conic_c + widening * determinant;
    const double shrunk = 1.0 / (1.0 + widening * (conic_a + conic_c) + widening * widening * determinant);
    const double spread = sqrt(shrunk);
    igs__drawn drawn;
    drawn.x = ldexp(file->positions[2 * (size_t)n] + 0.5, file->exponents[2 * (size_t)n]);
    drawn.y = ldexp(file->positions[2 * (size_t)n + 1] + 0.5, file->exponents[2 * (size_t)n + 1]);
    drawn.slant = conic_b / wide_a;
    drawn.across = (float)(0.5 * IGS__LOG2_E * wide_a * shrunk);
    drawn.along = 0.5 * IGS__LOG2_E * determinant / wide_a;
    drawn.reach_x = sqrt(2.0 * (double)info->cutoff * wide_c / determinant) + 1.0;
    drawn.reach_y = sqrt(2.0 * (double)info->cutoff * wide_a / determinant) + 1.0;
    drawn.share = (float)(spread * (0.5 + 0.5 * spread));
    return drawn;
}

/* First and last tile along an axis that a support may reach, of so many of 64 << level texels. */
static void igs__tiles_along(
    double middle, double reach, uint32_t level, uint32_t tiles, uint32_t* first, uint32_t* last
) {
    const double scale = 1.0 / (double)((uint32_t)IGS__DRAWN << level), most = tiles - 1;
    *first = (uint32_t)igs__held(floor((middle - reach) * scale), 0.0, most);
    *last = (uint32_t)igs__held(floor((middle + reach) * scale), 0.0, most);
}

static uint32_t igs__drawn_tiles(uint32_t side, uint32_t level) {
    const uint32_t texels = (side + (1u << level) - 1) >> level;
    return (texels + IGS__DRAWN - 1) / IGS__DRAWN;
}

/* Counts the images of a level and their entries in tiles, or writes them down. */
static void igs__list_images(
    const igs_file* file, igs__levels* levels, uint32_t level, int write, uint64_t* image_count, uint64_t* entry_count
) {
    const igs_info* info = &file->info;
    const uint32_t across = igs__drawn_tiles(info->width, level), down = igs__drawn_tiles(info->height, level);
    uint32_t n, tile;
    if (write) memset(levels->starts, 0, ((size_t)across * down + 2) * sizeof *levels->starts);
    *image_count = *entry_count = 0;
    for (n = 0; n < info->gaussians; ++n) {
        const igs__drawn drawn = write ? levels->drawn[n] : igs__drawn_of(file, n, igs__widening(level));
        const double width = info->width, height = info->height;
        const int32_t first_x = info->wrap_x ? (int32_t)ceil((-drawn.x - drawn.reach_x) / width) : 0;
        const int32_t last_x = info->wrap_x ? (int32_t)floor((width - drawn.x + drawn.reach_x) / width) : 0;
        const int32_t first_y = info->wrap_y ? (int32_t)ceil((-drawn.y - drawn.reach_y) / height) : 0;
        const int32_t last_y = info->wrap_y ? (int32_t)floor((height - drawn.y + drawn.reach_y) / height) : 0;
        int32_t i, j;
        if (*image_count > IGS__MOST_PAIRS || *entry_count > IGS__MOST_PAIRS) return; /* is refused */
        for (j = first_y; j <= last_y; ++j)
            for (i = first_x; i <= last_x; ++i) {
                const double x = drawn.x + i * width, y = drawn.y + j * height;
                uint32_t left, right, top, bottom, row, column;
                igs__tiles_along(x, drawn.reach_x, level, across, &left, &right);
                igs__tiles_along(y, drawn.reach_y, level, down, &top, &bottom);
                *entry_count += (uint64_t)(right - left + 1) * (bottom - top + 1);
                if (write) {
                    igs__image* image = &levels->images[*image_count];
                    image->x = x;
                    image->y = y;
                    image->n = n;
                    for (row = top; row <= bottom; ++row)
                        for (column = left; column <= right; ++column) ++levels->starts[row * across + column + 2];
                }
                ++*image_count;
            }
    }
    if (!write) return;
    for (tile = 0; tile < across * down; ++tile) levels->starts[tile + 1] += levels->starts[tile];
    for (n = 0; n < *image_count; ++n) { /* in their order; what has been a tile's start becomes the next one's */
        const igs__image* image = &levels->images[n];
        const igs__drawn* drawn = &levels->drawn[image->n];
        uint32_t left, right, top, bottom, row, column;
        igs__tiles_along(image->x, drawn->reach_x, level, across, &left, &right);
        igs__tiles_along(image->y, drawn->reach_y, level, down, &top, &bottom);
        for (row = top; row <= bottom; ++row)
            for (column = left; column <= right; ++column)
                levels->entries[levels->starts[row * across + column + 1]++] = n;
    }
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

/* Adds a Gaussian to columns of a row, four at a time: weights to the first 64 sums, weighted features to the others. What
 * is beyond the support weighs nothing. */
#if defined(__SSE2__)
static void igs__add_row(
    float* sums, int low, int high, float corner, const igs__drawn* drawn, float rest, float edge,
    const float* features, uint32_t components, float side
) {
    const __m128 scale = _mm_set1_ps(drawn->across), above = _mm_set1_ps(rest), share = _mm_set1_ps(drawn->share);
    const __m128 from = _mm_set1_ps(corner), limit = _mm_set1_ps(edge);
    int i;
    for (i = low & ~3; i < high; i += 4) {
        const float first = (float)i;
        const __m128 column = _mm_mul_ps(
            _mm_add_ps(_mm_set_ps(first + 3.5f, first + 2.5f, first + 1.5f, first + 0.5f), _mm_setzero_ps()),
            _mm_set1_ps(side)
        );
        const __m128 u = _mm_add_ps(column, from);
        const __m128 t = _mm_min_ps(_mm_add_ps(_mm_mul_ps(_mm_mul_ps(scale, u), u), above), _mm_set1_ps(126.0f));
        const __m128i whole = _mm_cvttps_epi32(t);
        const __m128 x = _mm_sub_ps(_mm_cvtepi32_ps(whole), t);
        const __m128i bits = _mm_slli_epi32(_mm_sub_epi32(_mm_set1_epi32(127), whole), 23);
        __m128 power = _mm_add_ps(_mm_mul_ps(_mm_set1_ps(0.0009449f), x), _mm_set1_ps(0.0092058f)), weight;
        uint32_t k;
        power = _mm_add_ps(_mm_mul_ps(power, x), _mm_set1_ps(0.05529736f));
        power = _mm_add_ps(_mm_mul_ps(power, x), _mm_set1_ps(0.24018014f));
        power = _mm_add_ps(_mm_mul_ps(power, x), _mm_set1_ps(0.69314372f));
        power = _mm_add_ps(_mm_mul_ps(power, x), _mm_set1_ps(1.0f));
        weight = _mm_sub_ps(_mm_mul_ps(power, _mm_castsi128_ps(bits)), limit);
        weight = _mm_mul_ps(_mm_max_ps(weight, _mm_setzero_ps()), share);
        _mm_storeu_ps(sums + i, _mm_add_ps(_mm_loadu_ps(sums + i), weight));
        for (k = 0; k < components; ++k) {
            float* at = sums + (k + 1) * IGS__DRAWN + i;
            _mm_storeu_ps(at, _mm_add_ps(_mm_loadu_ps(at), _mm_mul_ps(weight, _mm_set1_ps(features[k]))));
        }
    }
}
#else
static void igs__add_row(
    float* sums, int low, int high, float corner, const igs__drawn* drawn, float rest, float edge,
    const float* features, uint32_t components, float side
) {
    float weight[IGS__DRAWN];
    uint32_t k;
    int i;
    for (i = low; i < high; ++i) {
        const float u = ((float)i + 0.5f) * side + corner;
        float t = drawn->across * u * u + rest, x, power, whole_power;
        int32_t whole;
        uint32_t bits;
        t = t < 126.0f ? t : 126.0f;
        whole = (int32_t)t;
        x = (float)whole - t;
        power = ((((0.0009449f * x + 0.0092058f) * x + 0.05529736f) * x + 0.24018014f) * x + 0.69314372f) * x + 1.0f;
        bits = (uint32_t)(127 - whole) << 23;
        memcpy(&whole_power, &bits, sizeof bits);
        power = power * whole_power - edge;
        weight[i] = (power > 0.0f ? power : 0.0f) * drawn->share;
    }
    for (i = low; i < high; ++i) sums[i] += weight[i];
    for (k = 0; k < components; ++k) {
        float* at = sums + (k + 1) * IGS__DRAWN;
        const float feature = features[k];
        for (i = low; i < high; ++i) at[i] += weight[i] * feature;
    }
}
#endif

/* cos(i pi / 32): a library's may differ in the last bit. */
static const double igs__quarter[17] = {
    1.0,
    0.9951847266721969,
    0.9807852804032304,
    0.9569403357322088,
    0.9238795325112867,
    0.881921264348355,
    0.8314696123025452,
    0.773010453362737,
    0.7071067811865476,
    0.6343932841636455,
    0.5555702330196022,
    0.47139673682599764,
    0.3826834323650898,
    0.2902846772544624,
    0.19509032201612828,
    0.0980171403295606,
    0.0,
};

/* The cosine of an angle in 1/64 of a whole circle. */
static double igs__turn_cosine(uint32_t turns) {
    const uint32_t within = turns % 64, folded = within < 32 ? within : 64 - within;
    return folded > 16 ? -igs__quarter[32 - folded] : igs__quarter[folded];
}

/* The first level that is stored itself: texels of those before it lie within a repeat's blocks. */
static uint32_t igs__direct_level(const igs_file* file) {
    if (file->info.is_exact) return IGS__FIRST_LEVEL;
    if (file->info.has_repeat && file->repeat.blocks.side_log2 < IGS__DIRECT_LEVEL)
        return file->repeat.blocks.side_log2 + 1;
    return IGS__DIRECT_LEVEL;
}

static igs__layer* igs__take_layer(
    const igs_file* file, const igs_residual* blocks, igs__arena* arena, igs__levels* levels
) {
    igs__layer* layer = &levels->layers[levels->layer_count++];
    layer->blocks = blocks;
    layer->firsts = IGS__ARRAY(arena, uint32_t, (uint64_t)blocks->blocks_across * blocks->blocks_down + 1);
    layer->basis = IGS__ARRAY(arena, double, blocks->components * file->info.channels);
    layer->sums = IGS__ARRAY(arena, double, blocks->components* IGS__MOST_SIDE);
    return layer;
}

static void igs__take_layers(const igs_file* file, igs__arena* arena, igs__levels* levels) {
    const igs_info* info = &file->info;
    levels->layer_count = 0;
    if (info->has_repeat) {
        const igs_repeat* repeat = &file->repeat;
        igs__layer* layer = igs__take_layer(file, &repeat->blocks, arena, levels);
        layer->weights = repeat->weights;
        layer->period_x = repeat->period_x;
        layer->period_y = repeat->period_y;
        layer->origin_x = repeat->origin_x;
        layer->origin_y = repeat->origin_y;
        layer->shift = repeat->shift;
        layer->cells_across = repeat->cells_across;
        layer->cells = repeat->cells_across * repeat->cells_down;
    }
    if (info->has_residual) {
        igs__layer* layer = igs__take_layer(file, &file->residual, arena, levels);
        layer->period_x = info->width;
        layer->period_y = info->height;
        layer->origin_x = layer->origin_y = layer->shift = 0;
        layer->cells_across = layer->cells = 1;
    }
    if (levels->layer_count > 0) levels->added = IGS__ARRAY(arena, float, info->channels* IGS__DRAWN);
}

static void igs__begin_layer(igs__layer* layer, uint32_t channels) {
    const igs_residual* blocks = layer->blocks;
    uint32_t i;
    layer->firsts[0] = 0;
    for (i = 0; i < blocks->blocks_across * blocks->blocks_down; ++i)
        layer->firsts[i + 1] = layer->firsts[i] + blocks->counts[i];
    for (i = 0; i < blocks->components * channels; ++i) layer->basis[i] = blocks->basis[i] / 32767.0;
    igs__find_frequencies(1u << blocks->side_log2, layer->down, layer->across);
}

/* The functions at the middles of a level's texels, counted from the block's edge: those of level 0 lie between whole texels.
 * Of other levels they are means over such a texel, whose middle is there. */
static void igs__find_functions(igs__layer* layer, uint32_t level) {
    const uint32_t side = 1u << layer->blocks->side_log2, unit = 16 / side;
    uint32_t frequency, texel, step;
    for (frequency = 0; frequency < side; ++frequency) {
        const double scale = sqrt((frequency == 0 ? 1.0 : 2.0) / side);
        double mean = 1.0;
        for (step = 0; step < level; ++step) mean *= igs__turn_cosine((frequency << step) * unit);
        for (texel = 0; texel < 2 * side; ++texel)
            layer->functions[frequency * 2 * side + texel] =
                igs__turn_cosine((2 * texel + (level == 0)) * frequency * unit) * scale * mean;
    }
}

/* Where a texel of a level has its middle, in texels of the picture, rounded down. */
static uint32_t igs__middle(uint32_t texel, uint32_t level) {
    return level == 0 ? texel : (2 * texel + 1) << (level - 1);
}

/* Sums up a cell's block at so many of a row's texels, the first one at a place within the block, by components. */
static void igs__sum_block(
    const igs__layer* layer, uint32_t block, uint32_t cell, const double* down, uint32_t within, uint32_t step,
    uint32_t count
) {
    const igs_residual* blocks = layer->blocks;
    const uint32_t side = 1u << blocks->side_log2, components = blocks->components;
    const uint32_t last = layer->firsts[block + 1];
    uint32_t at = layer->firsts[block], i;
    memset(layer->sums, 0, components * IGS__MOST_SIDE * sizeof *layer->sums);
    while (at < last) {
        const uint32_t component = (uint32_t)blocks->places[at] >> 2 * blocks->side_log2,
                       picture = component / components;
        double own[IGS__MOST_SIDE] = {0.0}, *sum = layer->sums + component % components * IGS__MOST_SIDE;
        const double weight = picture == 0 ? 1.0 : layer->weights[(size_t)(picture - 1) * layer->cells + cell] / 64.0;
        for (; at < last && (uint32_t)blocks->places[at] >> 2 * blocks->side_log2 == component; ++at) {
            const uint32_t place = blocks->places[at] & (side * side - 1);
            const int32_t code = blocks->values[at], size = code < 0 ? -code : code;
            const double exact = size + blocks->offsets[(size < 3 ? size : 3) - 1] / 128.0;
            const double value = (code < 0 ? -exact : exact) * (double)blocks->step,
                         scale = down[layer->down[place] * 2 * side];
            const double* across = layer->functions + layer->across[place] * 2 * side + within;
            if (step == 1)
                for (i = 0; i < count; ++i) own[i] += value * (scale * across[i]);
            else
                for (i = 0; i < count; ++i) own[i] += value * (scale * across[i * step]);
        }
        for (i = 0; i < count; ++i) sum[i] += own[i] * weight;
    }
}

/* Adds a layer to a row of a tile of a level: docs/igs-format.md, "Residual" and "Repeat". */
static void igs__add_layer(
    const igs_info* info, const igs__layer* layer, uint32_t level, uint32_t left, uint32_t row, uint32_t count,
    float* added
) {
    const igs_residual* blocks = layer->blocks;
    const uint32_t log2 = blocks->side_log2, side = 1u << log2, components = blocks->components;
    const uint32_t y = igs__middle(row, level), at_y = igs__less(y, info->height - 1) + layer->origin_y;
    const uint32_t cell_row = at_y / layer->period_y, local_y = at_y % layer->period_y;
    const uint32_t offset = (layer->origin_x + cell_row * layer->shift) % layer->period_x;
    const double* down = layer->functions + (local_y & (side - 1)) + (y + layer->origin_y - at_y);
    uint32_t first, run, c, k, i;
    for (first = 0; first < count; first += run) {
        const uint32_t x = igs__middle(left + first, level), at = igs__less(x, info->width - 1) + offset;
        const uint32_t local = at % layer->period_x, within = local & (side - 1);
        const uint32_t block = (local_y >> log2) * blocks->blocks_across + (local >> log2);
        const uint32_t rest =
            igs__less(side - within, layer->period_x - local); /* texels to the block's or the cell's end */
        run = igs__less(((rest - 1) >> level) + 1, count - first);
        if (layer->firsts[block] == layer->firsts[block + 1]) continue;
        igs__sum_block(
            layer, block, cell_row * layer->cells_across + at / layer->period_x, down, within + (x + offset - at),
            (uint32_t)1 << level, run
        );
        for (c = 0; c < info->channels; ++c)
            for (i = 0; i < run; ++i) {
                double total = 0.0;
                for (k = 0; k < components; ++k)
                    total += layer->sums[k * IGS__MOST_SIDE + i] * layer->basis[k * info->channels + c];
                added[c * IGS__DRAWN + first + i] += (float)total;
            }
    }
}

/* Adds to a row what lies beside its Gaussians: of levels whose texels are larger than its blocks no residual. */
static void igs__add_layers(
    const igs_file* file, igs__levels* levels, uint32_t level, uint32_t left, uint32_t row, uint32_t count
) {
    const uint32_t size = file->info.channels * IGS__DRAWN;
    uint32_t i;
    if (levels->layer_count == 0) return;
    memset(levels->added, 0, size * sizeof *levels->added);
    for (i = 0; i < levels->layer_count; ++i)
        if (level <= levels->layers[i].blocks->side_log2)
            igs__add_layer(&file->info, &levels->layers[i], level, left, row, count, levels->added);
    for (i = 0; i < size; ++i) levels->value[i] += levels->added[i];
}

static uint32_t igs__hash(uint32_t h) {
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h *= 0x846CA68Bu;
    return h ^ h >> 16;
}

static igs__place igs__place_of(uint32_t texel, uint32_t length, uint32_t cells, int repeats) {
    const int64_t count = igs__more(1, (length + 16) / 32), t = texel, side = length;
    const int64_t first = t * count / side, second = (2 * t * count + side) / (2 * side);
    const int64_t scaled = (2 * t + 1) * (int64_t)cells - side, low = igs__floor_div(scaled, 2 * side);
    igs__place found;
    found.block[0] = (int32_t)first;
    found.block[1] = (int32_t)(second % count);
    found.local[0] = (int32_t)(t + igs__floor_div(-first * side, count));
    found.local[1] = (int32_t)(t + igs__floor_div(-(2 * second - 1) * side, 2 * count));
    found.place = (int32_t)(t * count % side * 256 / side);
    found.share = (float)((double)(scaled - low * 2 * side) / (double)(2 * side));
    if (repeats) {
        found.low = (int32_t)((low + cells) % cells);
        found.high = (int32_t)((low + 1) % cells);
    } else {
        found.low = (int32_t)igs__clamp(low, 0, (int64_t)cells - 1);
        found.high = (int32_t)igs__clamp(low + 1, 0, (int64_t)cells - 1);
    }
    return found;
}

static float igs__envelope_value(uint32_t code) {
    return code == 0 ? 0.0f : (float)igs__power_of_two(4 * (int)code - 40);
}

/* The noise of each component at each word of the tile. */
static void igs__take_noise(const igs_detail* detail, float* noise, const uint8_t* words) {
    uint32_t i, k, band;
    for (k = 0; k < detail->components; ++k)
        for (i = 0; i < IGS__NOISE_WORDS; ++i) {
            int32_t whole = 0;
            for (band = 0; band < 8; ++band)
                whole += ((words[4 * i + band / 2] >> 4 * (band & 1) & 15) - 8) * detail->bands[8 * k + band];
            noise[(size_t)k * IGS__NOISE_WORDS + i] = (float)(whole / 255.0);
        }
}

/* Adds noise to a row of a tile: docs/igs-format.md, "Detail". */
static void igs__add_detail(
    const igs_file* file, const igs__levels* levels, uint32_t left, uint32_t row, uint32_t count, const float* offset
) {
    static const uint8_t layers[17][2] = {{0, 12}, {1, 12}, {2, 12}, {3, 12}, {4, 11}, {6, 11}, {7, 10}, {8, 9}, {9, 8},
                                          {10, 7}, {11, 6}, {11, 4}, {12, 3}, {12, 2}, {12, 1}, {12, 0}, {12, 0}};
    const igs_info* info = &file->info;
    const igs_detail* detail = &file->detail;
    const igs__place y = igs__place_of(row, info->height, detail->rows, info->wrap_y);
    const uint32_t channels = info->channels, components = detail->components;
    uint32_t i, c, k, layer;
    for (i = 0; i < count; ++i) {
        const igs__place* x = &levels->places[left + i];
        const uint8_t *above = detail->envelope + (size_t)y.low * detail->columns,
                      *below = detail->envelope + (size_t)y.high * detail->columns;
        const float to_x = x->share, to_y = y.share;
        const float upper =
            igs__envelope_value(above[x->low]) * (1.0f - to_x) + igs__envelope_value(above[x->high]) * to_x;
        const float lower =
            igs__envelope_value(below[x->low]) * (1.0f - to_x) + igs__envelope_value(below[x->high]) * to_x;
        const float envelope = upper * (1.0f - to_y) + lower * to_y;
        const int32_t border = igs__least(igs__least(x->place, 255 - x->place), igs__least(y.place, 255 - y.place));
        const int32_t off_x = x->place - 128, off_y = y.place - 128;
        const int32_t middle = igs__least(off_x < 0 ? -off_x : off_x, off_y < 0 ? -off_y : off_y);
        const int32_t step = border + middle > 0 ? 16 * border / (border + middle) : 8;
        uint32_t place_x[2], place_y[2];
        float added[IGS_MAX_CHANNELS] = {0};
        for (layer = 0; layer < 2; ++layer) {
            const uint32_t number = (uint32_t)y.block[layer] * 4096u + (uint32_t)x->block[layer];
            const uint32_t hash = igs__hash(2 * number + layer);
            place_x[layer] = (uint32_t)x->local[layer] + (hash & 63);
            place_y[layer] = (uint32_t)y.local[layer] + (hash >> 6 & 63);
        }
        for (k = 0; k < components; ++k) {
            const igs__shift shift = igs__shift_of(detail, k);
            const float* tile = levels->noise + (size_t)k * IGS__NOISE_WORDS;
            float noise = 0.0f, growth = 0.0f, strength;
            for (layer = 0; layer < 2; ++layer)
                noise += (float)layers[step][layer] / 33.0f *
                    tile[((place_y[layer] + shift.y) & 63) << 6 | ((place_x[layer] + shift.x) & 63)];
            for (c = 0; c < channels; ++c) {
                const float slope = (float)((double)detail->slopes[k * channels + c] / 256.0);
                const float term = (levels->value[c * IGS__DRAWN + i] - offset[c]) * slope;
                growth = c == 0 ? term : growth + term;
            }
            strength = 1.0f + growth;
            strength = strength < 0.0f ? 0.0f : strength > 8.0f ? 8.0f : strength;
            strength = noise * strength * envelope;
            for (c = 0; c < channels; ++c) {
                const double mixed =
                    detail->mixing[c * components + k] / 127.0 * igs__power_of_two(-(int)detail->scales[c]);
                added[c] += strength * (float)mixed;
            }
        }
        for (c = 0; c < channels; ++c) {
            const float value = levels->value[c * IGS__DRAWN + i] + added[c];
            levels->value[c * IGS__DRAWN + i] = value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value;
        }
    }
}

/* z of normals whose x and y are coded, behind the channels; then whole numbers, added to level 2 or taken off the
 * picture of a level that is a difference. */
static void igs__put_row(
    const igs_file* file, igs__levels* levels, uint32_t level, uint32_t left, uint32_t row, uint32_t count
) {
    const uint32_t values = levels->values, channels = file->info.channels;
    const uint32_t across = (file->info.width + 3) >> 2;
    uint32_t v, i;
    for (v = channels; v < values; ++v) {
        const float *x = levels->value + levels->derived[2 * (v - channels)] * IGS__DRAWN,
                    *y = levels->value + levels->derived[2 * (v - channels) + 1] * IGS__DRAWN;
        for (i = 0; i < count; ++i) {
            const float side_x = 2.0f * x[i] - 1.0f, side_y = 2.0f * y[i] - 1.0f;
            const float rest = 1.0f - (side_x * side_x + side_y * side_y);
            levels->value[v * IGS__DRAWN + i] = 0.5f * sqrtf(rest > 0.0f ? rest : 0.0f) + 0.5f;
        }
    }
    for (v = 0; v < values; ++v) {
        const float* value = levels->value + v * IGS__DRAWN;
        if (level == 0) {
            uint32_t* sums = levels->sums_2 + ((size_t)(row >> 2) * across + (left >> 2)) * values + v;
            for (i = 0; i < count; ++i) sums[(i >> 2) * values] += (uint32_t)(value[i] * 65536.0f + 0.5f);
        } else {
            const igs__set* set = &levels->sets[level - levels->first];
            int32_t* picture = levels->picture + ((size_t)row * 4 * set->blocks_across + left) * values + v;
            for (i = 0; i < count; ++i) picture[i * values] -= (int32_t)(value[i] * 65536.0f + 0.5f) * 16;
        }
    }
}

static void igs__draw_row(
    const igs_file* file, igs__levels* levels, uint32_t level, uint32_t tile, uint32_t left, uint32_t row,
    uint32_t count
) {
    const igs_info* info = &file->info;
    const uint32_t components = info->components, channels = info->channels;
    const double side = (double)((uint32_t)1 << level), y = (row + 0.5) * side;
    const double limit = (double)info->cutoff * IGS__LOG2_E + 0.001;
    const float edge = (float)igs__plain_exp(-(double)info->cutoff);
    float offset[IGS_MAX_CHANNELS], *sums = levels->sums;
    uint32_t e, k, c, i;
    memset(sums, 0, (components + 1) * IGS__DRAWN * sizeof *sums);
    for (e = levels->starts[tile]; e < levels->starts[tile + 1]; ++e) {
        const igs__image* image = &levels->images[levels->entries[e]];
        const igs__drawn* drawn = &levels->drawn[image->n];
        const double dy = y - image->y, rest = drawn->along * dy * dy;
        double corner, half, low, high;
        if (rest >= limit) continue;
        corner = (left * side - image->x) + drawn->slant * dy;
        half = sqrt((limit - rest) / (double)drawn->across);
        low = floor((-half - corner) / side - 0.5);
        high = ceil((half - corner) / side - 0.5) + 1.0;
        low = low < 0.0 ? 0.0 : low;
        high = high > count ? count : high;
        if (low >= high) continue;
        igs__add_row(
            sums, (int)low, (int)high, (float)corner, drawn, (float)rest, edge,
            levels->features + (size_t)image->n * components, components, (float)side
        );
    }
    for (i = 0; i < IGS__DRAWN; ++i) sums[i] = 1.0f / (1.0f / 65536.0f + sums[i]);
    for (k = 1; k <= components; ++k)
        for (i = 0; i < IGS__DRAWN; ++i) sums[k * IGS__DRAWN + i] *= sums[i];
    for (c = 0; c < channels; ++c) {
        float* value = levels->value + c * IGS__DRAWN;
        offset[c] = (float)(file->offsets[c] / 65535.0);
        for (i = 0; i < IGS__DRAWN; ++i) value[i] = offset[c];
        for (k = 0; k < components; ++k) {
            const float factor = levels->basis[k * channels + c];
            const float* sum = sums + (k + 1) * IGS__DRAWN;
            for (i = 0; i < IGS__DRAWN; ++i) value[i] += factor * sum[i];
        }
    }
    igs__add_layers(file, levels, level, left, row, count);
    for (i = 0; i < channels * IGS__DRAWN; ++i) {
        const float value = levels->value[i];
        levels->value[i] = value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value;
    }
    if (level == 0 && info->has_detail) igs__add_detail(file, levels, left, row, count, offset);
    igs__put_row(file, levels, level, left, row, count);
}

/* Draws a level, every Gaussian widened by its texels. */
static void igs__draw(const igs_file* file, igs__levels* levels, uint32_t level) {
    const igs_info* info = &file->info;
    const uint32_t width = (info->width + (1u << level) - 1) >> level,
                   height = (info->height + (1u << level) - 1) >> level;
    const uint32_t across = igs__drawn_tiles(info->width, level), down = igs__drawn_tiles(info->height, level);
    uint64_t images, entries;
    uint32_t n, tile;
    for (n = 0; n < info->gaussians; ++n) levels->drawn[n] = igs__drawn_of(file, n, igs__widening(level));
    for (n = 0; n < levels->layer_count; ++n) igs__find_functions(&levels->layers[n], level);
    igs__list_images(file, levels, level, 1, &images, &entries);
    for (tile = 0; tile < across * down; ++tile) {
        const uint32_t left = tile % across * IGS__DRAWN, top = tile / across * IGS__DRAWN;
        const uint32_t count = width - left < IGS__DRAWN ? width - left : IGS__DRAWN;
        uint32_t row;
        for (row = top; row < top + IGS__DRAWN && row < height; ++row)
            igs__draw_row(file, levels, level, tile, left, row, count);
    }
}

/* The texels of exact samples, likewise. */
static void igs__put_samples(const igs_file* file, igs__levels* levels) {
    const igs_info* info = &file->info;
    uint32_t row, left, i, c;
    for (row = 0; row < info->height; ++row)
        for (left = 0; left < info->width; left += IGS__DRAWN) {
            const uint32_t count = info->width - left < IGS__DRAWN ? info->width - left : IGS__DRAWN;
            for (c = 0; c < info->channels; ++c) {
                const double scale = 1.0 / ((double)((uint32_t)1 << 8 * file->exact.sample_bytes[2 * c]) - 1.0);
                const uint32_t* codes = file->exact.codes + ((size_t)row * info->width + left) * info->channels + c;
                for (i = 0; i < count; ++i)
                    levels->value[c * IGS__DRAWN + i] = (float)(codes[(size_t)i * info->channels] * scale);
            }
            igs__put_row(file, levels, 0, left, row, count);
        }
}

/* ---- pictures to coefficients -------------------------------------------------------------------------------------- */

static uint32_t igs__covered(uint32_t side, uint32_t level, uint32_t at) { /* texels of the picture */
    const uint32_t rest = side - (at << level);
    return rest < 1u << level ? rest : 1u << level;
}

/* Means of a set's texels into the picture, from sums of level 2 or of the level's own. */
static void igs__put_means(const igs_info* info, igs__levels* levels, const igs__set* set, const int64_t* sums) {
    const uint32_t values = levels->values;
    uint32_t row, column, v;
    for (row = 0; row < set->down; ++row)
        for (column = 0; column < set->across; ++column) {
            const int64_t count =
                (int64_t)igs__covered(info->height, set->level, row) * igs__covered(info->width, set->level, column);
            const size_t from = ((size_t)row * set->across + column) * values;
            int32_t* to = levels->picture + ((size_t)row * 4 * set->blocks_across + column) * values;
            for (v = 0; v < values; ++v) {
                const int64_t sum = sums == NULL ? (int64_t)levels->sums_2[from + v] : sums[from + v];
                to[v] = (int32_t)((sum * 32 + count) / (2 * count));
            }
        }
}

/* Fills the picture up to whole blocks: where 2 x 2 or 4 x 4 texels are partly inside, by the mean of those. */
static void igs__fill(igs__levels* levels, const igs__set* set) {
    const uint32_t values = levels->values, stride = 4 * set->blocks_across,
                   rows = 4 * (set->blocks / set->blocks_across);
    uint32_t side, row, column, y, x, v, across = set->across, down = set->down;
    for (side = 2; side <= 4; side *= 2) {
        for (row = 0; row < rows; row += side)
            for (column = 0; column < stride; column += side) {
                const uint32_t inside_x = column >= across ? 0 : across - column < side ? across - column : side;
                const uint32_t inside_y = row >= down ? 0 : down - row < side ? down - row : side;
                const int64_t count = (int64_t)inside_x * inside_y;
                if (count == (int64_t)side * side) continue;
                for (v = 0; v < values; ++v) {
                    int64_t sum = 0;
                    for (y = 0; y < inside_y; ++y)
                        for (x = 0; x < inside_x; ++x)
                            sum += levels->picture[((size_t)(row + y) * stride + column + x) * values + v];
                    sum = count > 0 ? igs__floor_div(sum, count) : 0;
                    for (y = 0; y < side; ++y)
                        for (x = 0; x < side; ++x)
                            if (y >= inside_y || x >= inside_x)
                                levels->picture[((size_t)(row + y) * stride + column + x) * values + v] = (int32_t)sum;
                }
            }
        across = (across + side - 1) / side * side;
        down = (down + side - 1) / side * side;
    }
}

static int igs__rotate(double* matrix, double* axes, uint32_t count, uint32_t p, uint32_t q) {
    const double between = matrix[p * count + q], first = matrix[p * count + p], second = matrix[q * count + q];
    double ratio, tangent, cosine, sine;
    uint32_t i;
    if (fabs(between) <= 9.094947017729282e-13 * (fabs(first) + fabs(second))) return 0; /* 2^-40 */
    ratio = (second - first) / (2.0 * between);
    tangent = 1.0 / (fabs(ratio) + sqrt(ratio * ratio + 1.0));
    if (ratio < 0.0) tangent = -tangent;
    cosine = 1.0 / sqrt(tangent * tangent + 1.0);
    sine = tangent * cosine;
    for (i = 0; i < count; ++i) {
        const double a = matrix[p * count + i], b = matrix[q * count + i];
        matrix[p * count + i] = cosine * a - sine * b;
        matrix[q * count + i] = sine * a + cosine * b;
    }
    for (i = 0; i < count; ++i) {
        const double a = matrix[i * count + p], b = matrix[i * count + q];
        matrix[i * count + p] = cosine * a - sine * b;
        matrix[i * count + q] = sine * a + cosine * b;
    }
    for (i = 0; i < count; ++i) {
        const double a = axes[p * count + i], b = axes[q * count + i];
        axes[p * count + i] = cosine * a - sine * b;
        axes[q * count + i] = sine * a + cosine * b;
    }
    return 1;
}

/* The picture's principal axes, from the strongest on. */
static void igs__find_axes(igs__levels* levels, igs__set* set) {
    const uint32_t values = levels->values;
    double *matrix = levels->matrix, *axes = levels->turned;
    uint32_t sweep, p, q, i, k;
    for (i = 0; i < values * values; ++i) {
        matrix[i] = (double)levels->moments[i];
        axes[i] = i % (values + 1) == 0 ? 1.0 : 0.0;
    }
    for (sweep = 0; sweep < 12; ++sweep) {
        int any = 0;
        for (p = 0; p < values; ++p)
            for (q = p + 1; q < values; ++q) any |= igs__rotate(matrix, axes, values, p, q);
        if (!any) break;
    }
    for (k = 0; k < values; ++k) { /* moments have served: their first entries tell which axes are taken */
        uint32_t best = values;
        double most = 0.0, sign;
        for (i = 0; i < values; ++i)
            if (levels->moments[i] != INT64_MAX &&
                (best == values || matrix[i * (values + 1)] > matrix[best * (values + 1)]))
                best = i;
        levels->moments[best] = INT64_MAX;
        sign = 1.0;
        for (i = 0; i < values; ++i)
            if (fabs(axes[best * values + i]) > most) {
                most = fabs(axes[best * values + i]);
                sign = axes[best * values + i] < 0.0 ? -1.0 : 1.0;
            }
        for (i = 0; i < values; ++i)
            set->axes[k * values + i] = (int16_t)floor(axes[best * values + i] * sign * 32767.0 + 0.5);
    }
}

/* Sums and differences of 4 x 4 texels: bits 0 and 2 of a coefficient's number belong to columns, 1 and 3 to rows. */
static void igs__hadamard(const int32_t* texels, int32_t* coefficients) {
    int32_t rows[16];
    int i;
    for (i = 0; i < 4; ++i) {
        const int32_t *at = texels + 4 * i, left = at[0] + at[1], right = at[2] + at[3];
        const int32_t left_off = at[0] - at[1], right_off = at[2] - at[3];
        rows[4 * i] = left + right;
        rows[4 * i + 1] = left - right;
        rows[4 * i + 2] = left_off + right_off;
        rows[4 * i + 3] = left_off - right_off;
    }
    for (i = 0; i < 4; ++i) { /* bit 0 of i: halves of columns, bit 1: neighbours */
        const int32_t top = rows[i] + rows[4 + i], bottom = rows[8 + i] + rows[12 + i];
        const int32_t top_off = rows[i] - rows[4 + i], bottom_off = rows[8 + i] - rows[12 + i];
        const int at = (i & 1) | (i & 2) << 1;
        coefficients[at] = top + bottom;
        coefficients[at | 2] = top - bottom;
        coefficients[at | 8] = top_off + bottom_off;
        coefficients[at | 10] = top_off - bottom_off;
    }
}

/* A picture to coefficients. */
static void igs__transform(igs__levels* levels, igs__set* set) {
    const uint32_t values = levels->values, stride = 4 * set->blocks_across,
                   rows = 4 * (set->blocks / set->blocks_across);
    const size_t texels = (size_t)stride * rows;
    int32_t centre[IGS__MOST_VALUES];
    uint32_t v, w, block, i;
    size_t at;
    for (v = 0; v < values; ++v) {
        const int64_t count = (int64_t)set->across * set->down;
        int64_t sum = 0, code = 0;
        uint32_t row, column;
        if (set->level >= levels->direct) {
            for (row = 0; row < set->down; ++row)
                for (column = 0; column < set->across; ++column)
                    sum += levels->picture[((size_t)row * stride + column) * values + v];
            code = igs__clamp(igs__floor_div(2 * 32767 * sum + (count << 20), count << 21), 0, 32767);
        }
        set->mean[v] = (int16_t)code;
        centre[v] = (int32_t)((code * (1 << 20) + 16383) / 32767);
    }
    igs__fill(levels, set);
    memset(levels->moments, 0, (size_t)values * values * sizeof *levels->moments);
    for (at = 0; at < texels; ++at) {
        int32_t* texel = levels->picture + at * values;
        for (v = 0; v < values; ++v) texel[v] -= centre[v];
        for (v = 0; v < values; ++v) {
            const int64_t own = texel[v] >> 4;
            int64_t* moments = levels->moments + (size_t)v * values;
            for (w = v; w < values; ++w) moments[w] += own * (texel[w] >> 4);
        }
    }
    for (v = 0; v < values; ++v)
        for (w = 0; w < v; ++w) levels->moments[v * values + w] = levels->moments[w * values + v];
    igs__find_axes(levels, set);
    for (block = 0; block < set->blocks; ++block) {
        const uint32_t left = 4 * (block % set->blocks_across), top = 4 * (block / set->blocks_across);
        for (v = 0; v < values; ++v) {
            const int16_t* axis = set->axes + (size_t)v * values;
            int32_t component[16];
            for (i = 0; i < 16; ++i) {
                const int32_t* texel = levels->picture + ((size_t)(top + i / 4) * stride + left + i % 4) * values;
                int64_t sum = 0;
                for (w = 0; w < values; ++w) sum += (int64_t)texel[w] * axis[w];
                component[i] = (int32_t)((sum + (1 << 14)) >> 15);
            }
            igs__hadamard(component, set->coefficients + ((size_t)block * values + v) * 16);
        }
    }
}

/* ---- widths and classes -------------------------------------------------------------------------------------------- */

/* Sizes of every so many blocks in 1/64 steps, coefficient by coefficient. */
static void igs__take_sizes(igs__levels* levels, const igs__set* set, uint32_t first, uint32_t every, uint32_t count) {
    const uint32_t all = 16 * levels->values;
    const float scale = (float)(64.0 / (double)set->step);
    uint32_t block, at;
    for (block = 0; block < count; ++block) {
        const int32_t* coefficients = set->coefficients + (size_t)(first + block * every) * all;
        for (at = 0; at < all; ++at) {
            const int32_t coefficient = coefficients[at];
            const float size = (float)(coefficient < 0 ? -coefficient : coefficient) * scale;
            levels->sizes[(size_t)at * IGS__PLANNED + block] = size < (float)IGS__SIZE_MAX ? (int32_t)size
                                                                                           : IGS__SIZE_MAX;
        }
    }
}

/* The cheapest class of each block. Coefficients without a bit in any class cost the same in all and are left out. */
static void igs__classify(igs__levels* levels, const igs__set* set, uint32_t count, uint8_t* classes) {
    const uint32_t all = 16 * levels->values;
    uint32_t at, block, number;
    for (number = 0; number < IGS__CLASSES; ++number)
        for (block = 0; block < count; ++block)
            levels->costs[number * IGS__PLANNED + block] = (int64_t)IGS__PRICE * set->bits[number];
    for (at = 0; at < all; ++at) {
        const int32_t* sizes = levels->sizes + (size_t)at * IGS__PLANNED;
        const uint8_t* widths = set->widths + at;
        if (!(widths[0] | widths[all] | widths[2 * all] | widths[3 * all])) continue;
        for (number = 0; number < IGS__CLASSES; ++number) {
            const uint32_t width = widths[number * all];
            const int32_t reach = (int32_t)(32u << width);
            int64_t* costs = levels->costs + number * IGS__PLANNED;
            if (width == 0)
                for (block = 0; block < count; ++block) costs[block] += (int64_t)sizes[block] * sizes[block];
            else
                for (block = 0; block < count; ++block) {
                    const int32_t size = sizes[block];
                    const int32_t off = size < reach ? (size & 63) - 32 : size - reach + 32;
                    costs[block] += (int64_t)off * off;
                }
        }
    }
    for (block = 0; block < count; ++block) {
        uint8_t best = 0;
        for (number = 1; number < IGS__CLASSES; ++number)
            if (levels->costs[number * IGS__PLANNED + block] < levels->costs[best * IGS__PLANNED + block])
                best = (uint8_t)number;
        classes[block] = best;
    }
}

/* Widths of a coefficient in all classes. What a width costs follows from sums over the sizes of each length: shorter ones
 * fit into a field, longer ones are cut off. */
typedef struct igs__lengths {
    int64_t fitting, count, sum, square;
} igs__lengths;

static void igs__choose_widths(igs__levels* levels, igs__set* set, uint32_t count, uint32_t at, uint32_t widest) {
    const uint32_t all = 16 * levels->values;
    const int32_t* sizes = levels->sizes + (size_t)at * IGS__PLANNED;
    igs__lengths lengths[IGS__CLASSES][IGS__WIDEST + 2];
    uint32_t block, number, width;
    memset(lengths, 0, sizeof lengths);
    for (block = 0; block < count; ++block) {
        const int32_t size = sizes[block], rest = (size & 63) - 32;
        igs__lengths* of = &lengths[levels->planned[block]][igs__length(size >> 6)];
        of->fitting += (int64_t)rest * rest;
        ++of->count;
        of->sum += size;
        of->square += (int64_t)size * size;
    }
    for (number = 0; number < IGS__CLASSES; ++number) {
        igs__lengths beyond = {0, 0, 0, 0};
        int64_t least, members;
        uint32_t best = 0;
        for (width = 0; width < IGS__WIDEST + 2; ++width) {
            beyond.count += lengths[number][width].count;
            beyond.sum += lengths[number][width].sum;
            beyond.square += lengths[number][width].square;
        }
        least = beyond.square;
        members = beyond.count;
        for (width = 1; width <= widest; ++width) { /* lengths below the width fit */
            const igs__lengths* fits = &lengths[number][width - 1];
            const int64_t off = (32 << width) - 32;
            int64_t cost;
            beyond.fitting += fits->fitting;
            beyond.count -= fits->count;
            beyond.sum -= fits->sum;
            beyond.square -= fits->square;
            cost = beyond.fitting + beyond.square - 2 * off * beyond.sum + off * off * beyond.count +
                (int64_t)IGS__PRICE * width * members;
            if (cost < least) {
                least = cost;
                best = width;
            }
        }
        set->widths[number * all + at] = (uint8_t)best;
    }
}

/* Classes to begin with: by how busy blocks are. Returns the widest field that can be of use. */
static uint32_t igs__first_classes(igs__levels* levels, uint32_t count) {
    static const uint32_t shares[3] = {45, 75, 92};
    const uint32_t all = 16 * levels->values;
    uint32_t at, block, rank, share, longest = 0;
    for (block = 0; block < count; ++block) levels->keys[block] = block;
    for (at = 0; at < all; ++at) {
        const int32_t* sizes = levels->sizes + (size_t)at * IGS__PLANNED;
        for (block = 0; block < count; ++block) {
            levels->keys[block] += (uint64_t)igs__length(sizes[block] >> 4) << 32;
            longest |= (uint32_t)sizes[block] >> 6;
        }
    }
    igs__sort_keys(levels->keys, levels->keys_too, count, 32, 24);
    for (rank = 0; rank < count; ++rank) {
        uint8_t number = 0;
        for (share = 0; share < 3; ++share) number = (uint8_t)(number + (100 * rank >= shares[share] * count));
        levels->planned[levels->keys[rank] & 0xFFFFFFFFu] = number;
    }
    longest = igs__bits_of(longest) + 1;
    return longest < IGS__WIDEST ? longest : IGS__WIDEST;
}

/* Widths for a step, from at most so many blocks; returns about how many words the picture takes. */
static uint64_t igs__plan_set(igs__levels* levels, igs__set* set, uint32_t step, uint32_t most) {
    const uint32_t all = 16 * levels->values, every = (set->blocks + most - 1) / most | 1;
    const uint32_t count = (set->blocks + every - 1) / every;
    uint32_t widest, round, at, number, block;
    uint64_t bits = 0, components = 0, most_components = 0;
    set->step = step;
    igs__take_sizes(levels, set, 0, every, count);
    widest = igs__first_classes(levels, count);
    for (round = 0; round < 5; ++round) {
        for (at = 0; at < all; ++at) igs__choose_widths(levels, set, count, at, widest);
        for (number = 0; number < IGS__CLASSES; ++number)
            for (at = 0, set->bits[number] = 0; at < all; ++at) set->bits[number] += set->widths[number * all + at];
        igs__classify(levels, set, count, levels->chosen);
        if (memcmp(levels->chosen, levels->planned, count) == 0) break;
        memcpy(levels->planned, levels->chosen, count);
    }
    for (block = 0; block < count; ++block) bits += set->bits[levels->chosen[block]];
    for (number = 0; number < IGS__CLASSES; ++number) {
        set->counts[number] = 0;
        for (at = 0; at < all; ++at)
            if (set->widths[number * all + at]) set->counts[number] = at / 16 + 1;
        components += set->counts[number];
        most_components = set->counts[number] > most_components ? set->counts[number] : most_components;
    }
    set->components = (uint32_t)most_components;
    set->tables = (uint32_t)(8 + ((1 + most_components) * levels->values + 1) / 2);
    set->groups = (uint32_t)(set->tables + 2 * components);
    set->records = set->groups + 3 * ((set->blocks + 31) / 32);
    return set->records + bits * set->blocks / count / 32 + 1;
}

static uint32_t igs__step_of(const igs__levels* levels, const igs__set* set, uint32_t number) {
    const uint32_t step = (64 + (number & 63)) << (8 + (number >> 6));
    if (set->level < levels->direct) return step;
    return step * 7 / 10 >> 2 * ((set->level - levels->direct) / 3);
}

static uint64_t igs__words_about(igs__levels* levels, uint32_t number) {
    uint64_t words = levels->set_count;
    uint32_t i;
    for (i = 0; i < levels->set_count; ++i)
        words += igs__plan_set(levels, &levels->sets[i], igs__step_of(levels, &levels->sets[i], number), IGS__SEARCHED);
    return words;
}

/* Plans all pictures with a step and tells the class of each block; returns the words that they take. */
static uint64_t igs__settle(igs__levels* levels, uint32_t number) {
    const uint32_t all = 16 * levels->values;
    uint64_t words = levels->set_count;
    uint32_t i, first, at, any;
    for (i = 0; i < levels->set_count; ++i) {
        igs__set* set = &levels->sets[i];
        uint64_t bits = 0;
        igs__plan_set(levels, set, igs__step_of(levels, set, number), IGS__PLANNED);
        for (at = any = 0; at < IGS__CLASSES * all; ++at) any |= set->widths[at];
        set->at = (uint32_t)words;
        if (!any && set->level < levels->direct) {
            set->at = 0;
            continue;
        }
        for (first = 0; first < set->blocks; first += IGS__PLANNED) {
            const uint32_t count = set->blocks - first < IGS__PLANNED ? set->blocks - first : IGS__PLANNED;
            uint32_t block;
            igs__take_sizes(levels, set, first, 1, count);
            igs__classify(levels, set, count, set->classes + first);
            for (block = first; block < first + count; ++block) bits += set->bits[set->classes[block]];
        }
        set->words = (uint32_t)(set->records + (bits + 31) / 32);
        words += set->words;
    }
    return words;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static void igs__describe_levels(const igs_file* file, igs__levels* levels) {
    const igs_info* info = &file->info;
    uint32_t map, level, x, y, side = igs__more(info->width, info->height) - 1;
    memset(levels, 0, sizeof *levels);
    levels->first = IGS__FIRST_LEVEL;
    levels->direct = igs__direct_level(file);
    levels->last = igs__more(levels->direct, igs__bits_of(side));
    levels->values = info->channels;
    for (map = 0; map < file->map_count; ++map)
        if (igs__derived(file, map, &x, &y)) {
            levels->derived[2 * (levels->values - info->channels)] = x;
            levels->derived[2 * (levels->values - info->channels) + 1] = y;
            ++levels->values;
        }
    for (level = levels->first; level <= levels->last; level += level < levels->direct ? 1 : 3) {
        igs__set* set = &levels->sets[levels->set_count++];
        set->level = level;
        set->across = (info->width + (1u << level) - 1) >> level;
        set->down = (info->height + (1u << level) - 1) >> level;
        set->blocks_across = (set->across + 3) / 4;
        set->blocks = set->blocks_across * ((set->down + 3) / 4);
    }
}

/* Lays out what levels need, behind what else there is; so many images of Gaussians are drawn, and their pairs with tiles. */
static void igs__plan_levels(
    const igs_file* file, uint64_t most_images, uint64_t most_drawn, igs__arena* arena, igs__levels* levels
) {
    const igs_info* info = &file->info;
    const uint64_t count = info->is_exact ? 0 : info->gaussians, values = levels->values, all = 16 * values;
    const uint64_t tiles = (uint64_t)igs__drawn_tiles(info->width, 0) * igs__drawn_tiles(info->height, 0);
    const igs__set* finest = &levels->sets[0];
    const uint64_t texels = (uint64_t)finest->across * finest->down;
    uint32_t i;
    for (i = 0; i < levels->set_count; ++i) {
        igs__set* set = &levels->sets[i];
        set->coefficients = IGS__ARRAY(arena, int32_t, set->blocks* all);
        set->classes = IGS__ARRAY(arena, uint8_t, set->blocks);
        set->mean = IGS__ARRAY(arena, int16_t, values);
        set->axes = IGS__ARRAY(arena, int16_t, values* values);
        set->widths = IGS__ARRAY(arena, uint8_t, IGS__CLASSES* all);
    }
    levels->drawn = IGS__ARRAY(arena, igs__drawn, count);
    levels->features = IGS__ARRAY(arena, float, count * info->components);
    levels->images = IGS__ARRAY(arena, igs__image, most_images);
    levels->entries = IGS__ARRAY(arena, uint32_t, most_drawn);
    levels->starts = IGS__ARRAY(arena, uint32_t, tiles + 2);
    levels->sums = IGS__ARRAY(arena, float, (info->components + 1) * IGS__DRAWN);
    levels->value = IGS__ARRAY(arena, float, values* IGS__DRAWN);
    levels->noise = IGS__ARRAY(arena, float, info->has_detail ? file->detail.components * IGS__NOISE_WORDS : 0);
    levels->basis = IGS__ARRAY(arena, float, info->components * info->channels);
    levels->places = IGS__ARRAY(arena, igs__place, info->has_detail ? info->width : 0);
    igs__take_layers(file, arena, levels);
    levels->sums_2 = IGS__ARRAY(arena, uint32_t, texels* values);
    levels->sums_odd = IGS__ARRAY(arena, int64_t, (texels / 4 + finest->across + finest->down + 1) * values);
    levels->sums_even = IGS__ARRAY(arena, int64_t, (texels / 16 + finest->across + finest->down + 1) * values);
    levels->picture = IGS__ARRAY(arena, int32_t, finest->blocks* all);
    levels->moments = IGS__ARRAY(arena, int64_t, values* values);
    levels->matrix = IGS__ARRAY(arena, double, values* values);
    levels->turned = IGS__ARRAY(arena, double, values* values);
    levels->sizes = IGS__ARRAY(arena, int32_t, all* IGS__PLANNED);
    levels->planned = IGS__ARRAY(arena, uint8_t, IGS__PLANNED);
    levels->chosen = IGS__ARRAY(arena, uint8_t, IGS__PLANNED);
    levels->costs = IGS__ARRAY(arena, int64_t, IGS__CLASSES* IGS__PLANNED);
    levels->keys = IGS__ARRAY(arena, uint64_t, IGS__PLANNED);
    levels->keys_too = IGS__ARRAY(arena, uint64_t, IGS__PLANNED);
}

/* Sums of 2 x 2 texels of a level, from those of level 2 or of another one. */
static void igs__halve(
    const uint32_t* sums_2, const int64_t* sums, uint32_t across, uint32_t down, uint32_t values, int64_t* to
) {
    const uint32_t half_across = (across + 1) / 2;
    uint32_t row, column, v;
    memset(to, 0, (size_t)half_across * ((down + 1) / 2) * values * sizeof *to);
    for (row = 0; row < down; ++row)
        for (column = 0; column < across; ++column) {
            const size_t from = ((size_t)row * across + column) * values;
            int64_t* at = to + ((size_t)(row / 2) * half_across + column / 2) * values;
            for (v = 0; v < values; ++v) at[v] += sums == NULL ? (int64_t)sums_2[from + v] : sums[from + v];
        }
}

/* Makes the coefficients of all stored pictures. */
static void igs__make_pictures(const igs_file* file, igs__levels* levels, const uint8_t* noise_words) {
    const igs_info* info = &file->info;
    const uint32_t values = levels->values, components = info->components;
    const int64_t* sums = NULL;
    uint32_t n, k, level, i, across = levels->sets[0].across, down = levels->sets[0].down;
    memset(levels->sums_2, 0, (size_t)across * down * values * sizeof *levels->sums_2);
    if (info->is_exact) {
        igs__put_samples(file, levels);
    } else {
        const double exponent = -0.5 * (info->feature_exponent / 16.0);
        for (n = 0; n < info->gaussians; ++n) {
            const double m = file->shapes[3 * (size_t)n] * (double)info->size_step,
                         scale = igs__plain_exp(m * exponent);
            for (k = 0; k < components; ++k)
                levels->features[(size_t)n * components + k] =
                    (float)(file->features[(size_t)n * components + k] * (double)file->feature_steps[k] * scale);
        }
        for (i = 0; i < components * info->channels; ++i)
            levels->basis[i] = (float)(file->basis[i] * ((double)info->basis_scale / 32767.0));
        for (i = 0; i < levels->layer_count; ++i) igs__begin_layer(&levels->layers[i], info->channels);
        if (info->has_detail) {
            const igs_detail* detail = &file->detail;
            igs__take_noise(detail, levels->noise, noise_words);
            for (i = 0; i < info->width; ++i)
                levels->places[i] = igs__place_of(i, info->width, detail->columns, info->wrap_x);
        }
        igs__draw(file, levels, 0);
    }
    for (level = 2, i = 0; level <= levels->last; ++level) {
        igs__set* set = &levels->sets[i];
        if (level > 2) {
            int64_t* to = level % 2 ? levels->sums_odd : levels->sums_even;
            igs__halve(levels->sums_2, sums, across, down, values, to);
            sums = to;
            across = (across + 1) / 2;
            down = (down + 1) / 2;
        }
        if (i == levels->set_count || set->level != level) continue;
        ++i;
        igs__put_means(info, levels, set, sums);
        if (level < levels->direct) igs__draw(file, levels, level);
        igs__transform(levels, set);
    }
}

/* Makes the levels, in at most so many bytes if the coarsest step allows it; returns their words. */
static uint64_t igs__make_levels(
    const igs_file* file, igs__levels* levels, uint64_t most_bytes, const uint8_t* noise_words
) {
    uint32_t low = 0, high = IGS__STEPS - 1;
    uint64_t words;
    igs__make_pictures(file, levels, noise_words);
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (4 * igs__words_about(levels, middle) > most_bytes) low = middle + 1;
        else high = middle;
    }
    words = igs__settle(levels, high);
    while (4 * words > most_bytes && high < IGS__STEPS - 1) {
        high += 1 + (uint32_t)(64 * (4 * words - most_bytes) / most_bytes);
        if (high > IGS__STEPS - 1) high = IGS__STEPS - 1;
        words = igs__settle(levels, high);
    }
    if (4 * words <= most_bytes) { /* a finer one, if that fits */
        const uint32_t finer = (uint32_t)(64 * (most_bytes - 4 * words) / most_bytes);
        if (finer == 0 || high == 0) return words;
        words = igs__settle(levels, high > finer ? high - finer : 0);
        if (4 * words > most_bytes) words = igs__settle(levels, high);
    }
    return words;
}

/* Writes a picture into zeros. */
static void igs__put_set(const igs__levels* levels, const igs__set* set, uint8_t* words) {
    const uint32_t values = levels->values, all = 16 * values;
    igs__fields tables = {words + 4 * (size_t)set->tables, 0}, records = {words + 4 * (size_t)set->records, 0};
    uint32_t number, block, at, before = 0;
    igs__put_word(words, igs__float_bits(ldexp((double)set->step, -24)));
    igs__put_word(words + 4, set->components | set->tables << 8);
    igs__put_word(words + 8, set->groups);
    igs__put_word(words + 12, set->records);
    for (number = 0; number < IGS__CLASSES; ++number) {
        igs__put_word(words + 16 + 4 * number, set->counts[number] | before << 8 | set->bits[number] << 16);
        before += set->counts[number];
        for (at = 0; at < 16 * set->counts[number]; ++at) igs__put(&tables, set->widths[number * all + at], 4);
    }
    igs__put_codes(words + 32, set->mean, values);
    igs__put_codes(words + 32 + 2 * (size_t)values, set->axes, set->components * values);
    for (block = 0; block < set->blocks; ++block) {
        const uint8_t* widths = set->widths + (size_t)set->classes[block] * all;
        const int32_t* coefficients = set->coefficients + (size_t)block * all;
        uint8_t* group = words + 4 * ((size_t)set->groups + 3 * (block / 32));
        if (block % 32 == 0) igs__put_word(group, (uint32_t)records.bit);
        group[4 + block % 32 / 4] |= (uint8_t)(set->classes[block] << 2 * (block % 4));
        for (at = 0; at < 16 * set->counts[set->classes[block]]; ++at) {
            const uint32_t width = widths[at];
            int64_t code;
            if (width == 0) continue;
            code = igs__floor_div(coefficients[at], set->step) + (1 << (width - 1));
            igs__put(&records, (uint32_t)igs__clamp(code, 0, (1 << width) - 1), width);
        }
    }
}

static void igs__put_levels(const igs__levels* levels, uint8_t* words) {
    uint32_t i;
    for (i = 0; i < levels->set_count; ++i) {
        igs__put_word(words + 4 * i, levels->sets[i].at);
        if (levels->sets[i].at > 0) igs__put_set(levels, &levels->sets[i], words + 4 * (size_t)levels->sets[i].at);
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
#endif /* IGS_LEVELS_H */
