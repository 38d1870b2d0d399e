"""DDS and KTX 2."""

import zlib

import imagecodecs
import numpy as np
import pytest
import zstandard
from helpers.image_bytes import bc1_block, dds, ktx2, ktx2_entry
from helpers.texture_readers import read_dds

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gpu_textures import texture as gpu
from imagegs_tex.formats.gpu_textures.dds import encode_dds
from imagegs_tex.formats.gpu_textures.ktx2 import encode_ktx2
from imagegs_tex.formats.images import read_picture

RNG = np.random.default_rng(10)
RGBA = RNG.integers(0, 256, (6, 10, 4), dtype=np.uint8)


def read(tmp_path, data, name="x.dds"):
    (tmp_path / name).write_bytes(data)
    return read_picture(tmp_path / name)


BLOCKS = {
    71: (131, 8, 1, 4), 74: (135, 16, 2, 4), 77: (137, 16, 3, 4), 80: (139, 8, 4, 1), 83: (141, 16, 5, 2),
    95: (143, 16, 6, 3), 96: (144, 16, -6, 3), 98: (145, 16, 7, 4), 99: (146, 16, 7, 4),
}  # fmt: skip


@pytest.mark.parametrize("dxgi", BLOCKS)
def test_blocks_are_decoded_and_cut_to_the_size(tmp_path, dxgi):
    vulkan, size, number, channels = BLOCKS[dxgi]
    level = RNG.bytes(2 * 3 * size)
    shape = (8, 12, channels) if channels > 1 else (8, 12)
    wanted = imagecodecs.bcn_decode(level, number, shape=shape).reshape(8, 12, channels)[:6, :10]
    if number == 1 and (wanted[..., 3] == 255).all():
        wanted = wanted[..., :3]
    found = read(tmp_path, dds(level, 10, 6, flags=4, code=b"DX10", dx10=(dxgi, 3, 0, 1, 0)))
    assert np.array_equal(found.texels, wanted, equal_nan=True)
    found = read(tmp_path, ktx2(level, vulkan, 10, 6), "x.ktx2")
    assert np.array_equal(found.texels, wanted, equal_nan=True)
    assert found.is_lossy


def test_what_export_writes_reads_as_others_read_it(tmp_path):
    for pixel_format in (gpu.BC1_SRGB, gpu.BC4, gpu.BC5, gpu.BC7, gpu.BC7_SRGB, gpu.R16):
        levels = tuple(RNG.bytes(pixel_format.level_bytes(max(1, 20 >> n), max(1, 12 >> n))) for n in range(5))
        texture = gpu.Texture(20, 12, pixel_format, gpu.AlphaMode.NONE, levels)
        found = read(tmp_path, encode_dds(texture))
        others = read_dds(tmp_path / "x.dds")[0][0]
        count = min(found.texels.shape[2], others.shape[2])
        assert np.abs(found.texels[..., :count] / found.sample_format.max_value - others[..., :count]).max() < 0.005
        packed = read(tmp_path, encode_ktx2(texture, "test"), "x.ktx2")
        assert np.array_equal(packed.texels, found.texels)


def test_bc1_with_and_without_transparent_texels(tmp_path):
    red, blue = 0xF800, 0x001F
    opaque = bc1_block(red, blue, [0, 1, 0, 1] * 4)
    found = read(tmp_path, dds(opaque, 4, 4, flags=4, code=b"DXT1"))
    assert found.texels.shape == (4, 4, 3)
    assert found.texels[0, :2].tolist() == [[255, 0, 0], [0, 0, 255]]
    clear = bc1_block(blue, red, [0, 1, 3, 1] * 4)
    found = read(tmp_path, dds(clear, 4, 4, flags=4, code=b"DXT1"))
    assert found.texels[0, :3].tolist() == [[0, 0, 255, 255], [255, 0, 0, 255], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("dxgi", "vulkan", "dtype", "channels"),
    [(61, 9, "u1", 1), (49, 16, "u1", 2), (28, 37, "u1", 4), (29, 43, "u1", 4), (56, 70, "u2", 1), (35, 77, "u2", 2),
     (11, 91, "u2", 4), (54, 76, "f2", 1), (34, 83, "f2", 2), (10, 97, "f2", 4), (41, 100, "f4", 1), (16, 103, "f4", 2),
     (6, 106, "f4", 3), (2, 109, "f4", 4)],
)  # fmt: skip
def test_plain_texels_are_exact(tmp_path, dxgi, vulkan, dtype, channels):
    shape = (6, 10, channels)
    texels = RNG.normal(size=shape) if dtype[0] == "f" else RNG.integers(0, 1 << 8 * int(dtype[1]), shape)
    texels = texels.astype(f"<{dtype}")
    found = read(tmp_path, dds(texels.tobytes(), 10, 6, flags=4, code=b"DX10", dx10=(dxgi, 3, 0, 1, 0)))
    assert found.texels.dtype == texels.dtype
    assert np.array_equal(found.texels, texels)
    assert np.array_equal(read(tmp_path, ktx2(texels.tobytes(), vulkan, 10, 6), "x.ktx2").texels, texels)


