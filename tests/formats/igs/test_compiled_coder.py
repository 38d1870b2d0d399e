"""The coders in C against those in numba: the same codes, the same bytes, the same words about damaged files."""

import random
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.fuzz_igs import SETS, damaged
from helpers.igs_sets import fix_checksums, make_set
from helpers.runtime_c import HEADER_FOLDER, WARNINGS

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import compiled_coder as compiled
from imagegs_tex.formats.igs import container, plane_coders, section_codecs
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.plane_coders import Codec

GOLDEN = (1, 2, 3, 4, "4_fast", "4_trained", "4_exact")
MADE = {
    "small": {},
    "one Gaussian": {"count": 1, "size": (1, 1), "channels": 1, "components": 1},
    "wide codes": {"count": 300, "size": (64, 64), "cell_log2": 8, "feature_range": (-9000, 9000)},
    "like each other": {"count": 900, "size": (250, 250), "cell_log2": 3, "feature_range": (-3, 3)},
    "32 channels": {"count": 60, "channels": 32, "components": 32, "feature_range": (-4, 4)},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory, require_tool):
    """Built from the sources as they are, whatever setup.py has built of earlier ones."""
    require_tool(shutil.which("gcc") is not None, "gcc is not installed")
    path = tmp_path_factory.mktemp("library") / "igs_coder.so"
    source = HEADER_FOLDER / "igs_coder.c"
    command = ["gcc", "-std=c99", "-O2", *WARNINGS, "-shared", "-fPIC", source, "-o", path, "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def using(library, monkeypatch):
    """Choose between the library and numba."""

    def use(*, the_library):
        monkeypatch.setattr(compiled, "LIBRARY", library if the_library else library.with_name("none.so"))
        compiled._library.cache_clear()
        assert compiled.is_compiled() is the_library

    yield use
    monkeypatch.undo()
    compiled._library.cache_clear()


def reading(data):
    """What comes of a file: its parts, or the words that refuse it."""
    try:
        found = decode_igs(data)
    except IgsError as error:
        return str(error)
    return [array.tolist() for array in (found.shape_codes, found.position_codes, found.feature_codes)]


def assert_same(using, files):
    using(the_library=True)
    found = [reading(data) for data in files]
    using(the_library=False)
    assert found == [reading(data) for data in files]
    return found


@pytest.mark.parametrize("settings", MADE.values(), ids=MADE)
def test_made_files_are_the_same_in_all_codecs(settings, using, monkeypatch):
    quantized = make_set(7, **settings)
    fast = replace(quantized, entropy=Entropy.FAST)
    files = {}
    for the_library in (False, True):
        using(the_library=the_library)
        files[the_library] = [encode_igs(quantized), encode_igs(fast)]
        with monkeypatch.context() as patched:
            patched.setattr(section_codecs, "MOST_PREDICTED_CODES", 0)  # by context
            files[the_library].append(encode_igs(quantized))
    assert files[True] == files[False]
    found = assert_same(using, files[False])
    assert found == [found[0]] * 3
    assert found[0][2] == quantized.feature_codes.tolist()


@pytest.mark.parametrize("version", GOLDEN)
def test_golden_files_are_the_same(version, using, repository):
    data = (repository / "tests" / "golden" / f"version_{version}.igs").read_bytes()
    (found,) = assert_same(using, [data])
    assert not isinstance(found, str)
    read = decode_igs(data)
    versions = [replace(read, entropy=entropy) for entropy in Entropy]
    using(the_library=True)
    encoded = [encode_igs(version) for version in versions]
    using(the_library=False)
    assert [encode_igs(version) for version in versions] == encoded


def test_damaged_files_are_refused_in_the_same_words(using, repository):
    rng = random.Random(4)
    sources = [encode_igs(replace(quantized, entropy=Entropy.FAST)) for quantized in SETS]
    sources += [
        (repository / "tests" / "golden" / f"version_{version}.igs").read_bytes() for version in (2, 3, 4, "4_trained")
    ]
    files = [fix_checksums(damaged(rng.choice(sources), rng)) for _ in range(150)]
    found = assert_same(using, files)
    refused = [words for words in found if isinstance(words, str)]
    assert 20 < len(refused) < len(found)
    assert sum("is not what its codes take" in words for words in refused) > 5


def test_it_writes_no_byte_beyond_the_room_that_it_has(using):
    using(the_library=True)
    counts = np.random.default_rng(0).integers(0, 5000, (64, 1)).astype(np.int32)
    coder = compiled.coder(compiled.Planes(Codec.FAST, compiled.CELLS, (8, 8), int(counts.sum())), writes=True)
    room = np.full(1000, 0xA5, np.uint8)
    used = coder(counts, room[:500])
    assert 64 < used < 500
    whole = room[:used].copy()
    assert np.all(room[used:] == 0xA5)
    for size in (0, 1, 7, used - 1):
        room[:] = 0xA5
        assert coder(counts, room[:size]) == -1
        assert np.all(room[size:] == 0xA5)
    assert coder(counts, room[:used]) == used
    assert np.array_equal(room[:used], whole)


def test_what_is_no_library_of_ours_is_not_used(library, monkeypatch, tmp_path):
    other = tmp_path / "igs_coder.so"
    other.write_text("no library")
    for path, variable in ((other, ""), (tmp_path / "none.so", ""), (library, "1")):
        monkeypatch.setattr(compiled, "LIBRARY", path)
        monkeypatch.setenv(compiled.VARIABLE, variable)
        compiled._library.cache_clear()
        assert not compiled.is_compiled()
    monkeypatch.setenv(compiled.VARIABLE, "")
    monkeypatch.setattr(compiled, "_INTERFACE", 0)
    compiled._library.cache_clear()
    assert not compiled.is_compiled()
    monkeypatch.undo()
    compiled._library.cache_clear()


@pytest.mark.parametrize("version", [2, 4])
def test_info_needs_no_numba(version, library, repository):
    modules = ("torch", "numba", "llvmlite", "PIL", "tifffile", "OpenEXR", "imagecodecs", "scipy")
    code = (
        f"import sys; from pathlib import Path; sys.modules.update(dict.fromkeys({modules}))\n"
        "from imagegs_tex.formats.igs import compiled_coder\n"
        "compiled_coder.LIBRARY = Path(sys.argv[1]); sys.argv = ['imagegs-tex', 'info', sys.argv[2]]\n"
        "from imagegs_tex.cli.main import main\n"
        "main()\n"
    )
    file = repository / "tests" / "golden" / f"version_{version}.igs"
    done = subprocess.run([sys.executable, "-c", code, library, file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"format version {str(version)[0]}" in done.stdout


FOLLOWED = (Codec.CONTEXT, Codec.PREDICTION, Codec.TRAINED)


def feature_planes(codec, settings):
    quantized = make_set(7, **settings)
    _, geometry, _ = container._pack_sections(container.header_of(quantized), quantized)
    return plane_coders._features(codec, geometry), quantized.feature_codes.astype(np.int32)


@pytest.mark.parametrize("codec", FOLLOWED)
@pytest.mark.parametrize("settings", MADE.values(), ids=MADE)
def test_a_reader_beside_the_writer_sees_the_same(codec, settings, using):
    using(the_library=True)
    planes, values = feature_planes(codec, settings)
    alone, beside = np.zeros((2, 16 * values.size + 64), np.uint8)
    used = compiled.coder(planes, writes=True)(values, alone)
    assert compiled.coder(planes, writes=True, followed=True)(values, beside) == used > 0
    assert np.array_equal(alone, beside)


@pytest.mark.parametrize("room", [1, 3, 4, 5, 60])
def test_a_writer_without_room_stops_its_reader(room, using):
    using(the_library=True)
    planes, values = feature_planes(Codec.TRAINED, MADE["wide codes"])
    assert compiled.coder(planes, writes=True, followed=True)(values, np.zeros(room, np.uint8)) == -1


@pytest.mark.parametrize("wrong", ["values", "bytes"])
def test_a_reader_that_sees_something_else_is_heard(wrong, using, monkeypatch):
    using(the_library=True)
    planes, values = feature_planes(Codec.TRAINED, MADE["small"])
    run = compiled._run

    def faulty(*given, writes, follow):
        used = run(*given, writes=writes, follow=follow)
        if not writes and wrong == "values":
            given[2][-1, -1] += 1
        return used - (not writes and wrong == "bytes")

    monkeypatch.setattr(compiled, "_run", faulty)
    with pytest.raises(RuntimeError, match="a fault of the coder"):
        compiled.coder(planes, writes=True, followed=True)(values, np.zeros(16 * values.size + 64, np.uint8))


@pytest.mark.parametrize("the_library", [False, True])
def test_files_that_are_checked_while_they_are_coded(the_library, using):
    using(the_library=the_library)
    for entropy in Entropy:
        quantized = replace(make_set(7, **MADE["like each other"]), entropy=entropy)
        data = encode_igs(quantized, check=True)
        assert data == encode_igs(quantized)
        beside = {"features"} if the_library and entropy == Entropy.SMALL else set()
        assert container.checked_sections(data) == beside
