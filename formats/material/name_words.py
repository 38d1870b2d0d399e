"""The words of map names: how names are split, what words mean, and which say nothing.

Gathered from the documentation and the downloads of engines (Unity, Unreal, Godot, CryEngine, Source, id Tech, Roblox),
tools (Substance, Marmoset, xNormal, Blender, V-Ray, Arnold) and libraries (Quixel Megascans, Poly Haven, ambientCG,
Poliigon, 3dtextures.me, Textures.com, cgbookcase, FreePBR).
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from imagegs_tex.formats.material.foreign_words import FOREIGN_SPELLINGS
from imagegs_tex.formats.vocabulary import Semantic

_S = Semantic

# Spellings, without separators and in lower case. Single letters and other short forms are only understood where they
# stand last in a name.
SPELLINGS: Final[dict[Semantic, str]] = {
    _S.BASE_COLOUR: (
        "basecolor basecolour base bc basemap basetex basetexture maintex maintexture albedo albd alb diffuse diff "
        "diffus dif dff diffusecolor diffusecolour diffusemap d color colour col coll clr colormap albedotex dcolor "
        "c bca alphamasked albedotransparency basecolortransparency basecolourtransparency diffusetransparency "
        "colortransparency opaquecolor detailalbedo co ca"
    ),
    _S.NORMAL: (
        "normal normals norm norml nor nrm nrml nml nmap nmp nm n normalmap tangentnormal tangentnormals normaltangent "
        "tangentspacenormal tangentspacenormals normalts tsnormal nts bentnormal bentnormals normalbase ddn "
        "normalbump bumpnormal detailnormal local coatnormal bn nromal noraml nohq anm"
    ),
    _S.ROUGHNESS: (
        "roughness rough roug rogh rgh rghn rgn rou r roughnessfactor specularroughness diffuseroughness "
        "coatroughness coatrough clearcoatroughness clearcoatrough sheenroughness fuzzroughness rougness roughnes"
    ),
    _S.GLOSS: (
        "gloss glossiness glossy glos glo gls smoothness smooth smth reflectgloss reflectglossiness "
        "reflectionglossiness rglossiness exponent phongexponent phongexp phong"
    ),
    _S.METALLIC: "metallic metalness metallness metalic metallicity metal metl met mtl mtlc mt m metallicfactor",
    _S.OCCLUSION: (
        "occlusion ao occ ambientocclusion ambientocc ambient amb ambocc aoc aomap mixedao o occlusionmap cavityao "
        "occulsion oclusion ambientocculsion ambientoclusion"
    ),
    _S.HEIGHT: (
        "height heightmap hgt hght hei hm hmap ht h displacement displace disp dsp displ dpm depth depthmap parallax "
        "parallaxmap pom elevation heights displacment displacemnt"
    ),
    _S.OPACITY: (
        "opacity opac opa opc alpha alphamap transparency transparent transparancy transp trans cutout coverage op "
        "opacitymask alphamask alphaclip alphatest presence"
    ),
    _S.EMISSIVE: (
        "emissive emission emissivecolor emissivecolour emissioncolor emissioncolour emissivity emiss emit emis emi "
        "ems emm em e glow glowmap selfillum selfillumination selfillu illum illumination luma luminance lum "
        "lit add additive incandescence fullbright glowcolor glowcolour emitcolor emitcolour emmisive emmissive "
        "emisive emmision emmission emision"
    ),
    _S.SPECULAR: (
        "specular spec speculr specularcolor specularcolour speccolor spc spm spcl reflection reflect refl s "
        "reflectioncolor reflcolor specularmap specularity reflectivity specularedgecolor specularfacecolor"
    ),
    _S.IMAGE: "image picture photo",
    _S.MASK: (
        "mask masks msk id idmap ids matid materialid objectid groupid colorid clrid idmask detailmask subsurfacemask "
        "subsurfacemaskmap tintmask envmapmask envmask phongmask normalmask emissivemask emissionmask blendmask "
        "coatmask coatmaskmap iridescencemask iridescencemaskmap tintmaskmap"
    ),
    _S.SUBSURFACE: (
        "subsurface subsurfacecolor subsurfacecolour subs sss scattering scatteringcolor scatter translucency "
        "translucent backlight sk"
    ),
    _S.TRANSMISSION: (
        "transmission transmissive transmissionmap transmissioncolor transmissioncolour transmittance "
        "transmittancecolor transmittancecolour refraction refract refractioncolor refractioncolour"
    ),
    _S.CLEARCOAT: "clearcoat coat clearcoatmap coatcolor coatcolour clearcoatcolor clearcoatcolour",
    _S.SHEEN: "sheen sheencolor sheencolour fuzz fuzzcolor fuzzcolour velvet",
    _S.ANISOTROPY: "anisotropy aniso anisotropic flow flowmap",
    _S.CAVITY: "cavity cav curvature curv crv convexity",
    _S.DATA: (
        "data unknown position thickness thicknessmap ior fresnelior specularlevel specularf emissiveintensity "
        "emissionintensity anisotropyangle vertexcolor vertexcolour ssbump combined preview thumbnail "
        "comp composite packed channelpacked"
    ),
}
MEANINGS: Final = {
    word: semantic
    for spellings in (FOREIGN_SPELLINGS, SPELLINGS)
    for semantic, words in spellings.items()
    for word in words.split()
}
"""What a word, or words without their separators, means."""

# Understood anywhere in a name, because they are rarely anything else (unlike "metal" or "rough", as in "rough_wood").
CLEAR_WORDS: Final = frozenset(
    {
        *("basecolor", "basecolour", "albedo", "diffuse", "normal", "normals", "normalmap", "roughness", "glossiness"),
        *("smoothness", "metalness", "metallness", "ambientocclusion", "occlusion", "displacement", "heightmap"),
        *("opacity", "emissive", "emission", "specular"),
    }
)

# After a clear word these say that the map is not what the word says, but something that acts on it.
_MODIFIERS: Final = (
    "strength intensity amount scale factor level levels power bias weight influence contrast tiling offset speed ramp "
    "lut curve gradient warp blend lerp tint variation range min max multiplier exponent angle rotation noise"
)
MODIFIERS: Final = frozenset(_MODIFIERS.split())

# Packings with a name of their own, by what is in their channels. "_" marks a channel without a meaning.
PACK_LETTERS: Final[dict[str, Semantic]] = {
    "a": _S.OCCLUSION,
    "o": _S.OCCLUSION,
    "r": _S.ROUGHNESS,
    "m": _S.METALLIC,
    "h": _S.HEIGHT,
    "d": _S.HEIGHT,
    "s": _S.GLOSS,
    "c": _S.SPECULAR,
    "e": _S.EMISSIVE,
    "k": _S.MASK,
    "n": _S.NORMAL,
    "b": _S.BASE_COLOUR,
    "p": _S.OPACITY,
    "t": _S.SUBSURFACE,
    "f": _S.SHEEN,
    "_": _S.DATA,
}
_LETTER_PACKS: Final = (
    "orm arm rma rmo mra mro amr omr ord orh ormh armh orme rmah mrah mroh orms mahs mohs mos mas oms ams mads erm mer"
)
NAMED_PACKS: Final = {
    **{letters: letters for letters in _LETTER_PACKS.split()},
    "aorm": "orm",
    "mrao": "mra",
    "rmao": "rma",
    "raom": "rom",
    "aomr": "omr",
    "mraoh": "mrah",
    "rmaoh": "rmah",
    "aormh": "ormh",
    "msao": "mso",
    "mrs": "mr_",  # the third is a specular level
    "srm": "crm",
    "srmh": "crmh",
    "srmf": "crmf",  # MetaHuman: the last is fuzz
    "msr": "mcr",  # Unreal's mannequins
    "msrmsk": "mcr",
    "msrao": "mcro",
    "arme": "orme",
    "rmae": "rmoe",
    "rmaos": "rmoc",  # Skyrim's PBR: roughness, metallic, occlusion, specular
    "mers": "mert",  # Minecraft Bedrock: metalness, emissive, roughness, subsurface
    "mrae": "mroe",
    "rmse": "rmce",
    "ordp": "ord",
    "dpra": "dra",  # Megascans: displacement, roughness, occlusion
    "dpr": "dr",
    "ort": "ort",  # of plants: the third is translucency
    "smdi": "_cs",  # Arma
    "gmm": "sm",
    "cm": "bbbm",  # Space Engineers: the alpha has the metal, and the gloss
    "ng": "nnns",
    "cs": "bbbs",
    "aoroughmetal": "orm",
    "occlusionroughnessmetallic": "orm",
    "ambientocclusionroughnessmetallic": "orm",
    # glTF leaves red free in this one, so that occlusion can share the file.
    "metallicroughness": "_rm",
    "metalroughness": "_rm",
    "metalrough": "_rm",
    "metrough": "_rm",
    "roughmet": "_rm",
    "roughmetal": "_rm",
    "roughmetallic": "_rm",
    "metalnessroughness": "_rm",
    "roughnessmetallic": "_rm",
    "roughnessmetalness": "_rm",
    # Unity: MetallicSmoothness keeps red and alpha; a mask map is metallic, occlusion, detail mask, smoothness.
    "metallicsmoothness": "m__s",
    "metalnesssmoothness": "m__s",
    "metalsmoothness": "m__s",
    "metallicsmooth": "m__s",
    "metsmooth": "m__s",
    "metallicgloss": "m__s",
    "metallicglossiness": "m__s",
    "metallicglossmap": "m__s",
    "specgloss": "cccs",
    "specglossmap": "cccs",
    "specularglossmap": "cccs",
    "specularsmoothness": "cccs",
    "maskmap": "maks",
    "mads": "maks",
    "mods": "maks",
    "ddna": "nnns",
    # Quixel Bridge: B-O, N-T; terrains of Unreal
    "bo": "bbbp",
    "bco": "bbbp",
    "bcr": "bbbr",
    "bch": "bbbh",
    "bcao": "bbbo",
    "nt": "nnnt",
    "nh": "nnnh",
    "nr": "nnnr",
    "nao": "nnno",
}

_OTHER_ORDERS: Final = (3, 4)  # letters of a packing that is understood without being listed
_ENGLISH: Final = frozenset({"ram", "mar", "rad", "rod", "hard", "harm", "dorm", "dram", "rho"})

_SPELLINGS_WITH_NOISE: Final = frozenset({"basemap", "basetex", "bumpmap", "maintex", "maintexture", "maskmap"})
_MAP_ENDINGS: Final = ("maps", "map", "textures", "texture", "textur", "tex", "karte")
_BEHIND_MEANINGS: Final = frozenset({"packed", "comp", "composite", "bmp", "data"})
"""Words that say nothing behind a meaning, as in "orm_packed", but something by themselves."""

_NOISE: Final = re.compile(
    r"\d+k?|v\d*|var|lod|udim|jpe?g|png|exr|tga|tiff?|webp|dds|psd|hdr|maps?|karte|tex|textur|textures?|txtr|sd|hd|uhd|res|srgb|"
    r"linear|lin|raw|aces|acescg|utility|rec|bt|bits?|gl|ogl|opengl|dx|directx|seamless|tileable|tiled|tile|tiling|final|new|copy|"
    r"lossless|half|float|unorm|dxt|etc|astc|uastc|basis|export|exported|baked|bake|lowpoly|highpoly|low|high|lp|hp"
)
_WORDS: Final = re.compile(r"\d+[kK](?![A-Za-z])|\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
# What stands for one word, or for none, before a name is split at capitals and numbers.
_REWRITTEN: Final = tuple(
    (re.compile(rf"(?i){pattern}(?![a-z])"), word)
    for pattern, word in (
        (r"(?<![a-z])non[ _-]?colou?r", " raw "),
        (r"aces[ _-]?cg", " acescg "),
        (r"direct[ _-]?x", " DX "),
        (r"(?<![a-z])d3d", " DX "),
        (r"open[ _-]?gl", " GL "),
        (r"(?<![a-z])(?:y[ _-]?(?:\+|plus|pos|up)|green[ _-]?up)", " GL "),
        (r"(?<![a-z])(?:y(?:-(?=[ _.]|$)|[ _-]?(?:minus|neg|down))|green[ _-]?down)", " DX "),
        (r"(?:flip|flipped|invert|inverted)[ _-]?(?:g|green|y)", " "),  # of what, it does not say
    )
)
_DEPTHS: Final = re.compile(r"(?i)(?<![0-9a-z])(?:[uf](?:8|16|32)|(?:8|16|32)[ufi])(?![0-9a-z])")
_ENGINE: Final = re.compile(
    r"(?i)(?<![a-z])(normals?|nrml?|norm?|nml|n)[ _-]?(?:(ue\d?|unreal)|(unity|godot|blender))(?![a-z])"
)
# "R-AO_G-Rough_B-Metal": which channel each word is in, in order
_CHANNEL_LETTERS: Final = re.compile(r"(?<![A-Za-z0-9])(?:RGBA?|[RGBA])[-=](?=[A-Za-z]{2})")
_JOINED_CONVENTION: Final = re.compile(r"(?i)(?<![a-z])(normals?|nrm|norm?|nml)(dx|ogl|gl)(?![a-z])")
_TILE: Final = re.compile(r"(?i)(?<![0-9a-z])(1[01]\d\d|u\d{1,2}_?v\d{1,2})(?![0-9a-z])")
_SIZES: Final = "128|256|512|1024|2048|4096|8192|16384"
_RESOLUTIONS: Final = frozenset(_SIZES.split("|"))
_TECHNICAL: Final = re.compile(rf"(?i)(?<![0-9a-z])(\d\d?k|{_SIZES}|\d+x\d+|jpe?g|png|exr|tga|tiff?|webp)(?![0-9a-z])")
VERSION: Final = re.compile(rf"(?i)(?<![0-9a-z])(?:\d\d?k|{_SIZES}|\d{{3,5}}x\d{{3,5}}|lod\d)(?![0-9a-z])")
"""What tells one map's files apart: how many texels, or for which level of detail."""
_ACCENTS: Final = re.compile(r"([A-Za-z])[\u0300-\u036f]+")
# What a tool puts behind a name to tell its files apart: "9f8e7d", "x7k9d".
_IDENTIFIER: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:(?=(?:[a-f]+\d+[a-f]|\d+[a-f]+\d))[0-9a-f]{6,}|[a-z]{0,2}(?:\d+[a-z]{1,2}){2,}\d*)(?![0-9A-Za-z])"
)
_SPACE: Final = r"(?:(?:object|obj|world|wld|model|local|view|camera|cam|screen)space|object|obj|world|wld|os|ws)"
_NORMALS: Final = r"(?:bent)?(?:normals?|nrml?|norm?|nml?)(?:maps?)?"
_OTHER_SPACE: Final = re.compile(rf"{_SPACE}{_NORMALS}|{_NORMALS}{_SPACE}|osn|wsn|msn")

