// Layers of blocks of cosines by the numbers of the buffer, which are looked up where they are added.

// What lies at a word, whose blocks cover a picture up to its last texel.
IgsCosineBlocks igs_cosine_blocks(IgsMaterial m, uint at, uvec2 last)
{
    uint known = igs_word(at);
    uint offsets = igs_word(at + 1u);
    IgsCosineBlocks blocks;
    blocks.log2 = known & 255u;
    uvec2 counts = (last >> uvec2(blocks.log2, blocks.log2)) + uvec2(1u, 1u);
    blocks.across = counts.x;
    blocks.components = (known >> 8u) & 255u;
    blocks.basis = 2u * (at + 3u);
    blocks.order = at + 3u + ((blocks.components * uint(m.channels) + 1u) >> 1u);
    blocks.begins = blocks.order + ((1u << (2u * blocks.log2)) >> 2u);
    blocks.lists = blocks.begins + 5u * ((counts.x * counts.y >> 3u) + 1u);
    blocks.unit = 2.0 / 32767.0 / float(1u << blocks.log2) * igs_number(at + 2u);
    float first = float(igs_signed_field(offsets, 0u, 8u));
    float second = float(igs_signed_field(offsets, 8u, 8u));
    blocks.offsets = vec3(first, second, float(igs_signed_field(offsets, 16u, 8u))) / 128.0;
    return blocks;
}

IgsCosineBlocks igs_residual_blocks(IgsMaterial m)
{
    return igs_cosine_blocks(m, m.residual_at, uvec2(uint(m.width - 1), uint(m.height - 1)));
}
