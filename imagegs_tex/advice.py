"""How close maps came out, in a word; where a file is poor by its own measures, what to ask for, and its bytes.

Estimates, good to about a factor of two. Contrast: four times the Gaussians lie half as far apart, so that the
finest octave is then kept as the next one is now. Angles and FLIP fall with the bytes to the power of ERROR_FALL.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.metrics.byte_ledger import ByteLedger
from imagegs_tex.metrics.scores import MapScore, counted_channels, pooled_psnr, shown_contrast
from imagegs_tex.settings import LEAST_TEXELS_PER_GAUSSIAN

POOR_DEGREES: Final = 6.0
"""Mean angle from which on a lit surface looks crumpled; a target of GOOD_DEGREES is proposed instead."""
POOR_DEGREES_P95: Final = 18.0
POOR_STRUCTURE_DEGREES: Final = 4.0
"""The same of normals' structure, where a detail layer draws their grain."""
GOOD_DEGREES: Final = 4.0
POOR_CONTRAST: Final = 0.25
"""Share of the finest octave's contrast below which grain looks painted over."""
GOOD_CONTRAST: Final = 0.5
POOR_FLIP: Final = 0.2
"""Mean FLIP error (0 to 1) from which colours differ at a glance; the benchmarks have 0.01 to 0.12."""
GOOD_FLIP: Final = 0.1
POOR_DB: Final = 22.0
"""PSNR below which a map is far from its source, whatever its other measures say: those of grain hold for grain that is
drawn anew, too."""
POOR_PLAIN_DB: Final = 26.0
"""The same of a map whose grain is not left to be drawn anew, so that all that differs is lost: lines of occlusion at
24.9 dB were speckle."""
MENDED_DB: Final = 28.0
POOR_SHAPES: Final = 0.6
"""Share of the third octave's contrast, without a detail layer, below which the shapes themselves are gone, and grain
is drawn where they were: 0.39 and 0.56 for a wall that had lost its bricks, 0.63 and more for rock that reads as rock.
"""
GOOD_SHAPES: Final = 0.75
_SHAPES_DB: Final = 2.0
"""What a map whose shapes are gone is to gain where it alone is asked for: in four crops their contrast went from 0.16,
0.45, 0.47 and 0.54 to 0.41, 0.92, 0.78 and 0.60 by it."""
_SHAPES_OCTAVE: Final = 2  # of the four, finest first
GOOD_DB: Final = 32.0
"""PSNR of a map from which on it may be called close."""
_DOUBLING_DB: Final = 2.0
"""What twice the Gaussians are worth of such a map: 3.1 and 3.2 times the bytes for 3.9 dB were seen. Where grain was
left to the detail layer they are worth far less (22 times for 5 dB), so that nothing is promised there."""
_FINE_DB: Final = 36.0
"""PSNR above which nobody misses what contrast there is."""
ERROR_FALL: Final = 0.4
"""Angles and FLIP fall with the number of Gaussians to this power. 30 to 2000 of them in grain that falls off by 6 to
15 dB per octave: angles 0.35 to 0.5, FLIP 0.36 to 0.47."""


class Closeness(StrEnum):
    """How close a map is to its source, in a word."""

    CLOSE = "close"  # good by every measure that it has
    FAIR = "fair"
    ROUGH = "rough"  # poor by one of them


def closeness_of(score: MapScore) -> Closeness:
    """Return how close a map is, by the measures that warnings go by; FLIP counts where it was measured."""
    if _is_bent(score) or _is_flat(score) or _is_off(score) or _is_lost(score) or _is_far(score):
        return Closeness.ROUGH
    finest = (shown_contrast(score) or (None,))[0]
    degrees = score.normal_degrees_mean if score.normal_degrees_structure is None else score.normal_degrees_structure
    is_close = (
        score.psnr_db >= GOOD_DB
        and (degrees is None or degrees <= GOOD_DEGREES)
        and (score.flip is None or score.flip <= GOOD_FLIP)
        and (finest is None or (finest >= GOOD_CONTRAST and not leaves_grain(score)) or score.psnr_db >= _FINE_DB)
    )
    return Closeness.CLOSE if is_close else Closeness.FAIR


def leaves_grain(score: MapScore) -> bool:
    """Whether a map's grain is drawn anew by the detail layer: it looks alike, and texels differ."""
    finest = (score.kept_contrast or (None,))[0]
    return _is_drawn_into(score) and finest is not None and finest < GOOD_CONTRAST


def comes_out_flat(score: MapScore) -> bool:
    """Whether nothing of a map's contrast is kept well. One that no bytes are spent on may be told by other maps."""
    return all(ratio is None or ratio < POOR_SHAPES for ratio in score.kept_contrast or ())


def _is_drawn_into(score: MapScore) -> bool:
    """Whether the detail layer adds to a map; a file's layer need not have something for each."""
    return score.kept_contrast_with_detail not in {None, score.kept_contrast}


