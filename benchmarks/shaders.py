"""Verify and time the shader decoders of .igs files on this machine's OpenGL.

    python benchmarks/shaders.py FILE.igs … [--json OUT.json] [--repeats N] [--blocks 3 4 5]

Prints Markdown: which decoder is how far from the reference decode, GPU-timer medians for decoding the whole picture,
bytes and multiply-adds counted, and the share of what the chip reaches in two small programs of our own: one of nothing
but multiply-adds, one that only writes the pictures.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.build_decoder import LANGUAGES, Decoder, build_decoder
from imagegs_tex.verification import VerifyReport, probe_shaders, verify
from imagegs_tex.verification.opengl import ComputeDecoder, Device, PixelDecoder, Scene, is_software, open_device
from imagegs_tex.verification.toolchain import has_tool

NO_CEILINGS: dict[str, float | None] = {"multiply_adds_per_s": None, "write_ms": None}
FMA_THREADS = 1 << 20
FMA_CHAIN = 4096
FMA_SOURCE = f"""#version 430
layout(local_size_x = 256) in;
layout(std430, binding = 0) buffer Data {{ float data[]; }};
void main()
{{
    vec4 a = vec4(float(gl_GlobalInvocationID.x), 1.0, 2.0, 3.0), b = a + 0.5;
    float m = data[0], n = data[1];
    for (int i = 0; i < {FMA_CHAIN // 8}; ++i) {{ a = a * m + n; b = b * m + n; }}
    vec4 c = a + b;
    if (c.x + c.y + c.z + c.w == 12345.0) data[2] = c.x;
}}
"""
WRITE_SOURCE = """#version 430
layout(local_size_x = 64) in;
layout(binding = 1) writeonly uniform image2DArray target;
uniform int layers;
void main()
{
    uint thread = gl_LocalInvocationIndex;
    ivec2 at = ivec2(gl_WorkGroupID.xy) * 16 + ivec2(thread & 15u, (thread >> 4u) * 4u);
    for (int row = 0; row < 4; ++row)
        for (int layer = 0; layer < layers; ++layer) imageStore(target, ivec3(at.x, at.y + row, layer), vec4(0.5));
}
"""


def lookup_milliseconds(scene: Scene, decoder: Decoder, repeats: int) -> float | None:
    """Time the pixel shaders' algorithm in a compute shader; see probe_shaders.glsl_lookup."""
    program = scene.compute(probe_shaders.glsl_lookup(decoder))
    target = scene.hold(scene.context.texture_array((scene.width, scene.height, scene.layer_count), 4, dtype="f1"))
    scene.data.bind_to_storage_buffer(0)
    target.bind_to_image(1, read=False, write=True)
    groups = -(-scene.width // 8), -(-scene.height // 8)
    return scene.median_milliseconds(lambda: program.run(*groups), repeats)


def ceilings(device: Device, quantized: QuantizedGaussianSet, repeats: int) -> dict[str, float | None]:
    """Measure multiply-adds per second, and milliseconds to write the pictures as RGBA8 and do nothing else."""
    with Scene(device, build_decoder(quantized).packed, (quantized.width, quantized.height), 1) as scene:
        program = scene.compute(FMA_SOURCE)
        data = scene.hold(scene.context.buffer(reserve=64))
        data.bind_to_storage_buffer(0)
        fma = scene.median_milliseconds(lambda: program.run(FMA_THREADS // 256), repeats)
        layers = -(-quantized.channel_count // 4)
        target = scene.hold(scene.context.texture_array((quantized.width, quantized.height, layers), 4, dtype="f1"))
        writer = scene.compute(WRITE_SOURCE)
        target.bind_to_image(1, read=False, write=True)
        writer["layers"] = layers
        groups = -(-quantized.width // 16), -(-quantized.height // 16)
        write = scene.median_milliseconds(lambda: writer.run(*groups), repeats)
    return {"multiply_adds_per_s": FMA_THREADS * FMA_CHAIN / fma * 1e3 if fma else None, "write_ms": write}


def block_sizes(
    device: Device, quantized: QuantizedGaussianSet, blocks: list[int], repeats: int
) -> list[dict[str, Any]]:  # fmt: skip
    """Time the decoders with other sizes of the index's blocks."""
    rows = []
    for block_log2 in blocks:
        decoder = build_decoder(quantized, block_log2)
        size = (quantized.width, quantized.height)
        with Scene(device, decoder.packed, size, quantized.channel_count) as scene:
            width = probe_shaders.result_width(decoder)
            compute = ComputeDecoder(
                scene, probe_shaders.glsl_compute(decoder), probe_shaders.glsl_points(decoder), width, False
            )
            pixel = PixelDecoder(scene, probe_shaders.glsl_pixel(decoder), False)
            rows.append(
                {
                    "block": 1 << block_log2,
                    "bytes": decoder.packed.ledger.total,
                    "candidates": asdict(decoder.cost.candidates),
                    "entries": asdict(decoder.cost.entries),
                    "compute_ms": compute.milliseconds(repeats),
                    "lookup_ms": lookup_milliseconds(scene, decoder, repeats),
                    "pixel_ms": pixel.milliseconds(repeats),
                }
            )
    return rows


def markdown(name: str, report: VerifyReport, limits: dict[str, float | None], blocks: list[dict[str, Any]]) -> str:
    """Return one file's section."""
    cost = report.cost
    texels = report.width * report.height
    lines = [
        f"### {name}: {report.width} x {report.height}, {report.gaussians:,} Gaussians, {report.channels} channels, "
        f"{report.components} components, on {report.renderer}",
        f"{report.gpu_bytes.total:,} bytes on the GPU (records {report.gpu_bytes.records:,}, index "
        f"{report.gpu_bytes.index:,}). Gaussians evaluated per texel: median "
        f"{cost.candidates.median:g}, 99% {cost.candidates.p99:g}, most {cost.candidates.max}; mean "
        f"{cost.weights_mean:.1f}, of them above zero {cost.positive_mean:.1f}; {cost.multiply_adds_mean:.0f} "
        "multiply-adds per texel.",
        "",
        "| decoder | verdict | texels | points | accessors | footprints | 8-bit steps | ms "
        "| multiply-adds/s, share of the chip's |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for variant in report.variants:
        rate = cost.multiply_adds_mean * texels / variant.milliseconds * 1e3 if variant.milliseconds else None
        limit = limits["multiply_adds_per_s"]
        share = f"{rate:.2e}, {rate / limit:.0%}" if rate and limit else ""
        others = (variant.accessor_error, variant.sample_error)
        accessors, footprints = ("" if error is None else f"{error:.1e}" for error in others)
        lines.append(
            f"| {variant.name} | {'ok' if variant.passed else 'BROKEN'} | {variant.texel_error:.1e} "
            f"| {variant.point_error:.1e} | {accessors} | {footprints} | {variant.steps} "
            f"| {'' if variant.milliseconds is None else f'{variant.milliseconds:.3f}'} | {share} |"
        )
    if limits["write_ms"]:
        lines += [
            "",
            f"Writing {-(-report.channels // 4)} RGBA8 pictures and nothing else: {limits['write_ms']:.3f} ms.",
        ]
    lines += [""] + [f"Left out: {reason}." for reason in report.left_out]
    if blocks:
        lines += [
            "",
            "| block | bytes | evaluated: median, most | scanned: median, most | compute ms | lookup ms | pixel ms |",
        ]
        lines += ["|---|---|---|---|---|---|---|"]
    times_of = ("compute_ms", "lookup_ms", "pixel_ms")
    for row in blocks:
        seen, scanned = row["candidates"], row["entries"]
        times = " | ".join("" if row[key] is None else f"{row[key]:.3f}" for key in times_of)
        lines.append(
            f"| {row['block']} | {row['bytes']:,} | {seen['median']:g}, {seen['max']} | {scanned['median']:g}, "
            f"{scanned['max']} | {times} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run over the files named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--blocks", type=int, nargs="*", default=[])
    options = parser.parse_args()
    device = open_device()
    print(f"{device.renderer}, {device.version}\n")
    languages = LANGUAGES if has_tool("spirv-cross") and has_tool("glslangValidator") else LANGUAGES[:1]
    results = []
    for file in options.files:
        quantized = read_igs(file)
        timed = not is_software(device)
        limits = ceilings(device, quantized, options.repeats) if timed else NO_CEILINGS
        report = verify(quantized, languages, repeats=options.repeats, device=device)
        blocks = block_sizes(device, quantized, options.blocks, options.repeats) if timed else []
        print(markdown(file.stem, report, limits, blocks), flush=True)
        results.append({"file": file.name, "ceilings": limits, "report": asdict(report), "blocks": blocks})
        if options.json:
            options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
