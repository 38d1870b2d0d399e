"""Bytes of an .igs file in, a quantized set out, and back; docs/igs-format.md is the law.

``container`` joins the sections, ``section_codecs`` chooses how each is stored.
"""
