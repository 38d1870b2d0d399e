"""``compress``: what it writes and reports, limits, sources that cannot be used, and nothing left half-written."""

import errno
import json
import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest
from helpers.commands import SMALL, fill_the_disk, python
from helpers.tiny_material import as_bytes, waves

from imagegs_tex import __version__, info
from imagegs_tex.fit.loop import SETTLING_STEPS
from imagegs_tex.fit.state_torch import TorchFitState
from imagegs_tex.formats.igs.container import MAGIC
from imagegs_tex.formats.images import read_image, write_image

OLD = MAGIC + b"an older file"


def test_compress_writes_a_file_and_a_report(run, material, tmp_path):
    report = tmp_path / "report.json"
    code, out, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL, "--report", report, "--seed", "3")
    assert (code, out, err) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == {"a.igs", "report.json"}
    found = json.loads(report.read_text(encoding="utf-8"))
    wanted = (
        "width height channels gaussians file_bytes gpu_bytes bits_per_texel bits_per_channel_texel psnr_db maps "
        "seconds backend device seed version"
    )
    assert set(wanted.split()) <= set(found)
    size = (tmp_path / "a.igs").stat().st_size
    assert (found["width"], found["height"], found["channels"], found["gaussians"]) == (64, 64, 8, 40)
    assert found["file_bytes"] == size
    assert found["bits_per_texel"] == pytest.approx(8 * size / 64**2)
    assert found["bits_per_channel_texel"] == pytest.approx(8 * size / 64**2 / 8)
    assert found["gpu_bytes"] > 0
    assert (found["seed"], found["version"]) == (3, __version__)
    assert set(found["seconds"]) >= {"load", "fit", "quantize", "write", "total"}
    assert found["compiling_seconds"] >= 0
    assert [entry["name"] for entry in found["maps"]] == ["basecolor", "height", "normal", "roughness"]
    assert all({"name", "semantic", "channels", "psnr_db", "ssim"} <= set(entry) for entry in found["maps"])
    assert not any("flip" in entry for entry in found["maps"])  # only compare measures it


def test_time_of_compiling_is_said(run, material, tmp_path, monkeypatch):
    seconds = iter((3.0, 15.3))
    monkeypatch.setattr("imagegs_tex.api.compiling_seconds", lambda: next(seconds))
    out = run("compress", material, "-o", tmp_path / "a.igs", *SMALL[:-1])[1]
    assert ", 12.3 s of them compiling kernels, once" in " ".join(out.split())


def test_missing_folders_of_outputs_are_created(run, material, tmp_path):
    written = tmp_path / "new" / "folder" / "a.igs", tmp_path / "other" / "report.json"
    assert run("compress", material, "-o", written[0], *SMALL, "--report", written[1])[0] == 0
    assert all(path.is_file() for path in written)


def test_wrap_is_what_was_asked_for_and_shown(run, material, tmp_path):
    path, report = tmp_path / "a.igs", tmp_path / "report.json"
    code, out, _ = run("compress", material, "-o", path, *SMALL[:-1], "--wrap", "repeat,clamp", "--report", report)
    assert code == 0
    assert "wrap: repeat in x (as given), clamp in y (as given)" in out
    assert json.loads(report.read_text(encoding="utf-8"))["wrap"] == ["repeat", "clamp"]
    assert json.loads(run("info", path, "--json")[1])["wrap"] == ["repeat", "clamp"]
    assert ", tiles in x, format version" in run("info", path)[1]


def test_another_word_for_wrap_is_refused(fails, material, tmp_path):
    line = fails(2, "compress", material, "-o", tmp_path / "a.igs", *SMALL, "--wrap", "mirror")
    assert "--wrap 'mirror'" in line
    assert not list(tmp_path.iterdir())