# Words that are long enough to be seen within one that is written without capitals or separators.
_LONG_WORDS: Final = frozenset(word for word in MEANINGS if len(word) >= 6) | {"ao"}
_SHORTEST_JOINED: Final = 8
_OTHERS_WITHIN: Final = ("ab", "para", "sub", "super", "non", "un", "pre", "multi")  # "abnormal" is no normal


def split_name(stem: str) -> list[str]:
    """Return the words of a name in lower case, split at separators, capitals and numbers."""
    return list(_split(stem))


@lru_cache(maxsize=4096)  # of a tree of thousands of materials: most stems are a few dozen
def _split(stem: str) -> tuple[str, ...]:
    joined = without_accents(stem)
    if len(_CHANNEL_LETTERS.findall(joined)) > 1:
        joined = _CHANNEL_LETTERS.sub(" ", joined)
    joined = _IDENTIFIER.sub(" ", joined)
    for pattern, word in _REWRITTEN:
        joined = pattern.sub(word, joined)
    joined = _ENGINE.sub(lambda found: f"{found[1]} {'DX' if found[2] else 'GL'} ", _DEPTHS.sub(" ", joined))
    joined = _TILE.sub(lambda found: " " if found[0].lower().startswith("u") else found[0], joined)
    joined = re.sub(r"(?<=\d)x(?=\d)", " ", joined)  # 2048x2048
    joined = _JOINED_CONVENTION.sub(r"\1 \2", joined)
    return tuple(part for word in _WORDS.findall(joined) for part in _parts(word.lower()))


