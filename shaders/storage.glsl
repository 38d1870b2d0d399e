// GLSL 4.30: the buffer is a storage buffer.
layout(std430, binding = IGS_BINDING) readonly buffer IgsData {
    uint igs_data[];
};

uint igs_word(uint at)
{
    return igs_data[at];
}
