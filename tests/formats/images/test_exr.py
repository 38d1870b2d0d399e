import numpy as np
import OpenEXR
import pytest

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import read_picture
from imagegs_tex.formats.images.exr import channel_order

RNG = np.random.default_rng(8)
HEADER = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}


def planes(names, height=4, width=5, dtype=np.float16):
    return {name: np.full((height, width), index + 1, dtype) for index, name in enumerate(names)}


def read(tmp_path, channels, **header):
    OpenEXR.File({**HEADER, **header}, channels).write(str(tmp_path / "x.exr"))
    return read_picture(tmp_path / "x.exr")


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ("XYZ", "XYZ"),
        ("ZYX", "XYZ"),
        ("xyz", "xyz"),
        ("rgb", "rgb"),
        ("abgr", "rgba"),
        ("BGR", "RGB"),
        ("YA", "YA"),
        ("AXYZ", "XYZA"),
        ("XY", "XY"),
        ("UV", "UV"),
        ("KYMC", "CMYK"),
        ("ABL", "LAB"),
        ("YUV", "YUV"),
        (["AB", "AG", "AR", "B", "G", "R"], ["R", "G", "B", "AR", "AG", "AB"]),
        (["n.X", "n.Z", "n.Y", "R", "B", "G"], ["R", "G", "B", "n.X", "n.Y", "n.Z"]),
        (["B ", "G ", "R "], ["R ", "G ", "B "]),
        (["ViewLayer.Normal.Z", "ViewLayer.Normal.Y", "ViewLayer.Normal.X"],
         ["ViewLayer.Normal.X", "ViewLayer.Normal.Y", "ViewLayer.Normal.Z"]),
        (["z", "b", "g", "r"], ["r", "g", "b", "z"]),
        (["Blue", "Green", "Red", "Alpha"], ["Red", "Green", "Blue", "Alpha"]),
        (["diffuse.b", "diffuse.g", "diffuse.r", "spec.B", "spec.G", "spec.R"],
         ["diffuse.r", "diffuse.g", "diffuse.b", "spec.R", "spec.G", "spec.B"]),
    ],
)  # fmt: skip
def test_channels_come_in_the_order_that_their_names_mean(tmp_path, names, order):
    assert channel_order(names) == list(order)
    found = read(tmp_path, planes(names))
    assert found.texels[0, 0].tolist() == [list(names).index(name) + 1 for name in order]


# Windows


def windowed(tmp_path, data_window, display_window):
    (left, top), (right, bottom) = data_window
    texels = RNG.random((bottom - top + 1, right - left + 1, 3)).astype(np.float32)
    channels = {name: np.ascontiguousarray(texels[..., index]) for index, name in enumerate("RGB")}
    windows = {
        "dataWindow": tuple(np.array(corner, np.int32) for corner in data_window),
        "displayWindow": tuple(np.array(corner, np.int32) for corner in display_window),
    }
    return texels, read(tmp_path, channels, **windows)


@pytest.mark.parametrize(
    ("data_window", "display_window", "placed", "taken"),
    [
        (((2, 1), (5, 3)), ((0, 0), (9, 7)), np.s_[1:4, 2:6], np.s_[:, :]),
        (((-3, -2), (12, 9)), ((0, 0), (9, 7)), np.s_[:, :], np.s_[2:10, 3:13]),
        (((6, 5), (14, 12)), ((0, 0), (9, 7)), np.s_[5:8, 6:10], np.s_[0:3, 0:4]),
        (((100, 50), (107, 55)), ((100, 48), (107, 55)), np.s_[2:8, :], np.s_[:, :]),
        (((7, 7), (12, 12)), ((7, 7), (12, 12)), np.s_[:, :], np.s_[:, :]),
    ],
)
def test_the_picture_is_the_display_window(tmp_path, data_window, display_window, placed, taken):
    texels, found = windowed(tmp_path, data_window, display_window)
    (left, top), (right, bottom) = display_window
    wanted = np.zeros((bottom - top + 1, right - left + 1, 3), np.float32)
    wanted[placed] = texels[taken]
    assert np.array_equal(found.texels, wanted)
    missing = wanted[..., 0].size - texels[taken][..., 0].size
    assert any("no data window covers" in note for note in found.notes) == (missing > 0)
    assert any("outside the display window" in note for note in found.notes) == (texels[taken].size < texels.size)


def test_windows_that_do_not_meet_are_refused(tmp_path):
    with pytest.raises(InputError, match="no texels within its display window"):
        windowed(tmp_path, ((20, 20), (23, 23)), ((0, 0), (9, 7)))


# Integers and parts


