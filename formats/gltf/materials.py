"""The materials of a glTF 2.0 asset: which images each has, what their channels mean, and where meshes use them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.files.safe_names import printable, safe_stem
from imagegs_tex.formats.gltf.container import GltfFile, is_gltf
from imagegs_tex.formats.gltf.uv_triangles import UvView, check_nodes, primitives_by_material, read_uv_sets
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource, sorted_maps
from imagegs_tex.formats.material.name_reading import StatedSemantics
from imagegs_tex.formats.material.uv_coverage import UvSet, UvWrap
from imagegs_tex.formats.vocabulary import Semantic

__all__ = ["GltfAsset", "GltfMaterial", "is_gltf", "read_gltf"]

MAX_IMAGES: Final = 64
"""Most images of one material: a bound for what an asset can make its reader do."""

_S = Semantic
_COLOUR: Final = dict.fromkeys(range(3), _S.BASE_COLOUR)
_NORMAL: Final = dict.fromkeys(range(3), _S.NORMAL)
_PBR: Final = "pbrMetallicRoughness"
_SLOTS: Final[dict[tuple[str, ...], Mapping[int, Semantic]]] = {
    (_PBR, "baseColorTexture"): _COLOUR,
    (_PBR, "metallicRoughnessTexture"): {1: _S.ROUGHNESS, 2: _S.METALLIC},
    ("normalTexture",): _NORMAL,
    ("occlusionTexture",): {0: _S.OCCLUSION},
    ("emissiveTexture",): dict.fromkeys(range(3), _S.EMISSIVE),
    ("extensions", "KHR_materials_pbrSpecularGlossiness", "diffuseTexture"): _COLOUR,
    ("extensions", "KHR_materials_pbrSpecularGlossiness", "specularGlossinessTexture"): {
        **dict.fromkeys(range(3), _S.SPECULAR),
        3: _S.GLOSS,
    },
    ("extensions", "KHR_materials_clearcoat", "clearcoatTexture"): {0: _S.CLEARCOAT},
    ("extensions", "KHR_materials_clearcoat", "clearcoatRoughnessTexture"): {1: _S.ROUGHNESS},
    ("extensions", "KHR_materials_clearcoat", "clearcoatNormalTexture"): _NORMAL,
    ("extensions", "KHR_materials_sheen", "sheenColorTexture"): dict.fromkeys(range(3), _S.SHEEN),
    ("extensions", "KHR_materials_sheen", "sheenRoughnessTexture"): {3: _S.ROUGHNESS},
    ("extensions", "KHR_materials_specular", "specularTexture"): {3: _S.DATA},
    ("extensions", "KHR_materials_specular", "specularColorTexture"): dict.fromkeys(range(3), _S.SPECULAR),
    ("extensions", "KHR_materials_transmission", "transmissionTexture"): {0: _S.TRANSMISSION},
    ("extensions", "KHR_materials_anisotropy", "anisotropyTexture"): dict.fromkeys(range(3), _S.ANISOTROPY),
    ("extensions", "KHR_materials_volume", "thicknessTexture"): {1: _S.DATA},
    ("extensions", "KHR_materials_iridescence", "iridescenceTexture"): {0: _S.DATA},
    ("extensions", "KHR_materials_iridescence", "iridescenceThicknessTexture"): {1: _S.DATA},
}
"""What each channel of a texture means by where the material refers to it."""

_COLOUR_SLOTS: Final = frozenset(path for path, channels in _SLOTS.items() if channels is _COLOUR)

# A factor of 0 makes channels meaningless: what they hold says nothing about the material.
_FACTORS: Final[dict[tuple[str, ...], tuple[tuple[str, ...], int]]] = {
    (_PBR, "metallicFactor"): ((_PBR, "metallicRoughnessTexture"), 2),
    (_PBR, "roughnessFactor"): ((_PBR, "metallicRoughnessTexture"), 1),
    ("occlusionTexture", "strength"): (("occlusionTexture",), 0),
}
_SAMPLER_WRAPS: Final = {10497: UvWrap.REPEAT, 33071: UvWrap.CLAMP, 33648: UvWrap.MIRROR}
_BLENDED: Final = frozenset({"MASK", "BLEND"})
_GPU_ONLY: Final = ("KHR_texture_basisu", "MSFT_texture_dds")


@dataclass(frozen=True, slots=True)
class GltfMaterial:
    """A material of an asset as the asset lists it."""

    name: str  # untrusted text
    index: int
    source: int | None  # which of the asset's distinct sets of maps it has; None: it has no textures


@dataclass(frozen=True, slots=True)
class GltfAsset:
    """All materials of an asset: those with the very same maps are one source."""

    listed: tuple[GltfMaterial, ...]
    materials: tuple[MaterialSource, ...]  # at least one; the distinct sets of maps, named after their first material


@dataclass(slots=True)
class _UsedImage:
    """An image of one material while its slots are gathered."""

    file: ImageFile
    name: str
    channels: dict[int, Semantic] = field(default_factory=dict)
    unused: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    is_stray: bool = False


@dataclass(slots=True)
class _Material:
    """One material while it is read."""

    name: str
    images: dict[int, _UsedImage]  # by image index
    views: set[UvView]
    primitives: list[Json]


def read_gltf(path: Path) -> GltfAsset:
    """Read the materials of a .gltf or .glb file; images and meshes are read when a stack is built.

    Args:
        path: the file; everything that it refers to lies below its folder

    Raises:
        InputError: in one line: damaged or truncated, not version 2.0, an index of nothing, a URI that leaves the
            folder, images in formats that only GPUs read, no material with a texture
    """
    file = GltfFile(path)
    check_nodes(file)
    users = primitives_by_material(file)
    found = [
        _read_material(file, entry, index, users.get(index, []))
        for index, entry in enumerate(file.root.get("materials") or ())
    ]
    textured = [material for material in found if material.images]
    if not textured:
        raise InputError(f"{file.where} has no material with a texture; give a glTF that has one, or a folder of maps")
    if len(textured) == 1:
        _add_stray_images(file, textured[0])
    groups: dict[object, list[_Material]] = {}
    listed = []
    for index, material in enumerate(found):
        source = None
        if material.images:
            key = _maps_key(material)
            groups.setdefault(key, []).append(material)
            source = list(groups).index(key)
        listed.append(GltfMaterial(material.name, index, source))
    stems: set[str] = set()
    return GltfAsset(tuple(listed), tuple(_source(file, group, stems) for group in groups.values()))


def _read_material(file: GltfFile, entry: Json, index: int, primitives: list[Json]) -> _Material:
    stated = entry.get("name")
    material = _Material(("" if stated is None else stated.text()) or f"material_{index}", {}, set(), primitives)
    unused = _channels_without_effect(entry)
    mode = entry.get("alphaMode")
    is_blended = mode is not None and mode.text() in _BLENDED
    for path, channels in _slots(entry).items():
        info = entry.find(*path)
        if info is None:
            continue
        image = _image_of(file, info, material)
        for channel, semantic in channels.items():
            image.channels.setdefault(channel, semantic)
        if path in _COLOUR_SLOTS and is_blended:
            image.channels.setdefault(3, _S.OPACITY)
        image.unused |= unused.get(path, set())
        if path == ("emissiveTexture",) and _is_zero(entry.get("emissiveFactor")):
            image.notes.append("emissiveFactor is 0, so the material does not glow")
    return material


def _slots(entry: Json) -> Mapping[tuple[str, ...], Mapping[int, Semantic]]:
    """Return where a material may refer to textures: what is known, and what extensions call a texture otherwise."""
    extensions = entry.get("extensions")
    others: dict[tuple[str, ...], Mapping[int, Semantic]] = {
        ("extensions", name, key): {}  # to be read by the image's name
        for name, extension in ({} if extensions is None else extensions.members()).items()
        for key in extension.members()
        if key.endswith("Texture")
    }
    return {**others, **_SLOTS}


def _channels_without_effect(entry: Json) -> dict[tuple[str, ...], set[int]]:
    found: dict[tuple[str, ...], set[int]] = {}
    for factor, (path, channel) in _FACTORS.items():
        value = entry.find(*factor)
        if value is not None and value.number() == 0:
            found.setdefault(path, set()).add(channel)
    return found


def _is_zero(factor: Json | None) -> bool:
    return factor is None or all(value.number() == 0 for value in factor)


def _image_of(file: GltfFile, info: Json, material: _Material) -> _UsedImage:
    """Return the image that a textureInfo leads to, entered among the material's; note how it is looked at."""
    texture = file.element("textures", info.need("index"))
    source = texture.get("source") or texture.find("extensions", "EXT_texture_webp", "source")
    if source is None:
        packed = next((name for name in _GPU_ONLY if texture.find("extensions", name)), None)
        reason = "has no image" if packed is None else f"has only a GPU-compressed image ({packed})"
        raise texture.error(f"{reason}; export the asset with PNG or JPEG images")
    number = source.integer()
    if number not in material.images:
        image, name = file.image(source)
        material.images[number] = _UsedImage(image, name)
    transform = info.find("extensions", "KHR_texture_transform")
    coordinates = (None if transform is None else transform.get("texCoord")) or info.get("texCoord")
    view = UvView(0 if coordinates is None else coordinates.integer(0, 255), _wraps(file, texture))
    if transform is not None:
        rotation = transform.get("rotation")
        view = replace(
            view, offset=_pair(transform.get("offset"), 0.0), scale=_pair(transform.get("scale"), 1.0),
            rotation=0.0 if rotation is None else rotation.number(),
        )  # fmt: skip
    material.views.add(view)
    return material.images[number]


