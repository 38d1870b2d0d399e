"""CUDA C++ compiled and launched with what torch's CUDA wheel brings: NVRTC and the driver, through ctypes.

NVRTC and not Triton: the kernels transpose their roles half way (a thread owns texels, then Gaussians), keep per-thread
accumulators across it and place shared memory by hand, which Triton's block programs cannot say. NVRTC needs neither
nvcc nor headers and compiles the largest kernel in a fraction of a second (docs/benchmarks/cuda.md), once per process
and component count.
"""

import ctypes
import hashlib
import sys
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.rasterize.cuda import cubin_cache

_KERNELS: Final = resources.files("imagegs_tex.rasterize.cuda").joinpath("kernels")
_SHARED_BYTES_ATTRIBUTE = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
_SHARED_BYTES_WITHOUT_ASKING = 48 * 1024


class CudaError(RuntimeError):
    """A call to the CUDA driver or compiler failed."""


class CompilerMissingError(CudaError):
    """NVRTC is not where torch's CUDA wheels put it."""


class Pointer(int):
    """A device address; zero where a kernel takes none."""


class Long(int):
    """A ``long long`` argument."""


class Double(float):
    """A ``double`` argument."""


Argument = Tensor | Pointer | Long | Double | int | float
"""What a kernel takes: a tensor's address, a typed number, or ``int`` and ``float`` in C's sense."""


class Kernel:
    """One compiled function of one device."""

    def __init__(self, function: ctypes.c_void_p, device: torch.device) -> None:
        self._function = function
        self._device = device
        self._allowed = _SHARED_BYTES_WITHOUT_ASKING

    def __call__(self, blocks: int, threads: int, *arguments: Argument, shared_bytes: int = 0) -> None:
        """Launch on torch's current stream; no blocks is no launch."""
        self.bound(threads, *arguments, shared_bytes=shared_bytes)(blocks)

    def bound(self, threads: int, *arguments: Argument, shared_bytes: int = 0) -> "Launch":
        """Return the kernel with its arguments, to be launched many times: most of a launch is making them C's."""
        _make_current(self._device)
        if shared_bytes > self._allowed:
            _check(_driver().cuFuncSetAttribute(self._function, _SHARED_BYTES_ATTRIBUTE, shared_bytes))
            self._allowed = shared_bytes
        stream = torch.cuda.current_stream(self._device).cuda_stream
        return Launch(self._function, stream, threads, arguments, shared_bytes)


class Launch:
    """A kernel with its arguments, on one stream."""

    def __init__(
        self,
        function: ctypes.c_void_p,
        stream: int,
        threads: int,
        arguments: tuple[Argument, ...],
        shared_bytes: int,
    ) -> None:
        self._arguments = arguments  # kept: the kernel reads the tensors' memory
        self._values = [_as_ctypes(argument) for argument in arguments]
        pointers = [ctypes.addressof(value) for value in self._values]
        self._function, self._grid_rest, self._block = function, (1, 1), (threads, 1, 1)
        self._rest = (shared_bytes, ctypes.c_void_p(stream), (ctypes.c_void_p * len(pointers))(*pointers), None)

    def __call__(self, blocks: int, changed: dict[int, int] | None = None) -> None:
        """Launch; no blocks is no launch.

        Args:
            blocks: of threads
            changed: new values of whole numbers and addresses, by their place among the arguments
        """
        for place, value in (changed or {}).items():
            self._values[place].value = value
        if blocks:
            _check(_driver().cuLaunchKernel(self._function, blocks, *self._grid_rest, *self._block, *self._rest))


class Module:
    """A compiled source file, loaded on one device."""

    def __init__(self, source: str, defines: tuple[tuple[str, str], ...], device: torch.device) -> None:
        major, minor = torch.cuda.get_device_capability(device)
        cubin = compile_source(source, defines, f"sm_{major}{minor}")
        _make_current(device)
        self._device = device
        self._module = ctypes.c_void_p()
        _check(_driver().cuModuleLoadData(ctypes.byref(self._module), cubin))

    def kernel(self, name: str) -> Kernel:
        """Return a function by its name."""
        function = ctypes.c_void_p()
        _check(_driver().cuModuleGetFunction(ctypes.byref(function), self._module, name.encode()))
        return Kernel(function, self._device)


_modules: dict[tuple[str, tuple[tuple[str, str], ...], torch.device], Module] = {}
_lock = threading.Lock()


def load(source: str, defines: Mapping[str, int | float], device: torch.device) -> Module:
    """Return a file of kernels/, compiled for a device; once per process and set of definitions.

    Whole numbers are defined as such, a :class:`Double` as a double, other numbers as a float.
    """
    key = (source, tuple(sorted((name, _literal(number)) for name, number in defines.items())), device)
    with _lock:
        if key not in _modules:
            _modules[key] = Module(source, key[1], device)
        return _modules[key]


