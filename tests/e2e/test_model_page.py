"""The Model page in a browser: it can be read in light and dark; a benchmark is started and watched."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.axe import check_both_schemes
from tests.e2e.conftest import Site, keep, open_page, settle

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine
VIEWS = ("parts", "memory", "speed", "tokens")


def test_the_models_page_leads_to_what_a_model_is_made_of(tab: Any, site: Site) -> None:
    open_page(tab, site, "/models")
    tab.get_by_test_id("stMain").get_by_role("link", name="nano").click()
    tab.wait_for_url(re.compile(r"/model\?.*model=nano"))
    settle(tab)
    tab.locator(".js-plotly-plot .treemaplayer").wait_for()
    assert tab.get_by_text("479,904").count() >= 1
    assert "LlamaForCausalLM" in tab.locator("[data-testid=stMain]").inner_text()


def test_a_benchmark_is_started_watched_and_kept(tab: Any, site: Site) -> None:
    open_page(tab, site, "/model?model=nano&view=speed")
    again = tab.get_by_role("button", name="Measure for 30 s")
    again.click()
    progress = tab.get_by_role("progressbar")
    progress.wait_for()
    tab.get_by_text(re.compile("at once")).first.wait_for()
    keep(tab, "model-speed-live")
    tab.reload()  # the page may go; measuring does not
    settle(tab)
    progress.or_(again).first.wait_for()
    again.wait_for(timeout=240_000)
    table = tab.locator("[data-testid=stTable]").first
    table.wait_for()
    assert re.search(r"nano\s+[\d,]+\s+[\d,]+\s+[\d,]+", table.inner_text())


def test_a_benchmark_can_be_cancelled(tab: Any, site: Site) -> None:
    open_page(tab, site, "/model?model=nano&quantization=bf16&view=speed")
    tab.get_by_role("button", name="Measure for 30 s").click()
    tab.get_by_role("progressbar").wait_for()
    tab.wait_for_timeout(2000)  # as a person does: not while the page is being put together
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_role("button", name="Measure for 30 s").wait_for()
    settle(tab)
    assert tab.get_by_text("cancelled").count()


def test_text_becomes_tokens_and_never_markup(tab: Any, site: Site) -> None:
    open_page(tab, site, "/model?model=small&view=tokens")
    area = tab.locator("textarea").first
    area.fill("<img src=x onerror=alert(1)> **bold** ![i](http://127.0.0.1:1/i.png) 🍎")
    area.press("Control+Enter")
    tab.get_by_text("<F0>").first.wait_for()
    settle(tab)
    main = tab.locator("[data-testid=stMain]")
    assert main.locator("img").count() == 0
    assert main.locator("strong", has_text="bold").count() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_no_serious_axe_violation(tab: Any, site: Site, view: str) -> None:
    open_page(tab, site, f"/model?model=small&view={view}")
    check_both_schemes(tab, f"model-{view}")
