"""Which part of the project may import which: see the table in CONTRIBUTING.md."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

FOLDERS = {"imagegs_tex": "imagegs_tex", "cli": "imagegs_tex.cli", "formats": "imagegs_tex.formats"}
FOLDERS["shaders"] = "imagegs_tex.shaders"
_FARM = "imagegs_tex/builder/farm.py"
LIBRARIES = {"moderngl": "imagegs_tex/verification/", "dask": _FARM, "distributed": _FARM}
"""Where alone each may be imported."""


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


def is_the_studios(file_name: str, module: str) -> bool:
    """Whether it is what the studio alone imports, or the studio itself, which is a leaf like the command line."""
    if file_name.startswith("imagegs_tex/studio/"):
        return False
    return within(module, "gradio") or (within(module, "imagegs_tex.studio") and file_name != "cli/studio.py")


def is_forbidden(file_name: str, module: str) -> bool:
    own = within(module, "imagegs_tex")
    in_formats = within(module, "imagegs_tex.formats")
    folder = file_name.split("/", maxsplit=1)[0]
    if folder != "cli" and within(module, "imagegs_tex.cli") and file_name != "imagegs_tex/__main__.py":
        return True
    if any(within(module, library) and not file_name.startswith(home) for library, home in LIBRARIES.items()):
        return True
    if is_the_studios(file_name, module):
        return True
    if file_name.startswith("formats/igs/") and within(module, "imagegs_tex.formats.material"):
        return True  # a file of codes knows the shared words, not how a material is prepared
    if folder == "formats":
        core = own and not in_formats and module != "imagegs_tex" and not within(module, "imagegs_tex.jit")
        return within(module, "torch") or core
    if folder == "shaders":
        return within(module, "torch")
    if file_name.startswith("imagegs_tex/rasterize/"):
        # the picture's constants and the errors are the format's; nothing else of it is the rasterizer's business
        shared = ("imagegs_tex.formats.igs.quantized_set", "imagegs_tex.formats.errors")
        file_io = in_formats and not any(within(module, name) for name in shared)
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
        ("imagegs_tex/builder/engine.py", "distributed"),
        ("imagegs_tex/api.py", "gradio"),
        ("imagegs_tex/api.py", "imagegs_tex.studio.serve"),
        ("imagegs_tex/api.py", "imagegs_tex.cli.main"),
    ],
)
def test_the_rules_catch_a_breach(file_name, module):
    assert is_forbidden(file_name, module)


def import_graph(repository: Path) -> dict[str, set[str]]:
    """Every module of the project, with those of the project that it imports, at any depth of the code."""
    paths = {}
    for folder, package in FOLDERS.items():
        for path in sorted((repository / folder).rglob("*.py")):
            parts = path.relative_to(repository / folder).with_suffix("").parts
            paths[".".join((package, *(part for part in parts if part != "__init__")))] = path
    imported = {name: imported_modules(path) & paths.keys() for name, path in paths.items()}
    # a name that is a module counts as that module, not as the package it lies in
    return {
        name: {module for module in modules if not any(within(other, module) and other != module for other in modules)}
        for name, modules in imported.items()
    }


def circle_of(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_import_goes_in_a_circle_lazy_ones_included(repository):
    graph = import_graph(repository)
    assert len(graph) > 100
    assert "imagegs_tex.rasterize.cpu.backend" in graph["imagegs_tex.rasterize.select_backend"]  # within a function
    assert circle_of(graph) == []


def test_a_circle_is_found_also_through_a_lazy_import(tmp_path):
    modules = {
        "imagegs_tex/__init__.py": "",
        "imagegs_tex/one.py": "from imagegs_tex.formats import two",
        "formats/__init__.py": "",
        "formats/two.py": "def f():\n    from imagegs_tex.one import g\n    return g",
    }
    for name, text in modules.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    circle = circle_of(import_graph(tmp_path))
    assert sorted(set(circle)) == ["imagegs_tex.formats.two", "imagegs_tex.one"]
    (tmp_path / "formats/two.py").write_text("import os")
    assert circle_of(import_graph(tmp_path)) == []


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
