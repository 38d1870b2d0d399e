"""What is asked of a build, and how it ended."""

from dataclasses import dataclass
from pathlib import Path

from imagegs_tex.builder.progress import Counts, Step
from imagegs_tex.builder.project_file import ProjectFile
from imagegs_tex.builder.state import Entry, LeftOut
from imagegs_tex.builder.tree import Tree


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What is to be built, and where."""

    project: ProjectFile  # the tree, and how it is made
    output: Path
    cache: Path | None = None
    backend: str = "auto"
    keep_going: bool = True
    dry_run: bool = False
    thumbnails: bool = False  # a small picture of each material, for the page of the tree


@dataclass(frozen=True, slots=True)
class BuildReport:
    """How a build ended."""

    counts: Counts
    left_out: tuple[LeftOut, ...]
    removed: tuple[str, ...]  # materials whose outputs are gone
    planned: tuple[tuple[str, Step], ...]  # of a dry run: what would be done with each material
    remarks: tuple[str, ...]
    index_changed: bool
    tree: Tree
    seconds: float
    entries: tuple[Entry, ...] = ()  # what the index lists
    common_psnr_db: float | None = None  # that a budget was shared for
