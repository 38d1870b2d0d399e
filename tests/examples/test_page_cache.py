"""The sample that keeps a cache of pages, with small materials on this machine's OpenGL."""

import importlib
import sys

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from PIL import Image

from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ

MAPS = (
    made_map("colour", Semantic.BASE_COLOUR, (Coded(0), Coded(1), Coded(2))),
    made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
)
MAGENTA = (255, 0, 255)
"""Where no page of a material is there."""
FRAMES, A_FRAME = 2, 40


@pytest.mark.gl
def test_pages_are_made_once_and_drawn(repository, tmp_path, monkeypatch, capsys):
    pytest.importorskip("moderngl")
    write_igs(tmp_path / "plain.igs", made_set(16, 12, 20, 5, maps=MAPS))
    write_igs(tmp_path / "noise.igs", made_set(16, 16, 20, 5, maps=MAPS, detail={"components": 3}))
    monkeypatch.syspath_prepend(str(repository / "examples"))
    page_cache = importlib.import_module("page_cache")
    for name, value in {"A_FRAME": A_FRAME, "WIDTH": 240, "HEIGHT": 150, "SMALLER": 2}.items():
        monkeypatch.setattr(page_cache, name, value)
    monkeypatch.setattr(sys, "argv", ["page_cache.py", str(tmp_path), str(tmp_path / "floor.png"), str(FRAMES)])
    page_cache.main()
    lines = capsys.readouterr().out.splitlines()
    rows = [[int(word.replace(",", "")) for word in line.split()] for line in lines if line[:5].strip().isdigit()]
    assert [(row[0], row[4], row[5]) for row in rows] == [(0, A_FRAME, A_FRAME), (1, A_FRAME, 2 * A_FRAME)]
    assert all(pages == hits + misses for _, pages, hits, misses, *_ in rows)
    assert rows[1][2] == A_FRAME  # those of the first frame
    with Image.open(tmp_path / "floor.png") as image:
        texels = np.asarray(image.convert("RGB"))
    floor, missing = np.any(texels > 8, axis=2).mean(), np.all(texels == MAGENTA, axis=2).mean()
    assert floor > 0.5
    assert missing == 0.0  # each of the 64 materials has its coarsest page by then
