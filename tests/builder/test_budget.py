import math

import pytest
from helpers.tree_builds import InlineRunner, write_tree

from imagegs_tex.builder.budget import STEP_DB, Trial, bytes_for, share_budget
from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.jobs import IGS_FILE, Outcome, Recipe
from imagegs_tex.builder.project_file import ProjectFile, Rule
from imagegs_tex.builder.request import BuildRequest
from imagegs_tex.cli.build_progress import print_build
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.igs.container import MAGIC
from imagegs_tex.settings import CompressSettings

TEXELS = 64 * 64
HARDNESS = {"easy": 100.0, "middle": 400.0, "hard": 1600.0}


def psnr_of(name, size):
    """A material's quality: 3 dB for every doubling of the bytes."""
    return 20 + 3 * math.log2(size / HARDNESS[name])


def measure(wanted):
    found = {}
    for name, recipe in wanted:
        size = 40 * (recipe.settings.gaussian_count or TEXELS // 128)
        found[name, recipe] = Trial(size, psnr_of(name, size), TEXELS)
    return found


def nothing_over(_):
    return 0.0


def test_quality_is_even_and_the_sum_stays_within():
    recipes = dict.fromkeys(HARDNESS, Recipe())
    shared, quality = share_budget(60_000, recipes, nothing_over, measure)
    limits = {name: recipe.settings.max_bytes for name, recipe in shared.items()}
    assert sum(limits.values()) <= 60_000
    assert sum(limits.values()) > 60_000 * 2 ** (-STEP_DB / 3) - 3
    assert [psnr_of(name, limit) for name, limit in limits.items()] == pytest.approx([quality] * 3, abs=0.02)
    assert quality == STEP_DB * round(quality / STEP_DB)


def test_what_is_over_and_what_is_fixed():
    recipes = {**dict.fromkeys(HARDNESS, Recipe()), "own": Recipe(CompressSettings(max_bytes=5000))}
    shared, quality = share_budget(60_000, recipes, lambda name: 3.0 * (name == "easy"), measure)
    assert shared["own"] == recipes["own"]
    easy, hard = (shared[name].settings.max_bytes for name in ("easy", "hard"))
    assert psnr_of("easy", easy) - psnr_of("hard", hard) == pytest.approx(3.0, abs=0.02)
    assert sum(recipe.settings.max_bytes for recipe in shared.values()) <= 60_000
    assert quality > 0


def test_a_small_change_of_one_material_leaves_the_others_alone():
    recipes = dict.fromkeys(HARDNESS, Recipe())
    before, _ = share_budget(60_000, recipes, nothing_over, measure)
    HARDNESS["easy"] *= 1.01
    try:
        after, _ = share_budget(60_000, recipes, nothing_over, measure)
    finally:
        HARDNESS["easy"] /= 1.01
    assert {name for name in HARDNESS if before[name] != after[name]} <= {"easy"}


def test_a_budget_that_is_too_small_is_said():
    with pytest.raises(InputError, match="too small for 3 materials: the smallest files take about"):
        share_budget(100, dict.fromkeys(HARDNESS, Recipe()), nothing_over, measure)


def test_a_model_between_and_beyond_its_trials():
    points = [(20.0, 10.0), (26.0, 12.0), (29.0, 14.0)]
    assert [bytes_for(points, quality) for quality in (20, 23, 26, 29, 30.5)] == [1024, 2048, 4096, 16384, 32768]
    assert bytes_for(points, 1.0) == 512
    assert bytes_for([(90.0, 8.0)], 30.0) == 256


def test_a_build_shares_its_budget_once_and_a_second_one_makes_nothing(tmp_path, capsys):
    tree = write_tree(tmp_path / "in", list(HARDNESS))

    def work(job, seat):
        settings = job.recipe.settings
        size = settings.max_bytes or 40 * (settings.gaussian_count or TEXELS // 128)
        facts = {"width": 64, "height": 64, "file_bytes": size, "psnr_db": psnr_of(job.name, size)}
        return Outcome(Made({IGS_FILE: MAGIC + bytes(size - len(MAGIC))}, facts))

    def build(budget=60_000, **options):
        runner = InlineRunner(work)
        rules = (Rule(("hard",), {"psnr-over": Json(-3.0, "test")}, "test"),)
        request = BuildRequest(ProjectFile(tree, (), budget, rules), tmp_path / "out", **options)
        return run_build(request, runner), runner.names

    report, made = build()
    assert len(made) == 3 * 3 + 3
    sizes = {path.stem: path.stat().st_size for path in (tmp_path / "out").glob("*.igs")}
    assert sum(sizes.values()) <= 60_000
    assert psnr_of("hard", sizes["hard"]) == pytest.approx(report.common_psnr_db - 3, abs=0.02)
    print_build(report, "out")
    assert f"the budget is shared for {report.common_psnr_db:g} dB each" in capsys.readouterr().out
    assert build()[1] == []
    assert sorted(build(90_000)[1]) == ["easy", "hard", "middle"]
