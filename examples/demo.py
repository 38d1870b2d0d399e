"""The main job on the example material: compress, decode, compare, and pictures of what came out.

    demo.py [FOLDER]

Everything goes into FOLDER (out/demo when not given): the generated material, the .igs file, the decoded maps, and two
kinds of picture: per map the source, the decode and the amplified error side by side, and where the Gaussians lie.
"""

import sys
from pathlib import Path

import numpy as np
from make_material import make_material
from numpy.typing import NDArray

import imagegs_tex
from imagegs_tex.cli.tables import print_comparison, print_compression
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import dequantize
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.vocabulary import SampleFormat

SIZE = 512
GAUSSIANS = 4096
ERROR_GAIN = 4.0
MARK_DEVIATIONS = 1.0


def main() -> None:
    """Run the whole demonstration."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out/demo")
    source, decoded, file = folder / "material", folder / "decoded", folder / "material.igs"
    source.mkdir(parents=True, exist_ok=True)
    for name, texels in make_material(SIZE).items():
        write_image(source / f"{name}.png", texels)
    settings = imagegs_tex.CompressSettings(gaussian_count=GAUSSIANS)
    report = imagegs_tex.compress(source, file, settings)
    print_compression(report, file)
    imagegs_tex.decode(file, decoded, overwrite=True)
    print_comparison(imagegs_tex.compare(file, source), file)
    for path in sorted(source.glob("*.png")):
        write_image(folder / f"{path.stem}_side_by_side.png", side_by_side(path, decoded / path.name))
    write_image(folder / "gaussians.png", draw_gaussians(file, source / "basecolor.png"))
    source_bytes = sum(path.stat().st_size for path in source.glob("*.png"))
    print(f"source {source_bytes:,} bytes of PNG, file {report.file_bytes:,} bytes")
    print(f"{folder}: *_side_by_side.png show source, decode, error x {ERROR_GAIN:g}; gaussians.png where they lie")


def side_by_side(source_path: Path, decoded_path: Path) -> NDArray[np.uint8]:
    """Source, decode and amplified error in one picture."""
    source, decoded = as_rgb(source_path), as_rgb(decoded_path)
    error = np.clip(np.abs(source - decoded) * ERROR_GAIN, 0, 1)
    gap = np.ones((source.shape[0], 8, 3))
    return to_bytes(np.concatenate([source, gap, decoded, gap, error], axis=1))


def draw_gaussians(file: Path, background_path: Path) -> NDArray[np.uint8]:
    """Every Gaussian as its one-deviation ellipse over the darkened base colour, at twice the size."""
    values = dequantize(read_igs(file))
    canvas = np.repeat(np.repeat(as_rgb(background_path) * 0.35, 2, axis=0), 2, axis=1)
    m, h, b = values.log_covariances.astype(np.float64).T
    radius = np.hypot(h, b)
    long, short = np.exp((m + radius) / 2), np.exp((m - radius) / 2)
    angle = np.arctan2(b, h) / 2
    for turn in np.linspace(0, 2 * np.pi, 96, endpoint=False):
        along, across = MARK_DEVIATIONS * long * np.cos(turn), MARK_DEVIATIONS * short * np.sin(turn)
        x = values.means[:, 0] + along * np.cos(angle) - across * np.sin(angle)
        y = values.means[:, 1] + along * np.sin(angle) + across * np.cos(angle)
        column, row = (2 * x).astype(int), (2 * y).astype(int)
        inside = (column >= 0) & (row >= 0) & (column < canvas.shape[1]) & (row < canvas.shape[0])
        canvas[row[inside], column[inside]] = (1.0, 0.75, 0.2)
    return to_bytes(canvas)


def as_rgb(path: Path) -> NDArray[np.float64]:
    """An image as [H, W, 3] in [0, 1]; one channel is repeated."""
    texels, sample_format = read_image(path)
    values = texels[..., :3] / SampleFormat(sample_format).max_value
    return np.asarray(np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values, dtype=np.float64)


def to_bytes(picture: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values in [0, 1] as 8 bits."""
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), dtype=np.uint8)


if __name__ == "__main__":
    main()
