"""A Dask scheduler and workers, each in a process of its own, to be killed and started at will."""

import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


class Cluster:
    def __init__(self, folder, workers):
        self.folder = folder
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(workers)]

    def start_scheduler(self):
        options = ["--host", "127.0.0.1", "--port", self.port, "--no-dashboard"]
        self.scheduler = self._start("dask_scheduler", options)
        return self.scheduler

    def start_worker(self, nanny=False):
        """Start a worker; with a nanny, which starts it anew when it ends, of two processes."""
        kind = "--nanny" if nanny else "--no-nanny"
        options = [self.address, kind, "--nthreads", 1, "--no-dashboard", "--local-directory", self.folder]
        return self._start("dask_worker", options)

    def _start(self, module, options):
        path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        code = f"from distributed.cli.{module} import main; main()"
        with (self.folder / f"{module}.{time.monotonic_ns()}.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-c", code, *map(str, options)], stdout=log, stderr=log, cwd=self.folder,
                env=os.environ | {"PYTHONPATH": path},
            )  # fmt: skip

    def stop(self):
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()
