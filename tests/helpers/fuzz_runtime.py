"""Damage files for runtime/c/igs.h, built with both sanitizers: ``python -m helpers.fuzz_runtime WHAT AMOUNT [FIRST]``.

mutations COUNT     damaged files with checksums that fit: each must end in a verdict, without a report of a sanitizer;
                    what is valid is packed for shaders, too; on all cores that the process may use
quick COUNT         the same for small files, damaged by the program itself: some hundred a second and core
verdicts COUNT      as mutations, and the verdicts must be the Python reader's. All three go on after a run before with
                    FIRST, the files that were damaged already, in thousands
libfuzzer SECONDS   libFuzzer (clang) from the same files on

Versions of libzstd differ in what they make of damaged frames. The one that Python has is linked where `make web` has
fetched it, else the system's, and then some verdicts in 100,000 differ.
"""

import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import zstandard as zstd

from helpers.fuzz_igs import SETS, damaged, mutation
from helpers.igs_laws import verdict
from helpers.igs_sets import fix_checksums
from helpers.runtime_c import REPOSITORY, SANITIZERS, build, verdicts
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.entropy import Entropy

BATCH = 1000
REPORTED = 20
"""Batches between reports."""
OPTIONS = ("-O1", *SANITIZERS[1:])
"""Twice as fast as SANITIZERS, which a test builds faster."""
QUICK_BYTES = 1000
SOURCE = REPOSITORY / "tests" / "runtime" / "verdicts.c"
FAST = [encode_igs(replace(quantized, entropy=Entropy.FAST)) for quantized in SETS]
GOLDEN = [path.read_bytes() for path in sorted((REPOSITORY / "tests" / "golden").glob("*.igs"))]


def zstandard(folder):
    """Options that link Python's own libzstd, where its source is there."""
    for source in (REPOSITORY / "build" / "web").glob(f"zstandard-{zstd.__version__}/zstd/zstd.c"):
        compiled = folder / "zstd.o"
        subprocess.run(["gcc", "-O2", "-w", "-c", source, "-o", compiled], check=True)
        return f"-I{source.parent}", str(compiled)
    sys.stdout.write("Python's libzstd is not there (make web): the system's is linked\n")
    return ()


def damaged_file(rng):
    """Half of them whole files of every version and codec, half of them by section: fuzz_igs.py."""
    choice = rng.random()
    if choice < 0.5:
        return mutation(rng)
    return fix_checksums(damaged(rng.choice(FAST if choice < 0.8 else GOLDEN), rng))


def fuzz_batch(program, compare, seed):
    """How often each verdict comes of one batch of damaged files, and which verdicts differ, of which file."""
    rng = random.Random(seed)
    files = [damaged_file(rng) for _ in range(BATCH)]
    results = verdicts(program, files)
    pairs = zip(results, map(verdict, files), strict=True) if compare else ()
    return Counter(results), [(pair, f"{seed}:{n}") for n, pair in enumerate(pairs) if pair[0] != pair[1]]


def report(found, differing, *, compare):
    sys.stdout.write(
        f"{found.total()} files, {found['OK']} valid, {len(found)} different verdicts: {found.most_common(12)}\n"
    )
    if compare:
        kinds = Counter(pair for pair, _ in differing).most_common()
        sys.stdout.write(f"{len(differing)} differ from the Python reader's (ours, its): {kinds}\n")
        sys.stdout.write(f"batch and number of the last: {[at for _, at in differing[-5:]]}\n")
    sys.stdout.flush()


def fuzz(program, count, first, *, compare):
    """Batches FIRST and on, in order; what they have shown so far is said now and then, and at the end."""
    found, differing = Counter(), []
    seeds = range(first, first - (-count // BATCH))
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for seed, (results, pairs) in zip(seeds, pool.map(partial(fuzz_batch, program, compare), seeds), strict=True):
            found.update(results)
            differing += pairs
            if seed == seeds[-1] or (seed + 1 - first) % REPORTED == 0:
                report(found, differing, compare=compare)


def main():
    what, amount, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if what == "libfuzzer":
            target = build(
                SOURCE, folder / "target", "-O1", "-g", "-DIGS_LIBFUZZER", "-fsanitize=fuzzer,address,undefined",
                "-fno-sanitize-recover=all", compiler="clang",
            )  # fmt: skip
            corpus = folder / "corpus"
            corpus.mkdir()
            for number, data in enumerate([*FAST, *GOLDEN, *map(encode_igs, SETS)]):
                (corpus / str(number)).write_bytes(data)
            subprocess.run(
                [
                    target,
                    corpus,
                    f"-max_total_time={amount}",
                    "-max_len=6000",
                    "-rss_limit_mb=2048",
                    "-print_final_stats=1",
                ],
                check=True,
            )
        elif what == "quick":
            program = build(SOURCE, folder / "mutations", *OPTIONS, "-DIGS_MUTATIONS")
            files = [data for data in (*FAST, *GOLDEN, *map(encode_igs, SETS)) if len(data) < QUICK_BYTES]
            paths = [folder / str(number) for number in range(len(files))]
            for path, data in zip(paths, files, strict=True):
                path.write_bytes(data)
            cores = len(os.sched_getaffinity(0))
            each = str(-(-amount // cores))
            runs = [subprocess.Popen([program, each, str(1000 * first + core), *paths]) for core in range(cores)]
            assert {run.wait() for run in runs} == {0}
        else:
            fuzz(
                build(SOURCE, folder / "verdicts", *OPTIONS, *zstandard(folder)),
                amount,
                first,
                compare=what == "verdicts",
            )


if __name__ == "__main__":
    main()
