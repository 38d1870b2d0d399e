"""Levels of a mip chain -> the bytes that a GPU takes: block-compressed by Intel's ISPC texture compressor, or plain.

The encoder is the package ispc-texcomp, an extra that is imported when used. Against etcpak, the other one with wheels,
on 512 x 512 crops of five materials: BC7 45.3, 53.2, 42.2, 50.1 and 57.2 dB where etcpak's best setting has 44.9, 52.7,
40.6, 47.9 and 55.2; BC4 and BC5 2 to 3 dB better; and only it encodes BC6H.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import MissingToolError, install_extra
from imagegs_tex.formats.gpu_textures.texture import BC1_SRGB, BC4, BC5, BC6H, BC7, BC7_SRGB, BLOCK, PixelFormat

_Stored = NDArray[np.uint8 | np.uint16 | np.float16]

# "basic" takes 1.6 to 2.6 times as long for 0 to 1.4 dB, most of it on maps that are above 50 dB already; "veryfast"
# saves half of the time, but its variant with alpha makes 251 of an alpha of 255.
_BC7_PROFILE: Final = "fast"
_BC7_ALPHA_PROFILE: Final = "alpha_fast"
_BC6H_PROFILE: Final = (
    "basic"  # +0.3 dB on "fast" for 1.4 s per megatexel; "slow" adds 0.07 dB and takes four times that
)
_VALUES_AT_ONCE: Final = 1 << 24
_LARGEST_HALF: Final = 65504.0
_REMEDY: Final = f"the block encoder is not installed; {install_extra('export')}, or use --format png"


def require_encoder() -> None:
    """Raise MissingToolError when block compression is not possible here."""
    try:
        import ispc_texcomp  # noqa: F401 - only whether it is there
    except ImportError:
        raise MissingToolError(_REMEDY) from None


def encode_level(texels: NDArray[np.float32], pixel_format: PixelFormat) -> bytes:
    """Encode one level.

    Args:
        texels: float32 [H, W, C], sample values; as many channels as the format has, or 3 of 4 for an alpha of 1
        pixel_format: what to make of them; values outside what it can hold are clipped

    Returns:
        its bytes, tightly packed
    """
    bands = (texels[rows] for rows in _block_rows(*texels.shape))
    return b"".join(_encode_band(band, pixel_format) for band in bands)


def _block_rows(height: int, width: int, channels: int) -> list[slice]:
    """Return bands of whole blocks: what the encoder wants of a texel takes ten times its samples."""
    rows = max(BLOCK, _VALUES_AT_ONCE // (width * channels) // BLOCK * BLOCK)
    return [slice(first, first + rows) for first in range(0, height, rows)]


def _encode_band(texels: NDArray[np.float32], pixel_format: PixelFormat) -> bytes:
    channel_count = texels.shape[2]
    if channel_count == 3:  # no three-channel surface exists; without an alpha the encoder does not look at the last
        texels = np.concatenate([texels, np.ones_like(texels[..., :1])], axis=-1)
    stored = _stored(texels, pixel_format)
    if not pixel_format.is_compressed:
        return stored.tobytes()
    return _compress(_whole_blocks(stored), pixel_format, channel_count)


def _compress(stored: _Stored, pixel_format: PixelFormat, channel_count: int) -> bytes:
    import ispc_texcomp

    height, width = stored.shape[:2]
    surface = ispc_texcomp.RGBASurface(stored.tobytes(), width, height, stored.nbytes // height)
    if pixel_format == BC1_SRGB:
        blocks = ispc_texcomp.compress_blocks_bc1(surface)
        return blocks[: pixel_format.level_bytes(width, height)]  # 1.0.1 makes room for twice as much
    if pixel_format == BC4:
        return ispc_texcomp.compress_blocks_bc4(surface)
    if pixel_format == BC5:
        return ispc_texcomp.compress_blocks_bc5(surface)
    if pixel_format == BC6H:
        return ispc_texcomp.compress_blocks_bc6h(surface, ispc_texcomp.BC6HEncSettings.from_profile(_BC6H_PROFILE))
    if pixel_format in {BC7, BC7_SRGB}:
        make = ispc_texcomp.BC7EncSettings.from_profile
        settings = make(_BC7_ALPHA_PROFILE) if channel_count == 4 else make(_BC7_PROFILE)
        return ispc_texcomp.compress_blocks_bc7(surface, settings)
    raise ValueError(f"no encoder for {pixel_format.label}")


def _stored(texels: NDArray[np.float32], pixel_format: PixelFormat) -> _Stored:
    if pixel_format.is_float:
        least = 0.0 if pixel_format == BC6H else -_LARGEST_HALF  # BC6H as it is written here has no sign
        return np.clip(texels, least, _LARGEST_HALF).astype("<f2")
    largest, dtype = (255, "u1") if pixel_format.is_compressed else (65535, "<u2")
    return np.asarray(np.rint(np.clip(texels, 0.0, 1.0) * largest), dtype=dtype)


def _whole_blocks(stored: _Stored) -> _Stored:
    """Fill the last blocks by repeating the edge, which costs no precision inside; zeros would."""
    rows, columns = (-side % BLOCK for side in stored.shape[:2])
    return np.pad(stored, ((0, rows), (0, columns), (0, 0)), mode="edge")
