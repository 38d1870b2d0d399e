"""What the tests of several commands use."""

import errno
import os
import subprocess
import sys
from dataclasses import replace

SMALL = ("--preset", "fast", "--gaussians", "40", "--quiet")


def python(*arguments, **options):
    """Start the command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "imagegs_tex", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def fill_the_disk(monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def replace_name(texture_map, name):
    return replace(texture_map, name=name)


def replace_maps(quantized, maps):
    return replace(quantized, maps=maps)
