"""A real browser on a real server: Debian's Chromium, the app as `workbench app` starts it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.awaiting import listening, until_answered
from tests.ports import free_port
from tests.require import require
from workbench.engine import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVE = """
import sys
from pathlib import Path
from workbench.app import launch
launch.ensure_worker = lambda workspace: None
launch.serve(Path(sys.argv[1]), int(sys.argv[2]), open_browser=False)
"""
"""The worker, which imports torch for whoever is going to run something, comes with the first run instead."""
HEARS = "[data-hears]"
"""What listens to the keyboard, and which drawing of which item it is about."""
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


class Site:
    """The served app: its address, and where its workspace lies."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.url = root, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server over a fresh copy of the shipped workspace, started somewhere else."""
    from workbench.models.embedded import embedded_path

    require(_weights(embedded_path), "the embedded models' weights")
    root = tmp_path_factory.mktemp("site") / "workspace"
    root.mkdir()
    for folder in ("prompts", "experiments"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    port = free_port()
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "2",
        "WORKBENCH_CACHE": str(root.parent / "cache"),  # tunings of other tests have their own turn
    }
    log = (root.parent / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(port)], cwd=root.parent, env=environment, stderr=log
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield Site(root, port)
    finally:
        process.terminate()
        process.wait(60)
        log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, headless."""
    require(Path(CHROMIUM).exists(), "Chromium at /usr/bin/chromium (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield listening(opened, patience_ms=120_000)
        opened.close()


@pytest.fixture(scope="module")
def one_tab(browser: Any) -> Iterator[tuple[Any, list[str]]]:
    """A tab for a whole module, as a new one costs more than a visit; and what it asked of other hosts."""
    context = browser.new_context(accept_downloads=True)
    strangers: list[str] = []
    context.on("request", lambda request: _note_stranger(request.url, strangers))
    yield context.new_page(), strangers
    context.close()


@pytest.fixture
def tab(one_tab: tuple[Any, list[str]], site: Site) -> Iterator[Any]:
    """An empty tab; whatever it opens is a new visit. The test fails if it asked anything of another host."""
    page, strangers = one_tab
    strangers.clear()
    page.set_viewport_size({"width": 1360, "height": 900})
    page.emulate_media(color_scheme="light")
    yield page
    for opened in page.context.pages:
        if opened is not page:
            opened.close()
    page.goto("about:blank")
    assert not strangers, f"the page asked other hosts: {strangers[:5]}"


def _note_stranger(url: str, strangers: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
        strangers.append(url)


def settle(tab: Any) -> None:
    """Waits until the page's script has run to its end and what it drew has arrived."""
    tab.wait_for_selector(SETTLED, timeout=120_000)
    tab.wait_for_timeout(300)  # some fields wait a moment themselves before they tell the server
    until_answered(tab)
    tab.wait_for_selector(SETTLED, timeout=120_000)
    tab.wait_for_selector("[data-testid=stSkeleton]", state="detached", timeout=120_000)


def press(tab: Any, key: str) -> None:
    """Presses a key that draws the page anew, once the page listens, and waits until it listens again."""
    tab.wait_for_selector(HEARS, timeout=60_000)
    before = tab.locator(HEARS).first.get_attribute("data-hears")
    tab.keyboard.press(key)
    tab.wait_for_function(
        "([hears, before]) => { const one = document.querySelector(hears);"
        " return one && one.dataset.hears !== before }",
        arg=[HEARS, before],
        timeout=60_000,
    )
    settle(tab)


def aside(call: Callable[[], Any]) -> Any:
    """The call in a thread of its own, as the browser's driver keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def with_workspace(site: Site, call: Callable[[Workspace], Any]) -> Any:
    """What the call gives for the served workspace."""

    def work() -> Any:
        ws = Workspace.open(site.root)
        try:
            return call(ws)
        finally:
            ws.close()

    return aside(work)


def open_page(tab: Any, site: Site, path: str) -> None:
    """Opens a page by its link."""
    tab.goto(f"{site.url}{path}")
    tab.wait_for_selector("h1", timeout=120_000)
    settle(tab)


def keep(tab: Any, name: str) -> None:
    """Keeps a screenshot of the whole page where WORKBENCH_SCREENSHOTS=1 asks for it: each takes a second."""
    if os.environ.get("WORKBENCH_SCREENSHOTS") != "1":
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    height = tab.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight || 900")
    tab.set_viewport_size({"width": 1360, "height": min(max(900, int(height) + 20), 4000)})
    tab.wait_for_timeout(500)
    tab.screenshot(path=SCREENSHOTS / f"{name}.png")
    tab.set_viewport_size({"width": 1360, "height": 900})


def _weights(embedded_path: Any) -> Any:
    try:
        return embedded_path("nano")
    except Exception:
        return None


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=10):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not answer within two minutes")
