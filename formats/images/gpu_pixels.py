"""Texels of GPU textures (DDS, KTX 2): plain rows by numpy, blocks by bcdec through imagecodecs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gpu_textures.texture import BLOCK
from imagegs_tex.formats.images.picture import Texels, check_claim, check_size


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How a texel or a block is stored."""

    label: str
    unit_bytes: int  # of a texel or a block
    channels: int
    block: int = 0  # which BCn; -6 is the signed BC6H, 0 not compressed
    dtype: str = "<u1"  # of plain channels
    order: tuple[int, ...] = ()  # of the stored channels, those of the picture; (): as stored

    def level_bytes(self, width: int, height: int) -> int:
        """Bytes of a picture."""
        if self.block:
            return -(-width // BLOCK) * -(-height // BLOCK) * self.unit_bytes
        return width * height * self.unit_bytes


def _plain(label: str, channels: int, dtype: str, order: tuple[int, ...] = ()) -> PixelLayout:
    return PixelLayout(label, channels * np.dtype(dtype).itemsize, len(order) or channels, dtype=dtype, order=order)


BC1: Final = PixelLayout("BC1", 8, 4, block=1)
BC2: Final = PixelLayout("BC2", 16, 4, block=2)
BC3: Final = PixelLayout("BC3", 16, 4, block=3)
BC4: Final = PixelLayout("BC4", 8, 1, block=4)
BC5: Final = PixelLayout("BC5", 16, 2, block=5)
BC6H: Final = PixelLayout("BC6H", 16, 3, block=6)
BC6H_SIGNED: Final = PixelLayout("BC6H signed", 16, 3, block=-6)
BC7: Final = PixelLayout("BC7", 16, 4, block=7)
R8, RG8, RGB8, RGBA8 = (_plain(name, count, "<u1") for count, name in enumerate(("R8", "RG8", "RGB8", "RGBA8"), 1))
BGR8: Final = _plain("BGR8", 3, "<u1", (2, 1, 0))
BGRA8: Final = _plain("BGRA8", 4, "<u1", (2, 1, 0, 3))
BGRX8: Final = _plain("BGRX8", 4, "<u1", (2, 1, 0))
R16, RG16, RGB16, RGBA16 = (
    _plain(name, count, "<u2") for count, name in enumerate(("R16", "RG16", "RGB16", "RGBA16"), 1)
)
R16F, RG16F, RGB16F, RGBA16F = (
    _plain(name, count, "<f2") for count, name in enumerate(("R16F", "RG16F", "RGB16F", "RGBA16F"), 1)
)  # fmt: skip
R32F, RG32F, RGB32F, RGBA32F = (
    _plain(name, count, "<f4") for count, name in enumerate(("R32F", "RG32F", "RGB32F", "RGBA32F"), 1)
)  # fmt: skip

DXGI: Final[Mapping[int, PixelLayout]] = MappingProxyType({
    2: RGBA32F, 6: RGB32F, 10: RGBA16F, 11: RGBA16, 16: RG32F, 28: RGBA8, 29: RGBA8, 34: RG16F, 35: RG16, 41: R32F,
    49: RG8, 54: R16F, 56: R16, 61: R8, 65: R8, 71: BC1, 72: BC1, 74: BC2, 75: BC2, 77: BC3, 78: BC3, 80: BC4, 83: BC5,
    87: BGRA8, 88: BGRX8, 91: BGRA8, 93: BGRX8, 95: BC6H, 96: BC6H_SIGNED, 98: BC7, 99: BC7,
})  # fmt: skip
"""Layouts by DXGI_FORMAT."""

VULKAN: Final[Mapping[int, PixelLayout]] = MappingProxyType({
    9: R8, 15: R8, 16: RG8, 22: RG8, 23: RGB8, 29: RGB8, 30: BGR8, 36: BGR8, 37: RGBA8, 43: RGBA8, 44: BGRA8, 50: BGRA8,
    70: R16, 76: R16F, 77: RG16, 83: RG16F, 84: RGB16, 90: RGB16F, 91: RGBA16, 97: RGBA16F, 100: R32F, 103: RG32F,
    106: RGB32F, 109: RGBA32F, 131: BC1, 132: BC1, 133: BC1, 134: BC1, 135: BC2, 136: BC2, 137: BC3, 138: BC3, 139: BC4,
    141: BC5, 143: BC6H, 144: BC6H_SIGNED, 145: BC7, 146: BC7,
})  # fmt: skip
"""Layouts by VkFormat."""


def check_level(where: str, layout: PixelLayout, width: int, height: int, file_bytes: int) -> None:
    """Refuse a level before anything is allocated for it."""
    check_size(where, width, height, layout.channels)
    check_claim(where, max(layout.level_bytes(width, height), 8 * width * height), file_bytes)


def read_level(where: str, layout: PixelLayout, data: bytes, width: int, height: int) -> Texels:
    """Return the texels of one level, [H, W, channels].

    Args:
        where: the file, for messages
        layout: of its texels
        data: it begins with the level
        width: texels, checked
        height: texels, checked
    """
    needed = layout.level_bytes(width, height)
    if len(data) < needed:
        raise InputError(f"{where} ends early; it is damaged: export it again")
    if not layout.block:
        stored = np.frombuffer(data, layout.dtype, needed // np.dtype(layout.dtype).itemsize).reshape(height, width, -1)
        return stored[..., list(layout.order)] if layout.order else stored
    whole = height + -height % BLOCK, width + -width % BLOCK
    shape = (*whole, layout.channels) if layout.channels > 1 else whole
    texels: Texels = np.asarray(imagecodecs.bcn_decode(data[:needed], layout.block, shape=shape))
    texels = texels.reshape(*whole, layout.channels)[:height, :width]
    if layout.block == 1 and bool((texels[..., 3] == 255).all()):
        return texels[..., :3]
    return texels


def read_masked(
    where: str, data: bytes, width: int, height: int, bits: int, masks: tuple[int, ...]
) -> NDArray[np.uint8 | np.uint16]:  # fmt: skip
    """Return texels whose channels lie in a word of 8 to 32 bits, each under its mask; up to 8 bits become 8.

    Args:
        where: the file, for messages
        data: it begins with the level
        width: texels, checked
        height: texels, checked
        bits: of a word
        masks: of each channel of the picture
    """
    if bits not in {8, 16, 24, 32}:
        raise InputError(f"{where} has texels of {bits} bits, which are not read; save it with 8 bits per channel")
    needed = width * height * bits // 8
    if len(data) < needed:
        raise InputError(f"{where} ends early; it is damaged: export it again")
    stored = np.frombuffer(data, np.uint8, needed).reshape(height, width, bits // 8)
    widths = [mask.bit_count() for mask in masks]
    for mask, count in zip(masks, widths, strict=True):
        low = (mask & -mask).bit_length() - 1
        if not 1 <= count <= 16 or mask != ((1 << count) - 1) << low or mask >> bits:
            raise InputError(
                f"{where} has the channel mask {mask:#x}, which is not read; save it with 8 bits per channel"
            )
    depth = 8 if max(widths) <= 8 else 16
    planes = np.empty((height, width, len(masks)), np.uint8 if depth == 8 else np.uint16)
    for row in range(height):  # by rows: words of the whole picture would take four times its bytes
        words = np.zeros(width, np.uint32)
        for byte in range(bits // 8):
            words |= stored[row, :, byte].astype(np.uint32) << np.uint32(8 * byte)
        for channel, (mask, count) in enumerate(zip(masks, widths, strict=True)):
            low = (mask & -mask).bit_length() - 1
            most, whole = (1 << count) - 1, (1 << depth) - 1
            values = (words & np.uint32(mask)) >> np.uint32(low)
            planes[row, :, channel] = (values.astype(np.uint64) * whole + most // 2) // most
    return planes
