// HLSL, shader model 5.0 and newer: the buffer is a raw buffer.
ByteAddressBuffer igs_data : register(IGS_REGISTER);

uint igs_word(uint at)
{
    return igs_data.Load(at << 2u);
}
