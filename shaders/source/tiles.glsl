// Decoding many texels at once: a workgroup of 64 threads decodes 16 x 16 texels. It looks for the Gaussians of the
// group's tile that reach the group and unpacks each once into shared memory; each thread sums up IGS_ROWS texels of one
// column, so that what it reads from shared memory serves several texels.

IGS_SHARED vec4 igs_group[64 * IGS_GROUP_VECTORS]; // at, along | across, scale, one code | four codes | ...
IGS_SHARED uint igs_kept[2];                       // one bit per thread that has found something
IGS_SHARED uvec4 igs_listed[8];                    // entries from each source: the tile, those around, and far ones
IGS_SHARED uint igs_listed_at[32];                 // bit of the blocks at which those begin
IGS_SHARED uint igs_lengths[32];                   // bits of far ones
IGS_SHARED uint igs_passed[2];                     // entries and far bits of sources that have been looked at
IGS_SHARED uint igs_tile_words[32 * 8];            // what the sources' heads say: IgsTile

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

void igs_share_tile(uint source, IgsTile tile)
{
    igs_tile_words[source * 8u] = tile.at;
    igs_tile_words[source * 8u + 1u] = tile.place.x | (tile.place.y << 16u);
    igs_tile_words[source * 8u + 2u] = tile.records;
    igs_tile_words[source * 8u + 3u] = tile.scale | (tile.stride << 10u);
    igs_tile_words[source * 8u + 4u] = tile.widths;
    igs_tile_words[source * 8u + 5u] = uint(tile.least.x);
    igs_tile_words[source * 8u + 6u] = uint(tile.least.y);
    igs_tile_words[source * 8u + 7u] = uint(tile.least.z);
}

IgsTile igs_shared_tile(uint source)
{
    IgsTile tile;
    tile.at = igs_tile_words[source * 8u];
    uint place = igs_tile_words[source * 8u + 1u];
    tile.place = uvec2(place & 65535u, place >> 16u);
    tile.records = igs_tile_words[source * 8u + 2u];
    tile.scale = igs_tile_words[source * 8u + 3u] & 1023u;
    tile.stride = igs_tile_words[source * 8u + 3u] >> 10u;
    tile.widths = igs_tile_words[source * 8u + 4u];
    tile.least.x = int(igs_tile_words[source * 8u + 5u]);
    tile.least.y = int(igs_tile_words[source * 8u + 6u]);
    tile.least.z = int(igs_tile_words[source * 8u + 7u]);
    return tile;
}

// The tile that a group lies in; of a group beyond the picture, the first one.
uvec2 igs_tile_of_group(IgsMaterial m, uvec2 group)
{
    uvec2 corner = group << uvec2(4u, 4u);
    bool inside = corner.x < uint(m.width) && corner.y < uint(m.height);
    return (inside ? corner : uvec2(0u, 0u)) >> uvec2(m.tile_log2, m.tile_log2);
}

// Looks into up to 32 sources of a group's entries, from the first-th on, a thread into each, and shares what is to be
// known of them. Returns how many there are in all. All threads of the workgroup must call this.
uint igs_share_sources(IgsMaterial m, uvec2 group, uint thread, uint first)
{
    uvec2 tile_at = igs_tile_of_group(m, group);
    uint own = tile_at.y * m.tiles_across + tile_at.x;
    uint blocks_at = igs_blocks_at(m);
    IgsHead head = igs_head(m, own);
    IgsLists lists = igs_lists(m, head);
    uint sources = 9u + lists.groups;
    bool looks = thread < 32u;
    uint source = looks ? first + thread : sources;
    uint number = own;
    uint end = 0u;
    uint listed_at = lists.far_at + lists.groups * (m.tile_bits + m.listed_bits);
    if (first > 0u) {
        listed_at += igs_passed[1];
    }
    if (lists.groups > 0u) {
        if (source > 8u && source < sources) {
            uint bit = lists.far_at + (source - 9u) * (m.tile_bits + m.listed_bits);
            number = igs_bits(blocks_at, bit, m.tile_bits);
            end = igs_bits(blocks_at, bit + m.tile_bits, m.listed_bits);
        }
        if (looks) {
            igs_lengths[thread] = end;
        }
        igs_barrier();
        if (end > 0u) {
            for (uint other = first > 0u ? 0u : 9u; other < thread; ++other) {
                listed_at += igs_lengths[other];
            }
        }
    }
    if (source > 0u && source < 9u && igs_near_exists(m, tile_at, source - 1u)) {
        number = igs_near(m, tile_at, source - 1u);
    }
    uint listed = source == 0u ? head.count : 0u;
    if (number != own) {
        head = igs_head(m, number);
        if (source < 9u) {
            end = head.reaching;
            listed_at = igs_near_at(head) + (source - 1u) * end;
        }
        for (uint at = 0u; at < end; at += 32u) {
            listed += igs_count_bits(igs_bits(blocks_at, listed_at + at, min(end - at, 32u)));
        }
    }
    if (listed > 0u) {
        igs_share_tile(thread, igs_tile(m, head, number));
    }
    if (looks) {
        igs_listed_at[thread] = listed_at;
        igs_listed[thread >> 2u][thread & 3u] = listed;
    }
    if (thread < 2u) {
        igs_kept[thread] = 0u;
    }
    igs_barrier();
    return sources;
}

