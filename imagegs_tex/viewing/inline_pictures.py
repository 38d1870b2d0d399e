"""Pictures as text inside a page, together within a number of bytes."""

import base64
import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagegs_tex.pictures.reduce import mean_of_blocks, reduction_for

MOST_BYTES: Final = 20_000_000
"""Of all pictures of a page, as they are written in it: mail servers take some 25 MB."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How the pictures of a page are stored."""

    most: int  # pixels across and down
    quality: int | None  # of JPEG with full chroma; None: WebP without loss

    @property
    def words(self) -> str:
        """What there is to say of it."""
        if self.quality is None:
            return f"at most {self.most} pixels across, without loss"
        return f"at most {self.most} pixels across, as JPEG of quality {self.quality}"


PACKINGS: Final = (Packing(1024, None), Packing(1024, 95), Packing(768, 92), Packing(512, 90), Packing(256, 80),
                   Packing(128, 60))  # fmt: skip
"""What is tried, the best first."""


def inline_pictures(pictures: Mapping[str, NDArray[np.uint8]]) -> tuple[dict[str, str], Packing]:
    """Return pictures as data URIs, and how they are stored: as well as MOST_BYTES allows, the smallest if need be.

    Args:
        pictures: uint8 [H, W, 3] or [H, W] by key
    """
    for packing in PACKINGS:
        with ThreadPoolExecutor() as pool:  # Pillow's encoders leave Python to others
            uris = pool.map(partial(data_uri, packing=packing), pictures.values())
            packed = dict(zip(pictures, uris, strict=True))
        if sum(map(len, packed.values())) <= MOST_BYTES:
            break
    return packed, packing


def data_uri(picture: NDArray[np.uint8], packing: Packing) -> str:
    """Return one picture as text that a browser shows."""
    factor = reduction_for(picture.shape[1], picture.shape[0], packing.most)
    if factor > 1:
        planes = picture[..., None] if picture.ndim == 2 else picture
        small = np.asarray(np.rint(mean_of_blocks(planes, factor)), dtype=np.uint8)
        picture = small[..., 0] if picture.ndim == 2 else small
    image, buffer = Image.fromarray(picture), io.BytesIO()
    if packing.quality is None:
        image.save(buffer, format="WEBP", lossless=True, quality=20, method=1)
        return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    image.save(buffer, format="JPEG", quality=packing.quality, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
