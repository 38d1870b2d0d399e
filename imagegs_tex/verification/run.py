"""Hold every decoder of a file against the reference decode."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.errors import MissingToolError
from imagegs_tex.formats.files.atomic_write import write_files
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, expand_map, source_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.metrics.match_source import source_indices
from imagegs_tex.metrics.scores import pooled_psnr, score_map
from imagegs_tex.provenance import versions
from imagegs_tex.shaders.build_decoder import LANGUAGES, Decoder, Language
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.include_text import HLSL_INCLUDE
from imagegs_tex.textures.load_plan import TexturesKind
from imagegs_tex.verification import checked_rows, footprint_shaders, probe_shaders, wgsl
from imagegs_tex.verification.float64_accessors import accessor_error
from imagegs_tex.verification.float64_footprint import ExactMeans, footprint_reference, level_error
from imagegs_tex.verification.float64_picture import (
    ReferencePicture,
    reference_picture,
    reference_points,
    reference_rows,
)
from imagegs_tex.verification.footprint_check import SampleCheck
from imagegs_tex.verification.llvmpipe_loop_limit import MAX_TURNS
from imagegs_tex.verification.opengl import (
    ComputeDecoder,
    Device,
    PixelDecoder,
    Scene,
    ends_loops,
    is_software,
    open_device,
)
from imagegs_tex.verification.opengl_footprint import ComputeSampler, PixelSampler, Sampler
from imagegs_tex.verification.report import (
    MAX_ERROR,
    MAX_LEVEL_ERROR,
    MAX_STEPS,
    SourceScore,
    VariantResult,
    VerifyReport,
)
from imagegs_tex.verification.shared_view import SHARED_PREFIX, view_in_buffer
from imagegs_tex.verification.stochastic_check import MAX_MEAN_ERROR, StochasticCheck
from imagegs_tex.verification.texture_check import TextureCheck
from imagegs_tex.verification.toolchain import CompileError, HlslCompiler, has_tool, hlsl_to_glsl, require_tool

POINT_COUNT: Final = 100_000
_SEED: Final = 20260101
_FLOAT_BITS: Final = 24
_PICTURES_BITS: Final = 2
"""Of texture coordinates: from a picture to the left of the picture to one on its right."""
_OUTSIDE_SHARE: Final = 8
"""One point of so many lies anywhere there, the others within the picture."""
_PICTURE_GAIN: Final = 1 / (8 * MAX_ERROR)
"""Pictures of differences: the bound is an eighth of full brightness away from mid grey."""

VerifiedLanguage = Language | Literal["wgsl"]
VERIFIED_LANGUAGES: Final[tuple[VerifiedLanguage, ...]] = (*LANGUAGES, "wgsl")
"""WGSL is that of the decoder of many materials alone."""

AnyDecoder = ComputeDecoder | PixelDecoder | wgsl.WgslDecoder


@dataclass(frozen=True, slots=True)
class _Variant:
    name: str
    make: Callable[[Scene, Decoder], AnyDecoder]
    make_sampler: Callable[[Scene, Decoder], Sampler]


@dataclass(frozen=True, slots=True)
class _Compiled:
    form: Decoder  # that was compiled
    decoder: AnyDecoder
    sampler: Sampler | None  # None without functions that take a footprint


@dataclass
class _Steps:
    """Says what begins, and which step of how many it is; a software rasterizer takes minutes."""

    progress: Callable[[str, int, int], None] | None
    count: int
    done: int = 0

    def begin(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, self.done, self.count)
        self.done += 1


@dataclass
class _Errors:
    """Largest differences so far."""

    largest: float = 0.0
    steps: int = 0
    differing: int = 0
    values: int = 0

    def add(self, found: NDArray[np.floating], expected: NDArray[np.float64]) -> None:
        difference = np.abs(found - expected)
        # NaN must not pass: a maximum with NaN is NaN, and NaN <= bound is false
        self.largest = float(np.maximum(self.largest, difference.max(initial=0.0)))
        rounded = np.nan_to_num(np.rint(found * 255.0), nan=-512.0) - np.rint(expected * 255.0)
        self.steps = max(self.steps, int(np.abs(rounded).max(initial=0)))
        self.differing += int(np.count_nonzero(rounded))
        self.values += expected.size


def verify(  # noqa: PLR0913 - what is checked, and how
    quantized: QuantizedGaussianSet,
    languages: Iterable[VerifiedLanguage] = LANGUAGES,
    source: TextureStack | None = None,
    *,
    decoder: Decoder | None = None,
    point_count: int = POINT_COUNT,
    repeats: int = 3,
    textures: TexturesKind | None = None,
    differences: Path | None = None,
    device: Device | None = None,
    shared: bool = False,
    before: Sequence[PackedGaussians] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> VerifyReport:
    """Run every decoder of a set on this machine's OpenGL, at every texel and at random points.

    Of pictures of more than 16,777,216 texels, bands of rows are checked: the first, the last and random ones, about
    4,194,304 texels, and with textures made at load time all; about 16,777,216 are scored against the source.

    Args:
        quantized: the file's content
        languages: which decoders
        source: the maps that the file was made of, to score the decoder's own picture against
        decoder: None for the one that would be emitted
        point_count: random texture coordinates
        repeats: of the timing of each decoder; 0 measures no time
        textures: which ones made at load time are checked, too
        differences: a folder for pictures of the differences in the rows that are checked, one per variant and four
            channels
        device: None opens one
        shared: run the decoder of many materials as well, on a buffer in which the set is the last; WGSL is of it alone
        before: materials in front of it in that buffer; none: one, the set itself packed otherwise
        progress: called with what begins, how many steps are done, and how many there are at most

    Returns:
        the findings; passed is false when a bound is broken or a decoder does not compile

    Raises:
        MissingToolError: there is no OpenGL, or a compiler that a language needs
        InputError: the source does not belong to the set
    """
    wanted = tuple(languages)
    if "hlsl" in wanted:
        for tool in ("glslangValidator", "spirv-cross"):
            require_tool(tool, "; --lang glsl checks without it")
    chosen = device or open_device()
    size = (quantized.width, quantized.height)
    is_whole = textures is not None or not checked_rows.is_large(*size)  # such textures' levels are of all texels
    repeats, left_out = _left_out(chosen, wanted, size, repeats)
    if "wgsl" in wanted and wgsl.missing():
        if len(wanted) == 1:
            raise MissingToolError(f"{wgsl.missing()}; --lang glsl checks without it")
        left_out.append(f"wgsl: {wgsl.missing()}")
    decoder = decoder or shader_decoder(quantized)
    picture = reference_picture(quantized)
    uv, at_points = _points(quantized, picture, point_count)
    with Scene(chosen, decoder.packed, size, quantized.channel_count) as scene, ExitStack() as opened:
        decoders = len(_variants(wanted)) + (len(_shared_variants(wanted)) if shared else 0)
        bands = checked_rows.all_rows(size[1]) if is_whole else checked_rows.some_rows(*size, _SEED)
        begun = _Steps(progress, decoders * (2 + len(bands)))  # compiling, texels, points
        compiled, results = _compile(scene, decoder, _variants(wanted), begun, left_out)
        if shared:
            view = view_in_buffer(quantized, decoder, before)
            joined = opened.enter_context(Scene(chosen, view.packed, size, quantized.channel_count))
            both = _compile(joined, view, _shared_variants(wanted), begun, left_out, SHARED_PREFIX)
            compiled, results = compiled | both[0], results | both[1]
        coarse = decoder.packed.coarse
        loaded = None if textures is None else TextureCheck(quantized, decoder, textures)
        left_out += [] if loaded is None else loaded.left_out
        last_level = None if is_whole else checked_rows.BAND_ROWS_LOG2
        means = None if coarse is None else ExactMeans(picture, coarse.range.first, last_level)
        left_out += [] if is_whole else checked_rows.left_out(bands)
        texel_errors = _check_texels(picture, bands, compiled, (means, loaded), differences, begun)
        samples = stochastic = levels_off = None
        if means is not None and compiled:
            footprints = footprint_reference(quantized, decoder.packed, picture)
            levels_off = level_error(footprints, means.levels()) / footprints.stored.step
            max_turns = MAX_TURNS if ends_loops(chosen) else None
            samples = SampleCheck(quantized, decoder, footprints, _SEED, max_turns=max_turns)
            left_out += [samples.left_out] if samples.left_out else []
            stochastic = StochasticCheck(footprints, quantized.channel_count, _SEED)
        for name, variant in compiled.items():
            begun.begin(f"{name}, points")
            results[name] = _result(
                name,
                variant,
                texel_errors[name],
                (uv, at_points),
                maps=quantized.maps,
                decoder=variant.form,
                repeats=repeats,
                checks=(samples, stochastic),
            )
        score = None
        if source is not None and compiled:
            scored = checked_rows.scored_rows(*size, _SEED)
            left_out += checked_rows.left_out_of_score(scored) if checked_rows.is_large(*size) else []
            score = score_source(quantized, source, next(iter(compiled.values())).decoder, scored)
        loads = () if loaded is None else loaded.results(scene, [name for name in LANGUAGES if name in wanted], repeats)
    ordered = tuple(result for result in results.values() if result is not None)
    return VerifyReport(
        passed=all(result.passed for result in ordered)
        and all(result.passed for result in loads)
        and (levels_off is None or levels_off <= MAX_LEVEL_ERROR),
        renderer=chosen.renderer, gl_version=chosen.version,
        width=quantized.width, height=quantized.height, channels=quantized.channel_count,
        components=quantized.component_count, gaussians=quantized.gaussian_count,
        checked_texels=size[0] * sum(count for _, count in bands), points=point_count,
        max_error=MAX_ERROR, max_steps=MAX_STEPS, variants=ordered, left_out=tuple(left_out),
        gpu_bytes=decoder.packed.ledger, cost=decoder.cost, source=score, level_error=levels_off,
        languages=wanted, seed=_SEED, textures_kind=textures, versions=versions(),
        inputs=() if source is None else source.inputs, textures=loads,
    )  # fmt: skip


def _left_out(
    device: Device, languages: tuple[VerifiedLanguage, ...], size: tuple[int, int], repeats: int
) -> tuple[int, list[str]]:
    """Return how often decoders are timed, and what is left out for want of a tool, or of sense."""
    left_out = [] if "hlsl" not in languages or has_tool("dxc") else ["hlsl through DXC: dxc is not on the PATH"]
    if repeats and is_software(device):
        repeats = 0
        left_out.append("times: a software rasterizer's timer says nothing about a GPU")
    if repeats and checked_rows.is_large(*size):  # a target of all channels as floats can be larger than the GPU
        repeats = 0
        left_out.append(f"times: of pictures of more than {checked_rows.WHOLE_TEXELS:,} texels")
    return repeats, left_out + [
        f"{language}: not asked for" for language in VERIFIED_LANGUAGES if language not in languages
    ]


def _points(
    quantized: QuantizedGaussianSet, picture: ReferencePicture, count: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return random texture coordinates [P, 2], and the reference's values there [P, C]."""
    rng = np.random.default_rng(_SEED)
    # As many bits as leave uv times the size exact in float32, so that all agree on where the points are: at a steep
    # edge, rounding that product once more or once less (a fused multiply-add) moved a value by 1.4e-3.
    steps = 1 << (_FLOAT_BITS - _PICTURES_BITS - max(quantized.width, quantized.height).bit_length())
    uv = (rng.integers(0, steps, (count, 2)) / steps).astype(np.float32)
    uv[::_OUTSIDE_SHARE] += rng.integers(-1, 2, uv[::_OUTSIDE_SHARE].shape).astype(np.float32)
    inside = np.where(quantized.wrap, uv - np.floor(uv), np.clip(uv, 0, 1))
    size = np.array([quantized.width, quantized.height], dtype=np.float32)
    return uv, reference_points(picture, inside * size)


