"""One draw of the footprint per pixel and frame, gathered over frames, beside the filtered sample.

    python examples/stochastic_sampling.py DECODER_DIR OUT.png

DECODER_DIR is what `imagegs-tex emit FILE.igs -o DECODER_DIR --lang glsl` wrote. A floor that goes to the horizon: on
the left the first frame of igs_sample_stochastic, in the middle 64 frames of it gathered, on the right igs_sample_grad,
which takes as many decodes as the footprint has taps. Noise is a tile of blue noise per number, moved on by the R2
sequence from frame to frame (M. Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018), so that the
error of single frames is fine-grained and frames complement each other; temporal anti-aliasing gathers in its own way.
"""

import sys
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from PIL import Image

SIZE = 256
FRAMES = 64
TILE = 64
ROUNDS = 24  # of the noise's filter

VERTEX = """#version 430
void main()
{
    gl_Position = vec4(float((gl_VertexID & 1) * 4 - 1), float((gl_VertexID >> 1) * 4 - 1), 0.0, 1.0);
}
"""
FRAGMENT = """#version 430
%s
uniform sampler2D noise;   // two numbers, blue
uniform sampler2D history; // the mean of the frames so far
uniform int frame;         // from 0 on; -1: the filtered sample
out vec4 colour;
void main()
{
    vec2 at = gl_FragCoord.xy / float(IGS_VIEW); // from bottom left
    vec3 ray = vec3(at.x - 0.5, at.y - 1.02, 0.9);
    vec2 uv = ray.xz * (0.35 / -ray.y) * 2.0; // of a floor
    vec2 step_x = dFdx(uv);
    vec2 step_y = dFdy(uv);
    IgsTexel texel;
    if (frame < 0) {
        texel = igs_sample_grad(uv, step_x, step_y);
    } else {
        vec2 number = texelFetch(noise, ivec2(gl_FragCoord.xy) %% textureSize(noise, 0), 0).xy;
        number = fract(number + float(frame) * vec2(0.7548776662, 0.5698402910));
        texel = igs_sample_stochastic(uv, step_x, step_y, min(number, vec2(0.9999999)));
    }
    vec4 drawn = igs_layer(texel, 0);
    vec4 before = texelFetch(history, ivec2(gl_FragCoord.xy), 0);
    colour = frame > 0 ? mix(before, drawn, 1.0 / float(frame + 1)) : drawn;
}
"""


def blue_noise(seed: int) -> np.ndarray:
    """Return a tile [TILE, TILE] in 0..1 that repeats: evenly spread numbers, of high frequencies.

    White noise, high-passed and spread out evenly again, over and over (a cheap stand-in for void and cluster).
    """
    values = np.random.default_rng(seed).random((TILE, TILE))
    x = np.minimum(np.arange(TILE), TILE - np.arange(TILE))
    low = np.exp(-0.5 * (2 * np.pi * 1.9 / TILE) ** 2 * (x[:, None] ** 2 + x[None, :] ** 2))
    for _ in range(ROUNDS):
        spectrum = np.fft.fft2(values)
        high = np.fft.ifft2(spectrum * (1 - low)).real
        values = (np.argsort(np.argsort(high.ravel())).reshape(values.shape) + 0.5) / values.size
    return values


def main() -> None:
    """Draw the three pictures side by side."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    options: dict[str, Any] = {"backend": "egl"}  # a window needs none of this
    context = moderngl.create_context(standalone=True, require=430, **options)
    source = FRAGMENT.replace("IGS_VIEW", str(SIZE)) % (folder / "igs_decode.glsl").read_text()
    program = context.program(vertex_shader=VERTEX, fragment_shader=source)
    triangle = context.vertex_array(program, [])
    context.buffer((folder / "igs_data.bin").read_bytes()).bind_to_storage_buffer(0)
    tiles = np.stack([blue_noise(1), blue_noise(2)], axis=-1).astype(np.float32)
    noise = context.texture((TILE, TILE), 2, tiles.tobytes(), dtype="f4")
    targets = [context.texture((SIZE, SIZE), 4, dtype="f4") for _ in range(2)]
    frames = [context.framebuffer(color_attachments=[target]) for target in targets]

    def drawn(frame: int) -> np.ndarray:
        frames[frame % 2].use()
        noise.use(0)
        targets[(frame + 1) % 2].use(1)
        for name, value in {"noise": 0, "history": 1, "frame": frame}.items():
            program[name] = value
        triangle.render(vertices=3)
        return np.frombuffer(targets[frame % 2].read(), np.float32).reshape(SIZE, SIZE, 4)[::-1, :, :3].copy()

    pictures = [drawn(frame) for frame in range(FRAMES)]
    filtered = drawn(-1)
    for name, picture in (("one frame", pictures[0]), (f"{FRAMES} frames", pictures[-1])):
        error = np.sqrt(np.mean(np.square(picture - filtered)))
        print(f"{name}: root mean square difference from the filtered sample {error:.4f}")
    row = np.concatenate([pictures[0], pictures[-1], filtered], axis=1)
    Image.fromarray(np.rint(row.clip(0, 1) * 255).astype(np.uint8)).save(out)


if __name__ == "__main__":
    main()
