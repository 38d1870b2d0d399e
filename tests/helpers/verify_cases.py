"""Which languages a case is verified in: HLSL is translated from the same text, and compiling it takes longest."""


def languages_of(case, cases):
    """Return both languages for every third case, the first included, GLSL alone for the others."""
    return ("glsl", "hlsl") if list(cases).index(case) % 3 == 0 else ("glsl",)
