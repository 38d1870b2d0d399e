"""Source images beside a file in the viewer: as pictures of codes, which is what the viewer draws of a decode."""

from pathlib import Path
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import encode_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.formats.transfer_functions import encode_log
from imagegs_tex.formats.vocabulary import Samples, TextureMap, Transfer
from imagegs_tex.metrics.match_source import source_indices

_MOST_CHANNELS: Final = 4


def source_pictures(file: Path, source: Path, options: SourceOptions | None = None) -> list[bytes]:
    """Return a picture of each map's source, in a file's order.

    Args:
        file: an .igs file
        source: what it was made of
        options: how the source is read

    Raises:
        IgsError: the file is damaged
        InputError: the source cannot be used, or is not what the file was made of
    """
    stack = load_stack(source, options, material=file.stem)
    indices = source_indices(read_igs(file), stack, source, larger=True)
    return [source_picture(source_map(stack, index), stack.maps[index]) for index in indices]


def source_picture(samples: Samples, texture_map: TextureMap) -> bytes:
    """Return a map as a PNG of 8 bits: of more than four channels the first four.

    Args:
        samples: [H, W, channels] in the map's sample format
        texture_map: the map
    """
    first = samples[..., :_MOST_CHANNELS]
    if texture_map.transfer == Transfer.LOG:
        codes = encode_log(first, texture_map.log_range)
    else:
        codes = first.astype(np.float32) / texture_map.sample_format.max_value
    return encode_image(np.rint(np.clip(codes, 0, 1) * 255).astype(np.uint8), ".png")
