"""One image file <-> one array, without losing a bit.

8-bit images are decoded by imageio's Pillow plugin; 16-bit PNG and TIFF by imagecodecs (Pillow and imageio reduce
16-bit RGB to 8 bits without a word); EXR by OpenEXR. Headers are looked at first, so that an image which claims an
absurd size is refused before anything is allocated for it.

EXIF orientation is ignored: texels are addressed by UV coordinates, and turning the picture would detach it from its
mesh. Embedded colour profiles are ignored as well: a texture's meaning comes from its semantic.
"""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import imagecodecs
import imageio.v3 as iio
import numpy as np
import OpenEXR
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from imagegs_tex.formats.errors import ImageGSTexError, InputError, UsageError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.vocabulary import MAX_CHANNELS, MAX_SIZE, SampleFormat, Samples

_MAX_FILE_BYTES: Final = 4 << 30  # 16384² RGBA at 16 bits is 2 GiB uncompressed
_PNG_HEADER_BYTES: Final = 26
_INTEGERS: Final = frozenset({SampleFormat.UINT8, SampleFormat.UINT16})
_FLOATS: Final = frozenset({SampleFormat.FLOAT16, SampleFormat.FLOAT32})
_TIFF_TAGS: Final = {"width": 256, "height": 257, "bits": 258, "photometric": 262, "samples": 277}

# What Pillow's modes become. Everything not named here (16-bit and float modes) is not for Pillow to decode.
_PILLOW_MODES: Final = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "La": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "RGBX": "RGB",
    "RGBa": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
}


@dataclass(frozen=True, slots=True)
class FileFormat:
    """What one image file format can hold, as this project writes it."""

    sample_formats: frozenset[SampleFormat]
    channel_counts: range
    lossless: bool


_PNG: Final = FileFormat(_INTEGERS, range(1, 5), lossless=True)
_JPEG: Final = FileFormat(frozenset({SampleFormat.UINT8}), range(1, 4, 2), lossless=False)
_TGA: Final = FileFormat(frozenset({SampleFormat.UINT8}), range(1, 5), lossless=True)
_TIFF: Final = FileFormat(_INTEGERS | _FLOATS, range(1, MAX_CHANNELS + 1), lossless=True)
_WEBP: Final = FileFormat(frozenset({SampleFormat.UINT8}), range(3, 5), lossless=True)
_EXR: Final = FileFormat(_FLOATS, range(1, MAX_CHANNELS + 1), lossless=True)

FORMATS: Final = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tga": _TGA,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".webp": _WEBP,
    ".exr": _EXR,
}
"""File formats by lower-case suffix."""

LOSSY_SOURCE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".webp"})
"""Files whose texels have usually been through a lossy codec, so that equal channels may differ a little."""


def can_hold(suffix: str, sample_format: SampleFormat, channel_count: int) -> bool:
    """Whether :func:`write_image` can write such an array to a file with this suffix."""
    file_format = FORMATS.get(suffix.lower())
    return (
        file_format is not None
        and sample_format in file_format.sample_formats
        and channel_count in file_format.channel_counts
    )


