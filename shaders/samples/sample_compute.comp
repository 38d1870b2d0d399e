#version 430
// Decodes the whole material, or a region of it, into images: dispatch one workgroup per 16 x 16 texels.
#define IGS_COMPUTE
//@include

layout(local_size_x = 64) in;

uniform ivec2 igs_first_group; // top left of the region in units of 16 texels; (0, 0) for the whole

void main()
{
    igs_decode_group(gl_WorkGroupID.xy + uvec2(igs_first_group), gl_LocalInvocationIndex, -16 * igs_first_group);
}
