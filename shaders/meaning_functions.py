"""Accessors by meaning for every material of a buffer: thin functions over the table of its header.

The text is GLSL that glsl_to_hlsl understands.
"""

from typing import Final

from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, SCALAR_SEMANTICS, Semantic
from imagegs_tex.shaders.accessors import HELPERS
from imagegs_tex.shaders.file_constants import defines, literal
from imagegs_tex.shaders.include_text import source

DEFAULTS: Final = {
    Semantic.BASE_COLOUR: (0.5, 0.5, 0.5),
    Semantic.NORMAL: (0.5, 0.5, 1.0),
    Semantic.ROUGHNESS: (0.6,),
    Semantic.OCCLUSION: (1.0,),
    Semantic.HEIGHT: (0.5,),
    Semantic.OPACITY: (1.0,),
    Semantic.CAVITY: (1.0,),
}
"""Samples of materials that have no such map; 0 for other meanings."""

_OWN: Final = {Semantic.DATA, Semantic.NORMAL, Semantic.ROUGHNESS}  # those that meanings.glsl has


def meaning_constants() -> str:
    """Return the #defines of the meanings' numbers."""
    return defines([(_number(semantic), f"{semantic:d}u", "") for semantic in Semantic if semantic])


def meaning_functions() -> str:
    """Return the accessors with what they need."""
    return "\n".join([HELPERS, source("meanings.glsl"), *(_functions(each) for each in Semantic if each not in _OWN)])


def accessor_widths() -> dict[str, int]:
    """Return the floats of each accessor by name."""
    names = {"igs_normal": 3, "igs_roughness": 1}
    for semantic in (each for each in Semantic if each not in _OWN):
        name = f"igs_{semantic.name.lower()}"
        names[name] = 3 if semantic in COLOUR_SEMANTICS else 1 if semantic in SCALAR_SEMANTICS else 4
        if semantic in COLOUR_SEMANTICS:
            names[f"{name}_linear"] = 3
    return names


def _functions(semantic: Semantic) -> str:
    name = f"igs_{semantic.name.lower()}"
    value = DEFAULTS.get(semantic, (0.0,))
    if semantic in COLOUR_SEMANTICS:
        otherwise = f"vec3({', '.join(literal(each) for each in (value * 3)[:3])})"
        return _function("vec3", name, f"igs_colour(material, texel, {_number(semantic)}, {otherwise})") + _function(
            "vec3", f"{name}_linear", f"igs_colour_linear(material, texel, {_number(semantic)}, {otherwise})"
        )
    otherwise = f"vec4({literal(value[0])}, 0.0, 0.0, 0.0)"
    samples = f"igs_samples(material, texel, {_number(semantic)}, {otherwise})"
    if semantic in SCALAR_SEMANTICS:
        return _function("float", name, f"{samples}.x")
    return _function("vec4", name, samples)


def _function(result: str, name: str, value: str) -> str:
    return f"{result} {name}(uint material, IgsTexel texel)\n{{\n    return {value};\n}}\n"


def _number(semantic: Semantic) -> str:
    return f"IGS_MEANING_{semantic.name}"
