"""What browsers send and get beside the page: files in, pictures and files out, by each visitor's own secret.

Addresses name entries of a table that the studio wrote, never paths. The page has no other way for files: Gradio's own
upload takes nothing, and none of its components accepts a file.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from imagegs_tex.formats.errors import InputError
from imagegs_tex.studio.limits import MAX_UPLOAD_BYTES
from imagegs_tex.studio.viewer import viewer_files
from imagegs_tex.studio.visitors import Visitor, Visitors
from imagegs_tex.viewing.serve_viewer import CONTENT_TYPES

_STATIC: Final = Path(__file__).parent / "static"
_STATIC_TYPES: Final = dict.fromkeys(("inspector.js", "follow.js"), "text/javascript")
_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}
_SAFE: Final = {**_SNIFF, "Content-Security-Policy": "default-src 'none'; sandbox"}
_VIEWER_POLICY: Final = (
    "default-src 'self' data: blob:; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'"
)
"""The viewer fetches from the studio alone, whatever file its address names."""
_FORWARDED_NAME: Final = "x-file-name"


def add_routes(app: FastAPI, visitors: Visitors) -> None:
    """Add the studio's own addresses to an application."""

    @app.get("/studio-static/{name}")
    def static(name: str) -> Response:
        if name not in _STATIC_TYPES:
            return _not_there()
        return FileResponse(_STATIC / name, media_type=_STATIC_TYPES[name], headers={"Cache-Control": "no-cache"})

    viewer = viewer_files()

    @app.get("/studio-viewer/{name:path}")
    def part_of_viewer(name: str) -> Response:
        if name not in viewer:
            return _not_there()
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _VIEWER_POLICY}
        path = viewer[name]
        return FileResponse(path, media_type=CONTENT_TYPES[path.suffix], headers={**_SNIFF, **headers})

    @app.get("/studio/{token}/{name}")
    def get(token: str, name: str) -> Response:
        visitor = visitors.with_token(token)
        served = None if visitor is None else visitor.served.get(name)
        if served is None:
            return _not_there()
        headers = dict(_SAFE)
        if isinstance(served.content, bytes):
            return Response(served.content, media_type=served.media_type, headers=headers)
        if not served.content.is_file():
            return _not_there()
        return FileResponse(
            served.content, media_type=served.media_type, filename=served.file_name or None, headers=headers
        )

    @app.post("/studio/{token}/send")
    async def send(token: str, request: Request) -> Response:
        """Take one file, its name percent-encoded in a header; ``?first=1`` begins a new material."""
        visitor = visitors.with_token(token)
        if visitor is None:
            return PlainTextResponse("this page is too old; reload it", status_code=410)
        try:
            await _receive(visitor, request)
        except InputError as error:
            return PlainTextResponse(str(error), status_code=413)
        except ClientDisconnect:
            return PlainTextResponse("the file broke off", status_code=400)
        except OSError:
            return PlainTextResponse("the file could not be kept; is the disk full?", status_code=507)
        return PlainTextResponse("ok")


async def _receive(visitor: Visitor, request: Request) -> None:
    from urllib.parse import unquote

    if request.query_params.get("first") == "1":
        await run_in_threadpool(visitor.inbox.clear)
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > MAX_UPLOAD_BYTES:
        visitor.inbox.count(int(stated))
    path = visitor.inbox.begin(unquote(request.headers.get(_FORWARDED_NAME, "file"), errors="replace"))
    try:
        with path.open("xb") as file:
            async for chunk in request.stream():
                visitor.inbox.count(len(chunk))
                await run_in_threadpool(file.write, chunk)
    except BaseException:  # too much, or its sender has gone: half a file is none
        path.unlink(missing_ok=True)
        raise


def _not_there() -> Response:
    return PlainTextResponse("not there (any more); reload the page", status_code=404)
