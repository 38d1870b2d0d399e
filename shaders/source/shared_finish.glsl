// From sums to values, by the numbers of a material's header: docs/gpu-buffer.md.

// The texel `at` of exact samples.
IgsTexel igs_exact_texel(IgsMaterial m, uvec2 at)
{
    uint word = m.exact_at + m.exact_words * (at.y * uint(m.width) + at.x);
    uint used = 0u; // bits of it
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = 0.0;
        if (c < m.channels) {
            uint widths = igs_word(m.normals_at + uint(m.normals + (c >> 4)));
            uint width = 8u * igs_field(widths, 2u * uint(c & 15), 2u);
            word += used + width > 32u ? 1u : 0u; // one that does not fit begins the next
            used = used + width > 32u ? 0u : used;
            uint code = igs_field(igs_word(word), used, width);
            used += width;
            texel.channel[c] = float(code) / float((1u << width) - 1u);
        }
    }
    return texel;
}

// What a code of a component adds to a channel.
float igs_basis_value(IgsMaterial m, int k, int c)
{
    uint place = uint(k * m.channels + c);
    int code = igs_signed_field(igs_word(m.basis_at + (place >> 1u)), 16u * (place & 1u), 16u);
    return m.basis_unit * igs_number(m.steps_at + uint(k)) * float(code);
}

// Sums to components, components through the basis to channels.
IgsTexel igs_texel_of_sums(IgsMaterial m, IgsSums sums)
{
    float scale = m.basis_unit / (IGS_EPSILON + sums.weight);
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        sums.code[k] *= k < m.components ? scale * igs_number(m.steps_at + uint(k)) : 0.0;
    }
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        float value = 0.0;
        if (c < m.channels) {
            value = igs_number(m.offsets_at + uint(c));
            for (int k = 0; k < IGS_COMPONENTS; ++k) {
                uint place = uint(k * m.channels + c); // behind the last component lies something else, times 0
                int code = igs_signed_field(igs_word(m.basis_at + (place >> 1u)), 16u * (place & 1u), 16u);
                value += float(code) * sums.code[k];
            }
        }
        texel.channel[c] = value;
    }
    return texel;
}

// (z + 1) / 2 of normals whose z is made of x and y, behind the channels.
IgsTexel igs_with_normals(IgsMaterial m, IgsTexel texel)
{
    for (int n = 0; n < m.normals; ++n) {
        uint sides = igs_word(m.normals_at + uint(n));
        float x = 0.0; // picked by constant numbers: others would move the texel to memory
        float y = 0.0;
        for (int c = 0; c < IGS_VALUES; ++c) {
            x = c == int(sides & 255u) ? 2.0 * texel.channel[c] - 1.0 : x;
            y = c == int(sides >> 8u) ? 2.0 * texel.channel[c] - 1.0 : y;
        }
        float z = 0.5 * sqrt(max(0.0, 1.0 - x * x - y * y)) + 0.5;
        for (int c = 0; c < IGS_VALUES; ++c) {
            texel.channel[c] = c == m.channels + n ? z : texel.channel[c];
        }
    }
    return texel;
}

// The numbers of the residual, which are looked up where it is added.
IgsMaterial igs_with_residual(IgsMaterial m)
{
    uint known = igs_word(m.residual_at);
    uint offsets = igs_word(m.residual_at + 1u);
    m.residual_log2 = known & 255u;
    uvec2 last = uvec2(uint(m.width - 1), uint(m.height - 1));
    uvec2 blocks = (last >> uvec2(m.residual_log2, m.residual_log2)) + uvec2(1u, 1u);
    m.residual_across = blocks.x;
    m.residual_basis = 2u * (m.residual_at + 3u);
    m.residual_order = m.residual_at + 3u + (((known >> 8u) * uint(m.channels) + 1u) >> 1u);
    m.residual_blocks = m.residual_order + ((1u << (2u * m.residual_log2)) >> 2u);
    m.residual_lists = m.residual_blocks + blocks.x * blocks.y + 1u;
    m.residual_unit = 2.0 / 32767.0 / float(1u << m.residual_log2) * igs_number(m.residual_at + 2u);
    float first = float(igs_signed_field(offsets, 0u, 8u));
    float second = float(igs_signed_field(offsets, 8u, 8u));
    m.residual_offsets = vec3(first, second, float(igs_signed_field(offsets, 16u, 8u))) / 128.0;
    return m;
}

// What Gaussians have summed up at a point of the texel `at`, or what there is instead, to values.
IgsTexel igs_finish(IgsMaterial m, IgsSums sums, uvec2 at, vec2 p)
{
    IgsTexel texel;
    if (m.exact_at > 0u) {
        texel = igs_exact_texel(m, at);
    } else {
        texel = igs_texel_of_sums(m, sums);
    }
    if (IGS_RESIDUAL != 0 && m.residual_at > 0u && m.widening == 0.0) {
        texel = igs_add_residual(igs_with_residual(m), texel, p, at);
    }
    texel = igs_in_range(texel);
    if (m.has_detail && m.widening == 0.0) {
        m = igs_with_noise(m);
        texel = igs_add_detail(m, texel, igs_grain(m, at));
    }
    return igs_with_normals(m, texel);
}
