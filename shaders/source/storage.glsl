// GLSL 4.30, for OpenGL and Vulkan: the buffer is a storage buffer.
#if IGS_BINDING == 0 && IGS_SET == 0 // two decoders under different prefixes would read one buffer without a word
#ifdef IMAGEGS_TEX_BINDING_0
#error two decoders at binding 0: define IGS_BINDING before the second include
#endif
#define IMAGEGS_TEX_BINDING_0
#endif

#ifdef VULKAN // as compilers say
#define IGS_PLACE(number) set = IGS_SET, binding = number
#else
#define IGS_PLACE(number) binding = number
#endif

layout(std430, IGS_PLACE(IGS_BINDING)) restrict readonly buffer IgsData
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
