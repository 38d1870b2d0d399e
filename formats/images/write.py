"""One array -> one image file; what a format can hold is written without losing a bit, but for JPEG."""

import io
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
import OpenEXR
from numpy.typing import NDArray
from PIL import Image

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images.file_formats import WRITTEN, can_hold
from imagegs_tex.formats.images.tiff import encode_tiff
from imagegs_tex.formats.vocabulary import SampleFormat


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
        able = [name for name in WRITTEN if can_hold(name, sample_format, channel_count)]
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
        return encode_tiff(texels)
    buffer = io.BytesIO()
    picture = Image.fromarray(texels if channel_count > 1 else texels[..., 0])
    if suffix == ".tga":
        picture.save(buffer, format="TGA", compression="tga_rle")
    elif suffix == ".webp":
        picture.save(buffer, format="WEBP", lossless=True, exact=True)  # exact: keep the colour under alpha 0
    else:
        picture.save(buffer, format="JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def _encode_exr(texels: NDArray[np.generic]) -> bytes:
    known = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}
    names = known.get(texels.shape[2]) or [f"channel{index:02d}" for index in range(texels.shape[2])]
    channels = {name: np.ascontiguousarray(texels[..., index]) for index, name in enumerate(names)}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory() as folder:  # OpenEXR writes to named files only
        path = Path(folder) / "image.exr"
        OpenEXR.File(header, channels).write(str(path))
        return path.read_bytes()
