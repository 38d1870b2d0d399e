"""Damage small image files at random and read them: fuzz_images.py COUNT [SEED] [--formats PNG,EXR] [--jobs N].

Every reading must end in texels or in an InputError of one line, within 2 seconds and 500 MB, and without a crash. So
the files are read in child processes with a limit of memory; a child that dies, or goes on for too long, is a finding,
and another one goes on behind the file that did it. COUNT files of each format; the same COUNT and SEED are the same
files. Findings are printed and kept in out/fuzz_images/; the exit code is 1 if there is one.
"""

import argparse
import io
import mmap
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import OpenEXR
import tifffile
from numpy.typing import NDArray
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gpu_textures import texture as gpu
from imagegs_tex.formats.gpu_textures.dds import encode_dds
from imagegs_tex.formats.gpu_textures.ktx2 import encode_ktx2
from imagegs_tex.formats.images import encode_image, read_picture
from imagegs_tex.formats.images.file_formats import ALL_FORMATS

Texels = NDArray[Any]
"""Of any type of sample."""

MEMORY_BYTES: Final = 500 << 20  # beyond what a process has that has read one file of each kind
LIMIT_S: Final = 2.0  # of processor time
HANGING_S: Final = 30.0  # of wall time
FOLDER: Final = Path("out/fuzz_images")
EVERY: Final = "every"  # the name for all formats in turn
_STATE: Final = struct.Struct("<qqqqdq")
"""The file being read, then texels, errors, errors for want of memory, slowest seconds, most bytes resident."""
_NUMBERS: Final = (0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 1 << 24, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Finding:
    """One file that was not read as it should be."""

    format_name: str
    index: int
    what: str


def small_files() -> dict[str, list[bytes]]:
    """Return whole files of each format, in the layouts that take other paths through their readers."""
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (13, 17, 4), dtype=np.uint8)
    rgba[:6] = 40  # so that there are runs
    rgb, grey = np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 0])
    wide = rgba.astype(np.uint16) * 257
    return {
        "PNG": [
            encode_image(rgba, ".png"), encode_image(wide, ".png"), encode_image(grey, ".png"),
            _saved(rgb, "PNG", mode="P", transparency=0), _saved(grey > 90, "PNG"),
        ],
        "JPEG": [
            _saved(rgb, "JPEG"), _saved(rgb, "JPEG", progressive=True), _saved(grey, "JPEG"),
            _saved(rgb, "JPEG", mode="CMYK"), _saved(rgb, "JPEG", restart_marker_blocks=1)[:-2],
        ],
        "TGA": [
            _saved(rgba, "TGA"), _saved(rgb, "TGA", compression="tga_rle"), _saved(rgb, "TGA", mode="P"),
            struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 5, 4, 16, 1) + rng.bytes(40),
        ],
        "TIFF": list(_tiffs(rgba, wide, grey)),
        "WebP": [encode_image(rgba, ".webp"), _saved(rgb, "WEBP"), _saved(rgba, "WEBP")],
        "EXR": list(_exrs(rng)),
        "BMP": [
            _saved(rgb, "BMP"), _saved(rgba, "BMP"), _saved(grey, "BMP"), _saved(rgb, "BMP", mode="P"),
            _saved(grey > 9, "BMP"),
        ],
        "GIF": [_saved(rgb, "GIF"), _animation(rgb)],
        "Radiance HDR": [
            bytes(imagecodecs.rgbe_encode(rgb.astype(np.float32), rle=rle)) for rle in (True, False)
        ],
        "JPEG 2000": [
            bytes(imagecodecs.jpeg2k_encode(rgb, level=0, codecformat="jp2", reversible=True)),
            bytes(imagecodecs.jpeg2k_encode(wide, level=0, codecformat="j2k", reversible=True)),
            bytes(imagecodecs.jpeg2k_encode(grey, level=30, codecformat="jp2", reversible=False)),
        ],
        "DDS": [encode_dds(texture) for texture in _textures(rng)] + [_masked_dds(rgba)],
        "KTX 2": [encode_ktx2(texture, "fuzz") for texture in _textures(rng)],
        "PSD": [_psd(rgba, 1, 0), _psd(wide, 1, 1), _psd(rgb, 2, 1), _psd(wide.astype(np.float32), 1, 2)],
    }  # fmt: skip


def _saved(texels: Texels, file_format: str, mode: str | None = None, **options: object) -> bytes:
    picture = Image.fromarray(texels)
    buffer = io.BytesIO()
    (picture if mode is None else picture.convert(mode)).save(buffer, file_format, **options)
    return buffer.getvalue()


def _animation(texels: Texels) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.fromarray(texels).convert("P"), Image.fromarray(texels[::-1].copy()).convert("P")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], transparency=0)
    return buffer.getvalue()


