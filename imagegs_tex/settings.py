"""What can be chosen, with the defaults that measurements chose; plain data, no torch."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from imagegs_tex.formats.igs.entropy import Entropy

if TYPE_CHECKING:  # numpy takes a while to import
    from imagegs_tex.formats.vocabulary import Semantic

Value = TypeVar("Value")


class Topic(StrEnum):
    """What settings are about, as every list of them groups them, with what is written above each group."""

    RUN = "How long a fit runs"
    START = "Where the first Gaussians are"
    POPULATION = "How Gaussians come and go"
    ERROR = "What counts as an error"
    RATES = "How far a step goes"
    SOLVE = "How colours are found"
    REACH = "How far a Gaussian reaches"
    ROUNDING = "How the fit becomes a file"
    PRECISION = "How finely a file stores it"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What there is to say of a setting beside its name, type and default: the words that every list of them shows."""

    words: str  # one plain sentence
    topic: Topic
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
    topic: Topic,
    multiple_of: float | None = None,
    unit: str = "",
    reason: str = "",
) -> Value:
    """Return a dataclass field with a default and its meaning."""
    return field(default=default, metadata={MEANING: Meaning(words, topic, least, most, multiple_of, unit, reason)})


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


class ResidualMode(StrEnum):
    """Whether a file may get a residual layer: blocks of cosines for what fewer Gaussians leave."""

    AUTO = "auto"  # where the file is smaller or better with it
    OFF = "off"


class RepeatMode(StrEnum):
    """Whether a file may be what repeats on a lattice: pictures of one cell, and weights of each."""

    AUTO = "auto"  # where the picture repeats, and the file is smaller or better for it
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

    steps: int = _setting(
        240, "How many steps a fit takes: more make a better file and take longer", 1, 100_000, topic=Topic.RUN
    )
    patience: int = _setting(
        0,
        "After how many steps without a better PSNR a fit ends early, once its steps become smaller; 0: it takes all",
        0,
        100_000,
        topic=Topic.RUN,
    )
    init: InitialPlacement = _setting(
        InitialPlacement.GRADIENT,
        "Where the first Gaussians go: where the maps change most, anywhere, or where people look first",
        topic=Topic.START,
    )
    random_share: float = _setting(
        0.3,
        "How many of the first Gaussians are spread evenly, as a share; the rest goes where there is most to draw",
        0.0,
        1.0,
        topic=Topic.START,
    )
    initial_size: float = _setting(
        0.4,
        "How wide a new Gaussian is, beside the distance to its neighbours (standard deviation over spacing)",
        0.05,
        4.0,
        reason="wider is slower and, with solved features, no better (0.5: -0.03 dB)",
        topic=Topic.START,
    )
    start_crowd: float = _setting(
        2.0, "How many Gaussians a fit begins with, for each one that it keeps", 1.0, 16.0, topic=Topic.POPULATION
    )
    population: tuple[PopulationChange, ...] = _setting(
        DEFAULT_POPULATION,
        "When Gaussians go and others come where the error is: the share of the fit, how many stay, and how many there "
        "are then, both over the number asked for; the last total is 1",
        reason="chosen among twenty on nine cases at equal PSNR: bytes -21 % against none, -8 % for one change, -19 % "
        "for three",
        topic=Topic.POPULATION,
    )
    cutoff: float = _setting(
        6.0,
        "How far from its middle a Gaussian still paints, when a fit begins (q at which its support ends)",
        1.0,
        32.0,
        reason="8 takes a fifth longer and gains nothing",
        topic=Topic.REACH,
    )
    least_cutoff: float = _setting(
        3.0,
        "How near that border may come during a fit, where it costs nothing (cutoff at the least)",
        1.0,
        32.0,
        topic=Topic.REACH,
    )
    seed: int = _setting(
        0,
        "Another number scatters the first Gaussians differently, for a slightly different file",
        0,
        2**32 - 1,
        topic=Topic.START,
    )
    time_budget: float | None = _setting(
        None,
        "The fit is to end after so long; what it reaches by then differs from run to run, and so may bytes",
        0.1,
        1e6,
        unit="seconds",
        topic=Topic.RUN,
    )
    l2_weight: float = _setting(
        1.0,
        "How much squared differences to the source count: a few large ones more than many small ones",
        0.0,
        1e6,
        topic=Topic.ERROR,
    )
    l1_weight: float = _setting(
        0.0,
        "How much plain differences count: large and small ones alike (absolute error of components)",
        0.0,
        1e6,
        topic=Topic.ERROR,
    )
    ssim_weight: float = _setting(
        0.0, "How much it counts that structure is lost (1 - SSIM, times the texel count)", 0.0, 1e6, topic=Topic.ERROR
    )
    mean_rate: float = _setting(
        0.35,
        "How far a step moves a Gaussian",
        1e-6,
        10.0,
        unit="own widths per step",
        reason="a rate in texels is too much for thin Gaussians: 5 % more bytes",
        topic=Topic.RATES,
    )
    shape_rate: float = _setting(
        0.16,
        "How far a step changes a Gaussian's size and direction",
        1e-6,
        10.0,
        unit="of m, h, b per step",
        reason="0.12: 0.5 % more bytes",
        topic=Topic.RATES,
    )
    feature_rate: float = _setting(
        0.15,
        "How far a step changes a Gaussian's colours and values",
        1e-6,
        10.0,
        unit="component standard deviations per step",
        topic=Topic.RATES,
    )
    decay_from: float = _setting(
        0.5, "The share of the fit after which steps become smaller and smaller", 0.0, 0.999, topic=Topic.RATES
    )
    last_rate: float = _setting(
        0.08, "How small the last steps are, beside the first ones", 1e-6, 1.0, topic=Topic.RATES
    )
    quantize_from: float = _setting(
        0.4,
        "The share of the fit after which it works with positions and shapes as a file can hold them",
        0.0,
        1.0,
        topic=Topic.ROUNDING,
    )
    refine_sweeps: int = _setting(
        6,
        "How often all positions and shapes are tried one by one for a smaller error, at the end",
        0,
        100,
        reason="each is worth less than the one before",
        topic=Topic.ROUNDING,
    )
    drop_turns: int = _setting(
        0,
        "In how many turns Gaussians go that are not worth their bits, half of them in each, as far as what they leave "
        "together costs no more; 0: all at once, whatever they leave",
        0,
        100,
        reason="where one sweep follows, a flat drawing of 512 x 512 at quality 50 took 21,992 bytes with 0 and takes "
        "4,413 with 4",
        topic=Topic.ROUNDING,
    )
    solve_interval: int = _setting(
        2,
        "After how many steps the best colours are computed anew; before decay_from after twice as many at least",
        1,
        10_000,
        topic=Topic.SOLVE,
    )
    early_solves: int = _setting(
        15,
        "How often colours are computed before decay_from; when Gaussians come and go is not counted",
        1,
        10_000,
        reason="30: 0.7 % more bytes, slower",
        topic=Topic.SOLVE,
    )
    solve_iterations: int = _setting(
        2,
        "How thoroughly colours are computed each time (conjugate-gradient iterations)",
        1,
        1000,
        reason="3: 0.6 % more bytes",
        topic=Topic.SOLVE,
    )
    solve_damping: float = _setting(
        0.3,
        "How strongly computed colours are held back from extremes (over the median diagonal)",
        0.0,
        100.0,
        reason="0.01 gains nothing and makes features large",
        topic=Topic.SOLVE,
    )


