"""What decides the bytes of an output, as a hash: the key of the cache.

Into it go the bytes of the inputs, what is said of them, the settings, and the encoder: its code, the libraries below
it, the backend and the class of processor. Neither times nor paths do, so a tree that is copied or renamed has the same
keys.
"""

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

from imagegs_tex._version import __version__
from imagegs_tex.builder.processor import backend_here, processor_class
from imagegs_tex.builder.tree import TreeMaterial
from imagegs_tex.formats.igs.container import VERSION
from imagegs_tex.formats.material.material_source import MapSource
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.settings import CompressSettings

SCHEMA: Final = 1
"""Of what goes into a key, and of what lies under it."""
_WITHOUT_EFFECT: Final = frozenset({"builder", "cli", "studio"})
"""Packages whose code changes no output."""
_LIBRARIES: Final = (
    *("torch", "numpy", "numba", "llvmlite", "zstandard", "pillow", "imagecodecs", "tifffile", "openexr"),
    *("ispc-texcomp", "moderngl"),
)


@dataclass(frozen=True, slots=True)
class Encoder:
    """What makes the outputs; two that are equal make the same bytes."""

    version: str
    format: int  # the newest .igs version that it writes
    code: str  # SHA-256 over the sources
    libraries: tuple[tuple[str, str], ...]  # names and versions
    python: str  # major and minor
    backend: str  # cpu, cuda or reference
    processor: str  # class of processor: those of one give the same bytes


def this_encoder(backend: str, in_children: bool = False) -> Encoder:
    """Return the encoder of this process and this machine.

    Args:
        backend: auto, cpu, cuda or reference
        in_children: whether that of processes which this one starts

    Raises:
        UsageError: there is no such backend
        MissingToolError: the backend that was named cannot run here
    """
    name = backend_here(backend)
    return Encoder(
        __version__, VERSION, _code_hash(), _library_versions(), f"{sys.version_info[0]}.{sys.version_info[1]}",
        name, processor_class(name, in_children),
    )  # fmt: skip


@cache
def _library_versions() -> tuple[tuple[str, str], ...]:
    found = []
    for name in _LIBRARIES:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return tuple(found)


@cache
def _code_hash() -> str:
    """Hash the sources: between releases the version says too little, and this takes 20 ms."""
    import imagegs_tex
    import imagegs_tex.formats
    import imagegs_tex.shaders

    digest = hashlib.sha256()
    found: dict[str, Path] = {}  # a checkout has formats/ and shaders/ elsewhere than an installation
    for module in (imagegs_tex, imagegs_tex.formats, imagegs_tex.shaders):
        folder = Path(module.__path__[0])
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).parts
            if parts[0] not in _WITHOUT_EFFECT and "__pycache__" not in parts and path.is_file():
                found["/".join((*module.__name__.split("."), *parts))] = path
    for name, path in sorted(found.items()):
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def material_key(
    material: TreeMaterial, settings: CompressSettings, options: SourceOptions, encoder: Encoder,
    sha256: Callable[[Path], str],
) -> str:  # fmt: skip
    """Return the key of a compression.

    Args:
        material: what is compressed
        settings: how
        options: how its images are taken
        encoder: what compresses
        sha256: hash of a file's bytes; InputError when it cannot be read
    """
    source, mask = material.material, options.importance or material.material.importance
    facts = {
        "maps": [_map_facts(entry, sha256) for entry in source.maps],
        "container": [sha256(path) for path in material.container],
        "stem": material.stem if material.container else "",
        "wrap": source.wrap,
        "size": source.size,
        "importance": None if mask is None else sha256(mask),
        "one_map_per_semantic": source.one_map_per_semantic,
        "choices": _choices(settings, options),
    }
    return _key("compress", facts, encoder)


@cache
def _encoder_text(encoder: Encoder) -> str:
    return json.dumps(asdict(encoder), sort_keys=True)


@cache
def _choices(settings: CompressSettings, options: SourceOptions) -> str:
    read = {**asdict(options), "importance": None, "allow_roots": None}  # paths: what lies there is in the key
    return json.dumps([asdict(settings), read], sort_keys=True, default=str)


def warm_key(key: str, start_sha256: str) -> str:
    """Return the key of a compression that begins from an .igs file, made of its key without."""
    return hashlib.sha256(f"warm {SCHEMA} {key} {start_sha256}".encode()).hexdigest()


def product_key(product: str, igs_sha256: str, encoder: Encoder) -> str:
    """Return the key of what is made of a finished .igs file."""
    return _key("product", {"product": product, "igs": igs_sha256}, encoder)


def _map_facts(source: MapSource, sha256: Callable[[Path], str]) -> list[object]:
    said = source.statement
    return [
        source.name, source.suffix, None if source.image.data is not None else sha256(source.image.path),
        None if said is None else [repr(said.channels), said.fits_any_image, sorted(said.unused)], source.swizzle,
        source.is_srgb, source.loss_scale, source.flips_vertically, source.inverted, source.is_alternate,
        source.is_optional,
    ]  # fmt: skip


def _key(kind: str, facts: dict[str, object], encoder: Encoder) -> str:
    document = {"schema": SCHEMA, "kind": kind, "facts": facts, "encoder": _encoder_text(encoder)}
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()
