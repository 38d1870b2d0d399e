"""A texture codec: a material's maps become one set of 2D Gaussians, which a shader can sample at any texel.

Maps -> :mod:`imagegs_tex.formats` -> :mod:`~imagegs_tex.encoder` (:mod:`~imagegs_tex.fit`, then
:mod:`~imagegs_tex.quantize`) -> an .igs file -> :mod:`~imagegs_tex.decoder` or :mod:`~imagegs_tex.shaders`.
The names below are all that a user needs; each is imported when first used, so that this package loads in no time.
"""

from typing import TYPE_CHECKING

from imagegs_tex import common_instructions as common_instructions  # first of all: libraries read what it sets
from imagegs_tex._version import __version__

if TYPE_CHECKING:  # what type checkers and editors see; _HOMES does the same at run time
    from imagegs_tex.api import compare, compress, decode, export, export_gaussians, save_manifest
    from imagegs_tex.assets import compress_asset
    from imagegs_tex.batch import BatchItem, compress_many
    from imagegs_tex.builder.build_tree import BuildWorkers, build_tree
    from imagegs_tex.builder.request import BuildReport
    from imagegs_tex.decoder.render import render_snapshot, shader_decoder
    from imagegs_tex.doctor import BackendCheck, DoctorReport, Finding, examine
    from imagegs_tex.encoder.start_file import settings_from_start
    from imagegs_tex.file_info import InfoReport, MapInfo, info
    from imagegs_tex.fit.checkpoint import Checkpointing
    from imagegs_tex.fit.control import FitControl, FitSnapshot, StopPoint
    from imagegs_tex.fit.loop import FitProgress
    from imagegs_tex.formats.errors import (
        IgsError,
        ImageGSTexError,
        InputError,
        MissingToolError,
        OutputError,
        TargetError,
        UsageError,
    )
    from imagegs_tex.formats.files.file_hash import HashedFile
    from imagegs_tex.formats.igs.container import SectionSize, read_igs
    from imagegs_tex.formats.igs.entropy import Entropy
    from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.formats.material.options import (
        AlphaUse,
        Coverage,
        NormalCoding,
        SaliencyMethod,
        SaliencyOptions,
        SourceOptions,
    )
    from imagegs_tex.formats.material.stack import TextureStack
    from imagegs_tex.formats.vocabulary import Semantic
    from imagegs_tex.metrics.byte_ledger import ByteLedger
    from imagegs_tex.metrics.scores import MapScore
    from imagegs_tex.provenance import Versions
    from imagegs_tex.reports import (
        AssetFile,
        AssetMaterial,
        AssetReport,
        CompareReport,
        CompressReport,
        ExportReport,
        Seconds,
        SplatReport,
        TargetReport,
        ViewedPage,
        ViewedPicture,
        ViewReport,
    )
    from imagegs_tex.setting_list import Setting, list_settings, parse_setting, with_settings
    from imagegs_tex.settings import (
        CompressSettings,
        DetailMode,
        FitSettings,
        ImageFormat,
        InitialPlacement,
        PopulationChange,
        Precision,
        Preset,
        QualityTarget,
        RepeatMode,
        ResidualMode,
        SplatFormat,
        TextureContainer,
        preset_settings,
    )
    from imagegs_tex.shaders.build_decoder import Decoder, build_decoder
    from imagegs_tex.shaders.decode_cost import DecodeCost, SampleCost, Spread
    from imagegs_tex.shaders.emit import emit
    from imagegs_tex.shaders.gpu_buffer import GpuBytes
    from imagegs_tex.splats.export_splats import ExportedSplats
    from imagegs_tex.textures.export_maps import ExportedMap
    from imagegs_tex.verification.report import SourceScore, VariantResult, VerifyReport
    from imagegs_tex.verification.run import verify
    from imagegs_tex.viewing.run import view

