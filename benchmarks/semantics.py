"""What maps mean, and what that is worth: normals as directions, alpha as coverage, HDR as light.

    semantics.py [--cases NAME ...] [--preset fast] [--parts normals alpha hdr] [--crop TEXELS] [--jobs N]
                 [--starts N] [--texels-per-gaussian N ...] [--write]

With --crop only a square of each material is coded, with as many Gaussians per texel: its middle, or for alpha the one
with the most texels at edges. Each way of coding gets the same number of bytes: that of the plain coding (every channel
a number of its own, all weighing the same) at the reference's number of Gaussians. With --write the tables of
docs/benchmarks/semantics.md are replaced; all cases should then be run.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from cases import SHARED, Case, load_cases
from tables import markdown, replace_table
from workers import side_by_side

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.encoder.encode import CodedGeometry, fit_geometry, prepare, round_features
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.images import picture_size, read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import SampleFormat, Samples, Semantic, TextureMap
from imagegs_tex.metrics.scores import MapScore, pooled_psnr, score_map
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN, CompressSettings, DetailMode, Preset, preset_settings

BISECTIONS = 10
STRETCHES = (0.5, 2.0)
"""How far the feature step may move to meet a number of bytes."""
UNIT_SLACK = 1.8
"""Three samples rounded by half a step each put a length off by at most √3 steps of 1/255 (or 1/65535) and a bit."""


@dataclass(frozen=True)
class Coded:
    """One way of coding a stack."""

    stack: TextureStack
    data: bytes
    maps: list[tuple[TextureMap, Samples]]
    scores: list[MapScore]  # against the files where the stack's own texels or originals give them back


@dataclass(frozen=True)
class Plan:
    """How everything is measured; plain data, so that it reaches other processes."""

    settings: CompressSettings
    backend: str
    side: int  # texels of the square that is coded
    starts: int
    texels_per_gaussian: tuple[int, ...]
    pictures: Path | None  # folder


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--parts", nargs="*", default=["normals", "alpha", "hdr"])
    parser.add_argument("--crop", type=int, default=1 << 14, help="side of the square in texels")
    parser.add_argument("--pictures", type=Path, help="folder for decoded maps with alpha")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once, each in a process of its own")
    parser.add_argument("--starts", type=int, default=1, help="of the fit, for alpha: averaged, since few texels count")
    parser.add_argument(
        "--texels-per-gaussian", type=int, nargs="*", default=[DEFAULT_TEXELS_PER_GAUSSIAN], help="alpha"
    )
    arguments = parser.parse_args()
    plan = Plan(
        replace(preset_settings(Preset(arguments.preset)), detail=DetailMode.OFF), arguments.backend,
        arguments.crop, arguments.starts,
        tuple(arguments.texels_per_gaussian), arguments.pictures,
    )  # fmt: skip
    for part in arguments.parts:
        if part == "normals":
            table = normals(load_cases(arguments.cases), plan, arguments.jobs)
        elif part == "alpha":
            table = alpha(arguments.cases, plan, arguments.jobs)
        else:
            table = hdr(plan, arguments.jobs)
        print(f"\n{part}\n{table}", flush=True)
        if arguments.write:
            replace_table(f"semantics-{part}", table)


def plain(stack: TextureStack) -> TextureStack:
    """Every channel a number of its own, all weighing the same."""
    return replace(stack, channel_weights=())


PLAIN = SourceOptions(normals=NormalCoding.STORED, alpha=AlphaUse.DATA)


def code(
    stack: TextureStack, count: int, settings: CompressSettings, backend: Backend, max_bytes: int | None = None
) -> Coded:
    """Fit a stack, and move the feature step so that the file comes out just below a number of bytes."""
    geometry, _ = fit_geometry(prepare(stack, backend), count, settings.fit, settings.precision, backend)
    quantized = round_features(geometry, settings.precision, stack)
    if max_bytes is not None:
        quantized = just_below(geometry, max_bytes, settings, stack)
    maps = decode_maps(quantized, backend)
    scores = [score_map(entry, source_map(stack, index), samples) for index, (entry, samples) in enumerate(maps)]
    return Coded(stack, encode_igs(quantized), maps, scores)


def just_below(
    geometry: CodedGeometry, max_bytes: int, settings: CompressSettings, stack: TextureStack
) -> QuantizedGaussianSet:
    """Bisect the feature step for the largest file of at most so many bytes."""
    low, high = STRETCHES
    best = round_features(geometry, settings.precision, stack, high)
    for _ in range(BISECTIONS):
        middle = (low * high) ** 0.5
        candidate = round_features(geometry, settings.precision, stack, middle)
        if len(encode_igs(candidate)) <= max_bytes:
            best, high = candidate, middle
        else:
            low = middle
    return best


@contextmanager
def cropped(paths: list[Path], side: int, has_alpha_edges: bool) -> Iterator[Path]:
    """Give a folder with a square of each map, or with the whole map where that is smaller."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = {path: picture_size(path) for path in paths}
        if all(size is not None and max(size) <= side for size in sizes.values()):
            for path in paths:
                (Path(folder) / path.name).symlink_to(path.resolve())
            yield Path(folder)
            return
        images = {path: read_image(path)[0] for path in paths}
        height, width = next(iter(images.values())).shape[:2]
        high, wide = min(side, height), min(side, width)
        top, left = (height - high) // 2, (width - wide) // 2
        if has_alpha_edges:
            top, left = _most_edges(
                next(image for image in images.values() if image.shape[2] == 4 and np.ptp(image[..., 3])), high, wide
            )
        for path, texels in images.items():
            write_image(Path(folder) / f"{path.stem}.png", texels[top : top + high, left : left + wide])
        yield Path(folder)


