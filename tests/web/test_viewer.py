"""The viewer in a browser: every control, files that are broken, and what it asks other servers for."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.made_gltf import Asset
from helpers.web_pages import WEB, chromium, need_web, open_page

import imagegs_tex
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.viewing.serve_viewer import serving, viewer_address

MAPS = (
    made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), Transfer.SRGB),
    made_map("<b>normal</b>", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
    made_map("rough", Semantic.ROUGHNESS, (Coded(5),), Transfer.LINEAR),
)
SOURCES = ("source-0.png", "source-1.png", "source-2.png")
CORNERS = np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]], np.float32)
WAITS = """() => {
    window.waits = [];
    const busy = document.getElementById('busy');
    new MutationObserver(() => {
        if (window.waits.at(-1) !== busy.textContent) window.waits.push(busy.textContent);
    }).observe(busy, { childList: true, attributes: true });
}"""
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
    (folder / "second").mkdir()
    write_image(folder / "second" / "colour.png", rng.integers(0, 256, (80, 80, 3), dtype=np.uint8))  # twice as large
    write_image(folder / "rough.png", rng.integers(0, 256, (20, 64, 3), dtype=np.uint8))
    write_image(folder / "other.png", rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    return folder


@pytest.fixture(scope="module")
def server(files, require_tool):
    need_web(require_tool)
    shown = {path.name: path for path in files.glob("*.igs")}
    sources = {name: (files / "colour.png").read_bytes() for name in SOURCES}
    with serving(WEB, {**shown, **sources}) as server:
        yield server


@pytest.fixture(scope="module")
def browser(server):
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, server):
    """One page for all tests, which they use in their order: a program takes seconds to compile in software."""
    address = viewer_address(server, "bricks 100%.igs", SOURCES, green_up=False)
    page = open_page(browser, address, 830, 400, device_scale_factor=0.5)  # a quarter of the pixels to draw
    page.seen = None
    page.locator("#facts dd", has_text=" ms").first.wait_for()
    yield page
    assert page.wrong == []
    assert all(url.startswith((server.address, "data:", "blob:")) for url in page.asked)


def shot(page):
    page.wait_for_timeout(40)
    return page.screenshot(clip=page.locator("#view").bounding_box())  # in half the time of the locator's own


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
    page.locator("#empty").wait_for(state="hidden")
    assert page.locator("#message").is_hidden()
    assert page.locator("#busy").is_hidden()
    assert len(set(shot(page))) > 100


@pytest.mark.parametrize(("name", "value"), [("tiles", 5), ("turn", 90), ("rise", 5), ("strength", 7)])
def test_what_is_set_of_the_light_changes_the_material(page, name, value):
    assert changes(page, slide(page, name, value))


def test_levels_and_anisotropy_are_seen_in_colours_that_are_told(page):
    assert page.locator("#legend").is_hidden()
    for tint, first, last in (("level", "0", "6 and more"), ("slant", "1 : 1", "16 : 1 and more")):
        assert changes(page, lambda tint=tint: page.select_option("#tint", tint)), tint
        told = page.locator("#shades li").all_inner_texts()
        assert (told[0], told[-1]) == (first, last)
    undo(page, lambda: page.select_option("#tint", "level"))
    assert changes(page, lambda: page.select_option("#filter", "16"))  # takes finer levels where it is slanted
    undo(page, lambda: page.select_option("#tint", "none"))


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
    assert page.input_value("#green") == "-1"  # as the address says
    assert changes(page, lambda: page.select_option("#green", "1"))


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
    assert page.locator("#sides").inner_text().split() == ["Source", "Decoded"]
    undo(page, pick(page, "compare", "decoded"))
    assert page.locator("#sides").is_hidden()
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

    box = page.locator("#view").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    colour = r"(\d+), (\d+), (\d+)"
    found = re.match(rf"Texel (\d+), (\d+) · Decoded {colour} · Source {colour}$", page.inner_text("#read"))
    x, y, *values = map(int, found.groups())
    wanted = read_image(files / "maps" / "colour.png")[0][y, x].astype(int)
    assert np.abs(wanted - values[:3]).max() <= 1
    assert read_image(files / "colour.png")[0][y, x].tolist() == values[3:]  # which the address named
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
    page.set_input_files("#open", files / "second.igs")
    page.locator("#facts dd", has_text="40 × 40").wait_for()
    assert page.locator("input[name=compare][value=split]").is_disabled()
    for name, say in (("other.png", "has the name of none of the maps"), ("rough.png", "not of the proportions")):
        page.evaluate(DROP, [name, list((files / name).read_bytes())])
        page.locator("#message.bad", has_text=say).wait_for()
    page.evaluate(DROP, ["colour.jpg", list(b"not an image at all")])
    page.locator("#message.bad", has_text="not an image that this browser reads").wait_for()
    assert changes(
        page, lambda: page.evaluate(DROP, ["colour.png", list((files / "second" / "colour.png").read_bytes())])
    )
    assert page.locator("#message").is_hidden()
    assert page.locator("input[name=compare][value=split]").is_checked()
    assert changes(page, slide(page, "split", 80))
    box = page.locator("#view").bounding_box()
    line = box["x"] + box["width"] / 2 + 0.3 * 0.96 * min(box["width"], box["height"])
    page.mouse.move(line, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(line - 120, box["y"] + 60, steps=2)
    page.mouse.up()
    page.seen = None
    assert int(page.input_value("#split")) < 75
    for mode in ("source", "difference", "decoded"):
        assert changes(page, pick(page, "compare", mode)), mode
    undo(page, pick(page, "compare", "difference"))
    assert changes(page, slide(page, "gain", 0))


def test_another_file_is_opened_and_the_first_one_chosen_again(page, server):
    assert page.locator("#which option").all_inner_texts() == ["bricks 100%.igs", "second.igs"]
    page.select_option("#which", "0")
    page.locator("#facts dd", has_text="64 × 48").wait_for()
    sources = page.locator("#maps button", has_text="source")
    sources.nth(2).wait_for(state="attached")
    assert sources.count() == 3
    page.select_option("#which", "1")
    page.locator("#facts dd", has_text="40 × 40").wait_for()
    sources.nth(1).wait_for(state="detached")
    assert sources.count() == 1  # the one that was dropped
    page.evaluate(WAITS)
    page.fill("#address", f"{server.address}files/second.igs")
    page.keyboard.press("Enter")
    page.locator("#which option").nth(2).wait_for(state="attached")
    page.locator("#busy", has_text=re.compile("^$")).wait_for(state="attached")
    assert page.evaluate("window.waits") == ["Loading…", "Decoding…", ""]


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
    page.locator("#which option").nth(3).wait_for(state="attached")
    assert page.locator("#which option").count() == 4


CONTROLS = """() => [...document.querySelectorAll('input, select, button, canvas')]
    .filter((each) => each.checkVisibility() && !each.disabled && (each.type !== 'radio' || each.checked))
    .map((each) => each.id || each.name || each.innerText)"""
NOW = "(() => { const now = document.activeElement; return now.id || now.name || now.innerText; })()"
SMALL = """() => [...document.querySelectorAll('input, select, button')].filter((each) => each.checkVisibility())
    .map((each) => each.type === 'range' || each.tagName !== 'INPUT' ? each : each.closest('label') ?? each)
    .filter((each) => each.id !== 'open' && each.getBoundingClientRect().height < 24).map((each) => each.outerHTML)"""


@pytest.mark.parametrize("view", ["solid", "flat"])
def test_every_control_is_reached_by_keys_and_large_enough_for_a_finger_on_a_telephone(page, view):
    page.set_viewport_size({"width": 360, "height": 640})
    pick(page, "view", view)()
    controls = set(page.evaluate(CONTROLS))
    assert {"view", "open", "address"} < controls
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(2 * len(controls) + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(NOW))
        if controls <= reached:
            break
    assert controls - reached == set()
    assert page.evaluate(SMALL) == []


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


MODEL = """async (data) => {
    const { readModel } = await import('./model.js');
    return readModel(Uint8Array.from(data).buffer, 'model');
}"""


@pytest.mark.parametrize("scale", [[1, 1, 1], [-1, 1, 1], [1, 1, 3]])
def test_normals_of_a_model_are_right_where_its_coordinates_are_mirrored(page, scale):
    """Two squares side by side with the same part of the picture, the second mirrored, as on a symmetric character."""
    asset = Asset()
    primitive = asset.mesh(0)
    slope = np.array([0, 0, 1, 1, 2, 2], np.float32)  # z grows with x
    across = np.array([0, 0, 1, 1, 2, 2], np.float32)
    upward = np.array([0, 1, 0, 1, 0, 1], np.float32)
    u, v = np.array([0, 0, 1, 1, 0, 0], np.float32), 1 - upward
    primitive["attributes"] = {
        "POSITION": asset.accessor(np.stack([across, upward, slope], -1), "VEC3"),
        "TEXCOORD_0": asset.accessor(np.stack([u, v], -1), "VEC2"),
    }
    corners = np.array([0, 2, 1, 1, 2, 3, 2, 4, 3, 3, 4, 5], np.uint16)
    primitive["indices"] = asset.accessor(corners, "SCALAR")
    asset.root |= {"nodes": [{"mesh": 0, "scale": scale}], "scenes": [{"nodes": [0]}]}
    points = np.reshape(page.evaluate(MODEL, list(asset.glb()))["points"], (-1, 12))
    assert len(points) == 8  # the two in the middle are of both sides
    normals, tangents, hands = points[:, 3:6], points[:, 6:9], points[:, 9]
    slant = np.array([scale[0], 0, scale[2]]) / np.hypot(scale[0], scale[2])
    np.testing.assert_allclose(np.abs(tangents @ slant), 1, atol=1e-6)
    np.testing.assert_allclose(normals @ slant, 0, atol=1e-6)
    assert (normals[:, 2] > 0).all()
    ups = np.cross(normals, tangents) * hands[:, None]  # green of a normal map points where v falls
    np.testing.assert_allclose(ups, [[0, 1, 0]] * 8, atol=1e-6)
    assert sorted(hands) == [-1] * 4 + [1] * 4
    assert (np.sign(tangents[:, 0]) == hands).all()


def test_view_opens_a_browser_and_ends_with_ctrl_c(files, require_tool):
    need_web(require_tool)
    maps = MAPS[0], made_map("rough", Semantic.ROUGHNESS, (Coded(3),), Transfer.LINEAR)
    file, source = files / "third.igs", files / "source"
    file.write_bytes(encode_igs(made_set(24, 16, 20, 4, components=4, maps=maps)))
    imagegs_tex.decode(file, source)
    command = [sys.executable, "-m", "imagegs_tex", "view", file, "--browser", "--source", source]
    environment = {**os.environ, "BROWSER": "true"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        address = re.search(r"http://127\.0\.0\.1:\d+/\S+", process.stdout.readline())[0]
        with urllib.request.urlopen(address) as reply:
            assert b"Material viewer" in reply.read()
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
        for name, expected in zip(asked["source"], maps, strict=True):
            with urllib.request.urlopen(urllib.parse.urljoin(address, name)) as reply:
                assert reply.headers["Content-Type"] == "image/png"
                found = read_image(Path("picture.png"), reply.read())[0]
            assert (found == read_image(source / f"{expected.name}.png")[0]).all()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