// The source that an entry comes from, and its number there.
uvec2 igs_source(uint entry)
{
    uint sum = 0u;
    uint before = 0u;
    uint passed = 0u;
    for (uint four = 0u; entry >= sum && four < 8u; ++four) {
        uvec4 listed = igs_listed[four];
        for (uint i = 0u; i < 4u; ++i) {
            sum += listed[i];
            bool beyond = entry >= sum;
            passed += beyond ? 1u : 0u;
            before = beyond ? sum : before;
        }
    }
    return uvec2(passed, entry - before);
}

// The number that the Gaussian has in its own tile that is listed after so many others.
uint igs_listed_gaussian(IgsMaterial m, uint listed_at, uint others)
{
    uint blocks_at = igs_blocks_at(m);
    uint at = listed_at;
    uint listed = igs_window(blocks_at, at);
    for (uint count = igs_count_bits(listed); others >= count; count = igs_count_bits(listed)) {
        others -= count;
        at += 32u;
        listed = igs_window(blocks_at, at);
    }
    for (; others > 0u; --others) {
        listed &= listed - 1u;
    }
    return at - listed_at + igs_first_bit(listed);
}

// Whether an entry touches the group, as masks say.
bool igs_touches(IgsMaterial m, uvec2 group, uint entry)
{
    uvec2 tile_at = igs_tile_of_group(m, group);
    IgsLists lists = igs_lists(m, igs_head(m, tile_at.y * m.tiles_across + tile_at.x));
    uint blocks_at = igs_blocks_at(m);
    uint bit = lists.mask_at + igs_block(m, group << uvec2(4u, 4u)) * lists.entries + entry;
    uint touching = igs_bits(blocks_at, bit, 1u);
    if (m.tile_log2 - m.mask_log2 < 4u) { // the group lies in four blocks
        uint below = bit + (lists.entries << m.mask_log2);
        touching |= igs_bits(blocks_at, bit + lists.entries, 1u);
        touching |= igs_bits(blocks_at, below, 1u) | igs_bits(blocks_at, below + lists.entries, 1u);
    }
    return touching != 0u;
}

// Decodes the texels of one group and hands each to igs_store.
//   group   counts 16 x 16 texels from the top left of the picture
//   thread  0..63; all threads of the workgroup must call this
//   place   texel of the output that the picture's texel (0, 0) would go to: (0, 0), or negative for a region
// What can be found anew is not held across the sums: the fewer registers, the more groups an H200 runs side by side.
void igs_decode_material_group(IgsMaterial m, uvec2 group, uint thread, ivec2 place)
{
    uint images = uint(igs_image_count(m));
    for (uint strip = 0u; strip < 4u; strip += uint(IGS_ROWS)) {
        IgsSums sums[IGS_ROWS];
        for (int row = 0; row < IGS_ROWS; ++row) {
            sums[row] = igs_no_sums();
        }
        uint more = 1u; // sources to look into. There are rarely more than 20.
        for (uint first = 0u; more > 0u; first += 32u) {
            if (first + strip > 0u) {
                igs_barrier(); // others may still read
            }
            uint sources = igs_share_sources(m, group, thread, first);
            more = sources > first + 32u ? 1u : 0u;
            uint entries = 0u;
            for (uint four = 0u; four < (min(sources - first, 32u) + 3u) >> 2u; ++four) {
                uvec4 listed = igs_listed[four];
                entries += listed.x + listed.y + listed.z + listed.w;
            }
            uint ranked = first > 0u ? igs_passed[0] : 0u;
            for (uint start = 0u; start < entries * images; start += 64u) {
                // Which of these 64 entries, each once per image, reach the group? Slots follow the order of the lists,
                // whatever the threads' timing, so that sums come out the same every time.
                if (start > 0u) {
                    igs_barrier(); // others may still read
                }
                uint entry = (start + thread) / images;
                bool keeps = entry < entries;
                if (keeps && m.mask_log2 > 0u) {
                    keeps = igs_touches(m, group, ranked + entry);
                }
                IgsTile tile;
                IgsGeometry geometry;
                IgsShape shape;
                if (keeps) {
                    uvec2 found = igs_source(entry);
                    if (first + found.x > 0u) {
                        found.y = igs_listed_gaussian(m, igs_listed_at[found.x], found.y);
                    }
                    tile = igs_shared_tile(found.x);
                    geometry = igs_geometry(m, tile, found.y);
                    vec2 middle = 16.0 * vec2(group) + vec2(8.0, 8.0);
                    int image = int((start + thread) % images);
                    shape = igs_shape(geometry, middle - igs_image_mean(m, geometry.mean, middle, image));
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
                if (thread < 2u) {
                    igs_kept[thread] = 0u;
                }
                vec2 d = vec2(float(thread & 15u), float((thread >> 4u) * 4u + strip)) - vec2(7.5, 7.5);
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
            if (more > 0u) {
                igs_barrier(); // others may still read
                if (thread == 0u) {
                    igs_passed[0] = ranked + entries;
                    uint passed = first > 0u ? igs_passed[1] : 0u;
                    for (uint other = 0u; other < 32u; ++other) {
                        passed += igs_lengths[other];
                    }
                    igs_passed[1] = passed;
                }
            }
        }
        for (int row = 0; row < IGS_ROWS; ++row) {
            uvec2 at = (group << uvec2(4u, 4u)) + uvec2(thread & 15u, (thread >> 4u) * 4u + strip + uint(row));
            if (at.x < uint(m.width) && at.y < uint(m.height)) {
                //@generated store
            }
        }
    }
}

//@generated decode_group
