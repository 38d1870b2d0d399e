"""The cuda backend measured: docs/benchmarks/cuda.md's numbers. Needs an NVIDIA GPU.

    python benchmarks/gpu.py --output DIR [--only SECTION ...]

Writes cuda.json and cuda.md into DIR; a section that fails says so, the others go on, and the exit code is 1.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import cases
import numpy as np
import torch
from tables import markdown

from imagegs_tex.api import compress
from imagegs_tex.batch import THREADS_PER_PROCESS, BatchItem, compress_many
from imagegs_tex.encoder.encode import prepare
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.fit.gaussian_set import Fit
from imagegs_tex.fit.initialise import initialise
from imagegs_tex.fit.loop import fit
from imagegs_tex.fit.losses import structural_similarity
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.quantize.geometry import geometry_quantizer
from imagegs_tex.rasterize.backend import TILE, Frame
from imagegs_tex.rasterize.cuda.backend import CudaBackend
from imagegs_tex.rasterize.cuda.load_kernels import RECORD_HEAD
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import DetailMode, FitSettings, Precision, Preset, preset_settings

Table = tuple[list[str], list[list[object]]]
BITS_PER_GAUSSIAN = 66
"""With which bits per channel texel are turned into a number of Gaussians."""
CHANNELS = 9
STEP_WARM_UP, STEPS_TIMED = 4, 40
QUEUES = [(1, 4, 64), (1, 8, 64), (1, 8, 128), (2, 4, 64), (2, 8, 64), (2, 8, 128)]
"""GPUs, processes for each, and materials; the two lengths tell starting apart from working."""


def chip() -> Table:
    """Measured rates: the floor of every other number."""
    bandwidth, rate = chip_rates()
    name = torch.cuda.get_device_name()
    return ["GPU", "copy, TB/s read + written", "float32 product, TFLOP/s"], [
        [name, round(bandwidth / 1e12, 2), round(rate / 1e12, 1)]
    ]


def chip_rates() -> tuple[float, float]:
    """Bytes per second of a large copy, and float32 operations per second of a large matrix product."""
    source = torch.empty(1 << 30, device="cuda").normal_()
    other = torch.empty_like(source)
    copy = milliseconds(lambda: other.copy_(source), 10) / 1e3
    a = torch.randn(8192, 8192, device="cuda")
    product = milliseconds(lambda: a @ a, 5) / 1e3
    return 2 * source.numel() * 4 / copy, 2 * 8192**3 / product


def reference() -> Table:
    """Steps and time until the reference's PSNR, the geometry not rounded; the fit from its first step."""
    started = time.perf_counter()
    backend = make_backend("cuda")
    rows: list[list[object]] = []
    for case in cases.load_cases(["boombox", "brick_wall_017"]):
        with case.staged() as folder:
            stack = load_stack(folder)
        problem, target, _ = prepare(stack, backend, (1.0,) * stack.channel_count)  # the PSNR watched is the plain one
        fit(problem, target, case.gaussians, FitSettings(steps=4), backend)
        torch.cuda.synchronize()
        first = time.perf_counter() - started
        for steps in range(12, 130, 2):
            times = []
            for _ in range(3):
                torch.cuda.synchronize()
                begun = time.perf_counter()
                fitted = fit(problem, target, case.gaussians, FitSettings(steps=steps), backend)
                torch.cuda.synchronize()
                times.append(time.perf_counter() - begun)
            gaussians = fitted.gaussians
            geometry = backend.prepare_geometry(
                gaussians.means, gaussians.conics, fitted.cutoff, target.size, target.wrap
            )  # fmt: skip
            error = backend.squared_error(geometry, gaussians.features, target)
            psnr = problem.psnr(float(error.total))
            if psnr >= case.psnr_db:
                break
        seconds = sorted(times)[1]
        rows.append(
            [case.name, case.gaussians, case.psnr_db, round(psnr, 2), steps, round(seconds, 4),
             round(1e3 * seconds / steps, 2), round(first, 2)]
        )  # fmt: skip
        started = time.perf_counter()
    headings = [
        "case",
        "Gaussians",
        "reference dB",
        "dB",
        "steps",
        "s",
        "ms per step",
        "loading and compiling before, s",
    ]
    return headings, rows


