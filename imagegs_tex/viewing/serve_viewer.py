"""The viewer in a browser: serves runtime/web and one file on the loopback address."""

import contextlib
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from imagegs_tex.formats.errors import InputError, MissingToolError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.viewing.source_pictures import source_pictures

LOOPBACK: Final = "127.0.0.1"
VIEWER: Final = "viewer"
FILES: Final = "files"
"""Where the page finds the user's files; runtime/web has no such folder."""

Content = Path | bytes
"""What is served: a file, which is read when it is asked for, or bytes."""
CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
}
_POLICY: Final = (
    "default-src 'self' data: blob:; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "connect-src * data: blob:"
)
"""The viewer runs only what is served here; it may fetch .igs files from anywhere, as its URL field says."""


def web_folder() -> Path:
    """Return the folder of the web runtime: of the installed package, or of a checkout.

    Raises:
        MissingToolError: what has to be built for it is not there
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "web", package.parent / "runtime" / "web"):
        if (folder / "built" / "igs.wasm").is_file():
            return folder
    raise MissingToolError(
        "the web runtime was not built into this installation; run 'make web' in the checkout (docs/guide/web.md says "
        "what it needs) and install again, or make a page to look at: view FILE.igs -o DIR --html FILE.html"
    )


class _Handler(BaseHTTPRequestHandler):
    """Gives what lies in the folder and the user's files, and nothing else, to pages of this server."""

    server: "ViewerServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with what a file's head would be."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        content = self.server.content_at(urlsplit(self.path).path)
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        data = b""
        if host not in {LOOPBACK, "localhost"}:  # a page of another name must not read through this server
            status = HTTPStatus.FORBIDDEN
        elif content is None:
            status = HTTPStatus.NOT_FOUND
        else:
            try:
                data, status = content if isinstance(content, bytes) else content.read_bytes(), HTTPStatus.OK
            except OSError:
                status = HTTPStatus.NOT_FOUND
        self.send_response(status)
        name = content.name if isinstance(content, Path) else urlsplit(self.path).path
        suffix = PurePosixPath(name).suffix.lower()
        self.send_header("Content-Type", CONTENT_TYPES.get(suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.path.startswith(f"/{VIEWER}/"):
            self.send_header("Content-Security-Policy", _POLICY)
        self.end_headers()
        if with_body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay quiet: stderr is for the user."""


class ViewerServer(ThreadingHTTPServer):
    """A server of a folder and of single contents, at a free port of the loopback address."""

    daemon_threads = True

    def __init__(self, folder: Path, files: Mapping[str, Content]) -> None:
        self._folder = folder.resolve()
        self._files = dict(files)
        super().__init__((LOOPBACK, 0), _Handler)

    @property
    def address(self) -> str:
        """Its URL, with a slash at the end."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    def content_at(self, path: str) -> Content | None:
        """Return the file or the bytes that a URL's path means; None where it means none."""
        parts = PurePosixPath(unquote(path)).parts[1:]
        if len(parts) == 2 and parts[0] == FILES:
            return self._files.get(parts[1])
        with contextlib.suppress(OSError, ValueError):
            found = self._folder.joinpath(*parts).resolve()
            found = found / "index.html" if found.is_dir() else found
            if found.is_file() and found.is_relative_to(self._folder):
                return found
        return None


@contextmanager
def serving(folder: Path, files: Mapping[str, Content] | None = None) -> Iterator[ViewerServer]:
    """Serve in threads while the context lasts.

    Args:
        folder: what is served
        files: files, or bytes, by the name that a page finds each under, below :data:`FILES`
    """
    server = ViewerServer(folder, files or {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def viewer_query(file: str, sources: Sequence[str] = (), *, green_up: bool = True) -> str:
    """Return what follows the viewer's address to have it show a file.

    Args:
        file: its URL, from the viewer
        sources: URLs of its maps' source images, in its order
        green_up: whether green of its normals points up (OpenGL)
    """
    asked = [("file", file), *(("source", each) for each in sources)]
    return "?" + urlencode(asked if green_up else [*asked, ("green", "-1")], quote_via=quote)


def viewer_address(server: ViewerServer, name: str, sources: Sequence[str] = (), *, green_up: bool = True) -> str:
    """Return the URL at which the viewer shows one of the server's files, beside others that are its sources."""
    file, *rest = (f"../{FILES}/{quote(each)}" for each in (name, *sources))
    return f"{server.address}{VIEWER}/{viewer_query(file, rest, green_up=green_up)}"


def serve_viewer(
    file: Path, say: Callable[[str], None], source: Path | None = None, options: SourceOptions | None = None
) -> None:
    """Serve the viewer with a file until it is interrupted, and open it in the user's browser.

    Args:
        file: an .igs file; without a source, whether it is good is the page's to say
        say: is told the page's URL
        source: what the file was made of, to be seen beside it
        options: how the source is read

    Raises:
        InputError: the file does not exist, the source cannot be used, or its maps are not those of the file
        IgsError: a source is given, and the file is damaged
        MissingToolError: the web runtime was not built
    """
    if not file.is_file():
        raise InputError(f"{printable(file)} does not exist; give an .igs file")
    folder = web_folder()
    pictures = [] if source is None else source_pictures(file, source, options)
    sources = {f"source-{number}.png": picture for number, picture in enumerate(pictures)}
    with serving(folder, {**sources, file.name: file.resolve()}) as server:
        address = viewer_address(server, file.name, list(sources))
        say(address)
        webbrowser.open(address)
        threading.Event().wait()
