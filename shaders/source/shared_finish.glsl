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

// Sums to components, components through the basis to channels: a component's codes lie side by side, two to a word.
IgsTexel igs_texel_of_sums(IgsMaterial m, IgsSums sums)
{
    float scale = m.basis_unit / (IGS_EPSILON + sums.weight);
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = c < m.channels ? igs_number(m.offsets_at + uint(c)) : 0.0;
    }
    for (int k = 0; k < IGS_COMPONENTS; ++k) {
        if (k < m.components) {
            float component = scale * igs_number(m.steps_at + uint(k)) * sums.code[k];
            uint place = uint(k * m.channels);
            uint word = m.basis_at + (place >> 1u);
            uint next = igs_word(word);
            for (int pair = 0; pair < (IGS_VALUES + 1) / 2; ++pair) {
                if (2 * pair < m.channels) {
                    uint codes = next;
                    next = igs_word(word + uint(pair) + 1u); // behind the last component lies something else, times 0
                    codes = (place & 1u) > 0u ? (codes >> 16u) | (next << 16u) : codes;
                    texel.channel[2 * pair] += component * float(igs_signed_field(codes, 0u, 16u));
                    if (2 * pair + 1 < IGS_VALUES) {
                        float second = 2 * pair + 1 < m.channels ? component : 0.0;
                        int last = min(2 * pair + 1, IGS_VALUES - 1); // for compilers that look at what is not done
                        texel.channel[last] += second * float(igs_signed_field(codes, 16u, 16u));
                    }
                }
            }
        }
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

// What Gaussians have summed up at a point of the texel `at`, or what there is instead, to values.
IgsTexel igs_finish(IgsMaterial m, IgsSums sums, uvec2 at, vec2 p)
{
    IgsTexel texel;
    if (m.exact_at > 0u) {
        texel = igs_exact_texel(m, at);
    } else {
        texel = igs_texel_of_sums(m, sums);
    }
    if (IGS_REPEAT != 0 && m.repeat_at > 0u) {
        texel = igs_add_repeat(m, texel, p, at);
    }
    if (IGS_RESIDUAL != 0 && m.residual_at > 0u) {
        texel = igs_add_residual(m, texel, p, at);
    }
    texel = igs_in_range(texel);
    if (m.has_detail && m.widening == 0.0) {
        m = igs_with_noise(m);
        texel = igs_add_detail(m, texel, igs_grain(m, at));
    }
    return igs_with_normals(m, texel);
}
