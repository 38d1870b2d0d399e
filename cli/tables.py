"""Reports as tables for people."""

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from imagegs_tex.cli.console import make_console, plain
from imagegs_tex.cli.tables_gpu import sample_costs
from imagegs_tex.doctor import DoctorReport
from imagegs_tex.metrics.scores import PSNR_CAP_DB, MapScore
from imagegs_tex.reports import AssetReport, CompareReport, CompressReport, ExportReport, InfoReport


def print_compression(report: CompressReport, output: Path) -> None:
    """Print how each map was understood, how well it came out, and what the file costs."""
    table = _table("map", "understood as", "PSNR dB", "SSIM", "contrast")
    for reading, score in zip(report.readings, report.maps, strict=True):
        table.add_row(
            plain(score.name), plain(reading), f"{score.psnr_db:.2f}", f"{score.ssim:.4f}", _contrast(score)
        )  # fmt: skip
    console = make_console()
    console.print(table)
    console.print(f"wrap: {plain(report.wrap_reading)}", soft_wrap=True)
    weighted = "" if report.weighted_psnr_db is None else f" ({report.weighted_psnr_db:.2f} dB by importance)"
    console.print(
        f"{plain(output)}: {report.file_bytes:,} bytes, {report.bits_per_texel:.3f} bits per texel "
        f"({report.bits_per_channel_texel:.4f} per channel), {report.gaussians:,} Gaussians, "
        f"{report.psnr_db:.2f} dB{weighted}, {report.seconds.total:.1f} s on {report.backend}",
        soft_wrap=True,
    )
    for target in report.targets:
        unit = "mean degrees" if target.unit == "degrees" else target.unit
        maps = target.semantic.replace("_", " ")
        console.print(f"{maps}: {target.reached:.2f} {unit}, {target.asked:g} asked for", soft_wrap=True)
    for warning in report.warnings:
        console.print(f"warning: {escape(warning)}", soft_wrap=True)
    stored = dict(report.ledger.features_by_map)
    for score in report.maps:
        if score.psnr_db < PSNR_CAP_DB and stored[score.name] < 1:
            console.print(
                f"{plain(score.name)}: hardly a byte is spent on it, so that it comes out flat; "
                "more bytes, or --target, change that",
                soft_wrap=True,
            )


def print_asset(report: AssetReport, folder: Path) -> None:
    """Print each file of a glTF's materials, and which materials have which."""
    for entry in report.files:
        print_compression(entry.report, folder / entry.file)
    table = _table("material", "file")
    for material in report.materials:
        table.add_row(plain(material.name), plain(material.file or "none: no textures"))
    make_console().print(table)


def print_comparison(report: CompareReport, file: Path) -> None:
    """Print the scores of each map and the pooled PSNR."""
    columns = {
        "map": [plain(score.name) for score in report.maps],
        "semantic": [score.semantic.replace("_", " ") for score in report.maps],
        "PSNR dB": [f"{score.psnr_db:.2f}" for score in report.maps],
        "SSIM": [f"{score.ssim:.4f}" for score in report.maps],
        "contrast": [_contrast(score) for score in report.maps],
        "FLIP": ["" if score.flip is None else f"{score.flip:.4f}" for score in report.maps],
        "degrees (mean, p95)": [_degrees(score) for score in report.maps],
        "alpha test (all, edges)": [_alpha_test(score) for score in report.maps],
    }
    filled = {heading: cells for heading, cells in columns.items() if any(cells)}
    table = _table(*filled)
    for row in zip(*filled.values(), strict=True):
        table.add_row(*row)
    console = make_console()
    console.print(table)
    console.print(f"{plain(file)}: {report.psnr_db:.2f} dB over all channels", soft_wrap=True)


