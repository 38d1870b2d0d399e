"""``emit`` of one file, of several and of none."""

import json
import re
import shutil

import pytest


@pytest.fixture
def folder(repository, tmp_path):
    made = tmp_path / "materials"
    made.mkdir()
    for name, version in (("b", "3"), ("a", "4_exact")):
        shutil.copy(repository / "tests" / "golden" / f"version_{version}.igs", made / f"{name}.igs")
    return made


def described(folder):
    return json.loads((folder / "igs_decode.json").read_text())


def test_a_folder_becomes_one_buffer(run, folder, tmp_path):
    code, out, err = run("emit", folder, "-o", tmp_path / "out", "--no-mips")
    assert (code, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["0", "a"], ["1", "b"]]
    assert [each["material_name"] for each in described(tmp_path / "out")["materials"]] == ["a", "b"]


def test_one_file_has_its_own_decoder_unless_told_otherwise(run, folder, tmp_path):
    for number, options in enumerate(([], ["--specialised"], ["--shared"])):
        assert run("emit", folder / "b.igs", "-o", tmp_path / str(number), "--no-mips", "-q", *options)[0] == 0
    own, same, shared = (described(tmp_path / str(number)) for number in range(3))
    assert own == same
    assert ("accessors" in own, "accessors" in shared) == (True, False)


def test_the_decoder_alone_under_a_prefix(run, tmp_path):
    assert run("emit", "-o", tmp_path / "out", "--lang", "hlsl", "--prefix", "wall")[0] == 0
    assert "WallTexel wall_decode(uint material, float2 uv)" in (tmp_path / "out" / "wall_decode.hlsl").read_text()


def test_what_does_not_go_together(fails, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    out = ("-o", tmp_path / "out")
    assert "--specialised" in fails(2, "emit", folder, *out, "--specialised")
    assert "--textures" in fails(2, "emit", folder, *out, "--textures", "bc")
    assert "no .igs files" in fails(3, "emit", tmp_path / "empty", *out)
    assert "--prefix" in fails(2, "emit", folder, *out, "--prefix", "Wall")
    assert not (tmp_path / "out").exists()


def row_of(out, name):
    """The first number behind a row's name."""
    return int(re.search(rf"^{re.escape(name)} +([\d,]+) ", out, re.MULTILINE)[1].replace(",", ""))


def test_bytes_on_the_gpu_are_one_number_everywhere(run, repository, tmp_path):
    file = repository / "tests" / "golden" / "version_4_trained.igs"
    code, out, _ = run("emit", file, "-o", tmp_path / "out")
    assert code == 0
    whole = (tmp_path / "out" / "igs_data.bin").stat().st_size
    total, own, shared = (row_of(out, name) for name in ("buffer", "material", "once for all materials"))
    assert (total, own + shared, shared) == (whole, whole, 16 + 64 * 64 * 4)  # three words before, one behind, the tile
    assert sum(row_of(out, f"  {part}") for part in ("records", "index", "coarse levels", "detail")) < own
    assert row_of(out, "  noise tile") == 64 * 64 * 4
    page = (tmp_path / "out" / "README.md").read_text()
    assert f"{whole:,} bytes on the GPU: " in page
    assert f"\n{own:,} of them are the material's, {shared:,} are there once" in page
    found = json.loads(run("info", file, "--json")[1])
    assert found["gpu_shared_bytes"] == shared
    assert (
        own - described(tmp_path / "out")["buffer"]["material"]["coarse"]
        <= found["gpu_bytes"] - found["gpu_coarse_bytes"]
    )
    most = found["gpu_bytes"] + shared
    assert whole <= most
    shown = run("info", file)[1]
    assert (row_of(shown, "buffer, at most"), row_of(shown, "material")) == (most, found["gpu_bytes"])
