"""Every law of an .igs file broken on its own, and the words in which the reader refuses it."""

import struct
from dataclasses import replace

import numpy as np
import zstandard

from helpers.igs_sets import compress, make_set


def header(**fields):
    return lambda file: file.header.update(fields)


def entry(index, **fields):
    return lambda file: file.entries[index].update(fields)


def raw(index, change):
    def apply(file):
        file.raws[index] = change(file.raws[index])

    return apply


def frame(index, change):
    def apply(file):
        file.frames[index] = change(file.raws[index])

    return apply


def patch(at, data):
    return lambda old: old[:at] + data + old[at + len(data) :]


def tail(file):
    file.tail = b"\0"


def unknown_size(data):
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


def with_dictionary(data):
    trained = zstandard.train_dictionary(512, [bytes([i % 7, i % 5, i % 3] * 40) for i in range(300)])
    assert trained.dict_id()
    return zstandard.ZstdCompressor(dict_data=trained).compress(data)


def feature_step(value):
    return raw(1, patch(2 * 5, struct.pack("<f", value)))


PLANES_AT = 2 * 5 + 4 * 3 + 2 * 3 * 5  # in section components of the set below: C = 5, K = 3
NAME = b"base colour"
MAP_FIELDS_AT = 2 + 2 + len(NAME) + 1 + 4  # semantic of the first map, which is one of uint8 with a coded channel 0
CHANNELS_AT = MAP_FIELDS_AT + 4 + 8
NAN, INFINITY = float("nan"), float("inf")

