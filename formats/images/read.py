"""One image file -> one array, without losing a bit: what the first bytes say decides how it is read.

EXIF orientation is ignored: texels are addressed by UV coordinates, and turning the picture would detach it from its
mesh. Colour profiles, gamma and primaries are ignored as well: a texture's meaning comes from its semantic.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from imagegs_tex.formats.errors import ImageGSTexError, InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images.dds import decode_dds
from imagegs_tex.formats.images.exr import decode_exr
from imagegs_tex.formats.images.file_formats import (
    FORMATS,
    SIGNATURE_BYTES,
    TGA,
    TGA_FOOTER,
    FileFormat,
    detect,
    other_kind,
)
from imagegs_tex.formats.images.jpeg import decode_jpeg
from imagegs_tex.formats.images.jpeg2000 import decode_jpeg2000
from imagegs_tex.formats.images.ktx2 import decode_ktx2
from imagegs_tex.formats.images.picture import Decoded, Picture, check_size
from imagegs_tex.formats.images.pillow_files import decode_bmp, decode_gif, decode_webp
from imagegs_tex.formats.images.png import decode_png
from imagegs_tex.formats.images.psd import decode_psd
from imagegs_tex.formats.images.quiet_codecs import codecs_at_work
from imagegs_tex.formats.images.radiance import decode_radiance
from imagegs_tex.formats.images.tga import decode_tga
from imagegs_tex.formats.images.tiff import decode_tiff
from imagegs_tex.formats.vocabulary import MAX_SIZE, SampleFormat, Samples

_MAX_FILE_BYTES: Final = 4 << 30  # 16384² RGBA at 16 bits is 2 GiB uncompressed
_SIZED_BY_PILLOW: Final = ("PNG", "JPEG", "TGA", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "DDS", "PSD")
_DECODERS: Final[dict[str, Callable[[bytes, str], Decoded]]] = {
    "PNG": decode_png, "JPEG": decode_jpeg, "TGA": decode_tga, "TIFF": decode_tiff, "WebP": decode_webp,
    "EXR": decode_exr, "BMP": decode_bmp, "GIF": decode_gif, "Radiance HDR": decode_radiance,
    "JPEG 2000": decode_jpeg2000, "DDS": decode_dds, "KTX 2": decode_ktx2, "PSD": decode_psd,
}  # fmt: skip


def read_image(path: Path, data: bytes | None = None) -> tuple[Samples, SampleFormat]:
    """Read one image file, and say nothing of what was made of it; see :func:`read_picture`."""
    picture = read_picture(path, data)
    return picture.texels, picture.sample_format


def read_picture(path: Path, data: bytes | None = None) -> Picture:
    """Read one image file as it is stored; its first bytes tell the format, whatever it is called.

    What becomes of each format's palettes, bit depths and channels is in docs/inputs.md; of several frames or pages the
    first is read.

    Args:
        path: the file
        data: the bytes of an image that lies inside another file; the path then only names it

    Returns:
        [H, W, C] in the file's own sample format (1..16384 texels each way, 1..32 channels), that format, and notes of
        what was converted, left out or assumed. Floats may hold NaN or infinity: that is for the caller to refuse.

    Raises:
        InputError: missing, unreadable, truncated, too large, or of an unsupported kind
    """
    where = printable(path)
    try:
        with codecs_at_work():
            content = _read(path, where) if data is None else data
            file_format, note = _format_of(path, content, where)
            decoded = _DECODERS[file_format.name](content, where)
    except ImageGSTexError:
        raise
    except FileNotFoundError:
        raise InputError(f"{where} does not exist; check the path") from None
    except PermissionError:
        raise InputError(f"{where} cannot be read: no permission; change its permissions") from None
    except UnidentifiedImageError:
        raise InputError(f"{where} has a damaged header; export it again") from None
    except Image.DecompressionBombError:
        raise InputError(f"{where} has too many texels; use 1 to {MAX_SIZE} each way") from None
    except MemoryError:
        raise InputError(f"{where} does not fit into memory; use a smaller image") from None
    except Exception as error:  # the codecs raise whatever they like, IndexError and SyntaxError included
        reason = printable(error) or type(error).__name__
        raise InputError(f"{where} cannot be read ({reason}); is it damaged? export it again") from error
    texels = decoded.texels
    if texels.dtype == np.float64:
        texels = texels.astype(np.float32)
    texels = texels[..., np.newaxis] if texels.ndim == 2 else texels
    check_size(where, texels.shape[1], texels.shape[0], texels.shape[2])
    try:
        sample_format = SampleFormat.of(texels.dtype)
    except ValueError:
        raise InputError(
            f"{where} has samples of type {texels.dtype}; use 8 or 16-bit integers, half or float"
        ) from None
    return Picture(
        np.ascontiguousarray(texels, dtype=sample_format.dtype),
        sample_format,
        (*note, *decoded.notes),
        decoded.is_lossy,
    )


def picture_size(path: Path, data: bytes | None = None) -> tuple[int, int] | None:
    """Return width and height as an image's header says, without decoding it; None where that takes a decoder.

    Args:
        path: see :func:`read_picture`
        data: see :func:`read_picture`
    """
    found = picture_samples(path, data)
    return None if found is None else found[:2]


def picture_samples(path: Path, data: bytes | None = None) -> tuple[int, int, int] | None:
    """Return width, height and number of channels as :func:`picture_size` does; a palette counts as one channel."""
    try:
        source = path if data is None else io.BytesIO(data)
        with codecs_at_work(), Image.open(source, formats=_SIZED_BY_PILLOW) as picture:
            return *picture.size, len(picture.getbands())
    except Exception:  # noqa: BLE001 - whoever reads the image will say what is wrong with it
        return None


def _read(path: Path, where: str) -> bytes:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise InputError(f"{where} is larger than 4 GiB; use a smaller image")
    return path.read_bytes()


def _format_of(path: Path, content: bytes, where: str) -> tuple[FileFormat, tuple[str, ...]]:
    """Tell the format of a file, with a note where its name says another."""
    by_name = FORMATS.get(path.suffix.lower())
    beginning = content[:SIGNATURE_BYTES]
    found = detect(beginning)
    if found is None and other_kind(beginning) is None and (by_name is TGA or content.endswith(TGA_FOOTER)):
        found = TGA
    if found is None:
        usable = ", ".join(FORMATS)
        if not content:
            raise InputError(f"{where} is empty; export it again")
        kind = other_kind(beginning)
        if kind is not None:
            raise InputError(f"{where} is {kind}, which cannot be read; save it as PNG, TIFF or EXR")
        if by_name is None:
            raise InputError(f"{where} is not an image that can be read; use {usable}")
        raise InputError(f"{where} is no {by_name.name} image, nor any other, and cannot be read; export it again")
    if by_name is None or by_name is found:
        return found, ()
    return found, (f"called {printable(path.suffix)}, but read as {found.name}, which it is",)
