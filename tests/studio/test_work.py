"""What runs make: files as the command line makes them, pictures, downloads; and nothing for one who is gone."""

import re
import shlex
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.tiny_material import write_material
from typer.testing import CliRunner

import imagegs_tex
from imagegs_tex.cli.command_line import command_line
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.settings import Preset
from imagegs_tex.studio.corrections import MapCorrection
from imagegs_tex.studio.downloads import PARTS, contents_of, make_zip, part_choices
from imagegs_tex.studio.jobs import Job, JobState, run
from imagegs_tex.studio.live import KINDS
from imagegs_tex.studio.markup import bytes_words
from imagegs_tex.studio.reading import read
from imagegs_tex.studio.result_views import numbers_of
from imagegs_tex.studio.wishes import LADDER_SHARES, Wish, settings_of
from imagegs_tex.studio.work import Task, compress_task, ladder_task, look_task

FAST = Wish(preset=Preset.FAST, every=1)


@pytest.fixture(scope="module")
def stone(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("maps") / "stone", 48, 32)


def task_of(stone, home, wish=FAST):
    return Task("stone", stone, SourceOptions(), wish, home, 1, stone)


def done(task, work):
    job = Job(task.title, lambda own: work(task, own))
    run(job)
    assert job.state == JobState.DONE, job.error
    return job


def fits_of(job):
    """The curve's points of each fit: a new one begins where steps count from the start again."""
    fits = []
    for point in job.curve:
        if not fits or point.step <= fits[-1][-1].step:
            fits.append([])
        fits[-1].append(point)
    return fits


@pytest.fixture(scope="module")
def made(stone, tmp_path_factory):
    task = task_of(stone, tmp_path_factory.mktemp("home"))
    return task, done(task, compress_task)


def test_the_file_is_that_of_the_command_line(made, stone, tmp_path):
    task, job = made
    result = task.results[0]
    imagegs_tex.compress(stone, tmp_path / "own.igs", settings_of(FAST))
    assert result.file.read_bytes() == (tmp_path / "own.igs").read_bytes()
    assert result.file.name == "stone.igs"
    assert result.command == f"imagegs-tex compress {stone} -o stone.igs --preset fast"
    assert [score.name for score in result.scores] == ["basecolor", "height", "normal", "roughness"]
    last = [run[-1].step for run in fits_of(job)]
    assert last[:3] == [12, 12, 60]  # two trials and a full fit, each with its last step
    assert last[3:] in ([], [30], [30, 30])  # what goes on from it, in half the steps: where it is not close
    assert job.curve[-1].gaussians == result.info.gaussians
    sizes = job.sizes
    assert (sizes[-1].is_file, sizes[-1].file_bytes) == (True, result.info.file_bytes)
    assert [each.is_file for each in sizes[:-1]] == [False] * (len(sizes) - 1)
    assert sizes[-2].file_bytes - 250 == pytest.approx(result.info.file_bytes, rel=0.35)  # its description is uncoded
    assert any(f"{result.info.file_bytes:,} bytes" in line for line in job.log)


def test_what_is_said_of_one_direction_and_of_the_eye_is_in_the_command_line_and_in_the_pictures(stone, tmp_path):
    options = SourceOptions(wrap=(True, None), importance_by_saliency=True)
    task = replace(task_of(stone, tmp_path), options=options)
    done(task, compress_task)
    (result,) = task.results
    words = shlex.split(result.command)
    assert words[-4:] == ["--importance", "auto", "--wrap", "repeat,clamp"]
    assert "Importance" in [picture.label for picture in result.gallery]
    command = [*words[1:2], str(stone), "-o", str(tmp_path / "own.igs"), *words[5:]]
    assert CliRunner().invoke(command_line(), command).exit_code == 0
    assert result.file.read_bytes() == (tmp_path / "own.igs").read_bytes()


def test_its_numbers_add_up_and_are_those_of_info(made):
    result = made[0].results[0]
    told = imagegs_tex.info(result.file)
    shown = numbers_of(result)
    memory = re.search("Memory on the GPU, at most.*?</table>", shown)[0]
    sizes = [int(cell.replace(",", "")) for cell in re.findall(r">([\d,]+) bytes<", memory)]
    assert sizes == [told.gpu_bytes + told.gpu_shared_bytes, told.gpu_bytes, told.gpu_shared_bytes]
    rows = re.search("Bytes by attribute.*?</table>", shown)[0]
    assert sum(int(cell.replace(",", "")) for cell in re.findall(r'"Bytes">([\d,]+)<', rows)) == told.file_bytes


def test_live_pictures_show_the_fit(made):
    task, _ = made
    frames = task.live.frames
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert set(frames[0].pictures) == set(KINDS)
    assert frames[0].step < frames[-1].step or len(frames) == 1
    assert frames[0].map_name == "basecolor"


def test_pictures_of_source_and_decode_are_whole(made, stone):
    task, _ = made
    result = task.results[0]
    assert [each.label for each in result.maps] == [
        "basecolor: base colour", "height: height", "normal: normal", "roughness: roughness",
    ]  # fmt: skip
    shown, _ = read_image(result.maps[0].source)
    assert np.array_equal(shown, read_image(stone / "basecolor.png")[0])
    assert read_image(result.maps[0].decoded)[0].shape == (32, 48, 3)
    assert result.first_map == 0
    codes = [read_image(path)[0] for path in result.viewer_sources]  # of the file's maps, in their order
    assert np.array_equal(codes[0], read_image(stone / "basecolor.png")[0])
    assert np.array_equal(codes[1], np.rint(read_image(stone / "height.png")[0] / 257))
    assert len(codes) == 4
    assert result.green_up
    labels = [each.label for each in result.gallery]
    assert any(label.startswith("Gradient") for label in labels)
    assert any(label.startswith("Saliency") for label in labels)
    assert all(each.file.is_file() for each in (*result.gallery, *result.levels))


