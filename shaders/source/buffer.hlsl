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

// Steps to the next pixel, in pixel shaders.
#define IGS_DDX(x) ddx(x)
#define IGS_DDY(x) ddy(x)
