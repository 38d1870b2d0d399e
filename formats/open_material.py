"""What INPUT may be: a folder of maps (or a .zip of one), a single image, a manifest, or a glTF."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.gltf.materials import is_gltf, read_gltf
from imagegs_tex.formats.material.folder_listing import is_zip, list_folder, list_zip
from imagegs_tex.formats.material.folder_of_maps import materials_of_folder
from imagegs_tex.formats.material.manifest import MANIFEST_SUFFIX, read_manifest
from imagegs_tex.formats.material.material_asset import ListedMaterial, MaterialAsset
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource
from imagegs_tex.formats.material.name_reading import StatedSemantics
from imagegs_tex.formats.vocabulary import Semantic

_MOST_NAMED: Final = 8  # materials listed in a message


def read_asset(path: Path, roots: Sequence[Path] = ()) -> MaterialAsset:
    """Find out which materials an input has, and what belongs to each.

    Args:
        path: a folder, a .zip, an image file, a manifest, or a glTF
        roots: further folders in which images of a glTF may lie

    Raises:
        InputError: there is none, or it is not clear what belongs to which
    """
    if is_gltf(path):
        return read_gltf(path, roots)
    if is_zip(path):
        return materials_of_folder(list_zip(path))
    if path.suffix.lower() == MANIFEST_SUFFIX and path.is_file():
        return _asset_of(read_manifest(path))
    if path.is_file():
        image = MapSource(ImageFile(path), path.stem, StatedSemantics(Semantic.IMAGE))
        return _asset_of(MaterialSource(printable(path), (image,)))
    return materials_of_folder(list_folder(path))


def read_material(path: Path, material: str | None = None, roots: Sequence[Path] = ()) -> MaterialSource:
    """Find out what belongs to one material.

    Args:
        path: see :func:`read_asset`
        material: file stem of the material to take from several
        roots: see :func:`read_asset`

    Raises:
        InputError: there is none, or there are several
    """
    asset = read_asset(path, roots)
    entries = [entry for entry in asset.listed if entry.problem or entry.source is not None]
    if len({entry.source for entry in entries if not entry.problem}) + sum(bool(e.problem) for e in entries) > 1:
        entries = [entry for entry in entries if entry.stem and entry.stem == material]
        if not entries:
            raise InputError(_several(asset))
    if entries[0].problem:
        raise InputError(entries[0].problem)
    assert entries[0].source is not None
    return asset.materials[entries[0].source]


def _asset_of(material: MaterialSource) -> MaterialAsset:
    return MaterialAsset(material.where, (ListedMaterial(material.name, 0, 0),), (material,))


def _several(asset: MaterialAsset) -> str:
    named = [entry for entry in asset.listed if entry.stem]
    names = ", ".join(printable(entry.name) for entry in named[:_MOST_NAMED])
    more = ", ..." if len(named) > _MOST_NAMED else ""
    return (
        f"{asset.where} has {len(named)} materials ({names}{more}); compress it to a folder, "
        "and compare each file under the name that it was given there"
    )
