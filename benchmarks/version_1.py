"""What decoding a texel cost in version 1, at the reference's PSNR: makes benchmarks/version_1.json.

Run with the package of commit e078564 on the path (``git worktree add /tmp/v1 e078564``). The numbers of Gaussians are
those that its own ``--target-psnr`` found, so that one fit per case is enough.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from cases import load_cases

GAUSSIANS = {
    "boombox": 21629, "brick_wall_017": 7340, "mossy_rock_053": 6366, "facade_005_tiles": 4934,
    "fabric_pattern_07": 8536, "image_anime_meadow": 4693, "rusty_metal_053c": 7250,
    "stylized_stone_floor_001": 3482, "caution_panel": 9499,
}  # fmt: skip


def main() -> None:
    """Measure all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent / "version_1.json")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool:
        found = list(pool.map(measure, GAUSSIANS, [arguments.backend] * len(GAUSSIANS)))
    text = json.dumps({"commit": "e078564", "cases": dict(zip(GAUSSIANS, found, strict=True))}, indent=2)
    arguments.output.write_text(text + "\n", encoding="utf-8")


def measure(name: str, backend: str) -> dict[str, float]:
    """Compress one case with its number of Gaussians and read what the file costs to decode."""
    # torch asks for a package named cuda, and benchmarks/gpu.py is not it
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    import torch

    import imagegs_tex

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // len(GAUSSIANS)))
    (case,) = load_cases([name])
    settings = replace(
        imagegs_tex.preset_settings(imagegs_tex.Preset.BALANCED),
        gaussian_count=GAUSSIANS[name],
        detail=imagegs_tex.DetailMode.OFF,
    )
    with case.staged() as folder, tempfile.TemporaryDirectory() as target:
        report = imagegs_tex.compress(folder, Path(target) / "file.igs", settings, backend)
        cost = imagegs_tex.info(Path(target) / "file.igs").decode_cost
    return {
        "psnr_db": round(report.psnr_db, 3), "file_bytes": report.file_bytes, "gaussians": report.gaussians,
        "weights_mean": round(cost.weights_mean, 2), "multiply_adds_mean": round(cost.multiply_adds_mean, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
