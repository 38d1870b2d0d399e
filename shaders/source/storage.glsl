// GLSL 4.30: the buffer is a storage buffer.
layout(std430, binding = IGS_BINDING) readonly buffer IgsData
{
    uint igs_data[];
};

uint igs_word(uint at)
{
    return igs_data[at];
}

// The first 12 bits of a number's 24.
float igs_high(float x)
{
    return uintBitsToFloat(floatBitsToUint(x) & 0xFFFFF000u);
}

// Steps to the next pixel, in pixel shaders.
#define IGS_DDX(x) dFdx(x)
#define IGS_DDY(x) dFdy(x)
