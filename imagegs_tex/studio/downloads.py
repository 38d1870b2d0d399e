"""What a visitor takes home: the file, and a .zip with as much beside it as was chosen."""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from imagegs_tex import api
from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.files.safe_names import safe_stem
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.settings import TextureContainer
from imagegs_tex.shaders.emit import emit
from imagegs_tex.studio.corrections import MANIFEST
from imagegs_tex.studio.markup import bytes_words
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.work import REPORT
from imagegs_tex.studio.zip_readme import README, zip_readme

PARTS: Final = {
    "maps": "Plain images: for Blender, and any engine",
    "dds": "DDS textures: for Unity, Unreal and Direct3D",
    "ktx2": "KTX 2 textures: for Vulkan and OpenGL",
    "hlsl": "Shader decoder, HLSL: draws from the .igs in Unity, Unreal, Direct3D",
    "glsl": "Shader decoder, GLSL: draws from the .igs in Vulkan, OpenGL, WebGL",
    "report": "All numbers and settings (report.json)",
    "pictures": "The pictures of this page",
}
"""What may go into the .zip beside the file, with what is written on the page."""
USUAL_PARTS: Final = ("maps", "report")
"""What everything opens; a shader decoder is for who writes shaders, one for the engine that they have."""


def part_choices(result: Result) -> list[tuple[str, str]]:
    """Return the parts that a result's .zip can have, with about how large each is, and their keys."""
    sizes = dict(result.part_sizes)
    report = result.file.parent / REPORT
    if report.is_file():
        sizes["report"] = report.stat().st_size
    sizes["pictures"] = sum(path.stat().st_size for path in result.folder.glob("*.png"))
    return [(f"{words} – about {bytes_words(sizes[key])}", key) for key, words in PARTS.items() if sizes.get(key)]


def make_zip(result: Result, parts: Iterable[str]) -> Path:
    """Pack a result; what its command line needs beside the maps is always in it.

    Args:
        result: the file and its pictures
        parts: keys of PARTS; others are ignored

    Returns:
        the .zip, in the result's folder

    Raises:
        MissingToolError: textures were chosen and their encoder is not installed
    """
    chosen = {*parts}
    folder = result.file.parent
    packed = folder / "packed"
    if "maps" in chosen:
        api.decode(result.file, packed / "maps", overwrite=True)
    for container in (TextureContainer.DDS, TextureContainer.KTX2):
        if container.value in chosen:
            api.export(result.file, packed / f"textures_{container.value}", container)
    languages: tuple[Literal["glsl", "hlsl"], ...] = ("glsl", "hlsl")
    for language in languages:
        if language in chosen:
            _emit(result.file, packed / f"shader_{language}", language)
    target = folder / f"{safe_stem(result.file.stem)}.zip"
    files = {result.file.name: result.file}
    if "report" in chosen and (folder / REPORT).is_file():
        files[REPORT] = folder / REPORT
    if (folder / MANIFEST).is_file():
        files[MANIFEST] = folder / MANIFEST
    if "pictures" in chosen:
        files |= {f"pictures/{path.name}": path for path in sorted(result.folder.glob("*.png"))}
    for path in sorted(packed.rglob("*")) if packed.is_dir() else ():
        name = path.relative_to(packed)
        if path.is_file() and name.parts[0].split("_")[-1] in chosen:
            files[name.as_posix()] = path
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(README, zip_readme(result, {name.split("/")[0] for name in files}))
        for inside, path in files.items():
            archive.write(path, inside)
    return target


def contents_of(archive: Path) -> dict[str, int]:
    """Return what each file and folder of a .zip takes in it, in bytes, the largest first; its README is left out."""
    taken: dict[str, int] = {}
    with zipfile.ZipFile(archive) as opened:
        for each in opened.infolist():
            name = each.filename.split("/")[0]
            if name == README:
                continue
            taken[name] = taken.get(name, 0) + each.compress_size
    return dict(sorted(taken.items(), key=lambda item: -item[1]))


def _emit(file: Path, folder: Path, language: Literal["glsl", "hlsl"]) -> None:
    quantized = read_igs(file)
    emit(quantized, language, folder, shader_decoder(quantized))
