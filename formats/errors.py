"""The exceptions that this project raises on purpose, and the exit code of each.

::

    ImageGSTexError           1   base: catch this one to catch everything below
    ├── TargetError           1   a quality that was asked for is not reached; the report says what is
    ├── UsageError            2   the request makes no sense (options that exclude each other, a size of zero)
    ├── InputError            3   a source image, folder or manifest cannot be used
    ├── OutputError           3   a result cannot be written (no permission, full disk)
    ├── IgsError              4   an .igs file breaks the format
    └── MissingToolError      5   something needed is not there (a GPU, OpenGL, an external tool)

Every message is one line that says what is wrong, where, and what to do about it. Names and texts that come from
outside go through :func:`imagegs_tex.formats.files.safe_names.printable` first. Errors of the programmer (a wrong
dtype, an index out of range) are ``ValueError`` and ``TypeError`` as usual and are not part of this tree.
"""

from typing import Any, ClassVar


class ImageGSTexError(Exception):
    """Base of every error that a user can cause and mend."""

    exit_code: ClassVar[int] = 1


class TargetError(ImageGSTexError):
    """No file found has the quality that was asked for.

    ``report`` is that of the best file found, an :class:`imagegs_tex.reports.CompressReport`.
    """

    def __init__(self, message: str, report: Any) -> None:  # noqa: ANN401 - formats know nothing of reports
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[type["TargetError"], tuple[str, Any]]:
        """Let it pass between the processes of a batch."""
        return TargetError, (str(self), self.report)


class UsageError(ImageGSTexError):
    """The request itself makes no sense."""

    exit_code: ClassVar[int] = 2


class InputError(ImageGSTexError):
    """A source image, folder or manifest is missing, unreadable or unsuitable."""

    exit_code: ClassVar[int] = 3


class OutputError(ImageGSTexError):
    """A result cannot be written; whatever stood there before is untouched."""

    exit_code: ClassVar[int] = 3


class IgsError(ImageGSTexError):
    """An .igs file breaks the format."""

    exit_code: ClassVar[int] = 4


class MissingToolError(ImageGSTexError):
    """Something that this request needs is not installed; the message names the remedy."""

    exit_code: ClassVar[int] = 5


def install_extra(extra: str) -> str:
    """Return how to get an optional part of the package, for the message of a :class:`MissingToolError`.

    From the checkout: no index has the package, and one of its name there would be somebody else's.
    """
    return f"pip install '.[{extra}]' in the checkout"
