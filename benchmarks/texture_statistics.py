"""How near a decode's texture statistics come to the source's, without and with the detail layer.

    python benchmarks/texture_statistics.py FILE.igs SOURCE [--crop TEXELS]

Statistics are Portilla and Simoncelli's ("A parametric texture model based on joint statistics of complex wavelet
coefficients", 2000), as `plenoptic` has them (`pip install plenoptic torch==2.13.0`; no dependency of the package), of
the brightness of the map's middle. A number is the mean over all statistics of |a - b| / max(|a|, |b|): 0 the same.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import imagegs_tex
from imagegs_tex.formats.images import read_image

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def main() -> None:
    """Print a line per map that has more than one value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--crop", type=int, default=256)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        decoded = [Path(folder) / name for name in ("without", "with")]
        for target, detail in zip(decoded, (False, True), strict=True):
            imagegs_tex.decode(arguments.file, target, detail=detail)
        for path in sorted(decoded[0].iterdir()):
            (source,) = [found for found in arguments.source.iterdir() if found.stem == path.stem]
            pictures = [brightness(name, arguments.crop) for name in (source, path, decoded[1] / path.name)]
            if pictures[0].std() > 0:
                wanted, *found = (statistics(picture) for picture in pictures)
                without, with_detail = (difference(wanted, values) for values in found)
                print(f"{path.stem}: {without:.3f} without detail, {with_detail:.3f} with it")


def brightness(path: Path, side: int) -> NDArray[np.float32]:
    """Return the middle of a picture [H, W] in [0, 1]."""
    texels, _ = read_image(path)
    largest = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}.get(texels.dtype, 1.0)
    values = texels.astype(np.float32) / np.float32(largest)
    top, left = (max(0, (length - side) // 2) for length in values.shape[:2])
    values = values[top : top + side, left : left + side]
    return np.asarray(values[..., :3] @ LUMA if values.shape[2] >= 3 else values[..., 0])


def statistics(picture: NDArray[np.float32]) -> torch.Tensor:
    """Return the statistics of a picture [H, W], one vector."""
    import plenoptic

    model = plenoptic.models.PortillaSimoncelli(picture.shape)
    return torch.as_tensor(model(torch.from_numpy(picture)[None, None]).flatten())


def difference(wanted: torch.Tensor, found: torch.Tensor) -> float:
    """Return the mean relative difference of two vectors."""
    largest = torch.maximum(wanted.abs(), found.abs()).clamp_min(1e-9)
    return float(((wanted - found).abs() / largest).mean())


if __name__ == "__main__":
    main()
