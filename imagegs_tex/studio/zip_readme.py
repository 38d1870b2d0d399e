"""The page at the top of a .zip: what is in it, and what to do with that."""

import textwrap
from collections.abc import Collection
from typing import Final

from imagegs_tex._version import __version__
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.studio.markup import bytes_words
from imagegs_tex.studio.results import Result

README: Final = "README.txt"
_WIDTH: Final = 80
_INDENT: Final = 18
_WORDS: Final = {
    "maps": "the maps as plain images, decoded from the .igs. Blender and any engine open them.",
    "textures_dds": "the maps as compressed textures with mip levels, for Unity, Unreal and Direct3D.",
    "textures_ktx2": "the same for Vulkan and OpenGL.",
    "shader_hlsl": "draws from the .igs itself, in HLSL. Begin with its igs_readme_hlsl.md.",
    "shader_glsl": "draws from the .igs itself, in GLSL. Begin with its igs_readme_glsl.md.",
    "pictures": "what the page showed: source, decode and error of each map, the Gaussians.",
    "report.json": "all numbers and settings of the run.",
    "material.json": "how you corrected the reading of the maps. Put it beside your maps for the command below.",
}
"""Files and folders of a .zip, and what is written of each."""


def zip_readme(result: Result, parts: Collection[str]) -> str:
    """Return the page, at most a screen of text.

    Args:
        result: what the .zip is of
        parts: files and folders at its top, beside the .igs
    """
    closeness = "" if result.psnr_db is None else f", {result.psnr_db:.2f} dB to its source"
    size = f"{result.info.width} x {result.info.height} texels, {bytes_words(result.info.file_bytes)}{closeness}"
    lines = [
        f"{printable(result.title)}: {size}. Made by imagegs-tex {__version__}.",
        "",
        *_entry(result.file.name, "the material: all its maps in one small file."),
        *(line for name, words in _WORDS.items() if name in parts for line in _entry(name, words)),
        "",
        "To get images of the .igs at any time, where imagegs-tex is installed:",
        f"    imagegs-tex decode {result.file.name} -o maps",
    ]
    if result.command:
        lines += ["To make the same file from your maps:", f"    {result.command}"]
    return "\n".join(lines) + "\n"


def _entry(name: str, words: str) -> list[str]:
    """Return a name and what it is, beside it or, where the name is long, below."""
    rest = " " * _INDENT
    start = f"{name:<{_INDENT}}"
    if len(name) >= _INDENT:
        return [name, *textwrap.wrap(words, _WIDTH, initial_indent=rest, subsequent_indent=rest)]
    return textwrap.wrap(words, _WIDTH, initial_indent=start, subsequent_indent=rest)