def score_source(
    quantized: QuantizedGaussianSet, source: TextureStack, variant: AnyDecoder, bands: checked_rows.Bands
) -> SourceScore:
    """Score rows of a decoder's picture against the maps that the file was made of."""
    indices = source_indices(quantized, source)
    decoded: list[list[Samples]] = [[] for _ in quantized.maps]
    for first, count in bands:
        texels = variant.rows(first, count)
        for texture_map, parts in zip(quantized.maps, decoded, strict=True):
            parts.append(expand_map(texels, texture_map))
    rows = checked_rows.rows_of(bands, quantized.height)
    scores = []
    for texture_map, index, parts in zip(quantized.maps, indices, decoded, strict=True):
        drawn = source.drawn_of(index)
        original = source_map(source, index, rows)
        scores.append(
            score_map(texture_map, original, np.concatenate(parts), drawn=None if drawn is None else drawn[rows])
        )
    return SourceScore(pooled_psnr(scores), tuple(scores))


def _shared_variants(languages: tuple[VerifiedLanguage, ...]) -> list[_Variant]:
    """Return those of the decoder of many materials."""
    with_wgsl = "wgsl" in languages and not wgsl.missing()
    return _variants(languages) + ([_Variant("wgsl", wgsl.WgslDecoder, wgsl.WgslSampler)] if with_wgsl else [])


