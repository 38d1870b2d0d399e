"""Which materials move their textures: then a mesh's coordinates do not tell which texels are seen.

Found are KHR_animation_pointer and its forerunner EXT_property_animation, pointers in the graphs of KHR_interactivity,
the texture transforms that VRM binds to expressions, and the scrolling of its toon materials.
"""

import re
from collections.abc import Iterator
from typing import Final

from imagegs_tex.formats.gltf.container import GltfFile

_POINTER: Final = re.compile(r"/materials/([^/]+)/.*KHR_texture_transform", re.DOTALL)
_SCROLLS: Final = re.compile(r"uv_?anim", re.IGNORECASE)
_BINDS: Final = "textureTransformBinds"


def materials_with_moving_uvs(file: GltfFile) -> frozenset[int] | None:
    """Return the materials whose texture transforms something in the asset moves; None: possibly all."""
    found: set[int] = set()
    for place in ("animations", "extensions"):
        root = file.root.get(place)
        for key, value in () if root is None else _walk(root.value):
            if isinstance(value, str):
                pointer = _POINTER.match(value)
                if pointer is not None:
                    if not pointer[1].isdecimal():  # a template that is filled in at run time
                        return None
                    found.add(int(pointer[1][:9]))
            elif key == _BINDS and isinstance(value, list):
                numbers = [bind.get("material") for bind in value if isinstance(bind, dict)]
                found |= {number for number in numbers if isinstance(number, int)}
            elif _scrolls(key, value):  # VRM 0 lists what scrolls beside the materials, in their order
                return None
    for index, material in enumerate(file.root.get("materials") or ()):
        extensions = material.get("extensions")
        if extensions is not None and any(_scrolls(key, value) for key, value in _walk(extensions.value)):
            found.add(index)
    return frozenset(found)


def moves_coordinates(primitive: object) -> bool:
    """Whether morph targets of a primitive (its JSON) move texture coordinates."""
    targets = primitive.get("targets") if isinstance(primitive, dict) else None
    entries = targets if isinstance(targets, list) else []
    return any(str(key).startswith("TEXCOORD_") for entry in entries if isinstance(entry, dict) for key in entry)


def _scrolls(key: str, value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value != 0 and "mask" not in key.lower() and _SCROLLS.search(key) is not None


def _walk(value: object) -> Iterator[tuple[str, object]]:
    """Every member of a JSON value, however deep, with its key; elements of arrays have that of the array."""
    open_values: list[tuple[str, object]] = [("", value)]
    while open_values:
        key, current = open_values.pop()
        yield key, current
        if isinstance(current, dict):
            open_values.extend((str(name), inner) for name, inner in current.items())
        elif isinstance(current, list):
            open_values.extend((key, inner) for inner in current)