def test_blue_first(tmp_path):
    stored = RGBA[..., [2, 1, 0, 3]].tobytes()
    for dxgi, wanted in ((87, RGBA), (91, RGBA), (88, RGBA[..., :3])):
        found = read(tmp_path, dds(stored, 10, 6, flags=4, code=b"DX10", dx10=(dxgi, 3, 0, 1, 0)))
        assert np.array_equal(found.texels, wanted)
    assert np.array_equal(read(tmp_path, ktx2(stored, 50, 10, 6), "x.ktx2").texels, RGBA)


MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def test_legacy_masks(tmp_path):
    stored = RGBA[..., [2, 1, 0, 3]].tobytes()
    assert np.array_equal(read(tmp_path, dds(stored, 10, 6, flags=0x41, bits=32, masks=MASKS)).texels, RGBA)
    swapped = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    assert np.array_equal(read(tmp_path, dds(RGBA.tobytes(), 10, 6, flags=0x41, bits=32, masks=swapped)).texels, RGBA)
    packed = RGBA[..., [2, 1, 0]].tobytes()
    found = read(tmp_path, dds(packed, 10, 6, flags=0x40, bits=24, masks=(*MASKS[:3], 0)))
    assert np.array_equal(found.texels, RGBA[..., :3])
    words = RNG.integers(0, 65536, (6, 10), dtype=np.uint16)
    found = read(
        tmp_path, dds(words.astype("<u2").tobytes(), 10, 6, flags=0x40, bits=16, masks=(0xF800, 0x7E0, 0x1F, 0))
    )
    parts = np.stack([(words >> 11) / 31, (words >> 5 & 63) / 63, (words & 31) / 31], axis=-1)
    assert np.array_equal(found.texels, np.rint(parts * 255))
    found = read(tmp_path, dds(RGBA[..., :2].tobytes(), 10, 6, flags=0x20001, bits=16, masks=(0xFF, 0, 0, 0xFF00)))
    assert np.array_equal(found.texels, RGBA[..., :2])
    found = read(tmp_path, dds(RGBA[..., 0].tobytes(), 10, 6, flags=0x2, bits=8, masks=(0, 0, 0, 0xFF)))
    assert np.array_equal(found.texels[..., 0], RGBA[..., 0])


def test_a_fourth_byte_without_a_mask(tmp_path):
    plain = RGBA.copy()
    plain[..., 3] = 0
    found = read(tmp_path, dds(plain[..., [2, 1, 0, 3]].tobytes(), 10, 6, flags=0x40, bits=32, masks=(*MASKS[:3], 0)))
    assert np.array_equal(found.texels, RGBA[..., :3])


def premultiplied():
    alpha = np.maximum(RGBA[..., 3:], 120)
    return np.concatenate([np.rint(RGBA[..., :3] * (alpha / 255.0)), alpha], axis=-1).astype(np.uint8)


def test_premultiplied_alpha_is_divided_out(tmp_path):
    stored = premultiplied()
    for found in (
        read(tmp_path, dds(stored.tobytes(), 10, 6, flags=4, code=b"DX10", dx10=(28, 3, 0, 1, 2))),
        read(tmp_path, ktx2(stored.tobytes(), 37, 10, 6, flags=1), "x.ktx2"),
    ):
        assert np.abs(found.texels[..., :3].astype(int) - RGBA[..., :3]).max() <= 2
        assert np.array_equal(found.texels[..., 3], stored[..., 3])
        assert "divided" in found.notes[0]
    straight = read(tmp_path, dds(stored.tobytes(), 10, 6, flags=4, code=b"DX10", dx10=(28, 3, 0, 1, 1)))
    assert np.array_equal(straight.texels, stored)


