"""Decoded maps in, textures with mip chains out, block-compressed as engines load them."""
