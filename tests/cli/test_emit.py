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
    return json.loads((folder / "igs_decode_glsl.json").read_text())


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


@pytest.mark.parametrize("options", [[], ["--shared"], ["--textures", "bc"]])
def test_a_second_language_leaves_all_of_the_first(run, folder, tmp_path, options):
    """README.md and igs_decode.json were the last one's, and its jobs of textures broke the other's shaders."""
    languages = ["glsl", "hlsl", *(["wgsl"] if "--shared" in options else [])]
    apart, together = {}, tmp_path / "together"
    together.mkdir()
    (together / "README.md").write_text("about this game")
    for language in languages:
        arguments = ("emit", folder / "b.igs", "--lang", language, "--no-mips", *options)
        for out in (tmp_path / language, together):
            assert run(*arguments, "-o", out, "-q") == (0, "", "")
        apart |= {path.name: path.read_bytes() for path in (tmp_path / language).iterdir()}
        written = {path.name for path in (tmp_path / language).iterdir()}
        assert {"igs_data.bin", f"igs_decode_{language}.json", f"igs_readme_{language}.md"} < written
        page = (tmp_path / language / f"igs_readme_{language}.md").read_text()
        assert page.splitlines()[0].endswith(f" in {language.upper()}")
        assert f"`igs_decode_{language}.json`" in page
        assert json.loads((together / f"igs_decode_{language}.json").read_text())["language"] == language
    assert {path.name: path.read_bytes() for path in together.iterdir()} == apart | {"README.md": b"about this game"}


def test_a_decoder_that_no_longer_fits_the_buffer_is_named(run, folder, tmp_path):
    emit = ("emit", "-o", tmp_path / "out", "--no-mips")
    assert run(*emit, folder / "b.igs")[2] == ""
    assert run(*emit, folder / "b.igs", "--lang", "hlsl")[2] == ""  # the buffer is the same
    code, _, err = run(*emit, folder / "b.igs", "--lang", "hlsl", "--block-size", "8")
    assert code == 0
    assert err.splitlines() == [
        f"imagegs-tex: {tmp_path}/out/{name} was made for another igs_data.bin than the one that is there now; "
        "emit it again, too"
        for name in ("igs_decode.glsl", "igs_decode_texture.glsl")
    ]
    assert run(*emit, folder / "b.igs", "-q")[2] == ""
    assert run(*emit, folder / "a.igs", "--prefix", "wall_", "--lang", "hlsl")[2] == ""  # a buffer of its own


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
    page = (tmp_path / "out" / "igs_readme_glsl.md").read_text()
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
