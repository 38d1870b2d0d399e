"""A shader decoder in, a verdict out: run on this machine's OpenGL and held against the reference decode in float64.

``run`` is the way in. The only package that talks to OpenGL (moderngl, an optional dependency); without a GPU, Mesa's
software rasterizer serves.
"""

from imagegs_tex.verification.report import MAX_ERROR, MAX_STEPS, VariantResult, VerifyReport
from imagegs_tex.verification.run import verify

__all__ = ["MAX_ERROR", "MAX_STEPS", "VariantResult", "VerifyReport", "verify"]
