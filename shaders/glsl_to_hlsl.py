"""GLSL to HLSL, for the subset of GLSL in which the decoders are written: only the names of vector types differ in it.

What lies outside the subset is refused and not passed on, because much of it means something else in HLSL or nothing:
``mix`` is ``lerp`` there, ``fract`` is ``frac``, ``mod`` rounds the other way, matrices are stored the other way round,
and one number makes no vector. What the two languages spell differently is behind a macro or function with the prefix
igs in buffer.hlsl, storage.glsl and texture.glsl.
"""

import re
from typing import Final

_VECTORS: Final = re.compile(r"\b([iu]?)vec([234])\b")
_SCALARS: Final = {"": "float", "i": "int", "u": "uint"}
_COMMENTS: Final = re.compile(r"//[^\n]*")
_OWN: Final = re.compile(r"(igs_|IGS_|Igs)\w+")

_TYPES: Final = frozenset({"bool", "float", "int", "uint", "void", "struct"})
_STATEMENTS: Final = frozenset({"if", "else", "for", "while", "return", "define"})
_FUNCTIONS: Final = frozenset(
    {"abs", "ceil", "clamp", "dot", "exp2", "floor", "length", "log2", "max", "min", "pow", "sqrt"}
)
"""Built-in functions of one name and one meaning in both languages."""

_CALL: Final = re.compile(r"\b([A-Za-z_]\w*)[ \t]*\(")
_PAIR: Final = re.compile(r"\b([A-Za-z_]\w*)[ \t]+(?=[A-Za-z_])")  # a type or qualifier and what it is said of
_FOREIGN: Final = {
    "a name of GLSL alone": re.compile(r"\bgl_\w+"),
    "a vector of one number": re.compile(r"\b[iu]?vec[234]\(\s*-?[\d.]+[eE\d+-]*[uf]?\s*\)"),
    "an array's constructor": re.compile(r"\w+\s*\[\w*\]\s*\("),
    "a directive": re.compile(r"^\s*#\s*(?!(?:define|if|else|endif)\b)\w+", re.MULTILINE),
}


def to_hlsl(source: str) -> str:
    """Return the same program in HLSL.

    Args:
        source: GLSL with line comments, whole statements at least

    Raises:
        ValueError: it holds a type, a function or another construct that this translation does not know
    """
    code = _COMMENTS.sub("", source)
    for what, pattern in _FOREIGN.items():
        if found := pattern.search(code):
            raise ValueError(f"no HLSL for {found[0].strip()!r}, {what}")
    words = {(word, "type") for word in _PAIR.findall(code)} | {(word, "function") for word in _CALL.findall(code)}
    for word, kind in sorted(words):
        known = _TYPES | _STATEMENTS | (_FUNCTIONS if kind == "function" else frozenset())
        if word not in known and not _VECTORS.fullmatch(word) and not _OWN.fullmatch(word):
            raise ValueError(f"no HLSL for the {kind} {word!r}")
    return _VECTORS.sub(lambda match: _SCALARS[match[1]] + match[2], source)