def decode() -> Table:
    """A full decode: tile lists and picture, without the copy to the host."""
    backend = cuda_backend()
    rows = [decode_row(case, backend) for case in cases.load_cases(["boombox", "brick_wall_017"])]
    return ["case", "size", "count µs", "fill µs", "order µs", "rasterize µs", "all kernels µs"], rows


def decode_row(case: cases.Case, backend: CudaBackend) -> list[object]:
    """One material's row of decode()."""
    problem, found = short_fit(case, backend, 40)
    fitted = found.gaussians
    conics = fitted.conics

    def render() -> None:
        backend.render(backend.prepare_geometry(fitted.means, conics, found.cutoff, problem.size), fitted.features)

    kernels = kernel_times(render)
    own = {name: kernels.get(name, 0.0) for name in ("count_slots", "fill_slots", "order_tiles", "rasterize")}
    total = sum(kernels.values())
    return [case.name, f"{problem.size[0]}²", *(round(value) for value in own.values()), round(total)]


def short_fit(case: cases.Case, backend: CudaBackend, steps: int) -> tuple[FitProblem, Fit]:
    """Return a case's picture and Gaussians that are like those of a fit."""
    with case.staged() as folder:
        problem, target, _ = prepare(load_stack(folder), backend)
    return problem, fit(problem, target, case.gaussians, FitSettings(steps=steps), backend)


def sizes() -> Table:
    """Steps per second, memory and the floor, for pictures of noise in octaves."""
    bandwidth, rate = chip_rates()
    rows: list[list[object]] = []
    for side in (1024, 2048, 4096, 8192):
        for bits in (0.05, 0.2, 0.8):
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            try:
                rows.append(measure_size(side, bits, bandwidth, rate))
            except torch.OutOfMemoryError:
                rows.append([f"{side}²", bits, "out of memory"])
    return [
        "size", "bits per channel texel", "Gaussians", "slots per tile", "steps per s", "ms per step",
        "squared error, ms", "of that rasterize", "floor: operations, ms", "floor: bytes, ms", "peak memory, GB",
    ], rows  # fmt: skip


def measure_size(side: int, bits: float, bandwidth: float, rate: float) -> list[object]:
    """One row of :func:`sizes`."""
    backend = cuda_backend()
    image = noise(side, CHANNELS)
    problem = FitProblem(image, image.reshape(-1, CHANNELS).std(dim=0), CHANNELS)
    target = backend.prepare_target(image)
    wanted = round(bits * side * side * CHANNELS / BITS_PER_GAUSSIAN)
    count = min(wanted, MAX_GAUSSIANS)
    quantizer = geometry_quantizer(side, side, count, Precision())
    settings = FitSettings(start_crowd=1.0, population=())  # steps alone: no Gaussians go and come
    fit(problem, target, count, replace(settings, steps=2), backend, rounding=quantizer)
    few, many = 4, 16
    seconds = []
    for steps in (few, many):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        fit(problem, target, count, replace(settings, steps=steps), backend, rounding=quantizer)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    step = (seconds[1] - seconds[0]) / (many - few)  # the start, which comes once, left out
    peak = torch.cuda.max_memory_allocated()
    start = initialise(image, count, np.random.default_rng(0))
    conics, cutoff = start.conics, FitSettings().cutoff
    kernels = kernel_times(
        lambda: backend.squared_error(
            backend.prepare_geometry(start.means, conics, cutoff, target.size), start.features, target
        )
    )  # fmt: skip
    operations, moved, slots = floor(backend, start.means, conics, start.features, problem.size)
    return [
        f"{side}²", bits, f"{count:,}" + (" (the format's limit)" if count < wanted else ""),
        round(slots / (side / TILE) ** 2, 1), round(1 / step), round(1e3 * step, 2),
        round(sum(kernels.values()) / 1e3, 3), round(kernels["rasterize"] / 1e3, 3), round(1e3 * operations / rate, 3),
        round(1e3 * moved / bandwidth, 3), round(peak / 1e9, 2),
    ]  # fmt: skip


