"""Names of what is written beside a decoder's text: with its language, so that a folder can hold several decoders.

One name for all would be the last language's alone: its bindings, and for textures its rules of alignment, under which
the other's shaders read wrong numbers.
"""

from typing import Final

BUFFER_FILE: Final = "igs_data.bin"
"""The same for all languages."""


def readme_file(language: str) -> str:
    """Return the name of the page for people; not README.md, which a folder of a game may have already."""
    return f"igs_readme_{language}.md"


def description_file(language: str) -> str:
    """Return the name of what an importer reads."""
    return f"igs_decode_{language}.json"


def textures_file(language: str) -> str:
    """Return the name of the description of textures that are made at load time."""
    return f"igs_textures_{language}.json"


def jobs_file(language: str) -> str:
    """Return the name of the numbers of its runs."""
    return f"igs_textures_{language}_jobs.bin"
