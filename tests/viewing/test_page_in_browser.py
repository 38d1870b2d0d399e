"""The page in a real browser: nothing overflows, the slider moves by keys, errors have the scale's colours."""

import importlib.util
import shutil

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

import imagegs_tex
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.pictures.colour_scale import scale_colours
from imagegs_tex.rasterize.select_backend import make_backend

LONG = f"{'averylongnamewithoutanyplacetobreakit' * 4}_basecolor"


@pytest.fixture(scope="module")
def browser(require_tool):
    program = shutil.which("chromium")
    require_tool(program is not None, "no chromium (Debian: apt-get install chromium)")
    require_tool(importlib.util.find_spec("playwright") is not None, "no playwright (pip install playwright)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A file whose source is its own decode, but for 20 % in the left half of the roughness."""
    folder = tmp_path_factory.mktemp("browser")
    names = (LONG, "roughness")
    maps = (
        made_map(names[0], Semantic.BASE_COLOUR, (Coded(0), Coded(1), Coded(2))),
        made_map(names[1], Semantic.ROUGHNESS, (Coded(3),), Transfer.LINEAR),
    )
    quantized = made_set(width=96, height=64, maps=maps)
    write_igs(folder / "file.igs", quantized)
    for texture_map, samples in decode_maps(quantized, make_backend("cpu")):
        if texture_map.name == names[1]:
            samples[:, :48] = np.where(samples[:, :48] > 127, samples[:, :48] - 51, samples[:, :48] + 51)
        write_image(folder / "source" / f"{texture_map.name}.png", samples)
    imagegs_tex.view(folder / "file.igs", folder / "out", folder / "source", page=folder / "page.html", backend="cpu")
    return folder / "page.html"


@pytest.fixture
def open_page(browser, page_file):
    """Open the page in a window; what it complains of or loads from elsewhere fails the test."""
    contexts, complaints = [], []

    def call(width, height, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: loaded(request.url))
        page.goto(page_file.as_uri())
        return page

    def loaded(url):
        if not url.startswith("data:") and url != page_file.as_uri():
            complaints.append(url)

    yield call
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(open_page, width):
    page = open_page(width, 800)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for choice in page.locator("input[value=error]").all():
        choice.check()
    for zoom in page.locator(".zoom").all():
        zoom.select_option("8")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_slider_moves_by_keyboard_and_by_pointing(open_page):
    page = open_page(1000, 900)
    stage, slider = page.locator("#map1 .stage"), page.locator("#map1 .split")
    slider.focus()
    slider.press("Home")
    assert stage.evaluate("node => getComputedStyle(node).getPropertyValue('--at')") == "0%"
    for _ in range(4):
        slider.press("ArrowRight")
    assert stage.evaluate("node => getComputedStyle(node).getPropertyValue('--at')") == "2%"
    box = stage.bounding_box()
    stage.hover(position={"x": box["width"] * 0.75, "y": 20})
    assert float(slider.input_value()) == pytest.approx(75, abs=1)


def test_errors_are_read_and_shown_in_the_scales_colours(open_page):
    page = open_page(1000, 900, color_scheme="dark")
    page.locator("#map1 input[value=error]").check()
    gain = page.locator("#map1 .gain input")
    gain.evaluate("node => { node.value = 2; node.dispatchEvent(new Event('input')); }")
    assert page.locator("#map1 .high").inner_text() == "25 % and more"
    colours = page.locator("#map1 canvas").evaluate(
        "node => [...node.getContext('2d').getImageData(0, 30, 96, 1).data]"
    )
    assert colours[4 * 80 :][:4] == [0, 0, 4, 255]
    assert np.abs(np.array(colours[4 * 10 :][:3]) - scale_colours(np.array(0.8))).max() <= 3  # 20 of 25 %
    stage = page.locator("#map1 .stage")
    box = stage.bounding_box()
    stage.hover(position={"x": box["width"] * 0.1, "y": box["height"] * 0.51})
    told = page.locator("#map1 .readout").inner_text()
    assert told.startswith("pixel 9, 32: source ")
    assert told.endswith("error about 20 %")


def test_zoom_makes_texels_large_inside_their_frame(open_page):
    page = open_page(390, 800)
    page.locator("#map0 .zoom").select_option("8")
    assert page.locator("#map0 .stage").bounding_box()["width"] == 8 * 96
    assert page.locator("#map0 .frame").bounding_box()["width"] < 390


def test_dark_and_light_follow_the_system(open_page):
    dark, light = (
        open_page(800, 600, color_scheme=scheme).evaluate("getComputedStyle(document.documentElement).backgroundColor")
        for scheme in ("dark", "light")
    )
    assert dark == "rgb(23, 24, 27)"
    assert light == "rgb(246, 246, 244)"


def test_without_scripts_source_and_decode_stand_side_by_side(open_page):
    page = open_page(1000, 900, java_script_enabled=False)
    boxes = [page.locator(f"#map1 .stage .{name}").bounding_box() for name in ("under", "over")]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert abs(boxes[0]["x"] - boxes[1]["x"]) >= boxes[0]["width"]
    assert not page.locator("#map1 .tools").is_visible()
