"""What a build has read, for Make and Ninja: a rule in the form that compilers write (gcc -MD -MP)."""

import os
from collections.abc import Iterable
from pathlib import Path

from imagegs_tex.builder.request import BuildReport
from imagegs_tex.builder.state import INDEX_FILE


def depfile_text(output: Path, report: BuildReport, more: Iterable[Path] = (), *, relative: bool = True) -> str:
    """Return a depfile: the index depends on all files that were read, and on the folders that were looked into.

    Args:
        output: the output folder as it was given, since Ninja compares the target's name
        report: of the build
        more: further files that it depends on, such as the project file
        relative: whether paths are from the current folder, as those in a Makefile mostly are, or absolute
    """
    tree = report.tree
    paths = [*more, *tree.folders, *(path for material in tree.materials for path in material.files)]
    shown = [os.path.relpath(path) if relative else str(path.absolute()) for path in dict.fromkeys(paths)]
    named = [_escaped(path) for path in shown if "\n" not in path]  # which no depfile can name
    target = _escaped(str(output / INDEX_FILE))
    rule = " \\\n ".join([f"{target}:", *named])
    nothing = "".join(f"\n{path}:\n" for path in named)  # or Make has no rule for a file that is gone
    return f"{rule}\n{nothing}"


def _escaped(path: str) -> str:
    return path.replace(" ", "\\ ").replace("#", "\\#").replace("$", "$$")
