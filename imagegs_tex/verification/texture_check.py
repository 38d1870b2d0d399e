"""Hold textures made at load time against the reference decode."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.build_decoder import Decoder, Language
from imagegs_tex.shaders.include_text import HLSL_INCLUDE
from imagegs_tex.shaders.load_files import LoadProgram, load_program
from imagegs_tex.shaders.load_jobs import ALIGNMENTS, level_sizes
from imagegs_tex.shaders.load_pages import Page, PageShape, PageSource, page_plan, place_page
from imagegs_tex.textures.load_plan import TexturesKind, plan_loaded
from imagegs_tex.verification.float64_textures import (
    ReferenceLevel,
    error_share,
    plane_samples,
    read_level,
    reference_levels,
)
from imagegs_tex.verification.opengl import Scene
from imagegs_tex.verification.opengl_textures import TextureLoader
from imagegs_tex.verification.report import TextureScore, TexturesResult
from imagegs_tex.verification.toolchain import CompileError, HlslCompiler, has_tool, hlsl_to_glsl

PAGES: Final = PageShape()
"""What is asked for as a page: 128 x 128 texels with a border of 4."""

_LEAST_SQUARED: Final = 1e-12


@dataclass(frozen=True, slots=True)
class _Loaded:
    program: LoadProgram
    output: bytes
    pages: tuple[bytes, ...]  # of each set
    set_of: tuple[tuple[int, int], ...]  # of each texture: its set, and its number there
    milliseconds: float | None


class TextureCheck:
    """What a material's textures should hold, and runs of the shaders that make them."""

    def __init__(self, quantized: QuantizedGaussianSet, decoder: Decoder, kind: TexturesKind) -> None:
        self._quantized = quantized
        self._decoder = decoder
        self._textures, missing = plan_loaded(quantized.maps, kind)
        self._pages = _some_pages(quantized)
        self._texels = np.empty((quantized.height, quantized.width, quantized.channel_count), dtype=np.float32)
        self.left_out = [f"textures at load of map {number}: floats, or more than four channels" for number in missing]

    def add(self, first_row: int, rows: NDArray[np.float64]) -> None:
        """Take rows of the reference picture [R, W, C]."""
        self._texels[first_row : first_row + len(rows)] = rows

    def results(self, scene: Scene, languages: Iterable[Language], repeats: int) -> tuple[TexturesResult, ...]:
        """Make the textures in each language and compare every level, once all rows are there."""
        if not self._textures:
            return ()
        ways: list[tuple[str, Language, HlslCompiler | None]] = []
        for language in languages:
            if language == "glsl":
                ways.append(("glsl-textures", "glsl", None))
            else:
                ways.append(("hlsl-textures", "hlsl", "glslang"))
                ways += [("hlsl-textures-dxc", "hlsl", "dxc")] if has_tool("dxc") else []
        loaded: dict[str, _Loaded] = {}
        results: dict[str, TexturesResult] = {}
        for name, language, compiler in ways:
            try:
                loaded[name] = self._load(scene, language, compiler, repeats)
            except CompileError as error:
                results[name] = TexturesResult(name, False, 0.0, None, (), printable(error))
        scores = self._scores(loaded)
        for name, found in loaded.items():
            worst = max(score.block_error for score in scores[name])  # NaN counts as broken
            passed = all(score.block_error <= 1 for score in scores[name])
            results[name] = TexturesResult(name, passed, worst, found.milliseconds, tuple(scores[name]))
        return tuple(results[name] for name, _, _ in ways)

    def _load(self, scene: Scene, language: Language, compiler: HlslCompiler | None, repeats: int) -> _Loaded:
        program = load_program(self._quantized, self._decoder, self._textures, language)
        shaders = [each.shaders for each in program.sets]
        if compiler is not None:
            includes = {HLSL_INCLUDE: self._decoder.includes[HLSL_INCLUDE]}
            shaders = [
                (hlsl_to_glsl(first, "comp", includes, compiler), hlsl_to_glsl(later, "comp", includes, compiler))
                for first, later in shaders
            ]
        loader = TextureLoader(scene, shaders, [each.plan for each in program.sets], program.output_bytes)
        loader.load()
        output = loader.read()
        pages: list[bytes] = []
        set_of: list[tuple[int, int]] = []
        for number, each in enumerate(program.sets):
            set_of += [(number, within) for within in range(len(each.textures))]
            plan = page_plan(each.textures, self._pages, PAGES, ALIGNMENTS[language])
            formats = [texture.pixel_format for texture in each.textures]
            _, size = place_page(formats, PAGES, len(self._pages) - 1, ALIGNMENTS[language])
            own = TextureLoader(scene, [shaders[number]], [plan], size)
            own.load()
            pages.append(own.read())
        taken = loader.milliseconds(repeats) if repeats else None
        return _Loaded(program, output, tuple(pages), tuple(set_of), taken)

    def _scores(self, loaded: dict[str, _Loaded]) -> dict[str, list[TextureScore]]:
        scores: dict[str, list[TextureScore]] = {name: [] for name in loaded}
        for number, texture in enumerate(self._textures):
            samples = plane_samples(texture, self._quantized.maps[texture.map_index], self._texels)
            worst = dict.fromkeys(loaded, 0.0)
            squared: dict[str, list[float]] = {name: [] for name in loaded}
            for level, expected in enumerate(reference_levels(texture, samples)):
                for name, found in loaded.items():
                    texels = read_level(found.output, texture.pixel_format, found.program.places[number][level])
                    share = error_share(texels, expected, texture.pixel_format)
                    share = np.maximum(share, self._page_share(found, number, level, expected))
                    worst[name] = float(np.maximum(worst[name], share))  # keeps NaN
                    error = texels[..., : expected.values.shape[2]] - expected.values
                    squared[name].append(float(np.square(error).mean()))
            for name, found in loaded.items():
                psnr = tuple(float(-10 * np.log10(max(value, _LEAST_SQUARED))) for value in squared[name])
                size = sum(place.bytes for place in found.program.places[number])
                scores[name].append(
                    TextureScore(texture.map_index, texture.pixel_format.label, size, worst[name], psnr)
                )
        return scores

    def _page_share(self, loaded: _Loaded, number: int, level: int, expected: ReferenceLevel) -> float:
        """Return the largest error of the pages of a texture's level, as :func:`error_share` counts it."""
        own, within = loaded.set_of[number]
        formats = [texture.pixel_format for texture in loaded.program.sets[own].textures]
        worst = 0.0
        for slot, page in enumerate(self._pages):
            if page.level == level:
                places, _ = place_page(formats, PAGES, slot, ALIGNMENTS[loaded.program.language])
                found = read_level(loaded.pages[own], formats[within], places[within])
                share = error_share(found, cut_page(expected, page), formats[within])
                worst = float(np.maximum(worst, share))
        return worst


def _some_pages(quantized: QuantizedGaussianSet) -> tuple[Page, ...]:
    """Return the first and the last page of levels 0 to 3 and of the last one."""
    source = PageSource(quantized.width, quantized.height, quantized.wrap)
    sizes = level_sizes(quantized.width, quantized.height)
    pages: dict[Page, None] = {}
    for level in dict.fromkeys([*range(min(4, len(sizes))), len(sizes) - 1]):
        across, down = PAGES.counts(*sizes[level])
        pages |= dict.fromkeys([Page(source, level, 0, 0), Page(source, level, across - 1, down - 1)])
    return tuple(pages)


def cut_page(level: ReferenceLevel, page: Page, shape: PageShape = PAGES) -> ReferenceLevel:
    """Return what a page of a level should hold."""
    index = []
    for axis, number in ((0, page.y), (1, page.x)):
        size = level.values.shape[axis]
        at = np.arange(shape.side) + number * shape.step - shape.border
        index.append(at % size if page.source.wrap[1 - axis] else np.clip(at, 0, size - 1))
    places = np.ix_(*index)
    return ReferenceLevel(level.values[places], level.tolerance[places])
