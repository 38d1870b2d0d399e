"""Where compiled kernels lie, numba's and CUDA's alike, and what is said while they are compiled.

The first of these folders that serves: ``kernels`` in ``$IMAGEGS_TEX_CACHE``, ``imagegs-tex/kernels`` in the user's
cache folder, ``kernels`` in a folder of the user's own among temporary files. A folder that cannot be written serves
where it holds kernels already, as in a container image. Where none serves, kernels live in memory.
"""

import contextlib
import functools
import logging
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "IMAGEGS_TEX_CACHE"
REMEDY: Final = f"set {VARIABLE} to a folder that can be written"
_logger: Final = logging.getLogger("imagegs_tex")


@dataclass(frozen=True, slots=True)
class KernelFolder:
    """Where compiled kernels are read and written."""

    path: Path | None  # None: nowhere; they live in memory
    writable: bool
    problem: str  # why a better folder does not serve; empty if the first choice does

    @property
    def compiling(self) -> str:
        """What is said, once, when kernels have to be compiled."""
        if self.path is None:
            return f"compiling kernels, anew in every run, since {self.problem}; {REMEDY}"
        if not self.writable:
            return f"compiling kernels that {self.path} lacks, anew in every run, since it cannot be written; {REMEDY}"
        if self.problem:
            return f"compiling kernels, first run only; they are kept in {self.path}, since {self.problem}; {REMEDY}"
        return "compiling kernels, first run only"


@functools.cache
def kernel_folder() -> KernelFolder:
    """Return where compiled kernels lie; decided once per process, and made if it is not there."""
    problem = ""
    for name, find in ((VARIABLE, _stated), ("the user's cache folder", _of_the_user), ("temporary files", _temporary)):
        path = None
        try:
            path = find()
            if path is None:
                continue
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=path).close()
        except (OSError, RuntimeError) as error:  # no home folder is a RuntimeError
            # of an OSError no text with line breaks, whatever a folder is called
            reason = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
            problem = problem or f"{name} cannot be used ({reason})"
            if path is not None and _holds_kernels(path):
                return KernelFolder(path, False, problem)
            continue
        return KernelFolder(path, True, problem)
    return KernelFolder(None, False, problem)


@functools.cache
def say_compiling() -> None:
    """Tell the log ``imagegs_tex``, once per process, that kernels are being compiled."""
    folder = kernel_folder()
    _logger.log(logging.WARNING if folder.problem else logging.INFO, "%s", folder.compiling)


def _stated() -> Path | None:
    base = os.environ.get(VARIABLE)
    return Path(base).absolute() / "kernels" if base else None


def _of_the_user() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not Path(base).is_absolute():  # to be ignored, says the XDG Base Directory Specification
            base = str(Path.home() / ".cache")
    return Path(base).absolute() / "imagegs-tex" / "kernels"


def _temporary() -> Path:
    """Return a folder that is this user's alone: compiled kernels are run, so nobody else may write any."""
    user = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    own = Path(tempfile.gettempdir()) / f"imagegs-tex-{user}"
    own.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32":
        found = own.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(0, "it is another user's, or open to others")
    return own / "kernels"


def _holds_kernels(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(path.iterdir())
    return False
