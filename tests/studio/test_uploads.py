"""What visitors send: names that climb, doubles, archives, and what belongs to what."""

import json
import zipfile

import numpy as np
import pytest
from helpers.tiny_material import write_material

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import write_image
from imagegs_tex.studio import uploads
from imagegs_tex.studio.corrections import MapCorrection
from imagegs_tex.studio.receiving import Received, receive
from imagegs_tex.studio.uploads import Inbox, safe_relative
from imagegs_tex.studio.visitors import Visitor


@pytest.fixture
def inbox(tmp_path):
    return Inbox(tmp_path / "sent")


@pytest.fixture
def visitor(tmp_path, inbox):
    return Visitor("token", tmp_path, inbox)


def send(inbox, **files):
    for name, data in files.items():
        put(inbox, name, data)


def put(inbox, name, data=b"x"):
    path = inbox.begin(name)
    path.write_bytes(data)
    inbox.count(len(data))
    return path


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("stone/basecolor.png", "stone/basecolor.png"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Users\\me\\a.png", "Users/me/a.png"),
        ("a/./b/../c.png", "a/b/c.png"),
        ("...", "file"),
        ("", "file"),
        ("a\nb\x00.png", "a_b_.png"),
        ("con.png", "_con.png"),
        ("<script>.png", "_script_.png"),
        ("1/2/3/4/5/6/7/8.png", "3/4/5/6/7/8.png"),
    ],
)
def test_names_stay_where_they_are_put(name, safe, inbox):
    assert safe_relative(name).as_posix() == safe
    path = put(inbox, name)
    assert path.resolve().is_relative_to(inbox.folder.resolve())


def test_a_file_sent_twice_and_too_many_bytes_are_refused(inbox, monkeypatch):
    put(inbox, "a.png")
    with pytest.raises(InputError, match="sent twice"):
        inbox.begin("./a.png")
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 10)
    with pytest.raises(InputError, match="send fewer"):
        inbox.count(10)
    inbox.clear()
    assert list(inbox.folder.parent.iterdir()) == []
    inbox.count(10)  # a new material has the whole allowance


