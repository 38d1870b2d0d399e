"""The materials of a glTF 2.0 asset: which images each has, what their channels mean, and where meshes use them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.files.safe_names import printable, safe_stem, unique_name
from imagegs_tex.formats.gltf.container import GltfFile, GltfImage, is_gltf
from imagegs_tex.formats.gltf.texture_slots import COLOUR_SLOTS, channels_without_effect, slots_of
from imagegs_tex.formats.gltf.uv_animation import materials_with_moving_uvs, moves_coordinates
from imagegs_tex.formats.gltf.uv_triangles import UvView, check_nodes, primitives_by_material, read_uv_sets
from imagegs_tex.formats.material.material_asset import ListedMaterial, MaterialAsset
from imagegs_tex.formats.material.material_source import MapSource, MaterialSource, sorted_maps
from imagegs_tex.formats.material.name_reading import StatedSemantics
from imagegs_tex.formats.material.uv_coverage import UvSet, UvWrap
from imagegs_tex.formats.vocabulary import Semantic

__all__ = ["is_gltf", "read_gltf"]

MAX_IMAGES: Final = 64
"""Most images of one material: a bound for what an asset can make its reader do."""

_SAMPLER_WRAPS: Final = {10497: UvWrap.REPEAT, 33071: UvWrap.CLAMP, 33648: UvWrap.MIRROR}
_BLENDED: Final = frozenset({"MASK", "BLEND"})
OTHER_SOURCES: Final = ("EXT_texture_webp", "MSFT_texture_dds", "KHR_texture_basisu", "EXT_texture_avif")
"""Extensions of a texture that name its image where ``source`` does not, the better read one first."""


@dataclass(slots=True)
class _UsedImage:
    """An image of one material while its slots are gathered."""

    image: GltfImage
    channels: dict[int, Semantic] = field(default_factory=dict)
    unused: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    is_stray: bool = False


@dataclass(slots=True)
class _Material:
    """One material while it is read."""

    name: str
    primitives: list[Json]
    moves: bool  # whether something moves its textures
    images: dict[int, _UsedImage] = field(default_factory=dict)  # by image number, each picture once
    entries: set[int] = field(default_factory=set)  # of ``images``, however often one picture is listed
    views: set[UvView] = field(default_factory=set)
    problem: str = ""  # why it cannot be used


def read_gltf(path: Path, roots: Sequence[Path] = ()) -> MaterialAsset:
    """Read the materials of a .gltf or .glb file; images and meshes are read when a stack is built.

    Materials that cannot be used (a missing image, images in formats that only GPUs read, an index of nothing) are
    listed with what is wrong, and the rest is there.

    Args:
        path: the file; everything that it refers to lies below its folder
        roots: further folders in which images may lie

    Raises:
        InputError: in one line: damaged or truncated, not version 2.0, nodes or meshes that make no sense, no material
            with a texture
    """
    file = GltfFile(path, roots)
    check_nodes(file)
    users = primitives_by_material(file)
    moving = materials_with_moving_uvs(file)
    found = [
        _read_material(file, entry, index, users.get(index, []), moving is None or index in moving)
        for index, entry in enumerate(file.root.get("materials") or ())
    ]
    textured = [material for material in found if material.images or material.problem]
    if not textured:
        raise InputError(f"{file.where} has no material with a texture; give a glTF that has one, or a folder of maps")
    left_out = _add_stray_images(file, textured[0]) if len(textured) == 1 and not textured[0].problem else []
    for material in textured:
        if len(material.entries) > MAX_IMAGES:
            where = f"{file.where}, material {printable(material.name)}"
            material.problem = f"{where} has {len(material.entries)} images; use at most {MAX_IMAGES}"
    return _listed(file, found, left_out)


def _listed(file: GltfFile, found: list[_Material], left_out: list[str]) -> MaterialAsset:
    groups: dict[object, list[_Material]] = {}
    for material in found:
        if material.images and not material.problem:
            groups.setdefault(_maps_key(material), []).append(material)
    order = {key: number for number, key in enumerate(groups)}
    stems: dict[str, int] = {}
    listed: list[ListedMaterial] = []
    sources: list[MaterialSource] = []
    for index, material in enumerate(found):
        source, stem = None, ""
        if material.problem:
            stem = unique_name(safe_stem(material.name), stems)  # the others keep their names once it is mended
        elif material.images:
            source = order[_maps_key(material)]
            if source == len(sources):
                stem = unique_name(safe_stem(material.name), stems)
                sources.append(_source(file, groups[_maps_key(material)], stem))
        listed.append(ListedMaterial(material.name, index, source, stem, material.problem))
    return MaterialAsset(file.where, tuple(listed), tuple(sources), tuple(left_out))


def _read_material(file: GltfFile, entry: Json, index: int, primitives: list[Json], moves: bool) -> _Material:
    material = _Material(f"material_{index}", primitives, moves)
    try:
        stated = entry.get("name")
        material.name = ("" if stated is None else stated.text()) or material.name
        _read_slots(file, entry, material)
    except InputError as error:
        material.problem = str(error)
    return material


def _read_slots(file: GltfFile, entry: Json, material: _Material) -> None:
    unused = channels_without_effect(entry)
    mode = entry.get("alphaMode")
    is_blended = mode is not None and mode.text() in _BLENDED
    for path, channels in slots_of(entry).items():
        info = entry.find(*path)
        if info is None:
            continue
        image = _image_of(file, info, material)
        for channel, semantic in channels.items():
            image.channels.setdefault(channel, semantic)
        if path in COLOUR_SLOTS and is_blended:
            image.channels.setdefault(3, Semantic.OPACITY)
        image.unused |= unused.get(path, set())
        if path == ("emissiveTexture",) and _is_zero(entry.get("emissiveFactor")):
            image.notes.append("emissiveFactor is 0, so the material does not glow")


def _is_zero(factor: Json | None) -> bool:
    return factor is None or all(value.number() == 0 for value in factor)


def _image_of(file: GltfFile, info: Json, material: _Material) -> _UsedImage:
    """Return the image that a textureInfo leads to, entered among the material's; note how it is looked at."""
    texture = file.element("textures", info.need("index"))
    found = (texture.find("extensions", name, "source") for name in OTHER_SOURCES)
    source = texture.get("source") or next((source for source in found if source is not None), None)
    if source is None:
        raise texture.error("has no image; export the asset with PNG or JPEG images")
    image = file.image(source)
    used = material.images.setdefault(image.number, _UsedImage(image, notes=[image.note] if image.note else []))
    if source.integer() not in {image.number, *material.entries}:
        used.notes.append(f"images {image.number} and {source.integer()} are the same picture")
    material.entries.add(source.integer())
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
    return used


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