BROKEN = {
    "magic": (header(magic=b"\x89PNG\r\n\x1a\n"), "not an .igs file"),
    "version 0": (header(version=0), "version 0"),
    "version 5": (header(version=5), "version 5"),
    "wrap flags": (header(wrap=4), "wrap flags 4 in a file of version 4"),
    "wrap flags of version 1": (header(version=1, wrap=1), "wrap flags 1 in a file of version 1"),
    "kernel": (header(kernel=2), "unknown kernel 2"),
    "section count": (header(section_count=10), "10 sections"),
    "reserved": (header(reserved=1), "reserved bytes"),
    "feature exponent": (header(feature_exponent=33), "feature exponent"),
    "feature exponent of version 2": (header(version=2, feature_exponent=8), "reserved bytes"),
    "width 0": (header(width=0), "texels is outside"),
    "width 16385": (header(width=16385), "texels is outside"),
    "height 0": (header(height=0), "texels is outside"),
    "height 2^32-1": (header(height=2**32 - 1), "texels is outside"),
    "channels 0": (header(channels=0), "0 channels"),
    "channels 33": (header(channels=33), "33 channels"),
    "components 0": (header(components=0), "0 components"),
    "components above channels": (header(components=6), "6 components"),
    "no Gaussians": (header(count=0), "0 Gaussians"),
    "too many Gaussians": (header(count=(1 << 22) + 1), "4194305 Gaussians"),
    **{
        f"{name} {value}": (header(**{name: value}), words)
        for name, words, values in (
            ("cutoff", "cut-off", (0.99, 32.1, NAN, INFINITY, -6.0)),
            ("position_ratio", "position ratio", (2.0**-11, 16.1, NAN, INFINITY, -0.25)),
            ("size_step", "size step", (2.0**-11, 4.1, NAN, INFINITY, -0.1)),
            ("form_step", "form step", (2.0**-11, 4.1, NAN, INFINITY, 0.0)),
            ("basis_scale", "basis scale", (2.0**-21, 2.0**21, NAN, INFINITY, -1.0)),
        )
        for value in values
    },
    "cell log2 1": (header(cell_log2=1), "cell log2 1"),
    "cell log2 9": (header(cell_log2=9), "cell log2 9"),
    "cells without number": (header(width=16384, height=16384), "too many for 50 Gaussians"),
    "table out of order": (entry(2, number=4), "not section cells"),
    "table not zero": (entry(1, zero=1), "not section components"),
    "codec": (entry(3, codec=0), "unknown codec 0"),
    "a length without reason": (entry(4, raw=1 << 26), "beyond reason"),
    "stored length too large": (entry(5, stored=10_000), "where its header says"),
    "stored length too small": (entry(5, stored=1), "where its header says"),
    "section checksum": (entry(2, crc=1), "checksum of section cells"),
    "a byte after the last section": (tail, "where its header says"),
    "content size is not the raw length": (entry(4, raw=149), "section shapes is not one Zstandard frame"),
    "content size unknown": (frame(4, unknown_size), "section shapes is not one Zstandard frame"),
    "no frame": (frame(4, lambda _: b"no zstd at all"), "section shapes is not one Zstandard frame"),
    "an empty section": (frame(4, lambda _: b""), "section shapes is not one Zstandard frame"),
    "two frames": (frame(4, lambda data: compress(data) + compress(b"")), "section shapes is not one Zstandard frame"),
    "bytes after the frame": (frame(4, lambda data: compress(data) + b"\0"), "section shapes is not one Zstandard"),
    "a cut frame": (frame(4, lambda data: compress(data)[:-3]), "section shapes is not one Zstandard frame"),
    "a dictionary": (frame(4, with_dictionary), "section shapes is not one Zstandard frame"),
    # maps
    "no maps": (raw(0, lambda _: bytes(2)), "0 maps"),
    "257 maps": (raw(0, patch(0, b"\1\1")), "257 maps"),
    "maps end early": (raw(0, lambda data: data[:-1]), "ends within a map"),
    "maps go on": (raw(0, lambda data: data + b"\0"), "goes on after its last map"),
    "maps empty": (raw(0, lambda _: b""), "ends within a map"),
    "a name of 0 bytes": (raw(0, patch(2, b"\0\0")), "name of 0 bytes"),
    "a name of 1025 bytes": (raw(0, patch(2, b"\1\4")), "name of 1025 bytes"),
    "a name that is not UTF-8": (raw(0, patch(4, b"\xff")), "section maps: .*utf-8"),
    "a suffix of 17 bytes": (raw(0, patch(4 + len(NAME), b"\x11")), "suffix of 17 bytes"),
    "a suffix that is not ASCII": (raw(0, patch(5 + len(NAME), b"\xe9")), "section maps: .*ascii"),
    "semantic": (raw(0, patch(MAP_FIELDS_AT, b"\x13")), "19 is not a valid Semantic"),
    "transfer": (raw(0, patch(MAP_FIELDS_AT + 1, b"\x03")), "3 is not a valid Transfer"),
    "sample format": (raw(0, patch(MAP_FIELDS_AT + 2, b"\x04")), "4 is not a valid SampleFormat"),
    "a map of 0 channels": (raw(0, patch(MAP_FIELDS_AT + 3, b"\x00")), "a map of 0 channels"),
    "a map of 33 channels": (raw(0, patch(MAP_FIELDS_AT + 3, b"\x21")), "a map of 33 channels"),
    "lo NaN": (raw(0, patch(MAP_FIELDS_AT + 4, struct.pack("<f", NAN))), "range"),
    "lo = hi": (raw(0, patch(MAP_FIELDS_AT + 1, struct.pack("<BBBff", 2, 2, 2, 1.0, 1.0))), "log range"),
    "hi infinite": (raw(0, patch(MAP_FIELDS_AT + 1, struct.pack("<BBBff", 2, 2, 2, 1.0, INFINITY))), "log range"),
    "a range without log": (raw(0, patch(MAP_FIELDS_AT + 8, struct.pack("<f", 2.0))), "range other than 0 to 1"),
    "channel semantic": (raw(0, patch(CHANNELS_AT, b"\xff")), "255 is not a valid Semantic"),
    "route kind": (raw(0, patch(CHANNELS_AT + 1, b"\x03")), "unknown kind 3"),
    "a z without x and y": (raw(0, patch(CHANNELS_AT + 1, b"\x02")), "without an x and a y before it"),
    "route to channel C": (raw(0, patch(CHANNELS_AT + 2, b"\x05")), "coded channel 5 of only 5"),
    "constant NaN": (raw(0, patch(CHANNELS_AT + 5, struct.pack("<f", NAN))), "not finite"),
    "constant infinite": (raw(0, patch(CHANNELS_AT + 5, struct.pack("<f", INFINITY))), "not finite"),
    # components
    "components short": (raw(1, lambda data: data[:-1]), "section components has"),
    "components long": (raw(1, lambda data: data + b"\0"), "section components has"),
    "feature step 0": (feature_step(0.0), "feature step"),
    "feature step too large": (feature_step(16.1), "feature step"),
    "feature step NaN": (feature_step(NAN), "feature step"),
    "3 bytes per code": (raw(1, patch(PLANES_AT + 2, b"\3")), "3 bytes per code"),
    "0 bytes per code": (raw(1, patch(PLANES_AT + 2, b"\0")), "0 bytes per code"),
    "codes beyond 16 bits": (raw(1, patch(PLANES_AT + 9, struct.pack("<h", 32700))), "a code of section features"),
    # cells
    "a cell too few": (raw(2, lambda data: data[:-1]), "count every Gaussian once"),
    "a cell too many": (raw(2, lambda data: data + b"\0"), "count every Gaussian once"),
    "no cells": (raw(2, lambda _: b""), "count every Gaussian once"),
    "cells add up to more": (raw(2, lambda data: data[:-1] + bytes([data[-1] + 1])), "count every Gaussian once"),
    "cells add up to 0": (raw(2, lambda data: bytes(len(data))), "count every Gaussian once"),
    "an unfinished count": (raw(2, lambda data: data[:-1] + b"\x80"), "count every Gaussian once"),
    "a count of five bytes": (raw(2, lambda data: b"\x80\x80\x80\x80\x01" + data[1:]), "count every Gaussian once"),
    "a count in more bytes than it needs": (raw(2, lambda data: data[:-1] + bytes([data[-1] | 128, 0])), "count every"),
    # positions
    "positions short": (raw(3, lambda data: data[:-1]), "section positions does not have the length"),
    "positions long": (raw(3, lambda data: data + b"\0"), "section positions does not have the length"),
    "positions empty": (raw(3, lambda _: b""), "section positions does not have the length"),
    "positions filled with ones": (raw(3, lambda data: data[:-1] + bytes([data[-1] | 128])), "filled up with zeros"),
    "a mean beyond the edge": (raw(3, lambda data: b"\xff" * (len(data) - 1) + data[-1:]), "outside the picture"),
    # shapes
    "shapes short": (raw(4, lambda data: data[:-1]), "section shapes has"),
    "shapes long": (raw(4, lambda data: data + b"\0"), "section shapes has"),
    "a size out of range": (raw(1, patch(PLANES_AT, struct.pack("<h", 32000))), "size is out of range"),
    "a size below the range": (raw(1, patch(PLANES_AT, struct.pack("<h", -32000))), "size is out of range"),
    "too thin": (raw(1, patch(PLANES_AT + 3, struct.pack("<h", 300))), "thinner than allowed"),
    # features
    "features short": (raw(5, lambda data: data[:-1]), "section features has"),
    "features long": (raw(5, lambda data: data + b"\0"), "section features has"),
    "fewer Gaussians than codes": (header(count=49), "count every Gaussian once"),
    "a channel more": (header(channels=6), "section components has"),
    "a component less": (header(components=2), "section components has"),
}


def breakable():
    quantized = make_set(5, count=50)
    positions = np.minimum(quantized.position_codes, 1_000)
    return replace(quantized, position_codes=positions)
