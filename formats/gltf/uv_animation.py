"""Which materials move their textures: then a mesh's coordinates do not tell which texels are seen.

Found are KHR_animation_pointer and its forerunner EXT_property_animation, pointers in the graphs of KHR_interactivity,
the texture transforms that VRM binds to expressions, the scrolling of its toon materials, that of Hubs' components,
shaders that an asset brings along, and what extras of materials, meshes and nodes call a scroll, a panner, a flipbook
or an animation of UVs.
"""

import re
from collections.abc import Iterator
from typing import Final

from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.gltf.container import GltfFile

_POINTER: Final = re.compile(r"/materials/([^/]+)/.*KHR_texture_transform", re.DOTALL)
_SCROLLS: Final = re.compile(
    r"(?:uv|tex(?:ture)?)s?[ _-]?(?:offset[ _-]?)?(?:anim|scroll|speed|flow)|scroll[ _-]?(?:[xyuv]\b|speed)"
    r"|pann(?:er|ing)|flip[ _-]?book|sprite[ _-]?sheet|animated[ _-]?(?:uv|tex)",
    re.IGNORECASE,
)
_OWN_SHADERS: Final = re.compile(r"_techniques(?:_webgl)?$")  # extensions of a material, which can do anything
_NOT_ZERO: Final = re.compile(r"[1-9]|true", re.IGNORECASE)
_LONGEST_KEY: Final = 200
_LONGEST_VALUE: Final = 200
_BINDS: Final = "textureTransformBinds"
_UNITY_TRANSFORM: Final = re.compile(r"_ST(?:_[ST])?$")  # the property of a texture's scale and offset, in VRM 0


def materials_with_moving_uvs(file: GltfFile) -> frozenset[int] | None:
    """Return the materials whose texture transforms something in the asset moves; None: possibly all."""
    found: set[int] = set()
    for place in ("animations", "extensions"):
        root = file.root.get(place)
        for key, value in () if root is None else _walk(root.value):
            if isinstance(value, str):
                pointer = _POINTER.match(value)
                if key == "propertyName" and _UNITY_TRANSFORM.search(value):  # of a material by its name, in a VRM 0
                    return None
                if pointer is not None:
                    if not pointer[1].isdecimal():  # a template that is filled in at run time
                        return None
                    found.add(int(pointer[1][:9]))
            elif key == _BINDS and isinstance(value, list):
                numbers = [bind.get("material") for bind in value if isinstance(bind, dict)]
                found |= {number for number in numbers if isinstance(number, int)}
            elif _scrolls(key, value):  # VRM 0 lists what scrolls beside the materials, in their order
                return None
    for place in ("nodes", "meshes"):
        if any(_any_scrolls(element) for element in file.root.get(place) or ()):
            return None
    found |= {index for index, material in enumerate(file.root.get("materials") or ()) if _any_scrolls(material)}
    return frozenset(found)


def moves_coordinates(primitive: object) -> bool:
    """Whether morph targets of a primitive (its JSON) move texture coordinates."""
    targets = primitive.get("targets") if isinstance(primitive, dict) else None
    entries = targets if isinstance(targets, list) else []
    return any(str(key).startswith("TEXCOORD_") for entry in entries if isinstance(entry, dict) for key in entry)


def _any_scrolls(element: Json) -> bool:
    """Whether extensions or extras of a node, a mesh or a material move a texture."""
    if not isinstance(element.value, dict):
        return False
    extensions, extras = element.get("extensions"), element.get("extras")
    if extensions is not None and any(_OWN_SHADERS.search(name) for name in extensions.members()):
        return True
    places = [place.value for place in (extensions, extras) if place is not None]
    return any(_scrolls(key, value) for place in places for key, value in _walk(place))


def _scrolls(key: str, value: object) -> bool:
    if isinstance(value, str):
        is_something = _NOT_ZERO.search(value[:_LONGEST_VALUE]) is not None
    else:
        is_something = isinstance(value, int | float) and value != 0
    return is_something and "mask" not in key.lower() and _SCROLLS.search(key) is not None


def _walk(value: object) -> Iterator[tuple[str, object]]:
    """Every member of a JSON value, however deep, with its key; elements of arrays have that of the array.

    Members of what is called a scroll have its name before their own: "uv-scroll.speed.x".
    """
    open_values: list[tuple[str, object]] = [("", value)]
    while open_values:
        key, current = open_values.pop()
        yield key, current
        if isinstance(current, dict):
            prefix = f"{key}." if len(key) <= _LONGEST_KEY and _SCROLLS.search(key) else ""
            open_values.extend((prefix + str(name), inner) for name, inner in current.items())
        elif isinstance(current, list):
            open_values.extend((key, inner) for inner in current)
