"""The maps section of an .igs file: what each source image is made of."""

import struct
from dataclasses import dataclass
from typing import Final

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.vocabulary import (
    MAX_CHANNELS,
    Coded,
    Constant,
    Route,
    SampleFormat,
    Semantic,
    TextureMap,
    Transfer,
    UnitZ,
)

MAX_MAPS: Final = 256
MAX_NAME_BYTES: Final = 1024
MAX_SUFFIX_BYTES: Final = 16

_ROUTE_CODED: Final = 0
_ROUTE_CONSTANT: Final = 1
_ROUTE_UNIT_Z: Final = 2
_FIRST_VERSION_WITH_UNIT_Z: Final = 2


def pack_maps(maps: tuple[TextureMap, ...]) -> bytes:
    """Return the section's bytes; ValueError when a name or a count is longer than the format allows."""
    if not 1 <= len(maps) <= MAX_MAPS:
        raise ValueError(f"{len(maps)} maps; a file has 1 to {MAX_MAPS}")
    parts = [struct.pack("<H", len(maps))]
    for texture_map in maps:
        name = texture_map.name.encode("utf-8", "replace")
        suffix = texture_map.file_suffix.encode("ascii", "replace")
        if not 1 <= len(name) <= MAX_NAME_BYTES or len(suffix) > MAX_SUFFIX_BYTES:
            raise ValueError(f"a map's name has {len(name)} bytes and its suffix {len(suffix)}")
        parts.append(struct.pack("<H", len(name)) + name + struct.pack("<B", len(suffix)) + suffix)
        parts.append(
            struct.pack(
                "<BBBBff",
                texture_map.semantic,
                texture_map.transfer,
                texture_map.sample_format,
                texture_map.channel_count,
                *texture_map.log_range,
            )
        )
        for semantic, route in zip(texture_map.channel_semantics, texture_map.routes, strict=True):
            if isinstance(route, Coded):
                parts.append(struct.pack("<BBB", semantic, _ROUTE_CODED, route.index))
            elif isinstance(route, UnitZ):
                parts.append(struct.pack("<BB", semantic, _ROUTE_UNIT_Z))
            else:
                parts.append(struct.pack("<BBf", semantic, _ROUTE_CONSTANT, route.value))
    return b"".join(parts)


def unpack_maps(raw: bytes, channel_count: int, version: int) -> tuple[TextureMap, ...]:
    """Return the maps of a section.

    Args:
        raw: the section's bytes
        channel_count: coded channels that routes may name
        version: of the format

    Raises:
        IgsError: a law of the format is broken
    """
    cursor = _Cursor(raw)
    map_count = cursor.take_int("<H")
    if not 1 <= map_count <= MAX_MAPS:
        raise IgsError(f"{map_count} maps is outside 1..{MAX_MAPS}")
    maps = tuple(_unpack_map(cursor, channel_count, version) for _ in range(map_count))
    if cursor.at != len(raw):
        raise IgsError("section maps goes on after its last map")
    return maps


@dataclass
class _Cursor:
    raw: bytes
    at: int = 0

    def take(self, layout: str) -> tuple[int | float, ...]:
        return struct.unpack(layout, self.take_bytes(struct.calcsize(layout)))

    def take_int(self, layout: str) -> int:
        return int(self.take(layout)[0])

    def take_bytes(self, count: int) -> bytes:
        if self.at + count > len(self.raw):
            raise IgsError("section maps ends within a map")
        taken = self.raw[self.at : self.at + count]
        self.at += count
        return taken


def _unpack_map(cursor: _Cursor, channel_count: int, version: int) -> TextureMap:
    try:
        name_length = cursor.take_int("<H")
        if not 1 <= name_length <= MAX_NAME_BYTES:
            raise IgsError(f"a map's name of {name_length} bytes")
        name = cursor.take_bytes(name_length).decode("utf-8")
        suffix_length = cursor.take_int("<B")
        if suffix_length > MAX_SUFFIX_BYTES:
            raise IgsError(f"a map's suffix of {suffix_length} bytes")
        suffix = cursor.take_bytes(suffix_length).decode("ascii")
        semantic = Semantic(cursor.take_int("<B"))
        transfer = Transfer(cursor.take_int("<B"))
        sample_format = SampleFormat(cursor.take_int("<B"))
        route_count = cursor.take_int("<B")
        if not 1 <= route_count <= MAX_CHANNELS:
            raise IgsError(f"a map of {route_count} channels")
        low, high = cursor.take("<ff")
        channels = [_unpack_channel(cursor, channel_count, version) for _ in range(route_count)]
        if transfer != Transfer.LOG and (low, high) != (0.0, 1.0):
            raise IgsError("a map without the log transfer has a range other than 0 to 1")
        return TextureMap(
            name=name,
            file_suffix=suffix,
            semantic=semantic,
            channel_semantics=tuple(semantic for semantic, _ in channels),
            transfer=transfer,
            sample_format=sample_format,
            routes=tuple(route for _, route in channels),
            log_range=(low, high),
        )
    except ValueError as error:  # an unknown number of an enum, text that is not UTF-8, contradicting fields
        raise IgsError(f"section maps: {error}") from None


def _unpack_channel(cursor: _Cursor, channel_count: int, version: int) -> tuple[Semantic, Route]:
    semantic = Semantic(cursor.take_int("<B"))
    kind = cursor.take_int("<B")
    if kind == _ROUTE_CONSTANT:
        return semantic, Constant(float(cursor.take("<f")[0]))
    if kind == _ROUTE_UNIT_Z and version >= _FIRST_VERSION_WITH_UNIT_Z:
        return semantic, UnitZ()
    if kind != _ROUTE_CODED:
        raise IgsError(f"a route of the unknown kind {kind}")
    index = cursor.take_int("<B")
    if index >= channel_count:
        raise IgsError(f"a map uses coded channel {index} of only {channel_count}")
    return semantic, Coded(index)
