"""The page for those who come from Image-GS: it has every option of its README, and every command runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "from-image-gs.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
OPTIONS = [
    "eval", "render_height", "quantize", "pos_bits", "scale_bits", "rot_bits", "feat_bits", "exp_name",
    "vis_gaussians", "save_image_steps", "save_ckpt_steps", "input_path", "downsample", "downsample_ratio", "gamma",
    "num_gaussians", "init_scale", "disable_topk_norm", "disable_inverse_scale", "init_mode", "init_random_ratio",
    "disable_tiles", "max_steps", "pos_lr", "scale_lr", "rot_lr", "feat_lr", "disable_lr_schedule",
    "disable_prog_optim",
]  # fmt: skip
"""Of its README."""
SETTINGS = [
    "seed", "device", "data_root", "log_root", "log_level", "eval_steps", "ckpt_file", "topk", "disable_color_init",
    "smap_filter_size", "l1_loss_ratio", "l2_loss_ratio", "ssim_loss_ratio", "decay_ratio", "max_decay_times",
    "check_decay_steps", "decay_threshold", "initial_ratio", "add_steps", "add_times", "post_min_steps",
]  # fmt: skip
"""Of its configuration (cfgs/default.yaml) beside those."""


def test_every_option_has_a_row():
    named = [name for row in ROWS for name in re.findall("`(.+?)`", row[0])]
    assert sorted(named) == sorted([*(f"--{name}" for name in OPTIONS), *SETTINGS])


@pytest.mark.parametrize("command", sorted({row[2].strip("`") for row in ROWS}))
def test_a_command_runs(command, run, material, packed, tmp_path):
    words = re.split(" +", command)
    places = {"MATERIAL": material, "FOLDER": tmp_path / "out", "REPORT": tmp_path / "report.json"}
    places["MAP"] = material / "height.png"
    places["FILE"] = tmp_path / "a.igs" if words[0] == "compress" else packed
    arguments = [places.get(word, word) for word in words]
    if words[0] == "compress":
        quick = [("--gaussians", "20"), ("--steps", "16"), ("--preset", "fast")]
        arguments += [part for pair in quick if pair[0] not in words for part in pair] + ["-q"]
    code, out, err = run(*arguments)
    assert code == 0, out + err
    if words[0] == "compress":
        assert places["FILE"].read_bytes()[:4]
    for name in ("FOLDER", "REPORT"):
        kept = name != "FOLDER" or "--checkpoint" not in words  # checkpoints go once the file is there
        assert name not in words or not kept or places[name].exists()
