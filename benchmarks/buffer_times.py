"""Time the decoders of several versions of this package against each other, in turns on one GPU.

    python benchmarks/buffer_times.py pack LABEL DIR FILE.igs …
    python benchmarks/buffer_times.py time DIR [--rounds N] [--repeats N]

`pack` writes the buffers and shaders of the version that is installed where it runs: run it once in an environment for
each version (``pip install git+URL@COMMIT``). `time` needs moderngl and NumPy alone and may run elsewhere. It prints
Markdown: bytes, and milliseconds for decoding every texel to RGBA8 by the compute decoder and by a lookup per texel in
a compute shader. A GPU that others use, too, is slowed down for seconds at a time: versions take turns, and of the
rounds' medians the least counts. They must agree to one step of 8 bits.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

LOOKUP = """#version 430
//@include
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 1) writeonly uniform image2DArray target;
void main()
{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (at.x >= IGS_WIDTH || at.y >= IGS_HEIGHT) return;
    IgsTexel texel = igs_decode_at(vec2(at) + 0.5);
    for (int layer = 0; layer < IGS_LAYERS; ++layer) imageStore(target, ivec3(at, layer), igs_layer(texel, layer));
}
"""
KINDS = {"compute": 16, "lookup": 8}  # texels across of a workgroup
WARM_UP_SECONDS = 1.0
GlContext = Any
"""A context of moderngl, whose types differ between its versions."""


def pack(label: str, folder: Path, files: list[Path]) -> None:
    """Write what `time` needs of this version."""
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.shaders.build_decoder import build_decoder
    from imagegs_tex.verification import probe_shaders

    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        quantized = read_igs(file)
        decoder = build_decoder(quantized)
        sources = {
            "compute": probe_shaders.glsl_compute(decoder),
            "lookup": LOOKUP.replace("//@include", decoder.includes["igs_decode.glsl"]),
        }
        about = {
            "size": [quantized.width, quantized.height, -(-quantized.channel_count // 4)],
            "bytes": decoder.packed.ledger.total,
            "sources": sources,
        }
        name = f"{file.name.split('.')[0]}.{label}"
        (folder / f"{name}.json").write_text(json.dumps(about))
        (folder / f"{name}.bin").write_bytes(decoder.packed.words.tobytes())
        print(f"{name}: {about['bytes']:,} bytes")


def time_all(folder: Path, rounds: int, repeats: int) -> None:
    """Time everything in a folder and print it; timings.json there has all rounds."""
    import moderngl

    without_display: dict[str, Any] = {"backend": "egl"}
    try:
        context: GlContext = moderngl.create_context(standalone=True, require=430, **without_display)
    except Exception:  # noqa: BLE001 - every backend has its own kinds of failure
        context = moderngl.create_context(standalone=True, require=430)
    print(f"{context.info['GL_RENDERER']}, {context.info['GL_VERSION']}\n")
    print("| case | version | bytes | compute, ms | single texels, ms | furthest, steps of 8 bits |")
    print("|---|---|---|---|---|---|")
    timings = []
    for case in sorted({path.name.split(".")[0] for path in folder.glob("*.bin")}):
        rows = _time_case(context, sorted(folder.glob(f"{case}.*.bin")), rounds, repeats)
        for row in rows:
            compute, lookup = (min(row["rounds"][kind]) for kind in KINDS)
            print(
                f"| {case} | {row['label']} | {row['bytes']:,} | {compute:.4f} | {lookup:.4f} | {row['furthest']} |",
                flush=True,
            )
        timings += rows
    (folder / "timings.json").write_text(json.dumps(timings, indent=2) + "\n")


def _time_case(context: GlContext, paths: list[Path], rounds: int, repeats: int) -> list[dict[str, Any]]:
    rows, jobs = [], []
    for path in paths:
        about = json.loads(path.with_suffix(".json").read_text())
        row: dict[str, Any] = {"case": path.name.split(".")[0], "label": path.name.split(".")[1]}
        row |= {"bytes": about["bytes"], "rounds": {kind: [] for kind in KINDS}, "furthest": 0}
        data = context.buffer(path.read_bytes())
        for kind, side in KINDS.items():
            program = context.compute_shader(about["sources"][kind])
            if "igs_first_group" in program:
                program["igs_first_group"] = (0, 0)
            jobs.append((row, kind, program, data, [-(-length // side) for length in about["size"][:2]]))
        rows.append(row)
    target = context.texture_array(tuple(about["size"]), 4, dtype="f1")
    target.bind_to_image(1, read=False, write=True)
    query = context.query(time=True)
    first = None
    warm_at = time.perf_counter() + WARM_UP_SECONDS
    while time.perf_counter() < warm_at:
        jobs[0][3].bind_to_storage_buffer(0)
        jobs[0][2].run(*jobs[0][4])
        context.finish()
    for number in range(rounds):
        for row, kind, program, data, groups in jobs:
            data.bind_to_storage_buffer(0)
            program.run(*groups)
            context.finish()
            if number == 0:
                picture = np.frombuffer(target.read(), np.uint8).astype(np.int16)
                first = picture if first is None else first
                row["furthest"] = max(row["furthest"], int(np.abs(picture - first).max()))
            times = []
            for _ in range(repeats):
                with query:
                    program.run(*groups)
                times.append(query.elapsed / 1e6)
            row["rounds"][kind].append(float(np.median(times)))
    for _, _, program, _, _ in jobs:
        program.release()
    return rows


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("label")
    packing.add_argument("folder", type=Path)
    packing.add_argument("files", nargs="+", type=Path)
    timing = commands.add_parser("time")
    timing.add_argument("folder", type=Path)
    timing.add_argument("--rounds", type=int, default=6)
    timing.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    if options.command == "pack":
        pack(options.label, options.folder, options.files)
    else:
        time_all(options.folder, options.rounds, options.repeats)


if __name__ == "__main__":
    main()
