"""What can be chosen, with the defaults that measurements chose; plain data, no torch."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from imagegs_tex.formats.igs.entropy import Entropy

if TYPE_CHECKING:  # numpy takes a while to import
    from imagegs_tex.formats.vocabulary import Semantic

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What there is to say of a setting beside its name, type and default: the words that every list of them shows."""

    words: str
    least: float | None = None  # of what may be asked for; None: no limit, or it is not a number
    most: float | None = None
    multiple_of: float | None = None
    unit: str = ""
    reason: str = ""  # why the default is what it is, measured


MEANING: Final = "meaning"
"""Under which a field's metadata has its :class:`Meaning`."""


def _setting(
    default: Value,
    words: str,
    least: float | None = None,
    most: float | None = None,
    *,
    multiple_of: float | None = None,
    unit: str = "",
    reason: str = "",
) -> Value:
    """Return a dataclass field with a default and its meaning."""
    return field(default=default, metadata={MEANING: Meaning(words, least, most, multiple_of, unit, reason)})


class Preset(StrEnum):
    """How much time to spend; docs/benchmarks/quality.md says what the best one buys."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class ImageFormat(StrEnum):
    """What decoded maps can be written as."""

    PNG = "png"
    EXR = "exr"
    TGA = "tga"


class InitialPlacement(StrEnum):
    """Where Gaussians start."""

    GRADIENT = "gradient"  # in proportion to the picture's gradient, a share of them evenly
    RANDOM = "random"  # evenly
    SALIENCY = "saliency"  # in proportion to where people look first, a share of them evenly


class DetailMode(StrEnum):
    """Whether a file gets a detail layer: noise for the contrast that its Gaussians lose."""

    AUTO = "auto"  # where the source has grain that the decode has not
    OFF = "off"


class TextureContainer(StrEnum):
    """What exported textures are written as."""

    DDS = "dds"
    KTX2 = "ktx2"
    PNG = "png"


class SplatFormat(StrEnum):
    """What a file's Gaussians are written as, for viewers of 3D Gaussian splats."""

    PLY = "ply"  # most viewers
    SPLAT = "splat"  # small viewers in browsers: 32 bytes per Gaussian


@dataclass(frozen=True, slots=True)
class PopulationChange:
    """A point of the fit at which Gaussians go and others come; numbers are relative to the number asked for."""

    at: float  # share of the fit that is done
    kept: float  # the most important ones stay
    total: float  # with the new ones, placed where the error is


