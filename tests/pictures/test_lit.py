import numpy as np
import pytest
from helpers.made_gaussians import made_map

from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.pictures.lit import lit_plane, lit_sphere, surface_of

COLOUR = made_map(routes=(Coded(0), Coded(1), Coded(2)))
NORMAL = made_map(semantic=Semantic.NORMAL, routes=(Coded(0), Coded(1), Coded(2)), transfer=Transfer.LINEAR)
ROUGH = made_map(semantic=Semantic.ROUGHNESS, transfer=Transfer.LINEAR)
PACKED = made_map(
    semantic=Semantic.OCCLUSION, routes=(Coded(0), Coded(1), Coded(2)), transfer=Transfer.LINEAR,
    channel_semantics=(Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC),
)  # fmt: skip


def plain(*values, size=8):
    return np.broadcast_to(np.array(values, np.uint8), (size, size, len(values)))


def test_maps_are_taken_for_what_they_mean():
    surface = surface_of([(COLOUR, plain(255, 0, 188)), (NORMAL, plain(255, 128, 128)), (PACKED, plain(51, 102, 255))])
    assert surface.albedo[0, 0] == pytest.approx([1, 0, 0.503], abs=2e-3)
    assert surface.normals[0, 0] == pytest.approx([1, 0, 0], abs=0.01)
    found = [plane[0, 0] for plane in (surface.occlusion, surface.roughness, surface.metallic)]
    assert found == pytest.approx([0.2, 0.4, 1.0])
    assert surface.used == ("base colour", "normal", "roughness", "metallic", "occlusion")


def test_green_may_point_down():
    up = surface_of([(NORMAL, plain(128, 200, 200))]).normals[0, 0, 1]
    down = surface_of([(NORMAL, plain(128, 200, 200))], green_up=False).normals[0, 0, 1]
    assert up > 0.5
    assert down == -up


def test_no_map_is_no_surface():
    with pytest.raises(ValueError, match="at least one map"):
        surface_of([])


def test_a_surface_that_turns_to_the_light_is_brighter():
    right, left = (surface_of([(NORMAL, plain(red, 128, 217))]) for red in (218, 38))
    light = (1.0, 0.0, 1.0)
    assert lit_plane(right, light)[0, 0, 0] > lit_plane(left, light)[0, 0, 0] + 60
    up, down = (surface_of([(NORMAL, plain(128, green, 217))]) for green in (218, 38))
    assert lit_plane(up, (0.0, 1.0, 1.0))[0, 0, 0] > lit_plane(down, (0.0, 1.0, 1.0))[0, 0, 0] + 60


def test_occlusion_darkens_and_colour_colours():
    lit = lit_plane(surface_of([(COLOUR, plain(200, 100, 50))]))[0, 0]
    assert lit[0] > lit[1] > lit[2]
    shaded = lit_plane(surface_of([(COLOUR, plain(200, 100, 50)), (PACKED, plain(0, 153, 0))]))[0, 0]
    assert np.all(shaded < lit)


def test_what_is_see_through_shows_what_is_behind():
    meanings = (Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,)
    cut_out = made_map(routes=tuple(Coded(index) for index in range(4)), channel_semantics=meanings)
    clear, solid = (lit_sphere(surface_of([(cut_out, plain(200, 200, 200, alpha))]), 32) for alpha in (0, 255))
    assert np.abs(clear.astype(int) - clear[0, 0]).max() <= 1
    assert solid[16, 16, 0] > clear[16, 16, 0] + 100


def test_a_smooth_sphere_has_a_small_bright_highlight_on_the_lights_side():
    spheres = [lit_sphere(surface_of([(ROUGH, plain(value))]), 96, (-1.0, 1.0, 1.0)) for value in (80, 230)]
    smooth, rough = (sphere.astype(int).sum(axis=2) for sphere in spheres)
    row, column = np.unravel_index(np.argmax(smooth), smooth.shape)
    assert row < 48
    assert column < 48
    assert smooth.max() > rough.max() + 100
    assert smooth[90, 90] == smooth[0, 0]  # outside of the sphere


def test_the_sphere_shows_the_material_upright():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32] = (255, 0, 0)  # the upper half
    picture[32:] = (0, 0, 255)
    sphere = lit_sphere(surface_of([(COLOUR, picture)]), 64, (0.0, 0.0, 1.0))
    assert sphere[20, 32, 0] > sphere[20, 32, 2] + 100
    assert sphere[44, 32, 2] > sphere[44, 32, 0] + 100
    picture[:] = (255, 0, 0)
    picture[:, 32:] = (0, 0, 255)  # the right half
    sphere = lit_sphere(surface_of([(COLOUR, picture)]), 64, (0.0, 0.0, 1.0), repeats=(2, 1))
    assert sphere[32, 20, 0] > sphere[32, 20, 2] + 100
    assert sphere[32, 44, 2] > sphere[32, 44, 0] + 100


def test_bumps_of_the_sphere_stand_out_towards_the_light():
    up, down = (lit_sphere(surface_of([(NORMAL, plain(128, green, 217))]), 48, (0.0, 1.0, 1.0)) for green in (218, 38))
    assert up[24, 24, 0] > down[24, 24, 0] + 60
    right, left = (lit_sphere(surface_of([(NORMAL, plain(red, 128, 217))]), 48, (1.0, 0.0, 1.0)) for red in (218, 38))
    assert right[24, 24, 0] > left[24, 24, 0] + 60
