"""From a quantized set to maps: render, mix the channels, and give each map its own sample format back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.decoder.level_render import level_pictures
from imagegs_tex.fit.control import FitSnapshot
from imagegs_tex.formats.errors import OutputError, UsageError
from imagegs_tex.formats.files.atomic_write import write_files
from imagegs_tex.formats.files.safe_names import printable, safe_stems
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.added_picture import added_picture
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.images import WRITTEN, encode_image
from imagegs_tex.formats.material.resample import mean_over_area
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import MAX_SIZE, SampleFormat, Samples, TextureMap
from imagegs_tex.quantize.channel_basis import to_channels
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.shaders.build_decoder import Decoder, build_decoder

_IMAGE_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".tga", ".tif", ".tiff", ".webp", ".exr", ".bmp", ".gif", ".hdr", ".psd", ".jp2",
     ".dds", ".ktx2"}
)  # fmt: skip
"""Of what a material's maps may be."""


def render_channels(
    quantized: QuantizedGaussianSet,
    backend: Backend,
    size: tuple[int, int] | None = None,
    *,
    with_detail: bool = False,
) -> Tensor:
    """Render all coded channels.

    An axis that is magnified is evaluated at the new texel centres; one that is minified is the mean of the file's own
    texels. Widening the Gaussians instead was tried: docs/experiments/minification.md.

    Args:
        quantized: the file's content
        backend: the rasterizer
        size: width and height of the result in texels; None for the file's own
        with_detail: draw the file's detail layer, where it has one; scores and searches do not

    Returns:
        float32 [H, W, C] in the code domain, [0, 1], on the backend's device
    """
    width, height = size or (quantized.width, quantized.height)
    drawn = max(width, quantized.width), max(height, quantized.height)
    if quantized.exact is not None:
        channels = torch.from_numpy(nearest_texels(quantized.exact.values, drawn))
        if drawn != (width, height):
            channels = torch.from_numpy(mean_over_area(channels.numpy(), (width, height)))
        return channels.to(backend.device)
    values = g.dequantize(quantized)
    geometry = stretched(values, np.array(drawn) / [quantized.width, quantized.height])
    image = drawn_features(
        *geometry, values.features, cutoff=quantized.cutoff, size=drawn, wrap=quantized.wrap, backend=backend
    )  # fmt: skip
    channels = to_channels(image, values.basis, values.offset, added_rows(quantized, drawn, backend))
    if with_detail and quantized.detail is not None:
        own = (quantized.width, quantized.height)
        add_detail(channels, quantized.detail, values.offset, own, quantized.wrap)
    if drawn == (width, height):
        return channels
    return torch.from_numpy(mean_over_area(channels.cpu().numpy(), (width, height)))


def added_rows(
    quantized: QuantizedGaussianSet, size: tuple[int, int], backend: Backend, rows: slice | None = None
) -> Tensor | None:
    """Return what repeat and residual add to rows of a picture of a size, [rows, W, C] on the backend's device."""
    added = added_picture(quantized, size, rows, backend.threads)
    return None if added is None else torch.from_numpy(added).to(backend.device)


