"""The squared error that a fit has come to."""

from imagegs_tex.fit.gaussian_set import Fit
from imagegs_tex.rasterize.backend import Backend, FitTarget, SquaredError


def squared_error(backend: Backend, fitted: Fit, target: FitTarget) -> SquaredError:
    gaussians = fitted.gaussians
    geometry = backend.prepare_geometry(gaussians.means, gaussians.conics, fitted.cutoff, target.size, target.wrap)
    return backend.squared_error(geometry, gaussians.features, target)
