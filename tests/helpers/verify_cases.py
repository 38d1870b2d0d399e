"""Which languages a case is verified in, and which decoders: compiling takes nearly all of the time."""

from dataclasses import replace

from imagegs_tex import verification
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.verification import run


def languages_of(case, both):
    """Return both languages for cases whose names are in ``both``, GLSL alone for the others.

    HLSL is translated from the same text, and compiling it takes longest.
    """
    return ("glsl", "hlsl") if case in both else ("glsl",)


def languages_with(names):
    """Return the languages that variants of these names are of."""
    return tuple(language for language in ("glsl", "hlsl") if any(variant_language(name) == language for name in names))


def variant_language(name):
    return "hlsl" if name.startswith("hlsl") else "glsl"


def variant_named(name):
    """One of the variants that verify compiles."""
    (found,) = (variant for variant in run._variants((variant_language(name),)) if variant.name == name)
    return found


def verify_these_alone(monkeypatch, names):
    """Let verify compile and check these variants alone: a test that looks at one has no use for the other four."""
    whole = run._variants
    monkeypatch.setattr(
        run, "_variants", lambda languages: [variant for variant in whole(languages) if variant.name in names]
    )


def without_footprints(monkeypatch):
    """Let verify make decoders without what takes a footprint, which takes three quarters of compiling one."""
    monkeypatch.setattr(run, "shader_decoder", build_decoder)


def with_fault(decoder, good, bad):
    """Return the decoder with a text replaced in all of its files; not if GLSL does not have it."""
    includes = {name: text.replace(good, bad) for name, text in decoder.includes.items()}
    assert includes["igs_decode.glsl"] != decoder.includes["igs_decode.glsl"], "the fault was not put in"
    return replace(decoder, includes=includes)


def assert_found_out(quantized, fault, device, monkeypatch):
    """Require that each of some variants of a decoder fails; fault: the text, what it becomes, and those variants."""
    good, bad, victims = fault
    broken = with_fault(build_decoder(quantized), good, bad)
    verify_these_alone(monkeypatch, victims)
    report = verification.verify(quantized, ["glsl"], decoder=broken, point_count=500, repeats=0, device=device)
    assert [variant.name for variant in report.variants] == victims
    for variant in report.variants:
        assert variant.failure == ""
        assert not variant.passed, f"{variant.name} passed with {bad!r} for {good!r}"


def without_the_shared_decoder(monkeypatch):
    """Let the command line run a file's own decoder alone: compiling that of many materials takes 10 s and more."""
    whole = verification.verify
    monkeypatch.setattr(verification, "verify", lambda *given, **named: whole(*given, **named | {"shared": False}))
