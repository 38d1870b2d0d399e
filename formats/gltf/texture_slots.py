"""What each channel of a texture means by where a glTF material refers to it."""

from collections.abc import Mapping
from typing import Final

from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.vocabulary import Semantic

_S = Semantic
_COLOUR: Final = dict.fromkeys(range(3), _S.BASE_COLOUR)
_NORMAL: Final = dict.fromkeys(range(3), _S.NORMAL)
_PBR: Final = "pbrMetallicRoughness"
SLOTS: Final[dict[tuple[str, ...], Mapping[int, Semantic]]] = {
    (_PBR, "baseColorTexture"): _COLOUR,
    (_PBR, "metallicRoughnessTexture"): {1: _S.ROUGHNESS, 2: _S.METALLIC},
    ("normalTexture",): _NORMAL,
    ("occlusionTexture",): {0: _S.OCCLUSION},
    ("emissiveTexture",): dict.fromkeys(range(3), _S.EMISSIVE),
    ("extensions", "KHR_materials_pbrSpecularGlossiness", "diffuseTexture"): _COLOUR,
    ("extensions", "KHR_materials_pbrSpecularGlossiness", "specularGlossinessTexture"): {
        **dict.fromkeys(range(3), _S.SPECULAR),
        3: _S.GLOSS,
    },
    ("extensions", "KHR_materials_clearcoat", "clearcoatTexture"): {0: _S.CLEARCOAT},
    ("extensions", "KHR_materials_clearcoat", "clearcoatRoughnessTexture"): {1: _S.ROUGHNESS},
    ("extensions", "KHR_materials_clearcoat", "clearcoatNormalTexture"): _NORMAL,
    ("extensions", "KHR_materials_sheen", "sheenColorTexture"): dict.fromkeys(range(3), _S.SHEEN),
    ("extensions", "KHR_materials_sheen", "sheenRoughnessTexture"): {3: _S.ROUGHNESS},
    ("extensions", "KHR_materials_specular", "specularTexture"): {3: _S.DATA},
    ("extensions", "KHR_materials_specular", "specularColorTexture"): dict.fromkeys(range(3), _S.SPECULAR),
    ("extensions", "KHR_materials_transmission", "transmissionTexture"): {0: _S.TRANSMISSION},
    ("extensions", "KHR_materials_anisotropy", "anisotropyTexture"): dict.fromkeys(range(3), _S.ANISOTROPY),
    ("extensions", "KHR_materials_volume", "thicknessTexture"): {1: _S.DATA},
    ("extensions", "KHR_materials_iridescence", "iridescenceTexture"): {0: _S.DATA},
    ("extensions", "KHR_materials_iridescence", "iridescenceThicknessTexture"): {1: _S.DATA},
}

COLOUR_SLOTS: Final = frozenset(path for path, channels in SLOTS.items() if channels is _COLOUR)

# A factor of 0 makes channels meaningless: what they hold says nothing about the material.
_FACTORS: Final[dict[tuple[str, ...], tuple[tuple[str, ...], int]]] = {
    (_PBR, "metallicFactor"): ((_PBR, "metallicRoughnessTexture"), 2),
    (_PBR, "roughnessFactor"): ((_PBR, "metallicRoughnessTexture"), 1),
    ("occlusionTexture", "strength"): (("occlusionTexture",), 0),
}


def slots_of(entry: Json) -> Mapping[tuple[str, ...], Mapping[int, Semantic]]:
    """Return where a material may refer to textures: what is known, and what extensions call a texture otherwise."""
    extensions = entry.get("extensions")
    others: dict[tuple[str, ...], Mapping[int, Semantic]] = {
        ("extensions", name, key): {}  # to be read by the image's name
        for name, extension in ({} if extensions is None else extensions.members()).items()
        for key in extension.members()
        if key.endswith("Texture")
    }
    return {**others, **SLOTS}


def channels_without_effect(entry: Json) -> dict[tuple[str, ...], set[int]]:
    """Return the channels of each slot that a material scales by 0."""
    found: dict[tuple[str, ...], set[int]] = {}
    for factor, (path, channel) in _FACTORS.items():
        value = entry.find(*factor)
        if value is not None and value.number() == 0:
            found.setdefault(path, set()).add(channel)
    return found