def _variants(languages: tuple[VerifiedLanguage, ...]) -> list[_Variant]:
    variants = []
    if "glsl" in languages:
        variants += [
            _Variant(
                "glsl-compute",
                _glsl_compute,
                lambda scene, decoder: ComputeSampler(
                    scene, footprint_shaders.glsl_requests(decoder), footprint_shaders.result_width(decoder)
                ),
            ),
            _Variant(
                "glsl-pixel",
                lambda scene, decoder: PixelDecoder(scene, probe_shaders.glsl_pixel(decoder), False),
                lambda scene, decoder: PixelSampler(scene, footprint_shaders.glsl_pixels(decoder), False),
            ),
            _Variant(
                "texture-pixel",
                lambda scene, decoder: PixelDecoder(scene, probe_shaders.texture_pixel(decoder), False),
                lambda scene, decoder: PixelSampler(scene, footprint_shaders.texture_pixels(decoder), False),
            ),
        ]
    if "hlsl" in languages:
        compilers: list[tuple[str, HlslCompiler]] = [("", "glslang")]
        if has_tool("dxc"):
            compilers.append(("-dxc", "dxc"))
        for suffix, compiler in compilers:
            variants += [
                _Variant(f"hlsl-compute{suffix}", _hlsl_compute(compiler), _hlsl_compute_sampler(compiler)),
                _Variant(f"hlsl-pixel{suffix}", _hlsl_pixel(compiler), _hlsl_pixel_sampler(compiler)),
            ]
    return variants


