"""Commands run in this process, and a small material with its file."""

import re
import sys

import pytest
from helpers.tiny_material import write_material

from imagegs_tex.cli.main import main


@pytest.fixture
def run(monkeypatch, capsys):
    """Run one command in this process; return its exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr("imagegs_tex.jit.say_compiling", lambda: None)  # whichever test comes first
        monkeypatch.setattr(sys, "argv", ["imagegs-tex", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def fails(run):
    """Run a command that must fail: one line on stderr, no traceback; return that line."""

    def call(code, *arguments):
        found, _, err = run(*arguments)
        assert found == code, err
        assert re.fullmatch(r"imagegs-tex: [^\n]+\n", err), err
        assert "Traceback" not in err
        assert "internal error" not in err
        return err

    return call


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("material") / "stone")


@pytest.fixture(scope="session")
def packed(material, tmp_path_factory):
    """The material's .igs file."""
    from imagegs_tex import CompressSettings, FitSettings, compress

    path = tmp_path_factory.mktemp("packed") / "stone.igs"
    compress(material, path, CompressSettings(gaussian_count=120, fit=FitSettings(steps=20)), backend="cpu")
    return path
