"""Compiles every kernel by using it on a few Gaussians: ``python -m imagegs_tex.warm_up [GROUP]``.

Used for real, kernels get the types that they have in a compression; a list of types would be forgotten.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from imagegs_tex.background_compilation import (
    CODER,
    FAST_FILES,
    LEVELS,
    LOSSES,
    OLD_FILES,
    QUANTIZE,
    RASTERIZE,
    RESIDUAL,
    command,
    mark_of,
)
from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.kernel_cache import REMEDY, kernel_folder, say_compiling

if TYPE_CHECKING:
    from torch import Tensor

_COUNT: Final = 8
_SIZE: Final = (24, 16)
_CUTOFF: Final = 6.0


def compile_group(group: str) -> None:
    """Compile a group's kernels into the folder of compiled kernels, and mark it as compiled."""
    _GROUPS[group]()
    with contextlib.suppress(OSError):
        mark_of(group).touch()


def compile_all() -> bool:
    """Compile the kernels of the groups that lack them, side by side, and whatever a GPU needs, in this process.

    Returns:
        whether there was a group to compile

    Raises:
        OutputError: there is nowhere to keep them, or compiling failed, which it says on stderr
    """
    folder = kernel_folder()
    if not folder.writable:
        raise OutputError(f"compiled kernels cannot be kept: {folder.problem}; {REMEDY}")
    missing = [group for group in _GROUPS if not mark_of(group).exists()]
    if missing:
        say_compiling()
    running = [subprocess.Popen(command(group), stdin=subprocess.DEVNULL) for group in missing]
    try:
        codes = [process.wait() for process in running]
    except BaseException:
        for process in running:
            process.kill()
        raise
    if any(codes):
        raise OutputError(f"kernels could not be compiled into {folder.path}; see above, and check its free space")
    _use_gpu()
    return bool(missing)


def _code_planes() -> None:
    _code_with(Entropy.SMALL)


def _code_fast_planes() -> None:
    """Codec 4, for which few compressions ask."""
    _code_with(Entropy.FAST)


def _code_with(entropy: Entropy) -> None:
    from imagegs_tex.formats.igs import section_codecs as codecs
    from imagegs_tex.formats.igs.compiled_coder import MAPS
    from imagegs_tex.formats.igs.plane_coders import CellOrder, Description, KnownGeometry

    cells = np.zeros(_COUNT, np.int64)
    order = CellOrder(cells, 2, 1)
    shapes = np.arange(3 * _COUNT, dtype=np.int16).reshape(_COUNT, 3)
    places = np.arange(2 * _COUNT, dtype=np.int32).reshape(_COUNT, 2)
    geometry = KnownGeometry(order, shapes, places, np.zeros((_COUNT, 2), np.int32))
    codecs.code_description([bytes(_COUNT)], Description(MAPS, 1, 1), entropy)
    codecs.code_counts(np.array([_COUNT, 0], np.int64), 2, entropy)
    codecs.code_shapes(shapes, order, entropy)
    codecs.code_features(shapes, geometry, entropy)


def _code_planes_by_context() -> None:
    """The entropy coder of files of version 2, and of very large ones."""
    from imagegs_tex.formats.igs.context_coder import cell_neighbours, encode_planes

    codes = np.arange(3 * _COUNT, dtype=np.int16).reshape(_COUNT, 3)
    encode_planes(codes, cell_neighbours(np.zeros(_COUNT, np.int64), 2), np.zeros(_COUNT, np.int64))


def _quantize() -> None:
    import torch

    from imagegs_tex.metrics.ssim import mean_similarity
    from imagegs_tex.quantize.feature_rdo import CpuDescent, choose_feature_codes
    from imagegs_tex.quantize.geometry import geometry_quantizer
    from imagegs_tex.quantize.geometry_rdo import refine_geometry
    from imagegs_tex.settings import Precision

    width, height = _SIZE
    image = np.random.default_rng(0).random((height, width, 2), np.float32)
    places = np.random.default_rng(1).random((_COUNT, 2))
    quantizer = geometry_quantizer(width, height, _COUNT, Precision())
    means, shapes = quantizer.values(*quantizer.codes(places * _SIZE, np.zeros((_COUNT, 3)))[:2])
    codes = quantizer.codes(means, shapes)[1]
    refine_geometry(
        means, codes, np.ones((_COUNT, 2), np.float32), image, quantizer, cutoff=_CUTOFF, bit_price=1e-3,
        shape_limits=(-2.0, 3.0), threads=1,
    )  # fmt: skip
    diagonal = np.ones(_COUNT)
    descent = CpuDescent(
        np.arange(_COUNT + 1, dtype=np.int64), np.arange(_COUNT, dtype=np.int32), diagonal, diagonal, places
    )
    choose_feature_codes(descent, diagonal, np.full(2, 0.1), 1e-3)
    mean_similarity(image, image)
    _detail(torch.from_numpy(image))


