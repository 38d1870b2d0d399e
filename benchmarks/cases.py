"""The cases of the reference measurements: where their maps lie, and what the reference got."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared"
_SUFFIXES = {".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".tga"}


@dataclass(frozen=True)
class Case:
    """One material at the reference's settings."""

    name: str
    skip_maps: tuple[str, ...]
    gaussians: int
    bytes: int  # the reference's raw parameters
    psnr_db: float
    map_psnr_db: dict[str, float]

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """Give a folder that holds (links to) the maps that the reference compressed."""
        with tempfile.TemporaryDirectory() as folder:
            for path in sorted((SHARED / "materials" / self.name).iterdir()):
                if path.suffix.lower() in _SUFFIXES and path.stem not in self.skip_maps:
                    (Path(folder) / path.name).symlink_to(path)
            yield Path(folder)


def load_cases(names: list[str] | None = None) -> list[Case]:
    """Return all cases, or those named, in the order of the reference file."""
    cases = json.loads((SHARED / "reference" / "image_gs.json").read_text())["cases"]
    return [
        Case(
            name, tuple(case["skip_maps"]), case["reference"]["gaussians"], case["reference"]["bytes"],
            case["reference"]["psnr_db"], case["reference"]["per_map_psnr_db"],
        )
        for name, case in cases.items()
        if not names or name in names
    ]  # fmt: skip
