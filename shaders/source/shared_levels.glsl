// Words of a texel of the coarse levels: three values each.
uint igs_coarse_words(IgsMaterial m)
{
    return uint(m.channels + m.normals + 2) / 3u;
}

// First word, texels across and texels down of a coarse level.
uvec3 igs_coarse_level(IgsMaterial m, int level)
{
    uvec3 found = uvec3(0u, 0u, 0u);
    for (int k = m.first_level; k <= level; ++k) {
        found.x += found.y * found.z * igs_coarse_words(m);
        found.y = uint((m.width + (1 << k) - 1) >> k);
        found.z = uint((m.height + (1 << k) - 1) >> k);
    }
    return found;
}

// The texel of a coarse level at a word of the buffer.
IgsTexel igs_coarse_texel(IgsMaterial m, uint at)
{
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = 0.0;
        if (c < m.channels + m.normals) {
            texel.channel[c] = float(igs_field(igs_word(at + uint(c / 3)), 10u * uint(c % 3), 10u)) / 1023.0;
        }
    }
    return texel;
}
