// Decoding many texels at once: a workgroup decodes a square of IGS_GROUP_SIDE texels, 16 with 64 threads or 32 with 256. It unpacks each Gaussian
// of the tile that the square lies in once into shared memory. Then 32 threads at a time take parts of 16 x 8 texels: they find
// out which of the Gaussians reach the part and sum those up, IGS_ROWS texels of a column to a thread, so that what one reads
// from shared memory serves several texels.

// Of each Gaussian: at, along | box | across, two features | four features | ... Features are codes times the Gaussian's scale:
// apart from them it would take one place more, which for ten components is a vector more. The box is the middle of the support,
// from that of the group, and half its width and height. Vectors of a Gaussian lie apart, so that threads side by side meet
// different banks of the memory.
IGS_SHARED vec4 igs_group[IGS_GROUP_SLOTS * uint(IGS_GROUP_VECTORS)];
IGS_SHARED uint igs_reaching[IGS_GROUP_PARTS * IGS_GROUP_SLOTS / 32u]; // for each part, a bit per slot
IGS_SHARED uvec4 igs_listed[8];         // entries from each source: the tile, those around, and far ones
IGS_SHARED uvec4 igs_lengths[8];        // bits of far ones
IGS_SHARED uint igs_listed_at[32];      // bit of the blocks at which those begin
IGS_SHARED uint igs_passed[1];          // far bits of sources that have been looked at
IGS_SHARED uint igs_tile_words[32 * 8]; // what the sources' heads say: IgsTile

// IgsSums for the compute decoder: the features lie as in shared memory, and as vectors. Compilers that give up unrolling loops
// over single ones move the sums to memory.
struct IgsGroupSums {
    float weight;
    vec2 first;                  // two
    vec4 code[IGS_CODE_VECTORS]; // those behind it
};

IgsGroupSums igs_no_group_sums()
{
    IgsGroupSums sums;
    sums.weight = 0.0;
    sums.first = vec2(0.0, 0.0);
    for (int v = 0; v < IGS_CODE_VECTORS; ++v) {
        sums.code[v] = vec4(0.0, 0.0, 0.0, 0.0);
    }
    return sums;
}

IgsSums igs_plain_sums(IgsGroupSums sums)
{
    IgsSums plain;
    plain.weight = sums.weight;
    plain.code[0] = sums.first.x;
    if (IGS_COMPONENTS > 1) {
        plain.code[min(1, IGS_COMPONENTS - 1)] = sums.first.y;
    }
    for (int k = 2; k < IGS_COMPONENTS; ++k) {
        plain.code[k] = sums.code[(k - 2) / 4][(k - 2) & 3];
    }
    return plain;
}

//@generated group_material
float igs_take(uint slot, int element)
{
    return igs_group[uint(element >> 2) * IGS_GROUP_SLOTS + slot][element & 3];
}

void igs_share_tile(IgsMaterial m, uint source, IgsHead head, uint number)
{
    IgsScales scales = igs_scales(m, head.at);
    igs_tile_words[source * 8u] = head.at;
    igs_tile_words[source * 8u + 1u] = number;
    igs_tile_words[source * 8u + 2u] = head.records;
    igs_tile_words[source * 8u + 3u] = scales.scale | (head.stride << 10u);
    igs_tile_words[source * 8u + 4u] = scales.widths;
    igs_tile_words[source * 8u + 5u] = uint(scales.least.x);
    igs_tile_words[source * 8u + 6u] = uint(scales.least.y);
    igs_tile_words[source * 8u + 7u] = uint(scales.least.z);
}

IgsTile igs_shared_tile(IgsMaterial m, uint source)
{
    uint scale = igs_tile_words[source * 8u + 3u];
    IgsScales scales;
    scales.scale = scale & 1023u;
    scales.widths = igs_tile_words[source * 8u + 4u];
    scales.least.x = int(igs_tile_words[source * 8u + 5u]);
    scales.least.y = int(igs_tile_words[source * 8u + 6u]);
    scales.least.z = int(igs_tile_words[source * 8u + 7u]);
    uint number = igs_tile_words[source * 8u + 1u];
    return igs_tile(m, scales, igs_tile_words[source * 8u], igs_tile_words[source * 8u + 2u], scale >> 10u, number);
}

