"""Readers of textures that are not ours: OpenImageIO for DDS, ktx-parse for KTX 2, bcdec for the blocks of either."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO

REPOSITORY = Path(__file__).resolve().parents[2]
NODE_MODULES = REPOSITORY / "build" / "npm" / "node_modules"
NO_KTX_PARSE = "needs node and ktx-parse: npm install --prefix build/npm --no-save ktx-parse@2.0.0"

BLOCKS = {132: (1, 4), 139: (4, 1), 141: (5, 2), 143: (6, 3), 145: (7, 4), 146: (7, 4)}  # VkFormat: BCn, channels
PLAIN = {70: ("<u2", 1), 76: ("<f2", 1), 83: ("<f2", 2), 97: ("<f2", 4)}


@dataclass
class Ktx2File:
    header: dict
    levels: list  # texels [H, W, C], decoded


def has_ktx_parse():
    return shutil.which("node") is not None and (NODE_MODULES / "ktx-parse").is_dir()


def read_ktx2(path, folder):
    """Read with ktx-parse, and decode the levels' blocks with bcdec."""
    folder.mkdir(parents=True)
    script = Path(__file__).with_name("read_ktx2.mjs")
    done = subprocess.run(
        ["node", script, NODE_MODULES, path, folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    header = json.loads(done.stdout)
    levels = []
    for level in range(header["levelCount"]):
        size = max(1, header["pixelWidth"] >> level), max(1, header["pixelHeight"] >> level)
        levels.append(decode_level((folder / f"level{level}").read_bytes(), header["vkFormat"], *size))
    return Ktx2File(header, levels)


def decode_level(data, vulkan, width, height):
    """Decode one level; blocks reach beyond sizes that are no multiple of 4."""
    if vulkan in PLAIN:
        dtype, channels = PLAIN[vulkan]
        return np.frombuffer(data, dtype).reshape(height, width, channels)
    number, channels = BLOCKS[vulkan]
    shape = (-height % 4 + height, -width % 4 + width, channels)
    decoded = imagecodecs.bcn_decode(data, number, shape=shape if channels > 1 else shape[:2])
    return decoded.reshape(shape)[:height, :width]


def read_dds(path):
    """Read all levels with OpenImageIO as floats [H, W, C], colour as stored; return them with level 0's metadata."""
    source = OpenImageIO.ImageInput.open(str(path))
    assert source is not None, OpenImageIO.geterror()
    levels, metadata = [], {}
    while source.seek_subimage(0, len(levels)):
        spec = source.spec()
        metadata = metadata or {entry.name: entry.value for entry in spec.extra_attribs}
        levels.append(np.asarray(source.read_image(0, len(levels), 0, spec.nchannels, "float")))
    return levels, metadata
