"""What is said of poor results: when, of which map, and with which numbers."""

import math
import re
from dataclasses import replace

import pytest
from helpers.made_gaussians import made_map

from imagegs_tex.advice import (
    GOOD_CONTRAST,
    GOOD_DB,
    GOOD_DEGREES,
    GOOD_FLIP,
    MENDED_DB,
    POOR_CONTRAST,
    POOR_DB,
    POOR_DEGREES,
    POOR_FLIP,
    POOR_PLAIN_DB,
    POOR_SHAPES,
    POOR_STRUCTURE_DEGREES,
    Closeness,
    closeness_of,
    comes_out_flat,
    larger_than_source,
    target_names,
    warnings_of,
)
from imagegs_tex.encoder.target_text import parse_target
from imagegs_tex.formats.vocabulary import Coded, Constant, Semantic
from imagegs_tex.metrics.byte_ledger import ByteLedger
from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.settings import LEAST_TEXELS_PER_GAUSSIAN

LEDGER = ByteLedger(
    header=100, maps=50, components=50, index=200, positions=2000, shapes=4000, features=3800, detail=0,
    residual=0, repeat=0, exact=0, features_by_map=(), per_gaussian=5.0,
)  # fmt: skip
COLOUR = MapScore(
    name="basecolor", semantic="base_colour", channels=3, psnr_db=27.0, ssim=0.5, flip=None, normal_degrees_mean=None,
    normal_degrees_p95=None, squared_error=1.0, values=1, kept_contrast=(0.5, 0.7, 0.9, 1.0),
)  # fmt: skip
NORMAL = replace(COLOUR, name="normal", semantic="normal", normal_degrees_mean=3.0, normal_degrees_p95=9.0)
COUNT, TEXELS = 2000, 1 << 20


def said(*scores, count=COUNT, texels=TEXELS, targets=()):
    return warnings_of(scores, LEDGER, count, texels, targets)


def test_a_good_file_has_no_warning():
    assert said(COLOUR, NORMAL) == ()


def test_bent_normals_get_a_target_and_its_bytes():
    (line,) = said(COLOUR, replace(NORMAL, normal_degrees_mean=2 * GOOD_DEGREES, normal_degrees_p95=25.0))
    assert line.startswith("normal: normals are 8.0 degrees off on average, one in twenty 25 or more; ")
    # half the angle: 2 ** 2.5 = 5.7 times as many Gaussians, of 5 bytes each, and 200 bytes besides
    assert line.endswith("--target normal=4deg takes about 57kB")


@pytest.mark.parametrize(
    "score",
    [
        replace(NORMAL, normal_degrees_mean=12.0, normal_degrees_p95=30.0),
        replace(COLOUR, flip=POOR_FLIP + 0.1),
        replace(NORMAL, normal_degrees_mean=7.0, normal_degrees_p95=20.0),
    ],
)
def test_a_file_with_all_gaussians_that_help_is_not_told_to_take_fewer_bytes(score):
    (line,) = said(score, texels=COUNT * LEAST_TEXELS_PER_GAUSSIAN)
    assert line.endswith("; it has as many Gaussians as help, and more bytes will not")
    assert "--max-bytes" not in line


def test_few_normals_that_are_far_off_count_too():
    assert said(replace(NORMAL, normal_degrees_mean=POOR_DEGREES - 1, normal_degrees_p95=40.0))
    assert not said(replace(NORMAL, normal_degrees_mean=POOR_DEGREES - 1, normal_degrees_p95=12.0))


def test_grain_of_normals_that_is_drawn_is_not_off():
    grainy = replace(NORMAL, normal_degrees_mean=13.8, normal_degrees_p95=29.0)
    assert said(grainy)
    assert not said(replace(grainy, normal_degrees_structure=2.9))
    assert said(replace(grainy, normal_degrees_structure=POOR_STRUCTURE_DEGREES))


def test_lost_contrast_gets_the_bytes_that_keep_half():
    (line,) = said(replace(COLOUR, kept_contrast=(0.1, 0.5, 0.8, 1.0)), NORMAL)
    # the next octave is kept by half: four times the Gaussians, of 5 bytes each, and 200 bytes besides
    assert line == "basecolor keeps 10 % of its finest contrast; --max-bytes 41kB would keep about 50 %"
    (line,) = said(replace(COLOUR, kept_contrast=(0.1, 0.2, 0.8, 1.0)))
    assert "--max-bytes 81kB" in line  # an octave and a half: 8 times


@pytest.mark.parametrize(
    ("flip", "texels", "end"),
    [
        (2 * GOOD_FLIP, TEXELS, "0.20, colours that differ at a glance; --max-bytes 57kB would bring it to about 0.1"),
        (
            POOR_FLIP + 0.05,
            TEXELS,
            "0.25, colours that differ at a glance; --max-bytes 100kB would bring it to about 0.1",
        ),
        (0.9, 3 * 2 * COUNT, "0.90, colours that differ at a glance; --max-bytes 21kB is about the most that helps"),
    ],
)
def test_colours_that_are_off_get_the_bytes_that_mend_them(flip, texels, end):
    (line,) = said(replace(COLOUR, flip=flip), replace(COLOUR, name="emissive", flip=POOR_FLIP), NORMAL, texels=texels)
    assert line == f"basecolor: a mean FLIP error of {end}"
    assert not said(replace(COLOUR, flip=POOR_FLIP - 0.01), texels=texels)


