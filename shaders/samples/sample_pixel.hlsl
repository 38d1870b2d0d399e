// A lit surface whose material is decoded per pixel: draw 4 vertices as a triangle strip.
#include "igs_decode.hlsl"

//@generated hlsl_constants
struct Vertex {
    float4 position : SV_Position;
    float2 uv : TEXCOORD0; // (0, 0) is the top left corner of the material
};

Vertex VSMain(uint index : SV_VertexID)
{
    float2 corner = float2(float(index & 1u), float(index >> 1u));
    Vertex vertex;
    vertex.position = float4(2.0 * corner - float2(1.0, 1.0), 0.0, 1.0);
    vertex.uv = float2(corner.x, 1.0 - corner.y);
    return vertex;
}

float4 PSMain(Vertex vertex) : SV_Target0
{
    float2 uv = vertex.uv;
//@generated fetch
    float3 light = float3(0.4, 0.5, 0.77); // unit vector to the light, tangent space
//@generated surface
    float3 halfway = normalize(light + float3(0.0, 0.0, 1.0));
    float shininess = 2.0 / max(0.002, roughness * roughness * roughness * roughness) - 2.0;
    float highlight = 0.04 * (shininess + 8.0) / 8.0 * pow(max(0.0, dot(normal, halfway)), max(shininess, 0.001));
    float3 lit = albedo * 0.1 + (albedo + float3(highlight, highlight, highlight)) * max(0.0, dot(normal, light));
    return float4(pow(min(lit, float3(1.0, 1.0, 1.0)), float3(0.4545, 0.4545, 0.4545)), 1.0);
}
