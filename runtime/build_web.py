"""Builds what a page needs beside the files of web/: web/built/igs.wasm, decoder.js, decoder-wgsl.js and NOTICES.txt.

Run by ``make web``. It takes Debian's clang, lld, wasi-libc (musl's mathematics), libclang-rt-dev-wasm32 and binaryen,
and the reference decoder of Zstandard, which PyPI's source archive of python-zstandard holds as
one file: 28 KB of the module.
Rejected: fzstd from npm, which is as small but a second file in JavaScript that does not check frames' checksums, and
files without Zstandard (codec 4 alone), because files with detail, exact samples or of older versions would not open.

The same tools make the same bytes.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from imagegs_tex.shaders.include_text import TEXTURE_INCLUDE, WGSL_INCLUDE
from imagegs_tex.shaders.shared_decoder import shared_decoder

HERE: Final = Path(__file__).resolve().parent / "web"
REPOSITORY: Final = HERE.parents[1]
ZSTANDARD: Final = "0.25.0"
ZSTANDARD_SHA256: Final = "7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b"
LIBC_LICENCES: Final = Path("/usr/share/doc/wasi-libc/copyright")

# Every browser with WebGL 2 has these three. -Oz: -Os is 3 % larger, -O2 a quarter, and neither reads a file faster.
TARGET: Final = (
    "--target=wasm32-wasi", "-std=c11", "-Oz", "-DNDEBUG", "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext"
)  # fmt: skip
FEATURES: Final = ("--enable-bulk-memory", "--enable-nontrapping-float-to-int", "--enable-sign-ext")
# The linker leaves the first 1,024 bytes of memory empty, so that no sum of an address and a small offset wraps.
SHRINK: Final = ("-Oz", "--converge", "--low-memory-unused")
SECTIONS: Final = ("-ffunction-sections", "-fdata-sections")
# Its documented switches for a small decoder. __EMSCRIPTEN__ is what its single file asks for to leave threads out.
ZSTD_SMALL: Final = (
    "-D__EMSCRIPTEN__", "-DHUF_FORCE_DECOMPRESS_X1", "-DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT", "-DZSTD_NO_INLINE",
    "-DZSTD_STRIP_ERROR_STRINGS", "-w",
)  # fmt: skip
# 256 KiB of stack, of which a frame's decoder takes 160. 1 GiB of memory: more than what fits a GPU's texture takes.
LINK: Final = ("-nostartfiles", "-Wl,--no-entry,--strip-all,--gc-sections,-z,stack-size=262144,--max-memory=1073741824")


def run(*command: str | Path) -> None:
    """Run a tool; what it says is shown when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr or done.stdout}")


def zstandard_source(work: Path) -> Path:
    """Return the folder with zstd.c and zstd.h, fetched once and held against its hash."""
    archive = work / f"zstandard-{ZSTANDARD}.tar.gz"
    if not archive.exists():
        run(
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--no-build-isolation", "--no-binary", ":all:", "--dest", work, f"zstandard=={ZSTANDARD}",
        )  # fmt: skip
    if hashlib.sha256(archive.read_bytes()).hexdigest() != ZSTANDARD_SHA256:
        raise SystemExit(f"{archive} is not the file that was expected; remove it and try again")
    with tarfile.open(archive) as opened:
        opened.extractall(work, filter="data")
    return work / f"zstandard-{ZSTANDARD}" / "zstd"


def build_module(work: Path, target: Path) -> None:
    """Compile and link igs.wasm, and write down whose code is in it."""
    zstd = zstandard_source(work)
    flags = hashlib.sha256(" ".join((*TARGET, *SECTIONS, *ZSTD_SMALL)).encode()).hexdigest()[:8]
    part = work / f"zstd-{ZSTANDARD}-{flags}.o"
    if not part.exists():  # it never changes, and takes most of the time
        run("clang", *TARGET, *SECTIONS, *ZSTD_SMALL, "-c", zstd / "zstd.c", "-o", part)
    warnings = ("-Wall", "-Wextra", "-Werror")
    includes = (f"-I{zstd}", f"-I{REPOSITORY / 'runtime' / 'c'}")
    run(
        "clang",
        *TARGET,
        *SECTIONS,
        *warnings,
        *includes,
        "-c",
        REPOSITORY / "runtime" / "c" / "igs_web.c",
        "-o",
        work / "igs_web.o",
    )
    run("clang", TARGET[0], *LINK, work / "igs_web.o", part, "-o", work / "linked.wasm")
    run("wasm-opt", *SHRINK, *FEATURES, work / "linked.wasm", "-o", target / "igs.wasm")  # 8 % smaller
    notices = ["igs.wasm holds the decoder of Zstandard:\n", (zstd / "LICENSE").read_text(encoding="utf-8")]
    notices += ["\nand parts of wasi-libc (musl's mathematics and strings):\n"]
    notices += [LIBC_LICENCES.read_text(encoding="utf-8")]
    (target / "NOTICES.txt").write_text("\n".join(notices), encoding="utf-8")


def build_decoders(target: Path) -> None:
    """Write the decoder for every material in GLSL ES 3.00 and in WGSL as modules of JavaScript."""
    for include, file, name in (
        (TEXTURE_INCLUDE, "decoder.js", "DECODER"),
        (WGSL_INCLUDE, "decoder-wgsl.js", "DECODER_WGSL"),
    ):
        lines = (line.split("//")[0].strip() for line in shared_decoder().includes[include].splitlines())
        text = "\n".join(line for line in lines if line)  # comments and indentation are a third
        head = f"// {include} for every material: docs/gpu-buffer.md"
        (target / file).write_text(f"{head}\nexport const {name} = {json.dumps(text)};\n", encoding="utf-8")


def main() -> None:
    """Build into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=HERE / "built", help="runtime/web/built when not given")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build" / "web", help="build/web when not given")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    arguments.work.mkdir(parents=True, exist_ok=True)
    build_decoders(arguments.output)
    build_module(arguments.work, arguments.output)


if __name__ == "__main__":
    main()
