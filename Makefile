# Needs Python 3.11 or newer with venv, and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := imagegs_tex cli formats shaders
SCRIPTS := $(wildcard examples/*.py benchmarks/*.py runtime/*.py)
# shaders/samples/ are left out: their lines of //@generated stand for whole functions, which clang-format cannot know.
KERNELS := $(wildcard imagegs_tex/rasterize/cuda/kernels/*.cu imagegs_tex/rasterize/cuda/kernels/*.cuh \
	shaders/source/*.glsl shaders/source/*.hlsl runtime/c/*.c runtime/c/*.h)

.PHONY: setup demo test check docs web package format bench clean

setup: $(STAMP)

# torch comes first and pinned: asked for through a dependency, pip takes the newest. On Linux it brings gigabytes of CUDA
# libraries that the cpu backend has no use for, unless PIP_EXTRA_INDEX_URL names PyTorch's index of CPU builds.
$(STAMP): pyproject.toml Makefile
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,docs,export,farm,splats,studio,verify,watch]'
	@test -f runtime/web/built/igs.wasm || \
		echo "view --browser and the studio's viewer are not built; docs/guide/web.md says what 'make web' needs"
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py

# Files of tests side by side, on at most four cores: each worker loads torch, about 2 GB.
test: $(STAMP)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# mypy does not know the folder mapping of pyproject.toml, so it looks at a copy laid out as installed.
check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run -Werror $(KERNELS)
	rm -rf build/typecheck && mkdir -p build/typecheck
	cp -r imagegs_tex build/typecheck/
	cp -r cli formats shaders build/typecheck/imagegs_tex/
	cd build/typecheck && $(CURDIR)/$(BIN)/mypy --strict --config-file $(CURDIR)/pyproject.toml \
		--cache-dir $(CURDIR)/.mypy_cache -p imagegs_tex
	$(if $(SCRIPTS),MYPYPATH=build/typecheck $(BIN)/mypy --strict --scripts-are-modules $(SCRIPTS))

# -W: a warning fails, and so does a link or a reference in a docstring that leads nowhere; nothing is loaded from elsewhere.
docs: $(STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going -E -b html -d build/doctrees docs build/docs

# What a page loads: igs.wasm and the decoder for WebGL 2, into runtime/web/built. Needs Debian's clang, lld, wasi-libc and
# libclang-rt-dev-wasm32 and binaryen, and fetches Zstandard's decoder from PyPI. A wheel that is built without it lacks the viewer.
web: $(STAMP)
	$(BIN)/python runtime/build_web.py

# Builds the wheel and the source archive, and tries both as a stranger would; part of .ci/run, not of `make test`.
package: $(STAMP)
	.ci/package $(BIN)/python

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $(KERNELS)

bench: $(STAMP)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/quality.py

clean:
	rm -rf build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
