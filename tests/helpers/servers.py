"""Servers that a test starts and ends."""

import os
import socket
import subprocess
import time
from contextlib import contextmanager


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command, port, **environment):
    """Run a command until it listens at a port, and end it as a service is ended; give the process."""
    whole = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    with subprocess.Popen(list(map(str, command)), env=whole, stderr=subprocess.PIPE, text=True) as server:
        try:
            for _ in range(900):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None, server.stderr.read()
                time.sleep(0.1)
            else:
                raise AssertionError(f"nothing listens at {port}")
            yield server
        finally:
            server.terminate()
            server.wait(60)
