"""The shared test materials: their sizes, and whether two stacks of one are the same."""

import numpy as np

from imagegs_tex.formats.igs.map_table import pack_maps

# Width, height, coded channels.
LAYOUTS = {
    "boombox": (2048, 2048, 12),
    "brick_wall_017": (1024, 1024, 9),
    "bricks_npot_1000": (1000, 1000, 11),  # metallic is tinted by up to 6/255, so it is not grey
    "caution_panel": (1024, 1024, 13),
    "fabric_pattern_07": (1024, 1024, 9),
    "facade_005_tiles": (1024, 1024, 9),
    "flight_helmet_lenses": (1024, 1024, 8),
    "flight_helmet_metal_parts": (2048, 2048, 9),
    "franka_link0": (2048, 2048, 9),
    "ground_037_packed": (1024, 1024, 8),
    "image_anime_character": (456, 700, 4),
    "image_anime_meadow": (1280, 720, 3),
    "image_hdr_arboretum": (768, 768, 3),
    "image_photo_plaigne": (1536, 864, 3),
    "image_vector_castle": (1800, 1588, 3),
    "mossy_rock_053": (1024, 1024, 9),
    "rosewood_veneer1": (1024, 1024, 7),
    "rusty_metal_053c": (1024, 1024, 9),
    "scratched_metal_055a": (1024, 1024, 9),
    "shrub_01_cutout": (2048, 2048, 7),
    "stylized_stone_floor_001": (1024, 1024, 7),
}


def assert_same(stack, other):
    """All that an .igs file is made of."""
    assert pack_maps(stack.maps) == pack_maps(other.maps)
    assert np.array_equal(stack.texels, other.texels)
    assert (stack.wrap, stack.weights) == (other.wrap, other.weights)
