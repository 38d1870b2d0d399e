// Decodes a material into images of four channels each: dispatch one workgroup per 32 x 32 texels.
//@include

struct Request {
    material: u32, // number in the buffer
}
@group(0) @binding(2) var<uniform> request: Request;

@compute @workgroup_size(IGS_GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    igs_decode_group(request.material, group.xy, thread, vec2i(0, 0)); // beyond the images it does nothing
}
