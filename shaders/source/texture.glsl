// GLSL ES 3.00 (WebGL 2) and GLSL 3.30: the buffer is a texture of one unsigned word per texel, R32UI, unfiltered.
precision highp float;
precision highp int;
precision highp usampler2D;

#ifdef VULKAN // GLSL 4.50 and ES 3.10
layout(set = IGS_SET, binding = IGS_BINDING) uniform usampler2D igs_data;
#else
uniform usampler2D igs_data;
#endif

uint igs_word(uint at)
{
    return texelFetch(igs_data, ivec2(int(at & IGS_ROW_MASK), int(at >> IGS_ROW_LOG2)), 0).r;
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

// The number of the lowest bit that is set: the exponent of a power of two as a float.
#define igs_first_bit(bits) ((floatBitsToUint(float((bits) & (~(bits) + 1u))) >> 23u) - 127u)

uint igs_count_bits(uint bits)
{
    bits -= (bits >> 1u) & 0x55555555u;
    bits = (bits & 0x33333333u) + ((bits >> 2u) & 0x33333333u);
    return (((bits + (bits >> 4u)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24u;
}

// Bits of a word from one on, and the same with a sign.
uint igs_field(uint bits, uint first, uint count)
{
    return count > 0u ? (bits >> first) & (0xFFFFFFFFu >> ((32u - count) & 31u)) : 0u;
}

int igs_signed_field(uint bits, uint first, uint count)
{
    return count > 0u ? int(bits << ((32u - first - count) & 31u)) >> ((32u - count) & 31u) : 0;
}
