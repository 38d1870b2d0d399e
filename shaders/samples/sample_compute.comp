#version 430
// Decodes the whole material, or a region of it, into images: dispatch one workgroup per 32 x 32 texels.
#define IGS_COMPUTE
#define IGS_GROUP_LOG2 5 // 256 threads decode 32 x 32 texels; 4: 64 threads 16 x 16
//@include

layout(local_size_x = 256) in;

#ifdef VULKAN
layout(push_constant) uniform Constants
{
    ivec2 igs_first_group; // top left of the region in units of 32 texels; (0, 0) for the whole
//@generated material_member
};
#else
uniform ivec2 igs_first_group; // top left of the region in units of 32 texels; (0, 0) for the whole
//@generated material_uniform
#endif

void main()
{
    uvec2 group = gl_WorkGroupID.xy + uvec2(igs_first_group);
//@generated group
}
