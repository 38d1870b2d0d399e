"""Tables of ``emit`` and ``verify``."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from imagegs_tex.cli.console import make_console, plain
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.shaders.decode_cost import DecodeCost
from imagegs_tex.shaders.gpu_buffer import NOISE_TILE_BYTES
from imagegs_tex.shaders.gpu_memory import memory_words, parts_of, shared_bytes

if TYPE_CHECKING:  # what `info` has no use for; verify loads torch
    from collections.abc import Sequence

    from rich.console import Console

    from imagegs_tex.shaders.build_decoder import Decoder
    from imagegs_tex.shaders.emit_materials import BufferMaterial
    from imagegs_tex.shaders.gpu_buffer import GpuBytes
    from imagegs_tex.shaders.load_files import LoadProgram
    from imagegs_tex.verification.report import VariantResult, VerifyReport


def print_emission(decoder: "Decoder", paths: list[Path]) -> None:
    """Print what was written and what it takes on the GPU."""
    console = make_console()
    for path in paths:
        console.print(plain(path), soft_wrap=True)  # a path in one piece, to be copied
    cost, ledger = decoder.cost, decoder.packed.ledger
    console.print(
        f"{_memory(ledger)}; per texel {cost.weights_mean:.1f} Gaussians evaluated "
        f"(at most {cost.candidates.max}), {cost.multiply_adds_mean:.0f} multiply-adds",
    )
    _print_layers(console, cost, ledger)
    if cost.samples:
        console.print(sample_costs(cost))


def print_materials(materials: "Sequence[BufferMaterial]", paths: list[Path]) -> None:
    """Print what was written of a buffer of many materials."""
    console = make_console()
    for path in paths:
        console.print(plain(path), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("number", "material", "texels", "Gaussians", "bytes on the GPU"):
        table.add_column(heading, justify="left" if heading == "material" else "right")
    for number, each in enumerate(materials):
        size = f"{each.quantized.width} x {each.quantized.height}"
        count, taken = f"{each.quantized.gaussian_count:,}", f"{each.packed.ledger.total:,}"
        table.add_row(str(number), plain(each.name), size, count, taken)
    if materials:
        console.print(table)


def print_loaded(program: "LoadProgram", maps: tuple[TextureMap, ...], left_out: tuple[int, ...]) -> None:
    """Print which textures are made at load time, and what that takes."""
    console = make_console()
    made = ", ".join(f"{plain(maps[each.map_index].name)} {each.pixel_format.label}" for each in program.textures)
    console.print(
        f"textures at load: {made or 'none'}; {program.output_bytes:,} bytes with all levels, "
        f"{program.scratch_bytes:,} bytes of scratch while they are made"
    )
    for number in left_out:
        console.print(f"no texture of {plain(maps[number].name)}: it holds floats, or more than four channels")


def _print_layers(console: "Console", cost: DecodeCost, memory: "GpuBytes") -> None:
    if memory.noise_tile:
        console.print(detail_costs(cost, memory.envelope))
    if memory.residual:
        console.print(residual_costs(cost, memory.residual))


def detail_costs(cost: DecodeCost, size: int) -> str:
    """Say in one line what the detail layer takes; size: bytes of the material."""
    return (
        f"of that, detail: {size:,} bytes and {cost.detail_multiply_adds} multiply-adds per texel; "
        f"its noise tile of {NOISE_TILE_BYTES:,} bytes is there once for all materials"
    )


def residual_costs(cost: DecodeCost, size: int) -> str:
    """Say in one line what the residual takes; size: bytes of the material."""
    work = cost.residual_multiply_adds
    return (
        f"of that, residual: {size:,} bytes and {cost.residual_multiply_adds_mean:.0f} multiply-adds per texel "
        f"(p99 {work.p99:.0f}, at most {work.max})"
    )


def sample_costs(cost: DecodeCost) -> str:
    """Say in one line what a sample costs at each level."""
    decoded = [sample for sample in cost.samples if sample.decodes]
    levels = ", ".join(
        f"level {sample.level}: {sample.gaussians_median:g} (at most {sample.gaussians_max})" for sample in decoded
    )
    first = next(sample for sample in cost.samples if sample.blocks)
    return (
        f"Gaussians evaluated per sample, {levels}; none from level {len(decoded)} on; from level {first.level} on "
        f"up to {first.blocks} blocks are read; between two levels both"
    )


def print_verification(report: "VerifyReport", file: Path) -> None:
    """Print each decoder's largest differences and the cost of decoding."""
    from imagegs_tex.verification.report import MAX_LEVEL_ERROR

    console = make_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    headings = ["decoder", "", "texels", "points", "accessors", "footprints", "8-bit steps", "GPU ms"]
    if all(variant.milliseconds is None for variant in report.variants):
        headings.pop()
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < 2 else "right")
    for variant in report.variants:
        table.add_row(*_row(variant)[: len(headings)])
    console.print(table)
    failures = [(each.name, each.failure) for each in report.variants]
    for name, failure in [*failures, *((each.name, each.failure) for each in report.textures)]:
        if failure:
            console.print(f"{name}: {plain(failure)}")
    for loaded in report.textures:
        if loaded.textures:
            scores = ", ".join(f"{each.pixel_format} {each.psnr_db[0]:.1f} dB" for each in loaded.textures)
            taken = "" if loaded.milliseconds is None else f", {loaded.milliseconds:.3f} ms"
            console.print(
                f"{loaded.name}: {'ok' if loaded.passed else 'BROKEN'}, blocks use {loaded.block_error:.2f} of their "
                f"bound{taken}; against the decode {scores}"
            )
    cost, memory = report.cost, report.gpu_bytes
    verdict, texels = "holds" if report.passed else "BROKEN", report.width * report.height
    where = "all texels" if report.checked_texels == texels else f"{report.checked_texels:,} of {texels:,} texels"
    console.print(
        f"{plain(file)}: {verdict} (bound {report.max_error:.5f}, {where} and {report.points:,} points) "
        f"on {plain(report.renderer)}",
    )
    console.print(
        f"{_memory(memory)}; Gaussians evaluated per texel: median {cost.candidates.median:g}, "
        f"99% {cost.candidates.p99:g}, most {cost.candidates.max}; {cost.multiply_adds_mean:.0f} multiply-adds",
    )
    _print_layers(console, cost, memory)
    if cost.samples:
        console.print(sample_costs(cost))
    if report.level_error is not None:
        console.print(
            f"stored levels: {report.level_error:.2f} of their step from the means (bound {MAX_LEVEL_ERROR:g})"
        )
    if report.source is not None:
        console.print(f"against the source: {report.source.psnr_db:.2f} dB over all channels")
    for reason in report.left_out:
        console.print(f"left out: {reason}")


def _memory(ledger: "GpuBytes") -> str:
    return memory_words(ledger.total, shared_bytes(ledger), parts_of(ledger))


def _row(variant: "VariantResult") -> tuple[str, ...]:
    return (
        variant.name,
        "ok" if variant.passed else "BROKEN",
        f"{variant.texel_error:.1e}",
        f"{variant.point_error:.1e}",
        "" if variant.accessor_error is None else f"{variant.accessor_error:.1e}",
        "" if variant.sample_error is None else f"{variant.sample_error:.1e}",
        str(variant.steps),
        "" if variant.milliseconds is None else f"{variant.milliseconds:.3f}",
    )
