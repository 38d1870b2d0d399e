"""Tables of benchmarks find their place in the pages, wherever the page lies."""

import importlib.util
import re

import pytest


@pytest.fixture(scope="module")
def tables(repository):
    spec = importlib.util.spec_from_file_location("tables", repository / "benchmarks" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_table_replaces_the_one_before_in_a_page_of_a_folder(tables, tmp_path):
    page = tmp_path / "benchmarks" / "speed.md"
    page.parent.mkdir()
    page.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n")
    (tmp_path / "other.md").write_text("<!-- speed-commands -->\nstays\n<!-- /speed-commands -->\n")
    tables.replace_table("speed", tables.markdown(["a", "b"], [[1, 2.5]]), tmp_path)
    assert page.read_text() == "before\n<!-- speed -->\n| a | b |\n|---|---|\n| 1 | 2.5 |\n<!-- /speed -->\nafter\n"
    assert "stays" in (tmp_path / "other.md").read_text()


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([""], "0 pages .* have a place for the table speed"),
        (["<!-- speed -->\n<!-- /speed -->\n"] * 2, "2 pages .* have a place for the table speed"),
        (["<!-- speed -->\n"], "the table speed has no end"),
    ],
)
def test_a_page_without_a_place_is_named(tables, tmp_path, pages, message):
    for number, text in enumerate(pages):
        (tmp_path / f"{number}.md").write_text(text)
    with pytest.raises(SystemExit, match=message):
        tables.replace_table("speed", "new", tmp_path)
    assert [(tmp_path / f"{number}.md").read_text() for number in range(len(pages))] == pages


NAMES = [
    "backends", "buffer-levels", "buffer-times", "buffer-variants",
    "detail", "detail-noise", "detail-noise-others", "detail-others", "export-coverage", "export-psnr",
    "gsplat-picture", "high-avif", "high-layer", "high-ntc", "load-times", "quality-best",
    "quality-bytes", "quality-codecs", "quality-cost",
    "quality-curves", "quality-gaussians", "quality-maps", "quality-others-bytes", "quality-others-cost",
    "quality-others-maps", "quality-others-psnr", "quality-psnr", "resident", "resident-ratios",
    "restoration", "seams",
    "semantics-alpha", "semantics-hdr", "semantics-normals", "speed-commands", "speed-efforts",
    "speed-first-psnr", "speed-scaling", "texture-statistics", "texture-statistics-others",
    "verify-materials", "verify-materials-gpu", "what-counts-importance", "what-counts-placement", "what-counts-ssim",
]  # fmt: skip


def test_every_table_has_one_place(repository):
    text = "".join(page.read_text(encoding="utf-8") for page in (repository / "docs" / "benchmarks").glob("*.md"))
    assert sorted(re.findall(r"^<!-- ([a-z-]+) -->$", text, re.MULTILINE)) == NAMES
    assert sorted(re.findall(r"^<!-- /([a-z-]+) -->$", text, re.MULTILINE)) == NAMES
