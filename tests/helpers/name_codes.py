"""File names with a letter for what each channel of the file means."""

from imagegs_tex.formats.material.name_reading import MapTraits, read_names
from imagegs_tex.formats.vocabulary import Semantic

CODES = {
    "C": Semantic.BASE_COLOUR,
    "N": Semantic.NORMAL,
    "R": Semantic.ROUGHNESS,
    "G": Semantic.GLOSS,
    "M": Semantic.METALLIC,
    "O": Semantic.OCCLUSION,
    "H": Semantic.HEIGHT,
    "A": Semantic.OPACITY,
    "E": Semantic.EMISSIVE,
    "S": Semantic.SPECULAR,
    "I": Semantic.IMAGE,
    "K": Semantic.MASK,
    "B": Semantic.SUBSURFACE,
    "T": Semantic.TRANSMISSION,
    "L": Semantic.CLEARCOAT,
    "Y": Semantic.ANISOTROPY,
    "V": Semantic.CAVITY,
    "F": Semantic.SHEEN,
    "-": Semantic.DATA,
}


def parse(line):
    """Read a line of stem=letters into maps and what their channels are to be understood as.

    A letter of CODES for each channel; ~ in a stem is a space; g before the letters is a grey picture.
    """
    files, expected = [], []
    for entry in line.split():
        stem, _, channels = entry.replace("~", " ").rpartition("=")
        grey = channels.startswith("g")
        channels = channels.removeprefix("g")
        files.append(MapTraits(stem, len(channels), grey or len(channels) < 3))
        expected.append(tuple(CODES[letter] for letter in channels))
    return files, expected


def check_names(line):
    """Fail where a line's names, read together, are understood otherwise than its letters say."""
    files, expected = parse(line)
    read = {file.stem: reading.channel_semantics for file, reading in zip(files, read_names(files), strict=True)}
    assert read == {file.stem: channels for file, channels in zip(files, expected, strict=True)}
