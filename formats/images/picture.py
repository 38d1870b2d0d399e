"""What every reader of image files shares: its result, its limits, and what is done to samples in passing."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.vocabulary import MAX_CHANNELS, MAX_SIZE, SampleFormat, Samples

Texels = NDArray[Any]
"""[H, W] or [H, W, channels], of any type."""

FREE_BYTES: Final = 64 << 20
"""Decoded bytes that any file may claim, however small it is."""
MAX_EXPANSION: Final = 1 << 16
"""Most decoded bytes for each byte of a file beyond that. Deflate ends at 1032 and LZW near 1400; an EXR of one colour
reaches 30,000. WebP and JPEG 2000 have no bound: 100 bytes can say 16384 x 16384 texels of one colour, and a damaged
header can say it as well."""


class Picture(NamedTuple):
    """One image as read."""

    texels: Samples  # [H, W, channels], C-contiguous, in the file's own sample format
    sample_format: SampleFormat
    notes: tuple[str, ...]  # for people: what was converted, left out or assumed
    is_lossy: bool  # the texels have usually been through a lossy codec, so that equal channels may differ a little


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the reader of a format makes of a file."""

    texels: Texels
    notes: tuple[str, ...] = ()
    is_lossy: bool = False


def check_size(where: str, width: int, height: int, channel_count: int = 1) -> None:
    """Refuse a picture that is too large, or has none, before anything is allocated for it."""
    if not (1 <= width <= MAX_SIZE and 1 <= height <= MAX_SIZE):
        raise InputError(f"{where} has {width} x {height} texels; use 1 to {MAX_SIZE} each way")
    if not 1 <= channel_count <= MAX_CHANNELS:
        raise InputError(f"{where} has {channel_count} channels; use 1 to {MAX_CHANNELS}")


def check_claim(where: str, decoded_bytes: int, file_bytes: int) -> None:
    """Refuse a file that says it holds far more than so few bytes can: damaged, or made to fill the memory."""
    if decoded_bytes > max(FREE_BYTES, MAX_EXPANSION * file_bytes):
        raise InputError(
            f"{where} says that it holds {decoded_bytes >> 20} MiB of texels in {file_bytes} bytes; it is damaged, "
            "or of one colour: save it smaller"
        )


def straight(texels: Texels, colours: int) -> Texels:
    """Divide colours by the alpha that they were multiplied by; where alpha is 0 they stay as they are.

    Args:
        texels: [H, W, channels], integers or floats
        colours: how many channels are colours; the next one is alpha

    Returns:
        The same type; integers are rounded and end at their greatest value
    """
    alpha = texels[..., colours : colours + 1]
    sample_format = SampleFormat.of(texels.dtype)
    found = texels.copy()
    for row in range(len(texels)):  # by rows: a quotient of the whole picture would take four times its bytes
        wide = texels[row, :, :colours].astype(np.float64)
        by = alpha[row].astype(np.float64) / sample_format.max_value
        wide = np.divide(wide, by, out=wide, where=by > 0)
        if not sample_format.is_float:
            wide = np.minimum(np.rint(wide), sample_format.max_value)
        with np.errstate(over="ignore"):  # halves: what is too large becomes infinite, and is refused as such
            found[row, :, :colours] = wide.astype(texels.dtype)
    return found


STRAIGHTENED: Final = "its colours were multiplied by alpha and are divided by it"
"""Note of :func:`straight`."""


def widened(values: Texels, bits: int) -> Texels:
    """Stretch integers of 1 to 16 bits to the whole range of 8 or 16 bits: 0 stays 0, the greatest the greatest."""
    dtype: type[np.uint8 | np.uint16] = np.uint8 if bits <= 8 else np.uint16
    whole = np.iinfo(dtype).max
    most = (1 << bits) - 1
    if most == whole:
        return values.astype(dtype, copy=False)
    table = (np.arange(most + 1, dtype=np.uint64) * whole + most // 2) // most
    return table.astype(dtype)[np.minimum(values, most)]


def widened_note(bits: int) -> tuple[str, ...]:
    """Return the note of :func:`widened` where it is not exact."""
    return () if bits in {1, 2, 4, 8, 16} else (f"{bits} bits widened to {8 if bits < 8 else 16}",)


def without_stated_alpha(texels: Texels, says_none: bool) -> tuple[Texels, tuple[str, ...]]:
    """Drop a fourth channel that a file's header calls no alpha, where it says nothing either; return notes.

    Args:
        texels: [H, W, 4]
        says_none: the header says that the fourth value is no alpha
    """
    if not says_none:
        return texels, ()
    alpha = texels[..., 3]
    if (alpha == alpha[0, 0]).all():
        return texels[..., :3], ("the header says that there is no alpha: the fourth channel, one value, is left out",)
    return texels, ("the header says that there is no alpha, but the fourth channel varies: read as alpha",)
