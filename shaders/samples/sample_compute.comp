#version 430
// Decodes the whole material, or a region of it, into images: dispatch one workgroup per 16 x 16 texels.
#define IGS_COMPUTE
//@include

layout(local_size_x = 64) in;

#ifdef VULKAN
layout(push_constant) uniform Constants
{
    ivec2 igs_first_group; // top left of the region in units of 16 texels; (0, 0) for the whole
//@generated material_member
};
#else
uniform ivec2 igs_first_group; // top left of the region in units of 16 texels; (0, 0) for the whole
//@generated material_uniform
#endif

void main()
{
    uvec2 group = gl_WorkGroupID.xy + uvec2(igs_first_group);
//@generated group
}
