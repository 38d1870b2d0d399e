"""What of Gradio's server a browser may ask for: what the page itself asks for, and nothing else.

Gradio opens files that a request names: it copies them into its cache, from where its own address gives them out. In an
application that is mounted, as the studio is, it does so without a check (6.31; ``_check_allowed`` in its
processing_utils), so that /etc/passwd could be had. The page sends words and numbers alone, so the gate lets nothing
else through, and Gradio's addresses for files do not exist.
"""

import json
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PLAIN: Final = frozenset({"/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt"})
_JOIN: Final = "/gradio_api/queue/join"
_CALLS: Final = frozenset({_JOIN, "/gradio_api/queue/data"})
_BELOW: Final = (
    "/assets/",
    "/static/",
    "/svelte/",
    "/gradio_api/heartbeat/",
    "/studio/",
    "/studio-static/",
    "/studio-viewer/",
)
_MAX_JOIN_BYTES: Final = 1 << 18
"""All settings of the page take 4 kB."""


class Gate:
    """Stands before an application and answers itself what nobody needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http" or not _is_known(scope["path"]):
            await _refuse(scope, receive, send, "there is no such address", 404)
            return
        if scope["path"] != _JOIN:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if body is None or not is_plain(body):
            await _refuse(scope, receive, send, "the page takes words and numbers alone", 400)
            return
        await self._app(scope, _Replay(body, receive), send)


def _is_known(path: str) -> bool:
    return path in _PLAIN or path in _CALLS or (path.startswith(_BELOW) and ".." not in path.split("/"))


def is_plain(body: bytes) -> bool:
    """Whether an event's data is words, numbers and lists of them: nothing that could name a file."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        return False
    told = document.get("event_data")
    extra = list(told.values()) if isinstance(told, dict) else [told]
    return all(map(_is_plain_value, [*document["data"], *extra]))


def _is_plain_value(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, list):
        return all(each is None or isinstance(each, (str, int, float)) for each in value)
    return value is None or isinstance(value, (str, int, float))


async def _body(receive: Receive) -> bytes | None:
    """Return a request's body; None where it is too long or its sender has gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _MAX_JOIN_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


class _Replay:
    """Gives a body that was read already, and then what comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _refuse(scope: Scope, receive: Receive, send: Send, words: str, status: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    await PlainTextResponse(words, status_code=status)(scope, receive, send)
