"""The studio as a server."""

import ipaddress
import logging
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from imagegs_tex.formats.errors import InputError, MissingToolError, UsageError, install_extra
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.studio.folders import StudioFolders
from imagegs_tex.studio.jobs import JobQueue
from imagegs_tex.studio.limits import ABSENCE_SECONDS
from imagegs_tex.studio.visitors import Visitors
from imagegs_tex.studio.warm import warm_job

if TYPE_CHECKING:
    from fastapi import FastAPI

DEFAULT_PORT: Final = 7860
LOOPBACK: Final = "127.0.0.1"
_TRIED_PORTS: Final = 20
_log = logging.getLogger("imagegs_tex.studio")


@dataclass(frozen=True, slots=True)
class Studio:
    """A studio that is ready to be served, for as long as its context lasts."""

    app: "FastAPI"
    visitors: Visitors
    folders: StudioFolders
    queue: JobQueue


@contextmanager
def studio(source: Path | None = None, folder: Path | None = None) -> Iterator[Studio]:
    """Build a studio, and remove all that it made when it is over.

    Args:
        source: a material or an .igs file that every page begins with; None: nothing
        folder: where its folders go; None: the system's temporary folder

    Raises:
        MissingToolError: Gradio is not installed
        InputError: the source does not exist
    """
    if source is not None and not source.exists():
        raise InputError(f"{printable(source)} does not exist; give a material or an .igs file")
    with StudioFolders(folder) as folders:
        # Gradio reads these when it is imported, and when a component is made
        os.environ["GRADIO_TEMP_DIR"] = str(folders.root / "gradio")
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        try:
            import gradio as gr
            from fastapi import FastAPI
        except ImportError:
            raise MissingToolError(f"the studio needs Gradio: {install_extra('studio')}") from None
        from imagegs_tex.studio.gate import Gate
        from imagegs_tex.studio.page import build_page
        from imagegs_tex.studio.routes import add_routes

        visitors, queue, over = Visitors(folders), JobQueue(), threading.Event()
        app = FastAPI(openapi_url=None)
        app.add_middleware(Gate)
        add_routes(app, visitors)
        page = build_page(visitors, queue, source)
        gr.mount_gradio_app(
            app, page.blocks, path="/", allowed_paths=[], max_file_size=1, show_error=False, footer_links=[],
            theme=page.theme, css=page.css, head=page.head, ssr_mode=False,
        )  # fmt: skip
        threading.Thread(target=_sweep, args=(visitors, over), name="studio-sweeper", daemon=True).start()
        try:
            yield Studio(app, visitors, folders, queue)
        finally:
            over.set()
            queue.close()
            visitors.sweep(absence=-1)


def _sweep(visitors: Visitors, over: threading.Event) -> None:
    while not over.wait(ABSENCE_SECONDS / 4):
        visitors.sweep()


def serve(
    source: Path | None = None, host: str = LOOPBACK, port: int | None = None, *, open_browser: bool = False
) -> None:
    """Serve the studio until it is interrupted.

    Args:
        source: a material or an .igs file that every page begins with
        host: address to listen at; any but the loopback address lets others in
        port: None: 7860, or the next that is free
        open_browser: whether to show the page

    Raises:
        UsageError: the port is taken, or there is no such address
        MissingToolError: Gradio is not installed
        InputError: the source does not exist
    """
    listening = _listen(host, port)
    address = f"http://{'localhost' if is_loopback(host) else host}:{listening.getsockname()[1]}"
    with listening, studio(source) as made:
        import uvicorn

        if not is_loopback(host):
            _log.warning(
                "the studio listens at %s: whoever reaches this machine can use it, without a password or encryption",
                printable(host),
            )
        _log.info("the studio is at %s (Ctrl-C ends it)", address)
        made.queue.submit(warm_job())
        if open_browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        # uvicorn raises it again once it has ended: without a handler the process would be gone before its folders are
        signal.signal(signal.SIGTERM, _end)
        config = uvicorn.Config(made.app, log_level="warning", timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[listening])


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int | None) -> socket.socket:
    """Take a port; without one that was asked for, the first that is free."""
    wanted = [port] if port is not None else [*range(DEFAULT_PORT, DEFAULT_PORT + _TRIED_PORTS), 0]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason = ""
    for each in wanted:
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((host, each))
        except OSError as error:
            found.close()
            reason = printable(error.strerror or error)
            continue
        return found
    where = printable(f"{host}:{port}" if port is not None else host)
    raise UsageError(f"cannot listen at {where} ({reason}); give another --port or --host")
