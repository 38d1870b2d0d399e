"""The page in a real browser, as artists use it: from maps to files that the command line decodes."""

import re
import threading
import zipfile

import numpy as np
import pytest
from helpers.import_tool import import_tool
from helpers.servers import free_port
from helpers.web_pages import CHROMIUM, chromium, need_built_web
from typer.testing import CliRunner

import imagegs_tex
from imagegs_tex.cli.command_line import command_line
from imagegs_tex.example_material import make_material
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.studio.serve import studio
from imagegs_tex.studio.warm import warm_job

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


IN_VIEW = """() => {
    const picture = document.querySelector('#live img'), box = picture && picture.getBoundingClientRect();
    return box && box.height > 9 && box.top >= 0 && box.bottom <= innerHeight;
}"""
LOOKS_BACK = "document.querySelector('#live').innerText.includes('You look back.')"
IS_NEWEST = "(({ value, max }) => value == max)(document.querySelector('#steps input[type=range]'))"
TOP = "document.getElementById('{}').getBoundingClientRect().top"


def write_maps(folder, size):
    for name, texels in make_material(size).items():
        write_image(folder / f"{name}.png", texels)
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory, require_tool):
    """A studio in this process, warm as a served one; tests/examples start one of its own."""
    require_tool(CHROMIUM.exists(), "no chromium at /usr/bin/chromium")
    import_tool("playwright")
    import uvicorn

    port, temporary = free_port(), tmp_path_factory.mktemp("temporary")
    with studio(folder=temporary) as made:
        server = uvicorn.Server(uvicorn.Config(made.app, port=port, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run)
        thread.start()
        made.queue.submit(warm_job())  # compiles while the first tests only send
        yield f"http://127.0.0.1:{port}/"
        server.should_exit = True
        thread.join()
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def browser(address):
    with chromium() as running:
        yield running


def visitor(browser, address):
    """Make a page that is not open yet; what it complains of, or asks of other servers, is in ``wrong``."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda request: None if is_local(request.url, address) else page.wrong.append(request.url))
    return page


def opened(browser, address):
    page = visitor(browser, address)
    page.set_default_timeout(90_000)  # milliseconds; beside other tests on two cores an answer took more than 30 s once
    page.goto(address)
    page.wait_for_selector(".st-drop[data-ready]")
    return page


@pytest.fixture(scope="module")
def pages(browser, address):
    """Two visitors at once; their pages are used by one test after the other, as opening one takes seconds."""
    both = [opened(browser, address) for _ in range(2)]
    yield both
    for page in both:
        page.context.close()
    assert [page.wrong for page in both] == [[], []]


def is_local(url, address):
    return url.startswith((address, "data:", "blob:"))


def drop(page, paths, where=".st-drop"):
    import base64

    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    page.evaluate(DROP, [page.query_selector(where), files])


def wait_done(page, seconds=180):
    page.wait_for_selector("#status [data-state=done]", timeout=1000 * seconds)
    page.wait_for_selector("#links a")


def download(page, selector, folder):
    with page.expect_download() as waiting:
        page.click(selector)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def read_as(page):
    return re.findall(r"Read as: ([\w ]+)", page.inner_text(".gradio-container"))


def wait_until(page, holds):
    for _ in range(1200):  # a minute
        if holds():
            return
        page.wait_for_timeout(50)
    pytest.fail("it never was so")


def width_over(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("way", ["chosen", "dropped"])
def test_files_that_come_before_the_page_is_ready_are_kept(browser, address, tmp_path, way):
    page, held = visitor(browser, address), []
    page.route("**/queue/join*", lambda route, _: held.append(route))  # which the studio's first answer needs
    page.goto(address)
    page.wait_for_selector(".st-drop")
    files = sorted(write_maps(tmp_path, 64).glob("*.png"))
    if way == "chosen":
        page.set_input_files(".st-files", list(map(str, files)))
    else:
        drop(page, files)
    page.get_by_text("The page is still loading. 5 files will be sent when it is ready.").wait_for()
    for route in held:
        route.continue_()
    page.unroute("**/queue/join*")
    page.wait_for_function("document.querySelectorAll('.st-map').length == 5")
    page.get_by_text("5 files sent.").wait_for()
    assert page.wrong == []
    page.context.close()


def test_what_cannot_be_used_is_said_and_the_page_goes_on(pages, tmp_path):
    page = pages[0]
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
    page.get_by_text("Ready.").wait_for()  # nor does the old message stay


def test_maps_are_dropped_and_put_right(pages, tmp_path):
    page = pages[0]
    drop(page, sorted(write_maps(tmp_path / "cobbles", 64).glob("*.png")), ".st-head")  # beside the place
    page.wait_for_function("document.querySelectorAll('.st-map').length == 5")
    assert read_as(page) == ["occlusion", "base colour", "height", "normal", "roughness"]
    page.get_by_text("As a command line").click()
    page.wait_for_selector("#command textarea")
    page.focus("#meaning-4")
    page.select_option("#meaning-4", label="gloss")
    page.get_by_text("Read as: gloss").wait_for()
    page.wait_for_function("document.querySelector('#command textarea').value.includes('material.json')")
    assert page.evaluate("document.activeElement.id") == "meaning-4"
    page.select_option("#meaning-4", label="roughness")
    page.get_by_text("Read as: roughness").wait_for()
    assert page.input_value("#meaning-4") == "roughness"
    page.locator("#quality input[type=number]").fill("80")
    page.get_by_text("How good: 80, high").wait_for()
    page.wait_for_function("document.querySelector('#command textarea').value.endsWith('--quality 80')")
    before = page.inner_text("#estimate")
    assert re.search(r"The file becomes about [\d.]+ k?B.* to [\d.]+ kB .* in about \d+ s to ", before)
    page.get_by_role("button", name="small", exact=True).click()
    page.wait_for_function("document.querySelector('#command textarea').value.endsWith('--quality 25')")
    page.wait_for_function("before => document.querySelector('#estimate').innerText != before", arg=before)
    page.locator("#quality input[type=number]").fill("50")
    page.wait_for_function("!document.querySelector('#command textarea').value.includes('--quality')")
    page.set_viewport_size({"width": 390, "height": 844})
    assert width_over(page) == 0
    page.set_viewport_size({"width": 1440, "height": 1000})


def test_a_fit_is_watched_stopped_and_decoded_while_another_visitor_waits(pages, tmp_path):
    page, other = pages
    page.get_by_text("All settings of the fit").click()
    page.locator("#setting-steps").locator("input, textarea").fill("20000")  # longer than anybody waits
    page.wait_for_function("document.querySelector('#command textarea').value.endsWith('--set steps=20000')")
    page.set_viewport_size({"width": 1440, "height": 700})
    page.click("#start")
    page.wait_for_function(IN_VIEW, timeout=60000)  # they were below the fold
    page.set_viewport_size({"width": 1440, "height": 1000})
    seen = set()
    for _ in range(1200):
        at = page.locator("#live .st-at")
        if at.count():
            seen.add(page.locator("#live img").first.get_attribute("src"))
        if len(seen) >= 4:
            break
        page.wait_for_timeout(50)
    assert len(seen) >= 4  # the first, and three that are others

    other.set_input_files(".st-files", sorted(map(str, write_maps(tmp_path / "small", 64).glob("*.png"))))
    other.wait_for_selector(".st-map img")
    other.get_by_label("Fast: a preview in seconds").check()
    other.click("#start")
    other.wait_for_selector("#status [data-state=waiting]")
    assert "1 run before yours" in other.inner_text("#status")

    page.get_by_text("Log", exact=True).first.click()
    page.wait_for_function("document.querySelector('#log textarea')?.value.includes(': step ')")
    assert "pilot" not in page.input_value("#log textarea")
    assert page.locator("#curve svg").count() == 2  # of the PSNR and of the bytes
    steps = page.locator("#steps input[type=range]")
    for keys, looks_back in (("Home",), 1), (("ArrowRight", "End"), 0):
        for _ in range(10):  # an answer that is under way may take it back, yet slider and pictures agree in the end
            for key in keys:
                steps.press(key)
            page.wait_for_timeout(1200)
            wait_until(page, lambda: page.evaluate(LOOKS_BACK) != page.evaluate(IS_NEWEST))
            if page.evaluate(LOOKS_BACK) == looks_back:
                break
        assert page.evaluate(LOOKS_BACK) == looks_back
    page.click("#stop")
    wait_done(page)
    assert "You stopped it at step" in page.inner_text("#result-head")
    file = download(page, "#links a", tmp_path)
    done = CliRunner().invoke(command_line(), ["decode", str(file), "-o", str(tmp_path / "decoded")])
    assert done.exit_code == 0, done.output
    for name, texels in make_material(64).items():
        decoded, _ = read_image(tmp_path / "decoded" / f"{name}.png")
        assert np.squeeze(decoded).shape == texels.shape
    assert page.locator("#results").count() == 0 or not page.locator("#results").is_visible()  # nothing of the other's


def test_a_whole_run_gives_the_bytes_of_the_command_line(pages, tmp_path):
    page = pages[1]  # which waited
    wait_done(page)
    assert "choose Balanced" in page.inner_text("#result-head")
    assert page.locator("#left").count() == 0  # one result is compared with none
    page.click("#status a")
    page.wait_for_function(f"0 <= {TOP.format('result-card')} && {TOP.format('result-card')} < 20")
    file = download(page, "#links a", tmp_path)
    small = write_maps(tmp_path / "small", 64)
    imagegs_tex.compress(small, tmp_path / "own.igs", imagegs_tex.preset_settings(imagegs_tex.Preset.FAST))
    assert file.read_bytes() == (tmp_path / "own.igs").read_bytes()

    canvas = page.locator("#compare .st-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    before = canvas.evaluate(SUM)
    split = page.get_attribute("#compare .st-inspect", "data-split")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert (split, page.get_attribute("#compare .st-inspect", "data-split")) == ("0.50", "0.80")
    assert canvas.evaluate(SUM) != before
    page.click("#compare .st-in")
    zoomed = canvas.evaluate(SUM)
    which = page.locator("#compare .st-which")
    first = which.input_value()
    other = "0" if first != "0" else "1"
    for chosen in (other, first):
        which.select_option(chosen)
        wait_until(page, lambda chosen=chosen: (canvas.evaluate(SUM) == zoomed) == (chosen == first))
    page.locator("#compare [data-mode=difference]").click()
    page.locator("#compare [data-mode=slider]").click()
    assert canvas.evaluate(SUM) == zoomed  # where it was looked at
    page.click("#compare .st-fit")
    assert canvas.evaluate(SUM) != zoomed
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert re.search(r"Texel \d+, \d+ .*Source \d+, \d+, \d+ · Decoded \d+", page.inner_text("#compare .st-read"))


def test_the_viewer_has_the_result_and_its_source(pages, require_tool):
    need_built_web(require_tool)
    page = pages[1]
    page.set_viewport_size({"width": 900, "height": 600})  # it is drawn in software
    page.get_by_role("tab", name="In the light").click()
    frame = page.frame_locator("#viewer iframe")
    frame.locator("#facts dd", has_text=" ms").first.wait_for(timeout=60000)
    assert "64 × 64 texels" in frame.locator("#facts").inner_text()
    assert frame.locator("#fetch").is_hidden()  # it is a part of the page here

    def seen():
        page.wait_for_timeout(100)
        return frame.locator("#view").screenshot()

    before = seen()
    assert len(set(before)) > 100
    frame.locator("#turn").fill("120")
    wait_until(page, lambda: seen() != before)
    frame.get_by_text("Maps", exact=True).first.click()
    assert frame.locator("#maps button", has_text="source").count() == 5
    assert frame.locator("#sides").inner_text().split() == ["Source", "Decoded"]
    assert frame.locator("#message").is_hidden()


def test_a_zip_is_taken_home(pages, tmp_path):
    page = pages[1]
    archive = download(page, "#pack", tmp_path)  # one press
    with zipfile.ZipFile(archive) as opened:
        parts = {name.split("/")[0] for name in opened.namelist()}
    assert parts == {"README.txt", "material.igs", "maps", "report.json"}
    assert len(re.findall(r"about [\d.]+ kB", page.inner_text("#parts"))) == page.locator("#parts input").count()
    assert "maps " in page.inner_text("#zipped")
    page.locator("#parts input").nth(1).check()
    page.wait_for_function("!document.querySelector('#zipped a')")  # it has not what is ticked now
    page.set_viewport_size({"width": 390, "height": 844})
    assert width_over(page) == 0


def test_maps_join_a_wrong_file_changes_nothing_and_one_is_left_out_and_taken_back(pages, tmp_path):
    page = pages[1]
    page.set_viewport_size({"width": 1440, "height": 1000})
    files = sorted(write_maps(tmp_path / "maps", 64).glob("*.png"))
    page.click("#example-picture")
    page.wait_for_function("document.querySelectorAll('.st-map').length == 1")
    page.click("#anew")
    page.wait_for_function("document.querySelectorAll('.st-map').length == 0")
    drop(page, files[:2])
    page.wait_for_function("document.querySelectorAll('.st-map').length == 2")
    drop(page, files[2:3])
    page.wait_for_function("document.querySelectorAll('.st-map').length == 3")
    assert "Added to the maps" in page.inner_text("#reading")
    wrong = tmp_path / "notes.txt"
    wrong.write_text("hello")
    drop(page, [wrong])
    page.wait_for_selector("#reading .st-bad")
    assert "stays as it was" in page.inner_text("#reading .st-bad")
    wait_until(page, lambda: page.inner_text(".st-drop-say") == "")
    assert page.locator(".st-map").count() == 3
    page.locator("#kept-2").uncheck()
    page.get_by_text("3 maps, 1 left out").wait_for()
    assert page.locator(".st-map").count() == 3
    page.wait_for_selector("#meaning-2:disabled")
    page.locator("#kept-2").check()
    page.wait_for_function("!document.querySelector('#reading').innerText.includes('left out')")
    page.wait_for_function("!document.querySelector('.st-map-aside')")
    # faster than the studio answers: each counts, and the last stands
    page.evaluate("for (const at of [0, 1, 2, 2, 1, 0, 1]) document.querySelector(`#kept-${at}`).click()")
    page.get_by_text("3 maps, 1 left out").wait_for()
    page.wait_for_function("document.querySelectorAll('.st-map-aside').length == 1")
    assert [page.locator(f"#kept-{at}").is_checked() for at in range(3)] == [True, False, True]
    page.set_input_files(".st-folder", str(tmp_path / "maps"))
    page.wait_for_function("document.querySelectorAll('.st-map').length == 5")
    assert "This replaces the material" in page.inner_text("#reading")
    drop(page, [files[0].rename(tmp_path / "emissive.png")])
    page.wait_for_function("document.querySelectorAll('.st-map').length == 6")
    assert "Added to the maps" in page.inner_text("#reading")
    assert "maps: 6 maps" in page.inner_text("#reading")


def test_a_file_that_is_dropped_is_shown_at_once(pages, tmp_path):
    page = pages[1]
    imagegs_tex.compress(
        write_maps(tmp_path / "maps", 64),
        tmp_path / "brought.igs",
        imagegs_tex.preset_settings(imagegs_tex.Preset.FAST),
    )
    drop(page, [tmp_path / "brought.igs"])
    page.wait_for_function("document.querySelector('#links')?.innerText.includes('brought.igs')", timeout=60000)
    assert "ready-made" in page.inner_text("#estimate")
    for gone in ("#start", "#ladder", "#defaults", "#start-words"):
        assert page.is_hidden(gone)  # it is shown, and nothing else is made of it
    page.get_by_role("tab", name="All results").click()
    assert "brought alone is not listed here" in page.inner_text("#sizes")
    page.get_by_role("tab", name="Compare").click()
    assert "no source to compare with" in page.inner_text("#compare")
    assert page.is_disabled("#quality input[type=number]")
    page.click("#example-picture")
    page.wait_for_function("document.querySelector('#start')?.innerText == 'Start'")
    page.wait_for_selector("#start-words")
    assert page.is_enabled("#ladder")
