"""Names as public tools, engines and libraries give them to maps, scheme by scheme, and in other languages.

Gathered from their documentation and downloads; :mod:`.test_name_reading` has whole folders.
"""

import unicodedata

import pytest
from helpers.name_codes import check_names

from imagegs_tex.formats.material.name_reading import MapTraits, read_names
from imagegs_tex.formats.vocabulary import Semantic

# The words behind a material's name, each with the letters of helpers.name_codes for a file's channels.
SCHEMES = {
    "Substance Painter, PBR metallic roughness": "Base_color=CCC Roughness=R Metallic=M Normal_OpenGL=NNN "
    "Normal_DirectX=NNN Height=H Emissive=EEE Mixed_AO=O",
    "Substance Painter, Adobe Standard Material": "Base_Color=CCC Ambient_Occlusion=O Anisotropy_level=- "
    "Anisotropy_angle=- Coat_Color=LLL Coat_roughness=R Coat_normal=NNN Coat_specular_level=- Sheen_color=FFF "
    "Sheen_roughness=R Scattering_color=BBB Specular_level=- Specular_edge_color=SSS Translucency=B IOR=- Opacity=A",
    "Substance Painter, Arnold": "BaseColor=CCC Metalness=M Roughness=R Normal=NNN Height=H Emissive=EEE Opacity=A",
    "Substance Painter, Corona and V-Ray": "Diffuse=CCC Reflection=SSS Glossiness=G Fresnel_ior=- ior=- Normal=NNN",
    "Substance Painter, RenderMan": "DiffuseColor=CCC BaseColor=CCC SpecularFaceColor=SSS SpecularEdgeColor=SSS "
    "SpecularRoughness=R Normal=NNN Presence=A",
    "Substance Painter, Redshift": "Diffuse_color=CCC Metalness=M Refl_Roughness=R Bump_Normal=NNN Refl_Color=SSS",
    "Substance Painter, Dota 2": "color=CCC mask1=KKK mask2=KKK normal=NNN",
    "Substance Painter, mesh maps": "normal_base=NNN world_space_normals=--- id=KKK ambient_occlusion=O curvature=V "
    "position=--- thickness=- bent_normals=NNN height=H opacity=A",
    "Substance Painter, Unreal": "BaseColor=CCC OcclusionRoughnessMetallic=ORM Normal=NNN Emissive=EEE Height=H",
    "Substance Painter, Unity HDRP": "BaseMap=CCC MaskMap=MOKG Normal=NNN Emissive=EEE",
    "Substance Painter, Unity built in": "AlbedoTransparency=CCCA MetallicSmoothness=M--G Normal=NNN Emission=EEE",
    "Substance Painter, CryEngine": "diff=CCC ddna=NNNG spec=SSS displ=H",
    "Substance Painter, Lens Studio and Spark": "baseColor=CCC normal=NNN roughness=R metallic=M opacity=A",
    "Quixel, Megascans": "Albedo=CCC AO=O Bump=H Cavity=V Curvature=V Diffuse=CCC Displacement=H Fuzz=FFF Gloss=G "
    "Mask=K Metalness=M Normal=NNN NormalBump=NNN NormalObject=--- Opacity=A Roughness=R Specular=SSS "
    "Translucency=BBB Transmission=T Thickness=- ORM=ORM ORDp=ORH DpRA=HRO",
    "Poliigon": "COL=CCC COL_VAR2=CCC NRM=NNN NRM16=NNN GLOSS=G REFL=SSS DISP=H DISP16=H BUMP=H BUMP16=H AO=O "
    "METALNESS=M ROUGHNESS=R SSS=BBB FUZZ=FFF TRANSMISSION=TTT MASK=K ALPHAMASKED=CCCA ALPHA=A IDMAP=KKK SHEEN=F",
    "Poliigon, since 2024": "BaseColor=CCC AmbientOcclusion=O Roughness=R Normal=NNN Metallic=M Displacement=H "
    "Emission=EEE Opacity=A BaseColorOpacity=CCCA ORM=ORM Translucency=BBB SheenColor=FFF ScatteringColor=BBB",
    "Poly Haven": "diff=CCC col=CCC coll1=CCC nor_gl=NNN nor_dx=NNN rough=R spec=S metal=M disp=H ao=O arm=ORM "
    "mask=K alpha=A bump=H opacity=A emission=EEE sheen=F anisotropy_rotation=- anisotropy_strength=- coat=L",
    "ambientCG, CC0 Textures": "Color=CCC Displacement=H NormalGL=NNN NormalDX=NNN Roughness=R Metalness=M "
    "AmbientOcclusion=O Opacity=A Emission=EEE Scattering=BBB",
    "Textures.com": "albedo=CCC ao=O height=H normal=NNN roughness=R metallic=M alpha=A gloss=G mask=K",
    "Unity HDRP Lit": "BaseColorMap=CCC MaskMap=MOKG NormalMap=NNN NormalMapOS=--- BentNormalMap=NNN HeightMap=H "
    "EmissiveColorMap=EEE SubsurfaceMaskMap=K ThicknessMap=- TransmissionColorMap=TTT CoatMask=K",
    "Unreal, Epic and Allar": "BC=CCC D=CCC N=NNN R=R M=M AO=O H=H E=EEE S=SSS ORM=ORM A=A MT=M EM=EEE B=H",
    "Unreal, MetaHuman": "BC=CCC N=NNN SRMF=SRMF Scatter=BBB Cavity=V AO=O",
    "Unreal, mannequins": "D=CCC N=NNN BN=NNN MSR_MSK=MSR",
    "Unreal, further packings": "RMA=RMO MRA=MRO MRAO=MRO AORM=ORM ORMH=ORMH ARMD=ORMH HRAO=HRO ARME=ORME ORME=ORME "
    "RMSE=RMSE MRAE=MROE RMAE=RMOE MSRAO=MSRO",
    "Unreal, compositions": "Comp_M_R_AO=MRO COMP=--- Composite=--- Packed=---",
    "Godot": "albedo=CCC orm=ORM normal=NNN emission=EEE roughness=R metallic=M ao=O heightmap=H depth=H clearcoat=L "
    "subsurf_scatter=BBB anisotropy_flowmap=YYY backlight=BBB rim=-",
    "Blender, Node Wrangler": "diffuse=CCC diff=CCC albedo=CCC base=CCC col=CCC color=CCC sss=BBB subsurface=BBB "
    "metallic=M metalness=M metal=M mtl=M specularity=SSS specular=SSS spec=SSS spc=SSS roughness=R rough=R rgh=R "
    "gloss=G glossy=G glossiness=G normal=NNN nor=NNN nrm=NNN nrml=NNN norm=NNN bump=H bmp=H displacement=H "
    "displace=H disp=H dsp=H height=H heightmap=H transmission=T transparency=A emission=EEE emissive=EEE emit=EEE "
    "alpha=A opacity=A ao=O ambient_occlusion=O",
    "Marmoset": "albedo=CCC normals=NNN roughness=R metalness=M gloss=G specular=SSS ao=O cavity=V height=H "
    "thickness=- curve=- bent_normals=NNN object_id=KKK material_id=KKK emissive=EEE transparency=A",
    "3ds Max, physical material": "base_color=CCC base_weight=- roughness=R metalness=M bump_map=H coat_map=L "
    "emission_color=EEE cutout_map=A displacement_map=H transparency_map=A reflectivity=SSS",
    "Arnold, standard surface": "base_color=CCC diffuse_roughness=R specular_color=SSS specular_roughness=R "
    "transmission_color=TTT subsurface_color=BBB coat_color=LLL coat_roughness=R coat_normal=NNN sheen_color=FFF "
    "emission_color=EEE opacity=A",
    "V-Ray": "DiffuseColor=CCC ReflectionColor=SSS ReflectionGlossiness=G RefractionColor=TTT Refract=T Bump=H "
    "Opacity=A SelfIllumination=EEE Metalness=M",
    "D5, Lumion, Twinmotion": "base_color=CCC col=CCC specularLevel=- metalness=M nrm=NNN rough=R "
    "ambient_occlusion=O opacity=A disp=H",
    "MaterialX": "base_color=CCC specular_roughness=R metalness=M normal=NNN emission_color=EEE displacement=H",
    "USD preview surface": "diffuseColor=CCC emissiveColor=EEE specularColor=SSS metallic=M roughness=R clearcoat=L "
    "clearcoatRoughness=R opacity=A normal=NNN displacement=H occlusion=O",
    "German": "Farbe=CCC Grundfarbe=CCC Normale=NNN Normalen=NNN Rauheit=R Rauigkeit=R Metall=M Metallisch=M Hoehe=H "
    "Höhe=H Höhenkarte=H Verschiebung=H Umgebungsverdeckung=O Deckkraft=A Transparenz=A Glanz=G Maske=K Spiegelung=SSS "
    "Leuchten=EEE Verdeckung=O",
    "French": "couleur=CCC couleur_de_base=CCC normale=NNN normales=NNN rugosité=R rugosite=R métal=M metallique=M "
    "hauteur=H déplacement=H occlusion_ambiante=O opacité=A transparence=A émission=EEE émissif=EEE spéculaire=SSS "
    "masque=K brillance=G",
    "Spanish": "colorBase=CCC rugosidad=R metálico=M altura=H oclusión=O opacidad=A emisión=EEE especular=SSS "
    "máscara=K desplazamiento=H",
    "Italian": "colore=CCC normale=NNN rugosità=R metallico=M altezza=H occlusione=O opacità=A emissione=EEE "
    "speculare=SSS maschera=K spostamento=H",
    "Skyrim and Fallout 3, of which the base colour has a bare name": "n=NNN- msn=--- sk=BBB g=EEE p=H s=S",
    "Skyrim, PBR of its mods": "n=NNN rmaos=RMOS p=H",
    "Fallout 4": "d=CCC n=NN s=SG g=EEE",
    "World of Tanks": "AM=CCC ANM=NNN- GMM=GM- AO=O",
    "Minecraft Bedrock": "mer=MER mers=MERB normal=NNN heightmap=H",
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("pattern", ["T_Wall_{}", "stone-wall-{}_2k", "Old~Wall~{}"])
def test_each_word_of_a_scheme_behind_a_name(scheme, pattern):
    for entry in SCHEMES[scheme].split():
        word, _, channels = entry.partition("=")
        separator = pattern.partition("{}")[0][-1].replace("l", "_")
        check_names(f"{pattern.format(word.replace('_', separator))}={channels}")


@pytest.mark.parametrize("scheme", ["German", "French", "Spanish", "Italian"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_in_either_form_and_in_capitals(scheme, form):
    for entry in unicodedata.normalize(form, SCHEMES[scheme]).split():
        word, _, channels = entry.partition("=")
        check_names(f"mur_{word.upper()}={channels}")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "semantic"),
    [
        ("car_coatRoughness", Semantic.ROUGHNESS),
        ("car_clearcoat_roughness", Semantic.ROUGHNESS),
        ("car_clearcoatRoughnessTexture", Semantic.ROUGHNESS),
        ("cloth_sheen_roughness", Semantic.ROUGHNESS),
        ("car_roughness", Semantic.ROUGHNESS),
        ("wood_coat", Semantic.CLEARCOAT),
        ("leaf_alphaClip", Semantic.OPACITY),
        ("cloth_velvet", Semantic.SHEEN),
        ("wall_pom", Semantic.HEIGHT),
    ],
)
def test_a_layers_roughness_is_no_packing_of_both(name, semantic, channels):
    (reading,) = read_names([MapTraits(name, channels, channels == 1)])
    assert reading.channel_semantics == (semantic,) * channels
