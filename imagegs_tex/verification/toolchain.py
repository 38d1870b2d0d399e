"""Compilers that run outside this process: HLSL to OpenGL's GLSL, and checks that sources compile without a word."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from imagegs_tex.formats.errors import MissingToolError

Stage = Literal["comp", "vert", "frag"]
HlslCompiler = Literal["glslang", "dxc"]

ENTRY_POINTS: Final[dict[Stage, str]] = {"comp": "CSMain", "vert": "VSMain", "frag": "PSMain"}

_REMEDIES: Final = {
    "glslangValidator": "install it (Debian: apt-get install glslang-tools)",
    "spirv-cross": "install it (Debian: apt-get install spirv-cross)",
    "spirv-val": "install it (Debian: apt-get install spirv-tools)",
    "dxc": "install Microsoft's DirectX shader compiler and put it on the PATH",
}
_PROFILES: Final[dict[Stage, str]] = {"comp": "cs_6_0", "vert": "vs_6_0", "frag": "ps_6_0"}
_SECONDS: Final = 120


class CompileError(Exception):
    """A compiler refused a decoder; the message is the compiler's."""


def has_tool(name: str) -> bool:
    """Whether a program is on the PATH."""
    return shutil.which(name) is not None


def require_tool(name: str, otherwise: str = "") -> None:
    """Raise MissingToolError with the remedy when a program is not on the PATH."""
    if not has_tool(name):
        raise MissingToolError(f"{name} is not installed; {_REMEDIES[name]}{otherwise}")


def hlsl_to_glsl(source: str, stage: Stage, includes: Mapping[str, str], compiler: HlslCompiler = "glslang") -> str:
    """Compile HLSL to SPIR-V and that to GLSL 4.30, which an OpenGL driver can run.

    Args:
        source: HLSL with the stage's entry point from ENTRY_POINTS
        stage: of the pipeline
        includes: texts that the source may #include, by file name
        compiler: which one reads the HLSL

    Raises:
        CompileError: a warning counts
        MissingToolError: a program is not installed
    """
    for tool in ("glslangValidator" if compiler == "glslang" else "dxc", "spirv-cross"):
        require_tool(tool, "; --lang glsl checks without it")
    with tempfile.TemporaryDirectory(prefix="imagegs-tex-") as name:
        folder = Path(name)
        for include, text in includes.items():
            (folder / include).write_text(text, "utf-8")
        (folder / "shader.hlsl").write_text(source, "utf-8")
        entry = ENTRY_POINTS[stage]
        if compiler == "glslang":
            command = ["glslangValidator", "-D", "-V", "--target-env", "vulkan1.1", "-S", stage, "-e", entry]
            command += [f"-I{folder}", "shader.hlsl", "-o", "shader.spv"]
        else:
            command = ["dxc", "-spirv", "-WX", "-T", _PROFILES[stage], "-E", entry, "shader.hlsl", "-Fo", "shader.spv"]
        _run(command, folder)
        _run(["spirv-cross", "shader.spv", "--version", "430", "--no-es", "--output", "shader.glsl"], folder)
        return (folder / "shader.glsl").read_text("utf-8")


def check_glsl(source: str, stage: Stage) -> None:
    """Compile GLSL of any version with glslang; CompileError for anything it has to say."""
    require_tool("glslangValidator")
    with tempfile.TemporaryDirectory(prefix="imagegs-tex-") as name:
        (Path(name) / "shader").write_text(source, "utf-8")
        _run(["glslangValidator", "-S", stage, "shader"], Path(name))


def to_spirv(source: str, stage: Stage, includes: Mapping[str, str] | None = None) -> bytes:
    """Compile GLSL, or HLSL where there are includes, for Vulkan 1.1, and have the module checked.

    Raises:
        CompileError: a warning counts
        MissingToolError: a program is not installed
    """
    for tool in ("glslangValidator", "spirv-val"):
        require_tool(tool)
    with tempfile.TemporaryDirectory(prefix="imagegs-tex-") as name:
        folder = Path(name)
        for include, text in (includes or {}).items():
            (folder / include).write_text(text, "utf-8")
        (folder / "shader").write_text(source, "utf-8")
        command = ["glslangValidator", "-V", "--target-env", "vulkan1.1", "-S", stage, "shader", "-o", "shader.spv"]
        command += ["-D", "-e", ENTRY_POINTS[stage], f"-I{folder}"] if includes is not None else []
        _run(command, folder)
        _run(["spirv-val", "--target-env", "vulkan1.1", "shader.spv"], folder)
        return (folder / "shader.spv").read_bytes()


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(  # no shell, and no text from a file in the arguments
        command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    said = "\n".join(
        line.strip()
        for line in (done.stdout + "\n" + done.stderr).splitlines()
        if line.strip() and not line.strip().endswith(("shader", "shader.hlsl"))  # glslang prints the file's name
    )
    if done.returncode != 0 or said:
        raise CompileError(f"{command[0]} ({done.returncode}): {said}")
