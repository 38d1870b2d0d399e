"""Files written by every version so far decode to what they decoded to when they were written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from golden.make import decoded_maps, write_material
from helpers.igs_sets import File

from imagegs_tex.formats.igs.container import VERSION, decode_igs, encode_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.vocabulary import SampleFormat

FOLDER = Path(__file__).resolve().parent
TOLERANCES = {"uint8": 1, "uint16": 40, "float16": 0.02, "float32": 0.02}  # of the stored value; floats reach 30


NAMES = (
    *(f"version_{number}" for number in range(1, VERSION + 1)),
    "version_4_exact",
    "version_4_fast",
    "version_4_trained",
    "version_4_residual",
    "version_4_repeat",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_of_every_version_decodes_to_the_same_maps(name):
    path = FOLDER / f"{name}.igs"
    assert path.is_file(), f"{path.name} is missing: restore it; only a new version gets a new file (make.py)"
    with np.load(path.with_suffix(".npz")) as expected:
        decoded = decoded_maps(path)
        assert set(decoded) == set(expected.files)
        for stem, samples in decoded.items():
            wanted = expected[stem]
            assert samples.dtype == wanted.dtype
            assert samples.shape == wanted.shape
            difference = np.abs(samples.astype(np.float64) - wanted.astype(np.float64)).max()
            assert difference <= TOLERANCES[samples.dtype.name], stem


def test_the_fast_codec_holds_the_same_set():
    small, fast = (decode_igs((FOLDER / f"{name}.igs").read_bytes()) for name in ("version_4", "version_4_fast"))
    assert (small.entropy, fast.entropy) == (Entropy.SMALL, Entropy.FAST)
    assert encode_igs(replace(fast, entropy=Entropy.SMALL)) == encode_igs(small)


def test_no_golden_file_is_of_an_unknown_version():
    assert {path.name for path in FOLDER.glob("*.igs")} == {f"{name}.igs" for name in NAMES}


def test_the_current_version_still_writes_what_it_reads():
    """Header and contents of all sections; their compressed bytes may differ with another zstd."""
    for name in NAMES[-6:]:
        data = (FOLDER / f"{name}.igs").read_bytes()
        assert File.split(encode_igs(decode_igs(data))) == File.split(data)


def test_the_golden_file_resembles_its_source(tmp_path):
    write_material(tmp_path)
    decoded = decoded_maps(FOLDER / f"version_{VERSION}.igs")
    for source in tmp_path.iterdir():
        wanted, sample_format = read_image(source)
        found = decoded[source.stem]
        assert found.shape == wanted.shape
        error = np.abs(found.astype(np.float64) - wanted).mean() / (
            30 if sample_format == SampleFormat.FLOAT16 else sample_format.max_value
        )
        assert error < 0.03, source.name
