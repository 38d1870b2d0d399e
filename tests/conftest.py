import os
import signal
from pathlib import Path

import imagegs_tex  # noqa: F401 - before numpy and torch, which read what it tells them when they are loaded

# isort: split

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[1]


LONG_FILES = ("test_browser.py", "test_viewer.py", "test_kernel_cache.py", "test_terminal.py", "test_decode.py")
"""Of few tests that take long: begun last, they keep one worker busy while the other has nothing to do."""


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # As of a script's background jobs. Commands that tests start take it over, and never end by Ctrl-C then.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# It wraps what commands print, where no terminal is, too. The readline that pytest loads sets it for child processes
# behind Python's back, so that it is not in os.environ.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG_FILES)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda") is not None and not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU that torch can use")


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def materials() -> Path:
    """The shared test materials beside the repository, each in its own folder."""
    folder = REPOSITORY.parent / "shared" / "materials"
    if not folder.is_dir():
        pytest.skip("no shared test materials at ../shared/materials")
    return folder


@pytest.fixture(scope="session")
def require_tool():
    """Skip a test whose tool is missing, with a reason; fail instead where CI promises that the tool is there."""

    def require(available: bool, reason: str) -> None:
        if available:
            return
        if os.environ.get("IMAGEGS_TEX_REQUIRE_TOOLS") == "1":
            pytest.fail(f"{reason} (IMAGEGS_TEX_REQUIRE_TOOLS=1)")
        pytest.skip(reason)

    return require
