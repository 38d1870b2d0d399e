"""File names as they are met in the wild: each line of NAME_SETS is one material's folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegs_tex.formats.semantics import MapTraits, Reading, Statement, read_names, read_statement
from imagegs_tex.formats.stack import Semantic

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

# name=channels, one letter of CODES per channel of the file. "=g" before the letters: a grey picture in RGB.
NAME_SETS = {
    "Poly Haven": "castle_brick_02_red_diff_1k=CCC castle_brick_02_red_nor_gl_1k=NNN castle_brick_02_red_arm_1k=ORM "
    "castle_brick_02_red_rough_1k=gRRR castle_brick_02_red_disp_1k=H castle_brick_02_red_ao_1k=gOOO",
    "Poly Haven 4k png": "rock_wall_08_diff_4k=CCC rock_wall_08_nor_dx_4k=NNN rock_wall_08_spec_4k=SSS",
    "Poly Haven numbered colour": "fabric_pattern_07_col_1_1k=CCC fabric_pattern_07_nor_gl_1k=NNN "
    "fabric_pattern_07_arm_1k=ORM",
    "Poly Haven metal": "rusty_metal_02_metal_2k=M rusty_metal_02_diff_2k=CCC rusty_metal_02_rough_2k=R",
    "Poly Haven translucent": "leaf_diff_1k=CCC leaf_alpha_1k=A leaf_translucent_1k=--- leaf_nor_gl_1k=NNN",
    "ambientCG": "Rock053_1K-JPG_Color=CCC Rock053_1K-JPG_NormalGL=NNN Rock053_1K-JPG_NormalDX=NNN "
    "Rock053_1K-JPG_Roughness=gRRR Rock053_1K-JPG_Displacement=gHHH Rock053_1K-JPG_AmbientOcclusion=gOOO",
    "ambientCG metal": "Metal053C_2K-PNG_Color=CCC Metal053C_2K-PNG_Metalness=M Metal053C_2K-PNG_Roughness=R",
    "ambientCG leaf": "LeafSet012_1K_Color=CCC LeafSet012_1K_Opacity=A LeafSet012_1K_Scattering=BBB",
    "ambientCG light": "Lights002_1K-JPG_Emission=EEE Lights002_1K-JPG_Color=CCC",
    "3dtextures": "Brick_Wall_017_basecolor=CCC Brick_Wall_017_normal=NNN Brick_Wall_017_roughness=gRRR "
    "Brick_Wall_017_ambientOcclusion=gOOO Brick_Wall_017_height=H",
    "3dtextures old": "Stone_Path_008_COLOR=CCC Stone_Path_008_NORM=NNN Stone_Path_008_OCC=O Stone_Path_008_ROUGH=R "
    "Stone_Path_008_DISP=H",
    "Quixel": "tlkladqs_2K_Albedo=CCC tlkladqs_2K_Normal=NNN tlkladqs_2K_Gloss=G tlkladqs_2K_Specular=SSS "
    "tlkladqs_2K_Cavity=V tlkladqs_2K_AO=O tlkladqs_2K_Displacement=H tlkladqs_2K_Bump=H",
    "Quixel surface": "vdkgfjg_8K_Albedo=CCC vdkgfjg_8K_Roughness=R vdkgfjg_8K_Translucency=BBB vdkgfjg_8K_Fuzz=FFF",
    "Substance": "Crate_Wood_BaseColor=CCC Crate_Wood_Normal=NNN Crate_Wood_Roughness=R Crate_Wood_Metallic=M "
    "Crate_Wood_Height=H Crate_Wood_Emissive=EEE Crate_Wood_AmbientOcclusion=O",
    "Substance underscore": "Default_Base_color=CCC Default_Mixed_AO=O Default_Normal_DirectX=NNN "
    "Default_Normal_OpenGL=NNN Default_Metallic=M",
    "Substance UDIM": "hero_body_BaseColor_1001=CCC hero_body_Normal_1001=NNN hero_body_Roughness_1001=R",
    "Substance glTF": "Lamp_Mat_baseColor=CCC Lamp_Mat_occlusionRoughnessMetallic=ORM Lamp_Mat_normal=NNN",
    "Substance Unreal": "Gun_BaseColor=CCCA Gun_OcclusionRoughnessMetallic=ORM Gun_Normal=NNN",
    "Substance Unity": "Box_AlbedoTransparency=CCCA Box_MetallicSmoothness=M--G Box_Normal=NNN Box_Emission=EEE",
    "Substance specular": "Box_Diffuse=CCC Box_SpecularSmoothness=SSSG Box_Normal=NNN",
    "Unity": "Wall_MainTex=CCC Wall_BumpMap=NNN Wall_MetallicGlossMap=M--G Wall_OcclusionMap=O Wall_EmissionMap=EEE "
    "Wall_ParallaxMap=H",
    "Unity HDRP": "Wall_BaseMap=CCC Wall_MaskMap=MOKG Wall_NormalMap=NNN",
    "Unity grey metallic": "Wall_MetallicSmoothness=gMMMG Wall_Albedo=CCC",
    "Unreal": "T_Brick_D=CCC T_Brick_N=NNN T_Brick_ORM=ORM",
    "Unreal alpha": "T_Fern_BC=CCCA T_Fern_N=NNN T_Fern_R=R T_Fern_AO=O",
    "Unreal single letters": "T_Door_D=CCC T_Door_N=NNN T_Door_M=M T_Door_R=R T_Door_H=H T_Door_E=EEE T_Door_S=SSS",
    "Unreal RMA": "T_Pipe_RMA=RMO T_Pipe_BaseColor=CCC",
    "Unreal MRA": "T_Pipe_MRA=MRO T_Pipe_Albedo=CCC",
    "Unreal ORD": "T_Cliff_ORD=ORH T_Cliff_B=---",
    "Unreal ORMH": "T_Rock_ORMH=ORMH T_Rock_N=NNN",
    "glTF sample": "FlightHelmet_baseColor3=CCC FlightHelmet_normal3=NNN FlightHelmet_occlusionRoughnessMetallic3=ORM",
    "glTF metallicRoughness": "Avocado_baseColor=CCC Avocado_roughnessMetallic=-RM Avocado_normal=NNN",
    "glTF DamagedHelmet": "Default_albedo=CCC Default_metalRoughness=-RM Default_AO=gOOO Default_emissive=EEE "
    "Default_normal=NNN",
    "glTF Sponza": "brick_diff=CCC brick_metallicRoughness=-RM",
    "glTF spec-gloss": "body_diffuse=CCCA body_specularGlossiness=SSSG",
    "glTF extensions": "car_clearcoat=L car_transmission=T car_sheenColor=FFF car_anisotropy=YYY",
    "robot": "link0_color=CCC link0_normal=NNN link0_occlusion_roughness_metallic=ORM",
    "plain": "basecolor=CCC normal=NNN roughness=R metallic=M ao=O height=H emissive=EEE",
    "plain packed": "basecolor_height=CCCH normal_roughness=NNNR",
    "plain glTF": "basecolor=CCCA normal=NNN- metallic_roughness=-RM ao=O emissive=EEE",
    "Terrain3D": "ground037_alb_ht=CCCH ground037_nrm_rgh=NNNR",
    "short": "albedo=CCC nrm=NNN rgh=R met=M occ=O disp=H",
    "bare name is the colour": "texture_bricks=CCC texture_bricks_normal=NNN texture_bricks_metal=gMMM "
    "texture_bricks_ao=gOOO texture_bricks_depth=gHHH",
    "bare name, id Tech style": "tile01=CCC tile01_n=NNN tile01_s=SSS tile01_h=H",
    "bare name but there is a colour": "tile=--- tile_diffuse=CCC tile_n=NNN",
    "material called metal": "metal_plate_diff=CCC metal_plate_rough=gRRR metal_plate_foo=---",
    "material called rough metal": "rough_metal_rough=R rough_metal_diff=CCC rough_metal_nor=NNN rough_metal_x7=---",
    "material called metal, short": "metal_rough=gRRR metal_color=CCC metal_ao=gOOO",
    "material called normal": "normal_house_albedo=CCC normal_house_rough=R normal_house_xyz=---",
    "material called glass": "Glass_Window_Opacity=A Glass_Window_Color=CCC Glass_Window_Transmission=T",
    "dots and spaces": "old.wall.albedo=CCC old.wall.normal=NNN old.wall.ao=O",
    "versions": "wall_albedo_v2=CCC wall_normal_v02=NNN wall_roughness_final=R",
    "resolution in the middle": "wall_2k_albedo=CCC wall_2k_normal=NNN wall_2048_rough=R",
    "meaning in the middle": "wall_albedo_worn=CCC wall_normal_worn=NNN wall_roughness_worn=R",
    "upper case": "WALL_ALBEDO=CCC WALL_NRM=NNN WALL_AO=O WALL_ROUGHNESS=R",
    "British": "wall_baseColour=CCC wall_colour=CCC",
    "other scripts": "石畳_normal=NNN 石畳_albedo=CCC 石畳_rough=R 石畳_その他=---",
    "two normals": "normal_gl=NNN normal_dx=NNN",
    "bump": "wall_bump=H wall_color=CCC",
    "bump that is a normal": "wall_bump=NNN wall_color=CCC",
    "colour and alpha": "leaf_color=CCCA leaf_opacity=A leaf_mask=K",
    "grey with alpha": "leaf_ao=OA leaf_height=HA",
    "picture": "image=III",
    "picture with alpha": "image=IIIA",
    "two channels": "normal=NN roughness_ao=RO",
    "packing without the channels": "a_orm=- b_occlusionRoughnessMetallic=-",
    "packing with more channels": "a_orm=ORM- a_normal=NNN",
    "unknown": "foo=--- bar=- baz=---- quux=-----",
    "nothing but numbers": "0001=CCC 0001_normal=NNN",
}


def parse(line):
    files, expected = [], []
    for entry in line.split():
        stem, _, channels = entry.rpartition("=")
        grey = channels.startswith("g")
        channels = channels.removeprefix("g")
        files.append(MapTraits(stem, len(channels), grey or len(channels) < 3))
        expected.append(tuple(CODES[letter] for letter in channels))
    return files, expected


@pytest.mark.parametrize("line", NAME_SETS.values(), ids=NAME_SETS.keys())
def test_names(line):
    files, expected = parse(line)
    read = {file.stem: reading.channel_semantics for file, reading in zip(files, read_names(files), strict=True)}
    assert read == {file.stem: channels for file, channels in zip(files, expected, strict=True)}


def test_there_are_plenty_of_name_sets():
    assert len(NAME_SETS) >= 40


def note_of(stem, channel_count=3, is_grey=False):
    return read_names([MapTraits(stem, channel_count, is_grey)])[0].note


def test_notes_say_how_a_name_was_understood():
    assert note_of("x_BaseColor") == "base colour"
    assert note_of("x_NormalDX") == "normal (DirectX, green down)"
    assert note_of("x_nor_gl_2k") == "normal (OpenGL, green up)"
    assert note_of("x_normal") == "normal"
    assert note_of("x_depth", is_grey=True) == "height (from a depth map: bright may mean deep)"
    assert note_of("x_orm") == "packed: occlusion, roughness, metallic"
    assert note_of("x_metallicRoughness") == "packed: unused, roughness, metallic"
    assert note_of("alb_ht", 4) == "packed: base colour x3, height"
    assert note_of("qwerty") == "plain data (name not understood)"
    assert note_of("data") == "plain data"
    assert "too few channels" in note_of("x_orm", 1, is_grey=True)


ANY_NAME = Reading(Semantic.DATA, (Semantic.DATA,) * 4, "")


def test_a_whole_map_that_is_stated():
    reading = read_statement(Statement(Semantic.IMAGE), MapTraits("a_normal", 4, False), ANY_NAME)
    assert reading.semantic == Semantic.IMAGE
    assert reading.channel_semantics == (*[Semantic.IMAGE] * 3, Semantic.OPACITY)
    assert reading.note == "image"


GLTF = {
    # name, channels of the file (as in NAME_SETS), what the glTF states by channel of RGBA, unused, expected
    ("boombox_occlusionRoughnessMetallic", "ORM", "ORM", ""): "ORM",
    ("boombox_occlusionRoughnessMetallic", "ORM", " RM", ""): "ORM",
    ("x", "---", " RM", ""): "-RM",
    ("x", "---", "ORM", ""): "ORM",
    ("x", "gRRR", " RM", "2"): "RRR",  # a grey file: roughness, and metallic is switched off
    ("x", "g-", " RM", "2"): "R",
    ("x", "g-", " RM", "1"): "M",
    ("x", "g---", " RM", ""): "-RM",  # both are used: one value for two meanings
    ("x", "g---", "O", ""): "OOO",
    ("x", "g--", "CCCA", ""): "CA",  # grey and alpha
    ("x", "gCCCA", "CCCA", ""): "CCCA",
    ("x", "---", "CCCA", ""): "CCC",
    ("a_basecolor", "CCCA", "CCC", ""): "CCC-",  # OPAQUE: alpha hides nothing
    ("a_basecolor_height", "CCCH", "CCC", ""): "CCCH",
    ("a_normal_roughness", "NNNR", "NNN", ""): "NNNR",
    ("a_normal", "NNN-", "NNN", ""): "NNN-",
    ("a_thickness", "RRR", "", ""): "---",
    ("a_height", "gHHH", "", ""): "HHH",
    ("a_roughness", "RRR", " RM", "2"): "RRR",  # nearly grey: blue is no metallic, and roughness like the others
    ("a_coat", "LLL", "LR", ""): "LR-",  # a name that is not the whole truth says nothing
}


@pytest.mark.parametrize("case", GLTF, ids=str)
def test_channels_that_a_gltf_states(case):
    name, channels, stated, unused = case
    (file,), _ = parse(f"{name}={channels}")
    meanings = {index: CODES[letter] for index, letter in enumerate(stated) if letter != " "}
    statement = Statement(meanings, fits_any_image=True, unused=frozenset(int(digit) for digit in unused))
    reading = read_statement(statement, file, read_names([file])[0])
    assert reading.channel_semantics == tuple(CODES[letter] for letter in GLTF[case])


@given(st.lists(st.tuples(st.text(max_size=30), st.integers(1, 32), st.booleans()), min_size=1, max_size=6))
def test_any_names_give_one_reading_each(files):
    traits = [MapTraits(*file) for file in files]
    readings = read_names(traits)
    assert [len(reading.channel_semantics) for reading in readings] == [file.channel_count for file in traits]
    assert all("\n" not in reading.note for reading in readings)


WORDS = [
    "orm",
    "metal",
    "rough",
    "normal",
    "albedo",
    "ao",
    "map",
    "1k",
    "gl",
    "d",
    "height",
    "bump",
    "mask",
    "x",
    "data",
]


@given(st.lists(st.tuples(st.lists(st.sampled_from(WORDS), max_size=5), st.integers(1, 5), st.booleans()), max_size=5))
def test_any_mixture_of_known_words_gives_one_reading_each(files):
    traits = [MapTraits("_".join(words), channel_count, grey) for words, channel_count, grey in files]
    for file, reading in zip(traits, read_names(traits), strict=True):
        assert len(reading.channel_semantics) == file.channel_count
        assert reading.note
