"""All losses of a fit on the CPU against torch's autograd through the plain rasterizer, in float64."""

import pytest
import torch

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.losses import shown_channels, structural_similarity
from imagegs_tex.fit.losses_cpu import CpuLosses
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.rasterize.autograd import rasterize
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import FitSettings

TURN = 5


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.3), (0.5, 0.2, 0.0), (1.0, 0.1, 0.2)], ids=["ssim", "l1", "all"])
@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("size", [(40, 37), (16, 32)])
def test_against_autograd_in_float64(weights, weighed, size):
    l2, l1, ssim = weights
    width, height = size
    generator = torch.Generator().manual_seed(4)
    gaussians = GaussianSet(
        torch.rand(30, 2, generator=generator) * torch.tensor([width, height]),
        torch.randn(30, 3, generator=generator) * 0.3 + torch.tensor([2.5, 0.0, 0.0]),
        torch.randn(30, 2, generator=generator),
    )
    image = torch.randn(height, width, 2, generator=generator)
    per_texel = torch.rand(height, width, generator=generator) if weighed else None
    mix = ChannelMix(torch.tensor([[0.2, 0.05, 0.01], [-0.1, 0.1, 0.02]]), torch.tensor([0.5, 0.4, 0.6]))
    settings = FitSettings(l2_weight=l2, l1_weight=l1, ssim_weight=ssim)

    backend = make_backend("cpu", 2)
    geometry = backend.prepare_geometry(gaussians.means, gaussians.conics, 6.0, size)
    target = backend.prepare_target(image, per_texel)
    losses = CpuLosses(image, mix, settings, backend)
    total, found = losses.gradients(geometry, gaussians.features, target, per_texel, TURN)

    leaves = [part.double().requires_grad_() for part in (gaussians.means, gaussians.conics, gaussians.features)]
    picture = rasterize(*leaves, make_backend("reference"), 6.0, size)
    texels = torch.ones(height, width).double() if per_texel is None else per_texel.double()
    exact_mix = ChannelMix(mix.basis.double(), mix.offset.double())
    shown, wanted = shown_channels(picture, exact_mix), shown_channels(image.double(), exact_mix)
    squared = (texels[..., None] * (picture - image) ** 2).sum()
    absolute = (texels[..., None] * (picture - image).abs()).sum()
    own = None if per_texel is None else texels
    dissimilarity = 1 - structural_similarity(shown, wanted, own, TURN).mean()
    (l2 * squared + l1 * absolute + ssim * dissimilarity * texels.sum() * 3).backward()

    assert float(total) == pytest.approx(float(squared.detach()), rel=1e-5)
    for gradient, leaf in zip(found, leaves, strict=True):
        assert float((gradient - leaf.grad).abs().max()) < 3e-4 * float(leaf.grad.abs().max())


def test_any_number_of_threads_gives_the_same_bits():
    generator = torch.Generator().manual_seed(6)
    means, features = 64 * torch.rand(40, 2, generator=generator), torch.randn(40, 3, generator=generator)
    conics, image = torch.tensor([[0.05, 0.0, 0.05]]).repeat(40, 1), torch.rand(96, 96, 3, generator=generator)
    found = []
    for threads in (1, 2, 5):
        backend = make_backend("cpu", threads)
        losses = CpuLosses(image, None, FitSettings(ssim_weight=0.1), backend)
        geometry = backend.prepare_geometry(means, conics, 6.0, (96, 96))
        found.append(losses.gradients(geometry, features, backend.prepare_target(image), None, TURN)[1])
    for other in found[1:]:
        assert all(torch.equal(first, second) for first, second in zip(found[0], other, strict=True))
