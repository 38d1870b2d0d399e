"""What a verification found."""

import json
from dataclasses import asdict, dataclass
from typing import Final

from imagegs_tex.formats.files.file_hash import HashedFile
from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.provenance import Versions
from imagegs_tex.shaders.decode_cost import DecodeCost
from imagegs_tex.shaders.gpu_buffer import GpuBytes

MAX_ERROR: Final = 1 / 1024
"""Largest difference from the reference decode before rounding, over channels in [0, 1]."""

MAX_STEPS: Final = 1
"""Largest difference after rounding to 8 bits, in steps."""

MAX_LEVEL_ERROR: Final = 1.0
"""Largest root mean square of a stored level's differences from the picture's means, in steps of what is stored."""


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One decoder held against the reference decode."""

    name: str  # language-stage, such as glsl-compute
    passed: bool
    texel_error: float  # largest difference over the texels that are checked, and channels
    point_error: float  # largest over the random points and channels
    accessor_error: float | None  # largest over the points and all accessors; None where a variant does not run them
    sample_error: float | None  # largest over samples with footprints; None where the decoder has none
    steps: int  # largest difference after rounding to 8 bits, texels and points
    differing_share: float  # of all values, those whose 8-bit roundings differ
    milliseconds: float | None  # GPU timer, median, all texels and channels; None where not asked for
    failure: str = ""  # a compiler's message when it did not compile
    stochastic_error: float | None = None  # largest difference of means of draws; None where a variant has no draws


@dataclass(frozen=True, slots=True)
class TextureScore:
    """A texture made at load time, against the reference decode."""

    map_index: int
    pixel_format: str
    bytes: int  # of all levels
    block_error: float  # largest error of a block or texel, of all levels, over what the format allows: 1 at most
    psnr_db: tuple[float, ...]  # of each level


@dataclass(frozen=True, slots=True)
class TexturesResult:
    """All textures of a material as one language's shaders make them."""

    name: str  # language and compiler, such as glsl-textures
    passed: bool
    block_error: float  # the largest of the textures
    milliseconds: float | None  # GPU timer, median, all of them; None where not asked for
    textures: tuple[TextureScore, ...]
    failure: str = ""  # a compiler's message when the shaders did not compile


@dataclass(frozen=True, slots=True)
class SourceScore:
    """The decoder's picture against the maps that the file was made of."""

    psnr_db: float  # pooled
    maps: tuple[MapScore, ...]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All of a verification."""

    passed: bool
    renderer: str  # GL_RENDERER
    gl_version: str
    width: int
    height: int
    channels: int
    components: int
    gaussians: int
    checked_texels: int  # of width * height: all, or those of some rows of a large picture
    points: int
    max_error: float  # the bound
    max_steps: int  # the bound
    variants: tuple[VariantResult, ...]
    left_out: tuple[str, ...]  # what was not checked, and why
    gpu_bytes: GpuBytes
    cost: DecodeCost
    source: SourceScore | None
    level_error: float | None  # of stored levels, in steps; None without levels
    languages: tuple[str, ...]  # of the decoders that were asked for
    seed: int  # of the random points
    textures_kind: str | None  # which textures made at load time were asked for
    versions: Versions
    inputs: tuple[HashedFile, ...] = ()  # of the source
    file: HashedFile | None = None  # what was verified, where it is a file
    textures: tuple[TexturesResult, ...] = ()  # made at load time, where asked for


def as_json(report: VerifyReport) -> str:
    """Return a report as indented JSON with a newline at the end."""
    fields = asdict(report)
    fields["gpu_bytes"]["total"] = report.gpu_bytes.total
    fields |= {"backend": "opengl", "processor": report.renderer}  # the names that other reports have for it
    for score in fields["source"]["maps"] if report.source is not None else ():
        del score["flip"], score["ms_ssim"]  # measured by compare alone
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
