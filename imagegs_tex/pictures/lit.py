"""A material under a light, on a plane and on a sphere: what its maps are for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.name_words import normal_convention, split_name
from imagegs_tex.formats.transfer_functions import linear_to_srgb, srgb_to_linear
from imagegs_tex.formats.vocabulary import Samples, Semantic, TextureMap, Transfer
from imagegs_tex.metrics.scores import normal_axes, unit_vectors
from imagegs_tex.pictures.display import LUMINANCE, Rgb, to_bytes

Planes = NDArray[np.float32]

_SCALARS: Final = (
    Semantic.ROUGHNESS, Semantic.GLOSS, Semantic.METALLIC, Semantic.OCCLUSION, Semantic.OPACITY,
)  # fmt: skip

LIGHT: Final = (-0.55, 0.6, 0.58)
"""Direction to the light: x right, y up, z to who looks."""
_SUN: Final = 2.8  # irradiance of a surface that faces the light, over pi: white of albedo 1 is as bright
_WHITE: Final = 3.0  # luminance that is shown as white
_SKY: Final = 0.35  # light from all around
_BARE_ALBEDO: Final = 0.5
_BARE_ROUGHNESS: Final = 0.6
_LEAST_ROUGHNESS: Final = 0.045
_GLASS: Final = 0.04  # reflectance of non-metals seen head on
_BEHIND: Final = 0.012  # linear light around the sphere and behind what is see-through
_SMOOTHING: Final = 2
_BALL: Final = 0.94
"""Radius of the sphere, of half the picture's side."""
_AROUND: Final = (2, 1)
"""How often a material is laid around the sphere, and from pole to pole."""


def points_green_up(names: Iterable[str]) -> bool:
    """Whether green of a material's normals points up (OpenGL): no name of its maps says DirectX."""
    return not any("DirectX" in normal_convention(split_name(name)) for name in names)


@dataclass(frozen=True, slots=True)
class Surface:
    """A material as a light sees it."""

    albedo: Planes  # [H, W, 3] linear, 0 to 1
    normals: Planes  # [H, W, 3] of length 1: x right, y up, z out of the surface
    roughness: Planes  # [H, W] 0 to 1
    metallic: Planes  # [H, W] 0 to 1
    occlusion: Planes  # [H, W] 0 dark to 1 open
    emission: Planes  # [H, W, 3] linear, 0 and above
    opacity: Planes  # [H, W] 0 see-through to 1
    used: tuple[str, ...]  # meanings that a map was there for, such as "base colour"


def surface_of(maps: Iterable[tuple[TextureMap, Samples]], *, green_up: bool = True) -> Surface:
    """Gather what a material's maps say of its surface; what no map says is grey, flat, rather rough and no metal.

    Args:
        maps: each with its samples [H, W, channels], all of one size, in the map's sample format or floats between
        green_up: whether green of normals points up (OpenGL) or down (DirectX)

    Raises:
        ValueError: there is no map
    """
    planes: dict[Semantic, Planes] = {}
    size: tuple[int, int] | None = None
    for texture_map, samples in maps:
        size = samples.shape[0], samples.shape[1]
        _gather(planes, texture_map, samples)
    if size is None:
        raise ValueError("a surface needs at least one map")
    roughness = planes.get(Semantic.ROUGHNESS)
    if roughness is None and Semantic.GLOSS in planes:
        roughness = 1 - planes[Semantic.GLOSS]
    albedo = planes.get(Semantic.BASE_COLOUR, planes.get(Semantic.IMAGE))
    normals = planes.get(Semantic.NORMAL)
    if normals is None:
        normals = np.broadcast_to(np.array([0, 0, 1], np.float32), (*size, 3))
    elif not green_up:
        normals = normals * np.array([1, -1, 1], np.float32)
    return Surface(
        albedo=np.full((*size, 3), _BARE_ALBEDO, np.float32) if albedo is None else albedo,
        normals=normals,
        roughness=np.full(size, _BARE_ROUGHNESS, np.float32) if roughness is None else roughness,
        metallic=planes.get(Semantic.METALLIC, np.zeros(size, np.float32)),
        occlusion=planes.get(Semantic.OCCLUSION, np.ones(size, np.float32)),
        emission=planes.get(Semantic.EMISSIVE, np.zeros((*size, 3), np.float32)),
        opacity=planes.get(Semantic.OPACITY, np.ones(size, np.float32)),
        used=tuple(meaning.name.lower().replace("_", " ") for meaning in planes),
    )


def _gather(planes: dict[Semantic, Planes], texture_map: TextureMap, samples: Samples) -> None:
    """Enter what the first map with a meaning has of it."""
    values = samples.astype(np.float32) / np.float32(texture_map.sample_format.max_value)
    meanings = texture_map.channel_semantics
    axes = normal_axes(texture_map)
    if axes is not None and Semantic.NORMAL not in planes:
        planes[Semantic.NORMAL] = unit_vectors(samples[..., axes], texture_map)
    for meaning in (Semantic.BASE_COLOUR, Semantic.IMAGE, Semantic.EMISSIVE):
        channels = [channel for channel, found in enumerate(meanings) if found == meaning][:3]
        if channels and meaning not in planes:
            colour = values[..., channels if len(channels) == 3 else channels[:1] * 3]
            planes[meaning] = srgb_to_linear(colour) if texture_map.transfer == Transfer.SRGB else np.maximum(colour, 0)
    for meaning in _SCALARS:
        if meaning in meanings and meaning not in planes:
            planes[meaning] = np.clip(values[..., meanings.index(meaning)], 0, 1)


