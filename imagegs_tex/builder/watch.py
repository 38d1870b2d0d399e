"""Building again whenever something in the tree changes: for artists."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.progress import Listener
from imagegs_tex.builder.request import BuildReport, BuildRequest
from imagegs_tex.builder.runner import Runner
from imagegs_tex.formats.errors import ImageGSTexError, MissingToolError, install_extra


def build_and_watch(
    request_of: Callable[[], BuildRequest],
    runner: Runner,
    listener: Listener | None,
    ended: Callable[[BuildReport | ImageGSTexError], None],
    changes: Callable[[BuildRequest], Iterable[object]] | None = None,
) -> None:
    """Build, and build again after every change, until interrupted; workers stay warm.

    Args:
        request_of: what is to be built, read anew each time: the project file may have changed
        runner: who does the work
        listener: is told of every step
        ended: is told how each build ended; errors are for it, too, since the next change may mend them
        changes: for tests; waits for changes, one item for each

    Raises:
        ImageGSTexError: the first request cannot be read
        MissingToolError: watchfiles is not installed
    """
    request = request_of()
    waiting = (changes or _changes)(request)
    ended(_built(request, runner, listener))
    for _ in waiting:
        try:
            request = request_of()
        except ImageGSTexError as error:
            ended(error)
        else:
            ended(_built(request, runner, listener))


def _built(request: BuildRequest, runner: Runner, listener: Listener | None) -> BuildReport | ImageGSTexError:
    try:
        return run_build(request, runner, listener)
    except ImageGSTexError as error:
        return error


def _changes(request: BuildRequest) -> Iterator[object]:
    try:
        import watchfiles
    except ImportError:
        raise MissingToolError(f"--watch needs watchfiles; install it: {install_extra('watch')}") from None
    ignored = [path.resolve() for path in (request.output, request.cache) if path is not None]

    def is_of_interest(_: Any, name: str) -> bool:  # noqa: ANN401 - an enumeration of a library that may be missing
        path = Path(name).resolve()
        return not any(part.startswith(".") for part in path.parts[-1:]) and not any(
            path.is_relative_to(folder) for folder in ignored
        )

    paths = [request.project.root, *([] if request.project.path is None else [request.project.path])]
    return watchfiles.watch(*paths, watch_filter=is_of_interest)
