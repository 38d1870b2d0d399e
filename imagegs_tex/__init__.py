"""imagegs_tex: a texture codec that codes a material as one set of 2D Gaussians."""

__version__ = "0.1.0"