def _glsl_compute(scene: Scene, decoder: Decoder) -> AnyDecoder:
    width = probe_shaders.result_width(decoder)
    return ComputeDecoder(scene, probe_shaders.glsl_compute(decoder), probe_shaders.glsl_points(decoder), width, False)


def _hlsl_compute(compiler: HlslCompiler) -> Callable[[Scene, Decoder], AnyDecoder]:
    def make(scene: Scene, decoder: Decoder) -> AnyDecoder:
        includes = {HLSL_INCLUDE: decoder.includes[HLSL_INCLUDE]}
        picture = hlsl_to_glsl(probe_shaders.hlsl_compute(), "comp", includes, compiler)
        points = hlsl_to_glsl(probe_shaders.hlsl_points(decoder), "comp", includes, compiler)
        return ComputeDecoder(scene, picture, points, probe_shaders.result_width(decoder), True)

    return make


def _hlsl_pixel(compiler: HlslCompiler) -> Callable[[Scene, Decoder], AnyDecoder]:
    def make(scene: Scene, decoder: Decoder) -> AnyDecoder:
        includes = {HLSL_INCLUDE: decoder.includes[HLSL_INCLUDE]}
        return PixelDecoder(scene, hlsl_to_glsl(probe_shaders.hlsl_pixel(decoder), "frag", includes, compiler), True)

    return make


def _hlsl_compute_sampler(compiler: HlslCompiler) -> Callable[[Scene, Decoder], Sampler]:
    def make(scene: Scene, decoder: Decoder) -> Sampler:
        includes = {HLSL_INCLUDE: decoder.includes[HLSL_INCLUDE]}
        source = hlsl_to_glsl(footprint_shaders.hlsl_requests(decoder), "comp", includes, compiler)
        return ComputeSampler(scene, source, footprint_shaders.result_width(decoder))

    return make


def _hlsl_pixel_sampler(compiler: HlslCompiler) -> Callable[[Scene, Decoder], Sampler]:
    def make(scene: Scene, decoder: Decoder) -> Sampler:
        includes = {HLSL_INCLUDE: decoder.includes[HLSL_INCLUDE]}
        source = hlsl_to_glsl(footprint_shaders.hlsl_pixels(decoder), "frag", includes, compiler)
        return PixelSampler(scene, source, True)

    return make