def test_compress_without_quiet_prints_a_table_and_progress(run, material, tmp_path):
    code, out, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL[:-1])
    assert code == 0
    assert all(word in out for word in ("basecolor", "roughness", "dB", "bytes"))
    lines = err.splitlines()
    assert lines[0].startswith("fitting: 1/60, ")
    assert lines[-1] == "checking"
    fit = [line for line in lines if "dB" in line]
    assert all(
        re.fullmatch(r"(fitting|rounding): \d+/60, -?[\d.]+ dB weighted, \d+ Gaussians(, \d+ s left)?", line)
        for line in fit
    )
    assert {line.split(":")[0] for line in fit} == {"fitting", "rounding"}
    assert fit[-1].startswith("rounding: 60/60, ")
    assert "coding" in lines
    assert "refining: 0/1" in lines


def test_progress_of_a_search_tells_pilots_from_fits(run, material, tmp_path):
    _, _, err = run("compress", material, "-o", tmp_path / "a.igs", "--preset", "fast", "--target-psnr", "24")
    phases = [line.split(":")[0] for line in err.splitlines()]
    assert set(phases) == {
        "pilot 1 of 2", "pilot 2 of 2", "fitting", "rounding", "refining", "coding", "checking",
    }  # fmt: skip
    assert [phases.index(name) for name in ("pilot 1 of 2", "pilot 2 of 2", "fitting", "rounding")] == sorted(
        phases.index(name) for name in ("pilot 1 of 2", "pilot 2 of 2", "fitting", "rounding")
    )


def test_the_same_bytes_from_two_runs_and_any_thread_count(run, material, tmp_path):
    written = []
    for threads in ("1", "2", "2"):
        path = tmp_path / f"{len(written)}.igs"
        run("compress", material, "-o", path, *SMALL, "--threads", threads, "--backend", "cpu")
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
    run("compress", material, "-o", tmp_path / "other.igs", *SMALL, "--seed", "1")
    assert (tmp_path / "other.igs").read_bytes() != written[0]


@pytest.mark.parametrize("limit", [900, 1600, 3000])
def test_max_bytes_is_used_and_kept(run, material, tmp_path, limit):
    path = tmp_path / "a.igs"
    assert run("compress", material, "-o", path, "--preset", "fast", "--quiet", "--max-bytes", limit)[0] == 0
    assert 0.97 * limit <= path.stat().st_size <= limit


def test_bpp_is_a_limit_of_the_whole_file(run, material, tmp_path):
    path = tmp_path / "a.igs"
    assert run("compress", material, "-o", path, "--preset", "fast", "--quiet", "--bpp", "4")[0] == 0
    assert 0.97 * 4 <= 8 * path.stat().st_size / 64**2 <= 4


@pytest.mark.parametrize(
    "options",
    [
        ("--gaussians", "10", "--bpp", "1"),
        ("--gaussians", "10", "--max-bytes", "1000"),
        ("--bpp", "1", "--max-bytes", "1000"),
        ("--max-gpu-bytes", "3000", "--max-bytes", "1000"),
        ("--bpp", "0"),
        ("--bpp", "-1"),
        ("--bpp", "nan"),
        ("--bpp", "inf"),
        ("--gaussians", "5000"),
        ("--backend", "opengl"),
    ],
    ids=" ".join,
)
def test_limits_that_make_no_sense(fails, material, tmp_path, options):
    fails(2, "compress", material, "-o", tmp_path / "a.igs", *options, "--preset", "fast", "--quiet")
    assert list(tmp_path.iterdir()) == []


