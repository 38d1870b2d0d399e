"""How close a result is to its source, in words: one for each map, and how many maps have which."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from imagegs_tex.advice import Closeness, closeness_of, leaves_grain
from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.studio.results import Result

_ORDER: Final = (Closeness.CLOSE, Closeness.FAIR, Closeness.ROUGH)
_MEANINGS: Final = {
    Closeness.CLOSE: "hard to tell from the source",
    Closeness.FAIR: "alike from a step back; fine detail differs",
    Closeness.ROUGH: "differs at a glance",
}
_DRAWN: Final = "; its grain is drawn anew, of the same kind, not the same"


def measured(result: Result) -> list[MapScore]:
    """Return the scores of a result's maps: the report's, and the FLIP errors of all colours; none without a source."""
    reported = {} if result.report is None else {score.name: score for score in result.report.maps}
    return [replace(reported.get(score.name, score), flip=score.flip) for score in result.scores]


def words_of_all(scores: Sequence[MapScore]) -> tuple[str, str]:
    """Return how many maps have each word, best first, and what the words mean that occur."""
    words = [closeness_of(score) for score in scores]
    present = [word for word in _ORDER if word in words]
    if len(scores) == 1:
        return present[0].capitalize(), _MEANINGS[present[0]]
    counts = ", ".join(f"{words.count(word)} {word}" for word in present)
    return counts, "; ".join(f"{word}: {_MEANINGS[word]}" for word in present)


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
