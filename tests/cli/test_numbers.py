"""Numbers with the units that people write, option by option."""

import json

import pytest
import typer

from imagegs_tex.cli.numbers import (
    read_bits,
    read_bytes,
    read_count,
    read_decibels,
    read_scale,
    read_seconds,
    read_size,
)


@pytest.mark.parametrize(
    ("read", "texts", "value"),
    [
        (read_bytes, ("50k", "50 kB", "50K", "50,000", "50_000", "5e4", "0.05MB", "50000 bytes"), 50_000),
        (read_bytes, ("1.5MB", "1.5 mb", "1500k", "1,500,000"), 1_500_000),
        (read_bytes, ("48KiB", "48 ki", "49152", "49152 B"), 49_152),
        (read_bytes, ("1.1MB",), 1_100_000),  # 1.1 * 10^6 is less in binary
        (read_count, ("50k", "50000", "50k Gaussians", "50 K"), 50_000),
        (read_count, ("1.5M", "1.500M", "1500000.000"), 1_500_000),
        (read_decibels, ("32dB", "32 dB", "32", "32.0db", "+32"), 32.0),
        (read_bits, ("2bpp", "2", "2.0 bits", "2 bits per texel", "2 bits/texel"), 2.0),
        (read_seconds, ("90", "90s", "1.5min", "1.5 minutes", "0.025h", "90000ms"), 90.0),
        (read_seconds, ("1:30", "0:01:30", "1min30s", "1 min 30 sec", "1m 30s"), 90.0),
        (read_seconds, ("1:02:03.5", "1h2m3.5s", "1h 2min 3500ms"), 3723.5),
        (read_count, ("10 000", "10\u00a0000", "10\u202f000", "10'000", "10,000", "10k"), 10_000),
        (read_bytes, ("1 500 000", "1 500 kB", "1.5 MB"), 1_500_000),
        (read_scale, ("0.5", "50%", "50 %", "1/2", ".5", "0.5x"), 0.5),
        (read_size, ("2048x1024", "2048 X 1024", "2048×1024", "2Kx1K", "2048*1024 px"), (2048, 1024)),
        (read_size, ("2K", "2k", "2048x2048"), (2048, 2048)),
    ],
)
def test_units(read, texts, value):
    for text in texts:
        assert read(text) == value, text


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (
            read_bytes,
            (
                "",
                "k",
                "50q",
                "1,5MB",
                "1.5.5",
                "nan",
                "inf",
                "-3",
                "0",
                "0.2",
                "1 5 MB",
                "10 00",
                "1e999",
                "32dB",
                "two",
            ),
        ),
        (read_bytes, ("50.000", "1.500.000", "1.500 bytes")),  # thousands, as half of Europe writes them
        (read_count, ("", "0", "1.5", "-4", "many", "50%", "50.000", " 2.000 Gaussians")),
        (read_decibels, ("", "32deg", "dB", "nan", "3 2")),
        (read_bits, ("2dB", "2 bits per", "inf")),
        (
            read_seconds,
            ("0", "0.05", "90 parsecs", "-1", "1:60", "1:2", "1:2:3:4", "1h2", "1h half", "0:00", "1.5.5s 2s"),
        ),
        (read_scale, ("half", "1/0", "1/2/3", "%")),
        (read_size, ("5", "5x", "x5", "axb", "2.5K", "512x256x3")),
    ],
)
def test_what_is_no_number_is_refused_with_an_example(read, texts):
    for text in texts:
        with pytest.raises(typer.BadParameter, match="write it like"):
            read(text)


@pytest.mark.parametrize(
    ("option", "text", "like"),
    [
        ("--max-bytes", "12 parsecs", "50000, 50k, 1.5MB or 48KiB"),
        ("--gaussians", "1.5", "2000, 50k or 1.5M"),
        ("--target-psnr", "32deg", "32 or 32dB"),
        ("--bpp", "low", "2, 0.5 or 2bpp"),
        ("--time-budget", "soon", "90, 90s, 1.5min or 1h"),
        ("--size", "big", "512x256, or 2K for 2048x2048"),
    ],
)
def test_a_wrong_number_is_one_line_with_the_option(fails, tmp_path, option, text, like):
    line = fails(2, "compress", tmp_path, "-o", tmp_path / "a.igs", option, text)
    assert f"{option}: '{text}' is" in line.replace(f"Invalid value for '{option}'", option).replace(
        f"Invalid value for {option}", option
    )
    assert like in line


def test_units_reach_the_command(run, fails, material, tmp_path):
    arguments = ("compress", material, "--preset", "fast", "--quiet", "--report", "-")
    code, out, _ = run(*arguments, "-o", tmp_path / "a.igs", "--gaussians", "0.04k", "--time-budget", "500ms")
    assert (code, json.loads(out)["gaussians"]) == (0, 40)
    code, out, _ = run(*arguments, "-o", tmp_path / "b.igs", "--max-bytes", "1.5 kB")
    assert code == 0
    assert 0.97 * 1500 <= json.loads(out)["file_bytes"] <= 1500
    code, out, _ = run(*arguments, "-o", tmp_path / "b.igs", "--target", "normal=20°")
    assert json.loads(out)["targets"][0]["asked"] == 20
    assert "below the 99.00 dB asked for" in fails(
        1, "compare", tmp_path / "a.igs", material, "--json", "--min-psnr", "99 dB"
    )


def test_a_unit_behind_a_space_is_told(fails, material):
    told = "20 kB are two words to a shell; write 20kB without the space, or '20 kB'; see imagegs-tex compress --help"
    assert told in fails(2, "compress", material, "--max-bytes", "20", "kB")
    assert told in fails(2, "compress", "--max-bytes", "20", "kB", material)
    assert "two words" not in fails(2, "compress", material, "more", "--max-bytes", "20")