def bad_folder(tmp_path, kind):
    folder = tmp_path / "bad"
    folder.mkdir()
    good = as_bytes(waves(16, 16, 3))
    if kind == "missing":
        return folder / "no such folder"
    if kind == "empty":
        return folder
    write_image(folder / "basecolor.png", good)
    if kind == "sizes":
        write_image(folder / "normal.png", good[:8])
    elif kind == "unreadable":
        (folder / "normal.png").write_bytes(b"this is no picture")
    elif kind == "truncated":
        (folder / "normal.png").write_bytes((folder / "basecolor.png").read_bytes()[:-30])
    elif kind in {"nan", "inf"}:
        values = waves(16, 16, 3).astype(np.float32)
        values[3, 5, 1] = float(kind)
        write_image(folder / "emissive.exr", values)
    elif kind == "same stem":
        write_image(folder / "basecolor.tga", good)
    elif kind == "too many channels":
        for index in range(11):
            write_image(folder / f"layer{index}.png", as_bytes(waves(16, 16, 3, index)))
    elif kind == "no image":
        return Path(__file__)
    return folder


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "does not exist"),
        ("empty", "has no images"),
        ("sizes", "16 x 8 but basecolor.png is 16 x 16"),
        ("unreadable", "is no PNG image"),
        ("truncated", "ends within its texels"),
        ("nan", r"nan at texel \(5, 3\), channel 1"),
        ("inf", r"inf at texel \(5, 3\), channel 1"),
        ("same stem", "the same map"),
        ("too many channels", "at most 32"),
        ("no image", "not an image"),
    ],
)
def test_a_source_that_cannot_be_used(fails, tmp_path, kind, words):
    error = fails(3, "compress", bad_folder(tmp_path, kind), "-o", tmp_path / "a.igs", *SMALL)
    assert re.search(words, error)
    assert not (tmp_path / "a.igs").exists()


