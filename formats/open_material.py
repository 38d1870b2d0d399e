"""What INPUT may be: a folder of maps, a single image, a manifest, or a glTF with one material or several."""

from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.gltf.materials import is_gltf, read_gltf
from imagegs_tex.formats.images import FORMATS, copies_of_others
from imagegs_tex.formats.material.manifest import MANIFEST_SUFFIX, read_manifest
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource, sorted_maps
from imagegs_tex.formats.material.name_reading import StatedSemantics
from imagegs_tex.formats.vocabulary import Semantic

_MOST_NAMED: Final = 8  # materials listed in a message


def read_material(path: Path, material: str | None = None) -> MaterialSource:
    """Find out what belongs to one material.

    Args:
        path: a folder, an image file, a manifest, or a glTF
        material: file stem of the material to take from a glTF of several

    Raises:
        InputError: there is none, or there are several
    """
    if path.suffix.lower() == MANIFEST_SUFFIX and path.is_file():
        return read_manifest(path)
    if is_gltf(path):
        materials = read_gltf(path).materials
        if len(materials) > 1:
            materials = tuple(entry for entry in materials if entry.stem == material) or materials
        if len(materials) > 1:
            names = ", ".join(printable(entry.name) for entry in materials[:_MOST_NAMED])
            more = ", ..." if len(materials) > _MOST_NAMED else ""
            raise InputError(
                f"{printable(path)} has {len(materials)} materials ({names}{more}); compress it to a folder, "
                "and compare each file under the name that it was given there"
            )
        return materials[0]
    if path.is_file():
        image = MapSource(ImageFile(path), path.stem, StatedSemantics(Semantic.IMAGE))
        return MaterialSource(printable(path), (image,))
    return MaterialSource(
        printable(path), sorted_maps(MapSource(ImageFile(entry), entry.stem) for entry in _find_images(path))
    )


def _find_images(folder: Path) -> list[Path]:
    """Return the image files of a folder in a fixed order."""
    try:
        if not folder.is_dir():
            raise InputError(
                f"{printable(folder)} does not exist; give a folder of maps, an image, a manifest or a glTF"
            )
        found = [entry for entry in folder.iterdir() if _is_image(entry)]
    except OSError as error:
        raise InputError(f"{printable(folder)} cannot be listed ({printable(error.strerror)}); check it") from None
    if not found:
        asset = next((entry for entry in sorted(folder.iterdir()) if is_gltf(entry)), None)
        if asset is not None:
            raise InputError(f"{printable(folder)} has no images but {printable(asset.name)}; give that file itself")
        raise InputError(f"{printable(folder)} has no images; put maps there with a suffix of {', '.join(FORMATS)}")
    copies = copies_of_others(found)
    found = sorted(
        (entry for entry in found if entry not in copies), key=lambda entry: (entry.name.casefold(), entry.name)
    )
    by_stem: dict[str, Path] = {}
    for entry in found:
        # Case-folded, because the maps must come back on file systems that ignore case.
        other = by_stem.setdefault(entry.stem.casefold(), entry)
        if other is not entry:
            raise InputError(
                f"{printable(folder)} has {printable(other.name)} and {printable(entry.name)}, which are the same map "
                "by name; rename or remove one"
            )
    return found


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and not path.name.startswith(".") and path.is_file()
