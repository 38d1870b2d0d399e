import json
from pathlib import Path

import numpy as np
import pytest
from helpers.commands import python
from helpers.tree_builds import InlineRunner, build, pretend, write_textures, write_tree

from imagegs_tex.batch import BatchItem, compress_many
from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.jobs import Outcome
from imagegs_tex.cli.build_progress import print_build, report_line
from imagegs_tex.formats.images import write_image
from imagegs_tex.settings import Preset, preset_settings


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    for seed, name in enumerate(("props/box", "props/can", "wall")):
        write_textures(folder / "in" / name, seed)
    return folder, run(folder, "--cache", folder / "cache")


def run(folder, *more):
    process = python("build", folder / "in", "-o", folder / "out", "--preset", "fast", "--backend", "cpu", *more)
    out, err = process.communicate()
    return process.returncode, out, err


def test_each_file_is_what_compress_makes_of_the_material(built, tmp_path):
    folder, (code, out, err) = built
    assert code == 0, err
    assert "3 made" in out
    items = [
        BatchItem(folder / "in" / name, tmp_path / f"{number}.igs") for number, name in enumerate(("props/box", "wall"))
    ]
    compress_many(items, preset_settings(Preset.FAST), backend="cpu")
    assert (folder / "out/props/box.igs").read_bytes() == (tmp_path / "0.igs").read_bytes()
    assert (folder / "out/wall.igs").read_bytes() == (tmp_path / "1.igs").read_bytes()


def test_a_second_build_keeps_all(built):
    folder, _ = built
    code, out, err = run(folder)
    assert (code, err) == (0, "")
    assert "3 unchanged" in out


