import re

import pytest

from imagegs_tex.formats import errors
from imagegs_tex.formats.files.safe_names import printable, safe_stem


def own_exceptions():
    return {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}


def test_exit_codes():
    assert {name: kind.exit_code for name, kind in own_exceptions().items()} == {
        "ImageGSTexError": 1,
        "TargetError": 1,
        "UsageError": 2,
        "InputError": 3,
        "OutputError": 3,
        "IgsError": 4,
        "MissingToolError": 5,
    }


def test_the_docstring_draws_the_whole_tree():
    drawn = dict(re.findall(r"(\w+Error)\s+(\d)\s", errors.__doc__))
    assert drawn == {name: str(kind.exit_code) for name, kind in own_exceptions().items()}


def test_every_error_is_caught_by_the_base():
    assert all(issubclass(kind, errors.ImageGSTexError) for kind in own_exceptions().values())


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "a\u202eb", "a\u2028b", "a\udc80b", "a\rb", "\x00"])
def test_printable_hides_control_characters(text):
    shown = printable(text)
    shown.encode()
    assert not any(character in shown for character in "\n\r\x1b\u202e\u2028\x00")


@pytest.mark.parametrize("text", ["plain name.png", "石畳 ñ 🧱.png", "x" * 200])
def test_printable_keeps_ordinary_text(text):
    assert printable(text) == text


def test_printable_shortens():
    assert len(printable("\x00" * 10_000)) == 200


@pytest.mark.parametrize("name", ["basecolor", "Rock053_1K-JPG_Color", "石畳 ñ", "a.b", "bg meadow"])
def test_safe_stem_keeps_ordinary_names(name):
    assert safe_stem(name) == name


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/abs", "a\\b", "..", ".", "", "a\x00b", "CON", "nul.x", ".hidden", "é" * 500, "a\ud800"],
)
def test_safe_stem_stays_inside_its_folder(name, tmp_path):
    stem = safe_stem(name)
    path = tmp_path / f"{stem}.png"
    path.write_bytes(b"x")
    assert path.resolve().parent == tmp_path.resolve()
    assert not stem.startswith(".")
    assert stem.split(".")[0].upper() not in {"CON", "NUL"}
