// A lit surface whose material is decoded per pixel: draw 4 vertices as a triangle strip.
//@include

struct Surface {
    light: vec3f, // unit vector to the light, tangent space
    material: u32, // number in the buffer
}
@group(0) @binding(1) var<uniform> surface: Surface;

struct Vertex {
    @builtin(position) position: vec4f,
    @location(0) uv: vec2f, // (0, 0) is the top left corner of the material
}

@vertex
fn vertex_main(@builtin(vertex_index) index: u32) -> Vertex {
    let corner = vec2f(f32(index & 1u), f32(index >> 1u));
    return Vertex(vec4f(2.0 * corner - vec2f(1.0), 0.0, 1.0), vec2f(corner.x, 1.0 - corner.y));
}

@fragment
fn fragment_main(vertex: Vertex) -> @location(0) vec4f {
    let texel = igs_sample(surface.material, vertex.uv);
    let albedo = igs_base_colour_linear(surface.material, texel);
    let normal = igs_normal(surface.material, texel);
    let roughness = igs_roughness(surface.material, texel);
    let halfway = normalize(surface.light + vec3f(0.0, 0.0, 1.0));
    let shininess = 2.0 / max(0.002, roughness * roughness * roughness * roughness) - 2.0;
    let highlight = 0.04 * (shininess + 8.0) / 8.0 * pow(max(0.0, dot(normal, halfway)), max(shininess, 0.001));
    let lit = albedo * 0.1 + (albedo + vec3f(highlight)) * max(0.0, dot(normal, surface.light));
    return vec4f(pow(min(lit, vec3f(1.0)), vec3f(1.0 / 2.2)), 1.0);
}
