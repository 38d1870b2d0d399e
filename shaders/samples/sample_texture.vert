#version 300 es
// A quad over the whole target: draw 4 vertices as a triangle strip.
out vec2 uv; // (0, 0) is the top left corner of the material

void main()
{
    vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    uv = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(2.0 * corner - vec2(1.0), 0.0, 1.0);
}
