"""Which part of the project may import which: see the table in CONTRIBUTING.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FOLDERS = {"imagegs_tex": "imagegs_tex", "cli": "imagegs_tex.cli", "formats": "imagegs_tex.formats"}
FOLDERS["shaders"] = "imagegs_tex.shaders"


def imported_modules(path: Path) -> set[str]:
    """Full names of all that a file imports, at any depth of the code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def breaches(repository: Path) -> list[str]:
    found = []
    for folder in FOLDERS:
        for path in sorted((repository / folder).rglob("*.py")):
            name = path.relative_to(repository).as_posix()
            for module in sorted(imported_modules(path)):
                if is_forbidden(name, module):
                    found.append(f"{name} imports {module}")
    return found


def is_forbidden(file_name: str, module: str) -> bool:
    own = within(module, "imagegs_tex")
    in_formats = within(module, "imagegs_tex.formats")
    folder = file_name.split("/", maxsplit=1)[0]
    if folder != "cli" and within(module, "imagegs_tex.cli") and file_name != "imagegs_tex/__main__.py":
        return True
    if within(module, "moderngl") and not file_name.startswith("imagegs_tex/verification/"):
        return True
    if file_name.startswith("formats/igs/") and within(module, "imagegs_tex.formats.material"):
        return True  # a file of codes knows the shared words, not how a material is prepared
    if folder == "formats":
        core = own and not in_formats and module != "imagegs_tex" and not within(module, "imagegs_tex.jit")
        return within(module, "torch") or core
    if folder == "shaders":
        return within(module, "torch")
    if file_name.startswith("imagegs_tex/rasterize/"):
        # the picture's constants are the format's; nothing else of it is the rasterizer's business
        file_io = in_formats and not within(module, "imagegs_tex.formats.igs.quantized_set")
        return (file_io and module != "imagegs_tex.formats") or within(module, "imagegs_tex.fit")
    return False


def test_no_part_imports_what_it_must_not(repository):
    assert breaches(repository) == []


@pytest.mark.parametrize(
    ("file_name", "module"),
    [
        ("formats/material/stack.py", "torch"),
        ("formats/material/stack.py", "torch.nn"),
        ("formats/material/stack.py", "imagegs_tex.api"),
        ("shaders/emit.py", "torch"),
        ("formats/igs/map_table.py", "imagegs_tex.formats.material.stack"),
        ("imagegs_tex/rasterize/cpu/backend.py", "imagegs_tex.formats.vocabulary"),
        ("imagegs_tex/fit/loop.py", "moderngl"),
        ("imagegs_tex/api.py", "imagegs_tex.cli.main"),
    ],
)
def test_the_rules_catch_a_breach(file_name, module):
    assert is_forbidden(file_name, module)


@pytest.mark.parametrize(
    "module",
    ["material.build_stack", "images", "material.name_reading", "vocabulary", "files.atomic_write", "errors"],
)
def test_formats_load_without_torch(module):
    code = f"import sys, imagegs_tex.formats.{module}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_formats_load_without_torch_by_themselves():
    code = "import sys, imagegs_tex.formats; assert not {'torch', 'imagecodecs'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
