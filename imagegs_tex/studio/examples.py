"""Materials to try on the page when none is at hand: made on the spot, as they are ours."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.example_material import make_material
from imagegs_tex.formats.images import write_image


@dataclass(frozen=True, slots=True)
class Example:
    """A material to try."""

    key: str
    label: str
    make: Callable[[Path], None]  # writes its maps into a folder


def _cobbles(size: int) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name, texels in make_material(size).items():
            write_image(folder / f"{name}.png", texels)

    return make


def _photo(folder: Path) -> None:
    write_image(folder / "cobbles.png", make_material(256)["basecolor"])


EXAMPLES: Final = (
    Example("cobbles", "Cobbles: 5 maps, 512 × 512", _cobbles(512)),
    Example("small_cobbles", "Cobbles, small: 5 maps, 256 × 256", _cobbles(256)),
    Example("picture", "A single picture, 256 × 256", _photo),
)
