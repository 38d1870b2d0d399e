"""How much memory a picture takes: said before the work begins, and refused where the machine has less.

Measured with the cpu backend at 1536 x 1536 to 4096 x 4096 texels in one and three channels (benchmarks/large.py), what
is done in bands with smaller bands: so much however small the picture is, for each texel, for each texel and channel,
and in a fit for each Gaussian.
"""

import logging
from enum import Enum
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.machine_memory import machine_bytes
from imagegs_tex.formats.images import picture_samples
from imagegs_tex.formats.material.material_source import MapSource, MaterialSource
from imagegs_tex.formats.material.name_reading import MapTraits, read_names
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.vocabulary import MAX_SIZE, Semantic

WORTH_SAYING: Final = 4_000_000_000
"""Bytes from which on the log says what is coming."""
GAUSSIAN_BYTES: Final = 8400
"""Of a Gaussian in a fit: the equations of its feature and of those that it overlaps."""
_COLOURS: Final = 3
_logger: Final = logging.getLogger("imagegs_tex")


class Work(Enum):
    """What is done with a picture: bytes for any, per texel, and per texel and coded channel."""

    COMPARE = (750_000_000, 38, 12)
    COMPRESS = (600_000_000, 9, 27)
    DECODE = (400_000_000, 4, 12)
    EXPORT = (900_000_000, 20, 11)
    VERIFY = (650_000_000, 8, 9)
    VERIFY_WITH_SOURCE = (1_250_000_000, 7, 12)
    VIEW = (900_000_000, 1, 4)
    VIEW_WITH_SOURCE = (400_000_000, 0, 56)

    @property
    def words(self) -> str:
        """What it is called."""
        return self.name.lower().replace("_", " ")

    def bytes_for(self, width: int, height: int, channels: int, gaussians: int = 0) -> int:
        """Return about how many bytes a picture takes, all in all.

        Args:
            width: texels
            height: texels
            channels: coded ones
            gaussians: that are fitted
        """
        fixed, per_texel, per_channel = self.value
        return fixed + width * height * (per_texel + per_channel * channels) + gaussians * GAUSSIAN_BYTES


def check_by_headers(material: MaterialSource, options: SourceOptions | None, where: str) -> None:
    """Refuse to compress by its images' headers what :func:`check_memory` would refuse once they are read.

    Only what is as good as sure before: the size, and three channels where there is a colour with as many, else one.
    Others may turn out constant, grey, or another map's.

    Args:
        material: whose images are not read yet
        options: of them the size and by how much maps become smaller
        where: for the message; printable
    """
    there = machine_bytes()
    if there is None or Work.COMPRESS.bytes_for(MAX_SIZE, MAX_SIZE, _COLOURS) <= there:
        return
    chosen = options or SourceOptions()
    headers = []
    for source in material.maps:
        samples = picture_samples(source.image.path, source.image.data and source.image.data())
        if samples is not None and not source.is_optional:
            headers.append((source, samples))
    if not headers:
        return
    width, height, _ = max((samples for _, samples in headers), key=lambda samples: samples[0] * samples[1])
    asked = chosen.size or material.size
    width, height = asked or (max(1, round(side / chosen.downsample)) for side in (width, height))
    coloured = any(_is_colour(source, samples[2]) for source, samples in headers)
    check_memory(Work.COMPRESS, width, height, _COLOURS if coloured else 1, where, is_said=False)


def _is_colour(source: MapSource, channels: int) -> bool:
    """Whether a map is a colour of three channels or more, by its name or by what is said of it."""
    if channels < _COLOURS:
        return False
    if source.statement is None:
        (reading,) = read_names([MapTraits(source.name, channels, False)])
        return Semantic.BASE_COLOUR in reading.channel_semantics
    said = source.statement.channels
    return not {Semantic.BASE_COLOUR, Semantic.IMAGE}.isdisjoint(
        [said] if isinstance(said, Semantic) else said.values()
    )


def check_memory(
    work: Work, width: int, height: int, channels: int, where: str, *, gaussians: int = 0, is_said: bool = True
) -> None:  # fmt: skip
    """Say what work with a large picture takes; InputError where the machine has less memory than that.

    Args:
        work: what is done
        width: texels
        height: texels
        channels: coded ones
        where: what it is done with, for the message; printable
        gaussians: that are fitted
        is_said: whether the log says what takes much
    """
    needed, there = work.bytes_for(width, height, channels, gaussians), machine_bytes()
    if there is not None and needed > there:
        raise InputError(
            f"{where}: {work.words} at {width} x {height} texels with {channels} channels takes about "
            f"{needed / 1e9:.1f} GB of memory, and this machine has {there / 1e9:.1f} GB; use smaller or fewer maps, "
            "or a machine with more"
        )
    if is_said and needed >= WORTH_SAYING:
        _logger.info("%s: takes about %.0f GB of memory", where, needed / 1e9)
