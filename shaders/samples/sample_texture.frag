#version 300 es
// A lit surface whose material is decoded per pixel.
//@include

in vec2 uv;
out vec4 colour;

uniform vec3 light; // unit vector to the light, tangent space
//@generated material_uniform

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
