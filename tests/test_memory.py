"""Memory that large pictures take: said, refused above, and what there is."""

import logging
import re
import sys

import numpy as np
import pytest
from helpers.tiny_material import write_material

from imagegs_tex import (
    CompressSettings,
    FitSettings,
    SourceOptions,
    compare,
    compress,
    compress_asset,
    decode,
    export,
    memory,
    view,
)
from imagegs_tex.cli.main import main
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files import machine_memory
from imagegs_tex.formats.files.machine_memory import machine_bytes
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material import read_maps
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.vocabulary import MAX_SIZE
from imagegs_tex.memory import GAUSSIAN_BYTES, Work, check_memory
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN

QUICK = CompressSettings(gaussian_count=20, fit=FitSettings(steps=4))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("material") / "stone")


@pytest.fixture(scope="module")
def packed(material, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "stone.igs"
    compress(material, path, QUICK, "cpu")
    return path


@pytest.mark.parametrize("work", Work)
def test_the_arithmetic(work):
    fixed, per_texel, per_channel = work.value
    assert work.bytes_for(1, 1, 1) == fixed + per_texel + per_channel
    assert work.bytes_for(1, 1, 1, 5) == fixed + per_texel + per_channel + 5 * GAUSSIAN_BYTES
    assert work.bytes_for(MAX_SIZE, 4, 3) == fixed + 65536 * (per_texel + 3 * per_channel)
    assert work.bytes_for(4, MAX_SIZE, 3) == work.bytes_for(MAX_SIZE, 4, 3)
    whole = work.bytes_for(MAX_SIZE, MAX_SIZE, 32)
    assert whole == fixed + (1 << 28) * (per_texel + 32 * per_channel)  # does not wrap around


def machine_of(monkeypatch, size):
    monkeypatch.setattr(memory, "machine_bytes", lambda: size)


COMMANDS = {
    Work.COMPRESS: lambda material, packed, folder: compress(material, folder / "a.igs", QUICK, "cpu"),
    Work.COMPARE: lambda material, packed, folder: compare(packed, material, "cpu"),
    Work.DECODE: lambda material, packed, folder: decode(packed, folder / "maps", backend="cpu"),
    Work.VIEW: lambda material, packed, folder: view(packed, folder / "pictures", backend="cpu"),
    Work.VIEW_WITH_SOURCE: lambda material, packed, folder: view(packed, folder / "seen", material, backend="cpu"),
    Work.EXPORT: lambda material, packed, folder: export(packed, folder / "textures", "png", backend="cpu"),
}


@pytest.mark.parametrize("work", COMMANDS)
def test_what_does_not_fit_is_refused_before_the_work(material, packed, tmp_path, monkeypatch, work):
    needed = work.bytes_for(64, 64, 8, 20 if work == Work.COMPRESS else 0)
    machine_of(monkeypatch, needed - 1)
    with pytest.raises(InputError) as caught:
        COMMANDS[work](material, packed, tmp_path)
    text, size = str(caught.value), f"{needed / 1e9:.1f} GB"
    assert f"{work.words} at 64 x 64 texels with 8 channels takes about {size} of memory" in text
    assert f"this machine has {size}; use smaller or fewer maps" in text
    assert list(tmp_path.iterdir()) == []
    machine_of(monkeypatch, needed)
    COMMANDS[work](material, packed, tmp_path)


@pytest.mark.parametrize("channels", [1, 3])
def test_compress_refuses_by_headers_before_it_reads_a_texel(tmp_path, monkeypatch, channels):
    """Three channels of a colour, or one at least; the same line as after reading."""
    texels = np.zeros((40, 60, channels), np.uint8)
    texels[0] = 9
    for name in ("wall_basecolor", "wall_height"):
        write_image(tmp_path / f"{name}.png", texels)
    read = read_maps.read_picture
    monkeypatch.setattr(read_maps, "read_picture", lambda *_: pytest.fail("no texels are to be read"))
    machine_of(monkeypatch, Work.COMPRESS.bytes_for(60, 40, channels) - 1)
    size = f"{Work.COMPRESS.bytes_for(60, 40, channels) / 1e9:.1f} GB"
    line = f"compress at 60 x 40 texels with {channels} channels takes about {size} of memory, and this machine has "
    for source in (tmp_path, tmp_path / "wall_basecolor.png"):
        with pytest.raises(InputError) as caught:
            compress(source, tmp_path / "wall.igs", QUICK, "cpu")
        assert line in str(caught.value)
    left_out = compress_asset(tmp_path, tmp_path / "out", QUICK, "cpu").materials[0].left_out
    assert line in left_out
    machine_of(monkeypatch, Work.COMPRESS.value[0])
    with pytest.raises(InputError, match="compress at 30 x 20 texels"):
        compress(tmp_path, tmp_path / "wall.igs", QUICK, "cpu", options=SourceOptions(downsample=2))
    monkeypatch.setattr(read_maps, "read_picture", read)
    machine_of(monkeypatch, Work.COMPRESS.bytes_for(60, 40, 3, 20))
    compress(tmp_path, tmp_path / "wall.igs", QUICK, "cpu")


def test_a_larger_decode_takes_more(packed, tmp_path, monkeypatch):
    machine_of(monkeypatch, Work.DECODE.bytes_for(64, 64, 8))
    decode(packed, tmp_path / "half", scale=0.5, backend="cpu")  # drawn whole, and averaged
    with pytest.raises(InputError, match="decode at 256 x 256 texels"):
        decode(packed, tmp_path / "large", scale=4, backend="cpu")


def test_a_material_that_does_not_fit_is_left_out(material, tmp_path, monkeypatch):
    folder = tmp_path / "both"
    folder.mkdir()
    for name in ("basecolor", "roughness"):
        for stem in ("wall", "roof"):
            (folder / f"{stem}_{name}.png").write_bytes((material / f"{name}.png").read_bytes())
    machine_of(monkeypatch, Work.COMPRESS.value[0])
    report = compress_asset(folder, tmp_path / "out", QUICK, "cpu")
    assert [entry.file for entry in report.materials] == [None, None]
    assert all("of memory, and this machine has 0.6 GB" in entry.left_out for entry in report.materials)


def test_much_is_said_and_little_is_not(caplog, monkeypatch):
    machine_of(monkeypatch, None)
    with caplog.at_level(logging.INFO, "imagegs_tex"):
        check_memory(Work.COMPRESS, 4096, 4096, 1, "small.igs")
        check_memory(Work.COMPRESS, MAX_SIZE, MAX_SIZE, 1, "large.igs")
    (line,) = (record.getMessage() for record in caplog.records)
    assert line == f"large.igs: takes about {Work.COMPRESS.bytes_for(MAX_SIZE, MAX_SIZE, 1) / 1e9:.0f} GB of memory"


def test_what_a_process_may_have(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(machine_memory, "_LIMITS", (limit, tmp_path / "none"))
    whole = machine_bytes()
    assert whole is None or whole > 1 << 28
    for text, expected in (("max", whole), ("123456789", 123456789), (str(1 << 62), whole)):
        limit.write_text(text + "\n")
        assert machine_bytes() == (None if whole is None else expected)


def test_maps_that_do_not_fit_are_refused_by_their_headers(material, monkeypatch):
    """Four maps of 64 x 64 texels: 3 + 3 + 1 + 3 samples of a byte at least, and a coded channel of floats each."""
    needed = 64 * 64 * (3 + 3 + 1 + 3 + 4 * 4)
    monkeypatch.setattr(read_maps, "machine_bytes", lambda: needed - 1)
    monkeypatch.setattr(read_maps, "read_picture", lambda *_: pytest.fail("no texels are to be read"))
    with pytest.raises(InputError) as caught:
        load_stack(material)
    assert "its 4 maps take 0.0 GB of memory or more to read, and this machine has 0.0 GB; use smaller" in str(
        caught.value
    )
    monkeypatch.undo()
    monkeypatch.setattr(read_maps, "machine_bytes", lambda: needed)
    assert len(load_stack(material).maps) == 4


def test_verify_refuses_what_does_not_fit_in_one_line(packed, monkeypatch, capsys):
    machine_of(monkeypatch, Work.VERIFY.bytes_for(64, 64, 8) - 1)
    monkeypatch.setattr("imagegs_tex.verification.verify", lambda *_, **__: pytest.fail("nothing is to be drawn"))
    monkeypatch.setattr(sys, "argv", ["imagegs-tex", "verify", str(packed)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 3
    size = f"{Work.VERIFY.bytes_for(64, 64, 8) / 1e9:.1f} GB"
    line = f"verify at 64 x 64 texels with 8 channels takes about {size} of memory, and this machine has {size}; use "
    assert line in capsys.readouterr().err


def test_the_page_says_what_three_channels_of_the_largest_size_take(repository):
    page = (repository / "docs" / "inputs.md").read_text(encoding="utf-8")
    works = (Work.COMPRESS, Work.DECODE, Work.EXPORT, Work.COMPARE, Work.VERIFY)
    usual = MAX_SIZE * MAX_SIZE // DEFAULT_TEXELS_PER_GAUSSIAN
    sizes = [work.bytes_for(MAX_SIZE, MAX_SIZE, 3, usual if work == Work.COMPRESS else 0) for work in works]
    reckoned = [f"{work.words} {size / 1e9:.1f} GB" for work, size in zip(works, sizes, strict=True)]
    assert f"{Work.COMPRESS.bytes_for(MAX_SIZE, MAX_SIZE, 3) / 1e9:.1f} GB and 8.4 kB for each Gaussian" in page
    assert ", ".join(reckoned) in re.sub(r"\s+", " ", page)
