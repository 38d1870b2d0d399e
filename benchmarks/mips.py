"""How good minified pictures are: the tables of docs/benchmarks/mips.md.

    python benchmarks/mips.py FILE.igs SOURCE [FILE.igs SOURCE ...] [--json FILE] [--pictures DIR]

For each file and level 0 to 6: the PSNR of the emitted decoder's igs_sample_lod at the level's texel centres, run on
this machine's OpenGL, of `decode` at that size, and of the box-filtered full decode, all against the box-filtered
source in the code domain; and what a sample costs.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.decoder.render import render_channels, shader_decoder
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.resample import mean_over_area
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.transfer_functions import srgb_to_linear
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Coded, Transfer
from imagegs_tex.metrics.scores import psnr_of
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.verification import footprint_shaders
from imagegs_tex.verification.opengl import Scene, open_device
from imagegs_tex.verification.opengl_footprint import ComputeSampler

LEVELS: Final = range(7)
Texels = NDArray[np.float32] | NDArray[np.float64]


def box(image: Texels, level: int) -> Texels:
    """Average 2^level x 2^level texels, whole ones only."""
    side = 1 << level
    down, across = image.shape[0] >> level, image.shape[1] >> level
    cut = image[: down * side, : across * side].astype(np.float64)
    return np.asarray(cut.reshape(down, side, across, side, -1).mean(axis=(1, 3)))


def psnr(found: Texels, right: Texels) -> float:
    """In dB over all channels."""
    return psnr_of(float(np.square(found.astype(np.float64) - right).mean()))


def linear_light_db(stack: TextureStack) -> float | None:
    """PSNR in linear light of level 3 of the colours averaged as stored, against averaged in linear light."""
    colours = [
        route.index
        for texture_map in stack.maps
        for semantic, route in zip(texture_map.channel_semantics, texture_map.routes, strict=True)
        if texture_map.transfer == Transfer.SRGB and semantic in COLOUR_SEMANTICS and isinstance(route, Coded)
    ]
    if not colours:
        return None
    texels = stack.texels[..., sorted(set(colours))]
    return psnr(srgb_to_linear(box(texels, 3)), box(srgb_to_linear(texels), 3))


def sampled(sampler: ComputeSampler, size: tuple[int, int], level: int, channels: int) -> Texels:
    """Return a whole level by igs_sample_lod at its texel centres."""
    across, down = size[0] >> level, size[1] >> level
    centres = np.stack(np.meshgrid(np.arange(across) + 0.5, np.arange(down) + 0.5), axis=-1).reshape(-1, 2)
    requests = np.zeros((len(centres), footprint_shaders.REQUEST_FLOATS), dtype=np.float32)
    requests[:, :2] = centres * (1 << level) / size
    requests[:, 6] = level
    return sampler.requests(requests)[:, :channels].reshape(down, across, channels)


def measure(file: Path, source: Path, pictures: Path | None) -> dict[str, Any]:
    """Return one file's numbers."""
    quantized = read_igs(file)
    stack = load_stack(source)
    backend = make_backend("auto")
    full = render_channels(quantized, backend).cpu().numpy()
    decoder = shader_decoder(quantized)
    size = quantized.width, quantized.height
    device = open_device()
    rows = []
    with Scene(device, decoder.packed, size, quantized.channel_count) as scene:
        source_text = footprint_shaders.glsl_requests(decoder)
        sampler = ComputeSampler(scene, source_text, footprint_shaders.result_width(decoder))
        for level in LEVELS:
            if min(size) >> level < 1:
                break
            right, filtered = box(stack.texels, level), box(full, level)
            shader = sampled(sampler, size, level, quantized.channel_count)
            smaller = max(1, size[0] >> level), max(1, size[1] >> level)
            decoded = render_channels(quantized, backend, smaller).cpu().numpy()
            row: dict[str, Any] = {
                "level": level,
                "filtered_db": psnr(filtered, right),
                "shader_db": psnr(shader, right),
                "decode_db": psnr(decoded, mean_over_area(stack.texels, smaller)),
                "largest_difference": float(np.abs(shader - filtered).max()),
            }
            if level < len(decoder.cost.samples):
                row |= asdict(decoder.cost.samples[level])
            rows.append(row)
            if pictures is not None:
                pictures.mkdir(parents=True, exist_ok=True)
                shown = np.concatenate([right[..., :3], shader[..., :3]], axis=1)
                write_image(pictures / f"{file.stem}_{level}.png", np.rint(shown * 255).astype(np.uint8))
    return {
        "file": file.name, "renderer": device.renderer, "levels": rows, "ledger": asdict(decoder.packed.ledger),
        "bytes": decoder.packed.ledger.total, "linear_light_db": linear_light_db(stack),
    }  # fmt: skip


def markdown(results: list[dict[str, Any]]) -> str:
    """Return the tables."""
    heads = " | ".join(f"level {level}" for level in LEVELS)
    lines = [f"| file | | {heads} |", f"|---|---|{'---|' * len(LEVELS)}"]
    for result in results:
        names = {"filtered_db": "filtered decode", "shader_db": "igs_sample_lod", "decode_db": "decode --size"}
        for key, name in names.items():
            values = " | ".join(f"{row[key]:.2f}" for row in result["levels"])
            lines.append(f"| {result['file'] if key == 'filtered_db' else ''} | {name} | {values} |")
        cost = " | ".join(
            f"{row['gaussians_median']:g}, {row['gaussians_max']}" if row["decodes"] else "none"
            for row in result["levels"]
        )
        lines.append(
            f"| {result['bytes']:,} B, levels {result['ledger']['coarse']:,} | Gaussians: median, most | {cost} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run over pairs of file and source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    if len(options.pairs) % 2:
        parser.error("each FILE.igs needs its SOURCE")
    results = []
    for file, source in zip(options.pairs[::2], options.pairs[1::2], strict=True):
        results.append(measure(file, source, options.pictures))
        print(markdown(results[-1:]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
