"""What can be got and sent over the network: one's own, by a secret; no path from outside is opened."""

import json
import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.tiny_material import write_material
from helpers.web_pages import need_built_web
from starlette.testclient import TestClient

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.studio import uploads
from imagegs_tex.studio.jobs import Job, JobState
from imagegs_tex.studio.live import KINDS
from imagegs_tex.studio.result_views import download_link
from imagegs_tex.studio.serve import is_loopback, serve, studio
from imagegs_tex.studio.visitors import Served

SECRET = b"root of another place"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with studio(folder=tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def client(made):
    return TestClient(made.app)


def send(client, token, name, data, first=False):
    query = "?first=1" if first else ""
    return client.post(f"/studio/{token}/send{query}", content=data, headers={"x-file-name": name})


def test_files_go_into_the_visitors_own_folder(made, client):
    visitor = made.visitors.of("page-1")
    assert send(client, visitor.token, "a%2Fb.png", b"1", first=True).status_code == 200
    assert send(client, visitor.token, "..%2F..%2F..%2Fc.png", b"2").status_code == 200
    found = sorted(path.relative_to(visitor.folder).as_posix() for path in visitor.folder.rglob("*.png"))
    assert found == ["sent/1/a/b.png", "sent/1/c.png"]
    assert send(client, visitor.token, "d.png", b"3", first=True).status_code == 200
    assert [path.name for path in visitor.folder.rglob("*.png")] == ["d.png"]


def test_too_much_is_refused_as_it_comes(made, client, monkeypatch):
    visitor = made.visitors.of("page-2")
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 10)
    answer = send(client, visitor.token, "a.png", b"12345678901", first=True)
    assert (answer.status_code, "send fewer" in answer.text) == (413, True)
    assert list(visitor.folder.rglob("*.png")) == []  # nor is the half of it kept


def test_a_wrong_secret_gets_and_sends_nothing(made, client):
    visitor = made.visitors.of("page-3")
    visitor.address("x.png", Served(b"mine", "image/png"))
    assert client.get(f"/studio/{visitor.token}/x.png").content == b"mine"
    other = made.visitors.of("page-4")
    assert client.get(f"/studio/{other.token}/x.png").status_code == 404
    assert client.get("/studio/guess/x.png").status_code == 404
    assert send(client, "guess", "a.png", b"1").status_code == 410


def test_what_the_guide_says_of_image_gs_page_stands_on_the_page(client, repository):
    guide = (repository / "docs" / "guide" / "studio.md").read_text(encoding="utf-8")
    rows = guide.split("| there | here |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    assert len(rows) == 10
    page = json.dumps(client.get("/config").json(), ensure_ascii=False) + "".join(KINDS.values())
    page += download_link("address", Path("stone.igs"), "igs", "")
    named = {name for row in rows for name in re.findall(r"\*([^*]+)\*", row)}
    assert len(named) >= 10
    assert [name for name in named if name not in page] == []


def test_the_viewer_is_served_and_asks_the_studio_alone(client, require_tool):
    need_built_web(require_tool)
    for name, kind in (("viewer/index.html", "text/html"), ("igs.js", "text/javascript"), ("built/igs.wasm", "wasm")):
        answer = client.get(f"/studio-viewer/{name}")
        assert answer.status_code == 200, name
        assert kind in answer.headers["content-type"]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self' data: blob:;" in policy
        assert "connect-src" not in policy
        assert "*" not in policy


@pytest.mark.parametrize(
    "address",
    [
        "/studio/{token}/..%2F..%2Fsecret.txt", "/studio/{token}/%2Fetc%2Fpasswd", "/studio-static/..%2Fserve.py",
        "/studio-static/%2Fetc%2Fpasswd", "/gradio_api/file={secret}", "/gradio_api/file=/etc/passwd", "/file={secret}",
        "/gradio_api/file={own}", "/static/..%2F..%2Fetc%2Fpasswd",
        "/studio-viewer/..%2F..%2Fetc%2Fpasswd", "/studio-viewer/{secret}", "/studio-viewer/%2Fetc%2Fpasswd",
        "/studio-viewer/__init__.py", "/studio-viewer/package.json/..%2f__init__.py",
    ],
)  # fmt: skip
def test_no_path_is_opened(made, client, tmp_path, address):
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SECRET)
    visitor = made.visitors.of("page-5")
    own = visitor.folder / "own.txt"
    own.write_bytes(SECRET)
    answer = client.get(address.format(token=visitor.token, secret=secret, own=own))
    assert answer.status_code in {400, 403, 404}
    assert SECRET not in answer.content
    assert b"root:" not in answer.content


def test_no_event_is_an_api_and_no_field_takes_a_file(client):
    config = client.get("/config").json()
    assert "public" not in {event["api_visibility"] for event in config["dependencies"]}
    kinds = {component["type"] for component in config["components"]}
    assert kinds & {"file", "image", "uploadbutton", "gallery", "multimodaltextbox", "imageeditor", "audio"} == set()


def test_a_visitor_who_leaves_takes_everything_along(made, tmp_path):
    stone = write_material(tmp_path / "stone")
    visitor = made.visitors.of("page-6")
    (visitor.folder / "map.png").write_bytes((stone / "basecolor.png").read_bytes())
    visitor.job = Job("run", lambda job: None, state=JobState.RUNNING)
    made.visitors.leave("page-6")
    assert made.visitors.sweep(absence=60) == 0
    assert made.visitors.of("page-6") is visitor  # it was only the connection
    assert made.visitors.sweep(absence=0) == 0
    made.visitors.leave("page-6")
    assert made.visitors.sweep(absence=0) == 1
    assert visitor.job.abandoned.is_set()
    assert not visitor.folder.exists()
    assert made.visitors.with_token(visitor.token) is None


def test_the_oldest_results_make_room_with_their_folders_alone(made, monkeypatch, tmp_path):
    monkeypatch.setattr("imagegs_tex.studio.visitors.MAX_RESULTS", 2)
    visitor = made.visitors.of("page-7")
    results = []
    for number in (1, 2, 3):
        folder = tmp_path / f"result_{number}"
        folder.mkdir()
        (folder / "x.igs").write_bytes(b"x")
        results.append(SimpleNamespace(number=number, file=folder / "x.igs"))
        visitor.address(f"result-{number}-x.igs", Served(folder / "x.igs", "application/octet-stream"))
    visitor.keep(results)
    assert [result.number for result in visitor.results] == [2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result_2", "result_3"]
    assert set(visitor.served) == {"result-2-x.igs", "result-3-x.igs"}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("10.0.0.1", False), ("x", False)],
)
def test_which_addresses_only_this_machine_reaches(host, loopback):
    assert is_loopback(host) == loopback


def test_a_port_that_is_taken_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="give another --port"):
            serve(port=taken.getsockname()[1])