def _pair(value: Json | None, default: float) -> tuple[float, float]:
    if value is None:
        return default, default
    if len(value) != 2:
        raise value.error("must have two numbers")
    return value.at(0).number(), value.at(1).number()


def _wraps(file: GltfFile, texture: Json) -> tuple[UvWrap, UvWrap]:
    index = texture.get("sampler")
    if index is None:
        return UvWrap.REPEAT, UvWrap.REPEAT
    sampler = file.element("samplers", index)
    found = []
    for key in ("wrapS", "wrapT"):
        value = sampler.get(key)
        number = 10497 if value is None else value.integer()
        if value is not None and number not in _SAMPLER_WRAPS:
            raise value.error(f"{number} is no way to wrap; use 10497, 33071 or 33648")
        found.append(_SAMPLER_WRAPS[number])
    return found[0], found[1]


def _add_stray_images(file: GltfFile, material: _Material) -> None:
    """Take in images that no texture refers to: the maps that glTF has no slot for, such as a height.

    Only in an asset of a single textured material, whose they must be, and only by their names: whether such an image
    is one of its maps is seen when it is read (of another size, or with a name that says nothing, it is not).
    """
    used = set(material.images)
    for texture in file.root.get("textures") or ():
        extensions = texture.get("extensions")
        places = [texture, *(() if extensions is None else extensions.members().values())]
        used |= {source.integer() for place in places if (source := place.get("source"))}
    images = file.root.get("images")
    for number in range(0 if images is None else len(images)):
        if number not in used:
            image, name = file.image(Json(number, file.where, images, number))
            material.images[number] = _UsedImage(image, name, is_stray=True)