def test_json_lines_and_exit_code_3_for_what_fails(built):
    folder, _ = built
    (folder / "in/broken.glb").write_bytes(b"no glTF")
    code, out, err = run(folder, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 3
    assert [line["step"] for line in lines] == ["planned", "failed", "kept", "kept", "kept", "finished"]
    assert lines[-1]["left_out"][0]["source"] == "broken.glb"
    assert err == f"imagegs-tex: 1 of 4 not made; why is said above, and in {folder}/out/materials.json\n"
    code, _, err = run(folder, "--quiet")  # nothing above
    assert code == 3
    assert err.startswith("imagegs-tex: 1 not made, the others are: broken.glb: ")
    assert err.count("\n") == 1
    code, _, err = run(folder, "--fail-fast", "--quiet")
    assert code == 3
    assert err.startswith("imagegs-tex: broken.glb: ")
    (folder / "in/broken.glb").unlink()


def test_a_wrong_path_leaves_no_folder_behind(tmp_path):
    code = python("build", tmp_path / "nowhere", "-o", tmp_path / "out", "--backend", "cpu")
    _, err = code.communicate()
    assert code.returncode == 3
    assert "nowhere is no folder" in err
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_lists_what_it_would_do(built):
    folder, _ = built
    project = folder / "project.toml"
    project.write_text('input = "in"\n[defaults]\npreset = "fast"\n[[rule]]\nmatch = "prop/**"\npsnr = 30\n')
    process = python("build", project, "-o", folder / "none", "--cache", folder / "cache", "--dry-run")
    out, _ = process.communicate()
    assert "rule[0]: 'prop/**' fits no material" in out
    assert "take from the cache props/box" in out
    assert not (folder / "none").exists()


def test_a_missed_target_ends_with_1_and_the_best_file(tmp_path):
    write_textures(tmp_path / "in" / "box", 5, size=32)
    project = tmp_path / "project.toml"
    text = 'input = "in"\n[defaults]\npreset = "fast"\ntargets = ["normal=0.001deg"]\n'
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    write_image(tmp_path / "in" / "box" / "normal.png", noise)
    project.write_text(text + 'set = ["steps=4"]\n')
    arguments = ("build", project, "-o", tmp_path / "out", "--backend", "cpu")
    process = python(*arguments, "--quiet")
    _, err = process.communicate()
    index = json.loads((tmp_path / "out" / "materials.json").read_text(encoding="utf-8"))
    unreached = index["materials"][0]["report"]["unreached"]
    assert (process.returncode, "normal 0.001 degrees was not reached" in unreached) == (1, True)
    assert err == f"imagegs-tex: targets were missed, the best files are kept: box: {unreached}\n"
    assert (tmp_path / "out" / "box.igs").stat().st_size == index["materials"][0]["bytes"]


def poor_work(count_of):
    """Work whose materials have as many warnings as a function of their names says, and a PSNR of that name, too."""

    def work(job, seat):
        made = pretend(job, seat).made
        psnr_db, lines = count_of(job.name)
        facts = {"width": 1, "psnr_db": psnr_db, "warnings": lines}
        return Outcome(Made(made.files, facts))

    return work


BENT = "normal: normals are 9.0 degrees off on average, one in twenty 25 or more; --target normal=4deg takes about 57kB"
FLAT = "basecolor keeps 10 % of its finest contrast; --max-bytes 41kB would keep about 50 %"


def test_warnings_are_counted_and_the_worst_named(tmp_path, capsys):
    names = [f"wall_{number:03}" for number in range(60)]
    facts = {name: (50.0 - number / 2, [BENT, FLAT][: number % 3]) for number, name in enumerate(names)}
    write_tree(tmp_path / "in", names)
    report, _ = build(tmp_path / "in", tmp_path / "out", InlineRunner(poor_work(facts.get)))
    print_build(report, "out/")
    lines = capsys.readouterr().out.splitlines()
    start = "40 of 60 materials have warnings, see "
    assert lines[2] == f"{start}out/materials.json; --html FILE makes a page of them"
    assert lines[3:] == [  # without what to ask for
        f"warning: wall_{number:03}: normal: normals are 9.0 degrees off on average, one in twenty 25 or more"
        + (" (and 1 more)" if number % 3 == 2 else "")
        for number in (59, 58, 56, 55, 53)
    ]
    print_build(report, "out", Path("tree.html"))
    assert f"{start}tree.html and out/materials.json\n" in capsys.readouterr().out
    report_line(report)
    finished = json.loads(capsys.readouterr().out)
    assert finished["warnings"] == {name: own for name, (_, own) in facts.items() if own}
    again, made = build(tmp_path / "in", tmp_path / "out", InlineRunner(poor_work(facts.get)))
    print_build(again, "out")
    assert (made, capsys.readouterr().out.splitlines()[2:]) == ([], lines[2:])  # what is kept is as poor as it was


@pytest.mark.parametrize(
    ("warning", "shown"),
    [
        ("wood; red_albedo keeps 10 % of its finest contrast; --max-bytes 41kB would keep about 50 %",
         "wood; red_albedo keeps 10 % of its finest contrast"),
        ("a; b is at 20.0 dB, far from its source texel by texel; its grain is drawn anew",
         "a; b is at 20.0 dB, far from its source texel by texel"),
        ("a; b is larger than its source", "a; b is larger than its source"),
    ],
)  # fmt: skip
def test_names_in_warnings_are_not_cut(tmp_path, capsys, warning, shown):
    write_tree(tmp_path / "in", ["wall"])
    facts = {"wall": (20.0, [warning])}
    report, _ = build(tmp_path / "in", tmp_path / "out", InlineRunner(poor_work(facts.get)))
    print_build(report, "out")
    assert capsys.readouterr().out.splitlines()[-1] == f"warning: wall: {shown}"


def test_a_build_says_what_compress_warns_of(tmp_path):
    rng = np.random.default_rng(0)
    write_textures(tmp_path / "in" / "good", 1)
    (tmp_path / "in" / "noise").mkdir()
    write_image(tmp_path / "in" / "noise" / "basecolor.png", rng.integers(0, 256, (64, 64, 3), np.uint8))
    project = tmp_path / "project.toml"
    project.write_text('input = "in"\n[defaults]\npreset = "fast"\ndetail = "off"\ngaussians = 20\n')
    process = python("build", project, "-o", tmp_path / "out", "--backend", "cpu")
    out, err = process.communicate()
    assert process.returncode == 0, err
    index = json.loads((tmp_path / "out" / "materials.json").read_text(encoding="utf-8"))
    warnings = {each["name"]: each["report"]["warnings"] for each in index["materials"]}
    assert warnings["noise"]
    assert f"warning: noise: {warnings['noise'][0].split('; ')[0]}" in out
    assert (f"of 2 materials have warnings, see {tmp_path}/out/materials.json" in out) == bool(warnings["good"])


@pytest.mark.parametrize("option", ["--depfile", "--html"])
def test_files_beside_the_output_that_cannot_be_written_are_said_before_the_work(built, option):
    folder, _ = built
    (folder / "file").write_text("x")
    code, _, err = run(folder, option, folder / "file" / "x", "--preset", "balanced")
    assert code == 3
    assert err.splitlines()[-1].startswith(f"imagegs-tex: cannot write {folder}/file/x: part of its path is a file")
    assert " made " not in err
