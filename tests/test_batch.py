from pathlib import Path

import numpy as np

from imagegs_tex.batch import BatchItem, compress_many
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import write_image
from imagegs_tex.reports import CompressReport
from imagegs_tex.settings import CompressSettings, FitSettings

SETTINGS = CompressSettings(gaussian_count=40, fit=FitSettings(steps=3))


def make_image(folder: Path, index: int) -> Path:
    y, x = np.mgrid[:40, :56]
    texels = np.stack([x * 4, y * 5, (x * index) % 256], axis=-1).astype(np.uint8)
    path = folder / f"picture_{index}.png"
    write_image(path, texels)
    return path


def test_one_bad_material_stops_no_other(tmp_path):
    sources = [make_image(tmp_path, 1), tmp_path / "missing.png", make_image(tmp_path, 2)]
    items = [BatchItem(source, tmp_path / f"{number}.igs") for number, source in enumerate(sources)]
    results = compress_many(items, SETTINGS, backend="cpu")
    assert isinstance(results[0], CompressReport)
    assert isinstance(results[1], InputError)
    assert isinstance(results[2], CompressReport)
    assert [item.output.exists() for item in items] == [True, False, True]


def test_a_file_is_the_same_as_when_compressed_alone(tmp_path):
    source = make_image(tmp_path, 3)
    items = [BatchItem(source, tmp_path / name) for name in ("a.igs", "b.igs")]
    compress_many(items, SETTINGS, backend="cpu")
    alone = [BatchItem(source, tmp_path / "alone.igs")]
    compress_many(alone, SETTINGS, backend="cpu")
    expected = (tmp_path / "alone.igs").read_bytes()
    assert [item.output.read_bytes() for item in items] == [expected] * 2
