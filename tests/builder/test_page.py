import re

from helpers.tree_builds import PIXEL

from imagegs_tex.builder.page import page_text
from imagegs_tex.builder.state import STATE_FOLDER, Entry, LeftOut


def entry(name, psnr, **report):
    maps = [{"name": "basecolor", "psnr_db": psnr + 1}, {"name": "rough", "psnr_db": psnr - 1}]
    facts = {"psnr_db": psnr, "maps": maps, "width": 4, "height": 2, "gaussians": 9, "bits_per_texel": 0.5, **report}
    return Entry(name, name, f"{name}.igs", "k", "s", 100, 1000, {}, facts)


def rows_of(text):
    return [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr.*?</tr>", text)[1:]]


def test_the_worst_come_first_and_what_failed_before_them(tmp_path):
    text = page_text(
        "tree", tmp_path, [entry("good", 40.0), entry("bad", 25.5, warnings=["blurred"])], [LeftOut("x.glb", "no glTF")]
    )
    rows = rows_of(text)
    assert [("x.glb" in rows[0]), ("bad" in rows[1]), ("good" in rows[2])] == [True] * 3
    for part in ("25.50", "rough 24.5", "10.0%", "0.500", "4 × 2", "blurred"):
        assert part in rows[1]
    assert "2 materials, 200 bytes, 10.0% of the maps; 1 with warnings; 1 could not be made" in text


def test_names_from_outside_are_text(tmp_path):
    evil = "<script>alert(1)</script>"
    text = page_text(evil, tmp_path, [entry(evil, 30.0, warnings=[evil])], [LeftOut(evil, evil, evil)])
    assert evil not in text
    assert text.count("<script>") == 1


def test_thumbnails_are_in_the_page_and_nothing_comes_from_elsewhere(tmp_path):
    path = tmp_path / STATE_FOLDER / "thumbnails/a/b.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(PIXEL)
    text = page_text("tree", tmp_path, [entry("a/b", 30.0), entry("c", 31.0)], [])
    assert text.count("data:image/png;base64,") == 1
    assert "http" not in text.replace("http-equiv", "")