def read_image(path: Path, data: bytes | None = None) -> tuple[Samples, SampleFormat]:
    """Read one image file as it is stored.

    Palettes become RGB (RGBA with transparency), 1-bit pictures 8-bit grey, CMYK becomes RGB; of several frames or
    pages the first is read. EXR channels come in the order R, G, B, Y, A and then by name.

    Args:
        path: a file with a suffix of :data:`FORMATS`, in any case
        data: the bytes of an image that lies inside another file: PNG, JPEG or WebP; the path then only names it

    Returns:
        [H, W, C] in the file's own sample format (1..16384 texels each way, 1..32 channels), and that format. Floats
        may hold NaN or infinity: that is for the caller to refuse.

    Raises:
        InputError: missing, unreadable, truncated, too large, or of an unsupported kind
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{printable(path)} is not an image that can be read; use {', '.join(FORMATS)}")
    try:
        with _quiet_codecs():
            texels = _decode(path, suffix) if data is None else _decode_embedded(path, data)
    except ImageGSTexError:
        raise
    except FileNotFoundError:
        raise InputError(f"{printable(path)} does not exist; check the path") from None
    except PermissionError:
        raise InputError(f"{printable(path)} cannot be read: no permission; change its permissions") from None
    except MemoryError:
        raise InputError(f"{printable(path)} does not fit into memory; use a smaller image") from None
    except Exception as error:  # the codecs raise whatever they like, IndexError and SyntaxError included
        reason = printable(error) or type(error).__name__
        raise InputError(f"{printable(path)} cannot be read ({reason}); is it damaged? export it again") from error
    if texels.dtype == np.float64:
        texels = texels.astype(np.float32)
    texels = texels[..., np.newaxis] if texels.ndim == 2 else texels
    _check_size(path, texels.shape[1], texels.shape[0], texels.shape[2])
    try:
        sample_format = SampleFormat.of(texels.dtype)
    except ValueError:
        raise InputError(
            f"{printable(path)} has samples of type {texels.dtype}; use 8 or 16-bit integers, half or float"
        ) from None
    return np.ascontiguousarray(texels, dtype=sample_format.dtype), sample_format


def picture_size(path: Path, data: bytes | None = None) -> tuple[int, int] | None:
    """Return width and height as an image's header says, without decoding it; None where that takes a decoder.

    Args:
        path: see :func:`read_image`
        data: see :func:`read_image`
    """
    try:
        with _quiet_codecs(), _pillow_limit(), Image.open(path if data is None else io.BytesIO(data)) as picture:
            return picture.size
    except Exception:  # noqa: BLE001 - whoever reads the image will say what is wrong with it
        return None


def write_image(path: Path, array: NDArray[np.generic]) -> None:
    """Write one image file, whole or not at all; see :func:`encode_image` for formats and :mod:`atomic` for errors."""
    write_bytes(path, encode_image(array, path.suffix))


def encode_image(array: NDArray[np.generic], suffix: str) -> bytes:
    """Encode an image as the bytes of a file; the same array gives the same bytes.

    Args:
        array: [H, W, C] or [H, W]; uint8, uint16, float16 or float32
        suffix: of the file, in any case; every format but JPEG (quality 95, full chroma) is lossless

    Raises:
        UsageError: the format cannot hold such an array
    """
    suffix = suffix.lower()
    texels = array[..., np.newaxis] if array.ndim == 2 else array
    sample_format = SampleFormat.of(texels.dtype)
    channel_count = texels.shape[2]
    if not can_hold(suffix, sample_format, channel_count):
        able = [name for name in FORMATS if can_hold(name, sample_format, channel_count)]
        raise UsageError(
            f"a {printable(suffix)} file cannot hold {channel_count} channels of {sample_format.name.lower()}; "
            f"use {', '.join(able) or 'at most 32 channels'}"
        )
    texels = np.ascontiguousarray(texels)
    if suffix == ".exr":
        return _encode_exr(texels)
    if suffix == ".png":
        # Level 4 takes a third of the time of level 6 for files about 12% larger.
        return bytes(imagecodecs.png_encode(texels if channel_count > 1 else texels[..., 0], level=4))
    if suffix in {".tif", ".tiff"}:
        return _encode_tiff(texels)
    buffer = io.BytesIO()
    picture = Image.fromarray(texels if channel_count > 1 else texels[..., 0])
    if suffix == ".tga":
        picture.save(buffer, format="TGA", compression="tga_rle")
    elif suffix == ".webp":
        picture.save(buffer, format="WEBP", lossless=True, exact=True)  # exact: keep the colour under alpha 0
    else:
        picture.save(buffer, format="JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def _decode(path: Path, suffix: str) -> NDArray[np.generic]:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise InputError(f"{printable(path)} is larger than 4 GiB; use a smaller image")
    if suffix == ".exr":
        return _read_exr(path)
    if suffix in {".tif", ".tiff"}:
        return _read_tiff(path)
    if suffix == ".png":
        with path.open("rb") as file:
            header = file.read(_PNG_HEADER_BYTES)
        if _png_bit_depth(header) == 16:
            return _read_png16(path, path.read_bytes())
    return _read_pillow(path)


def _decode_embedded(path: Path, data: bytes) -> NDArray[np.generic]:
    return _read_png16(path, data) if _png_bit_depth(data) == 16 else _read_pillow(path, data)


def _check_size(path: Path, width: int, height: int, channel_count: int = 1) -> None:
    if not (1 <= width <= MAX_SIZE and 1 <= height <= MAX_SIZE):
        raise InputError(f"{printable(path)} has {width} x {height} texels; use 1 to {MAX_SIZE} each way")
    if not 1 <= channel_count <= MAX_CHANNELS:
        raise InputError(f"{printable(path)} has {channel_count} channels; use 1 to {MAX_CHANNELS}")


def _png_bit_depth(header: bytes) -> int:
    """Bits of a PNG's samples; 8 for what is no PNG."""
    return header[24] if len(header) >= _PNG_HEADER_BYTES and header.startswith(b"\x89PNG") else 8


