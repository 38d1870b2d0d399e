// HLSL, shader model 5.0 and newer: the buffer is a raw buffer.
ByteAddressBuffer igs_data : register(IGS_REGISTER);

uint igs_word(uint at)
{
    return igs_data.Load(at << 2u);
}

// The first 12 bits of a number's 24.
float igs_high(float x)
{
    return asfloat(asuint(x) & 0xFFFFF000u);
}

#define igs_as_float(bits) asfloat(bits)

// Steps to the next pixel, in pixel shaders.
#define IGS_DDX(x) ddx(x)
#define IGS_DDY(x) ddy(x)

// The number of the lowest bit that is set.
#define igs_first_bit(bits) firstbitlow(bits)

#define igs_count_bits(bits) countbits(bits)

// Bits of a word from one on, and the same with a sign.
uint igs_field(uint bits, uint first, uint count)
{
    return count > 0u ? (bits >> first) & (0xFFFFFFFFu >> ((32u - count) & 31u)) : 0u;
}

int igs_signed_field(uint bits, uint first, uint count)
{
    return count > 0u ? int(bits << ((32u - first - count) & 31u)) >> ((32u - count) & 31u) : 0;
}
