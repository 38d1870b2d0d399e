// Decoding many texels at once: a workgroup of 64 threads decodes 16 x 16 texels. It looks for the Gaussians of the
// group's tile that reach the group and unpacks each once into shared memory; each thread sums up IGS_ROWS texels of one
// column, so that what it reads from shared memory serves several texels.

IGS_SHARED vec4 igs_group[64 * IGS_GROUP_VECTORS]; // at, along | across, scale, one code | four codes | ...
IGS_SHARED uint igs_kept[2];                       // one bit per thread that has found something
IGS_SHARED uint igs_found[64];                     // entries: place of the tile among those below, Gaussian
IGS_SHARED uint igs_lengths[64];                   // of what each thread has in hand
IGS_SHARED uint igs_tile_words[65 * 8];            // IgsTile of the group's own tile, and of the one of each thread

#define IGS_PLACE_BIT 24u // of an entry that was found: the place of its tile begins there

void igs_put(uint slot, int element, float value)
{
    igs_group[slot * IGS_GROUP_VECTORS + uint(element >> 2)][element & 3] = value;
}

float igs_take(uint slot, int element)
{
    return igs_group[slot * IGS_GROUP_VECTORS + uint(element >> 2)][element & 3];
}

// Whether a support reaches the centre of a texel less than 8 texels to either side of the point that a shape is seen from.
// With t = at + a * u + b * v, a and b from -1 to 1, dot(t, t) is a convex function of a and b: where its least value lies
// outside, the least one inside has a or b at the bound that is exceeded.
bool igs_reaches(IgsMaterial m, IgsShape shape)
{
    vec2 u = 7.5 * vec2(shape.along.x, shape.across.x);
    vec2 v = 7.5 * vec2(shape.along.y, shape.across.y);
    float area = u.x * v.y - u.y * v.x;
    float a = clamp((shape.at.y * v.x - shape.at.x * v.y) / area, -1.0, 1.0);
    float b = clamp((shape.at.x * u.y - shape.at.y * u.x) / area, -1.0, 1.0);
    vec2 at_a = shape.at + a * u;
    vec2 at_b = shape.at + b * v;
    vec2 first = at_a + clamp(-dot(at_a, v) / dot(v, v), -1.0, 1.0) * v;
    vec2 second = at_b + clamp(-dot(at_b, u) / dot(u, u), -1.0, 1.0) * u;
    return min(dot(first, first), dot(second, second)) < 1.01 * m.limit + 0.01; // room for rounding
}

void igs_share_tile(uint slot, IgsTile tile)
{
    igs_tile_words[slot * 8u] = tile.at;
    igs_tile_words[slot * 8u + 1u] = tile.place.x | (tile.place.y << 16u);
    igs_tile_words[slot * 8u + 2u] = tile.records;
    igs_tile_words[slot * 8u + 3u] = tile.scale | (tile.stride << 10u);
    igs_tile_words[slot * 8u + 4u] = tile.widths;
    igs_tile_words[slot * 8u + 5u] = uint(tile.least.x);
    igs_tile_words[slot * 8u + 6u] = uint(tile.least.y);
    igs_tile_words[slot * 8u + 7u] = uint(tile.least.z);
}

IgsTile igs_shared_tile(uint slot)
{
    IgsTile tile;
    tile.at = igs_tile_words[slot * 8u];
    uint place = igs_tile_words[slot * 8u + 1u];
    tile.place = uvec2(place & 65535u, place >> 16u);
    tile.records = igs_tile_words[slot * 8u + 2u];
    tile.scale = igs_tile_words[slot * 8u + 3u] & 1023u;
    tile.stride = igs_tile_words[slot * 8u + 3u] >> 10u;
    tile.widths = igs_tile_words[slot * 8u + 4u];
    tile.least.x = int(igs_tile_words[slot * 8u + 5u]);
    tile.least.y = int(igs_tile_words[slot * 8u + 6u]);
    tile.least.z = int(igs_tile_words[slot * 8u + 7u]);
    return tile;
}

// The sum of what the threads before this one have in hand, and of what all have, of so many first threads.
uvec2 igs_sum_lengths(uint thread, uint threads, uint length)
{
    igs_barrier(); // others may still read
    igs_lengths[thread] = length;
    igs_barrier();
    uvec2 sums = uvec2(0u, 0u);
    for (uint other = 0u; other < threads; ++other) {
        uint found = igs_lengths[other];
        sums.x += other < thread ? found : 0u;
        sums.y += found;
    }
    return sums;
}

// A tile's list of Gaussians, 32 bits of it at a time.
uint igs_listed(uint blocks_at, uint listed_at, uint end, uint at)
{
    return igs_window(blocks_at, listed_at + at) & (0xFFFFFFFFu >> (32u - min(end - at, 32u)));
}