def test_too_many_files_are_refused(inbox, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_UPLOAD_FILES", 2)
    put(inbox, "a.png")
    put(inbox, "b.png")
    with pytest.raises(InputError, match="more than 2 files"):
        inbox.begin("c.png")


def test_maps_of_a_folder_are_that_folder(inbox):
    put(inbox, "stone/basecolor.png")
    put(inbox, "stone/normal.png")
    found = inbox.upload()
    assert (found.path, found.title, found.is_igs) == (inbox.folder / "stone", "stone", False)


@pytest.mark.parametrize(
    ("names", "title"),
    [(["rock_07_basecolor.png", "rock_07_normal.png"], "rock_07"), (["a.png", "b.png"], "material")],
)
def test_files_without_a_folder_are_called_after_what_their_names_share(inbox, names, title):
    for name in names:
        put(inbox, name)
    assert (inbox.upload().path, inbox.upload().title) == (inbox.folder, title)


def test_an_igs_is_known_by_its_first_bytes_and_stands_alone(inbox, repository):
    data = next((repository / "tests" / "golden").glob("*.igs")).read_bytes()
    put(inbox, "renamed.png", data)
    assert inbox.upload().is_igs
    put(inbox, "other.png")
    with pytest.raises(InputError, match="drop it alone"):
        inbox.upload()


def test_images_sent_without_their_folders_lie_where_the_gltf_says(inbox):
    images = {"images": [{"uri": "textures/a.png"}, {"uri": "../b.png"}, {"uri": "c.png"}]}
    put(inbox, "scene.gltf", json.dumps(images).encode())
    for name in ("a.png", "b.png", "c.png"):
        put(inbox, name, name.encode())
    assert inbox.upload().path.name == "scene.gltf"
    found = sorted(path.relative_to(inbox.folder).as_posix() for path in inbox.folder.rglob("*.png"))
    assert found == ["b.png", "c.png", "textures/a.png"]


@pytest.mark.parametrize("folder", ["/etc", "../..", "a/../../.."])
def test_a_manifest_names_nothing_outside(inbox, folder):
    put(inbox, "m.json", json.dumps({"folder": folder, "textures": [{"fileName": "passwd"}]}).encode())
    with pytest.raises(InputError, match="leads out"):
        inbox.upload()


def test_json_that_is_no_manifest_is_left_beside_the_maps(inbox):
    put(inbox, "stone.json", b'{"engine": 1}')
    put(inbox, "basecolor.png")
    put(inbox, "normal.png")
    assert inbox.upload().path == inbox.folder


def test_a_zip_that_unpacks_to_too_much_is_refused_unread(inbox, monkeypatch, tmp_path):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", bytes(5000))
    monkeypatch.setattr(uploads, "MAX_UNPACKED_BYTES", 4999)
    put(inbox, "bomb.zip", archive.read_bytes())
    with pytest.raises(InputError, match="holds 0 MiB unpacked"):
        inbox.upload()


def test_nothing_and_no_pictures_are_said(inbox):
    with pytest.raises(InputError, match="no file arrived"):
        inbox.upload()
    put(inbox, "a.txt")
    put(inbox, "b.doc")
    with pytest.raises(InputError, match=r"no picture among the 2 files \(\.doc, \.txt\)"):
        inbox.upload()


def test_what_alone_is_of_no_kind_is_told_all_kinds(inbox):
    put(inbox, "notes.txt", b"hello")
    with pytest.raises(InputError, match=r"notes\.txt is neither .* use \.zip, \.glb, \.gltf, \.igs, \.png, "):
        inbox.upload()


def next_delivery(inbox, *names, data=b"y"):
    inbox.clear()
    for name in names:
        put(inbox, name, data)


def test_pictures_that_come_later_join_those_that_are_there(inbox):
    put(inbox, "a_normal.png", b"x")
    put(inbox, "a_height.png", b"x")
    first = inbox.upload()
    assert inbox.add_to(first) is None  # there is nothing to add to
    inbox.keep()
    next_delivery(inbox, "a_height.PNG", "a_gloss.png")
    assert inbox.add_to(first) == ("a_height.png",)
    assert first.path.is_dir()  # until the new one can be used
    second = inbox.upload()
    inbox.keep()
    assert [path.name for path in inbox.folder.parent.iterdir()] == [second.path.name]
    assert {path.name: path.read_bytes() for path in second.path.iterdir()} == {
        "a_height.PNG": b"y", "a_gloss.png": b"y", "a_normal.png": b"x",
    }  # fmt: skip


@pytest.mark.parametrize("names", [["b.zip"], ["b.glb"], ["b.igs"], ["b/a.png"], ["b.txt"], ["b.png", "b.gltf"]])
def test_what_is_a_material_of_its_own_joins_nothing(inbox, names):
    put(inbox, "a.png")
    first = inbox.upload()
    inbox.keep()
    next_delivery(inbox, *names)
    assert inbox.add_to(first) is None
    assert inbox.names == names
    next_delivery(inbox, "c.png")
    assert inbox.add_to(None) is None  # the material was taken away
    assert (first.path.is_file(), inbox.names) == (True, ["c.png"])


def test_pictures_that_come_after_a_folder_join_it(visitor, tmp_path):
    stone = write_material(tmp_path / "stone")
    for path in sorted(stone.iterdir()):
        put(visitor.inbox, f"stone/{path.name}", path.read_bytes())
    put(visitor.inbox, "stone/older/height.png", (stone / "height.png").read_bytes())
    receive(visitor)
    for _ in range(2):  # the second time it is there
        next_delivery(visitor.inbox, "gloss.png", data=(stone / "roughness.png").read_bytes())
        found = receive(visitor)
        assert [row.name for row in visitor.reading.table] == ["basecolor", "gloss", "height", "normal", "roughness"]
        assert (visitor.reading.title, visitor.upload.path) == ("stone", visitor.inbox.folder / "stone")
    assert found.words == "gloss.png: the new file replaces the one of that name."
    assert (visitor.upload.path / "older" / "height.png").is_file()
    assert [path.name for path in visitor.inbox.folder.parent.iterdir()] == [visitor.inbox.folder.name]


def test_a_picture_called_as_the_folder_is_joins_it_too(inbox):
    put(inbox, "a.png/b.png")
    first = inbox.upload()
    inbox.keep()
    next_delivery(inbox, "a.png")
    assert inbox.add_to(first) == ()
    assert (inbox.names, inbox.upload().title) == (["a.png/a.png", "a.png/b.png"], "a.png")


@pytest.mark.parametrize(
    "names", [["a/x.png", "b/x.png"], ["a/scene.gltf", "a/x.png"], ["a.zip"], ["a/x.glb"], ["a/x.igs"]]
)
def test_what_is_no_folder_of_maps_is_replaced_by_a_picture(inbox, names):
    for name in names:
        put(inbox, name)
    first = inbox.upload()
    inbox.keep()
    next_delivery(inbox, "c.png")
    assert inbox.add_to(first) is None
    assert inbox.names == ["c.png"]


def test_advice_of_other_proportions_can_be_followed_on_the_page(visitor, tmp_path):
    stone = write_material(tmp_path / "stone")
    put(visitor.inbox, "basecolor.png", (stone / "basecolor.png").read_bytes())
    image = np.zeros((48, 16), np.uint8)
    image[:24] = 255
    write_image(tmp_path / "wide--height.png", image)
    put(visitor.inbox, "wide--height.png", (tmp_path / "wide--height.png").read_bytes())
    words = receive(visitor).words
    assert "wide--height.png" in words
    assert words.endswith("which are other proportions; scale one of them, or leave it out")


def test_together_they_keep_the_limits(inbox, monkeypatch):
    put(inbox, "a.png", bytes(6))
    first = inbox.upload()
    inbox.keep()
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 10)
    next_delivery(inbox, "b.png", data=bytes(6))
    with pytest.raises(InputError, match="send fewer"):
        inbox.add_to(first)


