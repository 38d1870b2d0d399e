"""What a build left in its output folder: the index for whoever reads the tree, and a journal of a build that goes on.

The index, ``materials.json``, is a function of the inputs: no times, no paths of this machine. The journal has a line
before a file is written and one when a material is done; it is read when a build begins, since the one before may have
been killed, and removed when the index is written.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, TextIO

from imagegs_tex.builder.keys import Encoder
from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.files.atomic_write import cannot_write, is_temporary, write_bytes
from imagegs_tex.formats.files.safe_names import printable

INDEX_FILE: Final = "materials.json"
STATE_FOLDER: Final = ".imagegs-build"
_JOURNAL: Final = "journal.jsonl"
_FORMAT: Final = "imagegs-tex build 1"


@dataclass(slots=True)
class Entry:
    """A material as the index lists it."""

    name: str
    source: str  # relative to the tree, printable
    file: str  # of the .igs file, relative to the output
    key: str
    sha256: str
    bytes: int
    source_bytes: int  # of all files that it is read from
    settings: dict[str, object]  # what was asked for, where it is not the default
    report: dict[str, object]  # sizes, scores, how its maps were understood
    products: dict[str, dict[str, str]] = field(default_factory=dict)  # by product: SHA-256 by file
    product_keys: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)  # by product: why it could not be made
    start: str = ""  # SHA-256 of the .igs file that its fit began from; empty: from nothing
    inputs: list[dict[str, str]] = field(default_factory=list)  # name without its folder, and SHA-256, of what was read

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of all its files by their paths in the output."""
        return {self.file: self.sha256} | {path: own for files in self.products.values() for path, own in files.items()}

    @property
    def warnings(self) -> list[str]:
        """What came out poor, a line each."""
        found = self.report.get("warnings")
        return [str(line) for line in found] if isinstance(found, list | tuple) else []


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What could not be made."""

    source: str  # relative to the tree, printable
    problem: str
    name: str | None = None  # of the material; None: it is not known which a source would have had


@dataclass(slots=True)
class State:
    """What earlier builds have left."""

    entries: dict[str, Entry] = field(default_factory=dict)  # by name
    files: set[str] = field(default_factory=set)  # all that may lie in the output, also what a killed build began
    begun: set[str] = field(default_factory=set)  # of a build that was killed: files that it may have been writing


def read_state(output: Path) -> State:
    """Read the index and the journal of an output folder; what cannot be read is not there.

    Raises:
        OutputError: there is an index, and it is not one of a build
    """
    state = State()
    index = output / INDEX_FILE
    with suppress(FileNotFoundError):
        try:
            document = json.loads(index.read_bytes())
            if document["format"] != _FORMAT:
                raise ValueError("another format")
            for fields in document["materials"]:
                _add(state, Entry(**fields))
        except FileNotFoundError:
            raise
        except (OSError, ValueError, LookupError, TypeError):
            raise OutputError(
                f"{printable(index)} is there already and is no index of a build; give another folder, or remove it"
            ) from None
    with suppress(OSError), (output / STATE_FOLDER / _JOURNAL).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, LookupError, TypeError):  # the last one may be cut
                found = json.loads(line)
                if "done" in found:
                    _add(state, Entry(**found["done"]))
                else:
                    state.begun |= {path for path in found["will write"] if _is_inside(path)}
    state.files |= state.begun
    return state


def _add(state: State, entry: Entry) -> None:
    if all(map(_is_inside, entry.files)):  # what others wrote into it must not have files outside removed
        state.entries[entry.name] = entry
        state.files.update(entry.files)


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts and "\0" not in path


class Journal:
    """What a build has done so far, in case it is killed."""

    def __init__(self, output: Path) -> None:
        """Go on with the journal of the build before, if that did not end."""
        self._path = output / STATE_FOLDER / _JOURNAL
        self._file: TextIO | None = None

    def will_write(self, paths: Iterable[str]) -> None:
        """Note files that are about to be written."""
        self._write({"will write": list(paths)})

    def done(self, entry: Entry) -> None:
        """Note a material that is made."""
        self._write({"done": _fields(entry)})

    def _write(self, fields: dict[str, object]) -> None:
        try:
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8", errors="backslashreplace")
                self._file.write("\n")  # the line before may be cut
            self._file.write(json.dumps(fields) + "\n")
            self._file.flush()
        except OSError as error:
            raise cannot_write(self._path, error) from None

    def close(self, finished: bool) -> None:
        """Close it, and remove it when all that it says is in the index."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if finished:
            self._path.unlink(missing_ok=True)


def write_index(
    output: Path, source: str, encoder: Encoder, entries: Iterable[Entry], left_out: Iterable[LeftOut],
    remarks: Iterable[str],
) -> bool:  # fmt: skip
    """Write the index, unless it is there as it would be written; return whether it was."""
    made_with = asdict(encoder) | {"libraries": dict(encoder.libraries)}
    head = {"format": _FORMAT, "source": source, "encoder": made_with, "remarks": list(remarks)}
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    # a material a line: a tenth of the time of an indented document, and a difference shows what has changed
    parts += [_array("materials", map(_fields, entries)), _array("left_out", map(asdict, left_out))]
    data = ("{\n" + ",\n".join(parts) + "\n}\n").encode()
    path = output / INDEX_FILE
    with suppress(OSError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    write_bytes(path, data)
    return True


def _array(name: str, values: Iterable[dict[str, object]]) -> str:
    lines = ",\n".join(json.dumps(value) for value in values)
    return f"{json.dumps(name)}: [\n{lines}\n]" if lines else f"{json.dumps(name)}: []"


def _fields(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in Entry.__slots__}


def remove_leftovers(output: Path, state: State) -> None:
    """Remove what a build that was killed was just writing under temporary names; for who holds the lock."""
    homes = {output, output / STATE_FOLDER, *((output / path).parent for path in state.begun)}
    for home in homes:
        for path in home.glob(".*.tmp"):
            if is_temporary(path.name):
                with suppress(OSError):
                    path.unlink()


def remove_files(output: Path, paths: Iterable[str]) -> None:
    """Remove files of an output folder, and folders that are empty then."""
    folders = set[Path]()
    for path in paths:
        file = output / path
        try:
            file.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise OutputError(f"cannot remove {printable(file)}: {error.strerror}; remove it yourself") from None
        folders.update(output / parent for parent in PurePosixPath(path).parents if parent.parts)
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        with suppress(OSError):  # not empty
            folder.rmdir()
