"""A material's images -> a texture stack with as few coded channels as the material needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.file_hash import HashedFile, hash_bytes, hash_file
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.alpha_coverage import code_alpha
from imagegs_tex.formats.material.common_size import Size, of_one_size
from imagegs_tex.formats.material.importance_mask import read_importance
from imagegs_tex.formats.material.material_source import MaterialSource
from imagegs_tex.formats.material.name_reading import MapReading
from imagegs_tex.formats.material.normal_meaning import understand_normals
from imagegs_tex.formats.material.options import AlphaUse, Coverage, SourceOptions
from imagegs_tex.formats.material.premultiplied_alpha import straightened
from imagegs_tex.formats.material.read_maps import ReadImage, SourceMap, read_image_file, read_source_maps
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.material.unit_normals import code_normals
from imagegs_tex.formats.material.uv_coverage import UvSet, leaves_unit_square, used_texels
from imagegs_tex.formats.material.wrap_detection import SaidWrap, decide_wrap
from imagegs_tex.formats.open_material import read_material
from imagegs_tex.formats.transfer_functions import encode_log
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    MAX_CHANNELS,
    MAX_SIZE,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    FloatTexels,
    Route,
    Semantic,
    TextureMap,
    Transfer,
)


@dataclass(frozen=True, slots=True)
class _Routing:
    """How one map's channels are made: each route's index counts the map's own coded channels from 0."""

    routes: tuple[Route, ...]
    sources: tuple[tuple[int, ...], ...]  # per coded channel of this map: the file's channels whose mean it is


def load_stack(path: Path, options: SourceOptions | None = None, material: str | None = None) -> TextureStack:
    """Read one material.

    From a folder, every file with an image suffix is a map (other files and hidden ones are not looked at), in the
    order of the case-folded names; sub-folders are not entered. A single image is one map with ``Semantic.IMAGE``. A
    manifest (``.json``) and a glTF (``.gltf``, ``.glb``) say themselves what their maps are.

    Channels that are constant become :class:`Constant` routes; channels of one map that are equal share one coded
    channel; so do the colour channels of a grey picture with a scalar semantic from a lossy file that differ by at most
    ``GREY_TOLERANCE``, where their mean is coded.

    Args:
        path: a folder, an image file, a manifest, or a glTF
        options: what the user said of the images; None: nothing
        material: file stem of the material to take from a glTF of several

    Returns:
        The stack; its texels are freshly allocated. If every channel is constant it has one unused channel of zeros.

    Raises:
        InputError: in one line: a missing path, no images, unreadable images, maps of different proportions, two files
            with one stem, NaN or infinite texels, more than MAX_CHANNELS coded channels, an invalid manifest or glTF
    """
    roots = () if options is None else options.allow_roots
    stack = build_stack(read_material(path, material, roots), options)
    if not path.is_file() or any(image.name == path.name for image in stack.inputs):
        return stack
    return replace(stack, inputs=(hash_file(path), *stack.inputs))  # a manifest or a glTF


def build_stack(
    material: MaterialSource, options: SourceOptions | None = None, read: ReadImage = read_image_file
) -> TextureStack:  # fmt: skip
    """Read a material's images and put its stack together; see :func:`load_stack`.

    Args:
        material: what is known of it
        options: what the user said, in place of what the material says of itself
        read: reads one image
    """
    chosen = options or SourceOptions()
    if chosen.size is not None and not all(1 <= side <= MAX_SIZE for side in chosen.size):
        raise UsageError(f"a size of {chosen.size[0]} x {chosen.size[1]} is outside 1..{MAX_SIZE}; choose one within")
    sets = None if material.uv_sets is None else material.uv_sets()
    said = _said_wrap(material, chosen, sets)
    read_maps = understand_normals(read_source_maps(material, read))
    sources, sizes, left_out = of_one_size(read_maps, chosen.size or material.size, said)
    if chosen.alpha == AlphaUse.PREMULTIPLIED:
        sources = [straightened(source, reading) for source, reading in sources]
    routings = [_route(source, reading) for source, reading in sources]
    channel_count = sum(len(routing.sources) for routing in routings)
    if channel_count > MAX_CHANNELS:
        raise InputError(
            f"{material.where} has {channel_count} channels to code in {len(sources)} maps; "
            f"use at most {MAX_CHANNELS}, or compress it in parts"
        )
    height, width = sources[0][0].texels.shape[:2]
    try:
        texels = np.zeros((height, width, max(1, channel_count)), dtype=np.float32)
    except MemoryError:
        needed = height * width * channel_count * 4 >> 20
        raise InputError(
            f"{material.where} needs {needed} MiB for its texels, more than there is; use smaller or fewer maps"
        ) from None
    texture_maps = []
    first_channel = 0
    for (source, reading), routing in zip(sources, routings, strict=True):
        own = texels[..., first_channel : first_channel + len(routing.sources)]
        texture_maps.append(_encode_map(source, reading, routing, first_channel, own))
        first_channel += len(routing.sources)
    # Texels that do not count stay as they are: filled smoothly they cost as much (619 and 624 bytes at 30 dB, 2146 and
    # 2107 at 36 dB, with a quarter of an atlas used), and scores over all texels would be those of another picture.
    seen = None if chosen.coverage == Coverage.OFF else sets
    weights = _usage(material, chosen.importance, seen, (width, height), sizes)
    notes = [note if asked is None else "" for asked, note in zip(chosen.wrap, material.wrap_notes, strict=True)]
    repeats, note = decide_wrap(texels, said, (notes[0], notes[1]))
    stack = TextureStack(
        width, height, tuple(texture_maps), texels, weights, repeats, note, _channel_weights(sources, routings),
        remarks=(*material.remarks, *left_out), inputs=_hashed(material, chosen.importance),
    )  # fmt: skip
    return code_normals(code_alpha(stack, chosen.alpha), chosen.normals)