def test_ktx2_compressed_once_more(tmp_path):
    level = RGBA.tobytes()
    for number, packed in ((2, zstandard.compress(level)), (3, zlib.compress(level))):
        found = read(tmp_path, ktx2(packed, 37, 10, 6, compression=number, raw=level), "x.ktx2")
        assert np.array_equal(found.texels, RGBA)
    bomb = zstandard.compress(bytes(300 << 20))
    assert not read(tmp_path, ktx2(bomb, 37, 10, 6, compression=2, raw=level), "x.ktx2").texels.any()


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [("rd", np.s_[:]), ("ru", np.s_[::-1]), ("ld", np.s_[:, ::-1]), ("lu", np.s_[::-1, ::-1])],
)
def test_ktx2_rows_that_go_upwards(tmp_path, orientation, turned):
    entries = ktx2_entry("KTXorientation", orientation) + ktx2_entry("KTXwriter", "a test")
    found = read(tmp_path, ktx2(RGBA.tobytes(), 37, 10, 6, entries=entries), "x.ktx2")
    assert np.array_equal(found.texels, RGBA[turned])
    assert len(found.notes) == (orientation[0] == "l") + (orientation[1] == "u")


def test_ktx2_swizzles(tmp_path):
    def swizzled(texels, vulkan, letters):
        entries = ktx2_entry("KTXswizzle", letters)
        return read(
            tmp_path, ktx2(np.ascontiguousarray(texels).tobytes(), vulkan, 10, 6, entries=entries), "x.ktx2"
        ).texels

    assert np.array_equal(swizzled(RGBA[..., :1], 9, "rrr1"), RGBA[..., [0, 0, 0]])
    assert np.array_equal(swizzled(RGBA[..., :2], 16, "rrrg"), RGBA[..., [0, 0, 0, 1]])
    assert np.array_equal(swizzled(RGBA, 37, "bgra"), RGBA[..., [2, 1, 0, 3]])
    zero_one = swizzled(RGBA, 37, "0a1r")
    assert np.array_equal(zero_one[..., [1, 3]], RGBA[..., [3, 0]])
    assert (zero_one[..., 0] == 0).all()
    assert (zero_one[..., 2] == 255).all()
    assert np.array_equal(swizzled(RGBA, 37, "rgba"), RGBA)


def test_cubes_and_slices_give_their_first(tmp_path):
    found = read(
        tmp_path,
        dds(RGBA.tobytes() * 6, 10, 6, flags=0x41, bits=32, masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000), caps2=0xFE00),
    )
    assert np.array_equal(found.texels, RGBA)
    assert found.notes == ("a cube: its first face is read",)
    found = read(tmp_path, dds(RGBA.tobytes() * 3, 10, 6, flags=4, code=b"DX10", dx10=(28, 3, 0, 3, 0)))
    assert found.notes == ("the first of 3 slices is read",)
    found = read(tmp_path, ktx2(RGBA.tobytes() * 12, 37, 10, 6, layers=2, faces=6), "x.ktx2")
    assert np.array_equal(found.texels, RGBA)
    assert found.notes == ("a cube: its first face is read", "the first of 2 layers is read")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (ktx2(bytes(400), 0, 10, 6, compression=1), "x.ktx2", "Basis Universal"),
        (ktx2(bytes(400), 0, 10, 6), "x.ktx2", "Basis Universal"),
        (ktx2(bytes(400), 157, 10, 6), "x.ktx2", "ASTC"),
        (ktx2(bytes(400), 147, 10, 6), "x.ktx2", "ETC or EAC"),
        (ktx2(bytes(400), 142, 10, 6), "x.ktx2", "VkFormat 142"),
        (ktx2(bytes(400), 37, 10, 6, depth=4), "x.ktx2", "volume"),
        (ktx2(bytes(400), 37, 99999, 6), "x.ktx2", "99999 x 6 texels"),
        (ktx2(bytes(100), 37, 10, 6), "x.ktx2", "ends early"),
        (dds(bytes(400), 10, 6, flags=4, code=b"BC5S"), "x.dds", "DDS of BC5S"),
        (dds(bytes(400), 10, 6, flags=4, code=b"DX10", dx10=(84, 3, 0, 1, 0)), "x.dds", "DXGI format 84"),
        (dds(bytes(400), 10, 6, flags=4, code=b"DX10", dx10=(28, 4, 0, 1, 0)), "x.dds", "no 2D texture"),
        (dds(bytes(400), 10, 6, flags=4, code=b"DXT1", caps2=0x200000), "x.dds", "volume"),
        (dds(bytes(400), 70000, 6, flags=4, code=b"DXT1"), "x.dds", "70000 x 6 texels"),
        (dds(bytes(10), 10, 6, flags=4, code=b"DXT5"), "x.dds", "ends early"),
        (dds(bytes(400), 10, 6, flags=0x40, bits=32, masks=(0xF0F, 1, 2, 0)), "x.dds", "channel mask 0xf0f"),
        (dds(bytes(400), 10, 6, flags=0x80000, bits=32), "x.dds", "unknown kind"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_by_name(tmp_path, data, name, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, data, name)
    assert "\n" not in str(caught.value)
