"""The whole way from a finished run to a tuned model held against its base, in a real browser."""

from __future__ import annotations

import re
import statistics
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.axe import check_both_schemes
from tests.e2e.conftest import SETTLED, Site, keep, open_page, press, settle, with_workspace
from tests.require import require
from workbench.engine import Workspace, create_run, execute_run

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine
ROWS, SAMPLES = 28, 2
STEPS = 12
"""Few, as what counts here is the way and not the gain."""
PLACES = ("Datasets", "Experiments", "Models", "Export", "Datasets", "Experiments")


@pytest.fixture(scope="module")
def sampled(site: Site) -> str:
    """A finished run of `word-problem-samples` with fewer rows and samples; its id."""
    file = site.root / "experiments" / "word-problem-samples.yaml"
    file.write_text(file.read_text().replace("repeats: 8", f"repeats: {SAMPLES}"))

    def run(ws: Workspace) -> str:
        made = create_run(ws, ws.experiment("word-problem-samples"), limit=ROWS, owner="command")
        execute_run(ws, made)
        return made

    return str(with_workspace(site, run))


def pick(tab: Any, label: str, option: str) -> None:
    """Chooses an option of a select box or a multiselect."""
    field = tab.get_by_role("combobox", name=label, exact=True)
    field.scroll_into_view_if_needed()  # scrolling shuts a list of options
    tab.wait_for_timeout(200)
    field.click()
    tab.get_by_role("option", name=option, exact=True).click()
    tab.keyboard.press("Escape")
    settle(tab)


