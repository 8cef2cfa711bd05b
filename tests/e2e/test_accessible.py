"""Every page, in light and dark: no violation that axe calls serious or critical."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.axe import check_both_schemes
from tests.e2e.conftest import Site, open_page
from workbench.app.pages import MENU
from workbench.engine import Workspace, create_run, execute_run

VIEWS = {
    "prompts": ["", "?view=yaml", "?view=sides", "?view=history"],
    "datasets": ["", "?view=profile", "?view=import", "?view=outputs"],
    "experiments": ["", "?view=yaml"],
    "compare": ["", "?view=rows", "?view=rows&row=word-problems-test-0001&only=different", "?view=charts"],
    "size": ["", "?cost=usd&hour=0.4"],
    "tune": ["", "?recipe=quickstart", "?recipe=quickstart&view=yaml"],
}
pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine
PAGES = [f"{name}{view}" for name in MENU for view in VIEWS.get(name, [""])]


@pytest.fixture(scope="module")
def with_a_run(site: Site) -> None:
    """A small finished run, so that no page is empty."""

    def finish() -> None:
        ws = Workspace.open(site.root)
        execute_run(ws, create_run(ws, ws.experiment("quickstart"), limit=5, owner="command"))
        ws.close()

    # the browser's driver keeps an event loop in this thread
    with ThreadPoolExecutor(1) as pool:
        pool.submit(finish).result()


@pytest.fixture(scope="module")
def reader(browser: Any) -> Iterator[Any]:
    """One tab for all pages: a visit starts anew with each address."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_serious_axe_violation(reader: Any, site: Site, with_a_run: None, path: str) -> None:
    reader.emulate_media(color_scheme="light")
    open_page(reader, site, f"/{'' if path == 'home' else path}")
    check_both_schemes(reader, path.replace("?view=", "-").replace("?", "-").replace("&", "-"))
