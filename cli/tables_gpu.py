"""Tables of ``emit`` and ``verify``."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from imagegs_tex.cli.console import make_console, plain
from imagegs_tex.cli.tables_decoding import print_cost, print_ledger
from imagegs_tex.formats.vocabulary import TextureMap

if TYPE_CHECKING:  # what `info` has no use for; verify loads torch
    from collections.abc import Sequence

    from imagegs_tex.shaders.build_decoder import Decoder
    from imagegs_tex.shaders.emit_materials import BufferMaterial
    from imagegs_tex.shaders.load_files import LoadProgram
    from imagegs_tex.verification.report import VariantResult, VerifyReport


def print_emission(decoder: "Decoder", paths: list[Path]) -> None:
    """Print what was written and what it takes on the GPU."""
    console = make_console()
    for path in paths:
        console.print(plain(path), soft_wrap=True)  # a path in one piece, to be copied
    print_ledger(console, decoder.packed.ledger)
    print_cost(console, decoder.cost)


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
    verdict, texels = "holds" if report.passed else "BROKEN", report.width * report.height
    where = "all texels" if report.checked_texels == texels else f"{report.checked_texels:,} of {texels:,} texels"
    console.print(
        f"{plain(file)}: {verdict} (bound {report.max_error:.5f}, {where} and {report.points:,} points) "
        f"on {plain(report.renderer)}",
    )
    print_ledger(console, report.gpu_bytes)
    print_cost(console, report.cost)
    console.print()
    if report.level_error is not None:
        console.print(
            f"stored levels: {report.level_error:.2f} of their step from the means (bound {MAX_LEVEL_ERROR:g})"
        )
    if report.source is not None:
        console.print(f"against the source: {report.source.psnr_db:.2f} dB over all channels")
    for reason in report.left_out:
        console.print(f"left out: {reason}")


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
