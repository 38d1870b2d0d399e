// What a workgroup shares of its material. Numbers are read from there again and again: held in registers over all of the
// decoding they would leave room for a third of the workgroups.
IGS_SHARED uint igs_header[32]; // first words of the material's header, tiles across and down, blocks_at, at
// Offsets, then what a code of each component adds, four channels to a vector.
IGS_SHARED vec4 igs_basis[IGS_BASIS_VECTORS];

float igs_header_number(uint word)
{
    return igs_as_float(igs_header[word]);
}

//@generated group_header

// What a code of a component, or the offset in front of them, adds to four channels.
vec4 igs_basis_vector(IgsMaterial m, int row, int layer)
{
    vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
    for (int i = 0; i < 4; ++i) {
        int c = 4 * layer + i;
        if (c < m.channels) {
            values[i] = row > 0 ? igs_basis_value(m, row - 1, c) : igs_number(m.offsets_at + uint(c));
        }
    }
    return values;
}

// All threads of the workgroup must call this.
void igs_share_material(uint number, uint thread)
{
    uint at = igs_material_at(number);
    IgsMaterial m = igs_material(at);
    if (thread < 27u) {
        igs_header[thread] = igs_word(at + thread);
    }
    if (thread == 27u) {
        igs_header[27] = m.tiles.x;
        igs_header[28] = m.tiles.y;
        igs_header[29] = m.blocks_at;
        igs_header[30] = at;
    }
    igs_barrier();
    if (IGS_BASIS_FITS != 0) { // the first 32 threads have more to do; barriers follow before anybody reads it
        for (uint place = (thread + IGS_GROUP_THREADS - 32u) % IGS_GROUP_THREADS; place < uint(IGS_BASIS_VECTORS);
             place += IGS_GROUP_THREADS) {
            int row = int(place) / IGS_LAYERS;
            vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
            if (row <= m.components) {
                values = igs_basis_vector(m, row, int(place) % IGS_LAYERS);
            }
            igs_basis[place] = values;
        }
    }
}

vec4 igs_shared_basis(int row, int layer)
{
    return igs_basis[min(row * IGS_LAYERS + layer, IGS_BASIS_VECTORS - 1)];
}

IgsTexel igs_group_texel(IgsMaterial m, IgsGroupSums sums)
{
    float scale = 1.0 / (IGS_EPSILON + sums.weight);
    IgsTexel texel;
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
        if (4 * layer < m.channels) {
            values = sums.first.x * igs_shared_basis(1, layer);
            values += sums.first.y * igs_shared_basis(2, layer);
            for (int v = 0; v < IGS_GROUP_VECTORS - 3; ++v) {
                if (4 * v + 2 < m.components) {
                    values += sums.code[v].x * igs_shared_basis(4 * v + 3, layer);
                    values += sums.code[v].y * igs_shared_basis(4 * v + 4, layer);
                    values += sums.code[v].z * igs_shared_basis(4 * v + 5, layer);
                    values += sums.code[v].w * igs_shared_basis(4 * v + 6, layer);
                }
            }
            values = scale * values + igs_shared_basis(0, layer);
        }
        for (int i = 0; i < 4; ++i) {
            if (4 * layer + i < IGS_VALUES) {
                texel.channel[min(4 * layer + i, IGS_VALUES - 1)] = values[i];
            }
        }
    }
    return texel;
}

// From sums to the channels of a texel `at`, with what the workgroup shares, or what there is instead of them.
IgsTexel igs_group_gaussians(IgsMaterial m, IgsGroupSums sums, uvec2 at)
{
    IgsTexel texel;
    if (m.exact_at > 0u) {
        texel = igs_exact_texel(m, min(at, uvec2(uint(m.width - 1), uint(m.height - 1)))); // columns may end beyond
    } else if (IGS_BASIS_FITS != 0) {
        texel = igs_group_texel(m, sums);
    } else {
        texel = igs_texel_of_sums(m, igs_plain_sums(sums));
    }
    return texel;
}

// The channels with the repeat, where there is one.
IgsTexel igs_group_repeat(IgsMaterial m, IgsTexel texel, uvec2 at)
{
    if (IGS_REPEAT != 0 && m.repeat_at > 0u) {
        texel = igs_add_repeat(m, texel, igs_centre(at), at);
    }
    return texel;
}

// The channels with all layers to values.
IgsTexel igs_group_complete(IgsMaterial m, IgsTexel texel, uvec2 at)
{
    texel = igs_in_range(texel);
    if (m.has_detail) {
        m = igs_with_noise(m);
        texel = igs_add_group_detail(m, texel, igs_group_grain(m, at));
    }
    return igs_with_normals(m, texel);
}

//@generated group_finish
