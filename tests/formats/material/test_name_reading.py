"""File names as they are met in the wild: each line of NAME_SETS is one material's folder."""

import pytest
from helpers.name_codes import CODES, check_names, parse
from hypothesis import given
from hypothesis import strategies as st

from imagegs_tex.formats.material.name_reading import MapReading, MapTraits, StatedSemantics, read_names, read_statement
from imagegs_tex.formats.vocabulary import Semantic

# Per material: file stem, "=", one letter of CODES per channel of the file; "~" for a space in a stem. "=g" before the
# letters: a grey picture in RGB.
NAME_SETS = {
    "Poly Haven": "castle_brick_02_red_diff_1k=CCC castle_brick_02_red_nor_gl_1k=NNN castle_brick_02_red_arm_1k=ORM "
    "castle_brick_02_red_rough_1k=gRRR castle_brick_02_red_disp_1k=H castle_brick_02_red_ao_1k=gOOO",
    "Poly Haven 4k png": "rock_wall_08_diff_4k=CCC rock_wall_08_nor_dx_4k=NNN rock_wall_08_spec_4k=SSS",
    "Poly Haven numbered colour": "fabric_pattern_07_col_1_1k=CCC fabric_pattern_07_nor_gl_1k=NNN "
    "fabric_pattern_07_arm_1k=ORM",
    "Poly Haven metal": "rusty_metal_02_metal_2k=M rusty_metal_02_diff_2k=CCC rusty_metal_02_rough_2k=R",
    "Poly Haven translucent": "leaf_diff_1k=CCC leaf_alpha_1k=A leaf_translucent_1k=BBB leaf_nor_gl_1k=NNN",
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
    "Unreal ORD": "T_Cliff_ORD=ORH T_Cliff_B=CCC",
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
    "cgbookcase": "Bricks08_2K_BaseColor=CCC Bricks08_2K_Height=H Bricks08_2K_Normal=NNN "
    "Bricks08_2K_Roughness=R Bricks08_2K_AO=O",
    "FreePBR": "worn-shiny-metal-albedo=CCC worn-shiny-metal-Normal-ogl=NNN worn-shiny-metal-Metallic=M "
    "worn-shiny-metal-Roughness=R worn-shiny-metal-ao=O worn-shiny-metal-Height=H",
    "TextureCan": "brick_0001_color_1k=CCC brick_0001_normal_opengl_1k=NNN brick_0001_normal_directx_1k=NNN "
    "brick_0001_roughness_1k=R brick_0001_ao_1k=O brick_0001_height_1k=H",
    "Poliigon": "BricksFlemishRed001_COL_VAR1_4K=CCC BricksFlemishRed001_NRM_4K=NNN "
    "BricksFlemishRed001_GLOSS_4K=G BricksFlemishRed001_REFL_4K=SSS BricksFlemishRed001_DISP16_4K=H "
    "BricksFlemishRed001_AO_4K=O BricksFlemishRed001_BUMP_4K=H",
    "Poliigon new": "Poliigon_WoodVeneer_7760_BaseColor=CCC Poliigon_WoodVeneer_7760_ORM=ORM "
    "Poliigon_WoodVeneer_7760_Normal=NNN Poliigon_WoodVeneer_7760_AmbientOcclusion=O "
    "Poliigon_WoodVeneer_7760_Displacement=H",
    "Poliigon leaf": "Leaves001_ALPHAMASKED_1K=CCCA Leaves001_NRM_1K=NNN Leaves001_TRANSMISSION_1K=TTT "
    "Leaves001_SSS_1K=BBB Leaves001_METALNESS_1K_METALNESS=M",
    "Poliigon workflow": "Metal001_COL_3K_METALNESS=CCC Metal001_METALNESS_3K_METALNESS=M "
    "Metal001_NRM_3K_METALNESS=NNN Metal001_ROUGHNESS_3K_METALNESS=R",
    "Textures.com": "TexturesCom_Brick_Modern_1K_albedo=CCC TexturesCom_Brick_Modern_1K_normal=NNN "
    "TexturesCom_Brick_Modern_1K_height=H TexturesCom_Brick_Modern_1K_ao=O "
    "TexturesCom_Brick_Modern_1K_roughness=R",
    "GameTextures": "Brick_basecolor=CCC Brick_h=H Brick_ao=O Brick_m=M Brick_n=NNN Brick_r=R",
    "ShareTextures": "marble_12_diffuse=CCC marble_12_normal=NNN marble_12_roughness=R marble_12_height=H "
    "marble_12_ambientocclusion=O",
    "Sketchfab": "material_0_baseColor=CCC material_0_metallicRoughness=-RM material_0_normal=NNN "
    "material_0_emissive=EEE",
    "Sketchfab glTF": "Scene_-_Root_diffuse=CCC Scene_-_Root_specularGlossiness=SSSG Scene_-_Root_occlusion=O",
    "Sketchfab source": "body_specularf0=--- body_albedo=CCCA body_roughness=R body_normal=NNN",
    "CryEngine": "rock_diff=CCC rock_ddn=NNN rock_spec=SSS rock_displ=H",
    "CryEngine ddna": "rock_ddna=NNNG rock_diff=CCC",
    "Roblox": "Crate_ALB=CCC Crate_NOR=NNN Crate_RGH=R Crate_MTL=M",
    "Minecraft LabPBR": "stone=CCC stone_n=NNN- stone_s=SSSA",
    "Megascans Unreal": "T_Rock_Cliff_vdkgfjg_4K_D=CCC T_Rock_Cliff_vdkgfjg_4K_N=NNN T_Rock_Cliff_vdkgfjg_4K_ORDp=ORH",
    "Megascans LOD": "ud4jcjdfa_4K_Albedo=CCC ud4jcjdfa_4K_Normal_LOD0=NNN ud4jcjdfa_4K_Roughness=R "
    "ud4jcjdfa_4K_AO=O ud4jcjdfa_4K_NormalBump=NNN",
    "Megascans 3D": "Aset_wood_log_M_rfgxx_4K_Albedo=CCC Aset_wood_log_M_rfgxx_4K_Normal_LOD0=NNN "
    "Aset_wood_log_M_rfgxx_4K_Cavity=V",
    "Substance Painter UDIM": "body_BaseColor.1001=CCC body_Normal.1001=NNN body_Height.1001=H",
    "Substance ACES": "body_BaseColor_ACES~-~ACEScg.1001=CCC body_Normal_Utility~-~Raw.1001=NNN "
    "body_Roughness_Utility~-~Raw.1001=R",
    "Substance Arnold": "body_BaseColor_Utility~-~sRGB~-~Texture=CCC body_Metalness_Utility~-~Raw=M",
    "Substance levels": "body_Base_Color=CCC body_Specular_level=--- body_Ambient_occlusion=O "
    "body_Glossiness=G body_Scattering=BBB body_Emissive_intensity=-",
    "Substance V-Ray": "body_Diffuse=CCC body_Reflection=SSS body_Glossiness=G body_ior=- body_Normal=NNN",
    "Substance Corona": "x_Diffuse=CCC x_Reflection=SSS x_Glossiness=G x_Fresnel_ior=-",
    "Marmoset bake": "helm_normals=NNN helm_ao=O helm_curve=- helm_thickness=- helm_position=--- helm_matid=K "
    "helm_height=H",
    "Substance mesh maps": "helm_normal_base=NNN helm_world_space_normals=--- helm_curvature=V "
    "helm_position=--- helm_thickness=- helm_id=KKK helm_ambient_occlusion=O",
    "xNormal": "helm_normals=NNN helm_occlusion=O helm_cavity=V helm_height=H",
    "Blender bake": "Material_Bake1_PBR_Diffuse=CCC Material_Bake1_PBR_Normal=NNN "
    "Material_Bake1_PBR_Roughness=R Material_Bake1_PBR_Metalness=M",
    "Blender words": "Wall~Base~Color=CCC Wall~Metallic=M Wall~Roughness=R Wall~Normal=NNN",
    "Intel Sponza": "brickwall_01_BaseColor=CCC brickwall_01_Metalness=M brickwall_01_Roughness=R "
    "brickwall_01_Normal=NNN",
    "Unity terrain": "Grass_A_BaseColor=CCC Grass_A_MaskMap=MOKG Grass_A_Normal=NNN",
    "Unity terrain 2": "TL_Grass_Albedo=CCC TL_Grass_MAHS=MOHG TL_Grass_NRM=NNN",
    "Unity MOHS": "rock_MOHS=MOHG rock_Albedo=CCC",
    "Unity _MainTex": "Wood_AlbedoTransparency=CCCA Wood_SpecularSmoothness=SSSG Wood_DetailMask=KKK",
    "Unity HDRP words": "car_BaseColorMap=CCC car_NormalMap=NNN car_MaskMap=MOKG car_EmissiveColorMap=EEE "
    "car_ThicknessMap=- car_SubsurfaceMaskMap=K",
    "Unity metallic alpha": "Car_Metallic=gMMMA Car_Albedo=CCC",
    "Unreal packs": "T_Wall_MRAO=MRO T_Wall_C=CCC T_Wall_N=NNN",
    "Unreal packs 2": "T_Wall_AORM=ORM T_Wall_Alb=CCC T_Wall_Nrm=NNN",
    "Unreal packs 3": "T_Wall_OcclusionRoughnessMetallic=ORM T_Wall_BaseColor=CCC T_Wall_Normal=NNN "
    "T_Wall_Emissive=EEE",
    "Unreal suffix index": "T_Wall_01_BC=CCC T_Wall_01_N=NNN T_Wall_01_ORM=ORM",
    "Unreal RAOM": "T_Wall_RAOM=ROM T_Wall_D=CCC",
    "Unreal MRS": "T_Wall_MRS=MR- T_Wall_D=CCC",
    "Unreal emissive mask": "T_Neon_EM=EEE T_Neon_BC=CCC T_Neon_O=O T_Neon_Mask=KKK T_Neon_Opacity=A",
    "Unreal BaseColorA": "T_Fern_BCA=CCCA T_Fern_NRM=NNN",
    "Godot": "wall_albedo=CCC wall_orm=ORM wall_normal=NNN wall_emission=EEE wall_heightmap=H",
    "Godot depth": "wall_depth=H wall_albedo=CCC",
    "Source": "wall_color=CCC wall_normal=NNN wall_ao=O wall_selfillum=EEE",
    "Source 2": "wall_color_tga=CCC",
    "glTF WaterBottle": "WaterBottle_baseColor=CCC WaterBottle_occlusionRoughnessMetallic=ORM "
    "WaterBottle_normal=NNN WaterBottle_emissive=EEE",
    "glTF ToyCar": "ToyCar_basecolor=CCC ToyCar_clearcoat=L ToyCar_occlusion_roughness_metallic=ORM Fabric_normal=NNN",
    "glTF Chess": "bishop_black_base_color=CCC bishop_black_ORM=ORM bishop_black_normal=NNN",
    "glTF Lantern": "Lantern_baseColor=CCC Lantern_roughnessMetallic=-RM Lantern_emissive=EEE Lantern_normal=NNN",
    "ambientCG PNG": "Bricks090_1K-PNG_AmbientOcclusion=O Bricks090_1K-PNG_Color=CCC "
    "Bricks090_1K-PNG_Displacement=H Bricks090_1K-PNG_NormalDX=NNN Bricks090_1K-PNG_NormalGL=NNN "
    "Bricks090_1K-PNG_Roughness=R",
    "ambientCG preview": "Bricks090=--- Bricks090_1K-JPG_Color=CCC Bricks090_1K-JPG_NormalGL=NNN",
    "ambientCG atlas": "LeafSet024_2K-JPG_Color=CCC LeafSet024_2K-JPG_Opacity=A "
    "LeafSet024_2K-JPG_Scattering=BBB LeafSet024_2K-JPG_NormalGL=NNN",
    "Poly Haven full": "aerial_rocks_02_diff_4k=CCC aerial_rocks_02_disp_4k=H aerial_rocks_02_nor_dx_4k=NNN "
    "aerial_rocks_02_nor_gl_4k=NNN aerial_rocks_02_rough_4k=R aerial_rocks_02_ao_4k=O "
    "aerial_rocks_02_arm_4k=ORM aerial_rocks_02_spec_4k=S aerial_rocks_02_bump_4k=H",
    "Poly Haven model": "CoffeeCart_01_diff_4k=CCC CoffeeCart_01_metal_4k=M CoffeeCart_01_nor_gl_4k=NNN "
    "CoffeeCart_01_rough_4k=R CoffeeCart_01_opacity_4k=A CoffeeCart_01_emission_4k=EEE",
    "Poly Haven mask": "fern_02_mask_4k=K fern_02_alpha_4k=A fern_02_diff_4k=CCC "
    "fern_02_anisotropy_angle_4k=- fern_02_sheen_4k=F",
    "3dtextures glass": "Glass_Window_003_basecolor=CCC Glass_Window_003_opacity=A Glass_Window_003_normal=NNN",
    "3dtextures metallic": "Metal_Grill_002_metallic=M Metal_Grill_002_basecolor=CCC "
    "Metal_Grill_002_ambientOcclusion=O",
    "normal conventions": "wall_Normal-DX=NNN wall_NormalOGL=NNN wall_normal_gl_worn=NNN wall_albedo=CCC",
    "kebab": "stone-wall-base-color=CCC stone-wall-normal-map=NNN stone-wall-roughness-map=R",
    "German-like": "Mauer_Color=CCC Mauer_Normal=NNN",
    "numbers everywhere": "MI_Wall_01_Base_Color_01=CCC MI_Wall_01_Normal_01=NNN MI_Wall_01_Roughness_02=R",
    "at sizes": "wall_albedo_2048x2048=CCC wall_normal_2048x2048=NNN wall_rough_1024=R",
    "8 bit": "wall_height_16bit=H wall_normal_8bit=NNN wall_albedo_sRGB=CCC",
    "nothing but numbers": "0001=CCC 0001_normal=NNN",
    "short forms": "wall_nm=NNN wall_msk=KKK wall_spc=SSS wall_emi=EEE wall_dif=CCC wall_rgh=R wall_hm=H",
    "short forms 2": "wall_nmp=NNN wall_spm=SSS wall_ems=EEE wall_dm=CCC wall_rou=R wall_mt=M wall_amb=O wall_cav=V",
    "words with map": "wall_glossmap=G wall_diffusemap=CCC wall_specmap=SSS wall_roughnessmap=R wall_aomap=O "
    "wall_dispmap=H wall_opacitymap=A wall_opacitymask=A wall_glowmap=EEE wall_metalmap=M wall_masktexture=KKK",
    "words with tex": "WallAlbedoTex=CCC WallNormalTex=NNN WallRoughnessTexture=R",
    "one long word": "aoroughnessmetallic=ORM",
    "AORoughnessMetallic": "Wall_AORoughnessMetallic=ORM Wall_BaseColor=CCC",
    "packs in words": "a_OcclusionRoughnessMetalness=ORM a_RoughnessMetallicAO=RMO a_MetallicRoughnessOcclusion=MRO",
    "packs in words 2": "b_aoroughmetal=ORM b_roughnessmetallic=-RM b_metallicsmoothness=M--G",
    "packs in letters": "T_Rock_MAS=MOG T_Rock_OMS=OMG T_Rock_ERM=ERM T_Rock_D=CCC T_Rock_N=NNN",
    "packs with ao": "T_Rock_AOMR=OMR T_Rock_MRAOH=MROH T_Rock_AORMH=ORMH",
    "Megascans DpRA": "T_Moss_4K_DpRA=HRO T_Moss_4K_D=CCC T_Moss_4K_N=NNN",
    "parameters are no maps": "normal_strength=--- height_scale=- albedo_tint=--- roughness_bias=- ao_strength=-",
    "parameters behind a name": "Wall_NormalStrength=--- Wall_RoughnessIntensity=- Wall_DiffuseRamp=---",
    "parameters of Poly Haven": "x_anisotropy_strength_4k=- x_anisotropy_rotation_4k=- x_coll1_4k=CCC x_coll_2_4k=CCC",
    "masks of something": "T_Car_RoughnessMask=KKK T_Car_NormalMask=K T_Car_TintMask=K T_Car_BC=CCC",
    "albedo transparency": "Wall_AlbedoTransparency=CCC Wall_MetallicSmoothness=M--G Wall_Normal=NNN",
    "albedo transparency, grey": "Wall_AlbedoTransparency=gCCC",
    "albedo transparency, one channel": "Wall_AlbedoTransparency=C",
    "albedo transparency, with it": "Wall_AlbedoTransparency=CCCA Wall_BaseColorAlpha=CCCA Wall_DiffuseOpacity=CCCA",
    "base colour and opacity, without": "Wall_BaseColorOpacity=CCC Wall_Diffuse_Alpha=CCC Wall_color_alpha=gAAA",
    "specular smoothness, without": "Box_SpecularSmoothness=SSS Box_Diffuse=CCC",
    "Unity spec gloss": "Box_SpecGlossMap=SSSG Box_MainTex=CCC",
    "Unity spec gloss, without": "Box_SpecGloss=SSS Box_MainTex=CCC",
    "Unity HDRP object space": "car_NormalMapOS=--- car_NormalMap=NNN car_BentNormalMap=NNN car_BentNormalMapOS=---",
    "Unity HDRP coat": "car_CoatMaskMap=K car_IridescenceMaskMap=K car_AnisotropyMap=YYY car_TransmissionMap=T",
    "object space": "rock_object_space_normal=--- rock_normal_object=--- rock_normal_os=--- rock_ObjectNormal=---",
    "world space": "rock_world_space_normal=--- rock_normal_world=--- rock_normal_ws=--- rock_wsnormal=---",
    "tangent space": "rock_tangent_space_normal=NNN rock_normal_tangent=NNN rock_tangentnormal=NNN rock_normal_ts=NNN",
    "material called world": "world_albedo=CCC world_normal=NNN world_rough=R",
    "Marmoset": "helm_normals_object=--- helm_bent_normals=NNN helm_objectid=KKK helm_transparency=A helm_ao2=O",
    "Source words": "wall_basetexture=CCC wall_bumpmap=NNN wall_envmapmask=K wall_phongexponent=G wall_ssbump=---",
    "Source 2 suffixes": "wall_rough_tga=R wall_metal_png=M wall_trans_psd=A",
    "id Tech": "wall_d=CCC wall_local=NNN wall_s=SSS wall_h=H wall_luma=EEE",
    "Quake": "wall=CCC wall_norm=NNN wall_gloss=G wall_glow=EEE wall_luma=EEE",
    "CryEngine words": "rock_diff=CCC rock_ddna=NNNG rock_displ=H rock_em=EEE rock_opac=A",
    "Godot words": "wall_albedo=CCC wall_flowmap=YYY wall_ao=O wall_subsurface=BBB wall_clearcoat=L",
    "V-Ray": "wall_Diffuse=CCC wall_Reflect=SSS wall_ReflectGloss=G wall_bump=H wall_FresnelIOR=-",
    "Blender bake passes": "Mat_COMBINED=--- Mat_DIFFUSE=CCC Mat_GLOSSY=G Mat_EMIT=EEE Mat_AO=O Mat_NORMAL=NNN",
    "conventions in one word": "wall_normaldx=NNN wall_normalgl=NNN wall_nrmogl=NNN wall_nordx=NNN",
    "packs in any order": "T_Rock_ARMD=ORMH T_Rock_HRAO=HRO T_Rock_RAH=ROH T_Rock_DRAO=HRO T_Rock_MOR=MOR T_Rock_D=CCC",
    "packs with words that are none": "T_Big_Ram=--- T_Steel_Rod=--- T_Wood_Hard=---- T_Rock_D=CCC",
    "packs with letters between words": "T_Car_MT_R_AO=MRO T_Car_D=CCC",
    "channels said": "x_R-AO_G-Rough_B-Metal=ORM x_RGB-Color_A-Alpha=CCCA x_normal=NNN",
    "Quixel Bridge": "T_Grass_sbhm_2K_B-O=CCCA T_Grass_sbhm_2K_N-T=NNNB T_Grass_sbhm_2K_ORDp=ORH",
    "with one more in alpha": "T_Soil_NH=NNNH T_Soil_BCR=CCCR T_Soil_BCO=CCCA Leaf_NormalTranslucency=NNNB",
    "a colour and a grey of another": "x_color_spec=CCCS x_albedo_emissive=CCCE x_nor=NNN",
    "metal and roughness, short": "x_RoughMet=-RM y_MetRough=-RM z_MetSmooth=M--G",
    "codecs": "wall_albedo_bc7=CCC wall_normal_bc5=NNN wall_rough_dxt1=R wall_mask_dxt5=KKKA wall_ao_astc=O",
    "base colour 1 is no codec": "T_Wall_BC1=CCC T_Wall_N1=NNN",
    "depths": "wall_height_u16=H wall_disp_32f=H wall_nor_16f=NNN wall_col_8u=CCC",
    "colour spaces": "wall_height_nonColor=H wall_spec_ACES~-~ACEScg=SSS wall_rough_rec709=R wall_color_rec2020=CCC",
    "of exports": "wall_rough_export=R wall_ao_baked=O wall_nrm_lp=NNN wall_col_tile=CCC",
    "the meaning first": "Albedo_wall=CCC AO_wall=O ORM_wall=ORM Nrm_wall=NNN",
    "the meaning first, numbered": "Col_brick_01=CCC Nor_brick_01=NNN Rgh_brick_01=R",
    "one word without capitals": "wallalbedo=CCC wallnormal=NNN BRICKROUGHNESS=R abnormal=---",
    "misspelt": "x_rougness=R x_nromal=NNN x_displacment=H x_occulsion=O x_emmisive=EEE x_metalic=M",
    "colours of coats": "x_fuzz_color=FFF x_coat_color=LLL x_TransmittanceColorMap=TTT x_emit_color=EEE",
    "ZBrush": "head-TM=--- head-NM=NNN head-DM=H",
    "Bethesda model space": "rock_msn=--- rock_d=CCC rock_n=NNN",
    "UDIM of Mudbox": "hero_Metallic_u1_v1=M hero_BaseColor_u1_v1=CCC hero_Normal_u1_v1=NNN",
    "Poly Haven with translucency": "rock_wall_13_diff_4k=CCC rock_wall_13_nor_gl_4k=NNN rock_wall_13_arm_4k=ORM "
    "rock_wall_13_disp_4k=H rock_wall_13_spec_ior_4k=- "
    "rock_wall_13_translucent_4k=BBB",
    "ambientCG preview once more": "Bricks089_4K-PNG_Color=CCC Bricks089_4K-PNG_NormalGL=NNN "
    "Bricks089_4K-PNG_AmbientOcclusion=O Bricks089_4K-PNG_Displacement=H "
    "Bricks089_4K-PNG_Roughness=R Bricks089=---",
    "Textures.com once more": "TexturesCom_Wall_BrickRed_1_2x2_2K_albedo=CCC "
    "TexturesCom_Wall_BrickRed_1_2x2_2K_normal=NNN "
    "TexturesCom_Wall_BrickRed_1_2x2_2K_roughness=R "
    "TexturesCom_Wall_BrickRed_1_2x2_2K_ao=O "
    "TexturesCom_Wall_BrickRed_1_2x2_2K_height=H",
    "Megascans": "vdckdjbs_4K_Albedo=CCC vdckdjbs_4K_Normal_LOD0=NNN vdckdjbs_4K_Roughness=R "
    "vdckdjbs_4K_Displacement=H vdckdjbs_4K_AO=O vdckdjbs_4K_Translucency=BBB",
    "Fab Megascans UE": "T_tbzj3jq_2K_B=CCC T_tbzj3jq_2K_N=NNN T_tbzj3jq_2K_ORM=ORM T_tbzj3jq_2K_H=H",
    "Plants ORT": "T_Fern_D=CCCA T_Fern_N=NNN T_Fern_ORT=ORB",
    "Poliigon workflow once more": "MetalRusted_COL_2K_METALNESS=CCC MetalRusted_NRM_2K_METALNESS=NNN "
    "MetalRusted_ROUGHNESS_2K_METALNESS=R MetalRusted_METALNESS_2K_METALNESS=M "
    "MetalRusted_AO_2K_METALNESS=O",
    "Poliigon spec": "Bricks_COL_3K_SPECULAR=CCC Bricks_NRM_3K_SPECULAR=NNN "
    "Bricks_GLOSS_3K_SPECULAR=G Bricks_REFL_3K_SPECULAR=SSS",
    "3DTextures": "Brick_wall_006_COLOR=CCC Brick_wall_006_NRM=NNN Brick_wall_006_DISP=H "
    "Brick_wall_006_OCC=O Brick_wall_006_rough=R Material_2079=---",
    "FreePBR once more": "rusted-steel_albedo=CCC rusted-steel_normal-ogl=NNN rusted-steel_metallic=M "
    "rusted-steel_roughness=R rusted-steel_ao=O rusted-steel_preview=---",
    "ShareTextures once more": "wood_1_diffuse-2K=CCC wood_1_normal-2K=NNN wood_1_AO-2K=O wood_1_spec-2K=S "
    "wood_1_height-2K=H wood_1_roughness-2K=R",
    "TextureCan once more": "wood_0045_color_1k=CCC wood_0045_normal_opengl_1k=NNN "
    "wood_0045_roughness_1k=R wood_0045_ao_1k=O wood_0045_height_1k=H",
    "Source normalmap": "brick01=CCC brick01_normal=NNN brick01_envmask=K brick01_illum=EEE brick01_ssbump=---",
    "Source 2 once more": "wall_color=CCC wall_normal=NNN wall_rough=R wall_ao=O wall_selfillum=E "
    "wall_trans=A wall_metal=M wall_tintmask=K",
    "Doom 3, additive stage": "brick_d=CCC brick_local=NNN brick_s=SSS brick_h=H brick_add=EEE",
    "Quake engines": "wall1=CCC wall1_bump=H wall1_glow=EEE wall1_reflect=SSS",
    "Starfield": "wall_color=CCC wall_normal=NN wall_rough=R wall_metal=M wall_ao=O "
    "wall_height=H wall_opacity=A wall_transmissive=T",
    "xNormal's bakes": "m_normals=NNN m_occlusion=O m_height=H m_baseTexBaked=CCC m_cavity=V "
    "m_vcols=--- m_curvature=V m_wireframe=--- m_thickness=- m_proximity=-",
    "ArmorPaint": "wood_base=CCC wood_nor=NNN wood_occ=O wood_rough=R wood_metal=M wood_opac=A "
    "wood_height=H wood_emis=E wood_subs=B",
    "Sketchfab once more": "Body_baseColor=CCC Body_metallicRoughness=-RM Body_normal=NNN "
    "Body_occlusion=O Body_emissive=EEE Body_clearcoat=L "
    "Body_clearcoatRoughness=R",
    "RealityCapture": "model_u1_v1_diffuse=CCC model_u1_v1_normal=NNN",
    "Metashape": "statue=CCC statue_normals=NNN statue_occlusion=O",
    "X-Plane": "cockpit=CCC cockpit_NML=NNN cockpit_LIT=EEE",
    "BeamNG": "wall_b.color=CCC wall_nm.normal=NNN wall_r.data=R wall_m.data=M wall_ao.data=O",
    "Blender bake once more": "Cube_Bake_Diffuse=CCC Cube_Bake_Normal=NNN Cube_Bake_Roughness=R Cube_Bake_Combined=---",
    "Blender bakes 2": "Wall.basecolor.001=CCC Wall.normal.001=NNN Wall.roughness.001=R",
    "Unity once more": "Rock_Albedo=CCC Rock_SpecularSmoothness=SSSG Rock_Normal=NNN Rock_Occlusion=O",
    "Unity legacy": "Rock_MainTex=CCC Rock_BumpMap=NNN Rock_MetallicGlossMap=M--G "
    "Rock_OcclusionMap=O Rock_ParallaxMap=H",
    "VRay": "Wall_VRayMtl_diffuse=CCC Wall_VRayMtl_reflect=SSS Wall_VRayMtl_glossiness=G Wall_VRayMtl_bump=H",
    "Arnold aiStandard": "Wall_aiStandardSurface1_BaseColor_1001=CCC "
    "Wall_aiStandardSurface1_Roughness_1001=R "
    "Wall_aiStandardSurface1_Metalness_1001=M "
    "Wall_aiStandardSurface1_Normal_1001=NNN",
    "Substance, ACES, UDIM": "Wall_BaseColor_ACES-ACEScg_1001=CCC Wall_Normal_Utility-Raw_1001=NNN "
    "Wall_Roughness_Utility-Raw_1001=R",
    "Substance names": "DefaultMaterial_Base_Color=CCC DefaultMaterial_Normal_OpenGL=NNN "
    "DefaultMaterial_Mixed_AO=O DefaultMaterial_Roughness=R "
    "DefaultMaterial_Metallic=M",
    "Maya's materials, Unreal's packing": "pCube1_lambert1_BaseColor=CCC pCube1_lambert1_Normal=NNN "
    "pCube1_lambert1_OcclusionRoughnessMetallic=ORM",
    "Frostbite": "rock_cs=CCCG rock_nm=NNN",
    "Source 2, decompiled": "wall_color_psd_1a2b3c=CCC wall_normal_png_9f8e7d=NNN wall_rough_tga_11aa22bb=R",
    "Rough wood": "rough_wood_diff=CCC rough_wood_nor_gl=NNN rough_wood_rough=R",
    "Arma": "house_co=CCC house_nohq=NNN house_smdi=-SG",
    "Space Engineers": "hull_cm=CCCM hull_ng=NNNG hull_alphamask=A",
}


