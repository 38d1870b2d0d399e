import numpy as np
import OpenEXR
import pytest
from helpers.noise_maps import noise, save
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.read_maps import GREY_TOLERANCE
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, Transfer

RNG = np.random.default_rng(5)


def by_name(stack):
    return {texture_map.name: texture_map for texture_map in stack.maps}


def assert_exact(folder, stack):
    """Every map comes back bit by bit from the channels that were kept."""
    for texture_map in stack.maps:
        source, sample_format = read_image(folder / f"{texture_map.name}{texture_map.file_suffix}")
        expanded = expand_map(stack.texels, texture_map)
        assert texture_map.sample_format == sample_format
        assert expanded.dtype == source.dtype
        assert np.array_equal(expanded, source), texture_map.name


def test_a_usual_material(tmp_path):
    save(
        tmp_path,
        basecolor=noise(1, 2, 3),
        normal=noise(4, 5, 6, None),
        roughness=noise(7, 7, 7),
        height=noise(8, dtype=np.uint16),
        ao=noise(None, None, None),
    )
    stack = load_stack(tmp_path)
    maps = by_name(stack)
    assert (stack.width, stack.height, stack.channel_count) == (10, 12, 8)
    assert list(maps) == ["ao", "basecolor", "height", "normal", "roughness"]
    assert maps["ao"].routes == (Constant(1.0),) * 3
    assert maps["basecolor"].routes == (Coded(0), Coded(1), Coded(2))
    assert maps["basecolor"].transfer == Transfer.SRGB
    assert maps["height"].sample_format == SampleFormat.UINT16
    assert maps["normal"].routes == (Coded(4), Coded(5), Coded(6), Constant(1.0))
    assert maps["roughness"].routes == (Coded(7),) * 3
    assert maps["roughness"].transfer == Transfer.LINEAR
    assert stack.texels.min() >= 0
    assert stack.texels.max() <= 1
    assert_exact(tmp_path, stack)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from([None, 1, 2, 3]), min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_any_mixture_of_channels_comes_back_exactly(tmp_path_factory, layouts, data):
    folder = tmp_path_factory.mktemp("material")
    coded = set()  # equal channels are coded once, of whatever maps they are
    for number, layout in enumerate(layouts):
        dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
        coded |= {(channel, dtype) for channel in layout if channel is not None}
        write_image(folder / f"map{number}.png", noise(*layout, dtype=dtype))
    stack = load_stack(folder)
    assert stack.channel_count == max(1, len(coded))
    assert_exact(folder, stack)


def test_nothing_but_constants(tmp_path):
    save(tmp_path, ao=np.full((3, 4, 3), 117, np.uint8), height=np.full((3, 4, 1), 28801, np.uint16))
    stack = load_stack(tmp_path)
    assert stack.texels.shape == (3, 4, 1)
    assert not stack.texels.any()
    assert not any(texture_map.coded_indices for texture_map in stack.maps)
    assert_exact(tmp_path, stack)


def test_one_texel(tmp_path):
    save(tmp_path, basecolor=np.array([[[1, 2, 3]]], np.uint8))
    stack = load_stack(tmp_path)
    assert (stack.width, stack.height) == (1, 1)
    assert_exact(tmp_path, stack)


def test_a_single_image(tmp_path):
    save(tmp_path, some_normal=noise(1, 2, 3))
    stack = load_stack(tmp_path / "some_normal.png")
    assert stack.maps[0].semantic == Semantic.IMAGE
    assert stack.maps[0].transfer == Transfer.SRGB
    assert stack.maps[0].name == "some_normal"


def save_webp(path, texels):
    write_image(path, texels)  # lossless, but a suffix that is usually lossy


@pytest.mark.parametrize(("spread", "coded"), [(GREY_TOLERANCE, 1), (GREY_TOLERANCE + 1, 2)])
def test_nearly_grey_scalars_from_lossy_files_share_a_channel(tmp_path, spread, coded):
    texels = noise(1, 1, 1) // 2
    texels[..., 2] += RNG.integers(0, spread + 1, texels.shape[:2], dtype=np.uint8)
    texels[0, 0] = [10, 10, 10 + spread]
    save_webp(tmp_path / "roughness.webp", texels)
    stack = load_stack(tmp_path)
    assert stack.channel_count == coded
    expanded = expand_map(stack.texels, stack.maps[0])
    assert np.abs(expanded.astype(int) - texels).max() <= (GREY_TOLERANCE if coded == 1 else 0)


