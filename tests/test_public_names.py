"""The public face of the package: which names it has, where they come from, and what importing it loads."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import imagegs_tex

FUNCTIONS = [
    "build_decoder", "build_tree", "compare", "compress", "compress_asset", "compress_many", "decode", "emit",
    "examine", "export", "export_gaussians", "info", "load_stack", "preset_settings", "read_igs", "save_manifest",
    "shader_decoder", "verify", "view",
    "list_settings", "parse_setting", "render_snapshot", "settings_from_start", "with_settings",
]  # fmt: skip
ERRORS = ["IgsError", "ImageGSTexError", "InputError", "MissingToolError", "OutputError", "TargetError", "UsageError"]
CHOICES = [
    "AlphaUse", "BatchItem", "BuildWorkers", "CompressSettings", "Coverage", "FitControl",
    "FitSettings", "ImageFormat", "NormalCoding",
    "DetailMode", "Entropy", "PopulationChange", "Precision", "Preset", "QualityTarget", "RepeatMode", "ResidualMode",
    "Semantic", "SourceOptions",
    "SaliencyMethod", "SaliencyOptions", "SplatFormat", "TextureContainer",
]  # fmt: skip
RESULTS = [
    "AssetFile", "AssetMaterial", "AssetReport", "BackendCheck", "BuildReport", "ByteLedger", "CompareReport",
    "CompressReport", "DecodeCost", "Decoder", "DoctorReport", "ExportReport", "ExportedMap", "ExportedSplats",
    "Finding",
    "FitProgress", "GpuBytes", "HashedFile", "InfoReport", "MapInfo", "MapScore", "QuantizedGaussianSet", "SampleCost",
    "Seconds", "SectionSize", "SourceScore", "SplatReport", "Spread", "TargetReport", "TextureStack", "VariantResult",
    "VerifyReport", "Versions", "ViewReport", "ViewedPage", "ViewedPicture",
    "Checkpointing", "FitSnapshot", "InitialPlacement", "Setting", "StopPoint",
]  # fmt: skip


def test_the_names_are_these():
    wanted = sorted([*FUNCTIONS, *ERRORS, *CHOICES, *RESULTS, "__version__"])
    assert imagegs_tex.__all__ == wanted
    assert [name for name in dir(imagegs_tex) if name in wanted] == wanted


@pytest.mark.parametrize("name", imagegs_tex.__all__)
def test_each_name_is_what_its_home_defines(name):
    attribute = getattr(imagegs_tex, name)
    if name != "__version__":
        assert attribute.__name__ == name
        assert attribute is getattr(importlib.import_module(attribute.__module__), name)


def test_functions_do_not_turn_into_packages_once_everything_is_imported():
    """`import imagegs_tex.verification` and the like must not replace a function of the same name."""
    for name in FUNCTIONS:
        getattr(imagegs_tex, name)
    packages = {path.parent.name for path in Path(imagegs_tex.__file__).parent.rglob("__init__.py")}
    assert not packages & set(imagegs_tex.__all__)
    assert all(callable(getattr(imagegs_tex, name)) for name in FUNCTIONS)


def test_every_error_is_exported():
    errors = importlib.import_module("imagegs_tex.formats.errors")
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert defined == set(ERRORS)


def test_type_checkers_see_the_same_homes():
    tree = ast.parse(Path(imagegs_tex.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert isinstance(block.test, ast.Name)
    assert block.test.id == "TYPE_CHECKING"
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == imagegs_tex._HOMES
    assert set(seen) == set(imagegs_tex.__all__) - {"__version__"}


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match="module 'imagegs_tex' has no attribute 'nonsense'"):
        _ = imagegs_tex.nonsense


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("imagegs_tex", {"torch", "numba", "numpy"}),
        ("imagegs_tex.settings", {"torch", "numba", "numpy"}),
        ("imagegs_tex.formats.errors", {"torch", "numba", "numpy"}),
        ("imagegs_tex.formats", {"torch", "numba", "imagecodecs"}),
        ("imagegs_tex.formats.igs.container", {"torch", "numba"}),
    ],
)
def test_importing_loads_little(module, heavy):
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
