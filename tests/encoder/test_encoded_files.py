from dataclasses import replace

import pytest
from helpers.igs_sets import make_set
from helpers.made_gaussians import made_detail
from helpers.made_residual import made_residual

from imagegs_tex.encoder.encoded_files import EncodedFiles
from imagegs_tex.formats.igs import container
from imagegs_tex.formats.igs.container import encode_igs


@pytest.fixture
def coded(monkeypatch):
    """Counts how often codes are coded."""
    found, code = [], container._stored_codes
    monkeypatch.setattr(container, "_stored_codes", lambda *given: found.append(given[0]) or code(*given))
    return found


def test_codes_are_coded_once_whatever_layers_come_and_go(coded):
    plain = make_set(channels=3)
    layered = replace(plain, detail=made_detail(3))
    files = EncodedFiles()
    found = [files.encoded(one) for one in (plain, layered, plain, layered, layered)]
    assert len(coded) == 1
    assert found == [encode_igs(one) for one in (plain, layered, plain, layered, layered)]
    assert files.size(layered) == len(found[1]) > len(found[0])


def test_other_codes_are_coded_anew(coded):
    plain, files = make_set(channels=3), EncodedFiles()
    others = [
        replace(plain, feature_codes=plain.feature_codes + 1),
        replace(plain, feature_steps=plain.feature_steps * 2),
        replace(plain, wrap=(True, False)),
        replace(plain, maps=plain.maps[:1] * 2),
    ]
    for one in (plain, *others):
        assert files.encoded(one) == encode_igs(one)
    assert len(coded) == 2 * (1 + len(others))


def test_a_residual_is_coded_once(monkeypatch):
    packed, pack = [], container.pack_residual_section
    monkeypatch.setattr(container, "pack_residual_section", lambda *given: packed.append(given[1]) or pack(*given))
    plain = make_set(channels=3)
    first, second = (replace(plain, residual=made_residual(plain, seed=seed)) for seed in (1, 2))
    sets = [plain, first, plain, replace(first, detail=made_detail(3)), second, replace(first, detail=made_detail(3))]
    files = EncodedFiles()
    found = [files.encoded(one) for one in sets]
    assert packed == [first.residual, second.residual]
    assert found == [encode_igs(one) for one in sets]
