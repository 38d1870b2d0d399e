// What tiles.hlsl needs of HLSL.
#define IGS_SHARED groupshared
#define igs_barrier() GroupMemoryBarrierWithGroupSync()
#define igs_as_bits(number) asuint(number)
#define igs_shared_or(target, bits) InterlockedOr(target, bits)

#ifdef IGS_OWN_STORE // defined before the include by who takes the texels
void igs_store(int2 at, IgsTexel texel);
#else
// Coded channels, four per layer.
RWTexture2DArray<float4> igs_output : register(IGS_OUTPUT_REGISTER);

void igs_store(int2 at, IgsTexel texel)
{
    for (int layer = 0; layer < IGS_LAYERS; ++layer) {
        igs_output[int3(at, layer)] = igs_layer(texel, layer);
    }
}
#endif
