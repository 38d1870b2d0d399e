#if IGS_DETAIL != 0
// What the texels of a group share of their noise: IgsAxis of its columns, then of its rows, in two vectors each.
IGS_SHARED uvec4 igs_axes[4u * IGS_GROUP_SIDE];

void igs_share_axes(IgsMaterial m, uvec2 group, uint thread)
{
    for (uint place = thread; place < 2u * IGS_GROUP_SIDE; place += IGS_GROUP_THREADS) {
        uint at = place & (IGS_GROUP_SIDE - 1u);
        IgsAxis axis = igs_axis_x(m, group.x * IGS_GROUP_SIDE + at);
        if (place >= IGS_GROUP_SIDE) {
            axis = igs_axis_y(m, group.y * IGS_GROUP_SIDE + at);
        }
        IgsBlocks blocks = axis.blocks;
        igs_axes[2u * place] = uvec4(blocks.number.x, blocks.number.y, blocks.local.x, blocks.local.y);
        igs_axes[2u * place + 1u] = uvec4(axis.cells.x, axis.cells.y, axis.cells.z, blocks.place);
    }
}

IgsAxis igs_shared_axis(uint place)
{
    uvec4 first = igs_axes[2u * place];
    uvec4 second = igs_axes[2u * place + 1u];
    IgsAxis axis;
    axis.blocks.number = uvec2(first.x, first.y);
    axis.blocks.local = uvec2(first.z, first.w);
    axis.blocks.place = second.w;
    axis.cells = uvec3(second.x, second.y, second.z);
    return axis;
}

IgsGrain igs_group_grain(IgsMaterial m, uvec2 at)
{
    uvec2 place = at & uvec2(IGS_GROUP_SIDE - 1u, IGS_GROUP_SIDE - 1u);
    return igs_grain_of(m, igs_shared_axis(place.x), igs_shared_axis(IGS_GROUP_SIDE + place.y));
}
#else // memory that nothing uses would cost 10 % all the same
#define igs_group_grain(m, at) igs_grain(m, at)
#endif
