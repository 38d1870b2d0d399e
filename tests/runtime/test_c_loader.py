"""runtime/c/igs.h, under sanitizers, against the Python reader: the same codes, the same verdict on broken files."""

import random
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from helpers.broken_igs import BROKEN, breakable
from helpers.fuzz_igs import REPEAT_SET, RESIDUAL_SET, SETS, damaged, mutation
from helpers.igs_laws import WORDS, law_of, verdict
from helpers.igs_sets import File, fix_checksums, make_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_layer
from helpers.runtime_c import HEADER_FOLDER, SANITIZERS, WARNINGS, build, need_compiler, verdicts

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs import section_codecs
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.formats.igs.entropy import Entropy

GOLDEN = (1, 2, 3, 4, "4_exact", "4_residual", "4_repeat")
MADE = {
    "small": {},
    "one Gaussian": {"count": 1, "size": (1, 1), "channels": 1, "components": 1},
    "thin": {"count": 9, "size": (1, 200), "channels": 1, "components": 1, "cell_log2": 4},
    "wide codes": {"count": 300, "size": (64, 64), "cell_log2": 8, "feature_range": (-9000, 9000)},
    "predicted": {"count": 900, "size": (250, 250), "cell_log2": 3, "feature_range": (-3, 3), "wrap": (True, False)},
    "32 channels": {"count": 60, "channels": 32, "components": 32, "feature_range": (-4, 4)},
    "finest positions": {"count": 200, "size": (16384, 3), "cell_log2": 2, "channels": 1, "components": 1},
}

REPEATS = {
    "plain": {},
    "bricks": {"period": (12, 5), "origin": (3, 2), "shift": 6},
    "no weights": {"pictures": 0},
    "one texel": {"period": (1, 1), "pictures": 1},
    "larger than the picture": {"period": (64, 40), "origin": (50, 30), "components": 1},
    "many pictures": {"period": (9, 7), "pictures": 31, "density": 0.01},
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory, require_tool):
    need_compiler(require_tool)
    folder = tmp_path_factory.mktemp("programs")
    return {
        "tool": build(HEADER_FOLDER / "igs_tool.c", folder / "igs_tool", *SANITIZERS),
        "verdicts": build(HEADER_FOLDER.parents[1] / "tests/runtime/verdicts.c", folder / "verdicts", *SANITIZERS),
    }