@dataclass(frozen=True, slots=True)
class Precision:
    """How finely each attribute is stored; steps go into the file as float32."""

    position_ratio: float = _setting(
        0.25, "How finely positions are stored: the step over a Gaussian's own width", 0.01, 4.0, topic=Topic.PRECISION
    )
    size_step: float = _setting(
        0.17,
        "How finely sizes are stored: the step of their logarithm (m); 0.17 is 9 % of a size",
        0.01,
        2.0,
        topic=Topic.PRECISION,
    )
    form_step: float = _setting(
        0.17, "How finely length and direction are stored (step of h and b)", 0.01, 2.0, topic=Topic.PRECISION
    )
    feature_exponent: float = _setting(
        0.5,
        "How much more finely the colours of wide Gaussians are stored: steps fall with the width to this power",
        0.0,
        1.0,
        multiple_of=1 / 16,
        topic=Topic.PRECISION,
    )
    feature_ratio: float = _setting(
        2.2,
        "How finely colours and values are stored: the step over the fit's own error, times how fast that falls with "
        "more Gaussians",
        0.001,
        100.0,
        topic=Topic.PRECISION,
    )
    rate_weight: float = _setting(
        0.25,
        "How much a saved bit counts against the squared error when colours are rounded; more is smaller and rougher",
        0.0,
        100.0,
        topic=Topic.PRECISION,
    )
    residual: ResidualMode = _setting(
        ResidualMode.AUTO,
        "Whether, from half a bit per texel and a twelfth per channel on, fewer Gaussians with blocks of cosines may "
        "be the file",
        topic=Topic.PRECISION,
    )
    repeat: RepeatMode = _setting(
        RepeatMode.AUTO,
        "Whether, where a picture repeats on a lattice, pictures of one cell and weights of each may be the file",
        topic=Topic.PRECISION,
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
_PRESET_DROP_TURNS: Final = {Preset.FAST: 4, Preset.BALANCED: 0, Preset.BEST: 0}


def preset_settings(preset: Preset) -> CompressSettings:
    """Return the settings of a preset."""
    fit = replace(
        FitSettings(), steps=_PRESET_STEPS[preset], refine_sweeps=_PRESET_SWEEPS[preset],
        drop_turns=_PRESET_DROP_TURNS[preset],
    )  # fmt: skip
    return CompressSettings(fit=fit)


def preset_of(settings: CompressSettings) -> Preset | None:
    """Return the preset that settings come from, whatever was asked for, the seed and the time budget; None if none."""
    own = replace(settings.fit, seed=0, time_budget=None)
    return next(
        (preset for preset in Preset if preset_settings(preset).fit == own and settings.precision == Precision()),
        None,
    )
