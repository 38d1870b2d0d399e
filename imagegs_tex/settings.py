"""What can be chosen, with the defaults that measurements chose; plain data, no torch."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # numpy takes a while to import
    from imagegs_tex.formats.vocabulary import Semantic


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
"""Chosen among twenty on nine cases at equal PSNR: bytes -21 % against none, -8 % for one change, -19 % for three."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How the Gaussians are fitted."""

    steps: int = 240  # optimiser steps
    start_crowd: float = 2.0  # Gaussians at the start, over the number asked for
    population: tuple[PopulationChange, ...] = DEFAULT_POPULATION  # in order; the last total is 1
    cutoff: float = 6.0  # q at which a support ends, at the start; 8 takes a fifth longer and gains nothing
    least_cutoff: float = 3.0  # as far as the fit lowers it where that costs nothing
    seed: int = 0
    time_budget: float | None = None  # seconds; the schedule is stretched or cut to end there, so bytes may vary
    l2_weight: float = 1.0  # of the squared error, summed over channels
    l1_weight: float = 0.0  # of the absolute error of components
    ssim_weight: float = 0.0  # of 1 - SSIM, times the texel count
    mean_rate: float = 0.35  # own widths per step; a rate in texels is too much for thin Gaussians: 5 % more bytes
    shape_rate: float = 0.16  # of m, h, b per step; 0.12: 0.5 % more bytes
    feature_rate: float = 0.15  # component standard deviations per step
    decay_from: float = 0.5  # share of the fit after which the rates fall geometrically
    last_rate: float = 0.08  # rates at the end, relative
    quantize_from: float = 0.4  # share of the fit after which positions and shapes are rounded on the way forward
    refine_sweeps: int = 2  # over all geometry codes once the steps are done; each is worth less than the one before
    solve_interval: int = 2  # steps between solutions for the features; before decay_from twice that at least
    early_solves: int = (
        15  # before decay_from, not counting those of changing populations; 30: 0.7 % more bytes, slower
    )
    solve_iterations: int = 2  # conjugate-gradient iterations of each; 3: 0.6 % more bytes
    solve_damping: float = 0.3  # relative to the median diagonal; 0.01 gains nothing and makes features large


@dataclass(frozen=True, slots=True)
class Precision:
    """How finely each attribute is stored; steps go into the file as float32."""

    position_ratio: float = 0.25  # position step over the Gaussian's own width along that axis
    size_step: float = 0.17  # of m: 9 % of the size
    form_step: float = 0.17  # of h and b
    feature_exponent: float = 0.5  # feature steps fall with a Gaussian's width to this power, in sixteenths
    feature_ratio: float = 2.2  # feature step over the fit's root mean square error, times how fast error falls with N
    rate_weight: float = 0.25  # how much a bit weighs against squared error when features are rounded


@dataclass(frozen=True, slots=True)
class QualityTarget:
    """A quality that a file must have."""

    value: float  # dB, or mean degrees
    semantic: "Semantic | None" = None  # of the channels that it is asked of; None: all channels of all maps
    in_degrees: bool = False  # normals only


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """Everything that decides the bytes of a file, apart from the source."""

    # at most one of the first three, or targets; none of them: one Gaussian per DEFAULT_TEXELS_PER_GAUSSIAN
    gaussian_count: int | None = None
    bits_per_texel: float | None = None  # of the complete file, whole stack
    max_bytes: int | None = None  # of the complete file
    target_psnr: float | None = (
        None  # dB over all channels of all maps, of the written file decoded again, by importance
    )
    targets: tuple[QualityTarget, ...] = ()  # the smallest file that reaches all of them, and target_psnr where given
    detail: DetailMode = DetailMode.AUTO
    fit: FitSettings = FitSettings()
    precision: Precision = Precision()


DEFAULT_TEXELS_PER_GAUSSIAN: Final = 128

_PRESET_STEPS: Final = {Preset.FAST: 60, Preset.BALANCED: 240, Preset.BEST: 800}
_PRESET_SWEEPS: Final = {Preset.FAST: 1, Preset.BALANCED: 2, Preset.BEST: 6}


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
