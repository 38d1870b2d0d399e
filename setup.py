"""What pyproject.toml cannot say: the coders in C, a plain library that formats/igs/compiled_coder.py loads.

It is optional: without a C compiler the package is built without it, and numba codes. It has nothing of Python in it,
so that one wheel serves every version of Python on a kind of machine.
"""

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext


class BuildLibrary(build_ext):
    """Builds a library that Python does not import, so without its name, its suffix or its entry point."""

    def get_ext_filename(self, fullname: str) -> str:
        """Return the library's path: compiled_coder.LIBRARY's name, in the package's folder."""
        return f"{Path(*fullname.split('.'))}{'.dll' if os.name == 'nt' else '.so'}"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Return nothing: the source says what it exports."""
        return list(ext.export_symbols)


class Wheel(bdist_wheel):
    """A wheel for a kind of machine, and any version of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tags of Python, its binary interface, and the machine."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            "imagegs_tex.formats.igs.igs_coder",
            sources=["runtime/c/igs_coder.c"],
            depends=["runtime/c/igs.h"],
            libraries=[] if os.name == "nt" else ["m"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": Wheel},
)