def _tiffs(rgba: Texels, wide: Texels, grey: Texels) -> Iterator[bytes]:
    rgb = np.ascontiguousarray(rgba[..., :3])
    kinds: list[tuple[Any, dict[str, Any]]] = [
        (rgba, {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
        (wide, {"photometric": "rgb", "compression": "lzw", "predictor": True, "rowsperstrip": 4}),
        (np.moveaxis(rgb, -1, 0), {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib"}),
        (rgb, {"photometric": "rgb", "tile": (16, 16), "compression": "jpeg"}),
        (grey, {"photometric": "miniswhite", "compression": "packbits", "byteorder": ">"}),
        (wide.astype(np.float32), {"photometric": "rgb", "bigtiff": True, "compression": "zstd"}),
        (grey, {"photometric": "palette", "colormap": np.arange(768, dtype=np.uint16).reshape(3, 256)}),
        (grey > 90, {"photometric": "minisblack", "bitspersample": 1}),
        (grey, {"photometric": "minisblack", "compression": "lzma", "tile": (16, 16)}),
        (wide.astype(np.float32), {"photometric": "rgb", "compression": "zlib", "predictor": True}),
    ]
    for texels, options in kinds:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, texels, metadata=None, **options)
        yield buffer.getvalue()

    for compression in ("group3", "group4"):
        yield _saved(grey > 90, "TIFF", compression=compression)


def _exrs(rng: np.random.Generator) -> Iterator[bytes]:
    plane = rng.random((13, 17)).astype(np.float16)
    planes: dict[str, Any] = {"R": plane, "G": plane + np.float16(1), "id": np.ones((13, 17), np.uint32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.exr"
        for compression in ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "DWAA"):
            header = {"compression": getattr(OpenEXR, f"{compression}_COMPRESSION"), "type": OpenEXR.scanlineimage}
            OpenEXR.File(header, planes).write(str(path))
            yield path.read_bytes()
        parts = [OpenEXR.Part({"name": name}, {"Y": plane.astype(np.float32)}) for name in ("one", "two")]
        OpenEXR.File(parts).write(str(path))
        yield path.read_bytes()


def _textures(rng: np.random.Generator) -> Iterator[gpu.Texture]:
    for pixel_format in (gpu.BC1_SRGB, gpu.BC4, gpu.BC5, gpu.BC6H, gpu.BC7, gpu.R16, gpu.RG16F, gpu.RGBA16F):
        levels = tuple(
            rng.bytes(pixel_format.level_bytes(max(1, 12 >> level), max(1, 8 >> level))) for level in range(2)
        )
        yield gpu.Texture(12, 8, pixel_format, gpu.AlphaMode.NONE, levels)


def _masked_dds(rgba: Texels) -> bytes:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<4s7I44x2I4s5I20x", b"DDS ", 124, 0x1007, 13, 17, 0, 0, 1, 32, 0x41, b"\0\0\0\0", 32, *masks)
    return head + bytes(rgba.tobytes())


def _psd(texels: Texels, version: int, compression: int) -> bytes:
    height, width, channels = texels.shape
    planes = np.moveaxis(texels, -1, 0)
    stored = planes.astype(planes.dtype.newbyteorder(">"))
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, channels, height, width, 8 * texels.itemsize, 3)
    head += struct.pack(">II", 0, 12) + b"8BIM\4\5\0\0\0\0\0\0" + bytes(4 * version) + struct.pack(">H", compression)
    if compression == 0:
        return head + bytes(stored.tobytes())
    if compression == 2:
        return head + zlib.compress(stored.tobytes())
    rows = [imagecodecs.packbits_encode(row.tobytes()) for plane in stored for row in plane]
    return head + struct.pack(f">{len(rows)}{'HI'[version - 1]}", *map(len, rows)) + b"".join(rows)


def damaged(files: list[bytes], rng: random.Random) -> bytes:
    """Return one of the files with a few bits, numbers or spans changed, or cut off."""
    data = bytearray(rng.choice(files))
    head = 200 if rng.random() < 0.6 else len(data)  # most of what can go wrong is said by headers
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(max(1, min(head, len(data))))
        kind = rng.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind in {2, 3}:
            number = rng.choice((*_NUMBERS, rng.getrandbits(32)))
            written = number.to_bytes(8, "little" if kind == 2 else "big")
            size = rng.choice((2, 4, 8))
            data[at : at + size] = written[:size] if kind == 2 else written[-size:]
        elif kind == 4:
            del data[at : at + rng.randrange(1, 9)]
        elif kind == 5:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif kind == 6:
            other = rng.choice(files)
            start = rng.randrange(len(other))
            data[at : at + 16] = other[start : start + rng.randrange(1, 33)]
        elif rng.random() < 0.3:
            del data[rng.randrange(len(data) + 1) :]
    if data.startswith(b"\x89PNG") and rng.random() < 0.7:
        _mend_checksums(data)
    return bytes(data)


def _mend_checksums(data: bytearray) -> None:
    """Make a PNG's checksums fit, so that what is damaged is looked at."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            return
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4)
        at = end + 4


def file_of(format_name: str, files: dict[str, list[bytes]], seed: int, index: int) -> tuple[str, bytes]:
    """Return the file that a number stands for, and its format."""
    name = list(files)[index % len(files)] if format_name == EVERY else format_name
    return name, damaged(files[name], random.Random(f"{format_name} {seed} {index}"))


def work(format_name: str, state_path: Path, start: int, count: int, seed: int) -> None:
    """Read files in this process, and write down which one is next before it is read."""
    files = small_files()
    for name, whole in files.items():
        for data in whole:
            read_picture(Path(f"whole {name}"), data) if name != "TGA" else read_picture(Path("whole.tga"), data)
    used = _own_memory("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak of what is resident begins anew
    resident = _own_memory("VmRSS")
    with state_path.open("r+b") as file, mmap.mmap(file.fileno(), _STATE.size) as state:
        _, texels, errors, short, slowest, most = _STATE.unpack(state[:])
        for index in range(start, count):
            name, data = file_of(format_name, files, seed, index)
            state[:] = _STATE.pack(index, texels, errors, short, slowest, most)
            began = time.process_time()
            try:
                picture = read_picture(Path("x.tga" if name == "TGA" else "x"), data)
            except InputError as error:
                errors += 1
                short += "memory" in str(error)
                if "\n" in str(error) or len(str(error)) > 700:
                    raise AssertionError(f"no line: {error}") from error
            else:
                texels += 1
                if not (picture.texels.ndim == 3 and picture.texels.dtype == picture.sample_format.dtype):
                    raise AssertionError(f"{picture.texels.shape} of {picture.texels.dtype}")
            took = time.process_time() - began
            if took > LIMIT_S:
                raise AssertionError(f"took {took:.1f} s")
            slowest = max(slowest, took)
            most = max(most, _own_memory("VmHWM") - resident)
        state[:] = _STATE.pack(count, texels, errors, short, slowest, most)


def _own_memory(line: str) -> int:
    """Return bytes of this process: its address space (VmSize), what is resident (VmRSS) or was at most (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{line}:")[2].split()[0]) * 1024


def fuzz(format_name: str, count: int, seed: int) -> tuple[list[Finding], str]:
    """Read COUNT damaged files of a format; return what went wrong, and a line on the rest."""
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        path.write_bytes(_STATE.pack(0, 0, 0, 0, 0.0, 0))
        start = 0
        while start < count:
            code, last_words = _child(path, [format_name, str(path), str(start), str(count), str(seed)])
            index, texels, errors, short, slowest, most = _STATE.unpack(path.read_bytes())
            if code == 0:
                break
            findings.append(Finding(format_name, index, last_words))
            if len(findings) >= 50:
                break
            start = index + 1
    line = f"{format_name}: {count} files, {texels} texels, {errors} errors ({short} for want of memory), "
    return findings, line + f"slowest {slowest * 1000:.0f} ms, at most {most >> 20} MiB more, {len(findings)} findings"


def _child(state: Path, arguments: list[str]) -> tuple[int, str]:
    """Run a child until it ends, or hangs; return its exit code and what it said last."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen([sys.executable, __file__, "--work", *arguments], stderr=said, stdout=said)
        seen, since = b"", time.monotonic()
        while (code := child.poll()) is None:
            time.sleep(0.05)
            now = state.read_bytes()[:8]
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > HANGING_S:
                child.kill()
                child.wait()
                return -1, f"hangs: more than {HANGING_S:.0f} s"
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    if code < 0:
        return code, f"crash: signal {-code}"
    return code, lines[-1] if lines else f"exit code {code}"


def main() -> int:
    """Fuzz the formats that are asked for; return the exit code."""
    parser = argparse.ArgumentParser(description="Damage small image files at random and read them.")
    parser.add_argument("count", type=int, help="files of each format")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    every = ",".join(entry.name for entry in ALL_FORMATS)
    parser.add_argument("--formats", default=every, help=f"names, by commas; {EVERY}: all in turn")
    parser.add_argument("--jobs", type=int, default=1, help="formats side by side")
    chosen = parser.parse_args()
    names = chosen.formats.split(",")
    files, failed = small_files(), False
    with ThreadPoolExecutor(chosen.jobs) as pool:
        runs = [pool.submit(fuzz, name, chosen.count, chosen.seed) for name in names]
    for name, run in zip(names, runs, strict=True):
        findings, line = run.result()
        print(line, flush=True)
        for finding in findings:
            failed = True
            FOLDER.mkdir(parents=True, exist_ok=True)
            kept = FOLDER / f"{name.replace(' ', '_')}_{chosen.seed}_{finding.index}"
            kept.write_bytes(file_of(name, files, chosen.seed, finding.index)[1])
            print(f"  {kept}: {finding.what}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        name, state, *numbers = sys.argv[2:]
        work(name, Path(state), *map(int, numbers))
    else:
        sys.exit(main())
