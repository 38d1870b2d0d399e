"""Verification: run the emitted decoders on this machine's OpenGL and hold them against the reference decode.

The only package that talks to OpenGL (moderngl, an optional dependency). On a machine without a GPU, Mesa's software
rasterizer serves.
"""

from imagegs_tex.verification.report import MAX_ERROR, MAX_STEPS, VariantResult, VerifyReport
from imagegs_tex.verification.run import verify

__all__ = ["MAX_ERROR", "MAX_STEPS", "VariantResult", "VerifyReport", "verify"]
