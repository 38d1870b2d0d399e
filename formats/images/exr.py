"""EXR: OpenEXR, channel by channel, half and float.

The picture is the display window: what of it no data window covers is 0, and what lies outside is left out.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import OpenEXR

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images.picture import Decoded, Texels, check_claim, check_size

_COLOURS: Final = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2}
_ALPHA: Final = frozenset({"a", "alpha"})
_ALPHAS: Final = ("ar", "ag", "ab")  # one for each colour, as the format's own names have it
_OTHER_SPACES: Final = (("c", "m", "y", "k"), ("l", "a", "b"))
_LUMINANCE: Final = 3
_CHROMA: Final = ("y", "ry", "by")  # OpenEXR's RgbaFile: (R - Y) / Y and (B - Y) / Y, mostly of half the size
_LAST: Final = 5
_MOST_PARTS: Final = 1024
_MOST_NAMED: Final = 8

Window = tuple[int, int, int, int]
"""Left, top, right and bottom; the last texels are within."""


def decode_exr(data: bytes, where: str) -> Decoded:
    """Decode the first part of an EXR that has more than integers; see :func:`channel_order` for its channels."""
    parts = OpenEXR.File(io.BytesIO(data), header_only=True).parts
    if not 1 <= len(parts) <= _MOST_PARTS:
        raise InputError(f"{where} has {len(parts)} parts; save the picture as a file of one part")
    decoded_bytes = 0
    for part in parts:
        left, top, right, bottom = _window(part.header, "dataWindow")
        check_size(where, right - left + 1, bottom - top + 1)
        decoded_bytes += (right - left + 1) * (bottom - top + 1) * 4 * len(part.header["channels"])
    number = 0 if len(parts) == 1 else _first_with_floats(parts, data, where, decoded_bytes)
    header = parts[number].header
    data_window, display_window = _window(header, "dataWindow"), _window(header, "displayWindow")
    width, height = display_window[2] - display_window[0] + 1, display_window[3] - display_window[1] + 1
    check_size(where, width, height, len(header["channels"]))
    check_claim(where, max(decoded_bytes, width * height * 4 * len(header["channels"])), len(data))
    _check_deep(header, where)
    layers = {channel.name.rpartition(".")[0] for channel in header["channels"]}
    own = {channel.name.lower() for channel in header["channels"]}
    if any({f"{layer.lower()}.{name}".lstrip(".") for name in _CHROMA} <= own for layer in layers):
        raise InputError(f"{where} has luminance and chroma (Y, RY, BY) instead of colours; save it as R, G, B")
    for channel in header["channels"]:
        if channel.xSampling != 1 or channel.ySampling != 1:
            raise InputError(f"{where} has the subsampled channel {printable(channel.name)}; save it in full")
    notes = _part_notes(parts, number)
    channels = _pixels(data)[number].channels
    names = channel_order(channels)
    integers = [name for name in names if channels[name].pixels.dtype not in (np.float16, np.float32)]
    names = [name for name in names if name not in integers]
    if not names:
        raise InputError(f"{where} has only integer channels ({_listed(integers)}); save them as half or float")
    if integers:
        notes.append(f"left out: {_counted('integer channel', integers)}")
    planes = [channels[name].pixels for name in names]
    texels = np.stack(planes, axis=-1)  # half and float mixed become float
    if texels.shape[:2] != (data_window[3] - data_window[1] + 1, data_window[2] - data_window[0] + 1):
        raise InputError(f"{where} is damaged; export it again")
    if data_window != display_window:
        texels, note = _in_display_window(texels, data_window, display_window, where)
        notes.append(note)
    return Decoded(texels, tuple(notes))


def channel_order(names: Iterable[str]) -> list[str]:
    """Sort channels: layer by layer, and within a layer R, G, B, luminance Y, A before everything else by name.

    Names count in lower case too, as words, and without spaces around them. Where a layer has X or Z, Y is no
    luminance: X, Y, Z stay together, and so do the channels of CMYK and Lab, and alphas of each colour (AR, AG, AB).
    """
    kept = list(names)
    layers: dict[str, set[str]] = {}
    for name in kept:
        layer, _, channel = name.rpartition(".")
        layers.setdefault(layer, set()).add(channel.strip().lower())

    def key(name: str) -> tuple[str, int, str, str]:
        layer, _, channel = name.rpartition(".")
        own = channel.strip().lower()
        space = next((space for space in _OTHER_SPACES if {*space} == layers[layer]), _ALPHAS)
        if own in space and {*space} <= layers[layer]:
            return layer, _LAST - 1, str(space.index(own)), name
        is_vector = bool({"x", "z"} & layers[layer]) and {"x", "y"} <= layers[layer]
        if own in _COLOURS:
            place = _COLOURS[own]
        elif (own in {"x", "y", "z"} and is_vector) or (own in {"y", "l", "luminance"} and not is_vector):
            place = _LUMINANCE
        else:
            place = _LAST - 1 if own in _ALPHA else _LAST
        return layer, place, own, name

    return sorted(kept, key=key)


def _window(header: dict[str, object], name: str) -> Window:
    window = header[name]
    assert isinstance(window, Sequence)
    (left, top), (right, bottom) = window
    return int(left), int(top), int(right), int(bottom)


def _pixels(data: bytes) -> Sequence[OpenEXR.Part]:
    parts: Sequence[OpenEXR.Part] = OpenEXR.File(io.BytesIO(data), separate_channels=True, num_threads=0).parts
    return parts


def _check_deep(header: dict[str, Any], where: str) -> None:
    if "deep" in str(header.get("type")).lower():
        raise InputError(f"{where} is a deep picture, with several samples per texel; save it flat")


def _first_with_floats(parts: Sequence[OpenEXR.Part], data: bytes, where: str, decoded_bytes: int) -> int:
    """Return the first part that has more than integers; 0 if none has. Headers do not say it, only what is read."""
    _check_deep(parts[0].header, where)
    check_claim(where, decoded_bytes, len(data))
    for number, part in enumerate(_pixels(data)):
        if any(channel.pixels.dtype in (np.float16, np.float32) for channel in part.channels.values()):
            return number
    return 0


def _part_notes(parts: Sequence[OpenEXR.Part], number: int) -> list[str]:
    if len(parts) == 1:
        return []
    names = [str(part.header.get("name") or index) for index, part in enumerate(parts)]
    read = names.pop(number)
    return [f"part {printable(read)} of {len(parts)} is read; left out: {_listed(names)}"]


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*(printable(name) for name in names[:_MOST_NAMED]), *(["..."] if names[_MOST_NAMED:] else [])])


def _counted(noun: str, names: Sequence[str]) -> str:
    return f"{noun}{'s' if len(names) > 1 else ''} {_listed(names)}"


def _in_display_window(texels: Texels, data_window: Window, display_window: Window, where: str) -> tuple[Texels, str]:
    left, top = max(data_window[0], display_window[0]), max(data_window[1], display_window[1])
    right, bottom = min(data_window[2], display_window[2]), min(data_window[3], display_window[3])
    if left > right or top > bottom:
        raise InputError(f"{where} has no texels within its display window; save it with the windows of its picture")
    whole = (display_window[3] - display_window[1] + 1, display_window[2] - display_window[0] + 1, texels.shape[2])
    own = texels[top - data_window[1] : bottom - data_window[1] + 1, left - data_window[0] : right - data_window[0] + 1]
    placed = np.zeros(whole, texels.dtype)
    placed[
        top - display_window[1] : bottom - display_window[1] + 1,
        left - display_window[0] : right - display_window[0] + 1,
    ] = own
    missing = whole[0] * whole[1] - own.shape[0] * own.shape[1]
    outside = texels.shape[0] * texels.shape[1] - own.shape[0] * own.shape[1]
    words = [f"{missing} texels that no data window covers are 0"] if missing else []
    words += [f"{outside} texels outside the display window are left out"] if outside else []
    return placed, "; ".join(words)