def test_what_cannot_be_used_leaves_the_material_as_it_was(visitor, tmp_path):
    stone = write_material(tmp_path / "stone")
    for path in sorted(stone.iterdir()):
        put(visitor.inbox, path.name, path.read_bytes())
    assert receive(visitor) == Received("")
    visitor.corrections["height"] = MapCorrection(is_left_out=True)
    before = (visitor.upload, visitor.reading, dict(visitor.corrections))
    for name in ("notes.txt", "basecolor.png"):
        next_delivery(visitor.inbox, name, data=b"MZ this is a program")
        found = receive(visitor)
        assert found.kind == "bad"
        assert f"{name} " in found.words
        assert found.words.endswith("The material that was here stays as it was.")
        assert (visitor.upload, visitor.reading, visitor.corrections, visitor.problem) == (*before, "")
        assert visitor.upload.path.is_dir()
    next_delivery(visitor.inbox, "gloss.png", data=(stone / "roughness.png").read_bytes())
    assert receive(visitor).words == "Added to the maps that were there."
    assert [row.name for row in visitor.reading.table] == ["basecolor", "gloss", "height", "normal", "roughness"]
    assert visitor.corrections == before[2]  # and what was said of the others holds
    next_delivery(visitor.inbox, "gloss.png", data=(stone / "height.png").read_bytes())
    assert receive(visitor).words == "gloss.png: the new file replaces the one of that name."
    next_delivery(visitor.inbox, "slate/basecolor.png", data=(stone / "basecolor.png").read_bytes())
    assert receive(visitor).words == "This replaces the material that was here."
    assert (len(visitor.reading.table), visitor.corrections) == (1, {})


def test_a_single_picture_is_itself(inbox, tmp_path):
    write_material(tmp_path / "stone")
    put(inbox, "photo.png", (tmp_path / "stone" / "basecolor.png").read_bytes())
    assert inbox.upload().path == inbox.folder / "photo.png"
