import numpy as np
import pytest

from imagegs_tex.formats import row_threads
from imagegs_tex.formats.row_threads import both, in_bands, side_by_side


def test_bands_cover_all_rows_in_order(monkeypatch):
    values = np.random.default_rng(0).random((1000, 3)).astype(np.float32)
    found = [in_bands(lambda rows: values[rows].sum(axis=0), len(values), 64)]
    monkeypatch.setattr(row_threads, "_available", lambda: 1)
    found.append(in_bands(lambda rows: values[rows].sum(axis=0), len(values), 64))
    assert len(found[0]) == 16
    assert np.array_equal(found[0], found[1])
    assert np.allclose(np.sum(found[0], axis=0), values.sum(axis=0))


def test_the_first_failure_is_told():
    def work(item):
        raise ValueError(str(item))

    with pytest.raises(ValueError, match="3"):
        side_by_side(work, [3, 1, 2])
    assert side_by_side(str, ()) == []


@pytest.mark.parametrize("cores", [1, 2])
def test_both_return_in_order_and_tell_of_failures(monkeypatch, cores):
    monkeypatch.setattr(row_threads, "_available", lambda: cores)
    assert both(lambda: 1, lambda: "two") == (1, "two")
    for functions in ((list, lambda: 1 // 0), (lambda: 1 // 0, list)):
        with pytest.raises(ZeroDivisionError):
            both(*functions)
