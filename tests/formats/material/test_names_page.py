"""docs/inputs.md says which words are understood: its tables are those of the code."""

import re

import pytest

from imagegs_tex.formats.material.folder_listing import MAX_ENTRIES, MAX_MEMBER_BYTES
from imagegs_tex.formats.material.folder_of_maps import MAX_MAPS
from imagegs_tex.formats.material.foreign_words import FOREIGN_SPELLINGS
from imagegs_tex.formats.material.name_reading import MapTraits, label, read_names
from imagegs_tex.formats.material.name_words import MODIFIERS, NAMED_PACKS, PACK_LETTERS, SPELLINGS
from imagegs_tex.formats.material.normal_meaning import LEAST_BEHIND
from imagegs_tex.formats.vocabulary import Semantic


def words_table(spellings=SPELLINGS):
    rows = [f"| {label(semantic)} | {', '.join(words.split())} |" for semantic, words in spellings.items()]
    return "\n".join(["| meaning | words |", "|---|---|", *rows])


def packs_table():
    by_pattern = {}
    for name, pattern in NAMED_PACKS.items():
        by_pattern.setdefault(pattern, []).append(name)
    rows = []
    for pattern, names in by_pattern.items():
        channels = [PACK_LETTERS[letter] for letter in pattern]
        said = ", ".join("-" if meaning == Semantic.DATA else label(meaning) for meaning in channels)
        rows.append(f"| {', '.join(names)} | {said} |")
    return "\n".join(["| name | channels |", "|---|---|", *rows])


TABLES = {
    "words": words_table, "packings": packs_table, "parameters": lambda: ", ".join(sorted(MODIFIERS)),
    "foreign": lambda: words_table(FOREIGN_SPELLINGS),
}  # fmt: skip


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "inputs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_code(page, name):
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", page, re.DOTALL)
    assert table == TABLES[name]()


def test_every_word_means_what_the_page_says_of_it():
    for semantic, words in (*SPELLINGS.items(), *FOREIGN_SPELLINGS.items()):
        for word in words.split():
            (reading,) = read_names([MapTraits(f"x_{word}", 3, is_grey=False)])
            assert reading.channel_semantics[0] == semantic, word


def test_its_numbers_are_those_of_the_code(page):
    section = page.split("## How names are understood", 1)[1]
    for words in (
        f"{MAX_ENTRIES:,} files", f"{MAX_MEMBER_BYTES >> 30} GiB", f"{MAX_MAPS} maps", f"{LEAST_BEHIND:.0%} of",
    ):  # fmt: skip
        assert words in section, words
