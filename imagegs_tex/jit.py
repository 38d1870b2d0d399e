"""numba as all kernels use it: one target, one cache folder, and few variants of each kernel.

The target is the same on every processor (:mod:`imagegs_tex.common_instructions`), so the machine code is, too,
and with it the order of sums. What makers of processors define differently is left out, see REORDERED.
"""

import contextlib
import functools
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any, Final

import numba
import numpy as np
from numba import config, extending, types
from numba.core import caching, event
from numba.core.runtime.nrt import rtsys

from imagegs_tex import background_compilation
from imagegs_tex.common_instructions import kernel_target
from imagegs_tex.compile_time import COMPILING
from imagegs_tex.kernel_cache import kernel_folder, say_compiling

intrinsic: Final[Any] = extending.intrinsic
"""Any: as declared, its first argument, which numba fills in, would have to be given."""
_DAMAGE: Final = (pickle.UnpicklingError, EOFError, ValueError, LookupError, AttributeError, ImportError)
"""What reading a damaged file of kernels raises."""
REORDERED: Final = {"nnan", "ninf", "nsz", "reassoc", "contract"}
"""What a kernel's arithmetic may be turned into with ``fastmath``: sums in another order, products fused with them.

Not approximations (arcp, afn): AMD's and Intel's rcpps and rsqrtps have other digits.
"""
VECTOR_BYTES: Final = 64
"""The widest vector: what an array's first byte should be a multiple of."""


def _use_common_instructions() -> None:
    """Has an effect only where nothing has been compiled yet."""
    target = kernel_target()
    if target is not None:
        configuration: Any = config
        configuration.CPU_NAME, configuration.CPU_FEATURES = target


_use_common_instructions()


def _names_in(code: CodeType) -> Iterator[str]:
    """Give the global names that a function uses, also in functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


@functools.cache
def _stamp_of(file: str) -> tuple[str, int, int]:
    """Say which version of a source file this is, without reading it: `info` loads kernels, too."""
    state = Path(file).stat()
    return file, state.st_mtime_ns, state.st_size


class _Locator(caching.UserProvidedCacheLocator):
    """Puts a kernel's files into the folder of compiled kernels; numba's own ones refuse folders that are only read.

    A compiled kernel has those in it that it calls, and constants of other modules: their sources count as its own.
    """

    def __init__(self, function: Any, file: str) -> None:
        self._py_file, self._lineno = file, function.__code__.co_firstlineno
        self._function = function
        folder = kernel_folder().path
        assert folder is not None
        self._cache_path = str(folder / self.get_suitable_cache_subpath(file))

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "_Locator":
        return cls(py_func, py_file)

    def get_source_stamp(self) -> Any:
        """Return what changes when the kernel would compile to something else."""
        files, constants = {self._py_file, __file__}, {}  # this one: how all are compiled
        waiting, seen = [self._function], set()
        while waiting:
            function = waiting.pop()
            if function in seen:
                continue
            seen.add(function)
            for name in _names_in(function.__code__):
                value = function.__globals__.get(name)
                called = getattr(value, "py_func", None) or getattr(value, "_defn", None)  # a kernel, an intrinsic
                if called is not None:
                    files.add(called.__code__.co_filename)
                    waiting.append(called)
                elif isinstance(value, int | float | str | tuple):
                    constants[function.__qualname__, name] = repr(value)
        return [_stamp_of(file) for file in sorted(files)], sorted(constants.items())


class _CacheImpl(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012 - as numba declares it


class _KernelCache(caching.FunctionCache):
    """numba's cache, of which no damage and no full disk is an error."""

    _impl_class = _CacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return a compiled kernel, or None; wait for a process that is compiling it."""
        found = self._look(sig, target_context)
        if found is None:
            say_compiling()
            with event.trigger_event(COMPILING):
                is_there = background_compilation.wait_for(self._py_func.__module__)
            if is_there:
                found = self._look(sig, target_context)
        return found

    def _look(self, sig: Any, target_context: Any) -> Any:
        """Return what is kept. What numba knows of Python is only loaded to compile, which takes 0.2 s."""
        try:
            rtsys.initialize(target_context)  # what machine code calls
            return self._load_overload(sig, target_context)
        except OSError:
            return None
        except _DAMAGE:
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, if that is possible."""
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()


class _Nowhere(caching.NullCache):
    """Where kernels cannot be kept."""

    def load_overload(self, sig: Any, target_context: Any) -> None:
        """Find nothing."""
        del sig, target_context
        say_compiling()


def njit(function: Any = None, *, cache: bool = False, **options: Any) -> Any:
    """Compile a function: numba's njit, kept in our folder when ``cache`` is set.

    Called from another kernel, it is compiled for the types of its arguments, not for each literal value: the entropy
    coder's parts had up to eight variants of the same machine code, a fifth of the time it took to compile.

    A division by zero gives what numpy has for it: looking for a zero, to raise an error, kept loops with a division
    from being vectors.
    """
    if function is None:
        return lambda decorated: njit(decorated, cache=cache, **options)
    kernel: Any = numba.njit(**{"error_model": "numpy"} | options)(function)
    if cache:
        kernel._cache = _Nowhere() if kernel_folder().path is None else _KernelCache(function)
    for_types = kernel.get_call_template

    def without_literals(args: Any, kws: Any) -> Any:
        return for_types(tuple(map(types.unliteral, args)), {key: types.unliteral(kind) for key, kind in kws.items()})

    kernel.get_call_template = without_literals
    return kernel


@njit(inline="always")
def aligned(rows, length):
    """Return an uninitialised float32 array [rows, multiple of 16], each row of which begins where a vector does.

    Not by reshape: LLVM then did not know that texels lie side by side, and vectorised nothing.
    """
    room = np.empty((rows, length + VECTOR_BYTES // 4), np.float32)
    first = (VECTOR_BYTES - room.ctypes.data % VECTOR_BYTES) % VECTOR_BYTES // 4
    return room[:, first : first + length]