def _read_pillow(path: Path, data: bytes | None = None) -> NDArray[np.generic]:
    with _pillow_limit(), Image.open(path if data is None else io.BytesIO(data)) as picture:
        _check_size(path, *picture.size)
        mode = _PILLOW_MODES.get(picture.mode)
        if mode is None:
            raise InputError(f"{printable(path)} has an unsupported layout ({picture.mode}); save it as RGB or RGBA")
        if "transparency" in picture.info and mode in {"L", "RGB"}:
            mode = {"L": "LA", "RGB": "RGBA"}[mode]
    with _pillow_limit():
        return np.asarray(iio.imread(path if data is None else data, plugin="pillow", index=0, mode=mode))


def _read_png16(path: Path, data: bytes) -> NDArray[np.generic]:
    width, height = (int.from_bytes(data[start : start + 4], "big") for start in (16, 20))
    _check_size(path, width, height)
    return np.asarray(imagecodecs.png_decode(data))


def _read_tiff(path: Path) -> NDArray[np.generic]:
    with path.open("rb") as file:
        header = file.read(8)
        if header[2:3] == b"\x2b" or header[3:4] == b"\x2b":  # BigTIFF has a longer header
            header += file.read(8)
        directory = TiffImagePlugin.ImageFileDirectory_v2(header)
        file.seek(directory.next)
        directory.load(file)
    tags = {name: directory.get(tag) for name, tag in _TIFF_TAGS.items()}
    samples = int(tags["samples"] or 1)
    _check_size(path, int(tags["width"] or 0), int(tags["height"] or 0), samples)
    bits = set(np.ravel(tags["bits"] or 1).tolist())
    if tags["photometric"] in {1, 2} and bits <= {8, 16, 32, 64}:
        return np.asarray(imagecodecs.tiff_decode(path.read_bytes()))
    return _read_pillow(path)  # palettes, 1-bit, CMYK, YCbCr and inverted grey


def _encode_tiff(texels: NDArray[np.generic]) -> bytes:
    channel_count = texels.shape[2]
    return bytes(
        imagecodecs.tiff_encode(
            texels if channel_count > 1 else texels[..., 0],
            compression=imagecodecs.TIFF.COMPRESSION.ADOBE_DEFLATE,
            photometric="rgb" if channel_count >= 3 else "minisblack",
            planarconfig="contig",
            extrasample="unassalpha" if channel_count in {2, 4} else None,
        )
    )


def _read_exr(path: Path) -> NDArray[np.generic]:
    header = OpenEXR.File(str(path), header_only=True).header()
    (left, top), (right, bottom) = header["dataWindow"]
    _check_size(path, int(right) - int(left) + 1, int(bottom) - int(top) + 1, len(header["channels"]))
    for channel in header["channels"]:
        if channel.xSampling != 1 or channel.ySampling != 1:
            raise InputError(f"{printable(path)} has the subsampled channel {printable(channel.name)}; save it in full")
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    names = sorted(channels, key=_exr_channel_order)
    planes = [channels[name].pixels for name in names]
    for name, plane in zip(names, planes, strict=True):
        if plane.dtype not in (np.float16, np.float32):
            raise InputError(
                f"{printable(path)} has the integer channel {printable(name)}; save its channels as half or float"
            )
    return np.stack(planes, axis=-1)  # half and float mixed become float


def _exr_channel_order(name: str) -> tuple[str, int, str]:
    """Sort key: layer by layer, and within a layer R, G, B, Y, A before everything else."""
    layer, _, channel = name.rpartition(".")
    return layer, "RGBYA".index(channel) if channel and channel in "RGBYA" else 5, channel


def _encode_exr(texels: NDArray[np.generic]) -> bytes:
    known = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}
    names = known.get(texels.shape[2]) or [f"channel{index:02d}" for index in range(texels.shape[2])]
    channels = {name: np.ascontiguousarray(texels[..., index]) for index, name in enumerate(names)}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory() as folder:  # OpenEXR writes to named files only
        path = Path(folder) / "image.exr"
        OpenEXR.File(header, channels).write(str(path))
        return path.read_bytes()


@contextmanager
def _pillow_limit() -> Iterator[None]:
    """Let Pillow open what we accept: its own limit is below 16384², and :func:`_check_size` stands in for it."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_SIZE * MAX_SIZE
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _quiet_codecs() -> Iterator[None]:
    """Keep libpng, libtiff and OpenEXR from printing: an error is one line, and it is ours."""
    with contextlib.ExitStack() as cleanup, warnings.catch_warnings(), Path(os.devnull).open("w") as nothing:
        warnings.simplefilter("ignore")  # Pillow warns about damaged metadata
        cleanup.enter_context(contextlib.redirect_stdout(nothing))  # OpenEXR warns through Python's print
        with contextlib.suppress(OSError):  # no stderr at all
            saved = os.dup(2)
            cleanup.callback(os.close, saved)
            cleanup.callback(os.dup2, saved, 2)
            os.dup2(nothing.fileno(), 2)
        yield
