"""Slices, kinds of failing rows and history on the Compare page, in a real browser over two small runs."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.axe import serious_violations
from tests.e2e.conftest import Site, keep, open_page, settle
from workbench.engine import Workspace, create_run, execute_run

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine


@pytest.fixture(scope="module")
def changed(site: Site) -> str:
    """Two finished runs, a prompt edited between them; the id of the newer one."""

    def finish() -> str:
        ws = Workspace.open(site.root)
        prompt = site.root / "prompts" / "step-by-step.yaml"
        run = ""
        for said in ("You solve arithmetic", "You carefully solve arithmetic"):
            prompt.write_text(prompt.read_text().replace("You solve arithmetic", said))
            experiment = ws.experiment("quickstart").model_copy(
                update={"prompts": ("direct", "step-by-step"), "models": ("nano",), "baseline": None}
            )
            run = create_run(ws, experiment, limit=32, owner="command")
            execute_run(ws, run)
        ws.close()
        return run

    # the browser's driver keeps an event loop in this thread
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(finish).result()


def main_text(tab: Any) -> str:
    return str(tab.locator("[data-testid=stMain]").inner_text()).replace("\u00a0", " ")


def test_slices_show_intervals_and_verdicts_and_lead_to_their_rows(
    tab: Any, site: Site, changed: str
) -> None:
    open_page(tab, site, f"/compare?run={changed}&view=slices")
    tab.locator(".js-plotly-plot .errorbar").nth(5).wait_for(state="attached")
    assert tab.get_by_role("combobox", name="Slice by").input_value() == "steps"
    assert tab.locator(".js-plotly-plot .errorbar").count() == 6  # two cells in three slices
    words = main_text(tab)
    assert "few rows" in words and "corrected for the 3 comparisons" in words
    assert not serious_violations(tab)
    keep(tab, "compare-slices")
    tab.get_by_role("combobox", name="Slice by").click()
    tab.get_by_role("option", name="kind", exact=True).click()
    tab.wait_for_url(re.compile("slice=column(%3A|:)kind"))
    settle(tab)
    tab.get_by_role("link", name="compare", exact=True).last.click()
    tab.wait_for_url(re.compile("view=rows"))
    settle(tab)
    assert "column=kind" in tab.url and "value=compare" in tab.url
    assert "fewer" in main_text(tab) or "times as many" in main_text(tab)


def test_kinds_of_failing_rows_are_named_counted_and_lead_to_a_row(
    tab: Any, site: Site, changed: str
) -> None:
    open_page(tab, site, f"/compare?run={changed}&view=failures")
    tab.locator(".js-plotly-plot").get_by_text(re.compile(r"^\d+ %$")).first.wait_for(state="attached")
    words = main_text(tab)
    assert re.search(r"Some cell fails 3\d rows of 32, in \d group", words)
    squares = tab.locator(".js-plotly-plot .hm text, .js-plotly-plot .heatmaplayer text").all_text_contents()
    assert any(re.fullmatch(r"\d+ %", square) for square in squares)
    assert not serious_violations(tab)
    keep(tab, "compare-failures")
    example = tab.get_by_text(re.compile(r"^word-problems-test-\d+")).first.inner_text().split()[0]
    tab.get_by_role("link", name="Open", exact=True).first.click()
    tab.wait_for_url(re.compile(f"row={example}"))
    settle(tab)
    assert f"Row {example}" in main_text(tab)


def test_history_puts_the_prompts_change_beside_the_metrics(tab: Any, site: Site, changed: str) -> None:
    open_page(tab, site, f"/compare?run={changed}&view=history")
    tab.locator(".js-plotly-plot .errorbar").nth(3).wait_for(state="attached")
    assert tab.locator(".js-plotly-plot .errorbar").count() == 4  # two cells in two runs
    words = main_text(tab)
    assert "exact_match over 2 runs" in words
    assert tab.locator("strong", has_text=re.compile("^carefully")).count() == 1
    assert "Prompts that are the same in both runs" in words
    assert re.search("better|worse|tied|undecided", words)
    assert not serious_violations(tab)
    keep(tab, "compare-history")
    tab.get_by_role("link", name="Rows that became worse").click()
    tab.wait_for_url(re.compile("only=regressed"))
    settle(tab)
    assert "other=" in tab.url


def test_what_the_address_asks_and_is_not_there_is_no_dead_end(tab: Any, site: Site, changed: str) -> None:
    open_page(tab, site, f"/compare?run={changed}&view=failures&cell=99&read=%3Cb%3E&slice=%00&older=nobody")
    assert "fails" in main_text(tab)
    for view in ("slices", "history"):
        open_page(tab, site, f"/compare?run={changed}&view={view}&slice=column:none&older=nobody&newer=x")
        assert "Something went wrong" not in main_text(tab)
        assert tab.locator(".js-plotly-plot").count() >= 1
