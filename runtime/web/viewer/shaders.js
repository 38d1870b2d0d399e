// The shaders of the viewer. Textures hold values as decoded; sRGB ones are made linear by the sampler.

export const SOLID_VERTEX = `#version 300 es
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 tangent; // w: -1 where coordinates are mirrored
layout(location = 3) in vec2 coordinate;
uniform mat4 turn; // model to world
uniform mat4 project; // world to clip
uniform float tiles;
out vec3 world;
out mat3 frame;
out vec2 uv;
void main()
{
    vec4 at = turn * vec4(position, 1.0);
    world = at.xyz;
    vec3 t = mat3(turn) * tangent.xyz;
    vec3 n = mat3(turn) * normal;
    frame = mat3(t, cross(n, t) * tangent.w, n);
    uv = coordinate * tiles;
    gl_Position = project * at;
}`;

// GGX with the height-correlated visibility term (E. Heitz, 2014) and Schlick's Fresnel; surroundings are a gradient, blurred by
// mixing, with an analytic stand-in for the integrated BRDF (B. Karis, "Physically Based Shading on Mobile", 2014).
export const SOLID_FRAGMENT = `#version 300 es
precision highp float;
in vec3 world;
in mat3 frame;
in vec2 uv;
uniform sampler2D base_map, normal_map, packed_map, light_map;
uniform bvec4 has; // base, normal, packed, light
uniform vec3 eye;
uniform vec3 light; // towards it
uniform float strength;
uniform float green;
uniform vec3 above, level, below; // what surrounds it
uniform vec2 texels;
uniform float cut; // alpha below which nothing is drawn
uniform int tinted; // 0 no, 1 by mip level, 2 by how slanted it is
uniform float most; // samples along the slant
out vec4 colour;

vec3 surroundings(vec3 way, float rough)
{
    float edge = mix(0.08, 0.9, rough);
    vec3 high = mix(level, above, smoothstep(-edge * 0.2, 1.0, way.y));
    return mix(below, high, smoothstep(-edge, edge, way.y));
}

vec3 shown(vec3 x) // a filmic curve (K. Narkowicz, 2015), then sRGB
{
    x = clamp(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
    return mix(12.92 * x, 1.055 * pow(x, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, x));
}

void main()
{
    vec4 base = has.x ? texture(base_map, uv) : vec4(0.6, 0.6, 0.6, 1.0);
    if (base.a < cut) discard;
    vec3 packed_values = has.z ? texture(packed_map, uv).rgb : vec3(1.0, 0.6, 0.0);
    float rough = clamp(packed_values.g, 0.04, 1.0);
    float metal = packed_values.b;
    vec3 n = frame[2];
    if (has.y) {
        vec3 coded = 2.0 * texture(normal_map, uv).rgb - 1.0;
        n = frame * vec3(coded.x, green * coded.y, max(coded.z, 0.02));
    }
    n = normalize(n);
    vec3 view = normalize(eye - world);
    vec3 half_way = normalize(view + light);
    float nv = max(dot(n, view), 1e-3);
    float nl = max(dot(n, light), 0.0);
    float nh = max(dot(n, half_way), 0.0);
    float a = rough * rough;
    float d = a * a / (3.14159265 * pow(nh * nh * (a * a - 1.0) + 1.0, 2.0));
    float visible = 0.5 / (nl * sqrt(nv * nv * (1.0 - a * a) + a * a) + nv * sqrt(nl * nl * (1.0 - a * a) + a * a) + 1e-5);
    vec3 f0 = mix(vec3(0.04), base.rgb, metal);
    vec3 fresnel = f0 + (1.0 - f0) * pow(1.0 - max(dot(view, half_way), 0.0), 5.0);
    vec3 diffuse = base.rgb * (1.0 - metal);
    vec3 lit = (diffuse / 3.14159265 * (1.0 - fresnel) + d * visible * fresnel) * strength * nl;
    vec4 r = rough * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
    vec2 ab = vec2(-1.04, 1.04) * (min(r.x * r.x, exp2(-9.28 * nv)) * r.x + r.y) + r.zw;
    vec3 around = diffuse * surroundings(n, 1.0) + (f0 * ab.x + ab.y) * surroundings(reflect(-view, n), rough);
    lit += around * packed_values.r;
    if (has.w) lit += texture(light_map, uv).rgb;
    colour = vec4(shown(lit), 1.0);
    if (tinted > 0) { // by the ellipse of texels that a pixel covers
        vec2 across = dFdx(uv * texels), down = dFdy(uv * texels);
        float sum = dot(across, across) + dot(down, down);
        float area = abs(across.x * down.y - across.y * down.x);
        float longest = sqrt(0.5 * (sum + sqrt(max(sum * sum - 4.0 * area * area, 0.0))));
        float slant = clamp(longest * longest / max(area, 1e-9), 1.0, 16.0);
        float shade = tinted == 1 ? log2(longest / min(slant, most)) : 1.5 * log2(slant);
        colour.rgb = mix(colour.rgb, 0.5 + 0.5 * cos(6.2831853 * (clamp(shade, 0.0, 6.0) / 7.0 + vec3(0.0, 0.33, 0.67))), 0.7);
    }
}`;