// The tile that a group lies in; of a group beyond the picture, the first one.
uvec2 igs_tile_of_group(IgsMaterial m, uvec2 group)
{
    uvec2 corner = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE);
    bool inside = corner.x < uint(m.width) && corner.y < uint(m.height);
    return (inside ? corner : uvec2(0u, 0u)) >> uvec2(igs_tile_log2(m), igs_tile_log2(m));
}

// Looks into up to 32 sources of a group's entries, from the first-th on, a thread into each, and shares what is to be
// known of them. Returns how many there are in all. All threads of the workgroup must call this.
uint igs_share_sources(IgsMaterial m, uvec2 group, uint thread, uint first)
{
    uvec2 tile_at = igs_tile_of_group(m, group);
    uint own = tile_at.y * m.tiles.x + tile_at.x;
    IgsHead head = igs_head(m, own);
    IgsLists lists = igs_lists(m, head);
    uint groups = igs_uniform(lists.groups, thread);
    uint sources = 9u + groups;
    bool looks = thread < 32u;
    uint source = looks ? first + thread : sources;
    uint number = own;
    uint end = 0u;
    uint listed_at = lists.far_at + groups * (igs_tile_bits(m) + igs_listed_bits(m));
    if (first > 0u) {
        listed_at += igs_passed[0];
    }
    if (groups > 0u) {
        if (source > 8u && source < sources) {
            uint bit = lists.far_at + (source - 9u) * (igs_tile_bits(m) + igs_listed_bits(m));
            number = igs_bits(m.blocks_at, bit, igs_tile_bits(m));
            end = igs_bits(m.blocks_at, bit + igs_tile_bits(m), igs_listed_bits(m));
        }
        if (looks) {
            igs_lengths[thread >> 2u][thread & 3u] = end;
        }
        igs_barrier();
        if (end > 0u) {
            for (uint four = first > 0u ? 0u : 2u; 4u * four < thread; ++four) {
                uvec4 lengths = igs_lengths[four];
                for (uint i = 0u; i < 4u; ++i) {
                    listed_at += 4u * four + i < thread ? lengths[i] : 0u;
                }
            }
        }
    }
    if (looks) {
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
                listed += igs_count_bits(igs_bits(m.blocks_at, listed_at + at, min(end - at, 32u)));
            }
        }
        if (listed > 0u) {
            igs_share_tile(m, thread, head, number);
        }
        igs_listed_at[thread] = listed_at;
        igs_listed[thread >> 2u][thread & 3u] = listed;
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
    uint at = listed_at;
    uint listed = igs_window(m.blocks_at, at);
    for (uint count = igs_count_bits(listed); others >= count; count = igs_count_bits(listed)) {
        others -= count;
        at += 32u;
        listed = igs_window(m.blocks_at, at);
    }
    for (; others > 0u; --others) {
        listed &= listed - 1u;
    }
    return at - listed_at + igs_first_bit(listed);
}

// Unpacks an entry into a slot of shared memory, seen from the middle of the group. Each step looks up its numbers of the
// material anew: held from the first to the last they fill registers, and an H200 takes 0.183 instead of 0.137 ms for
// 2048 x 2048 texels of 9 channels.
void igs_unpack_entry(uvec2 found, vec2 middle, int image, uint slot)
{
    IgsTile tile = igs_shared_tile(igs_group_material(), found.x);
    IgsGeometry geometry = igs_geometry(igs_group_material(), tile, found.y);
    vec2 mean = igs_image_mean(igs_group_material(), geometry.mean, middle, image) - middle;
    IgsShape shape = igs_shape(geometry, -mean);
    // With unit axes a, b and half lengths k, l: half the width is the root of (k * a.x)^2 + (l * b.x)^2.
    vec2 along = shape.along / dot(shape.along, shape.along);
    vec2 across = shape.across / dot(shape.across, shape.across);
    float root = 1.01 * sqrt(igs_group_material().limit); // room for rounding
    float half_width = root * sqrt(along.x * along.x + across.x * across.x) + 0.01;
    float half_height = root * sqrt(along.y * along.y + across.y * across.y) + 0.01;
    igs_group[slot] = vec4(shape.at, shape.along);
    igs_group[IGS_GROUP_SLOTS + slot] = vec4(mean, half_width, half_height);
    IgsFeatures features = igs_features(igs_group_material(), tile, geometry.rest);
    float scale = igs_scale(igs_group_material(), geometry);
    float second = IGS_COMPONENTS > 1 ? features.code[min(1, IGS_COMPONENTS - 1)] : 0.0;
    igs_group[2u * IGS_GROUP_SLOTS + slot] = vec4(shape.across, scale * features.code[0], scale * second);
    for (int v = 0; v < IGS_GROUP_VECTORS - 3; ++v) {
        vec4 codes = vec4(0.0, 0.0, 0.0, 0.0);
        for (int i = 0; i < 4; ++i) {
            if (4 * v + 2 + i < IGS_COMPONENTS) {
                codes[i] = features.code[min(4 * v + 2 + i, IGS_COMPONENTS - 1)];
            }
        }
        igs_group[uint(v + 3) * IGS_GROUP_SLOTS + slot] = scale * codes;
    }
}

