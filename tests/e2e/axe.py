"""What axe finds wrong with an open page, for those who cannot see it or see it with difficulty."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import keep, settle

GRAVE = ("serious", "critical")
IS_DARK = """
getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor.match(/\\d+/g)
    .slice(0, 3).every(one => one < 128)
"""


def serious_violations(tab: Any) -> list[str]:
    """Every violation that axe calls serious or critical: its rule, and the first element at fault."""
    from axe_playwright_python.sync_playwright import Axe

    tab.wait_for_function("document.getAnimations().every(one => !(one instanceof CSSTransition))")
    return [
        f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(tab).response["violations"]
        if one["impact"] in GRAVE
    ]


def check_both_schemes(tab: Any, name: str) -> None:
    """Fails on a serious violation of the page in light, then in dark, without loading it again."""
    assert not serious_violations(tab), "light"
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function(IS_DARK)
    settle(tab)
    keep(tab, f"{name}-dark")
    assert not serious_violations(tab), "dark"
