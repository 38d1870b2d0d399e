"""What discovery finds: materials of a tree, each with its name and the files that its bytes come from."""

from dataclasses import dataclass
from pathlib import Path

from imagegs_tex.formats.material.material_source import MaterialSource


@dataclass(frozen=True, slots=True)
class TreeMaterial:
    """One material of a tree."""

    name: str  # with slashes, NFC, no suffix: what it is called in the output; no other is, whatever case and form
    source: Path  # of the folder or file that it comes from, relative to the tree
    material: MaterialSource  # paths are absolute
    container: tuple[Path, ...] = ()  # files whose bytes count as a whole: a glTF with its buffers, a .zip; absolute
    stem: str = ""  # which material of the container

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that it is read from, absolute, each once."""
        images = [source.image.path for source in self.material.maps if source.image.data is None]
        mask = self.material.importance
        return tuple(dict.fromkeys([*self.container, *images, *([] if mask is None else [mask])]))


@dataclass(frozen=True, slots=True)
class BadSource:
    """A folder or file of which no material can be made."""

    source: Path  # relative to the tree
    problem: str  # one line


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of sources."""

    root: Path  # absolute
    materials: tuple[TreeMaterial, ...]  # by name
    bad: tuple[BadSource, ...]
    remarks: tuple[str, ...]  # what else there is to say, one line each
    folders: tuple[Path, ...]  # all that were looked into, absolute: what is put there may be a material