@pytest.mark.parametrize(
    "command",
    [
        ("gcc", "-std=c99"),
        ("clang", "-std=c99"),
        ("g++", "-x", "c++", "-std=c++17"),
        ("clang++", "-x", "c++", "-std=c++17"),
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)
def test_it_compiles_without_warnings(command, require_tool, tmp_path):
    need_compiler(require_tool, command[0])
    done = subprocess.run(
        [*command, *WARNINGS, "-O1", "-c", HEADER_FOLDER / "igs_tool.c", "-o", tmp_path / "igs_tool.o"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def arrays(quantized):
    """What ``igs_tool codes`` writes."""
    shapes = g.shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    exponents = g.position_exponents(shapes, quantized)
    across, down = g.cell_grid(quantized.width, quantized.height, quantized.cell_log2)
    cells = g.cell_of(quantized.position_codes, exponents, quantized.cell_log2).astype(np.int64)
    firsts = np.searchsorted(cells[:, 1] * across + cells[:, 0], np.arange(across * down + 1))
    return b"".join(
        values.astype(dtype).tobytes()
        for values, dtype in (
            (firsts, "<u4"), (quantized.shape_codes, "<i2"), (quantized.position_codes, "<i4"), (exponents, "<i1"),
            (quantized.feature_codes, "<i2"), (quantized.offset_codes, "<u2"), (quantized.feature_steps, "<f4"),
            (quantized.basis_codes, "<i2"),
            *(() if quantized.exact is None else ((quantized.exact.codes, "<u4"),)),
            *(() if quantized.residual is None else coefficients(quantized.residual)),
            *(() if quantized.repeat is None else repeated(quantized.repeat)),
        )
    )  # fmt: skip


def coefficients(layer):
    return (layer.basis_codes, "<i2"), (layer.counts, "u1"), (layer.places, "<u2"), (layer.values, "<i2")


def repeated(layer):
    lattice = layer.lattice
    numbers = *lattice.period, *lattice.origin, lattice.shift, *reversed(layer.weight_codes.shape[1:])
    return *coefficients(layer.blocks), (np.array(numbers), "<u4"), (layer.weight_codes, "i1")


def assert_same_codes(programs, data, folder):
    path, out = folder / "material.igs", folder / "codes"
    path.write_bytes(data)
    done = subprocess.run([programs["tool"], "codes", path, out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == arrays(decode_igs(data))


@pytest.mark.parametrize("version", GOLDEN)
def test_golden_files_have_the_same_codes(version, programs, repository, tmp_path):
    data = (repository / "tests" / "golden" / f"version_{version}.igs").read_bytes()
    assert_same_codes(programs, data, tmp_path)


@pytest.mark.parametrize("settings", MADE.values(), ids=MADE)
def test_made_files_have_the_same_codes(settings, programs, tmp_path, monkeypatch):
    quantized = make_set(7, **settings)
    assert_same_codes(programs, encode_igs(quantized), tmp_path)
    assert_same_codes(programs, encode_igs(replace(quantized, entropy=Entropy.FAST)), tmp_path)
    monkeypatch.setattr(section_codecs, "MOST_PREDICTED_CODES", 0)  # by context
    assert_same_codes(programs, encode_igs(quantized), tmp_path)


@pytest.mark.parametrize("side_log2", [2, 3, 4])
@pytest.mark.parametrize("name", ["small", "one Gaussian", "32 channels"])
def test_made_residuals_have_the_same_codes(side_log2, name, programs, tmp_path):
    plain = make_set(7, **MADE[name])
    for components, scale in ((None, 1.0), (1, 400.0)):
        layer = made_layer(
            (plain.width, plain.height), plain.channel_count, side_log2, components=components, scale=scale
        )
        for entropy in Entropy if components else (Entropy.SMALL,):
            assert_same_codes(programs, encode_igs(replace(plain, residual=layer, entropy=entropy)), tmp_path)


@pytest.mark.parametrize("side_log2", [2, 3, 4])
@pytest.mark.parametrize("settings", REPEATS.values(), ids=REPEATS)
def test_made_repeats_have_the_same_codes(settings, side_log2, programs, tmp_path):
    quantized = with_repeat(make_set(7), **settings, side_log2=side_log2)
    for entropy in Entropy:
        assert_same_codes(programs, encode_igs(replace(quantized, entropy=entropy)), tmp_path)


RESIDUAL_LAWS = {
    "BLOCKS_SIDE": (0, b"\x05"),
    "BLOCKS_OFFSET": (3, b"\xbf"),
    "BLOCKS_STEP": (4, b"\0\0\xc0\x7f"),
    "BLOCKS_EMPTY": (8, b"\0\0\0\0"),
    "BLOCKS_COUNT": (8, b"\x01\x03\0\0"),
    "BLOCKS_CODES": (8, b"\x01\0\0\0"),
    "BLOCKS_COMPONENTS": (12, b"\x04"),
    "RESIDUAL_RESERVED": (15, b"\x01"),
}
"""Of fuzz_igs.py's set with a residual of six blocks: where a change of the section breaks which law."""


REPEAT_LAWS = {
    "BLOCKS_SIDE": (0, b"\x05"),
    "BLOCKS_OFFSET": (1, b"\x41"),
    "BLOCKS_STEP": (4, b"\0\0\xc0\x7f"),
    "BLOCKS_EMPTY": (8, b"\0\0\0\0"),
    "BLOCKS_COUNT": (8, b"\x01\x03\0\0"),
    "BLOCKS_CODES": (8, b"\x01\0\0\0"),
    "BLOCKS_COMPONENTS": (12, b"\x04"),
    "REPEAT_COMPONENTS": (12, b"\xff"),
    "REPEAT_PICTURES": (13, b"\x20"),
    "REPEAT_NO_PICTURE": (13, b"\0"),
    "REPEAT_PERIOD": (14, b"\0\0"),
    "REPEAT_ORIGIN": (18, b"\x0c"),
    "BLOCKS_MANY": (14, b"\0\x40\0\x01"),
    "REPEAT_WEIGHT_COUNT": (24, b"\0\0\0\0"),
    "REPEAT_WEIGHTS": (24, b"\x05\0\0\0"),
    "BLOCKS_LENGTH": (24, b"\xff\xff\xff\xff"),
    "REPEAT_WEIGHT_RANGE": (46, b"\xff\x7f"),
}
"""Likewise, of its set with a repeat of cells of 12 x 5 texels."""


@pytest.mark.parametrize(
    ("quantized", "laws", "short"),
    [(RESIDUAL_SET, RESIDUAL_LAWS, ("RESIDUAL_SHORT", 16)), (REPEAT_SET, REPEAT_LAWS, ("REPEAT_SHORT", 28))],
    ids=["residual", "repeat"],
)
def test_laws_of_blocks_are_refused_under_their_names(quantized, laws, short, programs):
    wanted, files = list(laws), []
    for at, data in laws.values():
        file = File.split(encode_igs(quantized))
        file.raws[-1] = file.raws[-1][:at] + data + file.raws[-1][at + len(data) :]
        files.append(file.join())
    law, head = short
    for length, broken in ((head - 1, law), (head + 14, "BLOCKS_LENGTH"), (None, "BLOCKS_CODES")):
        file = File.split(encode_igs(quantized))
        file.raws[-1] = (file.raws[-1] + b"\0")[:length]
        files.append(file.join())
        wanted.append(broken)
    assert [verdict(file) for file in files] == wanted
    assert verdicts(programs["verdicts"], files) == wanted


def test_a_repeat_too_large_or_beside_exact_samples_is_refused(programs, repository):
    large = File.split(encode_igs(with_repeat(make_set(4, channels=10, components=2), pictures=24)))
    large.raws[-1] = large.raws[-1][:14] + b"\0\x01\0\x01" + large.raws[-1][18:]
    exact = File.split((repository / "tests" / "golden" / "version_4_exact.igs").read_bytes())
    exact.raws.append(large.raws[-1])
    exact.entries.append({"number": 10})
    exact.header["section_count"] += 1
    files = [large.join(), exact.join()]
    assert [verdict(file) for file in files] == ["REPEAT_LARGE", "REPEAT_EXACT"]
    assert verdicts(programs["verdicts"], files) == ["REPEAT_LARGE", "REPEAT_EXACT"]


@pytest.mark.parametrize("quantized", [RESIDUAL_SET, REPEAT_SET], ids=["residual", "repeat"])
def test_damaged_blocks_have_the_same_verdict(quantized, programs):
    rng, files = random.Random(9), []
    for _ in range(150):
        file = File.split(encode_igs(quantized))
        file.raws[-1] = damaged(file.raws[-1], rng)
        files.append(file.join())
    found = verdicts(programs["verdicts"], files)
    assert found == [verdict(file) for file in files]
    assert found.count("OK") > 3
    assert len(set(found)) > 5


def test_laws_broken_one_by_one_are_refused_under_the_name_that_their_words_have(programs):
    files, wanted = [], []
    for change, words in BROKEN.values():
        file = File.split(encode_igs(breakable()))
        change(file)
        files.append(file.join())
        wanted.append(verdict(files[-1]))
        assert wanted[-1] != "OK", words
    assert verdicts(programs["verdicts"], files) == wanted
    assert len(set(wanted)) == 53  # of 87: what damage of exact samples and of detail breaks is fuzzed


def test_every_law_has_one_name():
    text = (HEADER_FOLDER / "igs.h").read_text("utf-8")
    named = [line.split("X(")[1].split(",")[0] for line in text.splitlines() if line.startswith("    X(")]
    assert set(named) - set(WORDS) == {"OK", "ARGUMENT", "NO_ZSTD", "FILE_LARGE", "INDEX_LIMIT"}
    assert len(named) == len(set(named)) == len(WORDS) + 5
    assert law_of("a.igs: section detail has 3 bytes instead of 9") == "DETAIL_LENGTH"


@pytest.mark.parametrize("version", GOLDEN)
def test_every_prefix_has_the_same_verdict(version, programs, repository):
    data = (repository / "tests" / "golden" / f"version_{version}.igs").read_bytes()
    files = [data[:length] for length in range(len(data))]
    found = verdicts(programs["verdicts"], [*files, data, data + b"\0"])
    assert found[len(data) :] == ["OK", "FILE_LENGTH"]
    assert found[: len(data)] == [verdict(file) for file in files]
    assert "OK" not in found[: len(data)]


def test_damaged_files_have_the_same_verdict(programs, repository):
    """Some hundred of the 20,000 of tests/helpers/fuzz_runtime.py."""
    rng = random.Random(20)
    files = [mutation(rng) for _ in range(400)]
    sources = [(repository / "tests" / "golden" / f"version_{version}.igs").read_bytes() for version in GOLDEN]
    sources += [encode_igs(replace(quantized, entropy=Entropy.FAST)) for quantized in SETS]
    for data in sources:
        for _ in range(25):
            changed = bytearray(data)
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            files.append(fix_checksums(bytes(changed)))
    wanted = [verdict(file) for file in files]
    found = verdicts(programs["verdicts"], files)
    differing = [(ours, theirs) for ours, theirs in zip(found, wanted, strict=True) if ours != theirs]
    # Zstandard's releases differ in which damaged blocks they take: Debian's is older than Python's
    assert all(theirs == "ZSTD_FRAME" for _, theirs in differing)
    assert len(differing) < 5
    assert 5 < wanted.count("OK") < len(files) // 2
    assert len(set(wanted)) > 20


def test_the_tool_says_what_is_wrong(programs, tmp_path, repository):
    broken = tmp_path / "broken.igs"
    broken.write_bytes(b"PNG, or so")
    done = subprocess.run([programs["tool"], "info", broken], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == f"igs_tool: {broken}: not an .igs file\n"
    golden = repository / "tests" / "golden" / "version_3.igs"
    done = subprocess.run([programs["tool"], "info", golden], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        "version 3, 72 x 52 texels, 350 Gaussians, 12 channels of 10 components, 3393 bytes\n"
    )
    assert "map emissive.exr: 3 channels, log, float16" in done.stdout
    assert subprocess.run([programs["tool"]], capture_output=True, check=False).returncode == 2
