"""Radiance HDR (.hdr, .pic): a mantissa for each colour and one exponent for all, as floats.

https://radsite.lbl.gov/radiance/refer/filefmts.pdf; the pixels are expanded by imagecodecs.
"""

import re
from typing import Final

import imagecodecs
import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images.picture import Decoded, check_claim, check_size

_MOST_HEADER: Final = 1 << 20
_SIZE: Final = re.compile(rb"([+-])Y ([0-9]{1,9}) ([+-])X ([0-9]{1,9})")
_RUN_WIDTHS: Final = range(8, 32768)  # narrower and wider pictures have no runs
_BYTES_PER_TEXEL: Final = 12


def decode_radiance(data: bytes, where: str) -> Decoded:
    """Decode a Radiance picture to float32 RGB, its rows and columns from the top left."""
    header_end = data.find(b"\n\n", 0, _MOST_HEADER)
    size_end = data.find(b"\n", header_end + 2, header_end + 80)
    if header_end < 0 or size_end < 0:
        raise InputError(f"{where} has a Radiance header without an end; it is damaged: export it again")
    notes = []
    for line in data[:header_end].split(b"\n"):
        key, _, value = (part.strip() for part in line.partition(b"="))
        if key.upper() == b"FORMAT" and value != b"32-bit_rle_rgbe":
            raise InputError(f"{where} is a Radiance picture of {_text(value)}; save it as RGBE or EXR")
        if key.upper() in {b"EXPOSURE", b"COLORCORR", b"GAMMA"} and value.strip(b" 1.0") != b"":
            notes.append(f"its {_text(key.upper())} of {_text(value)} is not applied: values stay as stored")
    size = _SIZE.fullmatch(data[header_end + 2 : size_end])
    if size is None:
        raise InputError(
            f"{where} is stored as {_text(data[header_end + 2 : size_end])}; save it upright (-Y height +X width)"
        )
    height, width = int(size[2]), int(size[4])
    check_size(where, width, height)
    check_claim(where, width * height * _BYTES_PER_TEXEL, len(data))
    pixels = data[size_end + 1 :]
    # The library takes its buffer's end for granted in some paths: what is missing is found here, before it looks.
    is_run = width in _RUN_WIDTHS and pixels[:2] == b"\x02\x02" and pixels[2:3] < b"\x80"
    if not is_run and len(pixels) < 4 * width * height:
        raise InputError(f"{where} ends early; it is damaged: export it again")
    header = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (height, width)
    texels = np.asarray(imagecodecs.rgbe_decode(header + pixels))
    if texels.shape != (height, width, 3):
        raise InputError(f"{where} is damaged; export it again")
    if size[1] == b"+":
        texels = texels[::-1]
    if size[3] == b"-":
        texels = texels[:, ::-1]
    return Decoded(texels, tuple(dict.fromkeys(notes)))


def _text(value: bytes) -> str:
    return printable(value[:80].decode("latin-1"))
