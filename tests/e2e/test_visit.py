"""The visit that a new user makes, in a real browser: start, run, compare, read outputs, take the winner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Site, keep, open_page, settle
from workbench.core.document import load
from workbench.core.prompt import Ensemble, Prompt

QUICK_ROWS = 32
"""Rows of the quick start here: enough for verdicts, and a third of the wait."""

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine


@pytest.fixture(scope="module")
def finished(browser: Any, site: Site) -> str:
    """The quick start, run by its button and watched to its end; the run's id."""
    shorter = site.root / "experiments" / "quickstart.yaml"
    shorter.write_text(shorter.read_text().replace("limit: 80", f"limit: {QUICK_ROWS}"))
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    tab = context.new_page()
    open_page(tab, site, "/")
    keep(tab, "home-first")
    tab.get_by_role("button", name="Run the quick start").click()
    tab.wait_for_url(re.compile(r"/run\?.*run="))
    # a run that a page met too late for its outputs is as good
    tab.get_by_text(re.compile("Newest outputs|See which prompt won")).first.wait_for()
    keep(tab, "run-live")
    tab.get_by_text("Done. See which prompt won.").wait_for(timeout=280_000)
    settle(tab)
    keep(tab, "run-done")
    found = re.search(r"run=([\w-]+)", tab.url)
    context.close()
    assert found
    return found.group(1)


def test_the_first_page_has_one_obvious_next_step(tab: Any, site: Site) -> None:
    open_page(tab, site, "/")
    assert tab.locator("[data-testid=stBaseButton-primary]").count() == 1
    lines = tab.locator("[data-testid=stMarkdown] ol li")
    assert 3 <= lines.count() <= 4  # the loop at a glance


def test_a_run_leads_to_its_comparison_in_one_click(tab: Any, site: Site, finished: str) -> None:
    open_page(tab, site, f"/run?run={finished}")
    tab.get_by_role("button", name="Compare the cells").click()
    tab.wait_for_url(re.compile("/compare"))
    settle(tab)
    table = tab.locator("[data-testid=stTable]").first
    assert table.locator("tbody tr").count() == 8
    assert "baseline" in table.inner_text()
    assert re.search(r"\d\.\d{3}\s\[\d\.\d{3},\s\d\.\d{3}\]", table.inner_text())
    assert re.search("better|worse|tied|undecided", table.inner_text())
    keep(tab, "compare")


def test_a_click_shows_outputs_row_by_row_with_differences_marked(
    tab: Any, site: Site, finished: str
) -> None:
    open_page(tab, site, f"/compare?run={finished}")
    tab.get_by_text("Row by row", exact=True).click()
    tab.wait_for_url(re.compile("view=rows"))
    settle(tab)
    assert tab.get_by_text("right answer").count() >= 10
    assert tab.locator(".stMarkdownColoredBackground strong").count() > 5
    keep(tab, "compare-rows")


def test_one_click_downloads_the_winner_and_it_loads(
    tab: Any, site: Site, finished: str, tmp_path: Path
) -> None:
    open_page(tab, site, f"/compare?run={finished}")
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Download the winner").click()
    target = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(target)
    text = target.read_text(encoding="utf-8")
    prompt = load(Ensemble if "members:" in text else Prompt, text)
    assert prompt.provenance is not None
    assert prompt.provenance["run"] == finished


def test_what_a_link_shows_survives_a_reload(tab: Any, site: Site, finished: str) -> None:
    open_page(tab, site, f"/compare?run={finished}&view=rows&cells=0,5&only=different")
    before = tab.locator("[data-testid=stMain]").inner_text()
    tab.reload()
    settle(tab)
    assert f"run={finished}" in tab.url
    assert "only=different" in tab.url
    assert tab.locator("[data-testid=stMain]").inner_text() == before


def test_one_row_has_a_link_of_its_own(tab: Any, site: Site, finished: str) -> None:
    open_page(tab, site, f"/compare?run={finished}&view=rows")
    tab.get_by_role("link", name="Only this").nth(2).click()
    tab.wait_for_url(re.compile("row=word-problems-test-0003"))
    settle(tab)
    assert tab.get_by_text("Show all rows").count() == 1
    assert "word-problems-test-0002" not in tab.locator("[data-testid=stMain]").inner_text()
    keep(tab, "compare-one-row")


def test_votes_of_an_ensemble_are_a_click_away(tab: Any, site: Site, finished: str) -> None:
    open_page(tab, site, f"/compare?run={finished}&view=rows&cells=6,7&row=word-problems-test-0001")
    tab.get_by_text(re.compile(r"\d+ votes")).first.click()
    tab.get_by_text("sample 2").first.wait_for()


def test_charts_say_in_words_what_they_show(tab: Any, site: Site, finished: str) -> None:
    open_page(tab, site, f"/compare?run={finished}&view=charts")
    tab.locator(".js-plotly-plot").nth(3).wait_for()
    keep(tab, "compare-charts")


def test_a_new_run_can_be_cancelled_and_resumed(tab: Any, site: Site, finished: str) -> None:
    text = (site.root / "experiments" / "quickstart.yaml").read_text()
    changed = text.replace("name: quickstart", "name: slow").replace(f"limit: {QUICK_ROWS}", "limit: 300")
    (site.root / "experiments" / "slow.yaml").write_text(changed + "sampling: {seed: 9, temperature: 0.9}\n")
    open_page(tab, site, "/experiments?experiment=slow")
    tab.get_by_role("button", name="Run", exact=True).click()
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_role("button", name="Resume").wait_for()
    settle(tab)
    assert tab.get_by_text("cancelled").count()
    keep(tab, "run-cancelled")
    tab.get_by_role("button", name="Resume").click()
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_role("button", name="Resume").wait_for()


def test_two_tabs_show_the_same_run(browser: Any, tab: Any, site: Site, finished: str) -> None:
    other = browser.new_context().new_page()
    for one in (tab, other):
        open_page(one, site, f"/compare?run={finished}")
    tables = [one.locator("[data-testid=stTable]").first.inner_text() for one in (tab, other)]
    other.context.close()
    assert tables[0] == tables[1]


def test_a_prompt_is_tried_and_its_text_streams_in(tab: Any, site: Site) -> None:
    open_page(tab, site, "/prompts?prompt=step-by-step")
    tab.get_by_role("button", name="Try on this row").click()
    tab.get_by_text("to the first word").wait_for()
    settle(tab)
    keep(tab, "prompts")


def test_the_preview_follows_what_is_written(tab: Any, site: Site) -> None:
    open_page(tab, site, "/prompts?prompt=direct")
    area = tab.locator("textarea").first
    area.click()
    area.press("Control+End")
    area.type(" Zebra seven.")
    area.press("Control+Enter")
    tab.locator("[data-testid=stText]", has_text="Zebra seven.").first.wait_for()
    settle(tab)
    assert tab.get_by_text("Not saved yet.").count() == 1


def test_the_first_page_needs_nothing_but_a_keyboard(tab: Any, site: Site) -> None:
    open_page(tab, site, "/")
    for _ in range(40):
        tab.keyboard.press("Tab")
        if "Run the quick start" in tab.evaluate("document.activeElement?.innerText || ''"):
            break
    assert "Run the quick start" in tab.evaluate("document.activeElement.innerText")
