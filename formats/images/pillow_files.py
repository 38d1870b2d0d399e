"""BMP, GIF and WebP, 8 bits each: Pillow reads them, the first frame of several."""

import io
import struct
from typing import Final

import numpy as np
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.picture import Decoded, check_claim, check_size

_MODES: Final = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA", "RGBX": "RGB"}
_WITH_ALPHA: Final = {"L": "LA", "RGB": "RGBA"}


def decode_bmp(data: bytes, where: str) -> Decoded:
    """Decode a BMP of 1 to 32 bits, plain, with runs or with bit fields."""
    _check_bmp(data, where)
    return _decode(data, where, "BMP")


def decode_gif(data: bytes, where: str) -> Decoded:
    """Decode a GIF's first frame; a transparent colour becomes alpha."""
    return _decode(data, where, "GIF")


def decode_webp(data: bytes, where: str) -> Decoded:
    """Decode a WebP, lossy or lossless."""
    _check_webp(data, where)
    return _decode(data, where, "WEBP", is_lossy=True)


def _decode(data: bytes, where: str, file_format: str, is_lossy: bool = False) -> Decoded:
    with Image.open(io.BytesIO(data), formats=[file_format]) as picture:
        check_size(where, *picture.size)
        check_claim(where, picture.size[0] * picture.size[1] * 4, len(data))
        notes = ["animated: its first frame is read"] if getattr(picture, "is_animated", False) else []
        picture.seek(0)
        picture.load()
        mode = _MODES.get(picture.mode)
        if mode is None:
            raise InputError(f"{where} has an unsupported layout ({picture.mode}); save it as RGB or RGBA")
        if "transparency" in picture.info:
            mode = _WITH_ALPHA.get(mode, mode)
        return Decoded(np.asarray(picture.convert(mode)), tuple(notes), is_lossy)


def _check_webp(data: bytes, where: str) -> None:
    """Check the canvas of an extended WebP, which Pillow allocates as soon as it opens one; others end at 16383."""
    if data[12:16] == b"VP8X" and len(data) >= 30:
        width, height = 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        check_size(where, width, height)
        check_claim(where, width * height * 4, len(data))


def _check_bmp(data: bytes, where: str) -> None:
    """Check what Pillow would allocate for; the header is that of Windows, or the short one of OS/2."""
    if len(data) < 26:
        raise InputError(f"{where} has a damaged BMP header; export it again")
    header_bytes = int.from_bytes(data[14:18], "little")
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", data, 18)
    check_size(where, width, abs(height))