export const FLAT_VERTEX = `#version 300 es
uniform vec4 place; // texels to clip: scale, then offset
uniform vec2 size;
out vec2 at;
void main()
{
    at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * size;
    gl_Position = vec4(at * place.xy + place.zw, 0.0, 1.0);
}`;

export const FLAT_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at;
uniform sampler2D decoded, source;
uniform vec2 size;
uniform int mode; // 0 decoded, 1 split, 2 source, 3 difference
uniform int channel; // -1: all
uniform float split; // share of the width
uniform float gain;
uniform float lod;
uniform float pixels; // per texel
out vec4 colour;

vec4 look(sampler2D map, vec2 p)
{
    return textureLod(map, (floor(p / exp2(lod)) + 0.5) * exp2(lod) / size, lod);
}

void main()
{
    vec4 first = look(decoded, at);
    vec4 second = mode == 0 ? first : look(source, at);
    vec4 value = mode == 2 || (mode == 1 && at.x < split * size.x) ? second : first;
    if (mode == 1 && abs(at.x - split * size.x) * pixels < 1.0) value = vec4(1.0); // the line between them
    if (mode == 3) value = vec4(abs(first.rgb - second.rgb), abs(first.a - second.a)) * gain;
    colour = channel < 0 ? vec4(value.rgb, 1.0) : vec4(vec3(value[channel]), 1.0);
}`;

// One closed line per Gaussian, at one deviation: whole supports hide each other.
export const RING_VERTEX = `#version 300 es
layout(location = 0) in vec4 ellipse; // x, y, half axes
layout(location = 1) in float angle;
uniform vec4 place;
uniform vec2 beside; // of this image, in texels
void main()
{
    float turn = float(gl_VertexID) * 6.2831853 / 32.0;
    vec2 on = ellipse.zw * vec2(cos(turn), sin(turn));
    vec2 p = ellipse.xy + beside + vec2(cos(angle) * on.x - sin(angle) * on.y, sin(angle) * on.x + cos(angle) * on.y);
    gl_Position = vec4(p * place.xy + place.zw, 0.0, 1.0);
}`;

export const RING_FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 ink;
out vec4 colour;
void main() { colour = ink; }`;

export function link(gl, vertex, fragment) {
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, source);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
        gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
        throw new Error(gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader)).join(' '));
    }
    const places = new Map();
    const at = (name) => {
        if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
        return places.get(name);
    };
    return { program, at };
}

/** The colour, as CSS has it, of a shade of 0 to 6 of what the material is tinted by. */
export function tintOf(shade) {
    const parts = [0, 0.33, 0.67].map((phase) => 0.5 + 0.5 * Math.cos(2 * Math.PI * (shade / 7 + phase)));
    return `rgb(${parts.map((value) => Math.round(255 * value)).join(' ')})`;
}
