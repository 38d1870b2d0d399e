"""Ten visitors of the studio at once in real browsers: who waits, who sees what, and what is left of who goes away.

    python benchmarks/studio_visitors.py [--visitors 10] [--side 48]

Needs Debian's chromium and playwright. Each visitor has a browser of its own (a context), sends a picture of its own
name and asks for a file (fast preset); the first to start is kept busy until all of them wait. Two close their tabs:
the one whose fit is under way, and one that waits. What must hold, a line each: positions in the queue are 0, 1, 2 and
so on; all others get their file, which no other can reach, and no page names another's; what the two have sent and made
is gone; in the end nothing is left.
"""

import argparse
import io
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from imagegs_tex.example_material import make_material
from imagegs_tex.studio.serve import studio
from imagegs_tex.studio.warm import warm_job

_CHROMIUM: Final = "/usr/bin/chromium"
_PORT: Final = 7931
_PATIENCE: Final = 300_000
"""Milliseconds that a page is waited for: ten of them share the machine with the fits."""
_MANY_STEPS: Final = "100000"
"""Of a fit that does not end by itself."""
_NAME_BYTES: Final = 4
"""By which packed names of one length may differ."""
_SWEPT: Final = 60.0
"""Seconds within which what a visitor left behind must be gone."""


def main() -> int:
    """Run it, print a line for each demand, and return 1 where one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=10, help="at least 4")
    parser.add_argument("--side", type=int, default=48, help="of the pictures, in texels")
    asked = parser.parse_args()
    failed: list[str] = []

    def hold(demand: str, *, holds: bool) -> None:
        print(f"{'holds' if holds else 'FAILS'}: {demand}", flush=True)
        if not holds:
            failed.append(demand)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with studio(folder=folder) as made:
            server = uvicorn.Server(
                uvicorn.Config(made.app, port=_PORT, log_level="warning", timeout_graceful_shutdown=1)
            )
            thread = threading.Thread(target=server.run)
            thread.start()
            made.queue.submit(warm_job())
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
                try:
                    _visit(browser, asked.visitors, asked.side, folder, hold)
                finally:
                    browser.close()
            server.should_exit = True
            thread.join()
        hold("nothing is left in the end", holds=not list(folder.iterdir()))
    return int(bool(failed))


def _visit(browser: Browser, count: int, side: int, folder: Path, hold: Callable[..., None]) -> None:
    picture = _picture(side)
    began = time.monotonic()
    pages = [_opened(browser) for _ in range(count)]
    print(f"{count} pages are open after {time.monotonic() - began:.0f} s", flush=True)
    for number, page in enumerate(pages):
        file: FilePayload = {"name": f"visitor{number}.png", "mimeType": "image/png", "buffer": picture}
        page.set_input_files(".st-files", files=[file])
        page.wait_for_selector(".st-map img")
        page.get_by_label("Fast: a preview in seconds").check()
        if number == 0:
            page.get_by_text("All settings of the fit").click()
            page.locator("#setting-steps").locator("input, textarea").fill(_MANY_STEPS)
            page.get_by_text("As a command line").click()
            page.wait_for_function(f"document.querySelector('#command textarea')?.value.includes('{_MANY_STEPS}')")
    for page in pages:  # at once, as the first one's fit ends some time
        page.click("#start")
        page.wait_for_selector("#status [data-state=running], #status [data-state=waiting]")
    pages[0].wait_for_selector("#live img")
    found = [re.search(r"(\d+) run", page.inner_text("#status")) for page in pages]
    before = [0 if each is None else int(each[1]) for each in found]
    hold(f"positions in the queue: {before}", holds=before == list(range(count)))

    kept = [number for number in range(count) if number not in {0, count // 2}]
    rest = {number: pages[number] for number in kept}
    for number in (0, count // 2):
        pages[number].context.close()
    closed = time.monotonic()
    links = {}
    for number in kept:
        pages[number].wait_for_selector("#links a")
        links[number] = str(pages[number].get_attribute("#links a", "href"))
    print(f"{len(kept)} files are there {time.monotonic() - closed:.0f} s after two tabs were closed", flush=True)
    tokens = {number: link.split("/")[-2] for number, link in links.items()}
    hold("all others have a file, and a secret of their own", holds=len({*tokens.values()}) == len(kept))
    named = {number: {*re.findall(r"visitor\d+", pages[number].inner_text("body"))} for number in kept}
    hold("no page names another's picture", holds=all(each == {f"visitor{number}"} for number, each in named.items()))
    first, second = kept[:2]
    name = links[second].split("/")[-1]
    answers = [
        pages[first].request.get(f"http://127.0.0.1:{_PORT}/studio/{token}/{wanted}").status
        for token, wanted in (("x" * 32, name), (tokens[first], name.replace(".igs", ".zip")), (tokens[first], "a.igs"))
    ]
    hold(f"without the secret and the name nothing is got: {answers}", holds=answers == [404] * 3)
    sizes = [len(page.request.get(f"http://127.0.0.1:{_PORT}/{links[number]}").body()) for number, page in rest.items()]
    hold(f"files of one picture differ in its name alone: {sizes} bytes", holds=max(sizes) - min(sizes) <= _NAME_BYTES)

    while len(_homes(folder)) > len(kept) and time.monotonic() - closed < _SWEPT:
        time.sleep(1)
    hold(f"the two are forgotten {time.monotonic() - closed:.0f} s after", holds=len(_homes(folder)) == len(kept))


def _opened(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(_PATIENCE)
    page.goto(f"http://127.0.0.1:{_PORT}/")
    page.wait_for_selector(".st-drop[data-ready]")
    return page


def _picture(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(make_material(side)["basecolor"]).save(buffer, "png")
    return buffer.getvalue()


def _homes(folder: Path) -> list[Path]:
    """Return the visitors' folders; one more is Gradio's."""
    inside = [path for studio_folder in folder.iterdir() for path in studio_folder.iterdir()]
    return [path for path in inside if path.is_dir() and path.name != "gradio"]


if __name__ == "__main__":
    sys.exit(main())
