"""A person looks for why one prompt loses: cells, filters, order, one row, its tag, and back by the link."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.axe import serious_violations
from tests.e2e.conftest import Site, keep, open_page, settle
from workbench.core.run import Output
from workbench.engine import Workspace, create_run, rows

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine
ROWS = 60


@pytest.fixture(scope="module")
def stored(site: Site) -> str:
    """A finished run of four cells over 60 rows whose outputs were written by hand, after an older one."""

    def fill() -> str:
        ws = Workspace.open(site.root)
        experiment = ws.experiment("quickstart").model_copy(
            update={"prompts": ("direct", "step-by-step"), "baseline": None}
        )
        for wrong_every in (5, 4):  # the newer run is wrong in other rows
            run = create_run(ws, experiment, limit=ROWS, owner="command")
            cells = 2 * len(experiment.models)
            for place, row in enumerate(rows(ws, run, limit=ROWS).rows):
                right = str(row.reference)
                given = [right if (place + cell) % wrong_every else "0" for cell in range(cells)]
                ws.store.outputs.add(
                    run,
                    [
                        Output(
                            cell,
                            row.row_id,
                            place,
                            text=f"I count {'slowly ' * cell}and say **so** <b>.\nAnswer: {answer}",
                            answer=answer,
                            completion_tokens=9 + cell,
                            latency_s=0.1 * cell,
                        )
                        for cell, answer in enumerate(given)
                    ],
                )
            ws.store.runs.set(run, status="completed", done=cells * ROWS)
        ws.close()
        return run

    # the browser's driver keeps an event loop in this thread
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(fill).result()


def pick(tab: Any, label: str, option: str) -> None:
    """Chooses an option of a select box or a multiselect."""
    field = tab.get_by_role("combobox", name=label)
    field.scroll_into_view_if_needed()  # scrolling shuts a list of options
    tab.wait_for_timeout(200)
    field.click()
    tab.get_by_role("option", name=option).click()
    tab.keyboard.press("Escape")
    settle(tab)


def open_filters(tab: Any, active: int) -> None:
    """Opens what stands behind the button, which says how many choices are active."""
    tab.get_by_role("button", name=f"Filter and sort ({active})").click()
    tab.get_by_role("combobox", name="Order").wait_for()
    tab.wait_for_timeout(300)  # it slides into its place


def count(tab: Any) -> int:
    """How many rows the page says there are."""
    said = tab.get_by_text(re.compile(r"^[\d,]+ rows?( ·.*)?$")).first.inner_text()
    return int(said.split()[0].replace(",", ""))


def test_cells_filters_text_and_order_narrow_the_rows(tab: Any, site: Site, stored: str) -> None:
    open_page(tab, site, f"/compare?run={stored}&view=rows&cells=0,1")
    assert count(tab) == ROWS
    pick(tab, "Cells side by side (2 to 6)", "step-by-step · nano@int8")
    tab.wait_for_url(re.compile("cells=0%2C1%2C2"))
    pick(tab, "Only rows with all of", "Different answers")
    pick(tab, "Only rows with all of", "Exactly one right")
    narrowed = count(tab)
    assert "only=different%2Cone_right" in tab.url
    assert 0 <= narrowed < ROWS
    tab.get_by_role("button", name="Clear filters").click()
    settle(tab)
    assert count(tab) == ROWS and "only" not in tab.url
    pick(tab, "Only rows with all of", "Failures")
    failures = count(tab)
    assert failures == sum(any((n + cell) % 4 == 0 for cell in range(3)) for n in range(ROWS))
    open_filters(tab, 1)
    pick(tab, "Order", "Worst score first")
    tab.wait_for_url(re.compile("sort=worst"))
    tab.keyboard.press("Escape")
    settle(tab)
    first = tab.get_by_role("link", name="Only this").first
    assert "row=word-problems-test-0003" in (first.get_attribute("href") or "")
    field = tab.get_by_label("Text in the row or the outputs")
    field.fill("no such text at all")
    tab.wait_for_url(re.compile("find="))
    settle(tab)
    assert tab.get_by_text("No row matches.").count() == 1
    keep(tab, "compare-rows-filtered")


def test_regressions_stand_against_the_run_before(tab: Any, site: Site, stored: str) -> None:
    open_page(tab, site, f"/compare?run={stored}&view=rows&cells=0,1&only=regressed")
    worse = sum(any((n + cell) % 4 == 0 and (n + cell) % 5 for cell in range(2)) for n in range(ROWS))
    assert count(tab) == worse
    assert tab.get_by_text("regressions against").count() == 1


def test_a_row_is_opened_by_its_link_tagged_and_found_by_the_tag(tab: Any, site: Site, stored: str) -> None:
    open_page(tab, site, f"/compare?run={stored}&view=rows&cells=0,3&only=wrong")
    link = tab.get_by_role("link", name="Only this").nth(1)
    address = link.get_attribute("href")
    link.click()
    tab.wait_for_url(re.compile(r"row=word-problems-test-\d+"))
    settle(tab)
    assert "only=wrong" in tab.url and "only=wrong" in address
    assert tab.get_by_text(re.compile(r"^2 of \d+ rows$")).count() == 1
    assert tab.locator(".stMarkdownColoredBackground em").count() == 2  # both answers are marked
    assert tab.locator("[data-testid=stMain] b").count() == 0
    field = tab.get_by_role("combobox", name="Tags")
    field.fill("odd one")
    field.press("Enter")
    settle(tab)
    assert tab.locator(".stMarkdownBadge", has_text="odd one").count() == 1
    assert not serious_violations(tab)
    keep(tab, "compare-one-row-tagged")
    tab.locator("h1").click()
    tab.keyboard.press("j")
    tab.get_by_text(re.compile(r"^3 of \d+ rows$")).wait_for()
    tab.get_by_role("link", name="Show all rows").click()
    tab.get_by_role("button", name="Filter and sort (1)").wait_for()
    settle(tab)
    open_filters(tab, 1)
    pick(tab, "Tag", "odd one")
    tab.wait_for_url(re.compile("tag=odd"))
    tab.keyboard.press("Escape")
    settle(tab)
    assert count(tab) == 1
    before = tab.locator("[data-testid=stMain]").inner_text()
    tab.reload()
    settle(tab)
    assert tab.locator("[data-testid=stMain]").inner_text() == before
    assert "tag=odd" in tab.url and "only=wrong" in tab.url and "cells=0%2C3" in tab.url


def test_rows_of_a_screen_are_tagged_together(tab: Any, site: Site, stored: str) -> None:
    open_page(tab, site, f"/compare?run={stored}&view=rows&cells=0,1&page=2")
    assert tab.get_by_role("link", name="Only this").count() == ROWS - 50
    tab.get_by_role("button", name="Tag rows").click()
    for row in ("word-problems-test-0053", "word-problems-test-0055"):
        pick(tab, "Rows of this screen", row)
    field = tab.get_by_role("combobox", name="Tag", exact=True)
    field.fill("second half")
    field.press("Enter")
    settle(tab)
    tab.get_by_role("button", name="Put it on").click()
    settle(tab)
    assert tab.locator(".stMarkdownBadge", has_text="second half").count() == 2


def test_rows_fit_a_narrow_window(browser: Any, site: Site, stored: str) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 900})
    tab = context.new_page()
    try:
        open_page(tab, site, f"/compare?run={stored}&view=rows&cells=0,1,2&only=different")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 900
        tab.screenshot(path=site.root.parent / "narrow.png")
    finally:
        context.close()
