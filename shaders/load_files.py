"""Textures at load time for one material: shaders, runs and places, and the files that tell a loader of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Final

import numpy as np

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.build_decoder import Decoder, Language
from imagegs_tex.shaders.emitted_names import jobs_file, textures_file
from imagegs_tex.shaders.file_constants import DATA_BINDING, OUTPUT_BINDING
from imagegs_tex.shaders.load_jobs import ALIGNMENTS, LevelPlace, LoadPlan, load_plan, place_levels
from imagegs_tex.shaders.load_textures import (
    JOBS_BINDING,
    SCRATCH_BINDING,
    SHADERS,
    LoadedTexture,
    texture_sets,
    texture_shaders,
)

_JOBS_ALIGNMENT: Final = 256  # of a storage buffer's range, at most, in OpenGL and Vulkan


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """Textures that one pair of shaders makes."""

    textures: tuple[LoadedTexture, ...]
    shaders: tuple[str, str]  # text: the one that decodes, the one that makes coarser levels
    plan: LoadPlan


@dataclass(frozen=True, slots=True)
class LoadProgram:
    """All that makes a material's textures."""

    language: Language
    textures: tuple[LoadedTexture, ...]
    places: tuple[tuple[LevelPlace, ...], ...]  # of each texture's levels in the output
    output_bytes: int
    sets: tuple[LoadedSet, ...]

    @property
    def scratch_bytes(self) -> int:
        """Of the buffer that the runs share."""
        return max((each.plan.scratch_bytes for each in self.sets), default=0)


def load_program(
    quantized: QuantizedGaussianSet, decoder: Decoder, textures: Sequence[LoadedTexture], language: Language
) -> LoadProgram:
    """Return what makes a material's textures.

    Args:
        quantized: the file's content
        decoder: of it
        textures: which ones
        language: of the shaders, and the rules for where levels may lie
    """
    formats = [texture.pixel_format for texture in textures]
    places, output_bytes = place_levels(formats, quantized.width, quantized.height, ALIGNMENTS[language])
    sets, first = [], 0
    has_residual = quantized.residual is not None
    for chosen in texture_sets(textures, quantized.component_count, has_residual=has_residual):
        own = places[first : first + len(chosen)]
        plan = load_plan(chosen, own, quantized.width, quantized.height)
        sets.append(LoadedSet(chosen, texture_shaders(decoder.includes, chosen, language), plan))
        first += len(chosen)
    return LoadProgram(language, tuple(textures), places, output_bytes, tuple(sets))


def load_files(program: LoadProgram, left_out: Sequence[int] = ()) -> dict[str, bytes]:
    """Return the files of a program by name: shaders, jobs and a description.

    Args:
        program: of :func:`load_program`
        left_out: numbers of the maps that no texture is made of
    """
    files: dict[str, bytes] = {}
    jobs = bytearray()
    runs: list[dict[str, Any]] = []
    for number, each in enumerate(program.sets, start=1):
        names = [_numbered(name, number) for name in SHADERS[program.language]]
        by_name = dict(zip(("first", "next"), names, strict=True))
        for dispatch in each.plan.dispatches:
            jobs += bytes(-len(jobs) % _JOBS_ALIGNMENT)
            data = np.ascontiguousarray(dispatch.jobs, dtype="<i4").tobytes()
            place = {"offset": len(jobs), "bytes": len(data)}
            runs.append({"shader": by_name[dispatch.shader], "groups": list(dispatch.groups), "jobs": place})
            jobs += data
        used = {run["shader"] for run in runs}
        files |= {name: text.encode() for name, text in zip(names, each.shaders, strict=True) if name in used}
    description = {
        "format": "imagegs_tex textures at load time",
        "version": 1,
        "language": program.language,
        "bindings": _bindings(program.language),
        "output_bytes": program.output_bytes,
        "scratch_bytes": program.scratch_bytes,
        "textures": [
            _texture(texture, levels) for texture, levels in zip(program.textures, program.places, strict=True)
        ],
        "maps_left_out": list(left_out),
        "jobs": jobs_file(program.language),
        "dispatches": runs,
    }
    files[jobs_file(program.language)] = bytes(jobs)
    files[textures_file(program.language)] = (json.dumps(description, indent=2) + "\n").encode()
    return files


def _numbered(name: str, number: int) -> str:
    path = PurePath(name)
    return name if number == 1 else f"{path.stem}_{number}{path.suffix}"


def _texture(texture: LoadedTexture, levels: Sequence[LevelPlace]) -> dict[str, Any]:
    pixel_format = texture.pixel_format
    return {
        "map": texture.map_index,
        "pixel_format": pixel_format.label,
        "dxgi_format": pixel_format.dxgi,
        "vk_format": pixel_format.vulkan,
        "map_channels": [texture.map_channels[plane] for plane in texture.channels],
        "levels": [asdict(level) for level in levels],
    }


def _bindings(language: Language) -> list[dict[str, Any]]:
    rows = [
        ("igs_data", "the material, read", DATA_BINDING, "t"),
        ("igs_textures", "the output, written", OUTPUT_BINDING, "u"),
        ("igs_jobs", "jobs of a run, read", JOBS_BINDING, "t"),
        ("igs_scratch", "the scratch buffer, read and written", SCRATCH_BINDING, "u"),
    ]
    kind = {name: "RWByteAddressBuffer" if letter == "u" else "ByteAddressBuffer" for name, _, _, letter in rows}
    if language == "hlsl":
        return [
            {"name": name, "kind": kind[name], "register": f"{letter}{binding}", "use": use}
            for name, use, binding, letter in rows
        ]
    return [{"name": name, "kind": "storage buffer", "binding": binding, "use": use} for name, use, binding, _ in rows]
