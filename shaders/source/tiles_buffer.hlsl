// What tiles.hlsl needs of HLSL.
#define IGS_SHARED groupshared
#define igs_barrier() GroupMemoryBarrierWithGroupSync()
#define igs_as_bits(number) asuint(number)
#define igs_shared_or(target, bits) InterlockedOr(target, bits)
#define igs_uniform(value, thread) value // which all threads of a workgroup have, as WGSL has to be told

#ifdef IGS_OWN_STORE        // defined before the include by who takes the texels
#define IGS_STORES_LAYERS 0 // who takes texels takes them as a whole
void igs_store(int2 at, IgsTexel texel);
#else
#define IGS_STORES_LAYERS 1
// Coded channels, four per layer.
RWTexture2DArray<float4> igs_output : register(IGS_OUTPUT_REGISTER);

void igs_store_layer(int2 at, int layer, float4 values)
{
    igs_output[int3(at, layer)] = values;
}

void igs_store(int2 at, IgsTexel texel)
{
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        igs_store_layer(at, layer, igs_layer(texel, layer));
    }
}
#endif
