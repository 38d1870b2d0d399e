"""How close a result is to its source, in words: one for each map, and that of the worst for all of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from imagegs_tex.advice import Closeness, closeness_of, leaves_grain
from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.studio.results import Result

_ORDER: Final = (Closeness.CLOSE, Closeness.FAIR, Closeness.ROUGH)
_MEANINGS: Final = {
    Closeness.CLOSE: "hard to tell from the source",
    Closeness.FAIR: "alike at a glance; fine detail differs",
    Closeness.ROUGH: "differs at a glance",
}
_DRAWN: Final = "; its grain is drawn anew, of the same kind, not the same"


def measured(result: Result) -> list[MapScore]:
    """Return the scores of a result's maps: the report's, and the FLIP errors of all colours; none without a source."""
    reported = {} if result.report is None else {score.name: score for score in result.report.maps}
    return [replace(reported.get(score.name, score), flip=score.flip) for score in result.scores]


def worst_of(scores: Sequence[MapScore]) -> Closeness:
    """Return the word for all maps: that of the worst."""
    return max(map(closeness_of, scores), key=_ORDER.index)


def meaning_of(word: Closeness) -> str:
    """Return what a word means."""
    return _MEANINGS[word]


def closeness_words(score: MapScore) -> str:
    """Return what is said of a map, with the figures that its word goes by."""
    word = closeness_of(score)
    grain = _DRAWN if leaves_grain(score) and word != Closeness.CLOSE else ""
    figures = [f"{score.psnr_db:.1f} dB"]
    if score.flip is not None:
        figures.append(f"FLIP {score.flip:.2f}")
    if score.normal_degrees_mean is not None:
        figures.append(f"{score.normal_degrees_mean:.1f}° off")
    return f"{_MEANINGS[word]}{grain} ({', '.join(figures)})"