def _channel_weights(
    sources: Sequence[tuple[SourceMap, MapReading]], routings: Sequence[_Routing]
) -> tuple[float, ...]:  # fmt: skip
    """Return how much each coded channel counts; a coded channel that stands for several counts as the first does."""
    weights: list[float] = []
    for (source, _), routing in zip(sources, routings, strict=True):
        scales = source.source.loss_scale or (1.0,)
        weights += [scales[members[0] % len(scales)] for members in routing.sources]
    return tuple(weights) if {*weights} - {1.0} else ()


def _hashed(material: MaterialSource, importance: Path | None) -> tuple[HashedFile, ...]:
    """Name and hash the images of a material, each once, and its importance mask."""
    images = {source.image.path: source.image for source in material.maps}
    mask = importance or material.importance
    return tuple(
        hash_file(path) if image.data is None else hash_bytes(path.name, image.data()) for path, image in images.items()
    ) + (() if mask is None else (hash_file(mask),))


def _said_wrap(material: MaterialSource, options: SourceOptions, sets: list[UvSet] | None) -> SaidWrap:
    """Return whether the maps repeat in x and y as far as anybody said so."""
    # Samplers repeat by default, whether or not a mesh makes use of it: only coordinates beyond the border tell.
    own = [
        None if repeats and sets is not None and not leaves_unit_square(sets, axis) else repeats
        for axis, repeats in enumerate(material.wrap)
    ]
    x, y = (found if asked is None else asked for asked, found in zip(options.wrap, own, strict=True))
    return x, y


def _usage(
    material: MaterialSource,
    importance: Path | None,
    sets: list[UvSet] | None,
    size: Size,
    sizes: frozenset[Size],
) -> FloatTexels | None:
    """Return how much each texel counts; None: all alike."""
    width, height = size
    mask = importance or material.importance
    weights = None if mask is None else read_importance(mask, width, height, sizes)
    used = None if sets is None else used_texels(sets, width, height)
    if used is not None:
        weights = used.astype(np.float32) if weights is None else weights * used
        if not weights.any():
            raise InputError(f"{material.where}: the importance mask is black wherever the mesh is; make some white")
    return weights


def _route(source: SourceMap, reading: MapReading) -> _Routing:
    """Decide how each channel of a map is made, with as few coded channels as possible."""
    routes: list[Route] = []
    coded: list[list[int]] = []
    for channel in range(source.texels.shape[2]):
        plane = source.texels[..., channel]
        if _is_constant(plane):
            routes.append(Constant(float(plane[0, 0]) / source.sample_format.max_value))
            continue
        same = next((k for k, members in enumerate(coded) if _equal(plane, source.texels[..., members[0]])), None)
        if same is None:
            same = len(coded)
            coded.append([channel])
        routes.append(Coded(same))
    if _codes_grey_mean(source, reading, coded):
        # Nearly equal: one coded channel for the first three (where not constant), alpha behind it.
        alpha = [members for members in coded if members[0] >= 3]
        coded = [[0, 1, 2], *alpha]
        routes = [Coded(0) if channel < 3 else _shifted(routes[channel], coded) for channel in range(len(routes))]
    return _Routing(tuple(routes), tuple(tuple(members) for members in coded))


def _codes_grey_mean(source: SourceMap, reading: MapReading, coded: list[list[int]]) -> bool:
    """Whether the first three channels say the same scalar up to the noise of a lossy codec."""
    if not source.is_grey or source.texels.shape[2] < 3:
        return False
    meanings = set(reading.channel_semantics[:3])
    return len(meanings) == 1 and meanings <= SCALAR_SEMANTICS and sum(members[0] < 3 for members in coded) > 1


def _shifted(route: Route, coded: list[list[int]]) -> Route:
    return Coded(len(coded) - 1) if isinstance(route, Coded) else route


