// The compute decoder: put it behind igs_decode.wgsl. A workgroup of IGS_GROUP_THREADS threads calls igs_decode_group.
// The images that igs_store writes, four channels per layer: change place and format, or put functions of your own in place.
@group(0) @binding(1) var igs_output: texture_storage_2d_array<rgba8unorm, write>;

fn igs_store_layer(at: vec2i, layer: i32, values: vec4f) {
    textureStore(igs_output, at, layer, values);
}

fn igs_store(at: vec2i, texel: IgsTexel) {
    for (var layer = 0; layer < IGS_LAYERS; layer++) {
        igs_store_layer(at, layer, igs_layer(texel, layer));
    }
}

fn igs_barrier() {
    workgroupBarrier();
}

fn igs_as_bits(number: f32) -> u32 {
    return bitcast<u32>(number);
}

// A number that all threads of the workgroup have, in a way that WGSL sees: barriers may depend on it.
var<workgroup> igs_agreed: u32;

fn igs_uniform(value: u32, thread: u32) -> u32 {
    if (thread == 0u) {
        igs_agreed = value;
    }
    return workgroupUniformLoad(&igs_agreed);
}