DEFAULT_POPULATION: Final = (
    PopulationChange(0.12, 1.0, 1.5),
    PopulationChange(0.25, 1.0, 1.4),
    PopulationChange(0.38, 1.0, 1.3),
    PopulationChange(0.5, 1.0, 1.0),
)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How the Gaussians are fitted."""

    steps: int = _setting(240, "optimiser steps of a fit", 1, 100_000)
    patience: int = _setting(
        0,
        "steps without a better PSNR after which a fit ends early, once rates fall; 0: it takes all its steps",
        0,
        100_000,
    )
    init: InitialPlacement = _setting(InitialPlacement.GRADIENT, "where Gaussians start")
    random_share: float = _setting(
        0.3, "share of the first Gaussians that are spread evenly; the rest follows the gradient's magnitude", 0.0, 1.0
    )
    initial_size: float = _setting(
        0.4,
        "standard deviation of a new Gaussian over the spacing around it",
        0.05,
        4.0,
        reason="wider is slower and, with solved features, no better (0.5: -0.03 dB)",
    )
    start_crowd: float = _setting(2.0, "Gaussians at the start, over the number asked for", 1.0, 16.0)
    population: tuple[PopulationChange, ...] = _setting(
        DEFAULT_POPULATION,
        "when Gaussians go and come, as share-of-the-fit:kept:total over the number asked for; the last total is 1",
        reason="chosen among twenty on nine cases at equal PSNR: bytes -21 % against none, -8 % for one change, -19 % "
        "for three",
    )
    cutoff: float = _setting(
        6.0,
        "q at which a support ends, at the start of a fit",
        1.0,
        32.0,
        reason="8 takes a fifth longer and gains nothing",
    )
    least_cutoff: float = _setting(3.0, "q down to which a fit lowers its cut-off where that costs nothing", 1.0, 32.0)
    seed: int = _setting(0, "of the initial positions", 0, 2**32 - 1)
    time_budget: float | None = _setting(
        None, "the schedule is stretched or cut to end then, so bytes may vary", 0.1, 1e6, unit="seconds"
    )
    l2_weight: float = _setting(1.0, "of the squared error, summed over channels", 0.0, 1e6)
    l1_weight: float = _setting(0.0, "of the absolute error of components", 0.0, 1e6)
    ssim_weight: float = _setting(0.0, "of 1 - SSIM, times the texel count", 0.0, 1e6)
    mean_rate: float = _setting(
        0.35,
        "how far a step moves a Gaussian",
        1e-6,
        10.0,
        unit="own widths per step",
        reason="a rate in texels is too much for thin Gaussians: 5 % more bytes",
    )
    shape_rate: float = _setting(
        0.16,
        "how far a step changes a form",
        1e-6,
        10.0,
        unit="of m, h, b per step",
        reason="0.12: 0.5 % more bytes",
    )
    feature_rate: float = _setting(
        0.15, "how far a step changes features", 1e-6, 10.0, unit="component standard deviations per step"
    )
    decay_from: float = _setting(0.5, "share of the fit after which the rates fall geometrically", 0.0, 0.999)
    last_rate: float = _setting(0.08, "rates at the end, relative", 1e-6, 1.0)
    quantize_from: float = _setting(
        0.4, "share of the fit after which positions and shapes are rounded on the way forward", 0.0, 1.0
    )
    refine_sweeps: int = _setting(
        6,
        "over all geometry codes once the steps are done",
        0,
        100,
        reason="each is worth less than the one before",
    )
    solve_interval: int = _setting(
        2, "steps between solutions for the features; before decay_from twice that at least", 1, 10_000
    )
    early_solves: int = _setting(
        15,
        "solutions for the features before decay_from, not counting those of changing populations",
        1,
        10_000,
        reason="30: 0.7 % more bytes, slower",
    )
    solve_iterations: int = _setting(
        2, "conjugate-gradient iterations of each solution", 1, 1000, reason="3: 0.6 % more bytes"
    )
    solve_damping: float = _setting(
        0.3,
        "of each solution, relative to the median diagonal",
        0.0,
        100.0,
        reason="0.01 gains nothing and makes features large",
    )


@dataclass(frozen=True, slots=True)
class Precision:
    """How finely each attribute is stored; steps go into the file as float32."""

    position_ratio: float = _setting(0.25, "position step over the Gaussian's own width along that axis", 0.01, 4.0)
    size_step: float = _setting(0.17, "step of m: 9 % of the size", 0.01, 2.0)
    form_step: float = _setting(0.17, "step of h and b", 0.01, 2.0)
    feature_exponent: float = _setting(
        0.5, "feature steps fall with a Gaussian's width to this power", 0.0, 1.0, multiple_of=1 / 16
    )
    feature_ratio: float = _setting(
        2.2,
        "feature step over the fit's root mean square error, times how fast error falls with N",
        0.001,
        100.0,
    )
    rate_weight: float = _setting(
        0.25, "how much a bit weighs against squared error when features are rounded", 0.0, 100.0
    )


@dataclass(frozen=True, slots=True)
class QualityTarget:
    """A quality that a file must have."""

    value: float  # dB, or mean degrees
    semantic: "Semantic | None" = None  # of the channels that it is asked of; None: all channels of all maps
    in_degrees: bool = False  # normals only


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """Everything that decides the bytes of a file, apart from the source."""

    # at most one of the first five, or targets; none of them: DEFAULT_QUALITY
    quality: float | None = None  # 0..100, what people see; docs/guide/artist.md says what numbers mean
    gaussian_count: int | None = None
    bits_per_texel: float | None = None  # of the complete file, whole stack
    max_bytes: int | None = None  # of the complete file
    max_gpu_bytes: int | None = None  # of the material on the GPU, coarse levels included
    target_psnr: float | None = (
        None  # dB over all channels of all maps, of the written file decoded again, by importance
    )
    targets: tuple[QualityTarget, ...] = ()  # the smallest file that reaches all of them, and target_psnr where given
    detail: DetailMode = DetailMode.AUTO
    entropy: Entropy = Entropy.SMALL  # how the file is coded
    fit: FitSettings = FitSettings()
    precision: Precision = Precision()


MOST_QUALITY: Final = 100.0
DEFAULT_QUALITY: Final = 50.0
DEFAULT_TEXELS_PER_GAUSSIAN: Final = 128
LEAST_TEXELS_PER_GAUSSIAN: Final = 3
"""More Gaussians than that and plain texels are the better code."""
"""Where searches begin."""


def asked_quality(settings: CompressSettings) -> float | None:
    """Return the quality 0..100 that settings ask for, the usual one where they ask for nothing; None for others."""
    others = (
        settings.gaussian_count,
        settings.bits_per_texel,
        settings.max_bytes,
        settings.max_gpu_bytes,
        settings.target_psnr,
    )
    if settings.targets or any(other is not None for other in others):
        return settings.quality
    return DEFAULT_QUALITY if settings.quality is None else settings.quality


_PRESET_STEPS: Final = {Preset.FAST: 60, Preset.BALANCED: 240, Preset.BEST: 800}
_PRESET_SWEEPS: Final = {Preset.FAST: 1, Preset.BALANCED: 6, Preset.BEST: 10}


def preset_settings(preset: Preset) -> CompressSettings:
    """Return the settings of a preset."""
    fit = replace(FitSettings(), steps=_PRESET_STEPS[preset], refine_sweeps=_PRESET_SWEEPS[preset])
    return CompressSettings(fit=fit)


def preset_of(settings: CompressSettings) -> Preset | None:
    """Return the preset that settings come from, whatever was asked for, the seed and the time budget; None if none."""
    own = replace(settings.fit, seed=0, time_budget=None)
    return next(
        (preset for preset in Preset if preset_settings(preset).fit == own and settings.precision == Precision()),
        None,
    )
