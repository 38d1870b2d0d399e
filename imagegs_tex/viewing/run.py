"""``view``: what is asked for, made and written, all of it or nothing."""

import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from imagegs_tex.formats.errors import OutputError, UsageError
from imagegs_tex.formats.files.atomic_write import check_writable, write_files
from imagegs_tex.formats.files.file_hash import hash_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.memory import Work, check_memory
from imagegs_tex.provenance import processor_name, versions
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.reports import ViewedPage, ViewedPicture, ViewReport
from imagegs_tex.viewing.gather import gather, load
from imagegs_tex.viewing.page import MARK as PAGE_MARK
from imagegs_tex.viewing.page import make_page
from imagegs_tex.viewing.sheets import NAMES, draw, file_sheets, left_out, map_sheet, map_stems

_MAKER: Final = "imagegs-tex view"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MARK: Final = b"Software\0" + _MAKER.encode()
_HTML: Final = b"<!doctype html>"
_FRONT_BYTES: Final = 4096  # of a file, where the mark stands in what is ours
_PAGE_SUFFIXES: Final = frozenset({".html", ".htm"})
_GAIN_RANGE: Final = (0.1, 10_000.0)


def view(  # noqa: PLR0913 - one argument per option of the command
    file: Path | str,
    folder: Path | str,
    source: Path | str | None = None,
    *,
    page: Path | str | None = None,
    gain: float | None = None,
    options: SourceOptions | None = None,
    backend: str = "auto",
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ViewReport:
    """Draw labelled pictures of an .igs file: its maps, Gaussians and bytes, and the material under a light.

    Each map becomes a PNG file with its name: source, decode and error side by side, or the decode alone where there is
    no source. Maps of more than 1024 texels across or down are shown reduced by a whole factor, which the picture says.

    Args:
        file: the .igs file
        folder: where the pictures go; created when missing. Pictures of an earlier call are replaced, other files never
        source: what the file was made of: a folder of maps, an image, a manifest, or a glTF
        page: an HTML file to make as well: all of it in one file that loads nothing, at most some 20 MB
        gain: factor on errors before they are shown, 0.1 to 10000; None: what fits each map
        options: how the source is read, as in :func:`imagegs_tex.compare`
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend
        progress: called with the name of what is begun, how many maps are done and how many there are

    Returns:
        what was written, and what each picture shows

    Raises:
        UsageError: the gain is out of its range, or the page's name does not end in .html
        InputError: the source cannot be used, its maps are not those of the file, the file cannot be read, or the
            machine has less memory than its pictures take
        IgsError: the file is no .igs file or damaged
        OutputError: a picture cannot be written, or another file has its name; then none is written
        MissingToolError: the backend that was named cannot run on this machine
    """
    if gain is not None and not _GAIN_RANGE[0] <= gain <= _GAIN_RANGE[1]:
        raise UsageError(f"a gain of {gain:g} is outside {_GAIN_RANGE[0]:g}..{_GAIN_RANGE[1]:,.0f}; try 8")
    if page is not None and Path(page).suffix.lower() not in _PAGE_SUFFIXES:
        raise UsageError(f"--html {printable(page)}: end it in .html")
    loaded, into = load(Path(file)), Path(folder)
    stems = map_stems(tuple(texture_map.name for texture_map in loaded.quantized.maps))
    paths = {stem: into / f"{stem}.png" for stem in (*NAMES, *stems)}
    for path in paths.values():
        _check_ours(path, _PNG, _MARK, "picture")
    if page is not None:
        _check_ours(Path(page), _HTML, PAGE_MARK.encode(), "page")
    quantized, work = loaded.quantized, Work.VIEW if source is None else Work.VIEW_WITH_SOURCE
    check_memory(work, quantized.width, quantized.height, quantized.channel_count, printable(file))
    drawn_by = make_backend(backend, threads)
    found = gather(loaded, None if source is None else Path(source), drawn_by, options, progress, gain)
    if progress is not None:
        progress("the file as a whole", len(stems), len(stems))
    sheets = {stem: map_sheet(found, shown) for stem, shown in zip(stems, found.maps, strict=True)}
    drawings = draw(found)
    sheets = file_sheets(found, drawings) | sheets
    with ThreadPoolExecutor() as pool:  # Pillow's encoders leave Python to others
        contents = dict(zip([paths[stem] for stem in sheets], pool.map(_png, sheets.values()), strict=True))
    written = None
    if page is not None:
        html = make_page(found, drawings).encode("utf-8", "backslashreplace")
        contents[Path(page)] = html
        written = ViewedPage(str(page), len(html))
    write_files(contents)
    shows = NAMES | {stem: f"map {shown.texture_map.name}" for stem, shown in zip(stems, found.maps, strict=True)}
    return ViewReport(
        pictures=_pictures(paths, sheets, shows), left_out=left_out(found), reduction=found.reduction,
        page=written, psnr_db=found.psnr_db, maps=tuple(shown.score for shown in found.maps if shown.score is not None),
        options=options or SourceOptions(), file=hash_bytes(Path(file).name, loaded.data), inputs=found.inputs,
        backend=drawn_by.name, device=str(drawn_by.device), processor=processor_name(drawn_by.device),
        versions=versions(),
    )  # fmt: skip


def _pictures(
    paths: Mapping[str, Path], sheets: Mapping[str, Image.Image], shows: Mapping[str, str]
) -> tuple[ViewedPicture, ...]:
    return tuple(
        ViewedPicture(str(paths[stem]), printable(shows[stem]), sheet.width, sheet.height)
        for stem, sheet in sheets.items()
    )


def _check_ours(path: Path, beginning: bytes, mark: bytes, what: str) -> None:
    """Refuse, with OutputError, to replace what this command has not made."""
    check_writable(path, beginning)
    if path.is_file():
        with path.open("rb") as old:
            if mark not in old.read(_FRONT_BYTES):
                raise OutputError(
                    f"{printable(path)} is there already and no {what} of view, perhaps yours; give another name"
                )


def _png(picture: Image.Image) -> bytes:
    told, buffer = PngInfo(), io.BytesIO()
    told.add_text("Software", _MAKER)
    # level 4 takes a third of the time of level 6 for files about 12 % larger
    picture.save(buffer, format="PNG", pnginfo=told, compress_level=4)
    return buffer.getvalue()
