"""Bytes of an .igs file in, a quantized set out, and back; docs/igs-format.md is the law.

``container`` joins the sections; ``section_codecs`` stores each as a Zstandard frame or as coded planes, which
``plane_coders`` gives to C (``compiled_coder``) or to numba (``context_coder``, ``prediction_coder``, ``fast_coder``
over ``binary_model``, ``range_coder``); ``quantized_set``: what codes mean.
"""
