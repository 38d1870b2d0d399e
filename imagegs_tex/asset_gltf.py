"""A glTF that goes with the .igs files of its materials."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.gltf.materials import is_gltf, read_gltf
from imagegs_tex.formats.gltf.write_gltf import IgsOfMaterial, gltf_with_igs
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.reports import AssetReport

_GLB_SUFFIX: Final = ".glb"


def check_output_gltf(source: Path, output: Path, *, is_asset: bool) -> None:
    """Refuse what :func:`write_gltf_with_igs` cannot do, before time goes into the files.

    Raises:
        UsageError: the source is no glTF, the files do not go to a folder, or the output is no .glb or the source
    """
    if not is_asset or not is_gltf(source):
        raise UsageError("--output-gltf needs a glTF as INPUT and a folder as -o: it refers to the files there")
    if output.suffix.lower() != _GLB_SUFFIX:
        raise UsageError(f"--output-gltf {printable(output)} is not a .glb; give FILE.glb")
    if output.resolve() == source.resolve():
        raise UsageError(f"--output-gltf {printable(output)} would replace the source; give another name")


def write_gltf_with_igs(
    source: Path, folder: Path, report: AssetReport, output: Path, options: SourceOptions | None = None
) -> None:
    """Write a .glb whose textures are maps of the .igs files that :func:`imagegs_tex.compress_asset` made.

    Materials that were left out keep their images.

    Args:
        source: the .gltf or .glb file
        folder: where the .igs files are
        report: of their compression
        output: the .glb to write; it refers to the files by their way from its folder
        options: those of the compression

    Raises:
        InputError: no material was made, or the source cannot be written anew
        OutputError: the file cannot be written
    """
    roots = () if options is None else options.allow_roots
    asset = read_gltf(source, roots)
    files: dict[int, IgsOfMaterial] = {}
    for listed, made in zip(asset.listed, report.materials, strict=True):
        if listed.source is not None and made.file is not None and listed.source not in files:
            path = folder / made.file
            way = Path(os.path.relpath(path.resolve(), output.resolve().parent)).as_posix()
            maps = frozenset(each.name for each in read_igs(path).maps)
            files[listed.source] = IgsOfMaterial(quote(way), asset.materials[listed.source], maps)
    if not files:
        raise InputError(
            f"{printable(source)}: no material was made, so there is nothing for --output-gltf to refer to"
        )
    write_bytes(output, gltf_with_igs(source, list(files.values()), roots))
