// What textures.glsl needs of GLSL 4.30.
layout(std430, binding = IGS_OUTPUT_BINDING) restrict writeonly buffer IgsTextures
{
    uint igs_textures[];
};

layout(std430, binding = IGS_JOBS_BINDING) restrict readonly buffer IgsJobs
{
    int igs_jobs[];
};

layout(std430, binding = IGS_SCRATCH_BINDING) restrict buffer IgsScratch
{
    float igs_scratch[];
};

#define igs_job_word(at) igs_jobs[at]
#define igs_write(at, word) igs_textures[at] = word
#define igs_scratch_read(at) igs_scratch[at]
#define igs_scratch_write(at, value) igs_scratch[at] = value
