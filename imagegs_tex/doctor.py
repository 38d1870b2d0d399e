"""What this machine has: libraries, GPU, tools, which backend is used, and whether each computes the same picture."""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from imagegs_tex.formats.errors import ImageGSTexError, install_extra
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.kernel_cache import REMEDY, kernel_folder
from imagegs_tex.rasterize.select_backend import chosen_backend, cuda_problem, make_backend
from imagegs_tex.square_root import square_root

VALUE_TOLERANCE: Final = 1e-4
"""Largest difference of a component's value from the reference in float64."""
_CHECK_SIZE: Final = (160, 96)
_CHECK_COUNT: Final = 300
_CHECK_COMPONENTS: Final = 9
_CHECK_SECONDS: Final = 0.5
_PROBE_SECONDS: Final = 30
_GL_PROBE: Final = (
    "import sys, moderngl\n"
    "options = {'backend': 'egl'} if sys.platform == 'linux' else {}\n"
    "context = moderngl.create_context(standalone=True, **options)\n"
    "print(context.info['GL_RENDERER'], 'OpenGL', context.version_code / 100)\n"
)
_TOOLS: Final = (
    ("glslangValidator", "checks emitted shaders", "apt-get install glslang-tools, or the Vulkan SDK"),
    ("spirv-cross", "runs emitted HLSL in verify", "apt-get install spirv-cross, or the Vulkan SDK"),
    (
        "dxc",
        "a second opinion on emitted HLSL, optional",
        "https://github.com/microsoft/DirectXShaderCompiler/releases",
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for."""

    name: str
    found: str | None  # version or description; None if it is not there
    purpose: str
    remedy: str  # how to get it; empty if it is there


@dataclass(frozen=True, slots=True)
class BackendCheck:
    """One backend against the reference."""

    name: str
    problem: str | None  # why it cannot run here
    difference: float | None  # largest of a component's value from the reference in float64
    first_seconds: float | None  # first picture, compilation included
    seconds: float | None  # one picture after that

    @property
    def passed(self) -> bool:
        """Whether it runs and computes the picture."""
        return self.difference is not None and self.difference < VALUE_TOLERANCE


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Everything that was found."""

    findings: tuple[Finding, ...]
    used_backend: str
    checks: tuple[BackendCheck, ...]

    @property
    def healthy(self) -> bool:
        """Whether every backend that can run here is right."""
        return all(check.passed for check in self.checks if check.problem is None)


def examine() -> DoctorReport:
    """Look for everything and check every backend; takes a few seconds, most of it compilation."""
    findings = (*_libraries(), _opengl(), *(_tool(*tool) for tool in _TOOLS))
    checks = tuple(check_backend(name) for name in ("reference", "cpu", "cuda"))
    return DoctorReport(findings, chosen_backend("auto"), checks)


def check_backend(name: str) -> BackendCheck:
    """Render a small random set and compare it with the reference in float64."""
    import torch

    try:
        backend = make_backend(name)
    except ImageGSTexError as error:
        return BackendCheck(name, str(error), None, None, None)
    generator = torch.Generator().manual_seed(0)
    width, height = _CHECK_SIZE
    means = torch.rand(_CHECK_COUNT, 2, generator=generator) * torch.tensor([width, height])
    sizes = 0.02 + torch.rand(_CHECK_COUNT, 2, generator=generator)
    slant = (2 * torch.rand(_CHECK_COUNT, generator=generator) - 1) * 0.9 * square_root(sizes.prod(dim=1))
    conics = torch.stack([sizes[:, 0], slant, sizes[:, 1]], dim=1)
    features = 2 * torch.rand(_CHECK_COUNT, _CHECK_COMPONENTS, generator=generator) - 1
    cutoff = 6.0
    reference = make_backend("reference")
    exact = reference.prepare_geometry(means.double(), conics.double(), cutoff, _CHECK_SIZE)
    wanted = reference.render(exact, features.double())
    means, conics, features = (tensor.to(backend.device) for tensor in (means, conics, features))
    seconds: list[float] = []
    while len(seconds) < 2 or (sum(seconds[1:]) < _CHECK_SECONDS and len(seconds) < 200):
        started = time.perf_counter()
        found = backend.render(backend.prepare_geometry(means, conics, cutoff, _CHECK_SIZE), features).cpu()
        seconds.append(time.perf_counter() - started)
    difference = float((found.double() - wanted).abs().max())
    return BackendCheck(name, None, difference, seconds[0], sorted(seconds[1:])[len(seconds[1:]) // 2])


def _libraries() -> list[Finding]:
    import torch

    torch_found = f"{torch.__version__}"
    problem = cuda_problem()
    gpus = None
    if problem is None:
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        gpus = f"CUDA {torch.version.cuda}, {', '.join(names)}"
    return [
        Finding("torch", torch_found, "everything", ""),
        Finding("CUDA", gpus, "the cuda backend", problem or ""),
        Finding("numba", _version("numba"), "the cpu backend", ""),
        _kernels(),
        _optional("ispc_texcomp", "ispc-texcomp", "block compression in export", install_extra("export")),
        _optional("gsplat", "gsplat", "export to splats", install_extra("splats")),
        _optional("gradio", "gradio", "the page of studio", install_extra("studio")),
        _optional("distributed", "distributed", "build on many machines", install_extra("farm")),
        _optional("wgpu", "wgpu", "verify --lang wgsl", install_extra("wgsl")),
        _optional("watchfiles", "watchfiles", "build --watch", install_extra("watch")),
        _optional("fused_ssim", "fused-ssim", "the SSIM loss on a GPU, faster",
                  "pip install --no-build-isolation git+https://github.com/rahul-goel/fused-ssim (needs nvcc)"),
    ]  # fmt: skip


def _kernels() -> Finding:
    folder = kernel_folder()
    purpose = "compiled kernels" if folder.writable else "compiled kernels; nothing is written here"
    remedy = "" if folder.path else f"{folder.problem}; {REMEDY}"
    return Finding("kernel folder", None if folder.path is None else printable(folder.path), purpose, remedy)


def _optional(module: str, package: str, purpose: str, remedy: str) -> Finding:
    found = None
    if importlib.util.find_spec(module) is not None:  # found, not imported: importing gsplat may start a compiler
        found = _version(package) or "installed"
    return Finding(package, found, purpose, "" if found else remedy)


def _opengl() -> Finding:
    purpose, remedy = "verify", install_extra("verify")
    if importlib.util.find_spec("moderngl") is None:
        return Finding("OpenGL", None, purpose, remedy)
    # in a process of its own: a broken driver takes its process with it
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _GL_PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding("OpenGL", None, purpose, f"moderngl did not answer within {_PROBE_SECONDS} s; check the driver")
    if probe.returncode:
        reason = printable((probe.stderr.strip() or "no reason given").splitlines()[-1])
        return Finding("OpenGL", None, purpose, f"apt-get install libegl1 libgl1, or a GPU driver ({reason})")
    return Finding("OpenGL", printable(probe.stdout.strip()), purpose, "")


def _tool(name: str, purpose: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, None if path is None else printable(path), purpose, "" if path else remedy)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
