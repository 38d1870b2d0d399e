"""Who waits for whom before a launch in turns; it needs no GPU."""

import numpy as np
import torch

from imagegs_tex.quantize.turns_cuda import earlier_in_squares, shuffled_numbers, shuffled_order


def test_numbers_are_shuffled_and_none_comes_twice():
    numbers = shuffled_numbers(5000)
    assert len(np.unique(numbers)) == 5000
    assert 0 <= numbers.min() < numbers.max() < 1 << 32
    assert abs(np.corrcoef(numbers, np.arange(5000))[0, 1]) < 0.05
    assert np.all(np.diff(numbers[shuffled_order(5000)]) < 0)


def test_each_waits_for_the_last_before_it_in_each_of_its_squares():
    rng = np.random.default_rng(1)
    squares = [rng.choice(12, rng.integers(1, 5)) for _ in range(30)]  # of each place; some come twice
    keys = np.concatenate([own << 32 | place for place, own in enumerate(squares)]).astype(np.int64)
    found = earlier_in_squares(torch.from_numpy(keys)).numpy()
    owners = np.repeat(np.arange(30), [len(own) for own in squares])
    for place, own in enumerate(squares):
        wanted = {max((other for other in range(place) if square in squares[other]), default=-1) for square in own}
        assert set(found[owners == place]) - {-1} == wanted - {-1}


def test_nobody_waits_where_there_are_no_squares():
    assert earlier_in_squares(torch.zeros(0, dtype=torch.int64)).tolist() == []
    assert earlier_in_squares(torch.tensor([7 << 32])).tolist() == [-1]
