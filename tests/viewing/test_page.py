"""The page of ``view``: what it says, that it loads nothing, and that names from a file stay text."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.tiny_material import write_material

import imagegs_tex
from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.viewing import inline_pictures as inline

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, html):
        super().__init__()
        self.found, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for found, attributes in self.found if found == tag]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    material = write_material(folder / "stone")
    settings = imagegs_tex.CompressSettings(gaussian_count=120, fit=imagegs_tex.FitSettings(steps=20))
    report = imagegs_tex.compress(material, folder / "stone.igs", settings, backend="cpu")
    page = folder / "stone.html"
    viewed = imagegs_tex.view(folder / "stone.igs", folder / "out", material, page=page, backend="cpu")
    assert viewed.page.bytes == page.stat().st_size
    return report, page.read_text("utf-8")


def test_numbers_and_labels_are_there(compared):
    report, html = compared
    text = " ".join(" ".join(Elements(html).text).split())
    assert f"{report.file_bytes:,} bytes" in text
    assert f"{report.psnr_db:.2f} dB" in text
    for score in report.maps:
        assert f"{score.psnr_db:.2f}" in text
        assert f"{score.ssim:.4f}" in text
    for words in ("base colour, 3 channels of 8 bits, sRGB", "height, 1 channel of 16 bits", "° mean", "contrast",
                  "Where the bytes go", "Gaussians", "Under a light", "Beside itself", "without loss"):  # fmt: skip
        assert words in text


def test_every_map_has_a_slider_with_source_decode_and_error(compared):
    report, html = compared
    elements = Elements(html)
    described = [image.get("alt", "") for image in elements.all("img")]
    for score in report.maps:
        assert f"source of {score.name}" in described
        assert f"decode of {score.name}" in described
        assert f"error of {score.name}" in [canvas["aria-label"] for canvas in elements.all("canvas")]
    sliders = [field for field in elements.all("input") if field.get("class") == "split"]
    assert len(sliders) == len(report.maps) + 2  # plane and sphere
    assert all(field["type"] == "range" and field["aria-label"] for field in sliders)


def test_everything_is_inside(compared):
    _, html = compared
    elements = Elements(html)
    for _, attributes in elements.found:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#")), value
    assert "url(" not in html
    assert "@import" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert not elements.all("link")


def test_the_policy_names_the_script(compared):
    _, html = compared
    policy = next(meta["content"] for meta in Elements(html).all("meta") if "http-equiv" in meta)
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)[1]
    wanted = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{wanted}'" in policy
    assert "default-src 'none'" in policy


def test_bars_add_up(compared):
    report, html = compared
    tables = re.findall(r'<table class="bars">(.*?)</table>', html, re.DOTALL)
    assert len(tables) == 3
    for table in tables:
        whole = re.search(r'<div class="whole">(.*?)</div></td>', table)[1]
        widths = [float(width) for width in re.findall(r"width: ([\d.]+)%", whole)]
        assert sum(widths) == pytest.approx(100, abs=0.05)
    assert f"{report.file_bytes:,} bytes of the file, by section" in html


def test_hostile_names_stay_text(tmp_path):
    maps = (
        made_map(HOSTILE, Semantic.BASE_COLOUR, (Coded(0), Coded(1), Coded(2))),
        made_map("</style><script>", Semantic.DATA, (Coded(3),), Transfer.LINEAR),
    )
    file = tmp_path / "'&<b>.igs"
    write_igs(file, made_set(maps=maps))
    imagegs_tex.view(file, tmp_path / "out", page=tmp_path / "page.html", backend="cpu")
    html = (tmp_path / "page.html").read_text("utf-8")
    elements = Elements(html)
    assert len(elements.all("script")) == 2
    assert all(image["src"].startswith("data:image/") for image in elements.all("img"))
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert "\u202e" not in html
    text = " ".join(elements.text)
    assert '"><script>alert(1)</script><img src=x onerror=alert(2)>\\u202e' in text
    assert "'&<b>.igs" in text


def test_without_a_source_there_are_no_scores(tmp_path):
    write_igs(tmp_path / "file.igs", made_set(channels=2))
    imagegs_tex.view(tmp_path / "file.igs", tmp_path / "out", page=tmp_path / "page.html", backend="cpu")
    html = (tmp_path / "page.html").read_text("utf-8")
    assert 'class="split"' not in html
    assert 'id="scores"' not in html
    assert "decode of data0" in html


def test_a_page_of_ours_is_replaced_and_no_other(tmp_path):
    write_igs(tmp_path / "file.igs", made_set(channels=1))
    page = tmp_path / "page.html"
    page.write_text("<!doctype html>\n<p>mine")
    with pytest.raises(OutputError, match="no page of view"):
        imagegs_tex.view(tmp_path / "file.igs", tmp_path / "out", page=page, backend="cpu")
    assert page.read_text().endswith("mine")
    assert not (tmp_path / "out").exists()
    page.unlink()
    for _ in range(2):
        imagegs_tex.view(tmp_path / "file.igs", tmp_path / "out", page=page, backend="cpu")
    assert page.stat().st_size > 10_000


def test_pictures_are_stored_without_loss_as_long_as_there_is_room(monkeypatch):
    rng = np.random.default_rng(0)
    pictures = {str(k): rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for k in range(4)}
    packed, packing = inline.inline_pictures(pictures)
    assert packing.quality is None
    assert all(uri.startswith("data:image/webp;base64,") for uri in packed.values())
    whole = sum(map(len, packed.values()))
    monkeypatch.setattr(inline, "MOST_BYTES", whole - 1)
    smaller, packing = inline.inline_pictures(pictures)
    assert packing.quality == 95
    assert sum(map(len, smaller.values())) < whole
    assert packing.words == "at most 1024 pixels across, as JPEG of quality 95"


def test_large_pictures_become_small_enough(monkeypatch):
    rng = np.random.default_rng(0)
    pictures = {str(k): rng.integers(0, 256, (600, 300, 3), dtype=np.uint8) for k in range(3)}
    monkeypatch.setattr(inline, "MOST_BYTES", 60_000)
    packed, packing = inline.inline_pictures(pictures)
    assert packing.most <= 256
    assert sum(map(len, packed.values())) <= 60_000