def without_accents(text: str) -> str:
    """Return a text with its Latin letters bare, in whichever Unicode form it is: "Höhe" and "Ho\u0308he" as "Hohe"."""
    if text.isascii():
        return text
    bare = _ACCENTS.sub(r"\1", unicodedata.normalize("NFD", text).replace("ß", "ss"))
    return unicodedata.normalize("NFC", bare)


def without_noise(words: list[str]) -> list[str]:
    """Drop what says nothing from the end of a name: resolution, format, number."""
    end = len(words)
    while end > 0:
        if end > 2 and words[end - 2] == "bc" and words[end - 1].isdecimal() and meaning_of(words[end - 3]) is not None:
            end -= 2  # the codec "BC7" behind a meaning
        elif is_noise(words[end - 1]) or (end > 1 and words[end - 1] in _BEHIND_MEANINGS and _says(words[end - 2])):
            end -= 1
        else:
            break
    # Some spellings need their last word: "bump map" and "main tex".
    if 0 < end < len(words) and words[end - 1] + words[end] in _SPELLINGS_WITH_NOISE:
        end += 1
    return words[:end]


def _says(word: str) -> bool:
    return meaning_of(word) is not None or pack_of(word) is not None


def is_noise(word: str) -> bool:
    """Whether a word says nothing of a map's meaning."""
    return _NOISE.fullmatch(word) is not None and word not in MEANINGS


