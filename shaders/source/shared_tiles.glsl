// What a workgroup shares of its material. Numbers are read from there again and again: held in registers over all of the
// decoding they would leave room for a third of the workgroups.
IGS_SHARED uint igs_header[32]; // the first words of the material's header; the last: where it begins
IGS_SHARED vec4
    igs_basis[IGS_BASIS_VECTORS]; // offsets, then what a code of each component adds, four channels to a vector

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
    if (thread < 32u) {
        igs_header[thread] = thread < 27u ? igs_word(at + thread) : at;
    }
    if (IGS_BASIS_FITS != 0) {
        for (uint place = thread; place < uint(IGS_BASIS_VECTORS); place += IGS_GROUP_THREADS) {
            int row = int(place) / IGS_LAYERS;
            vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
            if (row <= m.components) {
                values = igs_basis_vector(m, row, int(place) % IGS_LAYERS);
            }
            igs_basis[place] = values;
        }
    }
    igs_barrier();
}

IgsTexel igs_group_texel_of_sums(IgsMaterial m, IgsSums sums)
{
    float scale = 1.0 / (IGS_EPSILON + sums.weight);
    IgsTexel texel;
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        vec4 values = vec4(0.0, 0.0, 0.0, 0.0);
        if (4 * layer < m.channels) {
            for (int k = 0; k < IGS_COMPONENTS; ++k) {
                if (k < m.components) {
                    values += sums.code[k] * igs_basis[(k + 1) * IGS_LAYERS + layer];
                }
            }
            values = scale * values + igs_basis[layer];
        }
        for (int i = 0; i < 4; ++i) {
            if (4 * layer + i < IGS_VALUES) {
                texel.channel[min(4 * layer + i, IGS_VALUES - 1)] = clamp(values[i], 0.0, 1.0);
            }
        }
    }
    return texel;
}

IgsTexel igs_group_finish(IgsMaterial m, IgsSums sums, uvec2 at)
{
    IgsTexel texel;
    if (m.exact_at > 0u) {
        texel = igs_exact_texel(m, at);
    } else if (IGS_BASIS_FITS != 0) {
        texel = igs_group_texel_of_sums(m, sums);
    } else {
        texel = igs_texel_of_sums(m, sums);
    }
    if (m.has_detail) {
        m = igs_with_noise(m);
        texel = igs_add_detail(m, texel, igs_group_grain(m, at));
    }
    return igs_with_normals(m, texel);
}
