"""What the pages say can be done: paths lead somewhere, commands have their options, Python examples run."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer

from imagegs_tex.cli.command_line import WRONG_USAGE, command_line
from imagegs_tex.formats.images import write_image

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
CODE_FOLDERS = ("imagegs_tex", "cli", "formats", "shaders", "runtime", "tests", "benchmarks", "examples")
CODE = [path for folder in CODE_FOLDERS for path in (REPOSITORY / folder).rglob("*.*") if path.suffix in {".py", ".cu"}]
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(CODE_FOLDERS)}|docs)/[\w/.-]*\w")
MADE = {"runtime/web/built"}  # by `make web`, which needs tools that not every machine has
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")


def name_of(path):
    return path.relative_to(REPOSITORY).as_posix()


def missing_paths(text):
    """Paths from the root, in running text and code; links start from their page and are looked at alone."""
    text = re.sub(r"^```{toctree}.*?^```", "", LINK.sub("", text), flags=re.DOTALL | re.MULTILINE)
    return [path for path in PATH.findall(text) if path not in MADE and not (REPOSITORY / path).exists()]


def anchors_of(page):
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page):
    found = []
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        there = page.parent / target if target else page
        if not there.exists() or (anchor and anchor not in anchors_of(there)):
            found.append(f"{target}#{anchor}")
    return found


def commands_in(text):
    """Arguments of each command, in a block or in running text."""
    text = re.sub(r"\\\n\s*", " ", text)
    lines = [*re.findall(r"^ *(imagegs-tex .*)$", text, re.MULTILINE), *re.findall(r"`(imagegs-tex [^`\n]+)`", text)]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def wrong_options(arguments):
    """What the parser says against a command's options, or nothing."""
    group = typer.main.get_command(command_line())
    if arguments[0].startswith("-"):
        return None
    if arguments[0] not in group.commands:
        return f"no command {arguments[0]}"
    command = group.commands[arguments[0]]
    try:
        command.make_parser(command.context_class(command)).parse_args(arguments[1:])
    except WRONG_USAGE as error:
        return str(error)
    return None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_and_links_of_a_page_lead_somewhere(page):
    assert missing_paths(page.read_text(encoding="utf-8")) == []
    assert dead_links(page) == []


def test_what_recipes_look_at_first_is_defined_there():
    places = re.findall(r"`(\w+)` in `([\w/.]+\.py)`", " ".join((REPOSITORY / "CONTRIBUTING.md").read_text().split()))
    assert len(places) >= 5
    for name, path in places:
        text = (REPOSITORY / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:class |def )?{name}\b", text, re.MULTILINE), (name, path)


def test_pages_that_code_refers_to_exist():
    pages = {path for file in CODE for path in re.findall(r"\bdocs/[\w/.-]+\.\w+", file.read_text(encoding="utf-8"))}
    assert len(pages) > 10
    assert sorted(page for page in pages if not (REPOSITORY / page).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_of_a_page_have_these_options(page):
    for arguments in commands_in(page.read_text(encoding="utf-8")):
        assert wrong_options(arguments) is None, arguments


def test_breaches_are_seen(tmp_path):
    assert missing_paths("`formats/none.py` and formats/images/read.py") == ["formats/none.py"]
    page = tmp_path / "page.md"
    page.write_text(
        "# One heading: two\n[a](#one-heading-two) [b](none.md) [c](page.md#none) [d](https://example.org)\n"
    )
    assert dead_links(page) == ["none.md#", "page.md#none"]
    assert commands_in("    imagegs-tex info a.igs  # shows\nor `imagegs-tex doctor`") == [
        ["info", "a.igs"],
        ["doctor"],
    ]
    assert wrong_options(["info", "a.igs", "--json"]) is None
    assert "--jsom" in wrong_options(["info", "a.igs", "--jsom"])
    assert wrong_options(["inform"]) == "no command inform"


EXAMPLES = [
    (name_of(page), number, block)
    for page in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs" / "guide").glob("*.md")))
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the material that the examples compress, as small as it can be."""
    spec = importlib.util.spec_from_file_location("make_material", REPOSITORY / "examples" / "make_material.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("work")
    for name, texels in module.make_material(64).items():
        write_image(folder / "stone" / f"{name}.png", texels)
    return folder


@pytest.mark.parametrize(("page", "number", "block"), EXAMPLES, ids=[f"{page}-{n}" for page, n, _ in EXAMPLES])
def test_python_examples_run(workplace, monkeypatch, capsys, page, number, block):
    monkeypatch.chdir(workplace)
    exec(compile(block, f"{page}, example {number}", "exec"), {})
    assert capsys.readouterr().out
