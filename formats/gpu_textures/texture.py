"""A texture as a GPU takes it: a pixel format and a chain of levels, ready for :mod:`dds` and :mod:`ktx2`.

Block formats BC1 to BC7: Direct3D 11, "Texture Block Compression"; DXGI_FORMAT, VkFormat: the numbers of those APIs.
https://learn.microsoft.com/windows/win32/direct3d11/texture-block-compression-in-direct3d-11
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

BLOCK: Final = 4
"""Texels across and down of a compressed block."""


class AlphaMode(Enum):
    """What the alpha of a texture is."""

    NONE = "none"  # there is none, or it is 1 everywhere
    COVERAGE = "coverage"  # straight: colours are not multiplied by it
    PREMULTIPLIED = "premultiplied"  # colours are multiplied by it
    DATA = "data"  # a fourth value that has nothing to do with transparency


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """One of the formats that are written, with its numbers in the public specifications."""

    label: str  # for people
    dxgi: int  # DXGI_FORMAT
    vulkan: int  # VkFormat
    channel_count: int  # that a shader reads
    unit_bytes: int  # bytes of a block, or of a texel if not compressed
    is_compressed: bool
    is_float: bool = False
    is_srgb: bool = False  # the GPU converts colour to linear light; alpha is never converted

    def level_bytes(self, width: int, height: int) -> int:
        """Bytes of a level of this size in texels."""
        across, down = (-(-side // BLOCK) if self.is_compressed else side for side in (width, height))
        return across * down * self.unit_bytes


BC1_SRGB: Final = PixelFormat("BC1 sRGB", 72, 132, 3, 8, True, is_srgb=True)  # opaque
BC4: Final = PixelFormat("BC4", 80, 139, 1, 8, True)
BC5: Final = PixelFormat("BC5", 83, 141, 2, 16, True)
BC6H: Final = PixelFormat("BC6H", 95, 143, 3, 16, True, is_float=True)  # unsigned
BC7: Final = PixelFormat("BC7", 98, 145, 4, 16, True)
BC7_SRGB: Final = PixelFormat("BC7 sRGB", 99, 146, 4, 16, True, is_srgb=True)
RGBA8: Final = PixelFormat("RGBA8", 28, 37, 4, 4, False)
RGBA8_SRGB: Final = PixelFormat("RGBA8 sRGB", 29, 43, 4, 4, False, is_srgb=True)
R16: Final = PixelFormat("R16", 56, 70, 1, 2, False)
R16F: Final = PixelFormat("R16F", 54, 76, 1, 2, False, is_float=True)
RG16F: Final = PixelFormat("RG16F", 34, 83, 2, 4, False, is_float=True)
RGBA16F: Final = PixelFormat("RGBA16F", 10, 97, 4, 8, False, is_float=True)


@dataclass(frozen=True, slots=True)
class Texture:
    """A 2D texture with all its levels."""

    width: int  # texels of level 0
    height: int
    pixel_format: PixelFormat
    alpha: AlphaMode
    levels: tuple[bytes, ...]  # largest first, tightly packed: rows of blocks or of texels from the top

    def __post_init__(self) -> None:
        """Refuse levels that are not as long as their size says, with ValueError."""
        for level, data in enumerate(self.levels):
            size = max(1, self.width >> level), max(1, self.height >> level)
            if len(data) != self.pixel_format.level_bytes(*size):
                raise ValueError(f"level {level} has {len(data)} bytes for {size[0]} x {size[1]} texels")
