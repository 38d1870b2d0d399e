"""Where results go: folders, foreign suffixes, standard output, and what decoded maps would stand beside."""

import io
import json
import shutil
import subprocess
import sys

import pytest
from helpers.commands import SMALL
from helpers.tiny_material import as_bytes, waves

from imagegs_tex.formats.igs.container import decode_igs, read_igs
from imagegs_tex.formats.images import write_image


@pytest.mark.parametrize("spelling", ["{}/", "{}", "{}/new/"])
def test_a_folder_gets_a_file_of_the_sources_name(run, material, tmp_path, spelling):
    (tmp_path / "there").mkdir()
    output = spelling.format(tmp_path / "there")
    assert run("compress", material, "-o", output, *SMALL)[0] == 0
    found = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert [str(path) for path in found] == [output.removeprefix(f"{tmp_path}/").rstrip("/") + "/stone.igs"]
    assert read_igs(tmp_path / found[0]).gaussian_count == 40


def test_names_without_a_suffix_are_folders_and_images_give_their_stem(run, tmp_path, monkeypatch):
    picture = tmp_path / "my.wall.png"
    write_image(picture, as_bytes(waves(32, 32, 3)))
    assert run("compress", picture, "-o", tmp_path / "out", *SMALL)[0] == 0
    assert (tmp_path / "out" / "my.wall.igs").is_file()
    monkeypatch.chdir(tmp_path / "out")
    write_image(tmp_path / "out" / "albedo.png", as_bytes(waves(32, 32, 3)))
    assert run("compress", ".", "-o", "./", *SMALL)[0] == 0
    assert (tmp_path / "out" / "out.igs").is_file()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rusty.dds", "give -o rusty.igs, then: imagegs-tex export rusty.igs -o rusty --format dds"),
        ("rusty.KTX2", "give -o rusty.igs, then: imagegs-tex export rusty.igs -o rusty --format ktx2"),
        ("rusty.png", "give -o rusty.igs, then: imagegs-tex decode rusty.igs -o rusty"),
        ("rusty.hlsl", "give -o rusty.igs, then: imagegs-tex emit rusty.igs -o rusty"),
        ("rusty.json", "for a report --report rusty.json, for a manifest --save-manifest rusty.json"),
        ("rusty.gauss", "end it in .igs for a file, or in / for a folder"),
    ],
)
def test_a_foreign_suffix_is_refused_with_the_right_command(fails, material, tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    assert words in fails(2, "compress", material, "-o", name, *SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "name", "words"),
    [
        ("decode", "wall.png", "decode writes into a folder; give -o wall --format png"),
        ("decode", "wall.jpg", "decode writes into a folder; give -o wall"),
        ("export", "wall.dds", "export writes into a folder; give -o wall --format dds"),
        ("emit", "wall.glsl", "emit writes into a folder; give -o wall"),
        ("decode", "-", "not standard output; give -o DIR"),
        ("export", "-", "not standard output; give -o DIR"),
        ("emit", "-", "not standard output; give -o DIR"),
    ],
)
def test_commands_that_write_folders_say_so(fails, packed, tmp_path, monkeypatch, command, name, words):
    monkeypatch.chdir(tmp_path)
    assert words in fails(2, command, packed, "-o", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_gets_the_file(material, tmp_path, name):
    arguments = ("compress", material, "-o", name, *SMALL, "--report", tmp_path / "r.json")
    done = subprocess.run(
        [sys.executable, "-m", "imagegs_tex", *map(str, arguments)], capture_output=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    data = done.stdout
    assert decode_igs(data).gaussian_count == 40
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["file_bytes"] == len(data)
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_standard_output_gets_the_report_alone(run, fails, material, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("compress", material, "-o", "a.igs", *SMALL[:-1], "--report", "-")
    assert code == 0
    assert json.loads(out)["file_bytes"] == (tmp_path / "a.igs").stat().st_size
    assert "different files" in fails(2, "compress", material, "-o", "-", *SMALL, "--report", "-")
    assert "--save-manifest FILE.json" in fails(2, "compress", material, "--save-manifest", "-")
    assert [path.name for path in tmp_path.iterdir()] == ["a.igs"]


def test_a_terminal_gets_no_file(fails, material, monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO()))
    assert "is a terminal" in fails(3, "compress", material, "-o", "-", *SMALL)


@pytest.mark.parametrize("suffix", [".jpg", ".TGA", ".tif"])
def test_decode_does_not_stand_beside_its_sources(run, fails, material, packed, tmp_path, suffix):
    folder = tmp_path / "stone"
    folder.mkdir()
    (folder / f"Normal{suffix}").write_bytes(b"a source")
    line = fails(3, "decode", packed, "-o", folder)
    assert f"normal.png would stand beside Normal{suffix}" in line
    assert "--overwrite" in line
    assert [path.name for path in folder.iterdir()] == [f"Normal{suffix}"]
    assert run("decode", packed, "-o", folder, "--overwrite")[0] == 0
    assert len(list(folder.iterdir())) == 5
    assert (folder / f"Normal{suffix}").read_bytes() == b"a source"


def test_what_is_no_picture_of_that_name_may_stand_there(run, material, packed, tmp_path):
    folder = tmp_path / "stone"
    shutil.copytree(material, folder)
    for path in folder.iterdir():
        path.rename(folder / f"{path.stem}_source{path.suffix}")
    (folder / "normal.txt").write_text("a note")
    assert run("decode", packed, "-o", folder)[0] == 0
    assert len(list(folder.iterdir())) == 4 + 4 + 1
