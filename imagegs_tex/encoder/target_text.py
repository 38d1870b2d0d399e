"""A quality of some maps, as people write it."""

import math
import re

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.name_words import MEANINGS
from imagegs_tex.formats.vocabulary import Semantic
from imagegs_tex.settings import QualityTarget


def parse_target(text: str) -> QualityTarget:
    """Read ``roughness=36`` (dB) or ``normal=1.5deg`` (mean degrees); UsageError for anything else.

    A meaning may be spelled in any way that a file's name may spell it: base_colour, basecolor, albedo.
    """
    shown = f"--target {printable(text)}"
    match = re.fullmatch(r"\s*([a-z _-]+?)\s*=\s*([0-9.]+)\s*(db|deg|degrees?|°)?\s*", text.lower())
    try:
        value = float(match[2]) if match else math.nan
    except ValueError:
        value = math.nan
    if match is None or not 0 < value < math.inf:
        raise UsageError(
            f"{shown}: not of the form roughness=36 (dB) or normal=1.5deg, with numbers above 0; write it like these"
        )
    name = re.sub(r"[ _-]", "", match[1])
    semantic = MEANINGS.get(name) if len(name) > 1 else None
    if semantic is None:
        names = ", ".join(semantic.name.lower() for semantic in Semantic)
        raise UsageError(f"{shown}: nothing is called that; choose from {names}")
    in_degrees = (match[3] or "db") != "db"
    if in_degrees and semantic != Semantic.NORMAL:
        raise UsageError(f"{shown}: only normals have degrees; give dB")
    return QualityTarget(value, semantic, in_degrees)
