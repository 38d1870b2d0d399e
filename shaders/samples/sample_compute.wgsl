// Decodes a material, texel by texel, into images of four channels each: dispatch one workgroup per 8 x 8 texels.
//@include

struct Request {
    material: u32, // number in the buffer
}
@group(0) @binding(1) var output: texture_storage_2d_array<rgba8unorm, write>;
@group(0) @binding(2) var<uniform> request: Request;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let texel = igs_decode_at(request.material, vec2f(id.xy) + vec2f(0.5));
    for (var layer = 0; layer < i32(textureNumLayers(output)); layer++) {
        textureStore(output, id.xy, layer, igs_layer(texel, layer)); // beyond the image it does nothing
    }
}
