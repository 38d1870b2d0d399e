// The residual layer: what the Gaussians leave, as blocks of cosines that cover the picture.

// Adds the layer at a point of the texel `at` to the channels. Levels whose texels are larger than a block have all of it.
IgsTexel igs_add_residual(IgsMaterial m, IgsTexel texel, vec2 p, uvec2 at)
{
    IgsCosineBlocks blocks = igs_residual_blocks(m);
    if (12.0 * m.widening < float(1u << (2u * blocks.log2))) {
        uvec2 corner = (at >> uvec2(blocks.log2, blocks.log2)) << uvec2(blocks.log2, blocks.log2);
        vec2 turns = (p - vec2(float(corner.x), float(corner.y))) * (0.5 / float(1u << blocks.log2));
        texel = igs_add_blocks(m, texel, blocks, igs_block_of(blocks, at), turns, 0u);
    }
    return texel;
}