// Whether a support can reach the centre of a texel of a part, 16 x 8 texels around a point: not where a line along one
// of the part's sides or of the support's axes parts them. Of those that it lets through, few reach none.
bool igs_reaches(IgsMaterial m, uint slot, vec2 middle)
{
    vec4 shape = igs_group[slot];
    vec4 box = igs_group[IGS_GROUP_SLOTS + slot];
    vec2 across = vec2(igs_take(slot, 8), igs_take(slot, 9));
    float root = 1.01 * sqrt(m.limit) + 0.01; // room for rounding
    float u = shape.x + shape.z * middle.x + shape.w * middle.y;
    float v = shape.y + across.x * middle.x + across.y * middle.y;
    bool beside = abs(box.x - middle.x) < 7.5 + box.z && abs(box.y - middle.y) < 3.5 + box.w;
    bool along = abs(u) < 7.5 * abs(shape.z) + 3.5 * abs(shape.w) + root;
    return beside && along && abs(v) < 7.5 * abs(across.x) + 3.5 * abs(across.y) + root;
}

// Where a thread's first texel lies in the group.
//   part  of 16 x 8 texels, row by row
uvec2 igs_texel_of_group(uint part, uint thread)
{
    uint across = IGS_GROUP_SIDE / 16u;
    uvec2 at = uvec2(part % across, part / across) * uvec2(16u, 8u);
    return at + uvec2(thread & 15u, ((thread >> 4u) & 1u) * 4u);
}

