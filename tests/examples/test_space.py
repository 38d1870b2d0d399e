"""The Space: its front matter names what there is, and its app serves the page."""

import shutil
import subprocess
import sys
import sysconfig
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
    extras = project["optional-dependencies"]
    asked = (space / "requirements.txt").read_text(encoding="utf-8").split()
    assert asked == [*project["dependencies"], *extras["export"], *extras["studio"]]


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """A wheel of this tree, as its README has it built, without pip and away from the tree's own build/."""
    pytest.importorskip("setuptools", "77")
    work = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable, "setup.py", "-q", "egg_info", "--egg-base", work, "build", "--build-base", work / "build",
        "bdist_wheel", "--bdist-dir", work / "files", "--dist-dir", work / "dist",
    ]  # fmt: skip
    done = subprocess.run(list(map(str, command)), cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = (work / "dist").glob("*.whl")
    return made


@pytest.mark.parametrize("has_wheel", [False, True])
def test_its_app_serves_the_page_and_leaves_nothing(repository, tmp_path, wheel, has_wheel):
    pytest.importorskip("gradio")  # the packages are tried with nothing but their dependencies
    space, temporary, port = tmp_path / "space", tmp_path / "temporary", free_port()
    shutil.copytree(repository / "examples" / "space", space)
    temporary.mkdir()
    command, environment = [sys.executable, space / "app.py"], {"GRADIO_SERVER_PORT": port, "TMPDIR": temporary}
    if has_wheel:  # and no package is installed: packages are found, but not what leads to a checkout's
        shutil.copy(wheel, space)
        command.insert(1, "-S")
        environment["PYTHONPATH"] = sysconfig.get_path("purelib")
    with serving(command, port, **environment):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            page = answer.read().decode()
        assert "imagegs-tex studio" in page
        assert any(temporary.glob("imagegs-tex-studio-*"))
        assert any(temporary.glob("imagegs-tex-wheel-*/imagegs_tex")) == has_wheel
    assert list(temporary.glob("imagegs-tex-*")) == []
