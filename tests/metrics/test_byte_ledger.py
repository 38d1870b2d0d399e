"""The byte ledger: it adds up, and gives features to the maps that they draw."""

from dataclasses import replace

import pytest
from helpers.made_gaussians import made_set
from helpers.made_residual import made_residual
from helpers.tiny_material import write_material

from imagegs_tex import CompressSettings, FitSettings, compress, info
from imagegs_tex.formats.igs.container import encode_igs, residual_bytes, section_sizes
from imagegs_tex.metrics.byte_ledger import byte_ledger


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    settings = CompressSettings(gaussian_count=300, fit=FitSettings(steps=8, refine_sweeps=0))
    report = compress(write_material(folder / "stone", 96, 80), folder / "a.igs", settings, "cpu")
    return report, info(folder / "a.igs")


def test_the_parts_are_the_file(found):
    _, file = found
    ledger = file.ledger
    parts = (ledger.header, ledger.maps, ledger.components, ledger.index, ledger.positions, ledger.shapes)
    assert sum(parts) + ledger.features == file.file_bytes
    assert sum(size for _, size in ledger.features_by_map) == pytest.approx(ledger.features)
    assert ledger.per_gaussian * file.gaussians == pytest.approx(
        file.file_bytes - ledger.header - ledger.maps - ledger.components
    )


def test_colour_costs_more_than_what_follows_from_it(found):
    _, file = found
    sizes = dict(file.ledger.features_by_map)
    assert set(sizes) == {"basecolor", "normal", "height", "roughness"}
    assert all(size > 0 for size in sizes.values())
    assert sizes["basecolor"] > sizes["height"]


def test_the_report_of_a_compression_has_the_same_ledger(found):
    report, file = found
    assert report.ledger == file.ledger


def test_a_residual_is_none_of_its_gaussians_bytes():
    plain = made_set()
    layered = replace(plain, residual=made_residual(plain))
    data = encode_igs(layered)
    ledger = byte_ledger(layered, section_sizes(data))
    assert ledger.residual > 100
    entry = ledger.header - byte_ledger(plain, section_sizes(encode_igs(plain))).header
    assert ledger.residual + entry == residual_bytes(layered)
    parts = (ledger.header, ledger.maps, ledger.components, ledger.index, ledger.positions, ledger.shapes)
    assert sum(parts) + ledger.features + ledger.residual == len(data)
    assert ledger.per_gaussian == byte_ledger(plain, section_sizes(encode_igs(plain))).per_gaussian
