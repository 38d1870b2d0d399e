"""Write the golden file of the current format version: ``PYTHONPATH=tests python tests/golden/make.py``.

Golden files show that files written by older versions stay readable, so one that exists is never written again:
version_N.igs, and version_N.npz with the maps that it must decode to; beside them a file of exact samples,
the same set by the fast entropy codec and by the trained one, the same with a residual, and with a repeat as well.
Only while a version is not released yet may its files be replaced, with ``--replace``.
"""

import argparse
import io
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from helpers.made_repeat import with_repeat

from imagegs_tex.api import compress
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder.exact_file import exact_set
from imagegs_tex.formats.igs.container import VERSION, read_igs, write_igs
from imagegs_tex.formats.igs.detail_layer import DetailLayer
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.quantize.residual_rdo import make_residual_layer
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, FitSettings

FOLDER = Path(__file__).resolve().parent
WIDTH, HEIGHT = 72, 52


def write_material(folder):
    """Smooth waves: a colour with alpha, a normal, a unit normal, a 16-bit height, a half-float emissive map."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] / 12.0
    waves = [0.5 + 0.5 * np.sin(x * a + y * b + a) for a, b in ((1, 0), (0, 1), (1, 1), (2, -1), (0.5, 0.3))]
    colour = np.stack([*waves[:3], 0.5 + waves[3] / 2], axis=-1)
    normal = np.stack([0.4 + 0.2 * waves[3], 0.4 + 0.2 * waves[4], np.full((HEIGHT, WIDTH), 0.95)], axis=-1)
    write_image(folder / "basecolor.png", np.rint(colour * 255).astype(np.uint8))
    write_image(folder / "normal.png", np.rint(normal * 255).astype(np.uint8))
    sides = 0.6 * (np.stack(waves[1:3], axis=-1) - 0.5)
    unit = np.concatenate([sides, np.sqrt(1 - np.square(sides).sum(axis=-1, keepdims=True))], axis=-1)
    write_image(folder / "unit_normal.png", np.rint((unit + 1) / 2 * 255).astype(np.uint8))
    write_image(folder / "höhe_height.png", np.rint(waves[0] * waves[1] * 65535).astype(np.uint16))
    write_image(folder / "emissive.exr", (np.stack(waves[2:5], axis=-1) ** 4 * 30).astype(np.float16))
    write_image(folder / "metallic.tga", np.full((HEIGHT, WIDTH), 255, np.uint8))


def decoded_maps(path):
    """The maps of a file by name, each in its own sample format."""
    return {
        entry.name: samples for entry, samples in decode_maps(read_igs(path), make_backend("cpu"), with_detail=True)
    }


def with_made_detail(quantized):
    """A set with a weak detail layer that uses all of the format: four components, slopes, an envelope with gaps."""
    rng = np.random.default_rng(4)
    channels = quantized.channel_count
    layer = DetailLayer(
        band_codes=rng.integers(0, 256, (4, 8), dtype=np.uint8),
        channel_codes=rng.integers(90, 130, channels, dtype=np.uint8),
        mixing_codes=rng.integers(-127, 128, (channels, 4)).astype(np.int8),
        slope_codes=rng.integers(-400, 400, (4, channels)).astype(np.int16),
        envelope_codes=rng.integers(0, 16, (2, 3), dtype=np.uint8),
    )
    return replace(quantized, detail=layer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replace", action="store_true", help="replace the files of a version not released yet")
    options = parser.parse_args()
    paths = [
        FOLDER / f"version_{VERSION}{what}.igs" for what in ("", "_exact", "_fast", "_trained", "_residual", "_repeat")
    ]
    missing = [path for path in paths if options.replace or not path.exists()]
    if not missing:
        sys.exit(f"the files exist: they hold the promise that version {VERSION} stays readable")
    writers = write_detailed, write_exact, write_fast, write_trained, write_residual, write_repeat
    for path, write in zip(paths, writers, strict=True):
        if path in missing:
            with tempfile.TemporaryDirectory() as folder:
                write_material(Path(folder))
                write(Path(folder), path)
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **decoded_maps(path))
            path.with_suffix(".npz").write_bytes(buffer.getvalue())


def write_detailed(folder, path):
    settings = CompressSettings(gaussian_count=350, fit=FitSettings(steps=60))
    compress(folder, path, settings, backend="cpu", options=SourceOptions(wrap=(True, False)))
    write_igs(path, with_made_detail(read_igs(path)))


def write_exact(folder, path):
    """The material's exact samples, with all filters in one channel or another."""
    write_igs(path, exact_set(load_stack(folder, SourceOptions(wrap=(True, False)))))


def write_fast(_, path):
    write_igs(path, replace(read_igs(FOLDER / f"version_{VERSION}.igs"), entropy=Entropy.FAST))


def write_trained(_, path):
    write_igs(path, read_igs(FOLDER / f"version_{VERSION}.igs"))


def write_residual(folder, path):
    """The first one's set with what it leaves of the material, in blocks that reach over the edge."""
    quantized = read_igs(FOLDER / f"version_{VERSION}.igs")
    drawn = render_channels(quantized, make_backend("reference")).numpy()
    left = load_stack(folder, SourceOptions(wrap=(True, False))).texels - drawn
    write_igs(path, replace(quantized, residual=make_residual_layer(left, 0.003, 3)))


def write_repeat(_, path):
    """That set with a repeat of rows with offset, whose cells and blocks reach over the edges."""
    quantized = read_igs(FOLDER / f"version_{VERSION}_residual.igs")
    options = {"period": (21, 15), "origin": (8, 3), "shift": 10, "pictures": 3, "components": 4, "side_log2": 3}
    write_igs(path, with_repeat(quantized, **options, density=0.03, step=0.04))


if __name__ == "__main__":
    main()