def test_a_zip_has_what_was_chosen(made):
    task, _ = made
    result = task.results[0]
    with zipfile.ZipFile(make_zip(result, ["maps", "report", "glsl"])) as archive:
        names = archive.namelist()
        told = archive.read("README.txt").decode()
    entries = [line.split()[0] for line in told.splitlines()[2:] if line[:1].strip()]
    assert entries[:4] == ["stone.igs", "maps", "shader_glsl", "report.json"]  # what is in it, and nothing else
    assert result.command in told
    assert len(told.splitlines()) < 25  # one screen
    assert names[:3] == ["README.txt", "stone.igs", "report.json"]
    assert {"maps/basecolor.png", "maps/height.png"} <= set(names)
    assert any(name.startswith("shader_glsl/") for name in names)
    with zipfile.ZipFile(make_zip(result, [])) as archive:
        assert archive.namelist() == ["README.txt", "stone.igs"]  # what was made for the one before is not in this one
    assert set(PARTS) >= {"maps", "report", "pictures", "glsl", "hlsl", "dds", "ktx2"}


def test_a_zip_has_the_manifest_that_its_command_names(stone, tmp_path):
    sent = tmp_path / "sent" / "3"
    own = tmp_path / "own"
    for folder in (sent, own):
        shutil.copytree(stone, folder)
    found = read(sent, "stone", tmp_path, SourceOptions(), {"height": MapCorrection(meaning="roughness")})
    task = replace(task_of(found.source, tmp_path), typed_source=Path("material.json"), manifest=found.source)
    done(task, compress_task)
    result = task.results[0]
    assert "compress material.json" in result.command
    with zipfile.ZipFile(make_zip(result, [])) as archive:
        assert set(archive.namelist()) == {"README.txt", "material.json", "stone.igs"}
        assert "material.json" in archive.read("README.txt").decode().split("To make")[0]
        archive.extract("material.json", own)
    imagegs_tex.compress(own / "material.json", tmp_path / "again.igs", settings_of(task.wish))
    assert (tmp_path / "again.igs").read_bytes() == result.file.read_bytes()


def test_sizes_of_parts_are_known_before_they_are_packed(made):
    task, _ = made
    result = task.results[0]
    choices = part_choices(result)
    assert [key for _, key in choices] == [*PARTS]
    keys = ["maps", "dds", "ktx2", "hlsl", "glsl"]
    packed = contents_of(make_zip(result, keys))
    for key, folder in zip(keys, ("maps", "textures_dds", "textures_ktx2", "shader_hlsl", "shader_glsl"), strict=True):
        assert result.part_sizes[key] == pytest.approx(packed[folder], rel=0.2), key
        assert f"about {bytes_words(result.part_sizes[key])}" in dict(map(reversed, choices))[key]


def test_a_file_alone_is_looked_at(made, tmp_path):
    file = made[0].results[0].file
    task = Task("stone", file, SourceOptions(), FAST, tmp_path, 1, file)
    done(task, look_task)
    result = task.results[0]
    assert (result.scores, result.psnr_db, result.report) == ((), None, None)
    assert all(each.source is None for each in result.maps)
    assert result.viewer_sources == ()
    assert len(result.maps) == 4
    assert result.file.parent == tmp_path / "result_1"  # what happens to the result does not happen to what was brought
    assert result.file.read_bytes() == file.read_bytes()


def test_the_ladder_has_five_sizes(stone, tmp_path):
    task = task_of(stone, tmp_path)
    done(task, ladder_task)
    counts = [result.info.gaussians for result in task.results]
    assert counts == [max(1, round(48 * 32 / 128 * share)) for share in LADDER_SHARES]
    sizes = [result.info.file_bytes for result in task.results]
    assert sizes[1:] == sorted(sizes[1:])  # of 3 Gaussians there is little but what describes the grain
    assert [result.number for result in task.results] == [1, 2, 3, 4, 5]


def test_a_stopped_run_keeps_a_whole_file(stone, tmp_path):
    task = task_of(stone, tmp_path, Wish(every=1, assignments=("steps=100000",)))
    job = Job("stone", lambda own: compress_task(task, own))
    progress = job.on_progress

    def stop_at_three(state):
        progress(state)
        if state.step == 3:
            job.stop.set()

    job.on_progress = stop_at_three
    run(job)
    report = task.results[0].report
    assert (job.state, report.stopped, report.stopped_at.step) == (JobState.DONE, True, 3)
    assert imagegs_tex.read_igs(task.results[0].file).gaussian_count == task.results[0].info.gaussians


def test_nothing_is_left_of_a_run_whose_visitor_is_gone(stone, tmp_path):
    home = tmp_path / "visitor"
    home.mkdir()
    task = task_of(stone, home, Wish(every=1, assignments=("steps=100000",)))
    job = Job("stone", lambda own: compress_task(task, own))
    progress = job.on_progress

    def leave_at_three(state):
        if state.step == 3:
            job.abandoned.set()
        progress(state)

    job.on_progress = leave_at_three
    run(job)
    assert job.state == JobState.ABANDONED
    assert not home.exists()
    assert task.results == []