@dataclass(frozen=True, slots=True)
class _Price:
    """What more Gaussians cost in a file."""

    ledger: ByteLedger
    gaussian_count: int
    most: float  # times as many Gaussians as there are now: as many as help

    def bytes_for(self, factor: float) -> str:
        """Return the bytes of the file with so many times the Gaussians."""
        ledger = self.ledger
        fixed = ledger.header + ledger.maps + ledger.components + ledger.detail + ledger.residual
        return _kilobytes(fixed + (ledger.per_gaussian * self.gaussian_count + ledger.repeat) * factor)

    def ask(self, factor: float, gain: str, targets: str | None = None) -> str:
        """Return what to ask for so many times the Gaussians, or for the most that helps.

        Where one map alone is poor, targets too: in five crops these took 0.60 to 1.03 times the bytes.
        """
        if factor > self.most:
            return self.ask_most()
        size = self.bytes_for(factor)
        if targets is None:
            return f"; --max-bytes {size} would {gain}"
        return f"; {targets} would {gain}, mostly in fewer bytes than --max-bytes {size} for all maps"

    def ask_most(self) -> str:
        """Return what to ask for the most Gaussians that help."""
        if self.most <= 1:
            return "; it has as many Gaussians as help, and more bytes will not"
        return f"; --max-bytes {self.bytes_for(self.most)} is about the most that helps"


def target_names(maps: Sequence[TextureMap]) -> tuple[str | None, ...]:
    """Return what ``--target`` calls each map; None for one that it cannot ask for alone, by dB of its own.

    Those are maps of several meanings, and of one that another map has, too.
    """
    meanings = [{own.channel_semantics[index] for index in counted_channels(own)} for own in maps]
    return tuple(
        next(iter(own)).name.lower() if len(own) == 1 and sum(bool(own & other) for other in meanings) == 1 else None
        for own in meanings
    )


def warnings_of(
    scores: Sequence[MapScore], ledger: ByteLedger, gaussian_count: int, texel_count: int,
    targets: Sequence[str | None] = (),
) -> tuple[str, ...]:  # fmt: skip
    """Return a line for normals, contrast, colour (FLIP), shapes and PSNR where they are poor, the worst map of each.

    Shapes and PSNR count of maps that nothing else is said of. Where one map of several is poor by them, a target for
    it is proposed, with the PSNR that all maps have together: without that other maps lost up to 2.2 dB in five crops,
    and two had another warning. Not by contrast and FLIP: what these take in dB is not known, and at a guess from the
    FLIP error a target took 0.46, 1.06 and 1.6 times the bytes that are said.

    Args:
        scores: of the file's maps
        ledger: of the file's bytes
        gaussian_count: of the file
        texel_count: of a map
        targets: of :func:`target_names`, as many as maps, or none of them
    """
    price = _Price(ledger, gaussian_count, texel_count / LEAST_TEXELS_PER_GAUSSIAN / gaussian_count)
    bent, flat, off = ([score for score in scores if poor(score)] for poor in (_is_bent, _is_flat, _is_off))
    rest = [score for score in scores if score not in (*bent, *flat, *off)]
    lost = [score for score in rest if _is_lost(score)]
    far = [score for score in rest if _is_far(score) and score not in lost]
    told = [*bent, *flat, *off, *lost, *far]
    alone = None
    if len(told) == 1 < len(scores) and len(targets) == len(scores):
        name, pooled = targets[scores.index(told[0])], pooled_psnr(list(scores))
        alone = None if name is None else f"--target-psnr {math.floor(10 * pooled) / 10:g} --target {name}"
    found = []
    if bent:
        found.append(_of_bent(max(bent, key=lambda score: score.normal_degrees_mean or 0), price))
    if flat:
        found.append(_of_flat(min(flat, key=lambda score: (shown_contrast(score) or (0.0,))[0] or 0.0), price))
    if off:
        found.append(_of_off(max(off, key=lambda score: score.flip or 0.0), price))
    if lost:
        found.append(_of_lost(min(lost, key=_shapes_kept), price, alone))
    if far:
        found.append(_of_far(min(far, key=lambda score: score.psnr_db), price, alone))
    return tuple(found)


def larger_than_source(file_bytes: int, source_bytes: int) -> str | None:
    """Return what to say of a file that takes more bytes than what it was made of; None where it takes fewer."""
    if file_bytes <= source_bytes:
        return None
    return (
        f"the file has {file_bytes:,} bytes, more than the {source_bytes:,} of what it was made from; a lower "
        "--quality or --max-bytes makes it smaller"
    )


def _of_bent(score: MapScore, price: _Price) -> str:
    mean, p95 = score.normal_degrees_mean or 0.0, score.normal_degrees_p95 or 0.0
    wanted = min(GOOD_DEGREES, mean / 2)
    factor = _factor_for(mean / wanted)
    text = f"{printable(score.name)}: normals are {mean:.1f} degrees off on average, one in twenty {p95:.0f} or more"
    if factor <= price.most:
        return f"{text}; --target normal={wanted:.2g}deg takes about {price.bytes_for(factor)}"
    return text + price.ask_most()


