"""Make textures of a folder of .igs files on the GPU and draw with ordinary samplers.

python examples/load_textures.py FOLDER OUT.png: each file becomes BC4, BC5 and BC7 with all mips, by compute
shaders, and covers a tile of a floor.
"""

import sys
import time
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from gl_textures import Storage
from lit_quad import camera_matrix
from PIL import Image

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.vocabulary import Semantic
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.load_files import load_program
from imagegs_tex.textures.load_plan import plan_loaded

VERTEX = """#version 430
out vec2 uv;
out vec3 place;
uniform mat4 camera;
uniform vec4 tile; // where on the floor, its size, repetitions
void main()
{
    vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    uv = vec2(corner.x, 1.0 - corner.y) * tile.w;
    place = vec3(tile.xy + corner * tile.z, 0.0);
    gl_Position = camera * vec4(place, 1.0);
}
"""
FRAGMENT = """#version 430
in vec2 uv;
in vec3 place;
out vec4 colour;
uniform sampler2D base, normals, values;
uniform vec3 eye, light, has; // has: base colour, normal, roughness
uniform int rough_channel;
void main()
{
    vec3 albedo = has.x > 0.0 ? texture(base, uv).rgb : vec3(0.4);
    vec2 side = has.y > 0.0 ? 2.0 * texture(normals, uv).rg - 1.0 : vec2(0.0);
    vec3 normal = normalize(vec3(side, sqrt(max(0.0, 1.0 - dot(side, side)))));
    float rough = has.z > 0.0 ? texture(values, uv)[rough_channel] : 0.6;
    vec3 to_light = light - place, half_way = normalize(normalize(to_light) + normalize(eye - place));
    float shine = 2.0 / max(pow(rough, 4.0), 0.002) - 1.9;
    float gloss = (shine + 8.0) / 25.0 * pow(max(dot(normal, half_way), 0.0), shine) * 0.06;
    float lambert = max(dot(normal, normalize(to_light)), 0.0) * 3.2 / (1.0 + dot(to_light, to_light));
    colour = vec4(pow(min(albedo * 0.08 + (albedo + gloss) * lambert * 1.6, 1.0), vec3(1.0 / 2.2)), 1.0);
}
"""


def load(context: moderngl.Context, path: Path) -> dict[str, Any]:
    """Make a material's textures; return them by what they are for."""
    quantized = read_igs(path)
    decoder = build_decoder(quantized)
    textures, _ = plan_loaded(quantized.maps, "bc")
    program = load_program(quantized, decoder, textures, "glsl")
    context.buffer(decoder.packed.words.tobytes()).bind_to_storage_buffer(0)
    output = context.buffer(reserve=program.output_bytes)
    output.bind_to_storage_buffer(1)
    context.buffer(reserve=program.scratch_bytes).bind_to_storage_buffer(3)
    for each in program.sets:
        shaders = dict(zip(("first", "next"), map(context.compute_shader, each.shaders), strict=True))
        for dispatch in each.plan.dispatches:
            context.buffer(dispatch.jobs.astype("<i4").tobytes()).bind_to_storage_buffer(2)
            shaders[dispatch.shader].run(*dispatch.groups)
            context.memory_barrier()
    made: dict[str, Any] = {}
    for texture, levels in zip(program.textures, program.places, strict=True):
        size = quantized.width, quantized.height
        storage = Storage(context, texture.pixel_format.vulkan, size, len(levels))
        for number, place in enumerate(levels):
            storage.copy(output, place.offset, (place.width, place.height), place.bytes, level=number)
        meanings = quantized.maps[texture.map_index].channel_semantics
        for channel, plane in enumerate(texture.channels):
            meaning = meanings[max(texture.map_channels[plane], 0)]
            if meaning in {Semantic.BASE_COLOUR, Semantic.NORMAL} and channel == 0:
                made.setdefault("base" if meaning == Semantic.BASE_COLOUR else "normals", storage.texture)
            if meaning == Semantic.ROUGHNESS and "values" not in made:
                made |= {"values": storage.texture, "rough_channel": channel}
    print(f"{path.name}: {', '.join(t.pixel_format.label for t in textures)}, {program.output_bytes:,} bytes")
    return made


def main() -> None:
    """Load, draw at twice the size, average, write."""
    paths, output = sorted(Path(sys.argv[1]).glob("*.igs")), Path(sys.argv[2])
    options: dict[str, Any] = {"backend": "egl"}  # a window needs none of this
    context = moderngl.create_context(standalone=True, require=430, **options)
    begin = time.perf_counter()
    materials = [load(context, path) for path in paths]
    context.finish()
    print(f"{len(paths)} materials in {time.perf_counter() - begin:.1f} s, most of it the driver's compiler")
    program: Any = context.program(VERTEX, FRAGMENT)
    eye = np.array([0.0, -1.9, 1.3])
    width, height = 800, 500
    program["camera"].write(camera_matrix(eye, width / height).T.astype("f4").tobytes())
    program["eye"], program["light"] = tuple(eye), (-0.3, 0.2, 0.6)
    frame = context.simple_framebuffer((2 * width, 2 * height))
    frame.use()
    frame.clear(0.02, 0.02, 0.025)
    across = int(np.ceil(np.sqrt(len(paths))))
    side = 2.0 / across
    quad = context.vertex_array(program, [])
    for number, made in enumerate(materials):
        row, column = divmod(number, across)
        program["tile"] = (column * side - 1, 1 - (row + 1) * side, 0.97 * side, 2.0)
        program["has"] = tuple(float(name in made) for name in ("base", "normals", "values"))
        program["rough_channel"] = made.get("rough_channel", 0)
        for unit, name in enumerate(("base", "normals", "values")):
            program[name] = unit
            if name in made:
                made[name].use(unit)
        quad.render(moderngl.TRIANGLE_STRIP, vertices=4)
    picture = np.frombuffer(frame.read(), np.uint8).reshape(height, 2, width, 2, 3)[::-1].mean(axis=(1, 3))
    Image.fromarray(picture.astype(np.uint8)).save(output)


if __name__ == "__main__":
    main()
