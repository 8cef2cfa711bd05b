"""The Collections page in a real browser: from a finished run to curated items, by key, light and dark."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.axe import check_both_schemes
from tests.e2e.conftest import Site, keep, open_page, press, settle
from workbench.core.collection import CollectionItem
from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, execute_run

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine
SAMPLES = {
    "name": "samples",
    "dataset": {"name": "word-problems", "split": "train", "limit": 16},
    "prompts": ["step-by-step"],
    "models": ["small"],
    "sampling": {"temperature": 0.7},
    "repeats": 4,
    "metrics": ["exact_match"],
}


@pytest.fixture(scope="module")
def sampled(site: Site) -> str:
    """A finished run over rows to learn from: four tries each, some right, some wrong."""

    def finish() -> str:
        ws = Workspace.open(site.root)
        run = create_run(ws, Experiment.model_validate(SAMPLES), owner="command")
        execute_run(ws, run)
        ws.close()
        return run

    # the browser's driver keeps an event loop in this thread
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(finish).result()


def main_text(tab: Any) -> str:
    return str(tab.locator("[data-testid=stMain]").inner_text()).replace("\u00a0", " ")


def deed(tab: Any, key: str, then: str) -> None:
    """Does something by key, and waits for what the page says of it."""
    press(tab, key)
    tab.get_by_text(re.compile(then)).first.wait_for()


def stored(site: Site, collection: str) -> list[CollectionItem]:
    with ThreadPoolExecutor(1) as pool:

        def read() -> list[CollectionItem]:
            ws = Workspace.open(site.root)
            items = ws.store.collections.items(collection)
            ws.close()
            return items

        return pool.submit(read).result()


def test_from_a_run_to_curated_items_by_keyboard(tab: Any, site: Site, sampled: str) -> None:
    open_page(tab, site, f"/compare?run={sampled}")
    tab.get_by_role("link", name="Collect the best outputs").click()
    tab.get_by_text(re.compile("outputs pass")).wait_for()
    settle(tab)
    assert re.search(r"\d+ of 64 outputs pass, of \d+ of 16 rows: at most \d+ items", main_text(tab))
    keep(tab, "collect")
    check_both_schemes(tab, "collect")
    tab.emulate_media(color_scheme="light")
    tab.get_by_role("button", name="Collect", exact=True).click()
    tab.get_by_text(re.compile(r"Collected \d+ item")).wait_for()
    settle(tab)
    collection = str(re.search("collection=([^&]+)", tab.url)[1])  # type: ignore[index]
    assert "run=" not in tab.url
    before = stored(site, collection)
    assert {one.state for one in before} == {"kept"} and len(before) >= 4

    deed(tab, "j", "Where it comes from")
    deed(tab, "r", "Rejected item 0")
    assert [one.state for one in stored(site, collection)][:3] == ["dropped", "kept", "kept"]
    assert "item=1" in tab.url
    deed(tab, "u", "Took back: rejected item 0")
    assert "item=0" in tab.url
    assert {one.state for one in stored(site, collection)} == {"kept"}
    deed(tab, "j", f"2 of {len(before)} items")
    deed(tab, "k", f"1 of {len(before)} items")
    keep(tab, "collection-item")
    check_both_schemes(tab, "collection-item")
    tab.emulate_media(color_scheme="light")

    press(tab, "e")
    tab.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    settle(tab)
    tab.keyboard.press("Control+End")
    tab.keyboard.type(" Jar")  # J, A and R are letters here
    deed(tab, "Control+Enter", "Edited item 0")
    edited = stored(site, collection)[0].item
    assert edited.completion == f"{before[0].item.completion} Jar"
    assert edited.original == before[0].item.completion
    deed(tab, "Escape", "Reject these")
    assert "item=" not in tab.url
    keep(tab, "collection-items")


@pytest.mark.parametrize("view", ["items", "cleaning", "profile", "sources", "export"])
def test_each_view_can_be_read_in_light_and_dark(tab: Any, site: Site, sampled: str, view: str) -> None:
    open_page(tab, site, "/collections")
    if not tab.get_by_role("link", name="Open").count():
        pytest.skip("needs the collection of the first test")
    tab.get_by_role("link", name="Open").first.click()
    tab.get_by_text("All collections").wait_for()
    tab.get_by_role("radiogroup", name="View").get_by_text(view.capitalize()).click()
    settle(tab)
    if view == "cleaning":
        tab.get_by_role("button", name="Preview").click()
        tab.get_by_text(re.compile("finds nothing|changes|drops")).first.wait_for()
    settle(tab)
    assert "Something went wrong" not in main_text(tab)
    keep(tab, f"collection-{view}")
    check_both_schemes(tab, f"collection-{view}")
