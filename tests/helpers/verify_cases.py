"""Which languages a case is verified in: HLSL is translated from the same text, and compiling it takes longest."""


def languages_of(case, both):
    """Return both languages for cases whose names are in ``both``, GLSL alone for the others."""
    return ("glsl", "hlsl") if case in both else ("glsl",)
