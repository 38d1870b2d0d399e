"""Names by the user's choice: every igs_, Igs and IGS_ of emitted text under a prefix of its own."""

import re
from typing import Any, Final

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.safe_names import printable

DEFAULT_PREFIX: Final = "igs_"
_LAWFUL: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*_?")
_LONGEST: Final = 24
_NAMES: Final = re.compile(r"\b(?:igs_|Igs(?=[A-Z])|IGS_)")
_UNTRUSTED: Final = frozenset({"maps", "material_name"})  # text from files
_FOREIGN: Final = frozenset({"gl", "sv", "spirv"})


def read_prefix(text: str) -> str:
    """Return a prefix with its underscore.

    Raises:
        UsageError: it makes no names in every language
    """
    if len(text) > _LONGEST or not _LAWFUL.fullmatch(text) or text.rstrip("_") in _FOREIGN:
        raise UsageError(
            f"--prefix {printable(text)}: give letters a to z and digits with single underscores between, such as wall_"
        )
    return text.rstrip("_") + "_"


def with_prefix(text: str, prefix: str) -> str:
    """Return shader text, a page or a file's name with the prefix in place of igs_, in each of its spellings."""
    words = prefix.rstrip("_").split("_")
    spelled = {"igs_": prefix, "Igs": "".join(word.capitalize() for word in words), "IGS_": prefix.upper()}
    return _NAMES.sub(lambda match: spelled[match[0]], text)


def description_with_prefix(value: Any, prefix: str) -> Any:  # noqa: ANN401 - anything that JSON holds
    """Return a description with its names under the prefix, and with what comes from files as it is."""
    if isinstance(value, str):
        return with_prefix(value, prefix)
    if isinstance(value, list):
        return [description_with_prefix(each, prefix) for each in value]
    if isinstance(value, dict):
        return {
            key: each if key in _UNTRUSTED else description_with_prefix(each, prefix) for key, each in value.items()
        }  # fmt: skip
    return value
