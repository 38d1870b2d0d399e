// GLSL ES 3.00 (WebGL 2) and GLSL 3.30: the buffer is a texture of one unsigned word per texel, R32UI, unfiltered.
precision highp float;
precision highp int;
precision highp usampler2D;

uniform usampler2D igs_data;

uint igs_word(uint at)
{
    return texelFetch(igs_data, ivec2(int(at & IGS_ROW_MASK), int(at >> IGS_ROW_LOG2)), 0).r;
}

// The first 12 bits of a number's 24.
float igs_high(float x)
{
    return uintBitsToFloat(floatBitsToUint(x) & 0xFFFFF000u);
}

// Steps to the next pixel, in pixel shaders.
#define IGS_DDX(x) dFdx(x)
#define IGS_DDY(x) dFdy(x)