def lit_plane(surface: Surface, light: tuple[float, float, float] = LIGHT) -> Rgb:
    """Show a surface seen from straight above under a far light.

    Args:
        surface: of H x W texels
        light: direction to the light, of any length: x right, y up, z to who looks

    Returns:
        uint8 [H, W, 3]
    """
    view = np.array([0, 0, 1], np.float32)
    return _shown(_radiance(surface, surface.normals, view, light))


def lit_sphere(
    surface: Surface, size: int, light: tuple[float, float, float] = LIGHT, repeats: tuple[int, int] = _AROUND
) -> Rgb:
    """Show a sphere of a material under a far light; the middle of the maps is in front.

    Args:
        surface: of any size
        size: width and height of the result in pixels
        light: direction to the light, of any length: x right, y up, z to who looks
        repeats: how often the material is laid around the sphere, and from pole to pole

    Returns:
        uint8 [size, size, 3]
    """
    fine = size * _SMOOTHING
    axis = ((np.arange(fine) + 0.5) / fine * 2 - 1) / _BALL
    x, y = np.broadcast_arrays(axis[None, :], -axis[:, None])
    inside = x * x + y * y < 1
    x, y = x[inside], y[inside]
    z = np.sqrt(1 - x * x - y * y)
    out = np.stack([x, y, z], axis=-1).astype(np.float32)
    height, width = surface.albedo.shape[:2]
    u = np.arctan2(x, z) / (2 * np.pi) * repeats[0] + 0.5
    v = np.arccos(np.clip(y, -1, 1)) / np.pi * repeats[1]
    picked = (v * height).astype(np.int64) % height, (u * width).astype(np.int64) % width
    along = np.stack([z, np.zeros_like(x), -x], axis=-1) / np.maximum(np.hypot(x, z), 1e-6)[:, None]
    up = np.cross(out, along)
    bent = surface.normals[picked]
    normals = along * bent[:, :1] + up * bent[:, 1:2] + out * bent[:, 2:]
    here = Surface(
        surface.albedo[picked], surface.normals[picked], surface.roughness[picked], surface.metallic[picked],
        surface.occlusion[picked], surface.emission[picked], surface.opacity[picked], surface.used,
    )  # fmt: skip
    picture = np.full((fine, fine, 3), _BEHIND, dtype=np.float32)
    picture[inside] = _radiance(here, normals.astype(np.float32), np.array([0, 0, 1], np.float32), light)
    blocks = np.minimum(picture, _WHITE).reshape(size, _SMOOTHING, size, _SMOOTHING, 3)
    return _shown(blocks.mean(axis=(1, 3)))


def _radiance(surface: Surface, normals: Planes, view: Planes, light: tuple[float, float, float]) -> Planes:
    """Return linear light [..., 3] to who looks, by the metal and rough model of glTF 2.0, appendix B.

    GGX (Walter et al., "Microfacet models for refraction through rough surfaces", 2007) with the joint visibility of
    Smith (Heitz 2014) and Schlick's Fresnel term; light from all around is a constant that occlusion dims.
    """
    to_light = np.array(light, np.float32)
    to_light /= max(float(np.linalg.norm(to_light)), 1e-9)
    half = to_light + view
    half /= max(float(np.linalg.norm(half)), 1e-6)
    facing = np.clip(normals @ to_light, 0, 1)
    seen = np.clip(normals @ view, 1e-3, 1)
    alpha2 = np.maximum(surface.roughness, _LEAST_ROUGHNESS) ** 4
    spread = np.clip(normals @ half, 0, 1) ** 2 * (alpha2 - 1) + 1
    distribution = alpha2 / (np.pi * spread**2)
    masked = facing * np.sqrt(seen**2 * (1 - alpha2) + alpha2)
    shadowed = seen * np.sqrt(facing**2 * (1 - alpha2) + alpha2)
    visible = 0.5 / np.maximum(masked + shadowed, 1e-5)
    metal = surface.metallic[..., None]
    reflectance = _GLASS * (1 - metal) + surface.albedo * metal
    fresnel = reflectance + (1 - reflectance) * (1 - max(0.0, float(view @ half))) ** 5
    diffuse = surface.albedo * (1 - metal) / np.pi * (1 - fresnel)
    direct = (diffuse + fresnel * (distribution * visible)[..., None]) * (np.pi * _SUN * facing)[..., None]
    around = (surface.albedo * (1 - metal) + reflectance) * (_SKY * surface.occlusion)[..., None]
    opaque = surface.opacity[..., None]
    light_out = (direct + around) * opaque + surface.emission + _BEHIND * (1 - opaque)
    return np.asarray(light_out, dtype=np.float32)


def _shown(light: Planes) -> Rgb:
    """Return linear light in sRGB, the bright rolled off: Reinhard's curve with a white, on luminance."""
    luminance = light @ np.array(LUMINANCE, np.float32)[:, None]
    return to_bytes(linear_to_srgb(light * (1 + luminance / _WHITE**2) / (1 + luminance)))
