"""Reading threads are silent; others are heard meanwhile, by Python's streams."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from imagegs_tex.formats.images.quiet_codecs import codecs_at_work


def say(word):
    sys.stdout.write(f"{word} out\n")
    sys.stderr.write(f"{word} err\n")
    sys.stdout.writelines([f"{word} line\n"])


def beside(work):
    """Call work while another thread reads, which says what nobody is to hear."""
    begun, ended = threading.Event(), threading.Event()

    def read():
        with codecs_at_work():
            say("reader")
            os.write(2, b"codec\n")
            begun.set()
            ended.wait(10)

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(10)
    try:
        return work()
    finally:
        ended.set()
        thread.join()


def test_others_are_heard_while_a_thread_reads():
    script = f"import {Path(__file__).stem} as t; t.beside(lambda: t.say('other')); t.say('after')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert done.stdout.splitlines() == ["other out", "other line", "after out", "after line"]
    assert done.stderr.splitlines() == ["other err", "after err"]


def test_streams_are_as_before_when_the_last_has_read(capsys):
    before = sys.stdout, sys.stderr

    def read_more():
        with codecs_at_work():
            sys.stdout.write("reader, too\n")

    beside(read_more)
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == ""


def test_a_stream_that_is_kept_writes_on(capsys):
    kept = beside(lambda: sys.stdout)
    kept.write("later\n")
    assert capsys.readouterr().out == "later\n"
    assert kept.isatty() is sys.stdout.isatty()


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_may_be_missing(name, monkeypatch):
    monkeypatch.setattr(sys, name, None)
    with codecs_at_work():
        pass
    assert getattr(sys, name) is None
