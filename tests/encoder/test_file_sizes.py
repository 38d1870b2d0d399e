from dataclasses import replace

from helpers.igs_sets import make_set

from imagegs_tex.encoder import encoded_files
from imagegs_tex.encoder.encoded_files import EncodedFiles
from imagegs_tex.encoder.file_sizes import FileSizes
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.entropy import Entropy


def test_a_guess_is_near_for_features_of_another_step():
    given = make_set(count=900, size=(300, 200))
    coarser = replace(given, feature_codes=given.feature_codes * 2 // 3)
    sizes = FileSizes(EncodedFiles())
    assert sizes.count(given) == len(encode_igs(given))
    assert sizes.guess(given) == len(encode_igs(given))
    size = len(encode_igs(coarser))
    assert size < 0.96 * len(encode_igs(given))
    assert abs(sizes.guess(coarser) - size) < 0.01 * size


def test_a_set_is_encoded_once(monkeypatch):
    encoded = []
    monkeypatch.setattr(encoded_files, "encode_igs", lambda found, *_, **__: encoded.append(found) or b"x" * 100)
    given, sizes = make_set(), FileSizes(EncodedFiles())
    assert [sizes.count(given), sizes.count(given), sizes.guess(given)] == [100] * 3
    sizes.guess(make_set(seed=1))
    assert len(encoded) == 1


def test_a_file_is_gauged_by_what_was_counted():
    given = make_set(count=900, size=(300, 200))
    coarser = replace(given, feature_codes=given.feature_codes * 2 // 3)
    exact, sizes = len(encode_igs(coarser)), FileSizes(EncodedFiles())
    assert abs(sizes.gauge(given) - len(encode_igs(given))) < 0.1 * len(encode_igs(given))
    assert sizes.count(given) == sizes.guess(given) == sizes.gauge(given) == len(encode_igs(given))
    assert abs(sizes.gauge(coarser) - exact) < 0.02 * exact
    assert sizes.guess(coarser) == sizes.gauge(coarser)
    assert sizes.count(coarser) == exact


def test_what_is_to_be_read_fast_is_gauged_exactly():
    given = replace(make_set(count=900, size=(300, 200)), entropy=Entropy.FAST)
    assert FileSizes(EncodedFiles()).gauge(given) == len(encode_igs(given))
