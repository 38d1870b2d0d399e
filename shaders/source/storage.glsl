// GLSL 4.30: the buffer is a storage buffer.
layout(std430, binding = IGS_BINDING) restrict readonly buffer IgsData
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

#define igs_as_float(bits) uintBitsToFloat(bits)

// Steps to the next pixel, in pixel shaders.
#define IGS_DDX(x) dFdx(x)
#define IGS_DDY(x) dFdy(x)

// The number of the lowest bit that is set.
#define igs_first_bit(bits) uint(findLSB(bits))

#define igs_count_bits(bits) uint(bitCount(bits))

// Bits of a word from one on, and the same with a sign.
#define igs_field(bits, first, count) bitfieldExtract(bits, int(first), int(count))
#define igs_signed_field(bits, first, count) bitfieldExtract(int(bits), int(first), int(count))
