// Decoding many texels at once: a workgroup of 64 threads decodes 16 x 16 texels. It looks for the Gaussians of the
// group's tile that reach the group and unpacks each once into shared memory; each thread sums up IGS_ROWS texels of one
// column, so that what it reads from shared memory serves several texels.

IGS_SHARED vec4 igs_group[64 * IGS_GROUP_VECTORS]; // at, along | across, scale, one code | four codes | ...
IGS_SHARED uint igs_kept[2];                       // one bit per thread that has found something
IGS_SHARED uint igs_listed[9];                     // entries from the tile and those around
IGS_SHARED uint igs_listed_at[9];                  // bit of the tile at which those begin
IGS_SHARED uint igs_tile_words[9 * 8];             // what their heads say: IgsTile

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
    igs_tile_words[source * 8u + 2u] = tile.stride;
    igs_tile_words[source * 8u + 3u] = tile.scale;
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
    tile.stride = igs_tile_words[source * 8u + 2u];
    tile.scale = igs_tile_words[source * 8u + 3u];
    tile.widths = igs_tile_words[source * 8u + 4u];
    tile.least.x = int(igs_tile_words[source * 8u + 5u]);
    tile.least.y = int(igs_tile_words[source * 8u + 6u]);
    tile.least.z = int(igs_tile_words[source * 8u + 7u]);
    return tile;
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
    uint own_at = igs_tile_at(m, own);
    IgsLists lists = igs_lists(m, own_at);
    uint far_at = lists.near_at;
    uint listed_at = lists.near_at; // of the tile or one around that this thread looks into
    uint listed_end = lists.near_at;
    for (uint k = 0u; k < 8u; ++k) { // no loop up to the thread's own: all loads can be under way at once
        uint count = igs_near_count(m, own_at, k);
        listed_at += k + 1u < thread ? count : 0u;
        listed_end += k < thread ? count : 0u;
        far_at += count;
    }
    if (thread < 9u) {
        igs_share_tile(thread, igs_tile(m, thread > 0u ? igs_near(m, tile_at, thread - 1u) : own));
        igs_listed_at[thread] = listed_at;
        uint listed = thread > 0u ? 0u : lists.count;
        for (uint at = listed_at; at < listed_end; at += 32u) {
            listed += igs_count_bits(igs_bits(own_at, at, min(listed_end - at, 32u)));
        }
        igs_listed[thread] = listed;
    }
    igs_barrier();
    uint entries = lists.far_count;
    for (uint source = 0u; source < 9u; ++source) {
        entries += igs_listed[source];
    }
    uint mask_at = far_at + lists.far_count * (m.tile_bits + m.index_bits) + igs_block(m, corner) * lists.entries;
    uint images = inside ? uint(igs_image_count(m)) : 0u;
    vec2 middle = 16.0 * vec2(group) + vec2(8.0, 8.0);
    uvec2 texel = corner + uvec2(thread & 15u, (thread >> 4u) * 4u);

    for (uint strip = 0u; strip < 4u; strip += uint(IGS_ROWS)) {
        vec2 d = vec2(float(texel.x) + 0.5, float(texel.y + strip) + 0.5) - middle;
        IgsSums sums[IGS_ROWS];
        for (int row = 0; row < IGS_ROWS; ++row) {
            sums[row] = igs_no_sums();
        }
        for (uint start = 0u; start < entries * images; start += 64u) {
            // Which of these 64 entries, each once per image, reach the group? Slots follow the order of the list, whatever
            // the threads' timing, so that sums come out the same every time.
            igs_barrier(); // others may still read what is written now
            if (thread < 2u) {
                igs_kept[thread] = 0u;
            }
            igs_barrier();
            uint entry = (start + thread) / max(images, 1u);
            bool keeps = entry < entries;
            IgsTile tile;
            IgsShape shape;
            if (keeps && m.mask_log2 > 0u) {
                uint touching = igs_bits(own_at, mask_at + entry, 1u);
                if (m.tile_log2 - m.mask_log2 < 4u) { // the group lies in four blocks
                    uint below = mask_at + entry + (lists.entries << m.mask_log2);
                    touching |= igs_bits(own_at, mask_at + entry + lists.entries, 1u);
                    touching |= igs_bits(own_at, below, 1u) | igs_bits(own_at, below + lists.entries, 1u);
                }
                keeps = touching != 0u;
            }
            if (keeps) {
                uint source = 0u;
                for (; source < 9u && entry >= igs_listed[source]; ++source) {
                    entry -= igs_listed[source];
                }
                uint gaussian = entry;
                if (source > 8u) {
                    uint bit = far_at + entry * (m.tile_bits + m.index_bits);
                    tile = igs_tile(m, igs_bits(own_at, bit, m.tile_bits));
                    gaussian = igs_bits(own_at, bit + m.tile_bits, m.index_bits);
                } else {
                    tile = igs_shared_tile(source);
                    if (source > 0u) { // the bit that is set for the entry-th time
                        uint at = igs_listed_at[source];
                        uint first = at;
                        uint listed = igs_window(own_at, at);
                        for (uint count = igs_count_bits(listed); entry >= count; count = igs_count_bits(listed)) {
                            entry -= count;
                            at += 32u;
                            listed = igs_window(own_at, at);
                        }
                        for (; entry > 0u; --entry) {
                            listed &= listed - 1u;
                        }
                        gaussian = at - first + igs_first_bit(listed);
                    }
                }
                shape = igs_shape(m, tile, gaussian, middle, int((start + thread) % max(images, 1u)));
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
                IgsFeatures features = igs_features(m, tile, shape.rest);
                igs_group[slot * IGS_GROUP_VECTORS] = vec4(shape.at, shape.along);
                igs_put(slot, 4, shape.across.x);
                igs_put(slot, 5, shape.across.y);
                igs_put(slot, 6, shape.scale);
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
        for (int row = 0; row < IGS_ROWS; ++row) {
            uvec2 at = uvec2(texel.x, texel.y + strip + uint(row));
            if (at.x < uint(m.width) && at.y < uint(m.height)) {
                //@generated store
            }
        }
    }
}

//@generated decode_group
