#version 430
// A lit surface whose material is decoded per pixel.
//@include

layout(location = 0) in vec2 uv;
layout(location = 0) out vec4 colour;

#ifdef VULKAN
layout(push_constant) uniform Constants
{
    vec3 light; // unit vector to the light, tangent space
//@generated material_member
};
#else
uniform vec3 light = vec3(0.4, 0.5, 0.77); // unit vector to the light, tangent space
//@generated material_uniform
#endif

void main()
{
//@generated fetch
//@generated surface
    vec3 halfway = normalize(light + vec3(0.0, 0.0, 1.0));
    float shininess = 2.0 / max(0.002, roughness * roughness * roughness * roughness) - 2.0;
    float highlight = 0.04 * (shininess + 8.0) / 8.0 * pow(max(0.0, dot(normal, halfway)), max(shininess, 0.001));
    vec3 lit = albedo * 0.1 + (albedo + vec3(highlight)) * max(0.0, dot(normal, light));
    colour = vec4(pow(min(lit, vec3(1.0)), vec3(1.0 / 2.2)), 1.0);
}
