"""What a metric's settings may be: each check gives one sentence that names the metric and the setting."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from workbench.errors import MetricError, suggestion

LONGEST_PATTERN = 10_000


def check_flag(metric: str, setting: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise MetricError(f"Metric '{metric}': `{setting}` is true or false, not {value!r}.")
    return value


def check_choice(metric: str, setting: str, value: Any, choices: Sequence[str]) -> str:
    """One of a few words."""
    if value not in choices:
        known = f"{', '.join(choices[:-1])} or {choices[-1]}"
        hint = suggestion(value, choices) if isinstance(value, str) and len(choices) > 3 else ""
        raise MetricError(f"Metric '{metric}': `{setting}` is {known}, not {value!r}.{hint}")
    return str(value)


def check_amount(metric: str, setting: str, value: Any) -> float:
    """A number from 0."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0
    if not right:
        raise MetricError(f"Metric '{metric}': `{setting}` is a number from 0, not {value!r}.")
    return float(value)


def check_texts(metric: str, setting: str, values: Any) -> list[str]:
    """A text or several; numbers become texts, blank ones are refused."""
    several = [values] if isinstance(values, str | int | float) else values
    if not isinstance(several, list | tuple) or not several:
        raise MetricError(f"Metric '{metric}': `{setting}` is a text or a list of texts, not {values!r}.")
    for value in several:
        if not isinstance(value, str | int | float) or isinstance(value, bool) or not str(value).strip():
            raise MetricError(
                f"Metric '{metric}': `{setting}` holds {value!r}, which is no text to look for."
            )
    return [str(value) for value in several]


def check_pattern(metric: str, setting: str, pattern: Any) -> Any:
    """A regular expression, compiled by the package regex, whose matching can be given a timeout."""
    import regex

    if not isinstance(pattern, str) or not pattern:
        raise MetricError(f"Metric '{metric}' needs `{setting}`, a regular expression.")
    if len(pattern) > LONGEST_PATTERN:
        raise MetricError(f"Metric '{metric}': `{setting}` has more than {LONGEST_PATTERN:,} characters.")
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, MemoryError, RecursionError) as problem:
        raise MetricError(
            f"Metric '{metric}': `{setting}` is no regular expression ({problem}): {pattern[:200]}"
        ) from None