def test_integer_channels_are_left_out_and_named(tmp_path):
    channels = {**planes("RGB"), "id": np.ones((4, 5), np.uint32), "object": np.ones((4, 5), np.uint32)}
    found = read(tmp_path, channels)
    assert found.texels[0, 0].tolist() == [1, 2, 3]
    assert found.notes == ("left out: integer channels id, object",)
    found = read(tmp_path, {**planes("Z", dtype=np.float32), "A.id": np.ones((4, 5), np.uint32)})
    assert found.texels.shape == (4, 5, 1)
    assert found.notes == ("left out: integer channel A.id",)


def parts_file(tmp_path, parts):
    OpenEXR.File([OpenEXR.Part({"name": name}, channels) for name, channels in parts]).write(str(tmp_path / "x.exr"))
    return read_picture(tmp_path / "x.exr")


def test_other_parts_are_named(tmp_path):
    found = parts_file(tmp_path, [("beauty", planes("RGB")), ("depth", planes("Z"))])
    assert found.texels[0, 0].tolist() == [1, 2, 3]
    assert found.notes == ("part beauty of 2 is read; left out: depth",)
    many = [(f"part{number}", planes("Y")) for number in range(12)]
    found = parts_file(tmp_path, many)
    assert found.notes == (
        "part part0 of 12 is read; left out: " + ", ".join(f"part{n}" for n in range(1, 9)) + ", ...",
    )


def test_a_part_of_identifiers_does_not_hide_the_picture(tmp_path):
    identifiers = planes(["id"], dtype=np.uint32)
    found = parts_file(tmp_path, [("object id", identifiers), ("matte", identifiers), ("beauty", planes("ABGR"))])
    assert found.texels[0, 0].tolist() == [4, 3, 2, 1]
    assert found.notes == ("part beauty of 3 is read; left out: object id, matte",)
    with pytest.raises(InputError, match="only integer channels"):
        parts_file(tmp_path, [("object id", identifiers), ("matte", identifiers)])


def test_windows_and_integers_at_once(tmp_path):
    texels = RNG.random((2, 3)).astype(np.float16)
    corners = {"dataWindow": ((1, 1), (3, 2)), "displayWindow": ((0, 0), (4, 4))}
    windows = {name: tuple(np.array(corner, np.int32) for corner in pair) for name, pair in corners.items()}
    found = read(tmp_path, {"Y": texels, "id": np.ones((2, 3), np.uint32)}, **windows)
    wanted = np.zeros((5, 5, 1), np.float16)
    wanted[1:3, 1:4, 0] = texels
    assert np.array_equal(found.texels, wanted)
    assert found.notes == ("left out: integer channel id", "19 texels that no data window covers are 0")


def test_a_display_window_far_from_0_and_other_tags_place_texels_as_they_are(tmp_path):
    texels = RNG.random((2, 3)).astype(np.float32)
    window = tuple(np.array(corner, np.int32) for corner in ((-7, 50), (-5, 51)))
    more = {"pixelAspectRatio": 2.0, "screenWindowWidth": 3.0, "lineOrder": OpenEXR.DECREASING_Y}
    found = read(tmp_path, {"Y": texels}, dataWindow=window, displayWindow=window, **more)
    assert np.array_equal(found.texels[..., 0], texels)
    assert found.notes == ()


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ"])
def test_lossless_compressions_are_exact(tmp_path, compression):
    plane = RNG.normal(size=(40, 33)).astype(np.float32)
    half = RNG.normal(size=(40, 33)).astype(np.float16)
    header = {"compression": getattr(OpenEXR, f"{compression}_COMPRESSION")}
    assert np.array_equal(read(tmp_path, {"Y": plane}, **header).texels[..., 0], plane)
    found = read(tmp_path, {"R": half, "G": half + np.float16(1), "B": half}, **header)
    assert found.texels.dtype == np.float16
    assert np.array_equal(found.texels[..., 1], half + np.float16(1))


def test_colour_tags_change_nothing(tmp_path):
    plane = RNG.normal(size=(4, 5)).astype(np.float32)
    tags = {"chromaticities": (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329), "whiteLuminance": 3.0}
    assert np.array_equal(read(tmp_path, {"Y": plane}, **tags).texels[..., 0], plane)


@pytest.mark.parametrize(
    "names", [("Y", "RY", "BY"), ("y", "ry", "by"), ("A", "BY", "RY", "Y"), ("main.Y", "main.RY", "main.BY", "R")]
)
def test_luminance_and_chroma_are_refused_by_name(tmp_path, names):
    with pytest.raises(InputError, match=r"luminance and chroma \(Y, RY, BY\) instead of colours; save it as R, G, B"):
        read(tmp_path, planes(names))


@pytest.mark.parametrize("names", [("Y", "RY"), ("a.Y", "b.RY", "b.BY"), ("Y", "R", "B")])
def test_what_is_called_nearly_so_is_read(tmp_path, names):
    assert read(tmp_path, planes(names)).texels.shape[2] == len(names)
