"""Write a file's decoder: source, buffer, description, samples and a page that explains them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import Coded, TextureMap, UnitZ, wrap_words
from imagegs_tex.shaders.accessors import Accessor
from imagegs_tex.shaders.build_decoder import Decoder, Language, build_decoder
from imagegs_tex.shaders.emitted_names import BUFFER_FILE, description_file, readme_file
from imagegs_tex.shaders.emitted_readme import readme
from imagegs_tex.shaders.file_constants import DATA_BINDING, OUTPUT_BINDING, REGION_BINDING, layer_count
from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, PackedGaussians
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, TEXTURE_INCLUDE
from imagegs_tex.shaders.prefix import DEFAULT_PREFIX, description_with_prefix, with_prefix
from imagegs_tex.shaders.write_decoder import write_decoder

INCLUDES: Final[dict[Language, tuple[str, ...]]] = {
    "glsl": (STORAGE_INCLUDE, TEXTURE_INCLUDE),
    "hlsl": (HLSL_INCLUDE,),
}


def emit(
    quantized: QuantizedGaussianSet,
    language: Language,
    folder: Path,
    decoder: Decoder | None = None,
    more: Mapping[str, bytes] | None = None,
    prefix: str = DEFAULT_PREFIX,
) -> list[Path]:
    """Write the decoder of a file into a folder, which is created when missing; files of these names are replaced.

    A folder can have the decoders of a file in several languages: one buffer, and names that tell the rest apart.

    Args:
        quantized: the file's content
        language: glsl (4.30 and ES 3.00) or hlsl (shader model 5.0 and newer)
        folder: where to
        decoder: None builds it
        more: further files by name, of :func:`.load_files.load_files`
        prefix: of all names, see :func:`.prefix.read_prefix`

    Returns:
        the paths written; no name among them comes from the file

    Raises:
        OutputError: a file cannot be written
        UsageError: the supports overlap beyond what an index can hold
    """
    decoder = decoder or build_decoder(quantized)
    description = describe(quantized, decoder, language)
    named = texts(decoder, language) | {readme_file(language): readme(description)}
    files = {with_prefix(name, prefix): with_prefix(text, prefix).encode() for name, text in named.items()}
    files[with_prefix(BUFFER_FILE, prefix)] = decoder.packed.words.astype("<u4").tobytes()
    described = json.dumps(description_with_prefix(description, prefix), indent=2) + "\n"
    files[with_prefix(description_file(language), prefix)] = described.encode()
    return write_decoder(folder, files | dict(more or {}), prefix)


def texts(decoder: Decoder, language: Language) -> dict[str, str]:
    """Return the includes and samples of a language by file name."""
    chosen = {name: decoder.includes[name] for name in INCLUDES[language]}
    is_hlsl = language == "hlsl"
    return chosen | {name: text for name, text in decoder.samples.items() if name.endswith(".hlsl") == is_hlsl}


def describe(quantized: QuantizedGaussianSet, decoder: Decoder, language: Language) -> dict[str, Any]:
    """Return what an engine's importer needs to know, ready for JSON. Map names in it are untrusted text."""
    packed = decoder.packed
    width, height = packed.texture_size
    detail = quantized.detail
    cost = asdict(decoder.cost)
    if detail is None:
        del cost["detail_multiply_adds"]
    for name, layer in (("residual", quantized.residual), ("repeat", quantized.repeat)):
        if layer is None:
            del cost[f"{name}_multiply_adds"], cost[f"{name}_multiply_adds_mean"]
    return {
        "format": "imagegs_tex decoder",
        "version": 1,
        "language": language,
        **picture_facts(quantized),
        **({} if detail is None else {"noise_components": detail.component_count}),
        "buffer": {
            "file": BUFFER_FILE,
            "bytes": 4 * len(packed.words),
            "element": "uint32, little-endian",
            "sections": _sections(packed),
            "material": asdict(packed.ledger) | {"total": packed.ledger.total},
        },
        "bindings": _bindings(language, (width, height), layer_count(quantized)),
        "include": list(INCLUDES[language]),
        "footprints": decoder.has_footprints,
        "coarse_levels": describe_levels(packed),
        "accessors": [_accessor(accessor, quantized.maps) for accessor in decoder.accessors],
        "maps": [describe_map(texture_map) for texture_map in quantized.maps],
        "cost": cost,
    }


