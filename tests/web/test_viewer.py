"""The viewer in a browser: every control, files that are broken, and what it asks other servers for."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.made_gltf import Asset
from helpers.web_pages import WEB, chromium, need_web, open_page

import imagegs_tex
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.viewing.serve_viewer import serving, viewer_address

MAPS = (
    made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), Transfer.SRGB),
    made_map("<b>normal</b>", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
    made_map("rough", Semantic.ROUGHNESS, (Coded(5),), Transfer.LINEAR),
)
CORNERS = np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]], np.float32)
DROP = """([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    first = made_set(64, 48, 60, 6, components=4, wrap=(True, True), maps=MAPS)
    second = made_set(40, 40, 30, 6, components=3, maps=MAPS)
    (folder / "bricks 100%.igs").write_bytes(encode_igs(first))
    (folder / "second.igs").write_bytes(encode_igs(second))
    imagegs_tex.decode(folder / "bricks 100%.igs", folder / "maps")
    rng = np.random.default_rng(3)
    write_image(folder / "colour.png", rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    write_image(folder / "rough.png", rng.integers(0, 256, (20, 64, 3), dtype=np.uint8))
    write_image(folder / "other.png", rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    return folder


@pytest.fixture(scope="module")
def server(files, require_tool):
    need_web(require_tool)
    with serving(WEB, {path.name: path for path in files.glob("*.igs")}) as server:
        yield server


@pytest.fixture(scope="module")
def browser(server):
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, server):
    """One page for all tests, which they use in their order: a program takes seconds to compile in software."""
    page = open_page(browser, viewer_address(server, "bricks 100%.igs"), 830, 400)
    page.seen = None
    page.locator("#facts dd").nth(10).filter(has_text="ms").wait_for()
    yield page
    assert page.wrong == []
    assert all(url.startswith((server.address, "data:", "blob:")) for url in page.asked)


def shot(page):
    page.wait_for_timeout(40)
    return page.locator("#view").screenshot()


def changes(page, act):
    """Whether something done to the page changes its picture, since it was last seen."""
    before = page.seen or shot(page)
    act()
    page.seen = shot(page)
    return page.seen != before


def undo(page, act):
    act()
    page.seen = None


def slide(page, name, value):
    return lambda: page.locator(f"#{name}").fill(str(value))


def pick(page, name, value):
    return lambda: page.locator(f"input[name={name}][value={value}] + span").click()


def test_the_material_is_seen_and_its_figures_told(page):
    facts = page.locator("#facts").inner_text().split()
    assert "64" in facts
    assert "48" in facts
    assert page.locator("#empty").is_hidden()
    assert page.locator("#message").is_hidden()
    assert len(set(shot(page))) > 100


@pytest.mark.parametrize(
    ("name", "value"), [("tiles", 5), ("turn", 90), ("rise", 5), ("strength", 7), ("levels", None)]
)
def test_what_is_set_of_the_light_changes_the_material(page, name, value):
    act = page.locator(f"#{name}").check if value is None else slide(page, name, value)
    assert changes(page, act)
    if value is None:
        undo(page, page.locator(f"#{name}").uncheck)


def test_it_turns_slowly_by_itself(page):
    def turn():
        page.locator("#spin").check()
        page.wait_for_timeout(300)
        page.locator("#spin").uncheck()

    assert changes(page, turn)


def test_shapes_surroundings_and_the_normals_green_change_the_material(page):
    for shape in ("cube", "plane", "sphere"):
        assert changes(page, pick(page, "shape", shape)), shape
    for around in ("sky", "evening", "none", "studio"):
        assert changes(page, lambda around=around: page.select_option("#around", around)), around
    assert changes(page, lambda: page.select_option("#green", "-1"))


def test_it_is_turned_by_pointer_keys_wheel_and_finger(page):
    box = page.locator("#view").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 80, middle[1] + 20, steps=2)
        page.mouse.up()

    assert changes(page, drag)
    page.mouse.move(*middle)
    assert changes(page, lambda: page.mouse.wheel(0, -120))
    page.locator("#view").focus()
    for key in ("ArrowLeft", "ArrowUp", "+", "-", "0"):
        assert changes(page, lambda key=key: page.keyboard.press(key)), key
    pinch = """async () => {
        const canvas = document.getElementById('view'), box = canvas.getBoundingClientRect();
        canvas.setPointerCapture = () => {};
        const at = (kind, id, x) => canvas.dispatchEvent(new PointerEvent(kind, {
            pointerId: id, pointerType: 'touch', clientX: box.left + x, clientY: box.top + 100, bubbles: true }));
        at('pointerdown', 7, 100); at('pointerdown', 8, 160);
        at('pointermove', 8, 260);
        at('pointerup', 7, 100); at('pointerup', 8, 260);
        delete canvas.setPointerCapture;
    }"""
    assert changes(page, lambda: page.evaluate(pinch))


def test_it_is_seen_on_a_model(page):
    def dropped(name, data):
        return lambda: page.evaluate(DROP, [name, list(data)])

    asset = Asset()
    primitive = asset.mesh(0)
    primitive["attributes"]["POSITION"] = asset.accessor(CORNERS, "VEC3")
    asset.root |= {
        "nodes": [{"mesh": 0, "scale": [3, 1, 1], "rotation": [0, 0.38, 0, 0.92]}],
        "scenes": [{"nodes": [0]}],
    }
    whole = asset.glb()
    assert page.locator("#model").is_hidden()
    for name, data, say in (
        ("no.glb", b"nothing", "no.glb: no .glb of glTF 2.0"),
        ("cut.glb", whole[:-60], "cut.glb: a damaged .glb"),
        ("bare.glb", Asset().glb(), "bare.glb: no triangles"),
    ):
        dropped(name, data)()
        page.locator("#message.bad", has_text=say).wait_for()
    assert changes(page, dropped("sheet.glb", whole))
    assert page.locator("input[name=shape][value=model]").is_checked()
    undo(page, pick(page, "shape", "sphere"))


def test_maps_are_looked_at_one_by_one_texel_by_texel(page, files):
    assert changes(page, pick(page, "view", "flat"))
    names = page.locator("#maps button span:first-child").all_inner_texts()
    assert names == [each.name for each in MAPS]  # as text: no <b> was made of one
    for at in (1, 2, 0):
        assert changes(page, page.locator("#maps button").nth(at).click)
        assert page.locator("#maps button").nth(at).get_attribute("aria-pressed") == "true"
    assert changes(page, lambda: page.select_option("#channel", "1"))
    undo(page, lambda: page.select_option("#channel", "-1"))
    assert changes(page, slide(page, "level", 3))
    undo(page, slide(page, "level", 0))
    assert changes(page, page.locator("#gaussians").check)
    undo(page, page.locator("#gaussians").uncheck)

    from imagegs_tex.formats.images import read_image

    box = page.locator("#view").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    found = re.match(r"Texel (\d+), (\d+) · Decoded (\d+), (\d+), (\d+)$", page.inner_text("#read"))
    x, y, *values = map(int, found.groups())
    wanted = read_image(files / "maps" / "colour.png")[0][y, x].astype(int)
    assert np.abs(wanted - values).max() <= 1
    assert abs(x - 32) <= 1
    assert abs(y - 24) <= 1
    page.mouse.move(2, 2)
    assert page.inner_text("#read") == ""


def test_a_map_is_zoomed_and_moved(page):
    box = page.locator("#view").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    assert changes(page, lambda: page.mouse.wheel(0, -300))
    page.locator("#view").focus()
    for key in ("ArrowLeft", "ArrowDown", "+", "0"):
        assert changes(page, lambda key=key: page.keyboard.press(key)), key


def test_a_source_is_dropped_beside_its_map(page, files):
    assert page.locator("input[name=compare][value=split]").is_disabled()
    for name, say in (("other.png", "has the name of none of the maps"), ("rough.png", "not of the proportions")):
        page.evaluate(DROP, [name, list((files / name).read_bytes())])
        page.locator("#message.bad", has_text=say).wait_for()
    page.evaluate(DROP, ["colour.jpg", list(b"not an image at all")])
    page.locator("#message.bad", has_text="not an image that this browser reads").wait_for()
    assert changes(page, lambda: page.evaluate(DROP, ["colour.png", list((files / "colour.png").read_bytes())]))
    assert page.locator("#message").is_hidden()
    assert page.locator("input[name=compare][value=split]").is_checked()
    assert changes(page, slide(page, "split", 80))
    box = page.locator("#view").bounding_box()
    line = box["x"] + box["width"] / 2 + 0.3 * 64 * 0.96 * min(box["width"] / 64, box["height"] / 48)
    page.mouse.move(line, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(line - 120, box["y"] + 60, steps=2)
    page.mouse.up()
    page.seen = None
    assert int(page.input_value("#split")) < 75
    assert "· Source " in page.inner_text("#read")
    for mode in ("source", "difference", "decoded"):
        assert changes(page, pick(page, "compare", mode)), mode
    undo(page, pick(page, "compare", "difference"))
    assert changes(page, slide(page, "gain", 0))


def test_another_file_is_opened_and_the_first_one_chosen_again(page, server, files):
    page.set_input_files("#open", files / "second.igs")
    page.locator("#facts dd", has_text="40 × 40").wait_for()
    assert page.locator("#which option").all_inner_texts() == ["bricks 100%.igs", "second.igs"]
    page.select_option("#which", "0")
    page.locator("#facts dd", has_text="64 × 48").wait_for()
    page.fill("#address", f"{server.address}files/second.igs")
    page.keyboard.press("Enter")
    page.locator("#facts dd", has_text="40 × 40").wait_for()
    assert page.locator("#which option").count() == 3


def test_a_broken_file_is_said_and_the_page_lives(page, server, files):
    whole = (files / "second.igs").read_bytes()
    page.evaluate(DROP, ["cut.igs", list(whole[:200])])
    page.locator("#message.bad", has_text="cut.igs: ").wait_for()
    page.evaluate(DROP, ["picture.igs", list(b"\x89PNG\r\n\x1a\n and so on")])
    page.locator("#message.bad", has_text="picture.igs: ").wait_for()
    page.fill("#address", f"{server.address}files/none.igs")
    page.click("#fetch button")
    page.locator("#message.bad", has_text="none.igs: the server answers 404").wait_for()
    page.wrong[:] = [line for line in page.wrong if "404" not in line]  # the browser's own notice
    page.evaluate(DROP, ["second.igs", list(whole)])
    page.locator("#message").wait_for(state="hidden")
    page.wait_for_timeout(300)
    assert page.locator("#which option").count() == 4


@pytest.mark.parametrize("width", [360, 390, 900])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 700})
    for view in ("solid", "flat"):
        pick(page, "view", view)()
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_server_gives_its_folder_and_its_files_to_this_machine_only(server):
    def status(path, host=None):
        request = urllib.request.Request(server.address + path, headers={"Host": host} if host else {})
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code

    assert status("viewer/") == 200
    assert status("files/second.igs") == 200
    for path in (
        "files/../../build_web.py",
        "../c/igs.h",
        "%2e%2e/c/igs.h",
        "..%2fc%2figs.h",
        "files/none",
        "//etc/passwd",
        "%00",
    ):
        assert status(path) == 404, path
    assert status("viewer/", "evil.example") == 403


def test_view_opens_a_browser_and_ends_with_ctrl_c(files, require_tool):
    need_web(require_tool)
    command = [sys.executable, "-m", "imagegs_tex", "view", files / "second.igs", "--browser"]
    environment = {**os.environ, "BROWSER": "true"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        address = re.search(r"http://127\.0\.0\.1:\d+/\S+", process.stdout.readline())[0]
        with urllib.request.urlopen(address) as reply:
            assert b"Material viewer" in reply.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
