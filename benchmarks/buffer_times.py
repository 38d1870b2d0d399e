"""Time the decoders of several versions of this package against each other, in turns on one GPU.

    python benchmarks/buffer_times.py pack LABEL DIR FILE.igs … [--levels] [--shared] [--detail]
    python benchmarks/buffer_times.py time DIR [--rounds N] [--repeats N] [--seconds N]
    python benchmarks/buffer_times.py tables DIR [--write]

`pack` writes the buffers and shaders of the version that is installed where it runs: run it once in an environment for
each version (``pip install git+URL@COMMIT``). `--levels` adds samples with a footprint, `--shared` the decoder of many
materials, of any (*shared*) and made for the given files (*together*), `--detail` the same material with a made-up
detail layer of three components, drawn and left out.
`time` needs moderngl and NumPy alone and may run elsewhere. It prints Markdown: bytes, and milliseconds for every texel
to RGBA8. *compute* is the compute decoder, *single* a lookup per texel in a compute shader, as of a pixel shader;
*l0* to *l3* are `igs_sample_lod` at as many points, one texel apart, *l1 apart* the same with points apart as the
level's texels are, and *l0 apart* `igs_decode` at those; *draw* is `igs_sample_stochastic` with footprints of one and
of four texels, as far apart as they are long.
A GPU that others use, too, is slowed down for seconds at a time: versions take turns, and of the rounds' medians the
least counts. Compute decoders and single texels must agree to one step of 8 bits.
`tables` makes the tables of docs/benchmarks/shaders.md of what `time` left.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet

POINTS = """#version 430
//@include
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 1) writeonly uniform image2DArray target;
uniform ivec2 size;
uniform float lod;
uniform float apart;
void main()
{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (at.x >= size.x || at.y >= size.y) return;
    vec2 uv = fract((vec2(at) + 0.5) * apart / vec2(size));
    IgsTexel texel = //@call
    for (int layer = 0; layer < IGS_LAYERS; ++layer) imageStore(target, ivec3(at, layer), igs_layer(texel, layer));
}
"""
GROUPS = """#version 430
#define IGS_COMPUTE
#define IGS_GROUP_LOG2 5
//@include
layout(local_size_x = 256) in;
void main()
{
    igs_decode_group(0u, gl_WorkGroupID.xy, gl_LocalInvocationIndex, ivec2(0, 0));
}
"""
DRAW = """igs_sample_stochastic(uv, vec2(apart / float(size.x), 0.0), vec2(0.0, apart / float(size.y)),
        fract(vec2(at.x * 12 + at.y * 7, at.x * 5 + at.y * 13) * vec2(0.7548777, 0.5698403)));"""
LEVELS = (1, 2, 3)
WARM_UP_SECONDS = 1.0
GlContext = Any
"""A context of moderngl, whose types differ between its versions."""


def runs(side: int, has_levels: bool) -> dict[str, dict[str, Any]]:
    """Return what is timed: of each, its source, texels across of a workgroup and uniforms."""
    found: dict[str, dict[str, Any]] = {
        "compute": {"source": "compute", "side": side, "uniforms": {}},
        "single": {"source": "single", "side": 8, "uniforms": {"apart": 1.0}},
    }
    if has_levels:
        for level in (0, *LEVELS):
            found[f"l{level}"] = {"source": "lod", "side": 8, "uniforms": {"apart": 1.0, "lod": float(level)}}
        for level in LEVELS:
            apart = {"apart": float(1 << level)}
            found[f"l0 apart {level}"] = {"source": "single", "side": 8, "uniforms": apart}
            found[f"l{level} apart"] = {"source": "lod", "side": 8, "uniforms": apart | {"lod": float(level)}}
        for footprint in (1.0, 4.0):
            found[f"draw {footprint:g}"] = {"source": "draw", "side": 8, "uniforms": {"apart": footprint}}
    return found


def pack(label: str, folder: Path, files: list[Path], kinds: argparse.Namespace) -> None:
    """Write what `time` needs of this version."""
    from imagegs_tex.decoder.render import shader_decoder
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.shaders.build_decoder import build_decoder
    from imagegs_tex.shaders.gpu_buffer import pack_gaussians
    from imagegs_tex.verification import probe_shaders

    together: list[Any] = []
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        quantized = read_igs(file)
        case = file.name.split(".")[0]
        decoder = build_decoder(quantized)
        include = decoder.includes["igs_decode.glsl"]
        sources = {"compute": probe_shaders.glsl_compute(decoder), "single": _points(include, "igs_decode(uv);")}
        size = [quantized.width, quantized.height, -(-quantized.channel_count // 4)]
        _write(folder / f"{case}.{label}", size, decoder.packed.words, sources)
        if kinds.levels:
            with_levels = shader_decoder(quantized)
            include = with_levels.includes["igs_decode.glsl"]
            calls = {"single": "igs_decode(uv);", "lod": "igs_sample_lod(uv, lod);", "draw": DRAW}
            sources = {"compute": probe_shaders.glsl_compute(with_levels)}
            sources |= {name: _points(include, call) for name, call in calls.items()}
            _write(folder / f"{case}.{label}-levels", size, with_levels.packed.words, sources)
        if kinds.shared:
            from imagegs_tex.shaders.gpu_buffer import join_materials
            from imagegs_tex.shaders.shared_decoder import most_of, shared_decoder

            together = together or [pack_gaussians(read_igs(each)) for each in files]
            made_for = shared_decoder(*most_of(together), materials=together)
            for name, shared in (("shared", shared_decoder()), ("together", made_for)):
                include = shared.includes["igs_decode.glsl"]
                compute = GROUPS.replace("//@include\n", include)
                sources = {"compute": compute, "single": _points(include, "igs_decode(0u, uv);")}
                _write(folder / f"{case}.{label}-{name}", size, join_materials([decoder.packed]), sources)
        if kinds.detail:
            for name, made in _detailed(quantized):
                decoder = build_decoder(made)
                drawn = {
                    "compute": probe_shaders.glsl_compute(decoder),
                    "single": _points(decoder.includes["igs_decode.glsl"], "igs_decode(uv);"),
                }
                _write(folder / f"{case}.{label}-{name}", size, decoder.packed.words, drawn)
                left_out = {
                    kind: text.replace("#version 430\n", "#version 430\n#define IGS_DETAIL 0\n")
                    for kind, text in drawn.items()
                }
                _write(folder / f"{case}.{label}-{name}-left-out", size, decoder.packed.words, left_out)


def _points(include: str, call: str) -> str:
    return POINTS.replace("//@include\n", include).replace("//@call", call)


def _detailed(quantized: "QuantizedGaussianSet") -> "Iterator[tuple[str, QuantizedGaussianSet]]":
    """Yield the material as it is if it has a detail layer; with layers of three components: any, one height thrice."""
    from imagegs_tex.formats.igs.detail_layer import DetailLayer

    if quantized.detail is not None:
        yield "own-detail", quantized
    rng = np.random.default_rng(1)
    channels = quantized.channel_count
    layer = DetailLayer(
        band_codes=rng.integers(1, 256, (3, 8)).astype(np.uint8),
        channel_codes=rng.integers(48, 96, channels).astype(np.uint8),
        mixing_codes=rng.integers(1, 128, (channels, 3)).astype(np.int8),
        slope_codes=rng.integers(1, 64, (3, channels)).astype(np.int16),
        envelope_codes=rng.integers(1, 16, (quantized.height // 64, quantized.width // 64)).astype(np.uint8),
    )
    yield "detail", dataclasses.replace(quantized, detail=layer)
    bands = np.repeat(layer.band_codes[:1], 3, axis=0)
    relief = dataclasses.replace(layer, band_codes=bands, relief=1)
    yield "relief", dataclasses.replace(quantized, detail=relief)


def _write(path: Path, size: list[int], words: NDArray[np.uint32], sources: dict[str, str]) -> None:
    side = 32 if "#define IGS_GROUP_LOG2 5" in sources["compute"] else 16
    about = {"size": size, "bytes": words.nbytes, "sources": sources, "runs": runs(side, "lod" in sources)}
    path.with_name(path.name + ".json").write_text(json.dumps(about))
    path.with_name(path.name + ".bin").write_bytes(words.tobytes())
    print(f"{path.name}: {words.nbytes:,} bytes", flush=True)


def time_all(folder: Path, rounds: int, repeats: int, seconds: float) -> None:
    """Time everything in a folder and print it; timings.json there has all rounds."""
    from imagegs_tex.verification.opengl import open_device

    device = open_device()
    context = device.context
    print(f"{device.renderer}, {device.version}\n")
    print("| case | version | bytes | furthest, steps of 8 bits | ms |")
    print("|---|---|---|---|---|")
    timings = []
    end = time.perf_counter() + seconds
    for case in sorted({path.name.split(".")[0] for path in folder.glob("*.bin")}):
        rows = _time_case(context, sorted(folder.glob(f"{case}.*.bin")), rounds, repeats, end)
        for row in rows:
            known = ", ".join(f"{name} {min(times):.4f}" for name, times in row["rounds"].items() if times)
            print(f"| {case} | {row['label']} | {row['bytes']:,} | {row['furthest']} | {known} |", flush=True)
        timings += rows
    (folder / "timings.json").write_text(json.dumps(timings, indent=2) + "\n")


def _time_case(
    context: GlContext, paths: list[Path], rounds: int, repeats: int, end: float
) -> list[dict[str, Any]]:  # fmt: skip
    rows, jobs = [], []
    for path in paths:
        about = json.loads(path.with_suffix(".json").read_text())
        row: dict[str, Any] = {"case": path.name.split(".")[0], "label": path.name.split(".")[1]}
        row |= {"bytes": about["bytes"], "rounds": {name: [] for name in about["runs"]}, "furthest": 0}
        data = context.buffer(path.read_bytes())
        programs = {kind: context.compute_shader(source) for kind, source in about["sources"].items()}
        for name, run in about["runs"].items():
            groups = [-(-length // run["side"]) for length in about["size"][:2]]
            uniforms = {"size": tuple(about["size"][:2]), "igs_first_group": (0, 0), **run["uniforms"]}
            jobs.append((row, name, programs[run["source"]], data, groups, uniforms))
        rows.append(row)
    size = tuple(max(json.loads(path.with_suffix(".json").read_text())["size"][k] for path in paths) for k in range(3))
    target = context.texture_array(size, 4, dtype="f1")
    target.bind_to_image(1, read=False, write=True)
    query = context.query(time=True)
    pictures: dict[bool, Any] = {}
    warm_at = time.perf_counter() + WARM_UP_SECONDS
    while time.perf_counter() < warm_at:
        _prepare(jobs[0])
        jobs[0][2].run(*jobs[0][4])
        context.finish()
    for number in range(rounds):
        for job in jobs:
            if number > 1 and time.perf_counter() > end:
                return rows
            row, name, program, _, groups, _ = job
            _prepare(job)
            program.run(*groups)
            context.finish()
            if number == 0 and name in ("compute", "single"):
                detailed = "detail" in row["label"] or "relief" in row["label"]
                if not detailed:
                    picture = np.frombuffer(target.read(), np.uint8).astype(np.int16)
                    first = pictures.setdefault(detailed, picture)
                    row["furthest"] = max(row["furthest"], int(np.abs(picture - first).max()))
            times = []
            for _ in range(repeats):
                with query:
                    program.run(*groups)
                times.append(query.elapsed / 1e6)
            row["rounds"][name].append(float(np.median(times)))
    return rows


def write_tables(folder: Path, write: bool) -> None:
    """Print the tables of timings.json, versions in its order; with ``write`` put them into their page."""
    from tables import markdown, replace_table

    times = json.loads((folder / "timings.json").read_text())
    cases = list(dict.fromkeys(row["case"] for row in times))
    least = {(row["case"], row["label"]): {k: min(v) for k, v in row["rounds"].items() if v} for row in times}
    labels = [label for label in dict.fromkeys(row["label"] for row in times) if "-" not in label]
    headings = ["case", *(f"{kind}: {label}" for kind in ("compute", "single") for label in labels)]
    rows = [
        [case, *(f"{least[case, label][kind]:.4f}" for kind in ("compute", "single") for label in labels)]
        for case in cases
    ]
    found = {"buffer-times": markdown(headings, rows)}
    names = ["single", "l0", *(f"l{level}" for level in LEVELS), "draw 1", "l0 apart 2", "draw 4"]
    levels = {case: each for (case, label), each in least.items() if label.endswith("-levels")}
    rows = [[case, *(f"{each[name]:.3f}" for name in names)] for case, each in levels.items()]
    found["buffer-levels"] = markdown(["case", *names], rows)
    endings = ("-shared", "-together", "-detail", "-relief", "-left-out")
    variants = [label for _, label in least if label.endswith(endings) or "-" not in label]
    rows = [
        [
            case,
            label.partition("-")[2] or "alone",
            *(f"{least[case, label][kind]:.4f}" for kind in ("compute", "single")),
        ]
        for case in cases
        for label in dict.fromkeys(variants)
        if (case, label) in least
    ]
    found["buffer-variants"] = markdown(["case", "decoder", "compute", "single"], rows)
    for name, table in found.items():
        print(f"{table}\n")
        if write:
            replace_table(name, table)


def _prepare(job: tuple[Any, ...]) -> None:
    _, _, program, data, _, uniforms = job
    data.bind_to_storage_buffer(0)
    for name, value in uniforms.items():
        if name in program:
            program[name] = value


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("label")
    packing.add_argument("folder", type=Path)
    packing.add_argument("files", nargs="+", type=Path)
    for kind in ("levels", "shared", "detail"):
        packing.add_argument(f"--{kind}", action="store_true")
    timing = commands.add_parser("time")
    timing.add_argument("folder", type=Path)
    timing.add_argument("--rounds", type=int, default=6)
    timing.add_argument("--repeats", type=int, default=10)
    timing.add_argument("--seconds", type=float, default=3600.0)
    making = commands.add_parser("tables")
    making.add_argument("folder", type=Path)
    making.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.command == "pack":
        pack(options.label, options.folder, options.files, options)
    elif options.command == "tables":
        write_tables(options.folder, options.write)
    else:
        time_all(options.folder, options.rounds, options.repeats, options.seconds)


if __name__ == "__main__":
    main()