def _is_constant(plane: NDArray[np.generic]) -> bool:
    first = plane[0, 0]
    return bool((plane[0] == first).all() and (plane == first).all())


def _equal(plane: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return np.array_equal(plane[0], other[0]) and np.array_equal(plane, other)


def _encode_map(
    source: SourceMap, reading: MapReading, routing: _Routing, first_channel: int, texels: FloatTexels
) -> TextureMap:
    """Describe one map and write its coded channels.

    Args:
        source: the map as read
        reading: how its name was understood
        routing: with indices counted from this map's first coded channel
        first_channel: the stack's index of this map's first coded channel
        texels: [H, W, coded channels of this map], a view into the stack's texels, written to
    """
    transfer = _transfer(source, reading, routing)
    log_range = (0.0, 1.0)
    if transfer == Transfer.LOG:
        planes = [source.texels[..., members[0]] for members in routing.sources]
        log_range = (min(float(plane.min()) for plane in planes), max(float(plane.max()) for plane in planes))
    for index, members in enumerate(routing.sources):
        plane = source.texels[..., members[0]]
        if transfer == Transfer.LOG:
            texels[..., index] = encode_log(plane, log_range)
        elif len(members) > 1 and not _equal(plane, source.texels[..., members[-1]]):
            mean = source.texels[..., list(members)].mean(axis=-1, dtype=np.float32)
            texels[..., index] = mean / np.float32(source.sample_format.max_value)
        else:
            np.divide(plane, source.sample_format.max_value, out=texels[..., index], dtype=np.float32)
    semantics, notes = _without_filler(reading, routing)
    return TextureMap(
        name=source.source.name,
        file_suffix=source.source.suffix,
        semantic=next((meaning for meaning in semantics if meaning != Semantic.DATA), Semantic.DATA),
        channel_semantics=semantics,
        transfer=transfer,
        sample_format=source.sample_format,
        routes=tuple(
            Coded(route.index + first_channel) if isinstance(route, Coded) else route for route in routing.routes
        ),
        log_range=log_range,
        notes="; ".join(notes),
    )


def _transfer(source: SourceMap, reading: MapReading, routing: _Routing) -> Transfer:
    is_colour = reading.semantic in COLOUR_SEMANTICS
    is_srgb = source.source.is_srgb
    if is_srgb and (source.sample_format.is_float or COLOUR_SEMANTICS.isdisjoint(reading.channel_semantics)):
        kind = "floats, which hold linear light" if source.sample_format.is_float else "no colour"
        raise InputError(f"{printable(source.source.image.path)} holds {kind}: isSRGB must be false")
    if not source.sample_format.is_float:
        return Transfer.SRGB if (is_colour if is_srgb is None else is_srgb) else Transfer.LINEAR
    within_unit = all(
        source.texels[..., members[0]].min() >= 0 and source.texels[..., members[0]].max() <= 1
        for members in routing.sources
    )
    return Transfer.LINEAR if within_unit and (not is_colour or not routing.sources) else Transfer.LOG


def _without_filler(reading: MapReading, routing: _Routing) -> tuple[tuple[Semantic, ...], list[str]]:
    """Channel semantics and notes, once it is known which channels are constant.

    Where occlusion and metallic of a packing are both 1.0 everywhere, the packer has filled unused channels with white:
    the material that uses the file scales metallic by its own factor. Read as metallic, such a file would turn wood
    into metal, so both channels are read as data. They come back all the same.
    """
    notes = [reading.note]
    semantics = list(reading.channel_semantics)
    white = [index for index, route in enumerate(routing.routes) if route == Constant(1.0)]
    fillers = [index for index in white if semantics[index] in {Semantic.OCCLUSION, Semantic.METALLIC}]
    is_filler = {semantics[index] for index in fillers} == {Semantic.OCCLUSION, Semantic.METALLIC}
    for index in reading.unused:
        semantics[index] = Semantic.DATA
    if is_filler and not reading.is_certain:
        for index in fillers:
            semantics[index] = Semantic.DATA
        notes.append("occlusion and metallic are white filler, read as unused")
    else:
        notes += _constant_note(routing.routes)
    shared = len([route for route in routing.routes if isinstance(route, Coded)]) - len(routing.sources)
    if shared:
        notes.append(f"grey: {shared + 1} channels share one")
    return tuple(semantics), notes


def _constant_note(routes: tuple[Route, ...]) -> list[str]:
    constants = {index: route.value for index, route in enumerate(routes) if isinstance(route, Constant)}
    if not constants:
        return []
    if len(constants) == len(routes) and len(set(constants.values())) == 1:
        return [f"constant {constants[0]:.4g}"]
    return ["constant channel " + ", ".join(f"{index} = {value:.4g}" for index, value in constants.items())]
