"""The image file formats: what is read of each, what can be written, and how a file is told by its first bytes.

The one table for the code, for messages and for docs/inputs.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.formats.vocabulary import MAX_CHANNELS, SampleFormat

_BYTES: Final = frozenset({SampleFormat.UINT8})
_INTEGERS: Final = frozenset({SampleFormat.UINT8, SampleFormat.UINT16})
_FLOATS: Final = frozenset({SampleFormat.FLOAT16, SampleFormat.FLOAT32})


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One image file format."""

    name: str
    suffixes: tuple[str, ...]  # lower case, the usual one first
    signatures: tuple[bytes, ...]  # the first bytes; a ? stands for any byte
    depths: str  # what is read, for docs
    layouts: str
    interpreted: str  # tags and metadata that decide what a sample means
    refused: str
    sample_formats: frozenset[SampleFormat] = frozenset()  # that can be written; none: it is only read
    channel_counts: range = range(0)
    lossless: bool = True  # as it is written here
    is_secondary: bool = False  # left out beside another format's file of the same stem: a copy or a working file


ALL_FORMATS: Final = (
    FileFormat(
        name="PNG",
        suffixes=(".png",),
        signatures=(b"\x89PNG\r\n\x1a\n",),
        depths="1, 2, 4, 8, 16 bits",
        layouts="grey, RGB, palette, each with alpha; interlaced",
        interpreted="transparent colours become alpha; of an animation the still picture is read; a missing end marker "
        "is forgiven",
        refused="damaged chunks of texels",
        sample_formats=_INTEGERS,
        channel_counts=range(1, 5),
    ),
    FileFormat(
        name="JPEG",
        suffixes=(".jpg", ".jpeg", ".jfif"),
        signatures=(b"\xff\xd8\xff",),
        depths="8 bits",
        layouts="grey, YCbCr, RGB, CMYK; baseline, progressive",
        interpreted="Adobe's marker; CMYK becomes RGB; a missing end marker is forgiven where no texel is missing",
        refused="12 bits, lossless, arithmetic-coded; texels missing",
        sample_formats=_BYTES,
        channel_counts=range(1, 4, 2),
        lossless=False,
    ),
    FileFormat(
        name="TGA",
        suffixes=(".tga",),
        signatures=(),
        depths="8 bits; 15 and 16 bits per texel become 8 per channel",
        layouts="grey, grey and alpha, RGB, RGBA, colour maps with and without alpha; plain, runs, also across rows; "
        "any origin",
        interpreted="attribute bits and attributes type: a fourth channel that is none and holds one value is left "
        "out, premultiplied alpha divided out",
        refused="other depths, indices of 16 bits",
        sample_formats=_BYTES,
        channel_counts=range(1, 5),
    ),
    FileFormat(
        name="TIFF",
        suffixes=(".tif", ".tiff"),
        signatures=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        depths="integers of 1 to 16 bits (widened to 8 or 16), floats of 16, 32 and 64 bits (64 become 32)",
        layouts="grey, white-is-zero, RGB, palette, CMYK, YCbCr within JPEG; 1 to 32 channels, interleaved or "
        "planar; strips or tiles; BigTIFF; LZW, Deflate, PackBits, CCITT, JPEG, LZMA, Zstandard",
        interpreted="extra samples: associated alpha is divided out; CMYK becomes RGB; the first page that is no "
        "reduced copy is read",
        refused="signed, complex and 32-bit integers, mixed depths, Lab, camera raw, volumes, other compressions",
        sample_formats=_INTEGERS | _FLOATS,
        channel_counts=range(1, MAX_CHANNELS + 1),
    ),
    FileFormat(
        name="WebP",
        suffixes=(".webp",),
        signatures=(b"RIFF????WEBP",),
        depths="8 bits",
        layouts="RGB, RGBA; lossy, lossless",
        interpreted="of an animation the first frame is read",
        refused="",
        sample_formats=_BYTES,
        channel_counts=range(3, 5),
    ),
    FileFormat(
        name="EXR",
        suffixes=(".exr",),
        signatures=(b"v/1\x01",),
        depths="half, float (mixed become float)",
        layouts="1 to 32 channels in layers; scan lines, tiles",
        interpreted="the picture is the display window: 0 where no data window is; channels come as R, G, B, Y, A in "
        "either case, as X, Y, Z, C, M, Y, K or L, A, B, alphas of each colour as AR, AG, AB, others by name; "
        "of several parts the first with more than UINT channels is read; those are left out",
        refused="deep, subsampled, luminance with chroma (Y, RY, BY), only UINT",
        sample_formats=_FLOATS,
        channel_counts=range(1, MAX_CHANNELS + 1),
    ),
    FileFormat(
        name="BMP",
        suffixes=(".bmp", ".dib"),
        signatures=(b"BM",),
        depths="palettes of 1 to 8 bits, 5 to 8 bits per channel (widened to 8)",
        layouts="grey, RGB, RGBA; plain, runs, bit fields; from the bottom or the top",
        interpreted="the alpha mask: without one a fourth byte is left out",
        refused="JPEG or PNG within",
        is_secondary=True,
    ),
    FileFormat(
        name="GIF",
        suffixes=(".gif",),
        signatures=(b"GIF87a", b"GIF89a"),
        depths="palettes of 8 bits",
        layouts="RGB, RGBA",
        interpreted="the transparent colour becomes alpha; the first frame is read",
        refused="",
        is_secondary=True,
    ),
    FileFormat(
        name="Radiance HDR",
        suffixes=(".hdr", ".pic"),
        signatures=(b"#?RADIANCE", b"#?RGBE"),
        depths="RGBE, as 32-bit floats",
        layouts="RGB; plain, runs",
        interpreted="rows and columns are turned the right way; exposure and gamma lines are not applied, and said",
        refused="XYZE, columns first",
        is_secondary=True,
    ),
    FileFormat(
        name="JPEG 2000",
        suffixes=(".jp2", ".j2k", ".j2c", ".jpf", ".jpx"),
        signatures=(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
        depths="integers of 1 to 16 bits (widened to 8 or 16)",
        layouts="1 to 32 channels; lossy, lossless",
        interpreted="channel definitions: premultiplied alpha is divided out",
        refused="signed or mixed depths, palettes, subsampled, other colour spaces than sRGB and grey",
        is_secondary=True,
    ),
    FileFormat(
        name="DDS",
        suffixes=(".dds",),
        signatures=(b"DDS ",),
        depths="BC1 to BC7; integers of 4 to 16 bits (widened to 8 or 16), half, float",
        layouts="1 to 4 channels; level 0 of the first face or slice",
        interpreted="alpha mode, DXT2, DXT4: premultiplied alpha is divided out; BC1 without transparent texels is RGB",
        refused="signed formats other than BC6H, volumes, typeless, video, packed floats",
        is_secondary=True,
    ),
    FileFormat(
        name="KTX 2",
        suffixes=(".ktx2",),
        signatures=(b"\xabKTX 20\xbb\r\n\x1a\n",),
        depths="BC1 to BC7; integers of 8 and 16 bits, half, float",
        layouts="1 to 4 channels; level 0 of the first layer and face; plain, Zstandard, zlib",
        interpreted="KTXorientation, KTXswizzle; premultiplied alpha is divided out",
        refused="Basis Universal, ASTC, ETC, signed formats other than BC6H, volumes",
        is_secondary=True,
    ),
    FileFormat(
        name="PSD",
        suffixes=(".psd", ".psb"),
        signatures=(b"8BPS",),
        depths="integers of 1, 8 and 16 bits, 32-bit floats",
        layouts="the flattened picture: grey, duotone, indexed, RGB, CMYK, multichannel, with alpha channels; plain, "
        "runs, ZIP",
        interpreted="CMYK becomes RGB; whether a flattened picture was saved",
        refused="Lab; files saved without Maximize Compatibility",
        is_secondary=True,
    ),
)

FORMATS: Final = {suffix: entry for entry in ALL_FORMATS for suffix in entry.suffixes}
"""File formats by lower-case suffix."""

WRITTEN: Final = {suffix: entry for suffix, entry in FORMATS.items() if entry.sample_formats}
"""Those that can be written."""

TGA: Final = FORMATS[".tga"]
TGA_FOOTER: Final = b"TRUEVISION-XFILE.\0"
"""What a TGA of version 2 ends with; an older one has no signature."""

_OTHERS: Final[dict[bytes, str]] = {
    b"\xabKTX 11": "a KTX 1 texture", b"sB": "a Basis Universal texture", b"\x13\xab\xa1\x5c": "an ASTC texture",
    b"????ftypavif": "an AVIF image", b"????ftypheic": "a HEIC image", b"????ftypmif1": "a HEIF image",
    b"\0\0\0\x0cJXL ": "a JPEG XL image", b"\xff\x0a": "a JPEG XL image", b"II\xbc\x01": "a JPEG XR image",
    b"gimp xcf": "a GIMP picture", b"qoif": "a QOI image", b"%PDF": "a PDF", b"PK\x03\x04": "a ZIP archive",
    b"<svg": "an SVG drawing", b"<?xml": "an XML file", b"P6": "a PPM image", b"P5": "a PGM image",
    b"PF": "a PFM image", b"SDPX": "a DPX image", b"XPDS": "a DPX image", b"\x01\xda": "an SGI image",
    b"<!DOCTYPE": "a web page", b"\x89PNG\n\x1a\n": "a PNG whose line ends were changed, by a transfer as text",
    b"\x1f\x8b": "a gzip archive", b"\x89IGS\r\n": "an .igs file (decode makes images of it)",
    b"version https://git-lfs": "a pointer of Git LFS, not the image itself (git lfs pull gets it)",
}  # fmt: skip
"""What files with an image's suffix turn out to be."""

SIGNATURE_BYTES: Final = 32
"""How much of a file's beginning tells what it is."""


def detect(beginning: bytes) -> FileFormat | None:
    """Tell a file's format by its first :data:`SIGNATURE_BYTES`; None where no signature is known (TGA has none)."""
    return next((entry for entry in ALL_FORMATS if any(_begins(beginning, mark) for mark in entry.signatures)), None)


def other_kind(beginning: bytes) -> str | None:
    """Say what a file is that is none of the formats that are read; None where that is not known."""
    return next((words for mark, words in _OTHERS.items() if _begins(beginning, mark)), None)


def copies_of_others(paths: Iterable[Path]) -> dict[Path, Path]:
    """Find the files of a folder that lie beside a map of the same stem: textures made of it, or what it was made in.

    Returns:
        Those to leave out, each with the file that stands for it
    """
    entries = list(paths)
    first: dict[str, Path] = {}
    for path in entries:
        entry = FORMATS.get(path.suffix.lower())
        if entry is not None and not entry.is_secondary:
            first.setdefault(path.stem.casefold(), path)
    return {
        path: first[path.stem.casefold()]
        for path in entries
        if path.stem.casefold() in first
        and (entry := FORMATS.get(path.suffix.lower())) is not None
        and entry.is_secondary
    }


def can_hold(suffix: str, sample_format: SampleFormat, channel_count: int) -> bool:
    """Whether a file with this suffix can be written with such an array."""
    entry = WRITTEN.get(suffix.lower())
    return entry is not None and sample_format in entry.sample_formats and channel_count in entry.channel_counts


def _begins(beginning: bytes, mark: bytes) -> bool:
    head = beginning[: len(mark)]
    return len(head) == len(mark) and all(want in (ord("?"), got) for got, want in zip(head, mark, strict=True))
