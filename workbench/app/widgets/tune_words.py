"""The words and marks of tunings, the same wherever they stand on the page."""

from __future__ import annotations

import math

from workbench.app.widgets.numbers import score, signed
from workbench.app.widgets.text import escaped
from workbench.core.tuning import Stage

SPACE = "\u00a0"  # a figure and what belongs to it stay on one line
STATUS = {
    "queued": ":blue-badge[◌ queued]",
    "running": ":blue-badge[● running]",
    "completed": ":green-badge[✓ completed]",
    "cancelled": ":orange-badge[■ cancelled]",
    "failed": ":red-badge[✕ failed]",
    "interrupted": ":orange-badge[‖ interrupted]",
}
STAGES: dict[Stage, str] = {
    "collecting": "Collect",
    "checking": "Check",
    "training": "Train",
    "saving": "Save",
    "evaluating": "Measure",
    "done": "Done",
}
VERDICTS = {
    "better": ":green-badge[▲ better]",
    "worse": ":red-badge[▼ worse]",
    "tied": ":gray-badge[■ tied]",
    "undecided": ":orange-badge[○ undecided]",
}
METHODS = {
    "full": "Full: every weight",
    "lora": "LoRA: small matrices beside",
    "dora": "DoRA: LoRA, and lengths",
    "qlora": "QLoRA: LoRA over a 4-bit base",
    "prefix": "Prefix: virtual tokens in each layer",
    "prompt": "Prompt: virtual tokens before the text",
    "ia3": "(IA)³: a scale for each feature",
}
OBJECTIVES = {
    "supervised": "Supervised: say what was good",
    "dpo": "DPO: the better of two",
    "kto": "KTO: good against bad ones",
    "orpo": "ORPO: the better of two, in one go",
}


def badge(verdict: str | None) -> str:
    """A verdict as a badge with a sign, readable without its colour."""
    return VERDICTS.get(verdict or "", escaped(verdict or "–"))


def is_share(*values: float) -> bool:
    """Whether values may be said in per cent."""
    return all(math.isnan(value) or 0 <= value <= 1 for value in values)


def percent(value: float) -> str:
    """A share in per cent, as in `31 %`."""
    if math.isnan(value):
        return "–"
    decimals = 0 if value in (0, 1) or 0.005 <= value <= 0.995 else 1
    return f"{100 * value:.{decimals}f}{SPACE}%"


def points(value: float) -> str:
    """A difference of shares in points, without the word."""
    return "–" if math.isnan(value) else f"{100 * value:+.1f}".replace("+0.0", "0.0").replace("-0.0", "0.0")


def gain(difference: float, low: float, high: float, share: bool) -> str:
    """A difference with its interval, in points where the metric is a share.

    Longer figures may be parted by the end of a line: in a narrow table nothing else is left to give way.
    """
    if share:
        return f"{points(difference)}{SPACE}points [{points(low)},{SPACE}{points(high)}]"
    return f"{signed(difference)} [{signed(low)}, {signed(high)}]"


def amount(value: float, share: bool) -> str:
    """A metric's value: in per cent where it is a share."""
    return percent(value) if share else score(value)