def _maps_key(material: _Material) -> object:
    """What makes two materials the same set of maps: the same images, understood and wrapped the same way."""
    images = tuple(
        (number, tuple(sorted(image.channels.items())), tuple(sorted(image.unused)))
        for number, image in sorted(material.images.items())
    )
    return images, _wrap(material.views)


def _wrap(views: Iterable[UvView]) -> tuple[bool | None, bool | None]:
    """Return whether the maps repeat in x and y; None where samplers disagree or mirror."""
    axes = []
    for axis in (0, 1):
        modes = {view.wraps[axis] for view in views}
        axes.append({UvWrap.REPEAT: True, UvWrap.CLAMP: False}.get(modes.pop()) if len(modes) == 1 else None)
    return axes[0], axes[1]


def _unique(name: str, taken: set[str]) -> str:
    """Return a name that no earlier one equals, not even where case is ignored, and enter it."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found.casefold())
    return found


def _source(file: GltfFile, group: list[_Material], stems: set[str]) -> MaterialSource:
    material = group[0]
    views = frozenset(view for member in group for view in member.views)
    primitives = [primitive for member in group for primitive in member.primitives]

    def uv_sets() -> list[UvSet] | None:
        if any(not member.primitives for member in group):  # where one of them is used is not in this file
            return None
        return read_uv_sets(file, primitives, views)

    if len(material.images) > MAX_IMAGES:
        raise InputError(
            f"{file.where}, material {printable(material.name)} has {len(material.images)} images; "
            f"use at most {MAX_IMAGES}"
        )
    maps = []
    names: set[str] = set()
    for _, image in sorted(material.images.items()):
        name = _unique(image.name, names)
        statement = StatedSemantics(
            dict(image.channels), fits_any_image=True, unused=frozenset(image.unused), note="; ".join(image.notes)
        )
        maps.append(MapSource(image.file, name, None if image.is_stray else statement, is_optional=image.is_stray))
    return MaterialSource(
        where=f"{file.where}, material {printable(material.name)}", maps=sorted_maps(maps), name=material.name,
        stem=_unique(safe_stem(material.name), stems), wrap=_wrap(views), uv_sets=uv_sets,
    )  # fmt: skip