@pytest.mark.parametrize("line", NAME_SETS.values(), ids=NAME_SETS.keys())
def test_names(line):
    check_names(line)


def test_there_are_plenty_of_name_sets():
    assert len(NAME_SETS) >= 100


def note_of(stem, channel_count=3, is_grey=False):
    return read_names([MapTraits(stem, channel_count, is_grey)])[0].note


def test_notes_say_how_a_name_was_understood():
    assert note_of("x_BaseColor") == "base colour"
    assert note_of("x_NormalDX") == "normal (DirectX, green down)"
    assert note_of("x_nor_gl_2k") == "normal (OpenGL, green up)"
    assert note_of("x_normal") == "normal"
    assert note_of("x_nrmdx") == "normal (DirectX, green down)"
    assert {note_of(f"x_{name}") for name in ("Normal_Y+", "nrm-yplus", "NormalUnity", "nor_green_up", "n_godot")} == {
        "normal (OpenGL, green up)"
    }
    assert {note_of(f"x_{name}") for name in ("Normal_Y-", "NRM_D3D", "normal_ue4", "nor_y_down", "NormalUnreal")} == {
        "normal (DirectX, green down)"
    }
    assert {note_of(f"x_{name}") for name in ("Normal_flippedG", "NormalFlipY", "normal_inverted_green")} == {"normal"}
    assert note_of("x_normal_world").startswith("plain data (normal in object or world space")
    assert note_of("normal_strength") == "plain data (name not understood)"
    assert note_of("x_depth", is_grey=True) == "height (from a depth map: bright may mean deep)"
    assert note_of("x_orm") == "packed: occlusion, roughness, metallic"
    assert note_of("x_metallicRoughness") == "packed: unused, roughness, metallic"
    assert note_of("alb_ht", 4) == "packed: base colour x3, height"
    assert note_of("qwerty") == "plain data (name not understood)"
    assert note_of("data") == "plain data"
    assert "too few channels" in note_of("x_orm", 1, is_grey=True)


ANY_NAME = MapReading(Semantic.DATA, (Semantic.DATA,) * 4, "")


def test_conventions_of_normals_are_seen_anywhere_in_a_name():
    assert note_of("wall_normal_gl_worn") == "normal (OpenGL, green up)"
    assert note_of("wall_Normal-DX") == "normal (DirectX, green down)"
    assert note_of("wall_normal_directx_1k") == "normal (DirectX, green down)"


def test_a_whole_map_that_is_stated():
    reading = read_statement(StatedSemantics(Semantic.IMAGE), MapTraits("a_normal", 4, False), ANY_NAME)
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
    statement = StatedSemantics(meanings, fits_any_image=True, unused=frozenset(int(digit) for digit in unused))
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