def test_nearly_grey_with_one_constant_channel_and_alpha(tmp_path):
    texels = noise(1, 1, 1, 9)
    texels[..., :3] = 100
    texels[::2, :, 1] = 101
    texels[:, ::2, 2] = 102
    save_webp(tmp_path / "roughness.webp", texels)
    stack = load_stack(tmp_path)
    assert stack.maps[0].routes == (Coded(0), Coded(0), Coded(0), Coded(1))
    expanded = expand_map(stack.texels, stack.maps[0])
    assert np.array_equal(expanded[..., 3], texels[..., 3])
    assert np.abs(expanded.astype(int) - texels).max() <= GREY_TOLERANCE


@pytest.mark.parametrize(("name", "suffix"), [("roughness", ".png"), ("basecolor", ".webp"), ("orm", ".webp")])
def test_nearly_grey_stays_as_it_is_elsewhere(tmp_path, name, suffix):
    texels = noise(1, 1, 1) // 2
    texels[..., 2] += RNG.integers(0, 2, texels.shape[:2], dtype=np.uint8)
    texels[..., 1] += RNG.integers(0, 2, texels.shape[:2], dtype=np.uint8)
    write_image(tmp_path / f"{name}{suffix}", texels)
    stack = load_stack(tmp_path)
    assert stack.channel_count == 3
    assert_exact(tmp_path, stack)


def test_white_filler_of_a_packing_is_not_read_as_metal(tmp_path):
    save(tmp_path, wood_orm=noise(None, 1, None))
    texture_map = load_stack(tmp_path).maps[0]
    assert texture_map.channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.DATA)
    assert texture_map.semantic == Semantic.ROUGHNESS
    assert texture_map.routes == (Constant(1.0), Coded(0), Constant(1.0))
    assert "filler" in texture_map.notes


def test_a_constant_metallic_beside_real_occlusion_is_kept(tmp_path):
    save(tmp_path, steel_orm=noise(1, 2, None))
    texture_map = load_stack(tmp_path).maps[0]
    assert texture_map.channel_semantics == (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)


def test_hdr_colour_is_log_coded(tmp_path):
    texels = (RNG.random((12, 10, 3)) ** 8 * 1000).astype(np.float16)
    save(tmp_path, emissive=texels)
    stack = load_stack(tmp_path)
    texture_map = stack.maps[0]
    assert texture_map.transfer == Transfer.LOG
    assert texture_map.log_range == (float(texels.min()), float(texels.max()))
    assert stack.texels.min() == 0
    assert stack.texels.max() == 1
    assert_exact(tmp_path, stack)


def test_float_data_within_the_unit_range_stays_linear(tmp_path):
    save(
        tmp_path,
        height=RNG.random((12, 10, 1)).astype(np.float32),
        basecolor=RNG.random((12, 10, 3)).astype(np.float16),
    )
    stack = load_stack(tmp_path)
    assert by_name(stack)["height"].transfer == Transfer.LINEAR
    assert by_name(stack)["basecolor"].transfer == Transfer.LOG
    assert_exact(tmp_path, stack)


def test_signed_floats_and_float_constants(tmp_path):
    texels = np.concatenate([RNG.normal(size=(12, 10, 3)), np.full((12, 10, 1), -7.3)], axis=-1).astype(np.float16)
    save(tmp_path, displacement=texels)
    stack = load_stack(tmp_path)
    assert stack.channel_count == 3
    assert stack.maps[0].transfer == Transfer.LOG
    assert stack.maps[0].routes[3] == Constant(float(np.float16(-7.3)))
    assert_exact(tmp_path, stack)


def test_float_constants_only(tmp_path):
    save(tmp_path, emissive=np.full((3, 4, 3), 12.5, np.float32))
    stack = load_stack(tmp_path)
    assert stack.channel_count == 1
    assert_exact(tmp_path, stack)


def test_what_is_not_a_map_is_not_looked_at(tmp_path):
    save(tmp_path, basecolor=noise(1, 2, 3))
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "sub").mkdir()
    save(tmp_path / "sub", normal=noise(1))
    assert list(by_name(load_stack(tmp_path))) == ["basecolor"]


