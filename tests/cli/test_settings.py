"""Settings by name on the command line."""

import json


def test_the_table_has_all_and_json_the_same(run):
    code, out, err = run("settings")
    assert (code, err) == (0, "")
    code, text, _ = run("settings", "--json")
    rows = json.loads(text)["settings"]
    assert code == 0
    assert len(rows) > 25
    for row in rows:
        assert any(line.startswith(row["name"]) and row["meaning"] in line for line in out.splitlines()), row["name"]
    steps = rows[0]
    assert (steps["name"], steps["kind"], steps["least"], steps["presets"]["best"]) == ("steps", "integer", 1, 800)
    assert next(row for row in rows if row["name"] == "init")["choices"] == ["gradient", "random", "saliency"]


def test_every_way_to_say_it_reaches_the_fit(run, material, tmp_path):
    (tmp_path / "mine.toml").write_text("steps = 9\ninitial_size = 0.5\n[precision]\nform_step = 0.25\n")
    code, _, err = run(
        "compress", material, "-o", tmp_path / "a.igs", "--gaussians", "30", "--quiet", "--settings",
        tmp_path / "mine.toml", "--steps", "7", "--init", "random", "--random-share", "0.5", "--patience", "50",
        "--seed", "3", "--ssim-weight", "0.2", "--set", "refine_sweeps=0", "--report", tmp_path / "report.json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    report = json.loads((tmp_path / "report.json").read_text())
    fit, precision = report["settings"]["fit"], report["settings"]["precision"]
    assert (fit["steps"], fit["init"], fit["random_share"], fit["patience"]) == (7, "random", 0.5, 50)
    assert (fit["seed"], fit["refine_sweeps"], fit["initial_size"], precision["form_step"]) == (3, 0, 0.5, 0.25)
    assert fit["ssim_weight"] == 0.2
    assert report["preset"] is None


def test_a_wrong_name_or_value_is_one_line_and_exit_code_2(fails, material, tmp_path):
    begin = ("compress", material, "-o", tmp_path / "a.igs", "--quiet")
    assert "the nearest is feature_rate" in fails(2, *begin, "--set", "feature_rates=1")
    assert "the nearest right value is 32" in fails(2, *begin, "--set", "cutoff=99")
    assert "--steps: steps = 0 is not 1 to 100000" in fails(2, *begin, "--steps", "0")
    assert "--seed: seed = -1" in fails(2, *begin, "--seed", "-1")
    assert "gradient" in fails(2, *begin, "--init", "salience")
    assert "cannot be read" in fails(3, *begin, "--settings", tmp_path / "none.toml")
    assert not (tmp_path / "a.igs").exists()
