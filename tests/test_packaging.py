"""What pyproject.toml says of packages against the tree: nothing that is needed stays out of a wheel."""

import fnmatch
import json
import tomllib
from pathlib import Path

import pytest

import imagegs_tex

TOP = ("imagegs_tex", "cli", "formats", "shaders", "runtime/web")
NOT_INSTALLED = {"ruff.toml"}
COMPILED = {".so", ".dll"}
"""Of files that setup.py makes and puts into the wheel itself."""


@pytest.fixture(scope="module")
def setuptools_table(repository):
    with (repository / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["setuptools"]


def folder_of(package: str, package_dir: dict[str, str]) -> Path:
    """Where a package's files lie, as setuptools finds it: by its own entry, or else below that of its parent."""
    if package in package_dir:
        return Path(package_dir[package])
    parent, _, name = package.rpartition(".")
    return folder_of(parent, package_dir) / name


def forgotten(repository: Path, table: dict) -> set[str]:
    """Files below the packages' folders that no wheel would hold."""
    folders = {folder_of(package, table["package-dir"]): package for package in table["packages"]}
    left_out = set()
    for top in TOP:
        for path in (repository / top).rglob("*"):
            name = path.relative_to(repository)
            hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
            if path.is_dir() or hidden or path.name in NOT_INSTALLED or path.suffix in COMPILED:
                continue
            home = next(folder for folder in (name.parent, *name.parents) if folder in folders or folder == Path())
            patterns = table["package-data"].get(folders.get(home, ""), [])
            is_module = path.suffix == ".py" and home == name.parent
            if not is_module and not any(fnmatch.fnmatch(name.relative_to(home).as_posix(), each) for each in patterns):
                left_out.add(name.as_posix())
    return left_out


def test_every_module_kernel_and_shader_is_installed(repository, setuptools_table):
    assert forgotten(repository, setuptools_table) == set()


def test_the_npm_package_has_the_same_version(repository):
    assert (
        json.loads((repository / "runtime" / "web" / "package.json").read_text())["version"] == imagegs_tex.__version__
    )


def test_every_listed_package_is_there_once(repository, setuptools_table):
    packages = setuptools_table["packages"]
    assert len(set(packages)) == len(packages)
    for package in packages:
        assert (repository / folder_of(package, setuptools_table["package-dir"]) / "__init__.py").is_file(), package


@pytest.mark.parametrize(
    ("forget", "file"),
    [
        ("imagegs_tex.fit", "imagegs_tex/fit/loop.py"),
        ("imagegs_tex.formats.igs", "formats/igs/container.py"),
        ("imagegs_tex.rasterize.cuda", "imagegs_tex/rasterize/cuda/kernels/adam.cu"),
    ],
)
def test_a_forgotten_package_is_noticed(repository, setuptools_table, forget, file):
    table = setuptools_table | {"packages": [name for name in setuptools_table["packages"] if name != forget]}
    assert file in forgotten(repository, table)


def test_forgotten_data_are_noticed(repository, setuptools_table):
    table = setuptools_table | {"package-data": {"imagegs_tex": ["py.typed"]}}
    missing = forgotten(repository, table)
    assert "shaders/source/core.glsl" in missing
    assert "imagegs_tex/rasterize/cuda/kernels/adam.cu" in missing
