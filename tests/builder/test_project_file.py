import json
import tomllib

import pytest
from helpers.tree_builds import InlineRunner, build, write_tree
from jsonschema import Draft202012Validator

from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.products import PRODUCTS
from imagegs_tex.builder.project_file import _PROJECT_KEYS, _RULE_KEYS, project_of, read_project
from imagegs_tex.builder.request import BuildRequest
from imagegs_tex.formats.errors import InputError
from imagegs_tex.settings import DetailMode, Preset, QualityTarget, preset_settings


def project(tmp_path, text):
    path = tmp_path / "project.toml"
    path.write_text(text, encoding="utf-8")
    return read_project(path)


RULES = """
[defaults]
preset = "fast"
psnr = 30
emit = ["glsl", "hlsl"]
[[rule]]
match = "props/**"
psnr = 34
targets = "roughness=36"
[[rule]]
match = ["props/hero_*", "*_big"]
max-bytes = "1.5 KB"
emit = []
export = "dds"
verify = true
size = [64, 32]
seed = 7
detail = "off"
"""


def test_later_rules_win_key_by_key_and_quality_as_a_whole(tmp_path):
    found = project(tmp_path, RULES)
    wall, prop, hero = map(found.recipe_of, ("walls/a", "props/a", "props/hero_1"))
    assert wall.settings.target_psnr == 30
    assert wall.products == ("emit-glsl", "emit-hlsl")
    assert wall.settings.fit.steps == preset_settings(Preset.FAST).fit.steps
    assert prop.settings.target_psnr == 34
    assert prop.settings.targets[0] == QualityTarget(36.0, prop.settings.targets[0].semantic)
    assert (hero.settings.target_psnr, hero.settings.targets, hero.settings.max_bytes) == (None, (), 1500)
    assert hero.products == ("export-dds", "verify")
    assert hero.options.size == (64, 32)
    assert (hero.settings.fit.seed, hero.settings.detail) == (7, DetailMode.OFF)
    assert found.recipe_of("x/y/z_big") == hero


def test_the_command_lines_preset_wins_and_leaves_the_rest(tmp_path):
    (tmp_path / "project.toml").write_text(RULES)
    found = project_of(tmp_path / "project.toml", Preset.BEST).recipe_of("props/a")
    assert found.settings.target_psnr == 34
    assert found.settings.fit.steps == preset_settings(Preset.BEST).fit.steps


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inptu = '.'", r"unknown key 'inptu'; did you mean input\?"),
        ("[defaults]\nmaxbytes = 3", r"defaults: unknown key .*did you mean max-bytes\?"),
        ("[defaults]\npreset = 'fats'", r"defaults.preset: there is no 'fats'; did you mean fast\?"),
        ("[[rule]]\npsnr = 3", 'has no "match"'),
        ("[[rule]]\nmatch = '[z-a]'", "cannot be read"),
        ("[[rule]]\nmatch = '*'\npsnr = 3\nmax-bytes = 9", "exclude each other"),
        ("[[rule]]\nmatch = '*'\npsnr = 'good'", r"rule\[0\].psnr: must be a number"),
        ("[[rule]]\nmatch = '*'\nemit = 'metal'", "use glsl, hlsl"),
        ("[[rule]]\nmatch = '*'\ntargets = 'nonsense=3'", "nothing is called that"),
        ("[[rule]]\nmatch = '*'\npsnr-over = 3", "there is no budget"),
        ("budget = '3 MB'\n[defaults]\npsnr = 3", "is decided by the budget"),
        ("budget = 'much'", "is no size; write it like"),
        ("budget = 0", "outside 1.."),
        ("input = 'nowhere'", "is no folder"),
        ("input = ", "is not TOML"),
        ("verify = true", "use .*budget, defaults"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        project(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "project.toml"))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_project(tmp_path / "none.toml")


def test_the_schema_agrees_with_the_reader(repository, tmp_path):
    schema = json.loads((repository / "docs/build-project.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert schema["properties"].keys() == _PROJECT_KEYS
    assert schema["$defs"]["options"]["properties"].keys() == _RULE_KEYS.keys()
    for name, option in (("language", "emit"), ("container", "export")):
        assert schema["$defs"][name]["enum"] == [p.value for p in PRODUCTS.values() if p.option == option]
    example = (repository / "examples/build_project.toml").read_text()
    assert list(check.iter_errors(tomllib.loads(example))) == []
    assert list(check.iter_errors(tomllib.loads(RULES))) == []
    for wrong in ("inptu = 1", "[defaults]\nmaxbytes = 3", "[[rule]]\npsnr = 3", "[defaults]\nmatch = 'a'"):
        assert list(check.iter_errors(tomllib.loads(wrong)))


def test_the_example_reads_and_the_page_names_every_key(repository):
    found = read_project(repository / "examples/build_project.toml")
    assert found.recipe_of("props/box").settings.target_psnr == 34
    assert found.recipe_of("a/hero_b").settings.max_bytes == 120_000
    page = (repository / "docs/build-project.md").read_text()
    assert [key for key in (*_RULE_KEYS, *(_PROJECT_KEYS - {"$schema"})) if f"`{key}`" not in page] == []


def test_exclusions_and_unused_patterns_reach_the_build(tmp_path):
    write_tree(tmp_path / "in")
    text = 'input = "in"\nexclude = "walls"\n[[rule]]\nmatch = "porps/**"\npsnr = 30\n'
    runner = InlineRunner()
    report = run_build(BuildRequest(project(tmp_path, text), tmp_path / "out"), runner)
    assert sorted(runner.names) == ["props/box", "props/can"]
    assert [line for line in report.remarks if "fits no material" in line]
    assert build(tmp_path / "in", tmp_path / "all")[0].counts.total == 3


def test_a_folder_is_built_without_its_project_file_and_says_so(tmp_path):
    files = {
        "project.toml": '[[rule]]\nmatch = ["**"]\npreset = "fast"\n',
        "other.toml": 'name = "no project"\n',
        "broken.toml": "[[rule\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder.toml").mkdir()
    assert [line.split()[0] for line in project_of(tmp_path).unread()] == ["project.toml"]
    assert not project_of(tmp_path / "project.toml").unread()
