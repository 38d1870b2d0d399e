"""imagegs_tex: a texture codec that codes a material as one set of 2D Gaussians.

``compress``, ``compress_asset``, ``save_manifest``, ``decode``, ``export``, ``compare`` and ``info`` are what the
command line calls; see :mod:`imagegs_tex.api`. They are imported when first used: importing this package loads
neither torch nor numba.
"""

from typing import TYPE_CHECKING

from imagegs_tex._version import __version__

if TYPE_CHECKING:
    from imagegs_tex.api import compare, compress, compress_asset, decode, export, info, save_manifest
    from imagegs_tex.settings import CompressSettings, FitSettings, Precision, Preset, TextureContainer, preset_settings

__all__ = [
    "CompressSettings",
    "FitSettings",
    "Precision",
    "Preset",
    "TextureContainer",
    "__version__",
    "compare",
    "compress",
    "compress_asset",
    "decode",
    "export",
    "info",
    "preset_settings",
    "save_manifest",
]

_HOMES = {
    **dict.fromkeys(
        ("compare", "compress", "compress_asset", "decode", "export", "info", "save_manifest"), "imagegs_tex.api"
    ),
    **dict.fromkeys(
        ("CompressSettings", "FitSettings", "Precision", "Preset", "TextureContainer", "preset_settings"),
        "imagegs_tex.settings",
    ),
}


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'imagegs_tex' has no attribute {name!r}")
    import importlib

    attribute: object = getattr(importlib.import_module(_HOMES[name]), name)
    return attribute
