"""What a reading says of a map, and where a run stands, for those who know neither textures' storage nor fits."""

import re
from typing import Final

_CHANNELS: Final = ("red", "green", "blue", "alpha")
_PLAIN: Final = (
    (r"unit vectors, z from x and y, to .*", "all of one length, so that blue follows from red and green"),
    (r"coded as stored, off unit length by .*", "not all of one length, so that red, green and blue are all kept"),
    (r"coded as stored, as (.*) has the same channels", r"red, green and blue are all kept, as \1 has the same"),
    (r"grey: (\d+) channels share one", r"grey, kept once instead of \1 times"),
    (r"constant ([\d.]+)", r"\1 everywhere, which takes next to nothing"),
    (r"occlusion and metallic are white filler, read as unused", "red and blue are white everywhere, so not used"),
    (r"colour under alpha 0 \((.*) of the texels\) is free", r"\1 is transparent: colour there is not kept"),
    (r"colour under alpha 0 \((.*) of the texels\) is kept", r"\1 is transparent: colour there is kept, too"),
    (r"plain data \(name not understood\)", "plain values, as its name says nothing; choose what it means"),
    (
        r"plain data \(normal in object or world space: all three components are kept\)",
        "normals of a whole object: red, green and blue are all kept",
    ),
    (r"plain data \(too few channels for (.*)\)", r"plain values, as it has too few channels for \1"),
    (r"packed: (.*)", r"several in one: \1"),
    (r"plain data", "plain values"),
)
_PHASES: Final = {
    "starting": "Starting",
    "reading": "Reading the maps",
    "fitting": "Fitting",
    "rounding": "Fitting to what a file can hold",
    "refining": "Making the file smaller",
    "coding": "Writing the file",
    "checking": "Checking the file",
    "pictures": "Drawing the results",
}
TRIAL: Final = re.compile(r"pilot (\d+) of (\d+)")
"""A phase that is a short fit, which only finds out how many Gaussians a file needs."""
_CONSTANT: Final = re.compile(r"constant channel (\d) = ([\d.]+)")


def plain(note: str) -> str:
    """Return a map's note for a reader of the page; parts that have no plainer form stay.

    Args:
        note: parts divided by "; ", as ``TextureMap.notes`` has them
    """
    return "; ".join(_part(part) for part in note.split("; "))


def _part(part: str) -> str:
    constant = _CONSTANT.fullmatch(part)
    if constant and int(constant[1]) < len(_CHANNELS):
        return f"{_CHANNELS[int(constant[1])]} is {constant[2]} everywhere"
    for pattern, words in _PLAIN:
        if re.fullmatch(pattern, part):
            return re.sub(pattern, words, part)
    return part


def phase_words(phase: str) -> str:
    """Return what a phase of a run, as ``FitProgress`` names it, is called on the page."""
    trial = TRIAL.fullmatch(phase)
    if trial:
        return f"Trial {trial[1]} of {trial[2]}, to find out how many Gaussians it takes"
    return _PHASES.get(phase) or phase.capitalize()
