"""Pages of the web runtime in Debian's chromium, with graphics in software."""

import shutil
from contextlib import contextmanager
from pathlib import Path

from helpers.import_tool import import_tool
from imagegs_tex.viewing.serve_viewer import serving

CHROMIUM = Path("/usr/bin/chromium")
SOFTWARE = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WEBGPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
WEB = Path(__file__).resolve().parents[2] / "runtime" / "web"
NODE_MODULES = WEB.parents[1] / "build" / "npm" / "node_modules"


def need_built_web(require_tool):
    require_tool((WEB / "built" / "igs.wasm").is_file(), "the web runtime is not built: make web")


def need_web(require_tool):
    """Skip, or in CI fail, where the runtime was not built or no browser is there."""
    need_built_web(require_tool)
    require_tool(CHROMIUM.exists(), "no chromium at /usr/bin/chromium")
    import_tool("playwright")


def need_builders(require_tool):
    """Skip, or in CI fail, without clang, lld and the C library for WebAssembly; Zstandard's part is from make web."""
    for tool in ("clang", "wasm-ld", "wasm-opt"):
        require_tool(shutil.which(tool) is not None, f"{tool} is not installed (clang, lld, binaryen)")
    require_tool(Path("/usr/include/wasm32-wasi").is_dir(), "wasi-libc is not installed")
    require_tool(any((WEB.parents[1] / "build" / "web").glob("zstd-*.o")), "nothing was built here yet: make web")


def need_three(require_tool):
    require_tool((NODE_MODULES / "three").is_dir(), "no three in build/npm: see .ci/run")


@contextmanager
def chromium(*options):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*SOFTWARE, *options])
        yield browser
        browser.close()


def open_page(browser, address, width=1440, height=900, **options):
    """Open a page; what it complains of is in ``wrong``, other servers that it asks in ``asked``."""
    page = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
    page.wrong, page.asked = [], []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: page.wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(address)
    return page


@contextmanager
def example_page(files, shown, said, width, height):
    """Open the example page of three.js with a file of these (paths by name), and wait for what it says of it."""
    with serving(WEB, files) as server, chromium() as browser:
        page = open_page(browser, "about:blank", width, height)

        def from_npm(route):
            route.fulfill(path=NODE_MODULES / route.request.url.split("/node_modules/")[1])

        page.route("**/node_modules/**", from_npm)
        page.goto(f"{server.address}example.html?file=files/{shown}")
        page.locator("p", has_text=said).wait_for()
        yield page