def _detail(picture: "Tensor") -> None:
    """The detail layer's statistics of a picture [H, W, C], and how it is drawn."""
    from imagegs_tex.decoder.detail import KeptNoise, add_detail
    from imagegs_tex.detail.amplitudes import envelope as fitted_envelope
    from imagegs_tex.formats.igs.detail_layer import DetailLayer
    from imagegs_tex.formats.igs.noise_tile import BAND_COUNT
    from imagegs_tex.metrics.kept_contrast import band_deviations
    from imagegs_tex.metrics.octave_kernels import blurred_rows, fine_contrast, finest_moments, structure_sums

    band_deviations(picture)
    blurred_rows(picture, 1)
    fine_contrast(picture, 4)
    finest_moments(picture, 4)
    structure_sums(picture)
    fitted_envelope(np.ones((2, 2)), np.ones((2, 2)), (1, 1))
    channels = picture.shape[2]
    bands, scales, mixing = np.zeros((1, BAND_COUNT), np.uint8), np.zeros(channels, np.uint8), np.zeros((channels, 1))
    slopes, envelope = np.zeros((1, channels), np.int16), np.zeros((1, 1), np.uint8)
    layer = DetailLayer(bands, scales, mixing.astype(np.int8), slopes, envelope)
    KeptNoise.of(picture, layer, np.zeros(channels, np.float32), (False, False)).added(layer)
    add_detail(picture, layer, np.zeros(channels, np.float32), _SIZE, (False, False))


def _further_losses() -> None:
    """Losses beside the squared error, which few fits have."""
    import torch

    from imagegs_tex.fit.losses_cpu import CpuLosses
    from imagegs_tex.rasterize.cpu.backend import CpuBackend
    from imagegs_tex.settings import FitSettings

    backend, image = CpuBackend(1), torch.zeros(_SIZE[1], _SIZE[0], 2)
    losses = CpuLosses(image, None, FitSettings(ssim_weight=1.0), backend)
    means, conics = torch.ones(_COUNT, 2), torch.tensor([[0.1, 0.0, 0.1]]).repeat(_COUNT, 1)
    geometry = backend.prepare_geometry(means, conics, _CUTOFF, _SIZE)
    losses.gradients(geometry, torch.ones(_COUNT, 2), backend.prepare_target(image), None, 0)


def _rasterize() -> None:
    _rasterize_on("cpu")


def _rasterize_on(name: str) -> None:
    import torch

    from imagegs_tex.rasterize.cpu.backend import CpuBackend
    from imagegs_tex.rasterize.select_backend import make_backend

    backend = make_backend(name, 1)
    generator = torch.Generator().manual_seed(0)
    means = (torch.rand(_COUNT, 2, generator=generator) * torch.tensor(_SIZE)).to(backend.device)
    conics = torch.tensor([[0.1, 0.0, 0.1]]).repeat(_COUNT, 1).to(backend.device)
    features = torch.ones(_COUNT, 2, device=backend.device)
    geometry = backend.prepare_geometry(means, conics, _CUTOFF, _SIZE)
    image = backend.render(geometry, features)
    backend.render_backward(geometry, features, image)
    target = backend.prepare_target(image)
    backend.squared_error(geometry, features, target)
    backend.leave_one_out(geometry, features, target)
    equations = backend.normal_equations(geometry, target)
    backend.solve_features(equations, features, 2, 1e-3)
    if isinstance(backend, CpuBackend):
        backend.on_top_of(geometry, features)


def _draw_levels() -> None:
    """What a GPU buffer's coarse levels are made of, which compressing does without."""
    from imagegs_tex.decoder.level_render import level_pictures
    from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet

    level_pictures(
        QuantizedGaussianSet(
            *_SIZE, maps=(), cutoff=_CUTOFF, position_ratio=0.1, size_step=0.1, form_step=0.1, cell_log2=3,
            position_codes=np.full((_COUNT, 2), 99, np.int32), shape_codes=np.zeros((_COUNT, 3), np.int16),
            feature_codes=np.ones((_COUNT, 2), np.int16), feature_steps=np.ones(2, np.float32), feature_exponent=0.0,
            basis_scale=1.0, basis_codes=np.ones((2, 3), np.int16), offset_codes=np.zeros(3, np.uint16),
        )
    )  # fmt: skip


def _layer() -> None:
    """Residual and repeat, which few files have."""
    from imagegs_tex.formats.igs.repeat_layer import Lattice, RepeatLayer
    from imagegs_tex.formats.igs.repeat_picture import repeat_picture
    from imagegs_tex.formats.igs.residual_layer import pack_residual, unpack_residual
    from imagegs_tex.formats.igs.residual_picture import residual_picture
    from imagegs_tex.quantize.residual_rdo import Coefficients, make_residual_layer

    texels = np.random.default_rng(0).random((_SIZE[1], _SIZE[0], 2), np.float32)
    Coefficients.of(texels, 2, on_gpu=True).chosen(0.1)
    layer = make_residual_layer(texels, 0.1, 2)
    assert layer is not None
    residual_picture(unpack_residual(pack_residual(layer, _SIZE), _SIZE, 2), _SIZE, _SIZE)
    repeat_picture(RepeatLayer(Lattice(_SIZE), layer, np.zeros((0, 1, 1), np.int8)), _SIZE, _SIZE)


def _use_gpu() -> None:
    from imagegs_tex.builder.processor import backend_here

    if backend_here("auto") != "cuda":  # asked first: it does not load torch, which takes seconds
        return
    from imagegs_tex.rasterize.select_backend import cuda_problem

    if cuda_problem() is None:
        _rasterize_on("cuda")


_GROUPS: Final[dict[str, Callable[[], None]]] = {
    CODER: _code_planes,
    QUANTIZE: _quantize,
    RASTERIZE: _rasterize,
    OLD_FILES: _code_planes_by_context,
    FAST_FILES: _code_fast_planes,
    LOSSES: _further_losses,
    LEVELS: _draw_levels,
    RESIDUAL: _layer,
}


if __name__ == "__main__":
    compile_group(sys.argv[1])