def fill(tab: Any, label: str, value: int) -> None:
    field = tab.get_by_role("spinbutton", name=label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settle(tab)


def main(tab: Any) -> str:
    """What the page says beside its menu."""
    return str(tab.locator("[data-testid=stMain]").inner_text())


def light(tab: Any) -> None:
    tab.emulate_media(color_scheme="light")
    settle(tab)


def check(tab: Any, name: str) -> None:
    """Holds the page to axe in both schemes and goes back to light."""
    keep(tab, name)
    check_both_schemes(tab, name)
    light(tab)


def click_through(tab: Any) -> list[float]:
    """Seconds from a click in the menu until the page that it leads to stands there, each."""
    took = []
    for title in PLACES:
        began = time.perf_counter()
        tab.locator("[data-testid=stSidebarNavLink]", has_text=re.compile(rf"{title}$")).click()
        tab.wait_for_function(
            "([title, settled]) => document.querySelector('h1')?.innerText === title "
            "&& document.querySelector(settled)",
            arg=[title, SETTLED],
            timeout=60_000,
        )
        took.append(time.perf_counter() - began)
    return took


def test_from_a_finished_run_to_the_verdict(browser: Any, tab: Any, site: Site, sampled: str) -> None:
    require(find_spec("trl"), "the packages to train with: pip install 'workbench[tuning]'")
    began = time.perf_counter()
    _collect(tab, site, sampled)
    _curate(tab)
    _clean(tab)
    _fill_the_recipe(tab)
    other = tab.context.new_page()
    open_page(other, site, "/")
    click_through(other)  # each page once, so that what is measured is not its first import
    tab.get_by_role("button", name="Save and start").click()
    tab.wait_for_url(re.compile("tuning="))
    _watch(tab, other)
    other.close()
    _read_the_verdict(browser, tab)
    _meet_it_elsewhere(tab, site)
    print(f"from the run to the verdict: {time.perf_counter() - began:.0f} s")


def _collect(tab: Any, site: Site, run: str) -> None:
    open_page(tab, site, f"/run?run={run}")
    tab.get_by_role("link", name="Collect the best outputs").click()
    tab.get_by_role("heading", name="Collect what was good").wait_for()
    settle(tab)
    passing = re.compile(
        rf"(\d+) of {ROWS * SAMPLES} outputs pass, of (\d+) of {ROWS} rows: at most (\d+) items"
    )
    one_a_row = passing.search(main(tab))
    fill(tab, "At most so many of a row", SAMPLES)
    all_of_a_row = passing.search(main(tab))
    assert one_a_row and all_of_a_row, main(tab)
    outputs, rows, items = map(int, one_a_row.groups())
    assert (items, int(all_of_a_row[3])) == (rows, outputs) and rows < outputs
    check(tab, "collect")
    tab.get_by_role("textbox", name="Name of the collection").fill("sums")
    settle(tab)
    tab.get_by_role("button", name="Collect", exact=True).click()
    tab.wait_for_url(re.compile("collection="))
    settle(tab)
    found = re.search(r"(\d+) kept", main(tab))
    assert found and 2 < int(found[1]) <= outputs


def _curate(tab: Any) -> None:
    """One rejected, the next edited, and the rejection thought over, all by keyboard."""
    press(tab, "j")
    tab.wait_for_url(re.compile("item=0"))
    press(tab, "r")
    tab.get_by_text("Rejected item 0").wait_for()
    tab.wait_for_url(re.compile("item=1"))
    assert "rejected by a person 1" in main(tab)
    for written in ("  Checked   twice.", " Never mind."):
        press(tab, "e")
        tab.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        settle(tab)
        tab.keyboard.press("Control+End")
        tab.keyboard.type(written)
        press(tab, "Control+Enter")
        tab.get_by_text("Edited item 1").wait_for()
    check(tab, "collection-item")
    press(tab, "u")
    tab.get_by_text("Took back: edited item 1").wait_for()
    assert "Never mind" not in main(tab) and "twice." in main(tab)


def _clean(tab: Any) -> None:
    """The blanks that were just typed are found, shown, and tidied."""
    tab.get_by_text("Cleaning", exact=True).click()
    tab.wait_for_url(re.compile("view=cleaning"))
    settle(tab)
    assert tab.get_by_role("button", name="Apply", exact=True).is_disabled()
    tab.get_by_role("button", name="Preview", exact=True).click()
    tab.get_by_text("white space changes 1 of").wait_for()
    settle(tab)
    assert "Checked···twice." in main(tab)
    check(tab, "collection-cleaning")
    tab.get_by_role("button", name="Apply", exact=True).click()
    tab.get_by_text("Undo takes it back").wait_for()
    settle(tab)
    assert "0 dropped, 1 changed" in main(tab)
    tab.get_by_text("Profile", exact=True).click()
    tab.get_by_text("Most alike").wait_for()
    settle(tab)
    check(tab, "collection-profile")


def _fill_the_recipe(tab: Any) -> None:
    tab.get_by_role("link", name="Fine-tune on this").click()
    tab.get_by_text("Fine-tune on the collection sums").wait_for()
    settle(tab)
    tab.get_by_role("button", name="Create", exact=True).click()
    tab.wait_for_url(re.compile("recipe=sums"))
    settle(tab)
    tab.get_by_role("tab", name="Model and method").click()
    pick(tab, "Base", "nano")
    fill(tab, "Steps, at most", STEPS)
    tab.get_by_role("tab", name="Verdict").click()
    pick(tab, "Experiment", "word-problems")
    pick(tab, "Prompts (none: all of the experiment)", "step-by-step")
    tab.get_by_text("only these", exact=True).click()
    settle(tab)
    pick(tab, "Experiments", "team-labels")
    fill(tab, "Rows of each experiment, at most", 8)
    tab.get_by_text("training takes").wait_for(timeout=120_000)
    settle(tab)
    assert re.search(rf"\d+ examples, {STEPS} steps, training takes", main(tab)), main(tab)
    assert re.search(r"Memory: about \d+ MB of .* that are free", main(tab))
    check(tab, "tune-recipe")


def _watch(tab: Any, other: Any) -> None:
    """The tuning is followed live, through a reload, while another tab is clicked through."""
    tab.get_by_text("● Train").wait_for(timeout=120_000)
    took = click_through(other)
    print(
        f"click to page while it trains: {1000 * statistics.median(took):.0f} ms "
        f"(median of {len(took)}, at most {1000 * max(took):.0f} ms)"
    )
    assert statistics.median(took) < 15  # 0.5 s on a machine of its own
    tab.reload()
    tab.get_by_text("you may close this page").wait_for(timeout=60_000)
    tab.get_by_text(re.compile(r"^step \d+")).first.wait_for(timeout=240_000)
    tab.locator(".js-plotly-plot").first.wait_for()
    live = ("✓ Collect", "✓ Check", r"Validation loss\s+\d", f"of {STEPS}", "What the model says", "before")
    # the panel is drawn anew every second, part by part
    tab.wait_for_function(
        "parts => { const shown = document.querySelector('[data-testid=stMain]').innerText;"
        " return parts.every(part => new RegExp(part).test(shown)) }",
        arg=list(live),
        timeout=60_000,
    )
    check(tab, "tune-live")


def _read_the_verdict(browser: Any, tab: Any) -> None:
    tab.get_by_text("Take it away").wait_for(timeout=400_000)
    settle(tab)
    shown = main(tab)
    headline = re.search(
        r"nano-sums answers .+ of 8 rows of word-problems#test right, nano .+: (better|worse|tied|undecided)",
        shown,
    )
    assert headline, shown[:600]
    assert "team-labels: label-four-shots" in shown
    assert re.search(r"team-labels: \w+ on 8 rows of team-labels#test", shown)
    for part in (
        "Tuned against base",
        "Cost and speed",
        "What was forgotten",
        "Perplexity",
        "Risks and limits",
    ):
        assert part in shown
    check(tab, "tune-verdict")
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Model card, HTML").click()
    card = Path(waiting.value.path()).read_text(encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(card)
    assert "nano-sums" in page.locator("h1").inner_text()
    assert page.get_by_text("team-labels").count() and page.get_by_text("word-problems").count()
    assert not [url for url in asked if not url.startswith("data:")]
    check_both_schemes_of_a_file(page)
    context.close()
    tab.get_by_text("Where it came from", exact=True).click()
    tab.get_by_text("Content hash").first.wait_for()
    settle(tab)
    assert "word-problems#train" in main(tab)


def check_both_schemes_of_a_file(page: Any) -> None:
    """The same as for the app's pages, of one that has no server."""
    from tests.e2e.axe import serious_violations

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert not serious_violations(page), scheme


def _meet_it_elsewhere(tab: Any, site: Site) -> None:
    """The tuned model is one like any other."""
    tab.get_by_text("Verdict", exact=True).click()
    link = tab.get_by_role("link", name="Compare: verdict")
    link.click()
    tab.wait_for_url(re.compile("/compare"))
    settle(tab)
    table = tab.locator("[data-testid=stTable]").first.inner_text()
    assert "nano-sums" in table and "baseline" in table
    open_page(tab, site, "/models")
    tab.get_by_text("nano-sums").first.wait_for()
    open_page(tab, site, "/tune")
    assert re.search("nano → nano-sums", main(tab))
