#version 430
// A quad over the whole target: draw 4 vertices as a triangle strip.
layout(location = 0) out vec2 uv; // (0, 0) is the top left corner of the material

#ifdef VULKAN
#define IGS_VERTEX gl_VertexIndex
#define IGS_UP -1.0
#else
#define IGS_VERTEX gl_VertexID
#define IGS_UP 1.0
#endif

void main()
{
    vec2 corner = vec2(float(IGS_VERTEX & 1), float(IGS_VERTEX >> 1));
    uv = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(vec2(1.0, IGS_UP) * (2.0 * corner - vec2(1.0)), 0.0, 1.0);
}