def floor(
    backend: CudaBackend, means: torch.Tensor, conics: torch.Tensor, features: torch.Tensor, size: tuple[int, int]
) -> tuple[float, float, int]:
    """Operations that one squared error needs, bytes that it must move, and slots.

    A weight is 7 multiply-adds and an exp2 (counted as 2 operations each), once forward and once backward; forward adds
    K + 1 of them per Gaussian and texel, backward 2 K for the features and 6 for the geometry. Texels count in the rows
    that a support reaches.
    """
    frame = Frame(FitSettings().cutoff, size)
    lists = backend.lists.build(means, conics, features, features.shape[1], frame)
    assert backend.lists.sufficed(lists)
    slots = int(lists.slot_starts[-1])
    info = lists.ordered_info[:slots]
    pairs = int(((info & 15) - (info >> 4 & 15) + 1).sum(dtype=torch.int64)) * TILE
    components = features.shape[1]
    operations = 2.0 * pairs * (8 + components + 1 + 8 + 2 * components + 6)
    texels = lists.tile_count * TILE * TILE
    record = RECORD_HEAD + -(-components // 4) * 4
    moved = 4.0 * (
        texels * components + len(means) * (2 * record + 2 * (5 + components)) + slots * (6 + 2 * (5 + components))
    )
    return operations, moved, slots


def quality() -> Table:
    """PSNR of the finished file on both backends at the balanced preset."""
    rows: list[list[object]] = []
    for case in cases.load_cases():
        if not (cases.SHARED / "materials" / case.name).is_dir():
            continue
        with case.staged() as folder:
            stack = load_stack(folder)
        results = []
        for name in ("cuda", "cpu"):
            begun = time.perf_counter()
            backend = make_backend(name)
            settings = replace(preset_settings(Preset.BALANCED), gaussian_count=case.gaussians, detail=DetailMode.OFF)
            encoded = encode_within_budget(stack, settings, backend)
            results.append(
                (score(encoded.quantized, stack), len(encode_igs(encoded.quantized)), time.perf_counter() - begun)
            )
        (cuda_db, cuda_bytes, cuda_s), (cpu_db, cpu_bytes, cpu_s) = results
        rows.append(
            [case.name, round(cuda_db, 3), round(cpu_db, 3), round(cuda_db - cpu_db, 3), cuda_bytes, cpu_bytes,
             round(cuda_s, 2), round(cpu_s, 2)]
        )  # fmt: skip
        print(rows[-1], flush=True)
    return ["case", "cuda dB", "cpu dB", "difference", "cuda bytes", "cpu bytes", "cuda s", "cpu s"], rows


def encode() -> Table:
    """Seconds from files to a scored file at the balanced preset, by stage; the first run of each compiles."""
    rows: list[list[object]] = []
    balanced = preset_settings(Preset.BALANCED)
    wanted = {
        "boombox": replace(balanced, gaussian_count=30_000),
        "fabric_pattern_07": replace(balanced, gaussian_count=8_426),
        "mossy_rock_053": replace(balanced, max_bytes=348_720),
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, settings in wanted.items():
            with cases.load_cases([name])[0].staged() as folder:
                for run in ("first", "second", "third"):
                    report = compress(folder, Path(scratch) / "file.igs", settings, "cuda")
                    spent = report.seconds
                    parts = spent.load, spent.fit, spent.quantize, spent.encode, spent.score, spent.write
                    rows.append(
                        [name, run, *(round(part, 3) for part in parts), round(spent.total, 2), report.gaussians,
                         round(report.psnr_db, 2), report.file_bytes]
                    )  # fmt: skip
                    print(rows[-1], flush=True)
    headings = [
        "load s",
        "fit s",
        "quantize s",
        "encode s",
        "score s",
        "write s",
        "total s",
        "Gaussians",
        "dB",
        "bytes",
    ]
    return ["case", "run", *headings], rows


def queue() -> Table:
    """Materials per minute for copies of a 1024² material at the balanced preset, from files to scored files."""
    rows: list[list[object]] = []
    case = cases.load_cases(["brick_wall_017"])[0]
    settings = replace(preset_settings(Preset.BALANCED), gaussian_count=case.gaussians, detail=DetailMode.OFF)
    with case.staged() as folder, tempfile.TemporaryDirectory() as scratch:
        for gpus, processes, materials in QUEUES:
            if gpus > torch.cuda.device_count():
                continue
            names = [f"{gpus}_{processes}_{materials}_{index}.igs" for index in range(materials)]
            items = [BatchItem(folder, Path(scratch) / name) for name in names]
            begun = time.perf_counter()
            compress_many(items, settings, "cuda", gpus, processes)
            seconds = time.perf_counter() - begun
            rate = round(materials / seconds * 60)
            rows.append([gpus, processes, THREADS_PER_PROCESS, materials, round(seconds, 1), rate])
            print(rows[-1], flush=True)
    return ["GPUs", "processes per GPU", "threads", "materials", "s, starting included", "materials per minute"], rows


def packages() -> Table:
    """The owner's packages against our own path: gsplat's tile lists, fused-ssim."""
    backend = cuda_backend()
    found = cases.load_cases(["boombox", "brick_wall_017"])
    return ["case", "what", "entries", "ms"], [row for case in found for row in package_rows(case, backend)]


def package_rows(case: cases.Case, backend: CudaBackend) -> list[list[object]]:
    """One material's rows of packages()."""
    rows: list[list[object]] = []
    problem, found = short_fit(case, backend, 20)
    fitted, cutoff = found.gaussians, found.cutoff
    means, conics, features = fitted.means.contiguous(), fitted.conics.contiguous(), fitted.features

    def own() -> int:
        frame = Frame(cutoff, problem.size)
        lists = backend.lists.build(means, conics, features, features.shape[1], frame)
        backend.lists.sufficed(lists)
        return int(lists.counted)

    rows.append([case.name, "tile lists, own", own(), round(milliseconds(own), 3)])
    if importlib.util.find_spec("gsplat") is not None:
        from gsplat.cuda._wrapper import isect_offset_encode, isect_tiles

        across, down = (-(-extent // TILE) for extent in problem.size)
        depths = torch.arange(len(means), device=means.device, dtype=torch.float32)[None]
        determinant = conics[:, 0] * conics[:, 2] - conics[:, 1] ** 2
        reach = torch.stack([conics[:, 2], conics[:, 0]], dim=1) * (2 * cutoff) / determinant[:, None]
        radii = torch.ceil(torch.sqrt(reach)).int()[None]

        def theirs() -> int:
            _, ids, flat = isect_tiles(means[None], radii, depths, TILE, across, down)
            isect_offset_encode(ids, 1, across, down)
            return len(flat)

        rows.append([case.name, "tile lists, gsplat", theirs(), round(milliseconds(theirs), 3)])
    picture = problem.image.clone().requires_grad_()
    other = problem.image + 0.05 * torch.randn_like(problem.image)

    def plain(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return structural_similarity(first, second).mean()

    rows.append([case.name, "SSIM and gradient, torch", "", round(gradient_time(plain, picture, other), 3)])
    if importlib.util.find_spec("fused_ssim") is not None:
        from fused_ssim import fused_ssim

        def fused(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            planes = [plane.permute(2, 0, 1)[None].contiguous() for plane in (first, second)]
            value: torch.Tensor = fused_ssim(*planes, padding="valid")
            return value

        difference = float((fused(picture, other) - plain(picture, other)).detach().abs())
        label = f"SSIM and gradient, fused-ssim (value differs by {difference:.1e})"
        rows.append([case.name, label, "", round(gradient_time(fused, picture, other), 3)])
    rows.append([case.name, "step of a fit", "", step_time(problem, found, backend, 0.0)])
    with patch("imagegs_tex.fit.losses.fused_ssim_map", lambda: None):
        rows.append([case.name, "step with the SSIM loss, torch", "", step_time(problem, found, backend, 0.1)])
    if importlib.util.find_spec("fused_ssim") is not None:
        rows.append([case.name, "step with the SSIM loss, fused-ssim", "", step_time(problem, found, backend, 0.1)])
    return rows


def step_time(problem: FitProblem, start: Fit, backend: CudaBackend, ssim_weight: float) -> float:
    """Milliseconds of a step of a fit that goes on, solves included, and no Gaussian comes or goes."""
    target, seconds = backend.prepare_target(problem.image, problem.weights), []
    for steps in (STEP_WARM_UP, STEPS_TIMED):
        settings = FitSettings(steps=steps, population=(), ssim_weight=ssim_weight)
        torch.cuda.synchronize()
        begun = time.perf_counter()
        fit(problem, target, start.gaussians.count, settings, backend, start=start)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    return round(1000 * seconds[-1] / STEPS_TIMED, 2)


def gradient_time(
    similarity: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], picture: torch.Tensor, other: torch.Tensor
) -> float:
    """Milliseconds of a similarity and its gradient."""
    return milliseconds(lambda: torch.autograd.grad(similarity(picture, other), picture))


def score(quantized: QuantizedGaussianSet, stack: TextureStack) -> float:
    """Pooled PSNR of a set decoded by the cuda backend."""
    from imagegs_tex.encoder.compute import compute_on
    from imagegs_tex.metrics.scores import pooled_psnr

    return float(pooled_psnr(compute_on(cuda_backend()).score(stack, quantized)))


def cuda_backend() -> CudaBackend:
    """The backend, as what it is."""
    backend = make_backend("cuda")
    assert isinstance(backend, CudaBackend)
    return backend


def noise(side: int, channels: int) -> torch.Tensor:
    """A picture [H, W, K] of noise in octaves, with more detail in some places than in others."""
    generator = torch.Generator("cuda").manual_seed(0)
    image = torch.zeros(side, side, channels, device="cuda")
    for plane in range(channels):
        total = torch.zeros(1, 1, side, side, device="cuda")
        for octave in range(3, 9):
            coarse = torch.randn(1, 1, 1 << octave, 1 << octave, generator=generator, device="cuda")
            total += torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear") * 0.6**octave
        image[:, :, plane] = total[0, 0]
    return image * (0.2 / image.std())


def milliseconds(call: Callable[[], object], repeats: int = 20) -> float:
    """Median time of a call by the GPU's clock, warmed up."""
    for _ in range(3):
        call()
    times = []
    for _ in range(repeats):
        before, after = _event(), _event()
        before.record()
        call()
        after.record()
        torch.cuda.synchronize()
        times.append(before.elapsed_time(after))
    return float(sorted(times)[len(times) // 2])


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch leaves it without types


def kernel_times(call: Callable[[], object], repeats: int = 10) -> dict[str, float]:
    """Microseconds of each kernel in one call, by the profiler."""
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()
    return {
        event.key: event.self_device_time_total / repeats
        for event in profile.key_averages()
        if event.self_device_time_total
    }


SECTIONS: dict[str, Callable[[], Table]] = {
    "chip": chip, "reference": reference, "decode": decode, "sizes": sizes, "quality": quality, "encode": encode,
    "queue": queue, "packages": packages,
}  # fmt: skip


def main() -> None:
    """Run the sections and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS), default=list(SECTIONS))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    results: dict[str, object] = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    parts, failed = [], False
    for name in arguments.only:
        begun = time.perf_counter()
        try:
            headings, rows = SECTIONS[name]()
        except Exception:  # noqa: BLE001 - the other sections' numbers are wanted all the same
            traceback.print_exc()
            failed = True
            continue
        results[name] = [dict(zip(headings, row, strict=False)) for row in rows]
        parts.append(f"## {name}\n\n{SECTIONS[name].__doc__}\n\n{markdown(headings, rows)}\n")
        print(parts[-1], f"({time.perf_counter() - begun:.1f} s)", flush=True)
        (arguments.output / "cuda.json").write_text(json.dumps(results, indent=2) + "\n")
        (arguments.output / "cuda.md").write_text("\n".join(parts))
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
