"""Modules that a developer may lack and CI promises."""

import importlib
import os

import pytest


def import_tool(name, exc_type=ImportError):
    """Return a module; skip what needs it where it is missing, but where CI promises it, fail."""
    if os.environ.get("IMAGEGS_TEX_REQUIRE_TOOLS") == "1":
        return importlib.import_module(name)
    return pytest.importorskip(name, exc_type=exc_type)
