// Decodes the whole material, or a region of it, into images: dispatch one group per 32 x 32 texels.
#define IGS_COMPUTE
#define IGS_GROUP_LOG2 5 // 256 threads decode 32 x 32 texels; 4: 64 threads 16 x 16
#include "igs_decode.hlsl"

cbuffer IgsRegion : register(b2)
{
    int2 igs_first_group; // top left of the region in units of 32 texels; (0, 0) for the whole
//@generated hlsl_number
};

[numthreads(256, 1, 1)]
void CSMain(uint3 group : SV_GroupID, uint thread : SV_GroupIndex)
{
//@generated hlsl_group
}