def test_a_preview_of_another_size_is_left_out_and_said_so(tmp_path):
    save(tmp_path, Rock1_Color=noise(1, 2, 3), Rock1_Normal=noise(4, 5, 6), Rock1=noise(7, 8, 9, size=(5, 5)))
    stack = load_stack(tmp_path)
    assert set(by_name(stack)) == {"Rock1_Color", "Rock1_Normal"}
    assert stack.maps[0].notes == "base colour"
    said = "a picture of the material, whose base colour is Rock1_Color.png; a manifest takes it in"
    assert stack.remarks == (f"Rock1.png is left out: {said}",)


def test_order_does_not_depend_on_case(tmp_path):
    save(tmp_path, b=noise(1), A=noise(2), C=noise(3))
    assert list(by_name(load_stack(tmp_path))) == ["A", "b", "C"]


def test_upper_case_suffixes(tmp_path):
    save(tmp_path, basecolor=noise(1, 2, 3))
    (tmp_path / "basecolor.png").rename(tmp_path / "basecolor.PNG")
    assert load_stack(tmp_path).maps[0].file_suffix == ".png"


def test_as_many_channels_as_allowed(tmp_path):
    for number in range(8):
        save(tmp_path, **{f"map{number}": noise(*range(4 * number, 4 * number + 4))})
    assert load_stack(tmp_path).channel_count == 32
    save(tmp_path, more=noise(99))
    with pytest.raises(InputError, match="33 channels to code in 9 maps; use at most 32"):
        load_stack(tmp_path)


def bad_input(folder, kind):
    save(folder, basecolor=noise(1, 2, 3))
    if kind == "missing":
        return folder / "gone", r"gone does not exist"
    if kind == "empty":
        (folder / "empty").mkdir()
        return folder / "empty", r"empty has no images; .*\.png"
    if kind == "asset":
        (folder / "asset").mkdir()
        (folder / "asset" / "rock.gltf").write_bytes(b"x")
        return folder / "asset", r"asset has no images but rock\.gltf; give that file itself"
    if kind == "sizes":
        save(folder, normal=noise(1, 2, 3, size=(7, 9)))
        return folder, r"normal\.png is 9 x 7 but basecolor\.png is 10 x 12"
    if kind == "unreadable":
        (folder / "normal.png").write_bytes(b"x")
        return folder, r"normal\.png is no PNG image"
    if kind == "stems":
        Image.fromarray(noise(1, 2, 3)).save(folder / "BaseColor.jpg")
        return folder, r"BaseColor\.jpg and basecolor\.png, which are the same map"
    if kind == "not an image":
        (folder / "x.txt").write_bytes(b"x")
        return folder / "x.txt", r"x\.txt is not an image"
    texels = np.ones((12, 10, 3), np.float32)
    texels[5, 3, 1] = np.nan if kind == "nan" else -np.inf
    texels[7, 1, 0] = np.inf
    save(folder, emissive=texels)
    return folder, rf"emissive\.exr has the value {'nan' if kind == 'nan' else '-inf'} at texel \(3, 5\), channel 1"


@pytest.mark.parametrize(
    "kind", ["missing", "empty", "asset", "sizes", "unreadable", "stems", "not an image", "nan", "infinite"]
)
def test_bad_input_is_one_clear_line(tmp_path, kind):
    path, message = bad_input(tmp_path, kind)
    with pytest.raises(InputError, match=message) as caught:
        load_stack(path)
    assert "\n" not in str(caught.value)


def test_an_exr_with_more_channels_than_allowed(tmp_path):
    channels = {f"c{number:02d}": np.zeros((4, 5), np.float16) for number in range(33)}
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, channels).write(
        str(tmp_path / "x.exr")
    )
    with pytest.raises(InputError, match="33 channels"):
        load_stack(tmp_path)


def test_texels_that_do_not_fit_into_memory(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    save(tmp_path, basecolor=noise(1, 2, 3))
    monkeypatch.setattr(np, "zeros", refuse)
    with pytest.raises(InputError, match="needs 0 MiB for its texels, more than there is"):
        load_stack(tmp_path)
