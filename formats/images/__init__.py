"""Image files in and out: :func:`read_picture` gives texels with notes on them, :func:`write_image` writes a file.

A file per family of formats; file_formats is the table of what each holds. Nothing is allocated before a header's size
has been checked.
"""

from imagegs_tex.formats.images.file_formats import (
    FORMATS,
    SIGNATURE_BYTES,
    WRITTEN,
    can_hold,
    copies_of_others,
    detect,
    other_kind,
)
from imagegs_tex.formats.images.picture import Picture
from imagegs_tex.formats.images.read import picture_samples, picture_size, read_image, read_picture
from imagegs_tex.formats.images.write import encode_image, write_image

__all__ = [
    "FORMATS",
    "SIGNATURE_BYTES",
    "WRITTEN",
    "Picture",
    "can_hold",
    "copies_of_others",
    "detect",
    "encode_image",
    "other_kind",
    "picture_samples",
    "picture_size",
    "read_image",
    "read_picture",
    "write_image",
]