def without_technical(stem: str) -> str:
    """Return a name without resolutions and file formats that stand alone: no part of a material's name."""
    return _TECHNICAL.sub(" ", stem)


def split_tile(stem: str) -> tuple[str, str]:
    """Return a name without its UDIM tile (1001 or u1_v1), and the tile; "" where it has none."""
    found = list(_TILE.finditer(stem))
    if not found:
        return stem, ""
    begin, end = found[-1].span()
    return (stem[:begin].rstrip(" ._-") + stem[end:]) or stem, found[-1][0].lower()


def trailing_number(words: list[str]) -> str:
    """Return the number that a name ends with, behind its meaning, but not a resolution; "" where there is none."""
    ending = words[len(without_noise(words)) :]
    numbers = [word for word in ending if word.isdecimal() and word not in _RESOLUTIONS]
    return "" if {"bit", "bits"} & {*ending} or not numbers else numbers[0]


def meaning_of(phrase: str) -> Semantic | None:
    """Return what words without separators mean; "gloss map" in one word is a gloss."""
    found = MEANINGS.get(phrase)
    if found is not None:
        return found
    for ending in _MAP_ENDINGS:
        stem = phrase.removesuffix(ending)
        if stem != phrase:
            return MEANINGS.get(stem) if len(stem) > 1 else None
    return None


