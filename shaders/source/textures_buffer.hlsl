// What textures.glsl needs of HLSL.
RWByteAddressBuffer igs_textures : register(IGS_OUTPUT_REGISTER);
ByteAddressBuffer igs_jobs : register(IGS_JOBS_REGISTER);
RWByteAddressBuffer igs_scratch : register(IGS_SCRATCH_REGISTER);

int igs_job_word(uint at)
{
    return asint(igs_jobs.Load(at << 2u));
}

#define igs_write(at, word) igs_textures.Store((at) << 2u, word)
#define igs_scratch_read(at) asfloat(igs_scratch.Load((at) << 2u))
#define igs_scratch_write(at, value) igs_scratch.Store((at) << 2u, asuint(value))