def test_an_importance_mask(run, fails, material, tmp_path):
    ramp = np.arange(64, dtype=np.uint8)[None].repeat(64, axis=0) * 4
    write_image(tmp_path / "mask.png", ramp)
    arguments = ("compress", material, "-o", tmp_path / "a.igs", *SMALL, "--report", tmp_path / "r.json")
    assert run(*arguments, "--importance", tmp_path / "mask.png")[0] == 0
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["weighted_psnr_db"] > 0
    assert found["weighted_psnr_db"] != found["psnr_db"]
    (tmp_path / "a.igs").unlink()
    write_image(tmp_path / "small.png", ramp[:32])
    assert "is 64 x 32 texels and the material 64 x 64" in fails(3, *arguments, "--importance", tmp_path / "small.png")
    fails(3, *arguments, "--importance", tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    fails(3, *arguments, "--importance", tmp_path / "text.png")
    assert not (tmp_path / "a.igs").exists()


def test_normals_and_alpha_as_asked_for(run, fails, tmp_path):
    folder = tmp_path / "leaf"
    folder.mkdir()
    planes = waves(64, 64, 5)
    sides = 0.6 * (2 * planes[..., :2] - 1)
    up = np.sqrt(1 - np.square(sides).sum(axis=-1, keepdims=True))
    write_image(folder / "normal.png", as_bytes((np.concatenate([sides, up], axis=-1) + 1) / 2))
    alpha = 255 * (planes[..., 2:3] > 0.5)
    write_image(folder / "basecolor.png", np.concatenate([as_bytes(planes[..., 2:]), alpha], axis=-1).astype(np.uint8))
    scores, channels = {}, {}
    for name, options in {"auto": (), "plain": ("--normals", "stored", "--alpha", "data")}.items():
        arguments = ("-o", tmp_path / f"{name}.igs", *SMALL, "--report", tmp_path / "r.json", *options)
        assert run("compress", folder, *arguments)[0] == 0
        found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        channels[name] = found["channels"]
        scores[name] = {entry["name"]: entry for entry in found["maps"]}
    assert channels == {"auto": 6, "plain": 7}
    assert all(0 <= entry["basecolor"]["alpha_test_wrong"] < 0.2 for entry in scores.values())
    assert all(entry["normal"]["alpha_test_wrong"] is None for entry in scores.values())
    assert run("decode", tmp_path / "auto.igs", "-o", tmp_path / "maps")[0] == 0
    normal = read_image(tmp_path / "maps" / "normal.png")[0].astype(np.float64) / 127.5 - 1
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 1.8 / 255
    code, out, _ = run("compare", tmp_path / "plain.igs", folder, "--alpha", "coverage", "--json")
    assert code == 0
    drawn = {entry["name"]: entry for entry in json.loads(out)["maps"]}["basecolor"]
    assert drawn["values"] < scores["plain"]["basecolor"]["values"] == 64 * 64 * 4
    assert "wrong" in run("compare", tmp_path / "plain.igs", folder)[1]
    assert run("compress", folder, "-o", tmp_path / "a.igs", "--normals", "nonsense")[0] == 2


def test_an_output_that_cannot_be_written_is_refused_before_the_fit(fails, material, tmp_path, monkeypatch):
    def no_fit(*_):
        raise AssertionError("the fit was started")

    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("imagegs_tex.api.encode_within_budget", no_fit)
    (tmp_path / "file").write_bytes(b"old")
    assert "is a file" in fails(3, "compress", material, "-o", tmp_path / "file" / "a.igs", *SMALL)
    assert "is a file" in fails(3, "compress", material, "-o", tmp_path / "file" / "none" / "a.igs", *SMALL)
    report = ("-o", tmp_path / "a.igs", *SMALL, "--report")
    assert "is a file" in fails(3, "compress", material, *report, tmp_path / "file" / "r.json")
    assert "is a folder" in fails(3, "compress", material, *report, tmp_path)
    fails(2, "compress", material, *report, tmp_path / "a.igs")
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert "no permission" in fails(3, "compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_what_is_read_is_not_replaced(run, fails, material, tmp_path):
    folder = tmp_path / "stone"
    shutil.copytree(material, folder)
    assert run("compress", folder, "--save-manifest", folder / "m.json")[0] == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert "compress writes .igs" in fails(2, "compress", folder, "-o", folder / "basecolor.png", *SMALL)
    assert "compress writes .igs" in fails(2, "compress", folder, "-o", folder / "m.json", *SMALL)
    (tmp_path / "notes.igs").write_bytes(b"no such file")
    assert "something else" in fails(3, "compress", folder, "-o", tmp_path / "notes.igs", *SMALL)
    written = ("-o", tmp_path / "a.igs", *SMALL)
    assert "what is read" in fails(2, "compress", folder / "m.json", *written, "--report", folder / "m.json")
    assert "what is read" in fails(2, "compress", folder / "m.json", "--save-manifest", folder / "m.json")
    mask = folder / "roughness.png"
    assert "something else" in fails(3, "compress", folder, *written, "--report", mask)
    assert run("compress", folder, *written)[0] == 0
    assert "there already" in fails(3, "decode", tmp_path / "a.igs", "-o", folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_targets_have_reached_is_printed(run, fails, material, tmp_path):
    code, out, err = run("compress", material, "-o", tmp_path / "a.igs", "--preset", "fast", "--target", "albedo=20")
    assert code == 0, err
    (reached,) = re.findall(r"^base colour: (\d+\.\d\d) dB, 20 asked for$", out, re.MULTILINE)
    assert float(reached) >= 20
    assert "no quality of a file" in fails(2, "compress", material, "-o", tmp_path / "b.igs", "--target-psnr", "120")
    assert "no quality of a file" in fails(2, "compress", material, "-o", tmp_path / "b.igs", "--target-psnr", "-3")


def test_a_map_that_nothing_is_spent_on_is_named(run, material, tmp_path):
    folder = tmp_path / "stone"
    shutil.copytree(material, folder)
    faint = np.full((64, 64, 1), 128, np.uint8)
    faint[20, 30] = 129
    write_image(folder / "height.png", faint)
    code, out, err = run("compress", folder, "-o", tmp_path / "a.igs", "--preset", "fast", "--gaussians", "40")
    assert code == 0, err
    assert re.findall(r"^(\S+): hardly a byte", out, re.MULTILINE) == ["height"]


def test_a_full_disk_leaves_the_older_file(fails, material, tmp_path, monkeypatch):
    (tmp_path / "a.igs").write_bytes(OLD)
    fill_the_disk(monkeypatch)
    assert "the disk is full" in fails(3, "compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.igs": OLD}


def test_a_missing_backend_names_the_remedy(fails, material, tmp_path, monkeypatch):
    monkeypatch.setattr("imagegs_tex.rasterize.select_backend.cuda_problem", lambda: "no GPU")
    assert "use --backend cpu" in fails(5, "compress", material, "-o", tmp_path / "a.igs", *SMALL, "--backend", "cuda")


def fitting(material, output, *arguments):
    """Start a long compression and return its process once a line of progress says that the fit is running."""
    process = python("compress", material, "-o", output, "--gaussians", "200", "--time-budget", "60", *arguments)
    while first := process.stderr.readline():
        if first.startswith("fitting: "):
            return process
    raise AssertionError(process.stderr.read())


def test_ctrl_c_ends_the_fit_and_the_file_is_made_of_what_there_is(material, tmp_path):
    process = fitting(material, tmp_path / "a.igs", "--report", tmp_path / "r.json")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.count("stopping: the file is made of what there is") == 1
    assert re.search(r"imagegs-tex: interrupted \(fitting, step \d+ of \d+\); \S+a.igs has what there was then\n$", err)
    assert "a.igs: " in out
    assert {path.name for path in tmp_path.iterdir()} == {"a.igs", "r.json"}
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["stopped"] is True
    assert report["stopped_at"]["step"] > 0
    assert info(tmp_path / "a.igs").gaussians == report["gaussians"]


def test_ctrl_c_twice_leaves_nothing(run, material, tmp_path, monkeypatch):
    """The second comes while the features are rounded; sent from outside, it could hit any moment."""
    steps = []

    def descend(self, rates, usual=TorchFitState.descend):
        steps.append(rates)
        if len(steps) == 3:
            signal.raise_signal(signal.SIGINT)
        return usual(self, rates)

    monkeypatch.setattr(TorchFitState, "descend", descend)
    monkeypatch.setattr("imagegs_tex.encoder.trial_fits.round_features", lambda *_: signal.raise_signal(signal.SIGINT))
    code, _, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert (code, err) == (130, "imagegs-tex: interrupted; nothing was left half-written\n")
    assert len(steps) == 3 + SETTLING_STEPS
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_before_the_first_step_leaves_nothing(run, material, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "imagegs_tex.formats.material.build_stack.read_source_maps", lambda *_, **__: signal.raise_signal(signal.SIGINT)
    )
    code, _, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert (code, list(tmp_path.iterdir())) == (130, [])
    assert err == "imagegs-tex: interrupted; nothing was left half-written\n"


def test_ctrl_c_while_a_file_is_written(run, material, tmp_path, monkeypatch):
    (tmp_path / "a.igs").write_bytes(OLD)

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    code, _, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert code == 130
    assert re.fullmatch(r"imagegs-tex: interrupted; [^\n]+\n", err), err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.igs": OLD}


def test_maps_of_two_sizes(run, fails, material, tmp_path):
    """What was resampled is said and recorded; decode and compare know the material's size."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for path in material.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    write_image(folder / "roughness.png", as_bytes(waves(32, 32, 1)))
    arguments = ("compress", folder, "-o", tmp_path / "a.igs", *[option for option in SMALL if option != "--quiet"])
    code, out, err = run(*arguments, "--report", tmp_path / "r.json")
    assert code == 0, err
    assert "resampled from 32 x 32 to 64 x 64" in " ".join(out.split())
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert sum("resampled from 32 x 32 to 64 x 64" in reading for reading in found["readings"]) == 1
    assert run("compare", tmp_path / "a.igs", folder)[0] == 0
    assert run(*arguments, "--size", "32X32", "--save-manifest", folder / "m.json", "--wrap", "clamp")[0] == 0
    assert "give the source that the file was made of" in fails(3, "compare", tmp_path / "a.igs", material)
    assert run("compare", tmp_path / "a.igs", folder)[0] == 0  # at the source's size
    assert run("compare", tmp_path / "a.igs", folder, "--size", "32x32")[0] == 0
    assert run("compare", tmp_path / "a.igs", folder / "m.json")[0] == 0
    document = json.loads((folder / "m.json").read_text(encoding="utf-8"))
    assert (document["size"], document["wrap"]) == ([32, 32], "clamp")
    fails(2, *arguments, "--size", "0x5")
    fails(2, *arguments, "--size", "5")
    fails(2, *arguments, "--size", "99999x5")
