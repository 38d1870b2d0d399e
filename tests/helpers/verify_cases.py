"""Which languages a case is verified in: HLSL is translated from the same text, and compiling it takes longest."""

from imagegs_tex import verification


def languages_of(case, both):
    """Return both languages for cases whose names are in ``both``, GLSL alone for the others."""
    return ("glsl", "hlsl") if case in both else ("glsl",)


def without_the_shared_decoder(monkeypatch):
    """Let the command line run a file's own decoder alone: compiling that of many materials takes 10 s and more."""
    whole = verification.verify
    monkeypatch.setattr(verification, "verify", lambda *given, **named: whole(*given, **named | {"shared": False}))
