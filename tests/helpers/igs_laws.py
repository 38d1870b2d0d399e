"""The laws of an .igs file by name: the errors of runtime/c/igs.h, and the words of the Python reader for each."""

import re

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.container import decode_igs

WORDS = {
    "NOT_IGS": "not an .igs file",
    "VERSION": r"version \d+, and this program",
    "HEADER_SHORT": "ends within its header",
    "HEADER_CRC": "the header's checksum",
    "KERNEL": "the unknown kernel",
    "SECTION_COUNT": r"\d+ sections instead of",
    "WRAP": "wrap flags",
    "RESERVED": "reserved bytes of the header",
    "SIZE": "texels is outside",
    "CHANNELS": "channels is outside",
    "REPEAT_WEIGHTS": "the weights of section repeat are not what",
    "REPEAT_LARGE": "the pictures of section repeat are too large",
    "REPEAT_COMPONENTS": r"blocks of section repeat have \d+ components",
    "BLOCKS_COMPONENTS": r"section (residual|repeat) has \d+ components",
    "BLOCKS_CODES": "section (residual|repeat) is not what its codes take",
    "DETAIL_COMPONENTS": "noise components is outside",
    "COMPONENTS": "components is outside",
    "GAUSSIANS": "Gaussians is outside",
    "CUTOFF": "the cut-off is out",
    "POSITION_RATIO": "the position ratio is out",
    "SIZE_STEP": "the size step is out",
    "FORM_STEP": "the form step is out",
    "BASIS_SCALE": "the basis scale is out",
    "FEATURE_EXPONENT": "the feature exponent is out",
    "CELL_LOG2": "cell log2",
    "CELL_COUNT": "cells are too many for",
    "TABLE": "of the section table is not section",
    "CODEC": "has the unknown codec",
    "EXPANSION": "claims to grow beyond reason",
    "SECTIONS_LARGE": "too large together",
    "FILE_LENGTH": "where its header says",
    "SECTION_CRC": "the checksum of section",
    "ZSTD_FRAME": "is not one Zstandard frame",
    "PLAIN_LENGTH": "plain bytes instead of",
    "MAP_COUNT": "maps is outside",
    "MAPS_SHORT": "section maps ends within a map",
    "MAPS_LONG": "section maps goes on",
    "MAP_NAME_LENGTH": "a map's name of",
    "MAP_NAME_UTF8": "section maps: 'utf-8' codec",
    "MAP_SUFFIX_LENGTH": "a map's suffix of",
    "MAP_SUFFIX_ASCII": "section maps: 'ascii' codec",
    "MAP_SEMANTIC": "not a valid Semantic",
    "MAP_TRANSFER": "not a valid Transfer",
    "MAP_SAMPLE_FORMAT": "not a valid SampleFormat",
    "MAP_CHANNELS": r"a map of \d+ channels",
    "ROUTE_KIND": "a route of the unknown kind",
    "ROUTE_INDEX": "a map uses coded channel",
    "MAP_RANGE": "a range other than 0 to 1",
    "LOG_RANGE": "log range",
    "CONSTANT": "is not finite",
    "UNIT_Z": "without an x and a y before it",
    "COMPONENTS_LENGTH": r"section components has \d+ bytes",
    "FEATURE_STEP": "a feature step is out of range",
    "PLANE_WIDTH": "bytes per code",
    "CELLS_SHORT": "section cells is shorter",
    "TOO_MANY_CODES": "has too many codes for its codec",
    "CODED_LENGTH": "is not what its codes take",
    "CODE_RANGE": "a code of section",
    "CELLS_LENGTH": "section cells has",
    "CELLS_SUM": "count every Gaussian once",
    "SHAPES_LENGTH": "section shapes has",
    "GAUSSIAN_SIZE": "size is out of range",
    "GAUSSIAN_THIN": "thinner than allowed",
    "GAUSSIAN_REACH": "reaches farther than",
    "POSITION_TIE": "on a rounding tie",
    "POSITIONS_LENGTH": "section positions does not have the length",
    "MEAN_OUTSIDE": "outside the picture",
    "POSITIONS_FILL": "filled up with zeros",
    "FEATURES_LENGTH": "section features has",
    "DETAIL_SHORT": "section detail ends",
    "DETAIL_GRID": "an envelope of",
    "DETAIL_RELIEF": r"relief \d+ of section detail",
    "DETAIL_LENGTH": "section detail has",
    "DETAIL_CODE": "an envelope code",
    "EXACT_DETAIL": "exact samples has no detail",
    "EXACT_SHORT": "section exact samples ends",
    "EXACT_WIDTH": r"exact samples is not 1\.\.3",
    "EXACT_FILTER": "filter of section exact samples",
    "EXACT_LENGTH": "section exact samples has",
    "EXACT_BETWEEN": "from one of another width",
    "RESIDUAL_EXACT": "exact samples has no residual",
    "RESIDUAL_SHORT": "section residual ends within its head",
    "BLOCKS_SIDE": r"blocks of 2\^\d+ texels in section",
    "RESIDUAL_RESERVED": "a reserved field that is not 0",
    "BLOCKS_OFFSET": "an offset of section",
    "BLOCKS_STEP": "the step of section",
    "BLOCKS_EMPTY": "section (residual|repeat) is empty",
    "BLOCKS_COUNT": "more coefficients than its blocks may hold",
    "BLOCKS_MANY": "too many blocks for so few",
    "BLOCKS_LENGTH": "section (residual|repeat) is shorter than its coefficients",
    "REPEAT_EXACT": "exact samples has no repeat",
    "REPEAT_SHORT": "section repeat ends within its head",
    "REPEAT_PERIOD": "texels in section repeat is outside",
    "REPEAT_ORIGIN": "is not within a period",
    "REPEAT_PICTURES": "more pictures than one",
    "REPEAT_WEIGHT_COUNT": "section repeat has too many weights",
    "REPEAT_NO_PICTURE": "weights of no picture",
    "REPEAT_WEIGHT_RANGE": "a weight of section repeat",
}
"""A regular expression for each law; one that holds another's words comes before it."""


def law_of(message):
    """The name of the law that a message of IgsError speaks of; the message itself where it speaks of none."""
    return next((name for name, words in WORDS.items() if re.search(words, message)), message)


def verdict(data):
    """OK, or the name of the law that the Python reader finds broken."""
    try:
        decode_igs(data)
    except IgsError as error:
        return law_of(str(error))
    return "OK"