def _sections(packed: PackedGaussians) -> list[dict[str, Any]]:
    """Return the parts of the buffer in order, those that it has."""
    ledger = packed.ledger
    tiles = packed.tiles.words.nbytes
    parts = [
        ("directory", 4 * (DIRECTORY_WORDS + 1)),
        ("noise_tile", ledger.noise_tile),
        ("header", ledger.header - 4),
        ("tiles", tiles),
        ("coarse_levels", ledger.coarse),
        ("envelope", ledger.envelope),
        ("exact_samples", ledger.exact),
        ("repeat", ledger.repeat),
        ("residual", ledger.residual),
        ("end", 4),
    ]
    starts = np.cumsum([0, *(size for _, size in parts)]).tolist()
    found = zip(parts, starts, strict=False)
    return [{"name": name, "offset": start, "bytes": size} for (name, size), start in found if size]


def describe_levels(packed: PackedGaussians) -> list[dict[str, Any]]:
    """Return the levels that are stored, and which of them as a difference to one widened decode."""
    if packed.coarse is None:
        return []
    levels = packed.coarse.range
    return [
        {"level": level, "across": across, "down": down, "stored": "texels" if level >= levels.direct else "difference"}
        for level, (across, down) in enumerate(levels.sizes, levels.first)
    ]


def _bindings(language: Language, texture_size: tuple[int, int], layers: int) -> list[dict[str, Any]]:
    output = {
        "name": "igs_output",
        "kind": "image array, four coded channels per layer, layer i holds channels 4 i to 4 i + 3",
        "layers": layers,
        "used_by": "compute",
    }
    region = "igs_first_group"
    if language == "hlsl":
        return [
            {"name": "igs_data", "kind": "ByteAddressBuffer", "register": f"t{DATA_BINDING}", "used_by": "all"},
            output | {"register": f"u{OUTPUT_BINDING}", "hlsl": "RWTexture2DArray<float4>"},
            {"name": region, "kind": "cbuffer of int2", "register": f"b{REGION_BINDING}", "used_by": "compute sample"},
        ]
    return [
        {"name": "igs_data", "kind": "storage buffer", "binding": DATA_BINDING, "used_by": STORAGE_INCLUDE},
        {
            "name": "igs_data",
            "kind": "usampler2D, R32UI, nearest, no mips: the buffer row by row",
            "texture_width": texture_size[0],
            "texture_height": texture_size[1],
            "used_by": TEXTURE_INCLUDE,
        },
        output | {"binding": OUTPUT_BINDING, "glsl": "writeonly image2DArray, any float or normalised format"},
        {"name": region, "kind": "uniform ivec2", "used_by": "compute sample"},
    ]


def _accessor(accessor: Accessor, maps: tuple[TextureMap, ...]) -> dict[str, Any]:
    return {
        "name": accessor.name,
        "floats": accessor.width,
        "value": accessor.note,
        "kind": accessor.kind,
        "map": accessor.map_index,
        "semantics": [
            maps[accessor.map_index].channel_semantics[channel].name.lower() for channel in accessor.channels
        ],
        "file_channels": list(accessor.channels),
    }


def describe_map(texture_map: TextureMap) -> dict[str, Any]:
    """Return a map as JSON has it; its name is untrusted text."""
    return {
        "name": texture_map.name,
        "semantic": texture_map.semantic.name.lower(),
        "transfer": texture_map.transfer.name.lower(),
        "sample_format": texture_map.sample_format.name.lower(),
        "log_range": list(texture_map.log_range),
        "channels": [
            {"semantic": semantic.name.lower()} | _route(texture_map, channel)
            for channel, semantic in enumerate(texture_map.channel_semantics)
        ],
    }


def _route(texture_map: TextureMap, channel: int) -> dict[str, Any]:
    route = texture_map.routes[channel]
    if isinstance(route, Coded):
        return {"coded_channel": route.index}
    if isinstance(route, UnitZ):
        return {"unit_z_of_channels": list(texture_map.side_channels(channel))}
    return {"constant": route.value}


def picture_facts(quantized: QuantizedGaussianSet) -> dict[str, Any]:
    """Return what descriptions of one file and of many say of a picture."""
    return {
        "width": quantized.width,
        "height": quantized.height,
        "wrap": list(wrap_words(quantized.wrap)),  # x, y
        "gaussians": quantized.gaussian_count,
        "channels": quantized.channel_count,
        "components": quantized.component_count,
    }