def print_info(info: InfoReport, file: Path) -> None:
    """Print what a file holds and where its bytes go."""
    console = make_console()
    console.print(
        f"{plain(file)}: {info.width} x {info.height} texels, {info.channels} channels in "
        f"{info.components} components, {info.gaussians:,} Gaussians, wrap {','.join(info.wrap)}, "
        f"format version {info.version}",
        soft_wrap=True,
    )
    maps = _table("map", "semantic", "channels", "format", "transfer")
    for entry in info.maps:
        constant = f" ({entry.constant_channels} constant)" if entry.constant_channels else ""
        maps.add_row(
            plain(entry.name), entry.semantic.replace("_", " "), f"{entry.channels}{constant}", entry.sample_format,
            entry.transfer,
        )  # fmt: skip
    console.print(maps)
    ledger = _table("section", "bytes", "share", "bits per Gaussian")
    for section in info.sections:
        ledger.add_row(
            section.name, f"{section.stored_bytes:,}", f"{section.stored_bytes / info.file_bytes:.1%}",
            f"{8 * section.stored_bytes / info.gaussians:.2f}",
        )  # fmt: skip
    ledger.add_row("file", f"{info.file_bytes:,}", "", f"{8 * info.file_bytes / info.gaussians:.2f}")
    for name, size in info.ledger.features_by_map:
        ledger.add_row(
            f"features of {plain(name)}", f"{size:,.0f}", f"{size / info.file_bytes:.1%}",
            f"{8 * size / info.gaussians:.2f}",
        )  # fmt: skip
    console.print(ledger)
    console.print(
        f"One more Gaussian costs about {info.ledger.per_gaussian:.2f} bytes, as those in the file do on average."
    )
    cost = info.decode_cost
    console.print(
        f"{info.bits_per_texel:.4f} bits per texel; {info.gpu_bytes:,} bytes on the GPU; per texel "
        f"{cost.weights_mean:.1f} Gaussians evaluated (p99 {cost.candidates.p99:.0f}, max {cost.candidates.max}), "
        f"{cost.multiply_adds_mean:.0f} multiply-adds",
        soft_wrap=True,
    )
    console.print(sample_costs(cost), soft_wrap=True)


def print_export(report: ExportReport) -> None:
    """Print what each map has become."""
    table = _table("map", "file", "pixel format", "channels", "size", "levels", "bytes")
    for entry in report.maps:
        first = Path(entry.files[0]).name
        name = first if len(entry.files) == 1 else f"{first} to {len(entry.files) - 1}"
        table.add_row(
            plain(entry.name), plain(name), entry.pixel_format, _letters(entry.channels),
            f"{entry.width} x {entry.height}", str(entry.levels), f"{entry.bytes:,}",
        )  # fmt: skip
    console = make_console()
    console.print(table)
    total = sum(entry.bytes for entry in report.maps)
    console.print(f"{total:,} bytes in {plain(Path(report.maps[0].files[0]).parent)}", soft_wrap=True)


def _letters(channels: tuple[int, ...]) -> str:
    return "".join("rgba"[channel] for channel in channels)


def _contrast(score: MapScore) -> str:
    """Kept contrast by octave, finest first."""
    return " ".join("-" if ratio is None else f"{ratio:.2f}" for ratio in score.kept_contrast or ())


def _degrees(score: MapScore) -> str:
    if score.normal_degrees_mean is None or score.normal_degrees_p95 is None:
        return ""
    return f"{score.normal_degrees_mean:.2f}, {score.normal_degrees_p95:.2f}"


def _alpha_test(score: MapScore) -> str:
    if score.alpha_test_wrong is None:
        return ""
    at_edges = "" if score.alpha_test_wrong_at_edges is None else f", {score.alpha_test_wrong_at_edges:.1%}"
    return f"{score.alpha_test_wrong:.2%}{at_edges} wrong"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="left" if index < 2 else "right")
    return table


def print_doctor(report: DoctorReport) -> None:
    """Print what was found, how the backends did, and how to get what is missing."""
    console = make_console()
    found = _table("what", "found", "for")
    for finding in report.findings:
        found.add_row(finding.name, plain(finding.found or "no"), plain(finding.purpose))
    console.print(found)
    checks = _table("backend", "picture", "largest difference", "first, s", "next, ms")
    for check in report.checks:
        numbers = ("", "", "")
        if check.difference is not None and check.first_seconds is not None and check.seconds is not None:
            numbers = f"{check.difference:.1e}", f"{check.first_seconds:.2f}", f"{1e3 * check.seconds:.2f}"
        result = "cannot run" if check.problem else "right" if check.passed else "WRONG"
        checks.add_row(check.name, result, *numbers)
    console.print(checks)
    for finding in report.findings:
        if finding.found is None:
            console.print(f"{finding.name}: {plain(finding.remedy)}", soft_wrap=True)
    console.print(f"--backend auto uses {report.used_backend} here.")