__all__ = [
    "AlphaUse",
    "AssetFile",
    "AssetMaterial",
    "AssetReport",
    "BackendCheck",
    "BatchItem",
    "BuildReport",
    "BuildWorkers",
    "ByteLedger",
    "Checkpointing",
    "CompareReport",
    "CompressReport",
    "CompressSettings",
    "Coverage",
    "DecodeCost",
    "Decoder",
    "DetailMode",
    "DoctorReport",
    "Entropy",
    "ExportReport",
    "ExportedMap",
    "ExportedSplats",
    "Finding",
    "FitControl",
    "FitProgress",
    "FitSettings",
    "FitSnapshot",
    "GpuBytes",
    "HashedFile",
    "IgsError",
    "ImageFormat",
    "ImageGSTexError",
    "InfoReport",
    "InitialPlacement",
    "InputError",
    "MapInfo",
    "MapScore",
    "MissingToolError",
    "NormalCoding",
    "OutputError",
    "PopulationChange",
    "Precision",
    "Preset",
    "QualityTarget",
    "QuantizedGaussianSet",
    "RepeatMode",
    "ResidualMode",
    "SaliencyMethod",
    "SaliencyOptions",
    "SampleCost",
    "Seconds",
    "SectionSize",
    "Semantic",
    "Setting",
    "SourceOptions",
    "SourceScore",
    "SplatFormat",
    "SplatReport",
    "Spread",
    "StopPoint",
    "TargetError",
    "TargetReport",
    "TextureContainer",
    "TextureStack",
    "UsageError",
    "VariantResult",
    "VerifyReport",
    "Versions",
    "ViewReport",
    "ViewedPage",
    "ViewedPicture",
    "__version__",
    "build_decoder",
    "build_tree",
    "compare",
    "compress",
    "compress_asset",
    "compress_many",
    "decode",
    "emit",
    "examine",
    "export",
    "export_gaussians",
    "info",
    "list_settings",
    "load_stack",
    "parse_setting",
    "preset_settings",
    "read_igs",
    "render_snapshot",
    "save_manifest",
    "settings_from_start",
    "shader_decoder",
    "verify",
    "view",
    "with_settings",
]

_MODULES = {
    "api": ("compare", "compress", "decode", "export", "export_gaussians", "save_manifest"),
    "assets": ("compress_asset",),
    "batch": ("BatchItem", "compress_many"),
    "builder.build_tree": ("BuildWorkers", "build_tree"),
    "builder.request": ("BuildReport",),
    "decoder.render": ("render_snapshot", "shader_decoder"),
    "doctor": ("BackendCheck", "DoctorReport", "Finding", "examine"),
    "file_info": ("InfoReport", "MapInfo", "info"),
    "encoder.start_file": ("settings_from_start",),
    "fit.checkpoint": ("Checkpointing",),
    "fit.control": ("FitControl", "FitSnapshot", "StopPoint"),
    "fit.loop": ("FitProgress",),
    "formats.errors": (
        "IgsError", "ImageGSTexError", "InputError", "MissingToolError", "OutputError", "TargetError", "UsageError",
    ),
    "formats.files.file_hash": ("HashedFile",),
    "formats.igs.container": ("SectionSize", "read_igs"),
    "formats.igs.quantized_set": ("QuantizedGaussianSet",),
    "formats.material.build_stack": ("load_stack",),
    "formats.material.options": (
        "AlphaUse", "Coverage", "NormalCoding", "SaliencyMethod", "SaliencyOptions", "SourceOptions",
    ),
    "formats.material.stack": ("TextureStack",),
    "formats.igs.entropy": ("Entropy",),
    "formats.vocabulary": ("Semantic",),
    "metrics.byte_ledger": ("ByteLedger",),
    "metrics.scores": ("MapScore",),
    "provenance": ("Versions",),
    "reports": (
        "AssetFile", "AssetMaterial", "AssetReport", "CompareReport", "CompressReport", "ExportReport", "Seconds",
        "SplatReport", "TargetReport", "ViewReport", "ViewedPage", "ViewedPicture",
    ),
    "setting_list": ("Setting", "list_settings", "parse_setting", "with_settings"),
    "settings": (
        "CompressSettings", "DetailMode", "FitSettings", "ImageFormat", "InitialPlacement", "PopulationChange",
        "Precision", "Preset",
        "QualityTarget", "RepeatMode", "ResidualMode", "SplatFormat", "TextureContainer", "preset_settings",
    ),
    "shaders.build_decoder": ("Decoder", "build_decoder"),
    "shaders.decode_cost": ("DecodeCost", "SampleCost", "Spread"),
    "shaders.emit": ("emit",),
    "shaders.gpu_buffer": ("GpuBytes",),
    "splats.export_splats": ("ExportedSplats",),
    "textures.export_maps": ("ExportedMap",),
    "verification.report": ("SourceScore", "VariantResult", "VerifyReport"),
    "verification.run": ("verify",),
    "viewing.run": ("view",),
}  # fmt: skip
_HOMES = {name: f"imagegs_tex.{module}" for module, names in _MODULES.items() for name in names}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'imagegs_tex' has no attribute {name!r}")
    import importlib

    attribute: object = getattr(importlib.import_module(_HOMES[name]), name)
    return attribute