def pack_of(phrase: str) -> str | None:
    """Return the letters of PACK_LETTERS, one per channel, of what words without separators name; None: no packing.

    Besides those with a name of their own, three or four of roughness, occlusion (A, O, AO), metallic and height
    (H, D, Dp) in any order, roughness among them.
    """
    named = NAMED_PACKS.get(phrase)
    if named is not None or phrase in _ENGLISH:
        return named
    letters = phrase.replace("ao", "o").replace("a", "o").replace("dp", "d").replace("d", "h")
    is_pack = len(letters) in _OTHER_ORDERS and len({*letters}) == len(letters) and {"r"} <= {*letters} <= {*"ormh"}
    return letters if is_pack else None


def is_normal_of_other_space(words: list[str], most: int) -> bool:
    """Whether the last words of a name speak of a normal in object or world space."""
    return any(_OTHER_SPACE.fullmatch("".join(words[-length:])) for length in range(1, min(most, len(words)) + 1))


def normal_convention(words: list[str]) -> str:
    """Return which way green points in a normal map, as far as its name says so."""
    if "dx" in words:
        return "DirectX, green down"
    if {"gl", "ogl"} & set(words):
        return "OpenGL, green up"
    return ""


@cache
def _parts(word: str) -> tuple[str, ...]:
    """Return the meanings that a long word consists of, "aoroughnessmetallic", or the clear one that it ends with.

    Without any, the word itself.
    """
    if len(word) < _SHORTEST_JOINED or len(word) > 80 or meaning_of(word) is not None or word in NAMED_PACKS:
        return (word,)
    ways: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            before = ways[start]
            if before is not None and word[start:end] in _LONG_WORDS:
                ways[end] = (*before, word[start:end])
                break
    if ways[-1] is not None:
        return ways[-1]
    ending = max((clear for clear in CLEAR_WORDS if word.endswith(clear)), key=len, default="")  # "brickalbedo"
    front = word.removesuffix(ending)
    return (front, ending) if ending and len(front) > 1 and front not in _OTHERS_WITHIN else (word,)
