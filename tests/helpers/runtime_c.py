"""Compiles the C runtime and asks it what it makes of files."""

import shutil
import struct
import subprocess
from pathlib import Path

from imagegs_tex.formats.files.safe_names import printable

REPOSITORY = Path(__file__).resolve().parents[2]
HEADER_FOLDER = REPOSITORY / "runtime" / "c"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
# -O0: with -O1 a program takes 10 s of gcc instead of 3, more than its tests win by it
SANITIZERS = ("-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
LIBRARIES = ("-lzstd", "-lm")


def need_compiler(require_tool, name="gcc"):
    require_tool(shutil.which(name) is not None, f"{name} is not installed")
    found = subprocess.run(
        [name, "-x", "c", "-fsyntax-only", "-"], input=b"#include <zstd.h>\n", capture_output=True, check=False
    )
    require_tool(found.returncode == 0, "libzstd-dev is not installed")


def build(source, target, *options, compiler="gcc"):
    """Compile a C file to a program."""
    command = [
        compiler,
        "-std=c99",
        *options,
        *WARNINGS,
        f"-I{HEADER_FOLDER}",
        str(source),
        "-o",
        str(target),
        *LIBRARIES,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, printable(done.stderr)
    return target


def verdicts(program, files):
    """What a build of tests/runtime/verdicts.c says of each file."""
    stream = b"".join(struct.pack("<I", len(data)) + data for data in files)
    done = subprocess.run([program], input=stream, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    return done.stdout.decode("ascii").split()
