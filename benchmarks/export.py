"""What block compression costs on top of the codec, map by map, and what mip levels leave of a cut-out.

    export.py [--cases NAME ...] [--preset fast] [--work build/export] [--write]

Each material is compressed once (and kept in --work), decoded, and block-compressed as ``export`` does; the blocks are
decoded by bcdec, which is not part of the encoder. PSNR is over the channels that the texture holds, of level 0; of
normals over x and y of the unit vectors, of float maps over log codes. With --write the table of
docs/benchmarks/textures.md is replaced. Coverage is the share of texels with alpha of at least 0.5, by level.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
from cases import SHARED
from numpy.typing import NDArray
from tables import markdown, replace_table

import imagegs_tex
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.gpu_textures.texture import BC1_SRGB, BC4, BC5, BC6H, BC7, BC7_SRGB, BLOCK
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.transfer_functions import encode_log
from imagegs_tex.formats.vocabulary import SampleFormat, TextureMap
from imagegs_tex.metrics.scores import psnr_of
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN, DetailMode, Preset, preset_settings
from imagegs_tex.textures.export_maps import TexturePlan, channel_roles, make_texture, plan_texture
from imagegs_tex.textures.mip_chain import COVERAGE_THRESHOLD, ChannelRoles, mip_chain, unit_normals

CASES = (
    "brick_wall_017", "boombox", "caution_panel", "bricks_npot_1000", "ground_037_packed", "shrub_01_cutout",
    "flight_helmet_lenses", "image_hdr_arboretum",
)  # fmt: skip
CUT_OUTS = ("shrub_01_cutout", "image_anime_character")
COVERAGE_LEVELS = 8
_NUMBERS = {BC1_SRGB: 1, BC4: 4, BC5: 5, BC6H: 6, BC7: 7, BC7_SRGB: 7}
Floats = NDArray[np.float32]


def main() -> None:
    """Measure every map of the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--work", type=Path, default=Path("build/export"))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.cases:
        for row in measure(name, arguments.work, Preset(arguments.preset)):
            print(row, flush=True)
            rows.append(row)
    headings = ["case", "map", "format", "source, blocks", "file", "file, blocks", "loss", "BC1 instead"]
    table = markdown(headings, rows)
    print(table)
    if arguments.write:
        replace_table("export-psnr", table)
    shares = markdown(["case", "levels", *map(str, range(COVERAGE_LEVELS))], coverage(arguments.work))
    print(shares)
    if arguments.write:
        replace_table("export-coverage", shares)


def coverage(work: Path) -> list[list[str]]:
    """Return the coverage of each level of the cut-outs, as exported and averaged plainly."""
    rows = []
    for name in CUT_OUTS:
        quantized, texels = decoded_file(name, work, Preset.FAST)
        texture_map = quantized.maps[0]
        samples = as_floats(texels, texture_map)
        for label, roles in (("exported", channel_roles(texture_map)), ("plain averages", ChannelRoles())):
            chain = mip_chain(samples, roles)[:COVERAGE_LEVELS]
            rows.append([name, label, *(f"{(level[..., 3] >= COVERAGE_THRESHOLD).mean():.4f}" for level in chain)])
    return rows


def decoded_file(name: str, work: Path, preset: Preset) -> tuple[QuantizedGaussianSet, Floats]:
    """Compress a material if that is still to be done, and decode it."""
    file = work / f"{name}.igs"
    if not file.exists():
        stack = load_stack(SHARED / "materials" / name)
        count = max(1, stack.width * stack.height // DEFAULT_TEXELS_PER_GAUSSIAN)
        settings = replace(preset_settings(preset), gaussian_count=count, detail=DetailMode.OFF)
        imagegs_tex.compress(SHARED / "materials" / name, file, settings)
    quantized = read_igs(file)
    return quantized, render_channels(quantized, make_backend("auto")).cpu().numpy()


def measure(name: str, work: Path, preset: Preset) -> list[list[str]]:
    """Return a row per map of one material."""
    quantized, texels = decoded_file(name, work, preset)
    stack = load_stack(SHARED / "materials" / name)
    rows = []
    for texture_map, original in zip(quantized.maps, stack.maps, strict=True):
        source, decoded = as_floats(stack.texels, original), as_floats(texels, texture_map)
        plan = plan_texture(texture_map)
        straight, file_db, both = (
            psnr(texture_map, plan, source, found)
            for found in (blocks(texture_map, plan, source), decoded, blocks(texture_map, plan, decoded))
        )
        small = plan_texture(texture_map, bc1=True)
        bc1 = ""
        if small != plan:
            bc1 = f"{psnr(texture_map, plan, source, blocks(texture_map, small, decoded)) - file_db:+.2f}"
        rows.append([
            name, texture_map.name, plan.pixel_format.label, f"{straight:.2f}", f"{file_db:.2f}", f"{both:.2f}",
            f"{both - file_db:+.2f}", bc1,
        ])  # fmt: skip
    return rows


def as_floats(texels: Floats, texture_map: TextureMap) -> Floats:
    """Return a map's samples without rounding them; normals, whose length says nothing, as unit vectors."""
    samples = expand_map(texels, replace(texture_map, sample_format=SampleFormat.FLOAT32)).astype(np.float32)
    axes = list(channel_roles(texture_map).normal)
    if len(axes) == 3:
        samples[..., axes] = (unit_normals(samples[..., axes]) + 1) / 2
    return samples


def blocks(texture_map: TextureMap, plan: TexturePlan, samples: Floats) -> Floats:
    """Encode level 0 and decode it with another library; the channels of the plan are changed, all others kept."""
    texture = make_texture(texture_map, plan, [samples])
    height, width = samples.shape[:2]
    pixel_format = texture.pixel_format
    if pixel_format.is_compressed:
        channels = {BC4: 1, BC5: 2, BC6H: 3}.get(pixel_format, 4)
        shape = (height + -height % BLOCK, width + -width % BLOCK, channels)
        wanted = shape if channels > 1 else shape[:2]
        texels = np.asarray(imagecodecs.bcn_decode(texture.levels[0], _NUMBERS[pixel_format], shape=wanted))
        texels = texels.reshape(shape)[:height, :width] / np.float32(1 if pixel_format == BC6H else 255)
    else:
        dtype, scale = ("<f2", 1) if pixel_format.is_float else ("<u2", 65535)
        texels = np.frombuffer(texture.levels[0], dtype).reshape(height, width, -1) / np.float32(scale)
    found = samples.copy()
    for place, channel in enumerate(plan.channels):
        found[..., channel] = texels[..., place]
    return found


def psnr(texture_map: TextureMap, plan: TexturePlan, source: Floats, found: Floats) -> float:
    """PSNR in dB over a plan's channels."""
    channels = sorted(set(plan.channels))
    first, second = source[..., channels], found[..., channels]
    if texture_map.sample_format.is_float:
        first, second = (encode_log(np.clip(part, *texture_map.log_range), texture_map.log_range)
                         for part in (first, second))  # fmt: skip
    return psnr_of(float(np.square(first - second, dtype=np.float64).mean()))


if __name__ == "__main__":
    main()
