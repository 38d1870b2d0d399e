"""Groups of channels that miss their grain at the same places."""

import numpy as np

from imagegs_tex.detail.groups import strength_groups


def strengths(*patterns):
    """By block [1, blocks, C], each channel's root mean square 1."""
    found = np.array(patterns, dtype=np.float64).T[None]
    return found / np.sqrt(np.square(found).mean(axis=(0, 1)))


EVERYWHERE, LEFT, RIGHT = (1, 1, 1, 1), (1, 1, 0, 0), (0, 0, 1, 1)


def test_channels_of_one_pattern_are_one_group():
    assert strength_groups(strengths(EVERYWHERE, (1, 1, 1, 0.8), EVERYWHERE), [0, 1, 2], 3) == [[0, 1, 2]]


def test_other_patterns_are_other_groups_whatever_the_order():
    found = strength_groups(strengths(LEFT, RIGHT, LEFT, RIGHT), [0, 1, 2, 3], 3)
    assert sorted(found) == [[0, 2], [1, 3]]


def test_channels_that_are_not_asked_for_are_in_no_group():
    assert strength_groups(strengths(LEFT, RIGHT, LEFT), [0, 2], 3) == [[0, 2]]


def test_there_are_no_more_groups_than_components():
    apart = np.eye(4)
    found = strength_groups(strengths(*apart), [0, 1, 2, 3], 2)
    assert len(found) == 2
    assert sorted(channel for group in found for channel in group) == [0, 1, 2, 3]
