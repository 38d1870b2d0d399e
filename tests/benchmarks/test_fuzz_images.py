"""The fuzz run over image readers, short; benchmarks/fuzz_images.py COUNT is the long one."""

import subprocess
import sys


def run(repository, folder, *arguments, before=""):
    script = repository / "benchmarks" / "fuzz_images.py"
    if before:
        marker = 'if __name__ == "__main__":'
        text = script.read_text(encoding="utf-8").replace(marker, before + marker)
        script = folder / "changed.py"
        script.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, script, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=250
    )


def test_damaged_images_end_in_texels_or_in_one_line(repository, tmp_path):
    done = run(repository, tmp_path, "1300", "7", "--formats", "every")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1300 files" in done.stdout
    assert "0 findings" in done.stdout


CRASH = """
import os, signal
read_whole, calls = read_picture, [0]
def read_picture(path, data):
    calls[0] += path.name[0] == "x"
    if calls[0] == 5 and path.name[0] == "x":
        os.kill(os.getpid(), signal.SIGSEGV)
    if calls[0] == 3 and path.name[0] == "x":
        raise ValueError("not one of ours")
    return read_whole(path, data)
"""


def test_a_crash_and_an_error_of_others_are_findings_and_the_run_goes_on(repository, tmp_path):
    done = run(repository, tmp_path, "7", "--formats", "PSD", before=CRASH)
    assert done.returncode == 1
    assert "2 findings" in done.stdout
    assert "PSD_0_2: ValueError: not one of ours" in done.stdout