def _of_flat(score: MapScore, price: _Price) -> str:
    kept = [ratio for ratio in shown_contrast(score) or () if ratio is not None]
    factor = min(4 ** _octaves_to(kept, GOOD_CONTRAST), price.most)
    reached = _kept_after(kept, math.log(factor, 4))
    text = f"{printable(score.name)} keeps {100 * kept[0]:.0f} % of its finest contrast"
    return text + (price.ask(factor, f"keep about {100 * reached:.0f} %") if reached > kept[0] + 0.05 else "")


def _of_off(score: MapScore, price: _Price) -> str:
    flip = score.flip or 0.0
    text = f"{printable(score.name)}: a mean FLIP error of {flip:.2f}, colours that differ at a glance"
    return text + price.ask(_factor_for(flip / GOOD_FLIP), f"bring it to about {GOOD_FLIP:g}")


def _of_lost(score: MapScore, price: _Price, alone: str | None) -> str:
    kept = [ratio for ratio in (score.kept_contrast or ())[_SHAPES_OCTAVE:] if ratio is not None]
    text = f"{printable(score.name)} keeps {100 * kept[0]:.0f} % of the contrast of its shapes"
    if _is_drawn_into(score):
        text += ", and grain is drawn where they were"
    targets = None if alone is None else f"{alone}={score.psnr_db + _SHAPES_DB:.0f}"
    return text + price.ask(4 ** _octaves_to(kept, GOOD_SHAPES), "keep more of them", targets)


def _of_far(score: MapScore, price: _Price, alone: str | None) -> str:
    text = f"{printable(score.name)} is at {score.psnr_db:.1f} dB, far from its source texel by texel"
    if leaves_grain(score):
        return f"{text}; its grain is drawn anew"
    factor = math.pow(2, (MENDED_DB - score.psnr_db) / _DOUBLING_DB)
    if alone is None:
        return text + price.ask(factor, f"bring it to about {MENDED_DB:g} dB")
    return text + price.ask(factor, f"bring it to {MENDED_DB:g} dB", f"{alone}={MENDED_DB:g}")


def _factor_for(ratio: float) -> float:
    """Return how many times the Gaussians divide an angle or a FLIP error by a ratio."""
    return math.pow(ratio, 1 / ERROR_FALL)


def _is_bent(score: MapScore) -> bool:
    mean, p95 = score.normal_degrees_mean or 0.0, score.normal_degrees_p95 or 0.0
    if score.normal_degrees_structure is not None:
        return score.normal_degrees_structure >= POOR_STRUCTURE_DEGREES
    return mean >= POOR_DEGREES or p95 >= POOR_DEGREES_P95


def _is_flat(score: MapScore) -> bool:
    finest = (shown_contrast(score) or (None,))[0]
    return finest is not None and finest < POOR_CONTRAST and score.psnr_db < _FINE_DB


def _is_off(score: MapScore) -> bool:
    return score.flip is not None and score.flip >= POOR_FLIP


def _shapes_kept(score: MapScore) -> float:
    """Return the share of the third octave's contrast that Gaussians alone keep; 1 where the map has none."""
    kept = (*(score.kept_contrast or ()), *(None,) * (_SHAPES_OCTAVE + 1))[_SHAPES_OCTAVE]
    return 1.0 if kept is None else kept


def _is_lost(score: MapScore) -> bool:
    return _shapes_kept(score) < POOR_SHAPES and score.psnr_db < GOOD_DB


def _is_far(score: MapScore) -> bool:
    return score.psnr_db < (POOR_DB if leaves_grain(score) else POOR_PLAIN_DB)


def _octaves_to(kept: Sequence[float], wanted: float) -> float:
    """Return how many octaves coarser a ratio is kept, between two octaves in proportion."""
    for octave in range(1, len(kept)):
        finer, coarser = kept[octave - 1], kept[octave]
        if coarser >= wanted:
            return octave - (coarser - wanted) / max(coarser - finer, 1e-6) if finer < wanted else octave - 1.0
    return len(kept) - 1.0


def _kept_after(kept: Sequence[float], octaves: float) -> float:
    """Return what is kept of the finest octave once all have moved by some."""
    place = min(max(octaves, 0.0), len(kept) - 1.0)
    below = min(int(place), max(len(kept) - 2, 0))
    above = min(below + 1, len(kept) - 1)
    return kept[below] + (place - below) * (kept[above] - kept[below])


def _kilobytes(size: float) -> str:
    """Write a size with two digits, as --max-bytes reads it."""
    digits = 10 ** max(0, math.floor(math.log10(max(size, 1))) - 1)
    rounded = math.ceil(size / digits) * digits
    for unit, value in (("MB", 1_000_000), ("kB", 1_000)):
        if rounded >= value:
            return f"{rounded / value:g}{unit}"
    return f"{rounded}"