// Which of up to 32 entries touch the group, from a bit of a block's mask on.
uint igs_touching(IgsMaterial m, IgsLists lists, uint mask_at, uint count)
{
    uint blocks_at = igs_blocks_at(m);
    uint touching = igs_window(blocks_at, mask_at);
    if (m.tile_log2 - m.mask_log2 < 4u) { // the group lies in four blocks
        uint below = mask_at + (lists.entries << m.mask_log2);
        touching |= igs_window(blocks_at, mask_at + lists.entries);
        touching |= igs_window(blocks_at, below) | igs_window(blocks_at, below + lists.entries);
    }
    return igs_field(touching, 0u, count);
}

// Decodes the texels of one group and hands each to igs_store.
//   group   counts 16 x 16 texels from the top left of the picture
//   thread  0..63; all threads of the workgroup must call this
//   place   texel of the output that the picture's texel (0, 0) would go to: (0, 0), or negative for a region
void igs_decode_material_group(IgsMaterial m, uvec2 group, uint thread, ivec2 place)
{
    uvec2 corner = group << uvec2(4u, 4u);
    bool inside = corner.x < uint(m.width) && corner.y < uint(m.height); // the same for the whole group
    uvec2 tile_at = (inside ? corner : uvec2(0u, 0u)) >> uvec2(m.tile_log2, m.tile_log2);
    uint own = tile_at.y * m.tiles_across + tile_at.x;
    uint blocks_at = igs_blocks_at(m);
    IgsHead own_head = igs_head(m, own);
    IgsLists lists = igs_lists(m, own_head);
    uint sources = inside ? 8u + lists.groups : 0u; // beside the tile itself
    uint mask_at = lists.mask_at + igs_block(m, corner) * lists.entries;
    int images = igs_image_count(m);
    vec2 middle = 16.0 * vec2(group) + vec2(8.0, 8.0);
    uvec2 texel = corner + uvec2(thread & 15u, (thread >> 4u) * 4u);

    for (uint strip = 0u; strip < 4u; strip += uint(IGS_ROWS)) {
        vec2 d = vec2(float(texel.x) + 0.5, float(texel.y + strip) + 0.5) - middle;
        IgsSums sums[IGS_ROWS];
        for (int row = 0; row < IGS_ROWS; ++row) {
            sums[row] = igs_no_sums();
        }
        uint own_count = own_head.count;
        uint ranked = own_count; // entries before those of the sources at hand
        uint far_bits_at = lists.far_at + lists.groups * (m.tile_bits + m.listed_bits);
        if (thread == 0u) {
            igs_share_tile(0u, igs_tile(m, own_head, own));
        }
        // Of 64 sources, each thread looks into one. There are rarely more than 20.
        for (uint first = 0u; first < sources; first += 64u) {
            uint source = first + thread;
            uint threads = min(sources - first, 64u);
            uint number = own;
            uint end = 0u;
            if (source > 7u && source < sources) {
                uint bit = lists.far_at + (source - 8u) * (m.tile_bits + m.listed_bits);
                number = igs_bits(blocks_at, bit, m.tile_bits);
                end = igs_bits(blocks_at, bit + m.tile_bits, m.listed_bits);
            }
            uint listed_at = 0u;
            if (lists.groups > 0u) {
                uvec2 far_bits = igs_sum_lengths(thread, threads, end);
                listed_at = far_bits_at + far_bits.x;
                far_bits_at += far_bits.y;
            }
            if (source < 8u && igs_near_exists(m, tile_at, source)) {
                number = igs_near(m, tile_at, source);
            }
            if (number != own) {
                IgsHead head = igs_head(m, number);
                if (source < 8u) {
                    end = head.reaching;
                    listed_at = igs_near_at(head) + source * end;
                }
                igs_share_tile(thread + 1u, igs_tile(m, head, number));
            }
            uint count = 0u;
            for (uint at = 0u; at < end; at += 32u) {
                count += igs_count_bits(igs_listed(blocks_at, listed_at, end, at));
            }
            uvec2 counts = igs_sum_lengths(thread, threads, count);
            uint rank = ranked + counts.x;
            ranked += counts.y;
            if (m.mask_log2 > 0u) {
                uint touching = 0u;
                for (uint at = 0u; at < count; at += 32u) {
                    uint left = min(count - at, 32u);
                    touching += igs_count_bits(igs_touching(m, lists, mask_at + rank + at, left));
                }
                counts = igs_sum_lengths(thread, threads, touching);
            }
            uint next = own_count + counts.x; // where the thread's next entry goes
            uint entries = own_count + counts.y;
            uint at = 0u;
            uint listed = 0u;
            uint touching = 0xFFFFFFFFu;
            for (uint start = 0u; start < entries; start += 64u) {
                igs_barrier(); // others may still read what is written now
                if (start + thread < own_count) {
                    igs_found[thread] = start + thread;
                }
                // Entries follow the order of the lists, whatever the threads' timing, so that sums come out the same
                // every time.
                while (next < start + 64u && (listed != 0u || at < end)) {
                    if (listed == 0u) {
                        listed = igs_listed(blocks_at, listed_at, end, at);
                        at += 32u;
                        if (m.mask_log2 > 0u) {
                            uint listed_count = igs_count_bits(listed);
                            touching = igs_touching(m, lists, mask_at + rank, listed_count);
                            rank += listed_count;
                        }
                    } else {
                        if ((touching & 1u) != 0u) {
                            uint gaussian = at - 32u + igs_first_bit(listed);
                            igs_found[next - start] = gaussian | ((thread + 1u) << IGS_PLACE_BIT);
                            ++next;
                        }
                        touching >>= m.mask_log2 > 0u ? 1u : 0u;
                        listed &= listed - 1u;
                    }
                }
                for (int image = 0; image < images; ++image) {
                    // Which of these 64 entries reach the group?
                    if (image > 0) {
                        igs_barrier();
                    }
                    if (thread < 2u) {
                        igs_kept[thread] = 0u;
                    }
                    igs_barrier();
                    bool keeps = start + thread < entries;
                    if (m.mask_log2 > 0u && start + thread < own_count) {
                        keeps = igs_touching(m, lists, mask_at + start + thread, 1u) != 0u;
                    }
                    IgsTile tile;
                    IgsGeometry geometry;
                    IgsShape shape;
                    if (keeps) {
                        uint found = igs_found[thread];
                        tile = igs_shared_tile(found >> IGS_PLACE_BIT);
                        geometry = igs_geometry(m, tile, igs_field(found, 0u, IGS_PLACE_BIT));
                        shape = igs_shape(geometry, middle - igs_image(m, geometry.mean, middle, image));
                        keeps = igs_reaches(m, shape);
                    }
                    if (keeps) {
                        igs_shared_or(igs_kept[thread >> 5u], 1u << (thread & 31u));
                    }
                    igs_barrier();
                    uint first_count = igs_count_bits(igs_kept[0]);
                    uint count = first_count + igs_count_bits(igs_kept[1]);
                    if (keeps) {
                        uint slot = igs_count_bits(igs_kept[thread >> 5u] & ((1u << (thread & 31u)) - 1u));
                        slot += thread >= 32u ? first_count : 0u;
                        IgsFeatures features = igs_features(m, tile, geometry.rest);
                        igs_group[slot * IGS_GROUP_VECTORS] = vec4(shape.at, shape.along);
                        igs_put(slot, 4, shape.across.x);
                        igs_put(slot, 5, shape.across.y);
                        igs_put(slot, 6, igs_scale(m, geometry));
                        for (int k = 0; k < IGS_COMPONENTS; ++k) {
                            igs_put(slot, 7 + k, features.code[k]);
                        }
                    }
                    igs_barrier();
                    for (uint slot = 0u; slot < count; ++slot) {
                        vec4 head = igs_group[slot * IGS_GROUP_VECTORS];
                        vec2 across = vec2(igs_take(slot, 4), igs_take(slot, 5));
                        float scale = igs_take(slot, 6);
                        float scaled[IGS_ROWS];
                        // No test for weights above zero here: with it, an H200 takes 3% longer.
                        for (int row = 0; row < IGS_ROWS; ++row) {
                            vec2 offset = vec2(d.x, d.y + float(row));
                            float u = head.x + head.z * offset.x + head.w * offset.y;
                            float v = head.y + across.x * offset.x + across.y * offset.y;
                            float weight = igs_weight(m, vec2(u, v));
                            scaled[row] = weight * scale;
                            sums[row].weight += weight;
                        }
                        for (int k = 0; k < IGS_COMPONENTS; ++k) {
                            float code = igs_take(slot, 7 + k);
                            for (int row = 0; row < IGS_ROWS; ++row) {
                                sums[row].code[k] += scaled[row] * code;
                            }
                        }
                    }
                }
            }
            own_count = 0u; // they have been looked at
        }
        for (int row = 0; row < IGS_ROWS; ++row) {
            uvec2 at = uvec2(texel.x, texel.y + strip + uint(row));
            if (at.x < uint(m.width) && at.y < uint(m.height)) {
                //@generated store
            }
        }
    }
}

//@generated decode_group