def test_the_worst_map_is_named():
    bad, worse = (
        replace(COLOUR, name=name, kept_contrast=(kept, 0.5, 0.8, 1.0)) for name, kept in [("a", 0.2), ("b", 0.1)]
    )
    (line,) = said(bad, worse)
    assert line.startswith("b keeps 10 %")


def test_a_map_far_below_all_others_is_said_where_nothing_else_is():
    far = replace(COLOUR, psnr_db=MENDED_DB - 6)  # 8 times the Gaussians, of 5 bytes each, and 200 bytes besides
    (line,) = said(far, NORMAL)
    assert line == (
        "basecolor is at 22.0 dB, far from its source texel by texel; --max-bytes 81kB would bring it to about 28 dB"
    )
    (line,) = said(far, texels=3 * 2 * COUNT)
    assert line.endswith("--max-bytes 21kB is about the most that helps")
    grainy = replace(far, kept_contrast=(0.1, 0.5, 0.8, 1.0), kept_contrast_with_detail=(0.97, 1.0, 1.0, 1.0))
    assert not said(grainy)
    (line,) = said(replace(grainy, psnr_db=POOR_DB - 2))
    assert line == "basecolor is at 20.0 dB, far from its source texel by texel; its grain is drawn anew"
    (line,) = said(replace(far, flip=POOR_FLIP))
    assert "FLIP" in line  # one line of a map
    of_other_maps = replace(grainy, psnr_db=POOR_DB - 2, kept_contrast_with_detail=grainy.kept_contrast)
    assert not any("drawn" in line for line in said(of_other_maps)), "a layer that adds nothing to it draws nothing"
    assert not said(replace(far, psnr_db=POOR_PLAIN_DB))


def test_one_poor_map_of_several_gets_a_target_of_its_own():
    far = replace(COLOUR, name="metal", semantic="metallic", psnr_db=MENDED_DB - 6, squared_error=0.1, values=10)
    names = ("base_colour", "normal", "metallic")
    all_db = -10 * math.log10((2 + 0.1) / 12)  # 7.57
    assert round(all_db, 2) == 7.57
    (line,) = said(COLOUR, NORMAL, far, targets=names)
    assert line == (
        "metal is at 22.0 dB, far from its source texel by texel; --target-psnr 7.5 --target metallic=28 would bring "
        "it to 28 dB, mostly in fewer bytes than --max-bytes 81kB for all maps"
    )
    (line,) = said(COLOUR, NORMAL, far, targets=names, texels=3 * 2 * COUNT)
    assert line.endswith("; --max-bytes 21kB is about the most that helps")  # by which no target is reached either
    (line,) = said(COLOUR, NORMAL, far, targets=names, texels=COUNT)
    assert line.endswith("more bytes will not")
    lost = replace(far, psnr_db=30.6, kept_contrast=(0.15, 0.28, 0.39, 0.45), kept_contrast_with_detail=(0.9,) * 4)
    (line,) = said(COLOUR, NORMAL, lost, targets=names)
    assert line.endswith(
        "; --target-psnr 7.5 --target metallic=33 would keep more of them, mostly in fewer bytes than --max-bytes 41kB "
        "for all maps"
    )
    for scores, targets in (
        ((COLOUR, replace(NORMAL, psnr_db=20.0), far), names),  # more than one is poor
        ((COLOUR, replace(COLOUR, flip=POOR_FLIP), far), names),
        ((COLOUR, NORMAL, far), ("base_colour", "normal", None)),  # it has no name of its own
        ((COLOUR, NORMAL, far), ()),
        ((far,), ("metallic",)),  # all the bytes are its own
    ):
        assert not any("--target" in each for each in said(*scores, targets=targets))


def test_maps_that_a_target_asks_for_alone():
    coded = tuple(Coded(index) for index in range(4))
    colour = made_map("a", Semantic.BASE_COLOUR, coded[:3])
    rough = made_map("r", Semantic.ROUGHNESS, coded[:1])
    packed = replace(
        made_map("p", Semantic.OCCLUSION, coded[:3]),
        channel_semantics=(Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC),
    )
    opaque = replace(
        made_map("o", Semantic.BASE_COLOUR, (*coded[:3], Constant(1.0))),
        channel_semantics=(*[Semantic.BASE_COLOUR] * 3, Semantic.OPACITY),
    )
    cut_out = replace(opaque, routes=coded)
    assert target_names([colour, rough]) == ("base_colour", "roughness")
    assert target_names([colour, rough, packed]) == ("base_colour", None, None)
    assert target_names([colour, colour]) == (None, None)
    assert target_names([opaque]) == ("base_colour",)
    assert target_names([cut_out]) == (None,)
    for semantic in Semantic:
        (name,) = target_names([made_map("m", semantic, coded[:1])])
        assert parse_target(f"{name}=28").semantic == semantic


