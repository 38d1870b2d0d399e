"""A material's images -> a texture stack with as few coded channels as the material needs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.file_hash import HashedFile, hash_bytes, hash_file
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.alpha_coverage import code_alpha
from imagegs_tex.formats.material.channel_routing import CodedPlane, Routing, equal_planes, first_alike, route_channels
from imagegs_tex.formats.material.common_size import Size, of_one_size
from imagegs_tex.formats.material.importance_mask import read_importance
from imagegs_tex.formats.material.material_source import MaterialSource
from imagegs_tex.formats.material.name_reading import MapReading
from imagegs_tex.formats.material.normal_meaning import understand_normals
from imagegs_tex.formats.material.options import AlphaUse, Coverage, SourceOptions
from imagegs_tex.formats.material.other_blue import find_other_blue
from imagegs_tex.formats.material.premultiplied_alpha import straightened
from imagegs_tex.formats.material.read_maps import ReadImage, SourceMap, read_image_file, read_source_maps
from imagegs_tex.formats.material.stack import TextureStack, noted
from imagegs_tex.formats.material.unit_normals import code_normals, look_at_normals
from imagegs_tex.formats.material.uv_coverage import UvSet, leaves_unit_square, used_texels
from imagegs_tex.formats.material.wrap_detection import SaidWrap, decide_wrap
from imagegs_tex.formats.open_material import read_material
from imagegs_tex.formats.row_threads import both, in_bands
from imagegs_tex.formats.transfer_functions import encode_log
from imagegs_tex.formats.vocabulary import (
    MAX_CHANNELS,
    MAX_SIZE,
    Coded,
    Constant,
    FloatTexels,
    Route,
    Semantic,
    TextureMap,
    Transfer,
)


def load_stack(path: Path, options: SourceOptions | None = None, material: str | None = None) -> TextureStack:
    """Read one material.

    From a folder, every file with an image suffix is a map (other files and hidden ones are not looked at), in the
    order of the case-folded names; sub-folders are not entered. A single image is one map with ``Semantic.IMAGE``. A
    manifest (``.json``) and a glTF (``.gltf``, ``.glb``) say themselves what their maps are.

    Channels that are constant become :class:`Constant` routes; channels of one map that are equal share one coded
    channel; so do the colour channels of a grey picture with a scalar semantic from a lossy file that differ by at most
    ``GREY_TOLERANCE``, where their mean is coded. Channels that several maps have are coded once.

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
    return stack_of(path, read_material(path, material, roots), options)


def stack_of(path: Path, material: MaterialSource, options: SourceOptions | None = None) -> TextureStack:
    """Read the images of a material that was found in a path; see :func:`load_stack`."""
    stack = build_stack(material, options)
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
    if not 1 <= chosen.downsample <= MAX_SIZE:
        raise UsageError(f"maps cannot become {chosen.downsample:g} times smaller; give 1 to {MAX_SIZE}, like 2")
    if chosen.downsample > 1 and chosen.size is not None:
        raise UsageError("--size and --downsample exclude each other; give one of them")
    sets = None if material.uv_sets is None else material.uv_sets()
    said = _said_wrap(material, chosen, sets)
    read_maps = find_other_blue(understand_normals(read_source_maps(material, read)))
    sources, sizes, left_out = of_one_size(read_maps, chosen.size or material.size, said, chosen.downsample)
    if chosen.alpha == AlphaUse.PREMULTIPLIED:
        sources = [straightened(source, reading) for source, reading in sources]
    routings = [route_channels(source, reading) for source, reading in sources]
    planes = [CodedPlane(index, members) for index, routing in enumerate(routings) for members in routing.sources]
    first = first_alike(planes, [source for source, _ in sources], routings)
    own_planes = [planes[index] for index in sorted({*first})]  # one for each coded channel
    channel_count = len(own_planes)
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
    channels = [_channel_codes(sources[own.map_index][0], routings[own.map_index], own.members) for own in own_planes]

    def encode(rows: slice) -> None:
        for index, codes in enumerate(channels):
            texels[rows, :, index] = codes(rows)

    in_bands(encode, height)
    texture_maps = _described_maps(sources, routings, planes, first)
    # Texels that do not count stay as they are: filled smoothly they cost as much (619 and 624 bytes at 30 dB, 2146 and
    # 2107 at 36 dB, with a quarter of an atlas used), and scores over all texels would be those of another picture.
    seen = None if chosen.coverage == Coverage.OFF else sets
    weights = _usage(material, chosen.importance, seen, (width, height), sizes)
    notes = [note if asked is None else "" for asked, note in zip(chosen.wrap, material.wrap_notes, strict=True)]
    # Both before alpha is coded: that writes to texels, of colours alone.
    normals, (repeats, note) = both(
        lambda: look_at_normals(texture_maps, texels), lambda: decide_wrap(texels, said, (notes[0], notes[1]))
    )
    stack = TextureStack(
        width, height, tuple(texture_maps), texels, weights, repeats, note, _channel_weights(sources, planes, first),
        remarks=(*material.remarks, *left_out), inputs=_hashed(material, chosen.importance),
        source_size=max(sizes, key=lambda size: size[0] * size[1]),
    )  # fmt: skip
    return code_normals(code_alpha(stack, chosen.alpha), chosen.normals, normals)


