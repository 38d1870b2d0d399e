"""What of Gradio's server can be had: nothing that opens a file, whatever a request says."""

import json

import pytest
from starlette.testclient import TestClient

from imagegs_tex.studio.gate import is_plain
from imagegs_tex.studio.serve import studio

FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with studio(folder=tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def client(made):
    return TestClient(made.app)


def test_no_event_opens_a_file_that_it_names(made, client):
    """Gradio copied it to where /gradio_api/file= gave it out."""
    config = client.get("/config").json()
    for event in config["dependencies"]:
        data = [FILE] * len(event["inputs"]) or [FILE]
        call = {"fn_index": event["id"], "data": data, "session_hash": "somebody"}
        assert client.post("/gradio_api/queue/join", json=call).status_code == 400
    assert [path for path in made.folders.root.rglob("*") if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize(
    "address",
    [
        "/gradio_api/upload", "/gradio_api/run/predict", "/gradio_api/call/x", "/gradio_api/component_server",
        "/gradio_api/process_recording", "/login", "/gradio_api/api/x", "/gradio_api/cancel", "/gradio_api/vibe-code/",
    ],
)  # fmt: skip
def test_what_the_page_does_not_send_is_taken_nowhere(client, address):
    assert client.post(address, json={"data": []}).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/gradio_api/file=/etc/hostname", "/gradio_api/proxy=http://127.0.0.1/", "/gradio_api/stream/a/b/c/d",
        "/gradio_api/custom_component/a/b/c/d", "/openapi.json", "/docs", "/gradio_api/info", "/gradio_api/token",
        "/studio-static/../serve.py", "/studio-static/lit.js",
        "/studio-viewer/viewer/../../serve.py", "/studio/%2e%2e/%2e%2e/etc/hostname", "/assets/..%2f..%2fconfig",
    ],
)  # fmt: skip
def test_what_the_page_does_not_ask_for_is_not_there(client, address):
    assert client.get(address).status_code in {403, 404}


def test_what_the_page_asks_for_is_there(client):
    for address in ("/", "/config", "/theme.css", "/studio-static/inspector.js"):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("event", "plain"),
    [
        ({"data": [None, True, 1.5, "words", ["a", 2]], "event_data": None}, True),
        ({"data": [], "event_data": {"count": 3}}, True),
        ({"data": [FILE]}, False),
        ({"data": [[FILE]]}, False),
        ({"data": [[["/etc/passwd"]]]}, False),
        ({"data": {"path": "x"}}, False),
        ({"data": [], "event_data": {"a": FILE}}, False),
        ({"data": [], "event_data": [FILE]}, False),
        (["data"], False),
    ],
)
def test_only_words_and_numbers_are_plain(event, plain):
    assert is_plain(json.dumps(event).encode()) == plain


def test_what_is_no_json_is_not_plain(client):
    assert not is_plain(b"[" * 100_000)
    assert not is_plain(b"\xff")
    assert client.post("/gradio_api/queue/join", content=b" " * (1 << 19)).status_code == 400
