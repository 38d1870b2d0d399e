"""Reports as tables for people."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from imagegs_tex.advice import comes_out_flat
from imagegs_tex.cli.columns import make_table, print_columns
from imagegs_tex.cli.console import kernels, make_console, plain
from imagegs_tex.metrics.scores import PSNR_CAP_DB, MapScore, shown_contrast
from imagegs_tex.reports import (
    AssetReport,
    CompareReport,
    CompressReport,
    ExportReport,
    SplatReport,
    ViewReport,
)

if TYPE_CHECKING:  # torch and image libraries, which `info` does without
    from imagegs_tex.doctor import DoctorReport
    from imagegs_tex.textures.export_maps import ExportedMap

_WORTH_SAYING = 1.0  # seconds of compiling
_WIDEST_WORD = 28  # of what doctor finds: the table then fits into 80 columns


def print_compression(report: CompressReport, output: Path) -> None:
    """Print how each map was understood, how well it came out, and what the file costs."""
    console = make_console()
    columns = {
        "map": [plain(score.name) for score in report.maps],
        "understood as": [plain(reading) for reading in report.readings],
        "PSNR dB": [f"{score.psnr_db:.2f}" for score in report.maps],
        "SSIM": [f"{score.ssim:.4f}" for score in report.maps],
        "contrast": [_contrast(score) for score in report.maps],
    }
    is_told = print_columns(console, columns, needless="understood as", apart="contrast", wrapped="understood as")
    if not is_told:  # in a column they would be a tower of single words
        for name, reading in zip(columns["map"], columns["understood as"], strict=True):
            console.print(f"{name}: {reading}")
    console.print(f"wrap: {plain(report.wrap_reading)}")
    for remark in report.remarks:
        console.print(escape(remark))
    weighted = "" if report.weighted_psnr_db is None else f" ({report.weighted_psnr_db:.2f} dB by importance)"
    compiling = report.compiling_seconds
    compiled = f", {compiling:.1f} s of them compiling kernels, once" if compiling >= _WORTH_SAYING else ""
    console.print(
        f"{plain(output)}: {report.file_bytes:,} bytes, {report.bits_per_texel:.3f} bits per texel "
        f"({report.bits_per_channel_texel:.4f} per channel), {kernels(report.gaussians, bool(report.ledger.exact))}, "
        f"{report.psnr_db:.2f} dB{weighted}, {report.seconds.total:.1f} s on {report.backend}{compiled}",
    )
    if report.quality is not None:
        console.print(f"quality {report.quality:g} (25 is small, 50 good, 75 high)")
    if report.ledger.detail:
        console.print(
            f"detail layer: {report.ledger.detail:,} bytes of noise where the source has grain; contrast is with it, "
            "PSNR and SSIM are without (--detail off leaves it out)"
        )
    if report.ledger.residual:
        console.print(
            f"residual layer: {report.ledger.residual:,} bytes of blocks for what the Gaussians leave "
            "(--set residual=off leaves it out)"
        )
    if report.ledger.repeat:
        console.print(
            f"repeat layer: {report.ledger.repeat:,} bytes of one cell that repeats, and of how each differs "
            "(--set repeat=off leaves it out)"
        )
    for target in report.targets:
        unit = "mean degrees" if target.unit == "degrees" else target.unit
        maps = target.semantic.replace("_", " ")
        console.print(f"{maps}: {target.reached:.2f} {unit}, {target.asked:g} asked for")
    for warning in report.warnings:
        console.print(f"warning: {escape(warning)}")
    stored = dict(report.ledger.features_by_map)
    for score in () if report.ledger.repeat else report.maps:
        if score.psnr_db < PSNR_CAP_DB and stored[score.name] < 1 and comes_out_flat(score):
            console.print(
                f"{plain(score.name)}: hardly a byte is spent on it, so that it comes out flat; "
                "more bytes, or --target, change that",
            )


def print_asset(report: AssetReport, folder: Path) -> None:
    """Print each file of several materials, which have which, and which are left out for what reason."""
    for entry in report.files:
        print_compression(entry.report, folder / entry.file)
    console = make_console()
    files = [
        plain(each.file or ("none: no textures" if each.left_out is None else "left out")) for each in report.materials
    ]
    print_columns(console, {"material": [plain(each.name) for each in report.materials], "file": files})
    for material in report.materials:
        if material.left_out is not None:
            console.print(f"{plain(material.name)} is left out: {escape(material.left_out)}", soft_wrap=True)
    for remark in report.remarks:
        console.print(escape(remark), soft_wrap=True)


def print_comparison(report: CompareReport, file: Path) -> None:
    """Print the scores of each map and the pooled PSNR."""
    columns = {
        "map": [plain(score.name) for score in report.maps],
        "semantic": [score.semantic.replace("_", " ") for score in report.maps],
        "PSNR dB": [f"{score.psnr_db:.2f}" for score in report.maps],
        "SSIM": [f"{score.ssim:.4f}" for score in report.maps],
        "MS-SSIM": ["" if score.ms_ssim is None else f"{score.ms_ssim:.4f}" for score in report.maps],
        "LPIPS": ["" if score.lpips is None else f"{score.lpips:.4f}" for score in report.maps],
        "contrast": [_contrast(score) for score in report.maps],
        "FLIP": ["" if score.flip is None else f"{score.flip:.4f}" for score in report.maps],
        "degrees (mean, p95)": [_degrees(score) for score in report.maps],
        "alpha test (all, edges)": [_alpha_test(score) for score in report.maps],
    }
    enlarged = () if report.upsampling is None else report.upsampling.enlarged
    filled = {heading: cells for heading, cells in columns.items() if any(cells)}
    console = make_console()
    print_columns(console, filled, needless="semantic", apart="contrast")
    if enlarged:
        filters_of = {f"{each.filter} dB": [f"{psnr:.2f}" for _, psnr in each.maps] for each in enlarged}
        print_columns(console, {"map": columns["map"], **filters_of})
    console.print(f"{plain(file)}: {report.psnr_db:.2f} dB over all channels")
    if report.upsampling is not None:
        filters = " and ".join(f"{each.filter} {each.psnr_db:.2f} dB" for each in enlarged)
        console.print(
            f"at the size of the source, which has more texels than the file's {report.upsampling.width} x "
            f"{report.upsampling.height}; filters that enlarge as many texels, uncompressed: {filters}"
        )
    if report.gamma != 1:
        console.print(f"of values to the power of {report.gamma:g}, but for FLIP and degrees")
    if any(score.kept_contrast_with_detail is not None for score in report.maps):
        console.print("contrast is with the file's detail layer, all else without it")
    for warning in report.warnings:
        console.print(f"warning: {escape(warning)}")


def print_export(report: ExportReport) -> None:
    """Print what each map has become."""
    columns: dict[str, list[str]] = {
        "map": [plain(entry.name) for entry in report.maps],
        "file": [_file_names(entry) for entry in report.maps],
        "pixel format": [entry.pixel_format for entry in report.maps],
        "channels": [_letters(entry.channels) for entry in report.maps],
        "size": [f"{entry.width} x {entry.height}" for entry in report.maps],
        "levels": [str(entry.levels) for entry in report.maps],
        "bytes": [f"{entry.bytes:,}" for entry in report.maps],
    }
    console = make_console()
    print_columns(console, columns, needless="map")
    total = sum(entry.bytes for entry in report.maps)
    console.print(f"{total:,} bytes in {plain(Path(report.maps[0].files[0]).parent)}")


def print_splats(report: SplatReport) -> None:
    """Print which files have the Gaussians."""
    columns: dict[str, list[str]] = {
        "map": [plain(entry.name) for entry in report.maps],
        "file": [plain(Path(entry.file).name) for entry in report.maps],
        "Gaussians": [f"{entry.gaussians:,}" for entry in report.maps],
        "bytes": [f"{entry.bytes:,}" for entry in report.maps],
    }
    console = make_console()
    print_columns(console, columns, needless="map")
    total = sum(entry.bytes for entry in report.maps)
    console.print(f"{total:,} bytes in {plain(Path(report.maps[0].file).parent)}")
    console.print("A viewer paints splats over each other: it shows the Gaussians, not exactly the map.")


def print_view(report: ViewReport) -> None:
    """Print which pictures were drawn, and where they are."""
    console = make_console()
    columns = {
        "picture": [plain(Path(picture.path).name) for picture in report.pictures],
        "shows": [plain(picture.shows) for picture in report.pictures],
        "size": [f"{picture.width} x {picture.height}" for picture in report.pictures],
    }
    print_columns(console, columns, needless="size")
    reduced = f", maps shown reduced by {report.reduction}" if report.reduction > 1 else ""
    scored = "" if report.psnr_db is None else f", {report.psnr_db:.2f} dB over all channels"
    folder = plain(Path(report.pictures[0].path).parent)
    console.print(f"{len(report.pictures)} pictures in {folder}{scored}{reduced}")
    if report.page is not None:
        console.print(f"{plain(report.page.path)}: {report.page.bytes:,} bytes, open it in a browser")


def _file_names(entry: "ExportedMap") -> str:
    first = Path(entry.files[0]).name
    return plain(first if len(entry.files) == 1 else f"{first} to {len(entry.files) - 1}")


def _letters(channels: tuple[int, ...]) -> str:
    return "".join("rgba"[channel] for channel in channels)


def _contrast(score: MapScore) -> str:
    """Kept contrast by octave, finest first, as decoders show it."""
    return " ".join("-" if ratio is None else f"{ratio:.2f}" for ratio in shown_contrast(score) or ())


def _degrees(score: MapScore) -> str:
    if score.normal_degrees_mean is None or score.normal_degrees_p95 is None:
        return ""
    return f"{score.normal_degrees_mean:.2f}, {score.normal_degrees_p95:.2f}"


def _alpha_test(score: MapScore) -> str:
    if score.alpha_test_wrong is None:
        return ""
    at_edges = "" if score.alpha_test_wrong_at_edges is None else f", {score.alpha_test_wrong_at_edges:.1%}"
    return f"{score.alpha_test_wrong:.2%}{at_edges} wrong"


def _is_long_path(text: str) -> bool:
    """Whether a table of 80 columns would break it in mid-word."""
    return " " not in text and len(text) > _WIDEST_WORD


def print_doctor(report: "DoctorReport") -> None:
    """Print what was found, how the backends did, and how to get what is missing."""
    console = make_console()
    found = make_table("what", "found", "for")
    paths = {finding.name: finding.found for finding in report.findings if _is_long_path(finding.found or "")}
    for finding in report.findings:
        words = "see below" if finding.name in paths else finding.found or "no"
        found.add_row(finding.name, plain(words), plain(finding.purpose))
    console.print(found)
    for name, path in paths.items():
        console.print(f"{name}: {plain(path or '')}", soft_wrap=True)
    console.print()
    checks = make_table("backend", "picture", "largest difference", "first, s", "next, ms")
    for check in report.checks:
        numbers = ("", "", "")
        if check.difference is not None and check.first_seconds is not None and check.seconds is not None:
            numbers = f"{check.difference:.1e}", f"{check.first_seconds:.2f}", f"{1e3 * check.seconds:.2f}"
        result = "cannot run" if check.problem else "right" if check.passed else "WRONG"
        checks.add_row(check.name, result, *numbers)
    console.print(checks)
    console.print()
    for finding in report.findings:
        if finding.found is None:
            console.print(f"{finding.name}: {plain(finding.remedy)}")
    console.print(f"--backend auto uses {report.used_backend} here.")
