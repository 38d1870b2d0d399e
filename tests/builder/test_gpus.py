"""Which GPUs a build finds without torch; with a driver that is made up, and beside torch where there is one."""

import ctypes
import subprocess
import sys

import pytest

from imagegs_tex.builder import gpus, processor
from imagegs_tex.builder.build_tree import BuildWorkers, devices_of
from imagegs_tex.builder.gpus import Gpus, gpus_here


class Driver:
    """Answers as libcuda does; ``fails`` names a call that returns an error."""

    def __init__(self, count=2, version=13000, fails=""):
        self._count, self._version, self._fails = count, version, fails

    def __getattr__(self, name):
        def call(*arguments):
            if name == self._fails:
                return 100
            if name == "cuDeviceGetName":
                arguments[0].value = b"NVIDIA Made Up"
            elif name == "cuDriverGetVersion":
                arguments[0]._obj.value = self._version
            elif name == "cuDeviceGetCount":
                arguments[0]._obj.value = self._count
            return 0

        return call


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend a torch of a CUDA version, and a driver; None: there is no driver."""

    def pretend(driver, cuda="12.8"):
        (tmp_path / "version.py").write_text(f"cuda = {cuda!r}\n")
        spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
        monkeypatch.setattr(gpus.importlib.util, "find_spec", lambda _: spec)

        def load(_):
            if driver is None:
                raise OSError("no such library")
            return driver

        monkeypatch.setattr(ctypes, "CDLL", load)
        monkeypatch.setattr(processor, "_NVIDIA", (tmp_path,))
        gpus_here.cache_clear()

    yield pretend
    gpus_here.cache_clear()


def test_what_the_driver_says(machine):
    machine(Driver(count=3))
    assert gpus_here() == Gpus(3, "NVIDIA Made Up")


NONE = {
    "no driver": (None, "12.8"),
    "torch without CUDA": (Driver(), None),
    "no GPU": (Driver(count=0), "12.8"),
    "a driver that is too old": (Driver(version=12080), "13.0"),
    **{f"{name} fails": (Driver(fails=name), "12.8") for name in ("cuInit", "cuDriverGetVersion", "cuDeviceGetName")},
}


@pytest.mark.parametrize("case", NONE)
def test_where_torch_would_find_none(machine, case):
    driver, cuda = NONE[case]
    machine(driver, cuda)
    assert gpus_here() is None
    if sys.platform == "linux":
        assert processor.backend_here("auto") == "cpu"


@pytest.mark.skipif(sys.platform != "linux", reason="asks torch elsewhere")
def test_a_build_on_gpus_knows_backend_devices_and_processor(machine):
    machine(Driver(count=2))
    assert processor.backend_here("auto") == processor.backend_here("cuda") == "cuda"
    assert devices_of("auto", BuildWorkers(jobs=4)) == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert len(devices_of("auto", BuildWorkers())) == 2 * gpus.PROCESSES_PER_GPU
    assert processor.processor_class("cuda").startswith("NVIDIA Made Up, ")


def test_a_build_that_has_nothing_to_do_loads_neither_torch_nor_numba(tmp_path):
    from helpers.tiny_material import write_material

    from imagegs_tex import Preset, build_tree

    write_material(tmp_path / "in" / "stone", 16, 16)
    build_tree(tmp_path / "in", tmp_path / "out", preset=Preset.FAST, backend="cpu", workers=BuildWorkers(jobs=1))
    script = (
        "import sys\n"
        "from imagegs_tex.cli.main import main\n"
        f"sys.argv = ['imagegs-tex', 'build', {str(tmp_path / 'in')!r}, '-o', {str(tmp_path / 'out')!r}, "
        "'--preset', 'fast']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "loaded = sorted({'torch', 'numba', 'scipy', 'cupy'} & {*sys.modules})\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "1 unchanged" in done.stdout


@pytest.mark.cuda
def test_the_same_as_torch():
    import torch

    assert gpus_here() == Gpus(torch.cuda.device_count(), torch.cuda.get_device_name(0))