def _most_edges(image: Samples, high: int, wide: int) -> tuple[int, int]:
    """Top and left of the square, on a grid of half its size, with the most changes of side of an alpha test."""
    shown = image[..., -1] >= SampleFormat.of(image.dtype).max_value / 2
    changes = np.zeros(shown.shape)
    changes[:, 1:] += shown[:, 1:] != shown[:, :-1]
    changes[1:] += shown[1:] != shown[:-1]
    places = [
        (top, left)
        for top in range(0, shown.shape[0] - high + 1, max(1, high // 2))
        for left in range(0, shown.shape[1] - wide + 1, max(1, wide // 2))
    ]
    return max(places, key=lambda place: float(changes[place[0] : place[0] + high, place[1] : place[1] + wide].sum()))


def normals(cases: list[Case], plan: Plan, jobs: int) -> str:
    """Angles and pooled PSNR of normals coded as data, as `auto` decides, and as unit vectors."""
    found = side_by_side(partial(_normal_row, plan), cases, jobs)
    headings = [
        "case", "bytes", "as data: degrees mean, p95", "PSNR dB", "auto", "bytes", "degrees mean, p95", "PSNR dB",
        "`--normals unit`: degrees mean, p95", "PSNR dB", "furthest from length 1",
    ]  # fmt: skip
    return markdown(headings, [row for row in found if row is not None])


def _normal_row(plan: Plan, case: Case) -> list[object] | None:
    settings, backend = plan.settings, make_backend(plan.backend)
    with case.staged() as whole, cropped(sorted(whole.iterdir()), plan.side, False) as folder:
        stack = load_stack(folder, PLAIN)
        area = load_stack(whole, PLAIN)
        count = round(case.gaussians * stack.width * stack.height / (area.width * area.height))
        if not any(entry.semantic == Semantic.NORMAL for entry in stack.maps):
            return None
        as_data = code(plain(stack), count, settings, backend)
        limit = len(as_data.data)
        as_units = code(load_stack(folder, replace(PLAIN, normals=NormalCoding.UNIT)), count, settings, backend, limit)
        by_auto = code(load_stack(folder, replace(PLAIN, normals=NormalCoding.AUTO)), count, settings,
                       backend, limit) if not _is_unit(folder) else as_units  # fmt: skip
    row: list[object] = [
        case.name, limit, _angles(as_data), f"{pooled_psnr(as_data.scores):.2f}",
        "unit" if by_auto is as_units else "stored", len(by_auto.data), _angles(by_auto),
        f"{pooled_psnr(by_auto.scores):.2f}", _angles(as_units), f"{pooled_psnr(as_units.scores):.2f}",
        f"{_longest(as_units):.4f}",
    ]  # fmt: skip
    print(row, flush=True)
    return row


def _is_unit(folder: Path) -> bool:
    return any(entry.unit_normals for entry in load_stack(folder).maps)


def _angles(coded: Coded) -> str:
    score = next(score for score in coded.scores if score.normal_degrees_mean is not None)
    return f"{score.normal_degrees_mean:.3f}, {score.normal_degrees_p95:.2f}"


def _longest(coded: Coded) -> float:
    """How far the length of a decoded normal is from 1 at most; RuntimeError when it is more than rounding."""
    entry, samples = next(pair for pair in coded.maps if pair[0].unit_normals)
    vectors = samples[..., list(entry.unit_normals[0])] / entry.sample_format.max_value * 2.0 - 1.0
    furthest = float(np.abs(np.linalg.norm(vectors, axis=-1) - 1).max())
    if furthest > UNIT_SLACK / entry.sample_format.max_value:
        raise RuntimeError(f"a decoded normal is {furthest} off unit length")
    return furthest


ALPHA_CASES = ("shrub_01_cutout", "caution_panel", "image_anime_character", "flight_helmet_lenses")


def alpha(names: list[str], plan: Plan, jobs: int) -> str:
    """The alpha test's errors and the colour that is drawn: plain RGBA, as `auto` decides, and colour freed."""
    tasks = [
        (name, density, start)
        for name in names or ALPHA_CASES
        for density in plan.texels_per_gaussian
        for start in range(plan.starts)
    ]
    found = side_by_side(partial(_alpha_runs, plan), tasks, jobs)
    rows = []
    for first in range(0, len(tasks), plan.starts):
        name, density, _ = tasks[first]
        for runs in zip(*found[first : first + plan.starts], strict=True):
            label, numbers = runs[0][0], np.array([run[1] for run in runs])
            size, wrong, at_edges, drawn, others, pooled = numbers.mean(axis=0)
            rows.append([
                name, density, label, round(size), f"{wrong:.1f} ± {numbers[:, 1].std():.1f}", f"{at_edges:.2%}",
                f"{drawn:.2f}", "" if np.isnan(others) else f"{others:.2f}", f"{pooled:.2f}",
            ])  # fmt: skip
    headings = [
        "case", "texels per Gaussian", "coding", "bytes", "texels wrong", "within 2 texels of edges",
        "that map as drawn, dB", "other maps, dB", "all values of all maps, dB",
    ]  # fmt: skip
    return markdown(headings, rows)


def _alpha_runs(plan: Plan, task: tuple[str, int, int]) -> list[tuple[str, list[float]]]:
    name, density, start = task
    images = sorted(path for path in (SHARED / "materials" / name).iterdir() if path.suffix in {".png", ".jpg"})
    settings = replace(plan.settings, fit=replace(plan.settings.fit, seed=start))
    with cropped(images, plan.side, True) as folder:
        source = next(folder.iterdir()) if len(images) == 1 else folder
        return _alpha_codings(name, source, density, settings, make_backend(plan.backend), plan.pictures)


def _alpha_codings(
    name: str, source: Path, density: int, settings: CompressSettings, backend: Backend, pictures: Path | None
) -> list[tuple[str, list[float]]]:  # fmt: skip
    """Return per coding its bytes, wrong texels, their share at edges, and the PSNR of three sets of values."""
    found = []
    files, drawn = load_stack(source, PLAIN), load_stack(source, replace(PLAIN, alpha=AlphaUse.COVERAGE))
    limit: int | None = None
    for label, options in (
        ("plain RGBA", PLAIN),
        ("auto", replace(PLAIN, alpha=AlphaUse.AUTO)),
        ("coverage", replace(PLAIN, alpha=AlphaUse.COVERAGE)),
    ):
        stack = load_stack(source, options)
        stack = plain(stack) if options is PLAIN else stack
        texels = stack.width * stack.height
        coded = code(stack, texels // density, settings, backend, limit)
        limit = limit or len(coded.data)
        scores = [score_map(entry, source_map(files, i), samples) for i, (entry, samples) in enumerate(coded.maps)]
        at = next(index for index, score in enumerate(scores) if score.alpha_test_wrong is not None)
        entry, samples = coded.maps[at]
        seen = score_map(entry, source_map(files, at), samples, drawn=drawn.drawn_of(at))
        others = [score for index, score in enumerate(scores) if index != at]
        freed = any(stack.drawn_of(index) is not None for index in range(len(stack.maps)))
        numbers = [
            len(coded.data), (scores[at].alpha_test_wrong or 0.0) * texels, scores[at].alpha_test_wrong_at_edges or 0.0,
            seen.psnr_db, pooled_psnr(others) if others else np.nan, pooled_psnr(scores),
        ]  # fmt: skip
        found.append((label + (", freed" if freed else ""), numbers))
        print(name, density, settings.fit.seed, *found[-1], flush=True)
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            write_image(pictures / f"{name}_{density}_{label.split()[0]}.png", samples)
    return found


def hdr(plan: Plan, jobs: int) -> str:
    """Relative errors by luminance."""
    tasks = (("default", 1), ("4 times the Gaussians", 4))
    rows = [row for part in side_by_side(partial(_hdr_rows, plan), tasks, jobs) for row in part]
    headings = [
        "Gaussians", "bytes", "luminance", "share of texels", "relative error, median", "mean", "p95",
        "largest value, source", "decoded",
    ]  # fmt: skip
    return markdown(headings, rows)


def _hdr_rows(plan: Plan, task: tuple[str, int]) -> list[list[object]]:
    label, factor = task
    stack = load_stack(SHARED / "materials" / "image_hdr_arboretum")
    count = stack.width * stack.height // DEFAULT_TEXELS_PER_GAUSSIAN
    coded = code(stack, count * factor, plan.settings, make_backend(plan.backend))
    wanted, found = source_map(stack, 0).astype(np.float64), coded.maps[0][1].astype(np.float64)
    luminance = wanted @ [0.2126, 0.7152, 0.0722]
    relative = np.abs(found - wanted).mean(axis=-1) / np.maximum(luminance, 1e-6)
    rows: list[list[object]] = []
    for low in range(int(np.floor(np.log10(luminance.max()))), -4, -1):
        inside = (luminance >= 10.0**low) & (luminance < 10.0 ** (low + 1))
        if inside.any():
            rows.append([
                label, len(coded.data), f"{10.0**low:g} to {10.0 ** (low + 1):g}", f"{inside.mean():.2%}",
                f"{np.median(relative[inside]):.1%}", f"{relative[inside].mean():.1%}",
                f"{np.percentile(relative[inside], 95):.1%}", f"{wanted[inside].max():.4g}",
                f"{found[inside].max():.4g}",
            ])  # fmt: skip
            print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()
