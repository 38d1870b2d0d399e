"""Files of source/ and samples/ as text, and how they are put together to includes."""

import re
import zlib
from collections.abc import Mapping
from importlib import resources
from typing import Final

STORAGE_INCLUDE: Final = "igs_decode.glsl"
TEXTURE_INCLUDE: Final = "igs_decode_texture.glsl"
HLSL_INCLUDE: Final = "igs_decode.hlsl"
WGSL_INCLUDE: Final = "igs_decode.wgsl"
WGSL_GROUP_INCLUDE: Final = "igs_decode_group.wgsl"


def source(name: str) -> str:
    """Return a part of the decoders, a file of source/."""
    return _read("source", name)


def sample(name: str) -> str:
    """Return a complete shader that uses a decoder, a file of samples/."""
    return _read("samples", name)


def _read(folder: str, name: str) -> str:
    return resources.files("imagegs_tex.shaders").joinpath(folder, name).read_text("utf-8")


def with_include(shader: str, include: str) -> str:
    """Put an include's text where a GLSL shader asks for it; GLSL itself has no #include."""
    return shader.replace("//@include\n", include)


def fill_source(name: str, parts: Mapping[str, str]) -> str:
    """Return a file of source/ with its parts that are generated."""
    return fill(source(name), parts)


def join_include(about: str, head: str, access: str, core: str, tile_access: str = "", tiles: str = "") -> str:
    """Return an include; a second one is an error, unless it is the same once more.

    Args:
        about: what it does, in one line
        head: constants
        access: how the language reads the buffer
        core: the algorithm
        tile_access: what the compute decoder needs of the language
        tiles: the compute decoder
    """
    compute = f"\n#ifdef IGS_COMPUTE\n{tile_access}\n{tiles}#endif // IGS_COMPUTE\n" if tiles else ""
    text = f"{head}\n{access}\n{core}{compute}"
    number = zlib.crc32(text.encode()) >> 1  # a number that a preprocessor surely reads
    return (
        f"// {about}\n#ifdef IGS_DECODE\n#if IGS_DECODE != {number}\n"
        "#error IGS_DECODE: two different includes in one shader; use the one for many materials\n#endif\n#else\n"
        f"#define IGS_DECODE {number}\n\n{text}\n#endif // IGS_DECODE\n"
    )


def fill(text: str, parts: Mapping[str, str]) -> str:
    """Replace lines `//@generated part` by the part, which is as far indented as it has to be."""
    return re.sub(r"^ *//@generated (\w+)\n", lambda match: parts[match[1]], text, flags=re.MULTILINE)
