"""Write one buffer of many materials, the decoder that reads any of them, and a table that finds them."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Semantic, TextureMap, Transfer
from imagegs_tex.shaders.build_decoder import Language
from imagegs_tex.shaders.emit import INCLUDES, describe_levels, describe_map, picture_facts
from imagegs_tex.shaders.emitted_names import BUFFER_FILE, description_file, readme_file
from imagegs_tex.shaders.file_constants import DATA_BINDING, OUTPUT_BINDING, REGION_BINDING
from imagegs_tex.shaders.gpu_buffer import PackedGaussians, join_materials
from imagegs_tex.shaders.include_text import STORAGE_INCLUDE, TEXTURE_INCLUDE, WGSL_GROUP_INCLUDE, WGSL_INCLUDE
from imagegs_tex.shaders.materials_readme import materials_readme
from imagegs_tex.shaders.meaning_table import GREEN_DOWN, GREEN_UP, meanings, normal_green
from imagegs_tex.shaders.prefix import DEFAULT_PREFIX, description_with_prefix, with_prefix
from imagegs_tex.shaders.sample_shaders import SHARED_PARTS, sample_shaders
from imagegs_tex.shaders.shared_decoder import MOST_COMPONENTS, MOST_VALUES, ROW_LOG2, most_of, shared_decoder
from imagegs_tex.shaders.write_decoder import write_decoder

SharedLanguage = Language | Literal["wgsl"]
NUMBERS_FILE: Final = "igs_materials"
Stage = Literal["comp", "vert", "frag"]
_INCLUDES: Final[dict[SharedLanguage, tuple[str, ...]]] = {
    "glsl": INCLUDES["glsl"], "hlsl": INCLUDES["hlsl"], "wgsl": (WGSL_INCLUDE, WGSL_GROUP_INCLUDE),
}  # fmt: skip
_MODULES: Final[dict[str, Stage]] = {
    "sample_compute.comp": "comp", "sample_pixel.vert": "vert", "sample_pixel.frag": "frag",
}  # fmt: skip
_MAX_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class BufferMaterial:
    """A material of a buffer."""

    name: str  # untrusted text
    quantized: QuantizedGaussianSet
    packed: PackedGaussians


def emit_materials(
    materials: Sequence[BufferMaterial],
    language: SharedLanguage,
    folder: Path,
    prefix: str = DEFAULT_PREFIX,
    *,
    to_module: Callable[[str, Stage], bytes] | None = None,
) -> list[Path]:
    """Write the decoder of many materials into a folder, made when missing; files of these names are replaced.

    Args:
        materials: numbered in this order; without any, the decoder alone is written
        language: glsl (4.30 and ES 3.00), hlsl (shader model 5.0 and newer) or wgsl
        folder: where to
        prefix: of all names, see :func:`.prefix.read_prefix`
        to_module: makes SPIR-V of GLSL and its stage (comp, vert, frag), for modules of the samples; None: no modules

    Returns:
        the paths written; no name among them comes from a file

    Raises:
        OutputError: a file cannot be written
    """
    packed = [material.packed for material in materials]
    components, values = most_of(packed) if packed else (MOST_COMPONENTS, MOST_VALUES)
    includes = shared_decoder(components, values, materials=packed).includes
    files = {name: includes[name] for name in _INCLUDES[language]}
    samples = sample_shaders(includes, SHARED_PARTS)
    files |= {name: text for name, text in samples.items() if _language_of(name) == language}
    words = join_materials(packed) if packed else np.empty(0, dtype=np.uint32)
    description = describe_materials(materials, language, words)
    files[readme_file(language)] = materials_readme(description)
    if materials:
        suffix, line = (".wgsl", "const {} = {}u;") if language == "wgsl" else (".h", "#define {} {}")
        files[NUMBERS_FILE + suffix] = _numbers([material.name for material in materials], line)
    written = {with_prefix(name, prefix): with_prefix(text, prefix).encode() for name, text in files.items()}
    described = json.dumps(description_with_prefix(description, prefix), indent=2) + "\n"
    written[with_prefix(description_file(language), prefix)] = described.encode()
    if materials:
        written[with_prefix(BUFFER_FILE, prefix)] = words.astype("<u4").tobytes()
    if to_module is not None:
        for name, stage in _MODULES.items():
            written[f"{name}.spv"] = to_module(with_prefix(files[name], prefix), stage)
    return write_decoder(folder, written, prefix)


def _language_of(sample: str) -> str:
    suffix = Path(sample).suffix.removeprefix(".")
    return suffix if suffix in {"hlsl", "wgsl"} else "glsl"


def describe_materials(
    materials: Sequence[BufferMaterial], language: SharedLanguage, words: np.ndarray
) -> dict[str, Any]:  # fmt: skip
    """Return what an importer needs to know, ready for JSON. Names of materials and maps are untrusted text."""
    components, values = (
        most_of([each.packed for each in materials]) if materials else (MOST_COMPONENTS, MOST_VALUES)
    )  # fmt: skip
    return {
        "format": "imagegs_tex decoder of many materials",
        "version": 1,
        "language": language,
        "include": list(_INCLUDES[language]),
        "most_components": components,
        "most_values": values,
        "bindings": _bindings(language, len(words), values),
        "buffer": {"file": BUFFER_FILE, "bytes": 4 * len(words), "element": "uint32, little-endian"},
        "materials": [_material(number, material, int(words[3 + number])) for number, material in enumerate(materials)],
    }


def _material(number: int, material: BufferMaterial, word: int) -> dict[str, Any]:
    quantized, packed = material.quantized, material.packed
    return {
        "material": number,
        "material_name": material.name,
        "word": word,
        "bytes": packed.ledger.total,
        **picture_facts(quantized),
        "detail": quantized.detail is not None,
        "exact_samples": quantized.exact is not None,
        "normal_y": {GREEN_UP: "up", GREEN_DOWN: "down"}.get(normal_green(quantized.maps), "not said"),
        "coarse_levels": describe_levels(packed),
        "meanings": [
            _meaning(semantic, index, channels, quantized.maps)
            for semantic, (index, channels) in meanings(quantized.maps).items()
        ],
        "maps": [describe_map(texture_map) for texture_map in quantized.maps],
    }


def _meaning(
    semantic: Semantic, index: int, channels: tuple[int, ...], maps: tuple[TextureMap, ...]
) -> dict[str, Any]:  # fmt: skip
    transfer = maps[index].transfer
    encoded = transfer == Transfer.SRGB and semantic in COLOUR_SEMANTICS
    return {
        "meaning": semantic.name.lower(),
        "function": f"igs_{semantic.name.lower()}",
        "map": index,
        "file_channels": list(channels),
        "encoding": "srgb" if encoded else "linear",
    }


def _bindings(language: SharedLanguage, word_count: int, values: int) -> list[dict[str, Any]]:
    layers = -(-values // 4)
    output = {"name": "igs_output", "layers": layers, "used_by": "compute"}
    region = {"name": "igs_first_group and material", "used_by": "compute sample"}
    if language == "wgsl":
        return [
            {"name": "igs_data", "kind": "storage, read: array<u32>", "group": 0, "binding": 0, "used_by": "all"},
            {"name": "surface", "kind": "uniform: vec3f, u32", "group": 0, "binding": 1, "used_by": "pixel sample"},
            {
                "name": "output", "kind": "texture_storage_2d_array<rgba8unorm, write>", "group": 0, "binding": 1,
                "layers": layers, "used_by": "compute sample",
            },
            {"name": "request", "kind": "uniform: u32", "group": 0, "binding": 2, "used_by": "compute sample"},
        ]  # fmt: skip
    if language == "hlsl":
        return [
            {"name": "igs_data", "kind": "ByteAddressBuffer", "register": f"t{DATA_BINDING}", "used_by": "all"},
            output | {"register": f"u{OUTPUT_BINDING}", "hlsl": "RWTexture2DArray<float4>"},
            region | {"kind": "cbuffer of int2, uint", "register": f"b{REGION_BINDING}"},
        ]
    return [
        {"name": "igs_data", "kind": "storage buffer", "binding": DATA_BINDING, "used_by": STORAGE_INCLUDE},
        {
            "name": "igs_data",
            "kind": "usampler2D, R32UI, nearest, no mips: the buffer row by row",
            "texture_width": 1 << ROW_LOG2,
            "texture_height": -(-word_count >> ROW_LOG2),
            "used_by": TEXTURE_INCLUDE,
        },
        output | {"binding": OUTPUT_BINDING, "glsl": "writeonly image2DArray, any float or normalised format"},
        region | {"kind": "uniform ivec2 and uniform uint; with Vulkan push constants"},
    ]


def _numbers(names: Sequence[str], line: str) -> str:
    """Return constants of the materials' numbers, for shaders and programs; of a name what is lawful in all of them."""
    taken: set[str] = set()
    lines = []
    for number, name in enumerate(names):
        kept = re.sub(r"[^A-Z0-9]+", "_", name.upper()[: 4 * _MAX_NAME]).strip("_")[:_MAX_NAME].strip("_")
        unique = f"IGS_MATERIAL_{kept or number}"
        while unique in taken:
            unique += f"_{number}"
        taken.add(unique)
        lines.append(f"{line.format(unique, number)}\n")
    return "// Numbers of the materials in the buffer.\n" + "".join(lines)
