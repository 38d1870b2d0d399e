"""The tables of ``info``, apart from the others, which take longer to import than a file to read."""

from pathlib import Path

from imagegs_tex.cli.columns import print_columns
from imagegs_tex.cli.console import kernels, make_console, plain
from imagegs_tex.cli.tables_decoding import print_cost, print_memory
from imagegs_tex.file_info import InfoReport
from imagegs_tex.formats.igs.optional_sections import DETAIL_SECTION, REPEAT_SECTION, RESIDUAL_SECTION


def print_info(info: InfoReport, file: Path) -> None:
    """Print what a file holds and where its bytes go."""
    console = make_console()
    console.print(
        f"{plain(file)}: {info.width} x {info.height} texels, {info.channels} channels in "
        f"{info.components} component{'' if info.components == 1 else 's'}, "
        f"{kernels(info.gaussians, bool(info.ledger.exact))}{_layers(info)}, {_wrap_words(info.wrap)}, "
        f"format version {info.version}",
    )
    constants = [f" ({entry.constant_channels} constant)" if entry.constant_channels else "" for entry in info.maps]
    maps = {
        "map": [plain(entry.name) for entry in info.maps],
        "semantic": [", ".join(dict.fromkeys(entry.channel_semantics)).replace("_", " ") for entry in info.maps],
        "channels": [f"{entry.channels}{constant}" for entry, constant in zip(info.maps, constants, strict=True)],
        "format": [entry.sample_format for entry in info.maps],
        "transfer": [entry.transfer for entry in info.maps],
    }
    console.print()
    print_columns(console, maps, wrapped="semantic")
    sections = [(section.name, f"{section.stored_bytes:,}", section.stored_bytes) for section in info.sections]
    features = [(f"features of {plain(name)}", f"{size:,.0f}", size) for name, size in info.ledger.features_by_map]
    rows = [*sections, ("file", f"{info.file_bytes:,}", info.file_bytes), *features]
    ledger = {
        "section": [name for name, _, _ in rows],
        "bytes": [text for _, text, _ in rows],
        "share": ["" if name == "file" else f"{size / info.file_bytes:.1%}" for name, _, size in rows],
    }
    if info.gaussians > 1:  # one holds no more than the mean colour
        layers = {DETAIL_SECTION, RESIDUAL_SECTION, REPEAT_SECTION}  # their bytes are not of Gaussians
        if info.ledger.residual or info.ledger.repeat:  # most of the file
            layers.add("file")
        ledger["bits per Gaussian"] = [
            "" if name in layers else f"{8 * size / info.gaussians:.2f}" for name, _, size in rows
        ]
    console.print()
    print_columns(console, ledger)
    if not info.ledger.exact and info.gaussians > 1:
        console.print(
            f"One more Gaussian costs about {info.ledger.per_gaussian:.2f} bytes, as those in the file do on average."
        )
    console.print(f"{info.bits_per_texel:.4f} bits per texel")
    parts = {
        "coarse levels": info.gpu_coarse_bytes, "detail": info.gpu_detail_bytes, "repeat": info.gpu_repeat_bytes,
        "residual": info.gpu_residual_bytes,
    }  # fmt: skip
    print_memory(console, "buffer, at most", info.gpu_bytes, info.gpu_shared_bytes, parts)
    print_cost(console, info.decode_cost)


def _layers(info: InfoReport) -> str:
    """Say what a file holds beside its Gaussians."""
    layers = {
        "pictures of a cell that repeats": info.ledger.repeat,
        "a residual in blocks": info.ledger.residual,
        "noise for its grain": info.ledger.detail,
    }
    return "".join(f", {name}" for name, size in layers.items() if size)


def _wrap_words(wrap: tuple[str, str]) -> str:
    """Say along which sides the picture goes on at its borders."""
    sides = [side for side, kind in zip("xy", wrap, strict=True) if kind == "repeat"]
    return f"tiles in {' and '.join(sides)}" if sides else "does not tile"