def stretched(
    values: g.DequantizedGaussians, scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means [N, 2] and conics [N, 3] in a picture that is larger by scale (x, y)."""
    # q is a quadratic form of texel offsets: stretching the picture by s divides its coefficients by s twice
    return values.means * scale, values.conics / np.array([scale[0] ** 2, scale[0] * scale[1], scale[1] ** 2])


def drawn_features(
    means: NDArray[np.floating],
    conics: NDArray[np.floating],
    features: NDArray[np.float32],
    *,
    cutoff: float,
    size: tuple[int, int],
    wrap: tuple[bool, bool],
    backend: Backend,
) -> Tensor:
    """Render features [N, K] over a picture of some width and height, float32 [H, W, K] on the backend's device."""
    on_device = [torch.from_numpy(values.astype(np.float32)).to(backend.device) for values in (means, conics, features)]
    geometry = backend.prepare_geometry(on_device[0], on_device[1], cutoff, size, wrap)
    return backend.render(geometry, on_device[2])


def render_snapshot(snapshot: FitSnapshot, backend: Backend | str = "auto") -> list[tuple[TextureMap, Samples]]:
    """Return the maps of a fit's snapshot, as a file with its Gaussians would decode; its features are not rounded.

    Args:
        snapshot: of :class:`imagegs_tex.FitControl`
        backend: the rasterizer, or the name of one: auto, cpu, cuda or reference

    Returns:
        every map with its samples [H, W, channels], in its own sample format
    """
    texels = render_snapshot_channels(snapshot, backend)
    return [(texture_map, expand_map(texels, texture_map)) for texture_map in snapshot.maps]


def render_snapshot_channels(snapshot: FitSnapshot, backend: Backend | str = "auto") -> NDArray[np.float32]:
    """Return the coded channels of a fit's snapshot, float32 [H, W, C], of which ``expand_map`` makes single maps."""
    chosen = make_backend(backend) if isinstance(backend, str) else backend
    image = drawn_features(
        snapshot.means, g.conics_of(snapshot.log_covariances.astype(np.float64)), snapshot.features,
        cutoff=snapshot.cutoff, size=(snapshot.width, snapshot.height), wrap=snapshot.wrap, backend=chosen,
    )  # fmt: skip
    return np.asarray(to_channels(image, snapshot.basis, snapshot.offset).cpu().numpy())


def nearest_texels(
    texels: NDArray[np.float32], size: tuple[int, int], rows: slice = slice(None)
) -> NDArray[np.float32]:
    """Return rows of a picture [H, W, C] at a size of at least its own: a texel is that which its centre lies in."""
    across, down = (
        (2 * np.arange(longer) + 1) * own // (2 * longer) for longer, own in zip(size, texels.shape[1::-1], strict=True)
    )
    return np.ascontiguousarray(texels[down[rows, None], across[None]])


def shader_decoder(quantized: QuantizedGaussianSet, block_log2: int | None = None) -> Decoder:
    """Return a set's shader decoder with the functions that take a footprint.

    The levels of its mip chain are made on the processor whatever else there is, and give the same bytes everywhere.
    """
    return build_decoder(quantized, block_log2, level_pictures(quantized))


def scaled_size(
    quantized: QuantizedGaussianSet, scale: float | None, size: tuple[int | None, int | None] | None
) -> tuple[int, int]:
    """Return the size in texels that a scale or an explicit size asks for; UsageError when it is impossible.

    Of a size one side may be None: it keeps the picture's proportions.
    """
    if scale is not None and size is not None:
        raise UsageError("--scale and a size exclude each other; give one of them")
    own = (quantized.width, quantized.height)
    if size is None:
        factor = 1.0 if scale is None else scale
        if not factor > 0 or factor > MAX_SIZE:
            raise UsageError(f"a scale of {factor:g} is impossible; give a number above 0")
        width, height = (max(1, round(side * factor)) for side in own)
    else:
        width = max(1, round(own[0] * (size[1] or 0) / own[1])) if size[0] is None else size[0]
        height = max(1, round(own[1] * (size[0] or 0) / own[0])) if size[1] is None else size[1]
    if not (1 <= width <= MAX_SIZE and 1 <= height <= MAX_SIZE):
        raise UsageError(f"a size of {width} x {height} is outside 1..{MAX_SIZE} texels each way; choose a smaller one")
    return width, height


def image_paths(maps: Sequence[TextureMap], folder: Path, image_format: str | None) -> list[Path]:
    """Return the image that each map is decoded to; names from the file never lead out of the folder.

    Maps whose names give one file name are told apart by numbers, in their order. Images of more than four channels,
    which PNG cannot hold, become TIFF.

    Args:
        maps: of the file
        folder: where they go
        image_format: png, exr or tga; None gives PNG, and EXR for floating-point maps

    Raises:
        UsageError: the format that was asked for cannot hold a map
    """
    paths = []
    for texture_map, stem in zip(maps, safe_stems(texture_map.name for texture_map in maps), strict=True):
        suffix = f".{image_format}" if image_format else _default_suffix(texture_map)
        if texture_map.channel_count > max(WRITTEN[suffix].channel_counts):
            raise UsageError(
                f"map {printable(texture_map.name)} has {texture_map.channel_count} channels, more than {suffix} "
                "holds; decode it without --format, or with --format exr"
            )
        paths.append(folder / (stem + suffix))
    return paths


def check_alone(paths: Sequence[Path]) -> None:
    """Refuse, with OutputError, to write images beside others of the same names with other suffixes.

    Those may be the sources, and a folder that holds a map twice can no longer be compressed.
    """
    folder = paths[0].parent
    beside: dict[str, Path] = {}
    if folder.is_dir():
        beside = {path.stem.casefold(): path for path in folder.iterdir() if path.suffix.lower() in _IMAGE_SUFFIXES}
    for path in paths:
        other = beside.get(path.stem.casefold(), path)
        if other.name != path.name:
            raise OutputError(
                f"{printable(path)} would stand beside {printable(other.name)}, perhaps its source; decode to another "
                "folder, or allow it with --overwrite"
            )


def renamed(maps: Sequence[TextureMap], paths: Sequence[Path]) -> list[str]:
    """Say, one line each, which maps are written under another name than their own."""
    return [
        f"map {printable(texture_map.name)} is written as {printable(path.name)}"
        for texture_map, path in zip(maps, paths, strict=True)
        if path.stem != texture_map.name
    ]


def _default_suffix(texture_map: TextureMap) -> str:
    if texture_map.sample_format.is_float:
        return ".exr"
    return ".png" if texture_map.channel_count in WRITTEN[".png"].channel_counts else ".tif"


def write_maps(maps: list[tuple[TextureMap, Samples]], paths: Sequence[Path]) -> None:
    """Write one image per map, all or none of them.

    Args:
        maps: of :func:`decode_maps`
        paths: of :func:`image_paths`; missing folders are created
    """
    write_files(  # one after the other: of large maps only one at a time is there encoded
        (path, encode_image(_for_suffix(samples, path.suffix), path.suffix))
        for path, (_, samples) in zip(paths, maps, strict=True)
    )


def _for_suffix(samples: Samples, suffix: str) -> NDArray[np.generic]:
    """Change the sample format where an image format cannot hold it: TGA is 8-bit, PNG 8 or 16, EXR floating point."""
    sample_format = SampleFormat.of(samples.dtype)
    if suffix == ".exr":
        if sample_format.is_float:
            return samples
        wide = np.float16 if sample_format == SampleFormat.UINT8 else np.float32
        return (samples / np.float32(sample_format.max_value)).astype(wide)
    if suffix == ".tif":
        return samples
    wanted = SampleFormat.UINT8 if suffix == ".tga" else SampleFormat.UINT16
    if sample_format in {SampleFormat.UINT8, wanted}:
        return samples
    values = np.clip(samples.astype(np.float64) / sample_format.max_value, 0.0, 1.0)
    return np.rint(values * wanted.max_value).astype(wanted.dtype)