def _add_stray_images(file: GltfFile, material: _Material) -> list[str]:
    """Take in images that no texture refers to: the maps that glTF has no slot for, such as a height.

    Only in an asset of a single textured material, whose they must be, and only by their names: whether such an image
    is one of its maps is seen when it is read (of another size, or with a name that says nothing, it is not).

    Returns:
        one line for each that cannot be had
    """
    used = set(material.entries)
    for texture in file.root.get("textures") or ():
        extensions = texture.get("extensions")
        places = [texture, *(() if extensions is None else extensions.members().values())]
        used |= {source.integer() for place in places if (source := place.get("source"))}
    images = file.root.get("images")
    left_out = []
    for number in range(0 if images is None else len(images)):
        if number in used:
            continue
        material.entries.add(number)
        if len(material.entries) > MAX_IMAGES:
            continue
        try:
            image = file.image(Json(number, file.where, images, number))
        except InputError as error:
            left_out.append(str(error))
            continue
        material.images.setdefault(image.number, _UsedImage(image, is_stray=True))
    return left_out


def _maps_key(material: _Material) -> object:
    """What makes two materials the same set of maps: the same images, understood and wrapped the same way."""
    images = tuple(
        (number, tuple(sorted(image.channels.items())), tuple(sorted(image.unused)))
        for number, image in sorted(material.images.items())
    )
    return images, _wrap(material.views), _mirrors(material.views)


def _mirrors(views: Iterable[UvView]) -> tuple[bool, bool]:
    """Return whether any sampler mirrors in x and in y."""
    x, y = (any(view.wraps[axis] == UvWrap.MIRROR for view in views) for axis in (0, 1))
    return x, y


def _wrap(views: Iterable[UvView]) -> tuple[bool | None, bool | None]:
    """Return whether the maps repeat in x and y; None where samplers disagree.

    A picture that is mirrored at its border ends there: what lies beyond is never its other side.
    """
    axes = []
    for axis in (0, 1):
        modes = {view.wraps[axis] for view in views}
        axes.append(modes.pop() == UvWrap.REPEAT if len(modes) == 1 else None)
    return axes[0], axes[1]


def _wrap_notes(views: Iterable[UvView]) -> tuple[str, str]:
    """Return how x and y came to their wraps, where there is something to be said."""
    notes = []
    for axis in (0, 1):
        modes = {view.wraps[axis] for view in views}
        if modes == {UvWrap.MIRROR}:
            notes.append("the sampler mirrors, but no mesh reaches beyond the border")
        else:
            notes.append("" if len(modes) <= 1 else f"samplers disagree: {', '.join(sorted(m.value for m in modes))}")
    return notes[0], notes[1]


def _source(file: GltfFile, group: list[_Material], stem: str) -> MaterialSource:
    material = group[0]
    views = frozenset(view for member in group for view in member.views)
    primitives = [primitive for member in group for primitive in member.primitives]

    def uv_sets() -> list[UvSet] | None:
        # None: where one of them is used is not in this file, or not in its meshes alone
        if any(not member.primitives or member.moves for member in group):
            return None
        if any(moves_coordinates(primitive.value) for primitive in primitives):
            return None
        return read_uv_sets(file, primitives, views)

    maps = []
    names: dict[str, int] = {}
    for _, used in sorted(material.images.items()):
        name = unique_name(used.image.name, names)
        statement = StatedSemantics(
            dict(used.channels), fits_any_image=True, unused=frozenset(used.unused), note="; ".join(used.notes)
        )
        own = None if used.is_stray else statement
        maps.append(MapSource(used.image.file, name, own, is_optional=used.is_stray))
    return MaterialSource(
        where=f"{file.where}, material {printable(material.name)}", maps=sorted_maps(maps), name=material.name,
        stem=stem, wrap=_wrap(views), wrap_notes=_wrap_notes(views), mirrors=_mirrors(views), uv_sets=uv_sets,
    )  # fmt: skip