def compile_source(source: str, defines: tuple[tuple[str, str], ...], architecture: str) -> bytes:
    """Compile a file of kernels/ to machine code, or find what an earlier process has compiled.

    Needs NVRTC, not a GPU.
    """
    compiler = _compiler()
    text, headers = _KERNELS.joinpath(source).read_bytes(), read_headers()
    options = [f"--gpu-architecture={architecture}", "--std=c++17", *(f"-D{name}={value}" for name, value in defines)]
    major, minor = ctypes.c_int(), ctypes.c_int()
    compiler.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    name = cubin_name(source, text, headers, [f"{major.value}.{minor.value}", *options])
    code = cubin_cache.read(name)
    if code is None:
        code = _compile(compiler, source, text, headers, options)
        cubin_cache.write(name, code)
    return code


def read_headers() -> dict[str, bytes]:
    """Return the text of every header of kernels/ by its name."""
    return {entry.name: entry.read_bytes() for entry in _KERNELS.iterdir() if entry.name.endswith(".cuh")}


def cubin_name(source: str, text: bytes, headers: Mapping[str, bytes], options: list[str]) -> str:
    """Return the name of compiled code: a digest of all that it is made of, headers included."""
    digest = hashlib.sha256()
    for part in (*(option.encode() for option in options), text, *(headers[name] for name in sorted(headers))):
        digest.update(len(part).to_bytes(8, "little") + part)
    return f"{Path(source).stem}-{digest.hexdigest()}"


def _literal(number: float) -> str:
    return repr(number) if isinstance(number, int | Double) else f"{number!r}f"


def _strings(values: Iterable[bytes]) -> "ctypes.Array[ctypes.c_char_p]":
    encoded = list(values)
    return (ctypes.c_char_p * len(encoded))(*encoded)


def _compile(
    compiler: ctypes.CDLL, source: str, text: bytes, headers: Mapping[str, bytes], options: list[str]
) -> bytes:
    encoded = _strings(option.encode() for option in options)
    texts, names = _strings(headers.values()), _strings(name.encode() for name in headers)
    program = ctypes.c_void_p()
    if compiler.nvrtcCreateProgram(ctypes.byref(program), text, source.encode(), len(headers), texts, names):
        raise CudaError("NVRTC cannot create a program")
    try:
        if compiler.nvrtcCompileProgram(program, len(options), encoded):
            raise CudaError(f"NVRTC cannot compile {source}: {_log(compiler, program)}")
        size = ctypes.c_size_t()
        compiler.nvrtcGetCUBINSize(program, ctypes.byref(size))
        cubin = ctypes.create_string_buffer(size.value)
        compiler.nvrtcGetCUBIN(program, cubin)
        return cubin.raw
    finally:
        compiler.nvrtcDestroyProgram(ctypes.byref(program))


def _log(compiler: ctypes.CDLL, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    compiler.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    compiler.nvrtcGetProgramLog(program, log)
    return log.value.decode(errors="replace").strip()


def _as_ctypes(
    argument: Argument,
) -> ctypes.c_void_p | ctypes.c_longlong | ctypes.c_double | ctypes.c_int | ctypes.c_float:
    if isinstance(argument, Tensor):
        return ctypes.c_void_p(argument.data_ptr())
    if isinstance(argument, Pointer):
        return ctypes.c_void_p(int(argument))
    if isinstance(argument, Long):
        return ctypes.c_longlong(argument)
    if isinstance(argument, Double):
        return ctypes.c_double(argument)
    if isinstance(argument, int):
        return ctypes.c_int(argument)
    return ctypes.c_float(argument)


_thread = threading.local()


def _make_current(device: torch.device) -> None:
    """Make torch's context of a device current in this thread, also where torch has not launched anything yet."""
    torch.cuda.init()  # type: ignore[no-untyped-call]  # torch leaves it without types
    if getattr(_thread, "device", None) == device and torch.cuda.current_device() == device.index:
        return
    torch.cuda.set_device(device)
    context = ctypes.c_void_p()
    _check(_driver().cuDevicePrimaryCtxRetain(ctypes.byref(context), device.index))
    _check(_driver().cuCtxSetCurrent(context))
    _thread.device = device


def _check(result: int) -> None:
    if result:
        text = ctypes.c_char_p()
        _driver().cuGetErrorString(result, ctypes.byref(text))
        raise CudaError(f"CUDA driver: {(text.value or b'unknown error').decode()}")


@cache
def _driver() -> ctypes.CDLL:
    # PyDLL keeps the interpreter's lock: launches are short, and a thread that lets go of it for each of them can wait
    # 5 ms to get it back from another one
    return ctypes.PyDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")


@cache
def _compiler() -> ctypes.CDLL:
    """Find NVRTC: already loaded, in torch's folders, or in the folders of its companion packages."""
    major = (torch.version.cuda or "13").split(".", maxsplit=1)[0]
    name = f"nvrtc64_{major}0_0.dll" if sys.platform == "win32" else f"libnvrtc.so.{major}"
    home = Path(torch.__file__).parent
    places = [
        home / "lib",
        home.parent / "nvidia" / f"cu{major}" / "lib",
        home.parent / "nvidia" / "cuda_nvrtc" / "lib",
    ]
    for candidate in [name, *(str(place / name) for place in places)]:
        try:
            return ctypes.CDLL(candidate)
        except OSError:
            continue
    raise CompilerMissingError(f"{name}, which torch's CUDA wheels bring, is missing; reinstall torch with CUDA")