// Decodes the texels of one group and hands each to igs_store.
//   group   counts squares of IGS_GROUP_SIDE texels from the top left of the picture
//   thread  0 .. IGS_GROUP_THREADS - 1; all threads of the workgroup must call this
//   place   texel of the output that the picture's texel (0, 0) would go to: (0, 0), or negative for a region
// What can be found anew is not held across the sums: the fewer registers, the more groups an H200 runs side by side.
void igs_decode_tiles_group(uvec2 group, uint thread, ivec2 place)
{
    //@generated group_start
    uint images = uint(igs_image_count(igs_group_material()));
    uint words = IGS_GROUP_SLOTS / 32u; // of bits per slot
    float half_side = 0.5 * float(IGS_GROUP_SIDE);
    uint sources = 0u;
    uint entries = 0u;
    uint turns = 4u * IGS_GROUP_PARTS / (uint(IGS_ROWS) * (IGS_GROUP_THREADS / 32u));
    for (uint turn = 0u; turn < turns; ++turn) {
        IgsGroupSums sums[IGS_ROWS];
        for (int row = 0; row < IGS_ROWS; ++row) {
            sums[row] = igs_no_group_sums();
        }
        uint more = 1u; // sources to look into. There are rarely more than 20.
        for (uint first = 0u; more > 0u; first += 32u) {
            bool looks = turn == 0u || sources > 32u;
            if (looks) {
                if (first + turn > 0u) {
                    igs_barrier(); // others may still read
                }
                sources = igs_share_sources(igs_group_material(), group, thread, first);
                entries = 0u;
                for (uint four = 0u; four < (min(sources - first, 32u) + 3u) >> 2u; ++four) {
                    uvec4 listed = igs_listed[four];
                    entries += listed.x + listed.y + listed.z + listed.w;
                }
                entries = igs_uniform(entries * images, thread); // each once per image
            }
            more = sources > first + 32u ? 1u : 0u;
            for (uint start = 0u; start < entries; start += IGS_GROUP_SLOTS) {
                uint count = min(entries - start, IGS_GROUP_SLOTS);
                bool unpacks = looks || entries > IGS_GROUP_SLOTS;
                // 0, which compilers do not know: what is made of it they find anew, and do not hold it across the unpacking.
                // With ten components nvcc has 80 registers instead of 98 so, which is three workgroups side by side.
                uint none = start >> 31u;
                if (unpacks) {
                    if (start + turn > 0u) {
                        igs_barrier(); // others may still read
                    }
                    for (uint slot = thread; slot < count; slot += IGS_GROUP_THREADS) {
                        uvec2 found = igs_source((start + slot) / images);
                        if (first + found.x > 0u) {
                            found.y = igs_listed_gaussian(igs_group_material(), igs_listed_at[found.x], found.y);
                        }
                        vec2 middle =
                            float(IGS_GROUP_SIDE) * vec2(group + uvec2(none, none)) + vec2(half_side, half_side);
                        igs_unpack_entry(found, middle, int((start + slot) % images), slot);
                    }
                    for (uint word = thread; word < IGS_GROUP_PARTS * words; word += IGS_GROUP_THREADS) {
                        igs_reaching[word] = 0u;
                    }
                    igs_barrier();
                }
                uint own_part = turn * uint(IGS_ROWS) / 4u * (IGS_GROUP_THREADS / 32u) + ((thread + none) >> 5u);
                if (unpacks || turn * uint(IGS_ROWS) % 4u == 0u) {
                    IgsMaterial m = igs_group_material();
                    uvec2 corner = igs_texel_of_group(own_part, 0u);
                    vec2 middle = vec2(float(corner.x) + 8.0, float(corner.y) + 4.0) - vec2(half_side, half_side);
                    for (uint slot = (thread + none) & 31u; slot < count; slot += 32u) {
                        if (igs_reaches(m, slot, middle)) {
                            igs_shared_or(igs_reaching[own_part * words + (slot >> 5u)], 1u << (slot & 31u));
                        }
                    }
                    igs_barrier();
                }
                IgsMaterial m = igs_group_material();
                uvec2 texel = igs_texel_of_group(own_part, thread + none) + uvec2(0u, turn * uint(IGS_ROWS) % 4u);
                vec2 d = vec2(float(texel.x), float(texel.y)) + vec2(0.5 - half_side, 0.5 - half_side);
                for (uint word = 0u; word < (count + 31u) >> 5u; ++word) {
                    for (uint reaching = igs_reaching[own_part * words + word]; reaching != 0u;
                         reaching &= reaching - 1u) {
                        uint slot = 32u * word + igs_first_bit(reaching);
                        vec4 head = igs_group[slot];
                        vec4 next = igs_group[2u * IGS_GROUP_SLOTS + slot];
                        float weights[IGS_ROWS];
                        // No test for weights above zero here: with it, an H200 takes 3% longer.
                        for (int row = 0; row < IGS_ROWS; ++row) {
                            vec2 offset = vec2(d.x, d.y + float(row));
                            float u = head.x + head.z * offset.x + head.w * offset.y;
                            float v = head.y + next.x * offset.x + next.y * offset.y;
                            weights[row] = igs_weight(m, vec2(u, v));
                            sums[row].weight += weights[row];
                            sums[row].first += weights[row] * vec2(next.z, next.w);
                        }
                        for (int v = 0; v < IGS_GROUP_VECTORS - 3; ++v) {
                            if (4 * v + 2 < m.components) {
                                vec4 features = igs_group[uint(v + 3) * IGS_GROUP_SLOTS + slot];
                                for (int row = 0; row < IGS_ROWS; ++row) {
                                    sums[row].code[v] += weights[row] * features;
                                }
                            }
                        }
                    }
                }
            }
            if (more > 0u) {
                igs_barrier(); // others may still read
                if (thread == 0u) {
                    uint passed = first > 0u ? igs_passed[0] : 0u;
                    for (uint four = 0u; four < 8u; ++four) {
                        uvec4 lengths = igs_lengths[four];
                        passed += lengths.x + lengths.y + lengths.z + lengths.w;
                    }
                    igs_passed[0] = passed;
                }
            }
        }
        IgsMaterial m = igs_group_material();
        uint part = turn * uint(IGS_ROWS) / 4u * (IGS_GROUP_THREADS / 32u) + (thread >> 5u);
        uvec2 first_texel = igs_texel_of_group(part, thread) + uvec2(0u, turn * uint(IGS_ROWS) % 4u);
        //@generated rows
    }
}

//@generated decode_group
