IgsCosineBlocks igs_repeat_blocks(IgsMaterial m)
{
    uint period = igs_word(m.repeat_at);
    return igs_cosine_blocks(m, m.repeat_at + 6u, uvec2((period & 65535u) - 1u, (period >> 16u) - 1u));
}

IgsLattice igs_lattice(IgsMaterial m)
{
    uint period = igs_word(m.repeat_at);
    uint origin = igs_word(m.repeat_at + 1u);
    uint known = igs_word(m.repeat_at + 2u);
    IgsLattice lattice;
    lattice.period = uvec2(period & 65535u, period >> 16u);
    lattice.origin = uvec2(origin & 65535u, origin >> 16u);
    lattice.shift = known & 65535u;
    lattice.across = known >> 16u;
    lattice.pictures = igs_word(m.repeat_at + 3u);
    lattice.weights = 4u * (m.repeat_at + igs_word(m.repeat_at + 4u));
    return lattice;
}
