import threading
from dataclasses import replace

import pytest
from helpers.igs_sets import make_set
from helpers.made_gaussians import made_detail
from helpers.made_residual import made_residual

from imagegs_tex.encoder import encoded_files
from imagegs_tex.encoder.encoded_files import EncodedFiles
from imagegs_tex.formats.igs import container
from imagegs_tex.formats.igs.container import encode_igs


@pytest.fixture
def coded(monkeypatch):
    """Counts how often codes are coded."""
    found, code = [], container._stored_codes
    monkeypatch.setattr(
        container, "_stored_codes", lambda *given, **check: found.append(given[0]) or code(*given, **check)
    )
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


def test_a_file_is_coded_once_and_read_back_while_others_wait_for_it(coded):
    plain, files = make_set(channels=3), EncodedFiles()
    layered = replace(plain, detail=made_detail(3), residual=made_residual(plain))
    checks = [files.check(one) for one in (plain, layered, layered)]
    size = files.size_beside(layered)
    assert files.encoded(plain) == encode_igs(plain)
    assert [check.result() for check in checks] == [True] * 3
    assert files.encoded(layered) == encode_igs(layered)
    assert size.result() == len(encode_igs(layered))
    files.close()
    assert len(coded) == 4  # once for the files, and thrice here


def test_no_thread_is_left():
    threads, files = threading.active_count(), EncodedFiles()
    files.check(make_set())
    files.close()
    assert threading.active_count() == threads


def test_no_more_than_the_last_files_are_kept():
    plain, files = make_set(channels=3), EncodedFiles()
    for seed in range(9):
        files.encoded(replace(plain, detail=made_detail(3, seed=seed)))
    assert len(files._kept) == encoded_files._KEPT
    assert all(file.like is None for file in files._kept)


def test_what_was_read_back_is_not_read_again(monkeypatch):
    plain, files, seen, reads_back = make_set(channels=3), EncodedFiles(), [], encoded_files.reads_back
    monkeypatch.setattr(encoded_files, "reads_back", lambda *given: seen.append(given[2]) or reads_back(*given))
    with_residual = replace(plain, residual=made_residual(plain))
    for one in (with_residual, replace(with_residual, detail=made_detail(3))):
        assert files.check(one).result()
    other = replace(plain, residual=made_residual(plain, seed=2))
    assert files.check(other).result()
    assert seen[0] <= {"shapes", "features"}
    assert seen[1:] == [{*container.SECTIONS, "residual"}, {*container.SECTIONS}]


def test_a_file_that_holds_something_else_is_told(monkeypatch):
    plain = make_set(channels=3)
    layered = replace(plain, detail=made_detail(3))
    other = replace(layered, detail=made_detail(3, seed=5))
    assert encode_igs(other) != encode_igs(layered)
    files, encode = EncodedFiles(), encoded_files.encode_igs
    assert files.check(plain).result()
    monkeypatch.setattr(encoded_files, "encode_igs", lambda _, *given, **named: encode(other, *given, **named))
    assert not files.check(layered).result()


def test_a_fault_of_the_coder_reaches_all_who_wait(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr(encoded_files, "encode_igs", fail)
    plain, files = make_set(channels=3), EncodedFiles()
    check = files.check(plain)
    for wait in (check.result, lambda: files.encoded(plain)):
        with pytest.raises(RuntimeError, match="broken"):
            wait()
