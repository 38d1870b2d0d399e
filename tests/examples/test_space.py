"""The Space: its front matter names what there is, and its app serves the page."""

import sys
import tomllib
import urllib.request

import pytest
from helpers.servers import free_port, serving


def front_matter(text):
    _, head, _ = text.split("---\n", 2)
    return dict(line.split(": ", 1) for line in head.splitlines())


def test_the_front_matter_is_that_of_a_space(repository):
    space = repository / "examples" / "space"
    head = front_matter((space / "README.md").read_text(encoding="utf-8"))
    assert head["sdk"] == "gradio"
    assert (space / head["app_file"]).is_file()
    assert len(head["short_description"]) <= 60
    with (repository / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert head["license"].upper() == project["license"]
    assert project["requires-python"] == f">={head['python_version'].strip(chr(34))}"
    name, _, extras = (space / "requirements.txt").read_text(encoding="utf-8").strip().rstrip("]").partition("[")
    assert name == project["name"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_its_app_serves_the_page_and_leaves_nothing(repository, tmp_path):
    pytest.importorskip("gradio")  # the packages are tried with nothing but their dependencies
    port = free_port()
    command = [sys.executable, repository / "examples" / "space" / "app.py"]
    with serving(command, port, GRADIO_SERVER_PORT=port, TMPDIR=tmp_path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            page = answer.read().decode()
        assert "imagegs-tex studio" in page
        assert any(tmp_path.glob("imagegs-tex-studio-*"))
    assert list(tmp_path.glob("imagegs-tex-studio-*")) == []
