import json
import subprocess
import sys

from imagegs_tex.doctor import VALUE_TOLERANCE, check_backend


def test_the_cpu_backend_is_right():
    check = check_backend("cpu")
    assert check.passed
    assert check.difference < VALUE_TOLERANCE


def test_a_backend_that_cannot_run_says_why_and_is_not_passed():
    check = check_backend("no such backend")
    assert not check.passed
    assert "no such backend" in check.problem


def test_the_command_prints_json_with_every_backend():
    done = subprocess.run(
        [sys.executable, "-m", "imagegs_tex", "doctor", "--json"], capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert [check["name"] for check in report["checks"]] == ["reference", "cpu", "cuda"]
    assert report["used_backend"] in {"cpu", "cuda"}
    assert {finding["name"] for finding in report["findings"]} >= {"torch", "CUDA", "gsplat", "fused-ssim", "OpenGL"}


def test_without_cuda_nothing_of_it_is_imported():
    code = (
        "import sys; from imagegs_tex.rasterize.select_backend import make_backend; import torch\n"
        "make_backend('auto')\n"
        "found = {'triton', 'gsplat', 'fused_ssim'} & set(sys.modules)\n"
        "assert torch.cuda.is_available() or not found, found\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
