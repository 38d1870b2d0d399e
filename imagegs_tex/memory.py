"""How much memory a picture takes: said before the work begins, and refused where the machine has less.

Measured by benchmarks/large.py with the cpu backend, at 2048 x 2048 and 4096 x 4096 texels in three channels and at
16384 x 16384 in one: so much however small the picture is, for each texel, and for each texel and coded channel.
"""

import logging
from enum import Enum
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.machine_memory import machine_bytes

WORTH_SAYING: Final = 4_000_000_000
"""Bytes from which on the log says what is coming."""
_logger: Final = logging.getLogger("imagegs_tex")


class Work(Enum):
    """What is done with a picture: bytes for any, per texel, and per texel and coded channel."""

    COMPRESS = (800_000_000, 6, 40)
    DECODE = (400_000_000, 4, 12)
    EXPORT = (400_000_000, 52, 20)
    VERIFY = (650_000_000, 16, 28)
    VIEW = (900_000_000, 1, 4)
    VIEW_WITH_SOURCE = (400_000_000, 0, 56)

    @property
    def words(self) -> str:
        """What it is called."""
        return self.name.lower().replace("_", " ")

    def bytes_for(self, width: int, height: int, channels: int) -> int:
        """Return about how many bytes a picture takes, all in all.

        Args:
            width: texels
            height: texels
            channels: coded ones
        """
        fixed, per_texel, per_channel = self.value
        return fixed + width * height * (per_texel + per_channel * channels)


def check_memory(work: Work, width: int, height: int, channels: int, where: str) -> None:
    """Say what work with a large picture takes; InputError where the machine has less memory than that.

    Args:
        work: what is done
        width: texels
        height: texels
        channels: coded ones
        where: what it is done with, for the message; printable
    """
    needed, there = work.bytes_for(width, height, channels), machine_bytes()
    if there is not None and needed > there:
        raise InputError(
            f"{where}: {work.words} at {width} x {height} texels with {channels} channels takes about "
            f"{needed / 1e9:.1f} GB of memory, and this machine has {there / 1e9:.1f} GB; use smaller or fewer maps, "
            "or a machine with more"
        )
    if needed >= WORTH_SAYING:
        _logger.info("%s: takes about %.0f GB of memory", where, needed / 1e9)
