"""What a user can choose about how maps are understood; plain data without numpy, so that `--help` stays fast."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class NormalCoding(StrEnum):
    """How normal maps are coded."""

    AUTO = "auto"  # UNIT where the source's normals are unit vectors, STORED elsewhere
    UNIT = "unit"  # two numbers; decoded normals are unit vectors
    STORED = "stored"  # three numbers, as in the file


class AlphaUse(StrEnum):
    """What alpha is."""

    AUTO = "auto"  # COVERAGE where the colour under it is expensive, DATA elsewhere
    COVERAGE = "coverage"  # colours under alpha 0 do not count
    DATA = "data"  # all channels count everywhere
    PREMULTIPLIED = "premultiplied"  # the images' colours are multiplied by it: divided, then as AUTO


class Coverage(StrEnum):
    """Which texels of a glTF's maps count."""

    AUTO = "auto"  # those that its meshes show, where that can be told
    OFF = "off"  # all: something outside the file moves texture coordinates


class SaliencyMethod(StrEnum):
    """How saliency is found: where people look first."""

    ESTIMATE = "estimate"  # of the picture alone
    EMLNET = "emlnet"  # by the network EML-Net, whose weights the user has


@dataclass(frozen=True, slots=True)
class SaliencyOptions:
    """Where saliency comes from, when something asks for it."""

    method: SaliencyMethod = SaliencyMethod.ESTIMATE
    weights: Path | None = None  # folder of EML-Net's three files
    map_file: Path | None = None  # a grey image of a map's size, white where people look; instead of any method


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a material's images are to be taken."""

    importance: Path | None = None  # a grey image of a map's size: how much each texel counts
    size: tuple[int, int] | None = None  # width and height that all maps become; None: as the material says
    normals: NormalCoding = NormalCoding.AUTO
    alpha: AlphaUse = AlphaUse.AUTO
    wrap: tuple[bool | None, bool | None] = (None, None)  # whether the material repeats in x, y; None: guess
    coverage: Coverage = Coverage.AUTO
    importance_by_saliency: bool = False  # salient texels count more, besides what an importance mask says
    saliency: SaliencyOptions = SaliencyOptions()
    allow_roots: tuple[Path, ...] = ()  # folders besides its own in which a glTF's images may lie
    downsample: float = 1.0  # how many times smaller than the largest map all maps become across and down, 1 or more