def _compile(
    scene: Scene, decoder: Decoder, variants: list[_Variant], begun: _Steps, left_out: list[str], prefix: str = ""
) -> tuple[dict[str, _Compiled], dict[str, VariantResult | None]]:
    """Return what compiled, and a place for every result in order: those of what did not are there.

    What cannot run here, though others can, is said in ``left_out``.
    """
    compiled: dict[str, _Compiled] = {}
    results: dict[str, VariantResult | None] = {}
    for variant in variants:
        name = prefix + variant.name
        results[name] = None
        begun.begin(f"{name}, compiling")
        try:
            sampler = None if decoder.packed.coarse is None else variant.make_sampler(scene, decoder)
            compiled[name] = _Compiled(decoder, variant.make(scene, decoder), sampler)
        except CompileError as error:
            results[name] = VariantResult(
                name, False, 1.0, 1.0, None, None, 255, 1.0, None, printable(error)
            )  # fmt: skip
        except MissingToolError as error:
            if len(variants) == 1:
                raise
            left_out.append(f"{name}: {error}")
    return compiled, results


def _check_texels(
    picture: ReferencePicture,
    bands: checked_rows.Bands,
    compiled: dict[str, _Compiled],
    takers: tuple[ExactMeans | None, TextureCheck | None],
    differences: Path | None,
    begun: _Steps,
) -> dict[str, _Errors]:
    """Compare all texels of some rows, each computed once for all variants and for those who take them."""
    errors = {name: _Errors() for name in compiled}
    pictures: dict[str, list[NDArray[np.float64]]] = {name: [] for name in compiled}
    for first, count in bands:
        expected = reference_rows(picture, first, count)
        for taker in takers:
            if taker is not None:
                taker.add(first, expected)
        for name, variant in compiled.items():
            begun.begin(f"{name}, texels from row {first}")
            found = variant.decoder.rows(first, count)
            errors[name].add(found, expected)
            if differences is not None:
                pictures[name].append(found - expected)
    if differences is not None:
        for name, parts in pictures.items():
            write_files(_difference_pictures(differences, name, np.concatenate(parts)))
    return errors


def _difference_pictures(folder: Path, name: str, difference: NDArray[np.float64]) -> dict[Path, bytes]:
    from imagegs_tex.formats.images import encode_image  # loads the image codecs

    grey = np.rint(np.clip(0.5 + difference * _PICTURE_GAIN, 0, 1) * 255).astype(np.uint8)
    files = {}
    for first in range(0, grey.shape[2], 3):
        channels = grey[..., first : first + 3]
        shown = channels if channels.shape[2] == 3 else channels[..., :1]
        last = first + shown.shape[2] - 1
        files[folder / f"{name}_channels_{first}_{last}.png"] = encode_image(shown, ".png")
        if channels.shape[2] == 2:
            files[folder / f"{name}_channels_{last + 1}_{last + 1}.png"] = encode_image(channels[..., 1:], ".png")
    return files


def _result(
    name: str,
    variant: _Compiled,
    texels: _Errors,
    expected: tuple[NDArray[np.float32], NDArray[np.float64]],
    *,
    maps: tuple[TextureMap, ...],
    decoder: Decoder,
    repeats: int,
    checks: tuple[SampleCheck | None, StochasticCheck | None],
) -> VariantResult:
    """Check the points and sum up; expected: texture coordinates [P, 2] and the reference's values there [P, C]."""
    (uv, at_points), (samples, stochastic) = expected, checks
    points = _Errors()
    found = variant.decoder.points(uv)
    channels = decoder.channel_count
    points.add(found[:, :channels], at_points)
    accessors = None
    if found.shape[1] > channels:
        accessors = accessor_error(maps, decoder.accessors, found[:, channels:], at_points)
    sampled = None if samples is None or variant.sampler is None else samples.error(variant.sampler)
    steps = max(texels.steps, points.steps)
    errors = texels.largest, points.largest, accessors or 0.0, sampled or 0.0  # NaN is true, and not within
    drawn = None if stochastic is None or variant.sampler is None else stochastic.error(variant.sampler)
    within = all(error <= MAX_ERROR for error in errors) and (drawn is None or drawn <= MAX_MEAN_ERROR)
    return VariantResult(
        name=name,
        passed=within and steps <= MAX_STEPS,
        texel_error=texels.largest,
        point_error=points.largest,
        accessor_error=accessors,
        sample_error=sampled,
        steps=steps,
        differing_share=(texels.differing + points.differing) / max(1, texels.values + points.values),
        milliseconds=variant.decoder.milliseconds(repeats) if repeats else None,
        stochastic_error=drawn,
    )
