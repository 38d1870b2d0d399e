"""Draw a lit quad whose material is decoded in the pixel shader: python examples/lit_quad.py DECODER_DIR OUT.png.

DECODER_DIR is what `imagegs-tex emit FILE.igs -o DECODER_DIR --lang glsl` wrote.
"""

import sys
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from PIL import Image

VERTEX = """#version 430
out vec3 place; // x, y on the quad in -1..1, z = 0: also tangent space
uniform mat4 camera;
void main()
{
    place = vec3(float(gl_VertexID & 1) * 2.0 - 1.0, float(gl_VertexID >> 1) * 2.0 - 1.0, 0.0);
    gl_Position = camera * vec4(place, 1.0);
}
"""
FRAGMENT = """#version 430
%s
in vec3 place;
out vec4 colour;
uniform vec3 eye, light;
void main()
{
    IgsTexel texel = igs_decode(vec2(place.x, -place.y) * 0.5 + 0.5); // (0, 0) is the texture's top left corner
    vec3 albedo = vec3(0.5), normal = vec3(0.0, 0.0, 1.0);
    float roughness = 0.6;
#ifdef IGS_BASE_COLOUR_LINEAR_EXISTS
    albedo = igs_base_colour_linear(texel);
#endif
#ifdef IGS_NORMAL_EXISTS
    normal = igs_normal(texel); // green up, as in OpenGL; a DirectX map needs normal.y = -normal.y
#endif
#ifdef IGS_ROUGHNESS_EXISTS
    roughness = igs_roughness(texel);
#endif
    vec3 to_light = light - place, half_way = normalize(normalize(to_light) + normalize(eye - place));
    float shine = 2.0 / max(pow(roughness, 4.0), 0.002) - 1.9;
    float gloss = (shine + 8.0) / 25.0 * pow(max(dot(normal, half_way), 0.0), shine) * 0.06;
    float lambert = max(dot(normal, normalize(to_light)), 0.0) * 3.2 / (1.0 + dot(to_light, to_light));
    colour = vec4(pow(min(albedo * 0.06 + (albedo + gloss) * lambert * 1.6, 1.0), vec3(1.0 / 2.2)), 1.0);
}
"""


def camera_matrix(eye: np.ndarray, aspect: float) -> np.ndarray:
    """Return projection times view for a camera at eye that looks at the middle of the quad."""
    forward = -eye / np.linalg.norm(eye)
    right = np.cross(forward, [0.0, 1.0, 0.0]) / np.linalg.norm(np.cross(forward, [0.0, 1.0, 0.0]))
    view = np.eye(4)
    view[:3, :3] = [right, np.cross(right, forward), -forward]
    view[:3, 3] = -view[:3, :3] @ eye
    near, far, zoom = 0.1, 20.0, 3.3
    depth = [0.0, 0.0, (near + far) / (near - far), 2 * near * far / (near - far)]
    return np.array([[zoom / aspect, 0, 0, 0], [0, zoom, 0, 0], depth, [0, 0, -1, 0]]) @ view


def main() -> None:
    """Load, draw at twice the size, average, write."""
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    width, height = 640, 480
    options: dict[str, Any] = {"backend": "egl"}  # a window needs none of this
    context = moderngl.create_context(standalone=True, require=430, **options)
    context.buffer((folder / "igs_data.bin").read_bytes()).bind_to_storage_buffer(0)
    program = context.program(VERTEX, FRAGMENT % (folder / "igs_decode.glsl").read_text())
    eye = np.array([0.0, -1.9, 2.7])
    values = {"camera": camera_matrix(eye, width / height).T.astype("f4").tobytes(), "eye": eye.astype("f4").tobytes()}
    for name, value in (values | {"light": np.array([-0.45, 0.5, 0.55], "f4").tobytes()}).items():
        uniform = program.get(name, None)
        if isinstance(uniform, moderngl.Uniform):
            uniform.write(value)
    frame = context.simple_framebuffer((2 * width, 2 * height))
    frame.use()
    frame.clear(0.02, 0.02, 0.025)
    context.vertex_array(program, []).render(moderngl.TRIANGLE_STRIP, vertices=4)
    picture = np.frombuffer(frame.read(), np.uint8).reshape(height, 2, width, 2, 3)[::-1].mean(axis=(1, 3))
    Image.fromarray(picture.astype(np.uint8)).save(output)


if __name__ == "__main__":
    main()
