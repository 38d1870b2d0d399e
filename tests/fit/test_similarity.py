"""The SSIM term of a fit: its value and gradient against convolutions in float64, and what it is measured on."""

import pytest
import torch

from imagegs_tex.fit.losses import further_losses, fused_ssim_map, mean_similarity, structural_similarity
from imagegs_tex.fit.similarity import STRIDE, first_window
from imagegs_tex.settings import FitSettings


@pytest.mark.parametrize("shape", [(40, 37, 3), (5, 20, 2), (1, 30, 1), (11, 11, 4)])
@pytest.mark.parametrize("weighed", [False, True])
def test_value_and_gradient_against_convolutions_in_float64(shape, weighed):
    generator = torch.Generator().manual_seed(0)
    second = torch.rand(*shape, generator=generator)
    first = (second + 0.2 * torch.randn(*shape, generator=generator)).clamp(0, 1)
    weights = torch.rand(*shape[:2], generator=generator) if weighed else None
    fast, exact = first.clone().requires_grad_(), first.double().requires_grad_()
    found = mean_similarity(fast, second, weights, 2)
    wanted = structural_similarity(exact, second.double(), None if weights is None else weights.double()).mean()
    found.backward()
    wanted.backward()
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), abs=1e-6)
    assert float((fast.grad - exact.grad).abs().max()) < 1e-5 * float(exact.grad.abs().max())


@pytest.mark.parametrize("shape", [(40, 37, 3), (12, 20, 2), (5, 30, 1)])
def test_windows_take_turns(shape):
    """A turn is what convolutions say of the same windows, and all turns together are all windows."""
    generator = torch.Generator().manual_seed(3)
    second = torch.rand(*shape, generator=generator)
    first = (second + 0.2 * torch.randn(*shape, generator=generator)).clamp(0, 1)
    weights = torch.rand(*shape[:2], generator=generator)
    kept = [max(1, side - 10) for side in shape[:2]]
    seen = torch.zeros(kept, dtype=torch.int64)
    for turn in range(STRIDE**2):
        fast, exact = first.clone().requires_grad_(), first.double().requires_grad_()
        found = mean_similarity(fast, second, weights, 2, turn)
        wanted = structural_similarity(exact, second.double(), weights.double(), turn).mean()
        found.backward()
        wanted.backward()
        assert float(found.detach()) == pytest.approx(float(wanted.detach()), abs=1e-6)
        assert float((fast.grad - exact.grad).abs().max()) < 1e-5 * float(exact.grad.abs().max())
        row, column = first_window(turn, tuple(kept))
        seen[row::STRIDE, column::STRIDE] += 1
    if min(kept) >= STRIDE:
        assert torch.equal(seen, torch.ones_like(seen))


@pytest.mark.cuda
@pytest.mark.parametrize("weighed", [False, True])
def test_fused_ssim_on_a_gpu_against_convolutions_in_float64(weighed):
    if fused_ssim_map() is None:
        pytest.skip("fused-ssim is not installed")
    generator = torch.Generator().manual_seed(5)
    second = torch.rand(70, 53, 4, generator=generator).cuda()
    first = (second + 0.2 * torch.randn(70, 53, 4, generator=generator).cuda()).clamp(0, 1)
    weights = torch.rand(70, 53, generator=generator).cuda() if weighed else None
    fast, exact = first.clone().requires_grad_(), first.double().requires_grad_()
    found = mean_similarity(fast, second, weights)
    wanted = structural_similarity(exact, second.double(), None if weights is None else weights.double()).mean()
    found.backward()
    wanted.backward()
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), abs=1e-5)
    assert float((fast.grad - exact.grad).abs().max()) < 1e-3 * float(exact.grad.abs().max())


def test_any_number_of_threads_gives_the_same_bits():
    pictures = torch.rand(2, 30, 33, 5, generator=torch.Generator().manual_seed(1))
    gradients = []
    for threads in (1, 2, 7):
        first = pictures[0].clone().requires_grad_()
        mean_similarity(first, pictures[1], None, threads).backward()
        gradients.append(first.grad)
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])


def test_it_is_measured_on_the_channels_and_not_on_components():
    """A fit of components that mix channels of different contrast: its loss is that of the channels."""
    from imagegs_tex.fit.gaussian_set import GaussianSet
    from imagegs_tex.fit.problem import ChannelMix
    from imagegs_tex.rasterize.autograd import rasterize
    from imagegs_tex.rasterize.select_backend import make_backend

    generator = torch.Generator().manual_seed(2)
    gaussians = GaussianSet(
        24 * torch.rand(20, 2, generator=generator), torch.randn(20, 3, generator=generator) * 0.3 + 1,
        torch.randn(20, 2, generator=generator),
    )  # fmt: skip
    mix = ChannelMix(torch.tensor([[0.2, 0.05, 0.01], [-0.1, 0.1, 0.02]]), torch.tensor([0.5, 0.4, 0.6]))
    image = torch.randn(24, 24, 2, generator=generator)
    backend, settings = make_backend("cpu", 1), FitSettings(ssim_weight=0.5)
    picture = rasterize(gaussians.means, gaussians.conics, gaussians.features, backend, 6.0, (24, 24))
    loss = further_losses(picture, image, settings, mix=mix)
    channels = [each.double() @ mix.basis.double() + mix.offset for each in (picture, image)]
    wanted = 0.5 * (1 - structural_similarity(*channels).mean()) * 24 * 24 * 3
    assert float(loss) == pytest.approx(float(wanted), rel=1e-4)
