// What tiles.glsl needs of GLSL 4.30.
#define IGS_SHARED shared
#define igs_barrier() barrier()
#define igs_as_bits(number) floatBitsToUint(number)
#define igs_shared_or(target, bits) atomicOr(target, bits)

#ifdef IGS_OWN_STORE // defined before the include by who takes the texels
void igs_store(ivec2 at, IgsTexel texel);
#else
// Coded channels, four per layer. Any format that images can have: RGBA8, RGBA16F, RGBA32F.
layout(IGS_PLACE(IGS_OUTPUT_BINDING)) writeonly uniform image2DArray igs_output;

void igs_store(ivec2 at, IgsTexel texel)
{
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        imageStore(igs_output, ivec3(at, layer), igs_layer(texel, layer));
    }
}
#endif
