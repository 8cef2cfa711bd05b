"""What axe finds wrong with an open page, for those who cannot see it or see it with difficulty."""

from __future__ import annotations

from typing import Any

GRAVE = ("serious", "critical")


def serious_violations(tab: Any) -> list[str]:
    """Every violation that axe calls serious or critical: its rule, and the first element at fault."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(tab).response["violations"]
        if one["impact"] in GRAVE
    ]
