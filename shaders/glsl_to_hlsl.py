"""GLSL to HLSL for the subset in which the algorithm is written: only the vector types' names differ."""

import re

_TYPES = re.compile(r"\b([iu]?)vec([234])\b")
_SCALARS = {"": "float", "i": "int", "u": "uint"}


def to_hlsl(source: str) -> str:
    """Return the same program with HLSL's names of vector types."""
    return _TYPES.sub(lambda match: _SCALARS[match[1]] + match[2], source)
