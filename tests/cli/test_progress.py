"""What commands say on stderr while they work, where no terminal is."""

from imagegs_tex.cli.progress import step_progress
from imagegs_tex.formats.errors import InputError


def test_steps_that_are_quick_are_not_all_said(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("imagegs_tex.cli.progress.time.monotonic", lambda: now[0])
    with step_progress(False, "check", 5.0) as show:
        for number, seconds in enumerate((0.0, 4.0, 2.0, 1.0)):
            now[0] += seconds
            show(f"step{number}", number, 4)
        show("done", 4, 4)
    assert capsys.readouterr().err == "check 1/4: step0\ncheck 3/4: step2\n"
    with step_progress(True) as show:
        assert show is None


def test_verify_says_what_it_does(run, packed, monkeypatch):
    def pretended(*_, progress, **__):
        if progress is not None:
            progress("glsl-compute, compiling", 0, 30)
        raise InputError("enough")

    monkeypatch.setattr("imagegs_tex.verification.verify", pretended)
    assert run("verify", packed)[2] == "check 1/30: glsl-compute, compiling\nimagegs-tex: enough\n"
    assert run("verify", packed, "--quiet")[2] == "imagegs-tex: enough\n"