def test_a_map_that_others_tell_does_not_come_out_flat():
    assert comes_out_flat(replace(COLOUR, kept_contrast=(0.1, 0.2, None, 0.3)))
    assert not comes_out_flat(replace(COLOUR, kept_contrast=(0.1, 0.96, 0.83, 1.0)))


def test_shapes_that_are_gone_are_said_whatever_grain_is_drawn_over_them():
    lost = replace(COLOUR, kept_contrast=(0.15, 0.28, 0.39, 0.45), kept_contrast_with_detail=(0.9, 0.9, 0.8, 0.6))
    (line,) = said(lost, COLOUR)
    assert line == (  # four times the Gaussians
        "basecolor keeps 39 % of the contrast of its shapes, and grain is drawn where they were; "
        "--max-bytes 41kB would keep more of them"
    )
    (line,) = said(lost, texels=COUNT)
    assert line.endswith("more bytes will not")
    assert not said(replace(lost, psnr_db=GOOD_DB))  # little is missing
    assert not said(replace(lost, kept_contrast=(0.15, 0.4, POOR_SHAPES, 0.9)))


@pytest.mark.parametrize(
    ("score", "word"),
    [
        (COLOUR, Closeness.FAIR),
        (replace(COLOUR, psnr_db=GOOD_DB), Closeness.CLOSE),
        (replace(COLOUR, psnr_db=GOOD_DB, flip=GOOD_FLIP + 0.01), Closeness.FAIR),
        (replace(COLOUR, psnr_db=GOOD_DB, kept_contrast=(GOOD_CONTRAST - 0.01, 1.0, 1.0, 1.0)), Closeness.FAIR),
        (replace(COLOUR, psnr_db=45.0, kept_contrast=(0.1, 1.0, 1.0, 1.0)), Closeness.CLOSE),  # nobody misses it
        (replace(COLOUR, psnr_db=19.6, kept_contrast_with_detail=(1.0, 1.0, 1.0, 1.0)), Closeness.ROUGH),
        (
            replace(COLOUR, psnr_db=34.7, kept_contrast=(0.4, 0.7, 0.9, 1.0), kept_contrast_with_detail=(1.0,) * 4),
            Closeness.FAIR,
        ),
        (replace(COLOUR, psnr_db=GOOD_DB, flip=POOR_FLIP), Closeness.ROUGH),
        (replace(COLOUR, psnr_db=GOOD_DB, kept_contrast=(POOR_CONTRAST - 0.01, 1.0, 1.0, 1.0)), Closeness.ROUGH),
        (replace(NORMAL, psnr_db=GOOD_DB), Closeness.CLOSE),
        (replace(NORMAL, psnr_db=GOOD_DB, normal_degrees_mean=GOOD_DEGREES + 0.1), Closeness.FAIR),
        (replace(NORMAL, psnr_db=GOOD_DB, normal_degrees_mean=POOR_DEGREES), Closeness.ROUGH),
        (replace(COLOUR, psnr_db=GOOD_DB, kept_contrast=None), Closeness.CLOSE),
    ],
)
def test_a_word_for_each_map_goes_by_what_is_warned_of(score, word):
    assert closeness_of(score) == word
    warned = said(score) != ()
    assert warned == (word == Closeness.ROUGH)


def test_what_nobody_sees_is_not_said():
    faint = (POOR_CONTRAST / 2, 0.3, 0.5, 0.9)
    assert not said(replace(COLOUR, psnr_db=45.0, kept_contrast=faint))
    assert not said(replace(COLOUR, kept_contrast=None))
    assert not said(replace(COLOUR, kept_contrast=(None, None, 0.8, 0.9)))


def test_no_more_than_the_most_gaussians_is_proposed():
    """One for three texels: what is beyond is not promised."""
    texels = 3 * 2 * COUNT
    (bent,) = said(replace(NORMAL, normal_degrees_mean=20.0, normal_degrees_p95=50.0), texels=texels)
    assert bent.endswith("--max-bytes 21kB is about the most that helps")
    (flat,) = said(replace(COLOUR, kept_contrast=(0.1, 0.5, 0.8, 1.0)), texels=texels)
    assert flat.endswith("--max-bytes 21kB would keep about 30 %")  # twice: half an octave


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m"])
def test_names_of_files_are_not_trusted(name):
    (line,) = said(replace(COLOUR, name=name, kept_contrast=(0.1, 0.5, 0.8, 1.0)))
    assert not re.search(r"[\n\x1b]", line)


def test_a_file_larger_than_its_source_is_said():
    assert larger_than_source(900, 900) is None
    assert "1,200 bytes, more than the 900 of what it was made from" in larger_than_source(1200, 900)
