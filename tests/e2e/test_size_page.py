"""The Size page in a real browser: the answer, its settings in the address, its table as a file."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Site, keep, open_page, settle
from workbench.engine import Workspace, create_run, execute_run

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine


@pytest.fixture(scope="module")
def sized(site: Site) -> str:
    """A finished run of two models at two quantizations; its id."""

    def finish() -> str:
        ws = Workspace.open(site.root)
        experiment = ws.experiment("quickstart").model_copy(
            update={"prompts": ("step-by-step",), "quantization": ("fp32", "int8"), "baseline": None}
        )
        run = create_run(ws, experiment, limit=30, owner="command")
        execute_run(ws, run)
        ws.close()
        return run

    # the browser's driver keeps an event loop in this thread
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(finish).result()


def test_the_answer_stands_first_and_the_chart_names_every_model(tab: Any, site: Site, sized: str) -> None:
    open_page(tab, site, f"/size?run={sized}")
    assert re.search("is the smallest|is the best", tab.locator("[data-testid=stMain]").inner_text())
    chart = tab.locator(".js-plotly-plot").first
    chart.locator(".errorbar").nth(3).wait_for(state="attached")
    chart.locator(".textpoint").nth(3).wait_for(state="attached")
    names = chart.locator(".textpoint").all_text_contents()
    assert sorted(names) == ["nano@fp32", "nano@int8", "small@fp32", "small@int8"]
    assert chart.locator(".errorbar").count() == 4
    keep(tab, "size")


def test_a_wider_margin_is_kept_in_the_address_and_changes_the_answer(
    tab: Any, site: Site, sized: str
) -> None:
    open_page(tab, site, f"/size?run={sized}")
    field = tab.get_by_role("spinbutton", name="May be worse by, points")
    field.fill("90")
    field.press("Enter")
    tab.wait_for_url(re.compile(r"margin=0\.9"))
    settle(tab)
    table = tab.locator("[data-testid=stTable]").first.inner_text().replace("\u00a0", " ")
    assert table.count("✓ good enough") + table.count("◆ best") == 4
    tab.reload()
    settle(tab)
    assert tab.get_by_role("spinbutton", name="May be worse by, points").input_value() == "90"


def test_an_hour_price_gives_local_models_a_cost(tab: Any, site: Site, sized: str) -> None:
    open_page(tab, site, f"/size?run={sized}&cost=usd")
    assert tab.get_by_text("No cost is known").count() == 1
    field = tab.get_by_role("spinbutton", name="An hour of this machine, USD")
    field.fill("0.5")
    field.press("Enter")
    tab.wait_for_url(re.compile(r"hour=0\.5"))
    settle(tab)
    assert tab.get_by_text("USD per 1,000 rows").count() >= 1
    assert "$" in tab.locator("[data-testid=stTable]").nth(1).inner_text()


def test_the_table_downloads_as_json(tab: Any, site: Site, sized: str, tmp_path: Path) -> None:
    open_page(tab, site, f"/size?run={sized}")
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="JSON").click()
    waiting.value.save_as(tmp_path / "sizes.json")
    found = json.loads((tmp_path / "sizes.json").read_text(encoding="utf-8"))
    assert found["run"] == sized
    assert len(found["points"]) == 4


def test_compare_leads_to_the_size_of_the_same_run(tab: Any, site: Site, sized: str) -> None:
    open_page(tab, site, f"/compare?run={sized}")
    tab.get_by_role("link", name="Which size is enough?").click()
    tab.wait_for_url(re.compile(f"/size.*run={sized}"))
    settle(tab)
    assert tab.locator("h1").inner_text() == "Size"


def test_names_of_models_stay_inside_a_narrow_window(browser: Any, site: Site, sized: str) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 900})
    tab = context.new_page()
    try:
        open_page(tab, site, f"/size?run={sized}")
        chart = tab.locator(".js-plotly-plot").first
        chart.locator(".textpoint").nth(3).wait_for(state="attached")
        frame = chart.bounding_box()
        for name in chart.locator(".textpoint").all():
            box = name.bounding_box()
            assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]
        assert tab.evaluate("document.documentElement.scrollWidth") <= 800
    finally:
        context.close()
