"""The decoder of many materials in WGSL: the text in front of a shader, and the compute decoder to put behind it.

WGSL has no preprocessor: what the other languages choose by #if is chosen here.
"""

import re
from typing import Final

from imagegs_tex.shaders.file_constants import (
    MOST_BASIS_VECTORS,
    defines,
    group_rows,
    group_vectors,
    shared_layers,
)
from imagegs_tex.shaders.glsl_to_wgsl import constants_to_wgsl, to_wgsl
from imagegs_tex.shaders.include_text import WGSL_GROUP_INCLUDE, WGSL_INCLUDE, source

GROUP_LOG2: Final = 5
"""256 threads decode 32 x 32 texels: as many as every device of WebGPU has."""
_GROUP_BYTES: Final = 10240
"""For Gaussians. What is shared of a material and its noise takes the rest of 16,384 bytes, all that WebGPU has."""
_BRANCHES: Final = re.compile(r"^#if [^\n]*\n(.*?)(?:^#else[^\n]*\n.*?)?^#endif[^\n]*\n", re.MULTILINE | re.DOTALL)
_HOLDERS: Final = re.compile(r"struct (\w+) \{[^}]*\[[^}]*\}")


def wgsl_includes(about: str, head: str, core: str, tiles: str, most: tuple[int, int]) -> dict[str, str]:
    """Return both texts by file name.

    Args:
        about: what the first does, in one line
        head: constants, as #define of GLSL
        core: the algorithm in GLSL
        tiles: the compute decoder in GLSL; whatever #if asks for is there
        most: components and values of a material
    """
    text = f"{source('buffer.wgsl')}\n{to_wgsl(core)}"
    plain = f"// {about}\n{constants_to_wgsl(head, text)}\n{text}"
    group = to_wgsl(_BRANCHES.sub(r"\1", tiles), frozenset(_HOLDERS.findall(core)))
    group = f"{source('tiles.wgsl')}\n{group}"
    constants = constants_to_wgsl(_group_head(head, *most), group)
    known = set(re.findall(r"^const (\w+) =", plain, re.MULTILINE))
    lines = [line for line in constants.splitlines(keepends=True) if line.split()[1] not in known]
    about_group = "Decodes squares of texels by workgroups: put this behind igs_decode.wgsl."
    return {WGSL_INCLUDE: plain, WGSL_GROUP_INCLUDE: f"// {about_group}\n{''.join(lines)}\n{group}"}


def _group_head(head: str, components: int, values: int) -> str:
    """Return the constants with those that depend on conditions."""
    basis_vectors = (components + 1) * shared_layers(values)
    fits = basis_vectors <= MOST_BASIS_VECTORS
    slots = next(count for count in (64, 32, 16) if 16 * count * group_vectors(components) <= _GROUP_BYTES)
    chosen = [
        ("IGS_ROWS", str(group_rows(components)), "texels per thread at a time"),
        ("IGS_GROUP_SLOTS", f"{slots}u", "Gaussians in shared memory"),
        ("IGS_BASIS_FITS", str(int(fits)), "into shared memory"),
        ("IGS_BASIS_VECTORS", str(basis_vectors if fits else 1), ""),
    ]
    plain = re.sub(r"^#define IGS_GROUP_LOG2 .*\n", "", _BRANCHES.sub("", head), flags=re.MULTILINE)
    return defines([("IGS_GROUP_LOG2", str(GROUP_LOG2), "256 threads decode 32 x 32 texels")]) + plain + defines(chosen)
