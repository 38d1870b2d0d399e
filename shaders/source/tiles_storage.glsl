// What tiles.glsl needs of GLSL 4.30.
#define IGS_SHARED shared
#define igs_barrier() barrier()
#define igs_as_bits(number) floatBitsToUint(number)
#define igs_shared_or(target, bits) atomicOr(target, bits)
#define igs_uniform(value, thread) value // which all threads of a workgroup have, as WGSL has to be told

#ifdef IGS_OWN_STORE        // defined before the include by who takes the texels
#define IGS_STORES_LAYERS 0 // who takes texels takes them as a whole
void igs_store(ivec2 at, IgsTexel texel);
#else
#define IGS_STORES_LAYERS 1
// Coded channels, four per layer. Any format that images can have: RGBA8, RGBA16F, RGBA32F.
layout(IGS_PLACE(IGS_OUTPUT_BINDING)) writeonly uniform image2DArray igs_output;

void igs_store_layer(ivec2 at, int layer, vec4 values)
{
    imageStore(igs_output, ivec3(at, layer), values);
}

void igs_store(ivec2 at, IgsTexel texel)
{
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        igs_store_layer(at, layer, igs_layer(texel, layer));
    }
}
#endif
