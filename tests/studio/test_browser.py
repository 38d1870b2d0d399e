"""The page in a real browser, as an artist uses it: from maps to files that the command line decodes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.import_tool import import_tool
from helpers.servers import free_port, serving

import imagegs_tex
from imagegs_tex.example_material import make_material
from imagegs_tex.formats.images import read_image, write_image

CHROMIUM = Path("/usr/bin/chromium")
DROP = """([zone, files]) => {
    const data = new DataTransfer();
    for (const [name, text] of files)
        data.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name));
    zone.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
SUM = """(canvas) => {
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const pen = copy.getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const data = pen.getImageData(0, 0, copy.width, copy.height).data;
    let sum = 0;
    for (let i = 0; i < data.length; i += 1) if (i % 4 !== 3) sum += data[i];
    return sum / (copy.width * copy.height * 3);
}"""


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("cobbles"), 128)


def write_maps(folder, size):
    for name, texels in make_material(size).items():
        write_image(folder / f"{name}.png", texels)
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory, require_tool):
    require_tool(CHROMIUM.exists(), "no chromium at /usr/bin/chromium")
    import_tool("playwright")
    port, temporary = free_port(), tmp_path_factory.mktemp("temporary")
    command = [sys.executable, "-m", "imagegs_tex", "studio", "--no-browser", "--port", port]
    with serving(command, port, TMPDIR=temporary):
        yield f"http://localhost:{port}/"
    assert list(temporary.glob("imagegs-tex-studio-*")) == []


@pytest.fixture(scope="module")
def browser(address):
    from playwright.sync_api import sync_playwright

    software = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", *software])
        yield running
        running.close()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not is_local(request.url, address) else None)
    page.goto(address)
    page.wait_for_selector(".st-drop[data-ready]")
    yield page
    context.close()
    assert wrong == []  # no error in the page, and nothing from another server


def is_local(url, address):
    return url.startswith((address, "data:", "blob:"))


def drop(page, paths):
    import base64

    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    page.evaluate(DROP, [page.query_selector(".st-drop"), files])


def wait_done(page, seconds=90):
    page.wait_for_selector("#status [data-state=done]", timeout=1000 * seconds)
    page.wait_for_selector("#links a", timeout=20000)


def download(page, selector, folder):
    with page.expect_download() as waiting:
        page.click(selector)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "imagegs_tex", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_dropped_watched_stopped_and_decoded(page, material, tmp_path):
    drop(page, sorted(material.glob("*.png")))
    page.wait_for_selector(".st-map img")
    assert page.locator(".st-map").count() == 5
    assert re.findall(r"Read as: ([\w ]+)", page.inner_text(".gradio-container")) == [
        "occlusion", "base colour", "height", "normal", "roughness",
    ]  # fmt: skip
    page.get_by_text("All settings of the fit").click()
    page.locator("#setting-steps").locator("input, textarea").fill("20000")  # longer than anybody waits
    page.get_by_text("As a command line").click()
    page.wait_for_selector("#command textarea")
    page.wait_for_function("document.querySelector('#command textarea').value.endsWith('--set steps=20000')")
    page.click("#start")
    seen = set()
    for _ in range(600):
        at = page.locator("#live .st-at")
        if at.count():
            seen.add(page.locator("#live img").first.get_attribute("src"))
        if len(seen) >= 4:
            break
        page.wait_for_timeout(50)
    assert len(seen) >= 4  # the first, and three that are others
    page.click("#stop")
    wait_done(page)
    assert "You stopped it at step" in page.inner_text("#result-head")
    file = download(page, "#links a", tmp_path)
    run("decode", file, "-o", tmp_path / "decoded")
    for name, texels in make_material(128).items():
        decoded, _ = read_image(tmp_path / "decoded" / f"{name}.png")
        assert np.squeeze(decoded).shape == texels.shape


def test_a_whole_run_gives_the_bytes_of_the_command_line(page, tmp_path):
    small = write_maps(tmp_path / "cobbles", 96)
    page.set_input_files(".st-files", sorted(map(str, small.glob("*.png"))))
    page.wait_for_selector(".st-map img")
    page.get_by_label("Fast: a preview in seconds").check()
    page.click("#start")
    wait_done(page)
    file = download(page, "#links a", tmp_path)
    imagegs_tex.compress(small, tmp_path / "own.igs", imagegs_tex.preset_settings(imagegs_tex.Preset.FAST))
    assert file.read_bytes() == (tmp_path / "own.igs").read_bytes()

    box = page.wait_for_selector("#compare .st-canvas").bounding_box()
    before = page.eval_on_selector("#compare .st-canvas", SUM)
    split = page.get_attribute("#compare .st-inspect", "data-split")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert (split, page.get_attribute("#compare .st-inspect", "data-split")) == ("0.50", "0.80")
    assert page.eval_on_selector("#compare .st-canvas", SUM) != before
    assert re.search(r"Texel \d+, \d+ .*Source \d+, \d+, \d+ · Decoded \d+", page.inner_text("#compare .st-read"))

    page.get_by_role("tab", name="In the light").click()
    page.wait_for_selector("#light .st-lit[data-ready]")
    sphere = page.locator("#light canvas").nth(1)
    lit = sphere.evaluate(SUM)
    assert lit > 20  # a material in the light, not a black canvas; a black ball before the ground gives 9
    box = sphere.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 60, steps=4)
    page.mouse.up()
    assert abs(sphere.evaluate(SUM) - lit) > 0.1

    page.click("#pack")
    page.wait_for_selector("#zipped a", timeout=30000)
    archive = download(page, "#zipped a", tmp_path)
    assert archive.read_bytes()[:2] == b"PK"


def test_what_cannot_be_used_is_said_and_the_page_goes_on(page, tmp_path):
    bad = tmp_path / "basecolor.png"
    bad.write_bytes(b"MZ this is a program")
    page.click("#start")
    page.wait_for_selector("#status .st-bad")
    assert "there is no material yet" in page.inner_text("#status")
    drop(page, [bad])
    page.wait_for_selector("#reading .st-bad")
    assert "basecolor.png" in page.inner_text("#reading")
    assert page.locator(".st-map").count() == 0
    page.click("#example-picture")
    page.wait_for_selector(".st-map img")
    assert page.locator("#reading .st-bad").count() == 0
