// Four texels of a column, from a thread's first on, each in a component.
struct IgsColumn {
    vec4 channel[IGS_VALUES];
};

IgsColumn igs_column_of(IgsTexel first, IgsTexel second, IgsTexel third, IgsTexel fourth)
{
    IgsColumn column;
    for (int c = 0; c < IGS_VALUES; ++c) {
        column.channel[c] = vec4(first.channel[c], second.channel[c], third.channel[c], fourth.channel[c]);
    }
    return column;
}

IgsTexel igs_texel_of_column(IgsColumn column, int row)
{
    vec4 chosen = vec4(row == 0 ? 1.0 : 0.0, row == 1 ? 1.0 : 0.0, row == 2 ? 1.0 : 0.0, row == 3 ? 1.0 : 0.0);
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = dot(column.channel[c], chosen);
    }
    return texel;
}

// Adds values to those of one of the texels.
IgsColumn igs_add_to_column(IgsColumn column, IgsTexel texel, int row)
{
    vec4 chosen = vec4(row == 0 ? 1.0 : 0.0, row == 1 ? 1.0 : 0.0, row == 2 ? 1.0 : 0.0, row == 3 ? 1.0 : 0.0);
    for (int c = 0; c < IGS_VALUES; ++c) {
        column.channel[c] += texel.channel[c] * chosen;
    }
    return column;
}

// A texel to which a layer is added by itself.
IgsTexel igs_nothing()
{
    IgsTexel texel;
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = 0.0;
    }
    return texel;
}
