"""One differentiable operation, several backends; see :mod:`imagegs_tex.rasterize.backend` for what they share."""
