"""What a visitor says of single maps, written into a manifest, so that the command line takes them the same way."""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import safe_stem, unique_name
from imagegs_tex.formats.material.build_stack import build_stack
from imagegs_tex.formats.material.manifest import manifest_text
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.studio.meanings import AS_READ, is_colour, semantics_of

MANIFEST: Final = "material.json"
_GREEN: Final = "G"
GREEN_UP: Final = "up"
"""Made for OpenGL."""
GREEN_DOWN: Final = "down"
"""Made for DirectX, and kept so."""
GREEN_TURNED: Final = "turned"
"""Made for DirectX, and turned into one for OpenGL: its green becomes 1 - green."""


@dataclass(frozen=True, slots=True)
class MapCorrection:
    """What is said of one map; None: as it was read."""

    meaning: str | None = None  # a key of .meanings
    is_srgb: bool | None = None
    green: str | None = None  # of a normal map: GREEN_UP, GREEN_DOWN or GREEN_TURNED
    is_left_out: bool = False  # it does not go into the file

    @property
    def changes_reading(self) -> bool:
        """Whether the map is taken for something else by it: which way green points is only shown."""
        return self.is_left_out or self.meaning is not None or self.is_srgb is not None or self.green == GREEN_TURNED


Corrections = Mapping[str, MapCorrection]
"""By the map's name."""


def corrected_manifest(material: MaterialSource, corrections: Corrections, folder: Path) -> Path:
    """Write a manifest of a material with corrections, and the images beside it that lie inside other files.

    Args:
        material: as it was found
        corrections: by names of its maps; others are ignored
        folder: the visitor's, where the manifest goes

    Raises:
        InputError: nothing is left of the material
    """
    material = _unpacked(material, folder / "unpacked")
    file = folder / MANIFEST
    as_read = SourceOptions(normals=NormalCoding.STORED, alpha=AlphaUse.DATA)
    document = json.loads(manifest_text(material, build_stack(material, as_read), file))
    said_wrap = material.wrap != (None, None)
    if not said_wrap:
        del document["wrap"]  # a guess, which is made again: the visitor may say something else beside the manifest
    corrected = [_corrected(texture, corrections.get(texture["name"])) for texture in document["textures"]]
    document["textures"] = _without_doubles([texture for texture in corrected if texture is not None])
    if not document["textures"]:
        raise InputError("every map would be left out; a file needs at least one")
    write_bytes(file, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
    return file


def beside_maps(manifest: Path) -> bytes:
    """Return a corrected manifest's text as it is for who has the maps: it lies beside them, in no visitor's folder."""
    document = json.loads(manifest.read_bytes())
    document.pop("folder", None)
    named = [texture["fileName"] for texture in document["textures"]]
    named += [document["importance"]] if "importance" in document else []
    shared = posixpath.commonpath([str(PurePosixPath(name).parent) for name in named])
    for texture in document["textures"]:
        texture["fileName"] = PurePosixPath(texture["fileName"]).relative_to(shared).as_posix()
    if "importance" in document:
        document["importance"] = PurePosixPath(document["importance"]).relative_to(shared).as_posix()
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _corrected(texture: dict[str, Any], correction: MapCorrection | None) -> dict[str, Any] | None:
    if correction is None:
        return texture
    found = dict(texture)
    if correction.is_left_out:
        return None
    if correction.meaning not in {None, AS_READ}:
        assert correction.meaning is not None
        found["semantics"] = semantics_of(correction.meaning)
        found["note"] = "as said on the page"
        if not is_colour(correction.meaning):
            found["isSRGB"] = False
        else:
            found.pop("isSRGB", None)  # colours in whole numbers are sRGB unless said otherwise
    if correction.is_srgb is not None:
        found["isSRGB"] = correction.is_srgb
    if correction.green == GREEN_TURNED:
        found["invert"] = _GREEN
    return found


def _without_doubles(textures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark maps of a meaning that an earlier one has, which a manifest must say."""
    seen: set[str] = set()
    found = []
    for texture in textures:
        semantics = texture["semantics"]
        own = ({semantics} if isinstance(semantics, str) else set(semantics)) - {"data"}
        plain = {key: value for key, value in texture.items() if key != "alternate"}
        found.append({**plain, "alternate": True} if own & seen else plain)
        seen |= own
    return found


def _unpacked(material: MaterialSource, folder: Path) -> MaterialSource:
    """Put images that lie inside a .zip or a glTF into a folder, under safe names."""
    taken: dict[str, int] = {}
    return replace(material, maps=tuple(_on_disk(source, folder, taken) for source in material.maps))


def _on_disk(source: MapSource, folder: Path, taken: dict[str, int]) -> MapSource:
    if source.image.data is None:
        return source
    path = folder / f"{unique_name(safe_stem(source.name), taken)}{source.suffix if source.suffix.isascii() else ''}"
    write_bytes(path, source.image.data())
    return replace(source, image=ImageFile(path))
