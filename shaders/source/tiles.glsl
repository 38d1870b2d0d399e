// Decoding many texels at once: a workgroup of 64 threads decodes 16 x 16 texels. It unpacks each Gaussian of its
// block once into shared memory; each thread sums up IGS_ROWS texels of one column, so that what it reads from shared
// memory serves several texels.

IGS_SHARED vec4 igs_group[64 * IGS_GROUP_VECTORS]; // at, along | across, scale, one code | four codes | ...
IGS_SHARED uint igs_kept[2];                       // one bit per entry of the current 64 that reaches the group

void igs_put(uint slot, int element, float value)
{
    igs_group[slot * IGS_GROUP_VECTORS + uint(element >> 2)][element & 3] = value;
}

float igs_take(uint slot, int element)
{
    return igs_group[slot * IGS_GROUP_VECTORS + uint(element >> 2)][element & 3];
}

// Decodes the texels of one group and hands each to igs_store.
//   group   counts 16 x 16 texels from the top left of the picture
//   thread  0..63; all threads of the workgroup must call this
//   place   texel of the output that the picture's texel (0, 0) would go to: (0, 0), or negative for a region
void igs_decode_group(uvec2 group, uint thread, ivec2 place)
{
    uvec2 block = (group << uvec2(4u, 4u)) >> uvec2(IGS_BLOCK_LOG2, IGS_BLOCK_LOG2);
    bool inside = block.x < IGS_BLOCKS_ACROSS && block.y < IGS_BLOCKS_DOWN; // the same for the whole group
    uint tile = inside ? igs_tile_of(block) : 0u;
    uint mask = IGS_GROUP_MASK << igs_bit_of(block);
    uint first = inside ? igs_word(IGS_TILES_AT + tile) : 0u;
    uint end = inside ? igs_word(IGS_TILES_AT + tile + 1u) : 0u;
    vec2 middle = 16.0 * vec2(group) + vec2(8.0, 8.0);
    uvec2 texel = group * uvec2(16u, 16u) + uvec2(thread & 15u, (thread >> 4u) * 4u);

    for (uint strip = 0u; strip < 4u; strip += uint(IGS_ROWS)) {
        vec2 d = vec2(float(texel.x) + 0.5, float(texel.y + strip) + 0.5) - middle;
        IgsSums sums[IGS_ROWS];
        for (int row = 0; row < IGS_ROWS; ++row) {
            sums[row] = igs_no_sums();
        }
        for (uint start = first * uint(IGS_IMAGES); start < end * uint(IGS_IMAGES); start += 64u) {
            // Which of these 64 entries, each once per image, reach the group? Slots follow the order of the list, whatever the threads'
            // timing, so that sums come out the same every time.
            if (thread < 2u) {
                igs_kept[thread] = 0u;
            }
            igs_barrier();
            uint entry = (start + thread) / uint(IGS_IMAGES);
            uint gaussian = entry < end ? igs_entry(entry, mask) : IGS_NONE;
            if (gaussian != IGS_NONE) {
                igs_shared_or(igs_kept[thread >> 5u], 1u << (thread & 31u));
            }
            igs_barrier();
            uint count = igs_count_bits(igs_kept[0]) + igs_count_bits(igs_kept[1]);
            if (gaussian != IGS_NONE) {
                uint before = igs_count_bits(igs_kept[thread >> 5u] & ((1u << (thread & 31u)) - 1u));
                uint slot = before + (thread >= 32u ? igs_count_bits(igs_kept[0]) : 0u);
                IgsShape shape = igs_shape(gaussian, middle, int((start + thread) % uint(IGS_IMAGES)));
                IgsFeatures features = igs_features(gaussian);
                igs_group[slot * IGS_GROUP_VECTORS] = vec4(shape.at, shape.along);
                igs_put(slot, 4, shape.across.x);
                igs_put(slot, 5, shape.across.y);
                igs_put(slot, 6, features.scale);
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
                    float weight = igs_weight(vec2(u, v));
                    scaled[row] = weight * scale;
                    sums[row].weight += weight;
                    sums[row].scaled += scaled[row];
                }
                for (int k = 0; k < IGS_COMPONENTS; ++k) {
                    float code = igs_take(slot, 7 + k);
                    for (int row = 0; row < IGS_ROWS; ++row) {
                        sums[row].code[k] += scaled[row] * code;
                    }
                }
            }
            igs_barrier(); // the next 64 overwrite what was read here
        }
        for (int row = 0; row < IGS_ROWS; ++row) {
            uvec2 at = uvec2(texel.x, texel.y + strip + uint(row));
            if (at.x < uint(IGS_WIDTH) && at.y < uint(IGS_HEIGHT)) {
                //@generated store
            }
        }
    }
}
