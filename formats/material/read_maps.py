"""The images of a material as read: picked, turned and checked, each with its meaning."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.machine_memory import machine_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images import Picture, picture_samples, read_picture
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource, channel_name
from imagegs_tex.formats.material.name_reading import MapReading, MapTraits, label, read_names, read_statement
from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.formats.vocabulary import MAX_SIZE, SampleFormat, Samples, Semantic

GREY_TOLERANCE: Final = 2
"""Most that the channels of a grey picture differ, in steps of 1/255, after a lossy codec has been at it."""

_MOST_BYTES: Final = 4 * 2 + 4
"""Of a texel: four channels of 16 bits, and one coded channel of floats."""

ReadImage = Callable[[ImageFile], Picture]


@dataclass(frozen=True, slots=True)
class SourceMap:
    """One image as read, before its channels are routed."""

    source: MapSource
    texels: Samples  # [H, W, channels] in its own sample format, finite, as the source wants them turned
    sample_format: SampleFormat
    is_grey: bool  # one colour channel, or three that are equal, exactly or within GREY_TOLERANCE of a lossy file
    notes: tuple[str, ...] = ()  # what was converted, left out or assumed when it was read

    @property
    def traits(self) -> MapTraits:
        """What reading its name needs to know."""
        return MapTraits(self.source.name, self.texels.shape[2], self.is_grey)


def read_image_file(image: ImageFile) -> Picture:
    """Read an image on disk or inside another file."""
    return read_picture(image.path, None if image.data is None else image.data())


def shared_reader(materials: Iterable[MaterialSource]) -> ReadImage:
    """Return a way to read images that reads each once, and keeps it until the last of the materials has it."""
    uses = Counter(source.image for material in materials for source in material.maps)
    kept: dict[ImageFile, Picture] = {}
    turns = threading.Lock()  # one after another, as two may want the same image

    def read(image: ImageFile) -> Picture:
        with turns:
            found = kept.pop(image, None) or read_image_file(image)
            found.texels.flags.writeable = False
            uses[image] -= 1
            if uses[image] > 0:
                kept[image] = found
            return found

    return read


def read_source_maps(
    material: MaterialSource, read: ReadImage = read_image_file
) -> list[tuple[SourceMap, MapReading]]:  # fmt: skip
    """Read a material's images and understand what they mean, by what is said of them or by their names.

    Raises:
        InputError: an image cannot be used, a manifest gives one semantic to two, or the machine has too little memory
    """
    _check_memory(material)
    maps = side_by_side(lambda source: _read_source(source, read), material.maps)
    by_name = read_names([source.traits for source in maps])
    found = []
    for source, named in zip(maps, by_name, strict=True):
        statement = source.source.statement
        reading = named if statement is None else read_statement(statement, source.traits, named)
        found.append((source, replace(reading, note="; ".join([reading.note, *source.notes]))))
    if material.one_map_per_semantic:
        _check_semantics(found, material.where)
    return found


def _check_memory(material: MaterialSource) -> None:
    """Refuse by their headers images that the machine cannot hold: a byte a sample, and one channel of floats each.

    Headers are looked at where so many images can be too large at all.
    """
    there = machine_bytes()
    images = {source.image.path: source.image for source in material.maps}
    if there is None or len(images) * MAX_SIZE * MAX_SIZE * _MOST_BYTES <= there:
        return
    found = (picture_samples(image.path, None if image.data is None else image.data()) for image in images.values())
    needed = sum(width * height * (channels + 4) for width, height, channels in filter(None, found))
    if needed > there:
        raise InputError(
            f"{material.where}: its {len(images)} maps take {needed / 1e9:.1f} GB of memory or more to read, and this "
            f"machine has {there / 1e9:.1f} GB; use smaller or fewer maps, or a machine with more"
        )


def _check_semantics(maps: Sequence[tuple[SourceMap, MapReading]], where: str) -> None:
    owners: dict[Semantic, SourceMap] = {}
    for source, reading in maps:
        if source.source.is_alternate:
            continue
        for semantic in dict.fromkeys(reading.channel_semantics):
            owner = owners.setdefault(semantic, source)
            if semantic != Semantic.DATA and owner is not source:
                raise InputError(
                    f"{where}: {printable(owner.source.name)} and {printable(source.source.name)} are both "
                    f'{label(semantic)}; leave one out, change its semantics, or say "alternate": true'
                )


def _read_source(source: MapSource, read: ReadImage) -> SourceMap:
    texels, sample_format, notes, is_lossy = read(source.image)
    if sample_format.is_float:
        _check_finite(source, texels)
    texels = _transformed(source, texels, sample_format)
    return SourceMap(source, texels, sample_format, _is_grey(texels, is_lossy), notes)


def _transformed(source: MapSource, texels: Samples, sample_format: SampleFormat) -> Samples:
    """Pick channels, turn the picture and invert channels as the source wants it, without touching what was read."""
    where = printable(source.image.path)
    if source.swizzle is not None:
        _check_channels(where, "channelSwizzle", source.swizzle, texels.shape[2])
        texels = texels[..., list(source.swizzle)]
    statement = source.statement
    if statement is not None and not statement.fits_any_image and not isinstance(statement.channels, Semantic):
        _check_channels(where, "semantics", tuple(statement.channels), texels.shape[2])
    _check_channels(where, "invert", source.inverted, texels.shape[2])
    if len(source.loss_scale) not in {0, 1, texels.shape[2]}:
        raise InputError(
            f"{where}: lossFunctionScale has {len(source.loss_scale)} numbers for {texels.shape[2]} channels; "
            "give one, or one for each channel"
        )
    if source.flips_vertically:
        texels = texels[::-1]
    if source.inverted:
        texels = texels.copy()
        for channel in source.inverted:
            texels[..., channel] = texels.dtype.type(sample_format.max_value) - texels[..., channel]
    return np.ascontiguousarray(texels)


def _check_channels(where: str, key: str, channels: tuple[int, ...], channel_count: int) -> None:
    for channel in channels:
        if channel >= channel_count:
            raise InputError(
                f"{where}: {key} names channel {channel_name(channel)}, but the map has only {channel_count}; "
                "R, G, B, A are its first to fourth"
            )


def _check_finite(source: MapSource, texels: Samples) -> None:
    finite = np.isfinite(texels)
    if not finite.all():
        y, x, channel = (int(index) for index in np.unravel_index(int(np.argmin(finite)), finite.shape))
        raise InputError(
            f"{printable(source.image.path)} has the value {texels[y, x, channel]} at texel ({x}, {y}), "
            f"channel {channel}; replace NaN and infinite texels"
        )


def _is_grey(texels: Samples, is_lossy: bool) -> bool:
    if texels.shape[2] < 3:
        return True
    tolerance = GREY_TOLERANCE if is_lossy and texels.dtype == np.uint8 else 0
    for part in (texels[::32, ::32, :3], texels[..., :3]):  # few pictures are grey: look at some texels first
        if tolerance == 0:
            grey = all(np.array_equal(part[..., 0], part[..., channel]) for channel in (1, 2))
        else:
            red, green, blue = (part[..., channel] for channel in range(3))
            spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
            grey = int(spread.max()) <= tolerance
        if not grey:
            return False
    return True