def _channel_weights(
    sources: Sequence[tuple[SourceMap, MapReading]], planes: Sequence[CodedPlane], first: Sequence[int]
) -> tuple[float, ...]:
    """Return how much each coded channel counts: of the channels that it stands for the first, of maps the most."""
    weights: dict[int, float] = {}
    for plane, same in zip(planes, first, strict=True):
        scales = sources[plane.map_index][0].source.loss_scale or (1.0,)
        weights[same] = max(weights.get(same, 0.0), scales[plane.members[0] % len(scales)])
    return tuple(weights[index] for index in sorted(weights)) if {*weights.values()} - {1.0} else ()


def _hashed(material: MaterialSource, importance: Path | None) -> tuple[HashedFile, ...]:
    """Name and hash the images of a material, each once, and its importance mask."""
    images = {source.image.path: source.image for source in material.maps}
    mask = importance or material.importance
    return tuple(
        hash_file(path) if image.data is None else hash_bytes(path.name, image.data()) for path, image in images.items()
    ) + (() if mask is None else (hash_file(mask),))


def _said_wrap(material: MaterialSource, options: SourceOptions, sets: list[UvSet] | None) -> SaidWrap:
    """Return whether the maps repeat in x and y as far as anybody said so; refuse what is mirrored."""
    mirrored = [
        axis
        for axis in (0, 1)
        if material.mirrors[axis] and options.wrap[axis] is None and (sets is None or leaves_unit_square(sets, axis))
    ]
    if mirrored:
        raise InputError(
            f"{material.where} is mirrored beyond its border in {' and '.join('xy'[axis] for axis in mirrored)} "
            "(MIRRORED_REPEAT), which no file can say; give --wrap clamp, and mirror coordinates before sampling"
        )
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


def _described_maps(
    sources: Sequence[tuple[SourceMap, MapReading]],
    routings: Sequence[Routing],
    planes: Sequence[CodedPlane],
    first: Sequence[int],
) -> list[TextureMap]:
    """Describe all maps, and say whose channels are another map's, too.

    Args:
        sources: the maps
        routings: of each
        planes: coded channels of all maps in order, with those that are alike
        first: of each of these the first that is alike
    """
    place_of = {index: place for place, index in enumerate(sorted({*first}))}
    found = []
    for index, ((source, reading), routing) in enumerate(zip(sources, routings, strict=True)):
        own = [number for number, plane in enumerate(planes) if plane.map_index == index]
        texture_map = _described(source, reading, routing, [place_of[first[number]] for number in own])
        others = [planes[first[number]].map_index for number in own if first[number] != number]
        for other in dict.fromkeys(others):
            count = others.count(other)
            some = "channels is that of" if count == 1 else "channels are those of"
            what = (
                "the same picture as"
                if count == len(own) == len(routings[other].sources)
                else f"{count} of {len(own)} {some}"
            )
            texture_map = noted(texture_map, f"{what} {printable(sources[other][0].source.name)}, coded once")
        found.append(texture_map)
    return found


def _described(source: SourceMap, reading: MapReading, routing: Routing, places: Sequence[int]) -> TextureMap:
    """Describe one map.

    Args:
        source: the map as read
        reading: how its name was understood
        routing: with indices that count the map's own coded channels
        places: of these in the stack
    """
    semantics, notes = _without_filler(reading, routing)
    return TextureMap(
        name=source.source.name,
        file_suffix=source.source.suffix,
        semantic=next((meaning for meaning in semantics if meaning != Semantic.DATA), Semantic.DATA),
        channel_semantics=semantics,
        transfer=routing.transfer,
        sample_format=source.sample_format,
        routes=tuple(Coded(places[route.index]) if isinstance(route, Coded) else route for route in routing.routes),
        log_range=routing.log_range,
        notes="; ".join(notes),
    )


def _channel_codes(source: SourceMap, routing: Routing, members: Sequence[int]) -> Callable[[slice], FloatTexels]:
    """Return what codes rows [rows, W] of the mean of some of a map's channels, which are equal or nearly so."""
    plane, largest = source.texels[..., members[0]], np.float32(source.sample_format.max_value)
    if routing.transfer == Transfer.LOG:
        return lambda rows: encode_log(plane[rows], routing.log_range)
    if len(members) > 1 and not equal_planes(plane, source.texels[..., members[-1]]):
        return lambda rows: source.texels[rows][..., list(members)].mean(axis=-1, dtype=np.float32) / largest
    return lambda rows: np.divide(plane[rows], largest, dtype=np.float32)


def _without_filler(reading: MapReading, routing: Routing) -> tuple[tuple[Semantic, ...], list[str]]:
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
