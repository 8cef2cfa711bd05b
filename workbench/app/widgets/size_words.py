"""The answer of the Size page in sentences: which model is the smallest that is good enough, or why not yet.

small@int8 is the smallest that is not worse than small@fp32 by more than 2 points:
0.780 [0.71, 0.83] against 0.800 [0.73, 0.85], in 41 % of the memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.app.widgets.numbers import interval, many
from workbench.app.widgets.size_axes import Axis
from workbench.app.widgets.text import escaped
from workbench.core.sizing import SizePoint, Sizes
from workbench.metrics import describe_metrics

MOST_ROWS = 1_000_000
"""Where more rows are called hopeless instead of counted."""


@dataclass(frozen=True)
class Answer:
    """What is said first; Markdown."""

    found: bool
    """Whether a model below the best one is shown to be good enough, or none smaller is in question."""
    sentence: str
    more: tuple[str, ...] = ()


def name(point: SizePoint) -> str:
    """How a point is called: its model, and the settings that vary between cells."""
    return " · ".join([point.cell.model, *(f"{key} {value}" for key, value in point.cell.sampling.items())])


def higher_is_better(metric: str) -> bool:
    """Whether more of the metric is better; so of one that is not known."""
    return all(fact.get("direction") != "lower" for fact in describe_metrics() if fact["name"] == metric)


def is_share(points: Sequence[SizePoint]) -> bool:
    """Whether the metric runs from 0 to 1, so that differences are said in points."""
    scored = [point.quality for point in points if not math.isnan(point.quality.mean)]
    return all(one.low >= -1e-9 and one.high <= 1 + 1e-9 for one in scored)


def difference(value: float, share: bool) -> str:
    """A difference of quality: `2 points`, `0.5 points`, or in the metric's own unit."""
    if not share:
        return f"{value:.3g}"
    points = round(100 * value, 1)
    return f"{points:g} {'point' if points == 1 else 'points'}"


def rows_to_tell(point: SizePoint) -> int | None:
    """About how many more rows would show that the point is good enough, were they like those so far.

    None: it is shown already, no number of rows would, or more than is sensible to say.
    """
    if point.good_enough or point.rows_needed is None:
        return None
    more = max(point.rows_needed - point.quality.n, math.ceil(point.quality.n / 10))
    return _rounded(more) if more <= MOST_ROWS else None


def _rounded(rows: float) -> int:
    step = 10 ** max(0, math.floor(math.log10(max(rows, 1))) - 1)
    return math.ceil(rows / step) * step


def verdict(point: SizePoint, sizes: Sizes) -> str:
    """A badge: the best, good enough, falls short, or undecided with the rows that would tell."""
    if math.isnan(point.quality.mean):
        return ":gray-badge[not scored]"
    if sizes.best is not None and point.cell.index == sizes.best.cell.index:
        return ":blue-badge[◆ best]"
    if point.good_enough:
        return ":green-badge[✓ good enough]"
    if point.shortfall >= sizes.margin:
        return ":red-badge[✗ falls short]"
    rows = rows_to_tell(point)
    return ":orange-badge[? undecided]" + (f" about {many(rows, 'more row')}" if rows else "")


def answer(sizes: Sizes, axis: Axis) -> Answer:
    """The question of size, answered as far as the rows allow."""
    best, smallest = sizes.best, sizes.smallest_good_enough
    if best is None:
        return Answer(
            False, f"It cannot be told yet: no output of this run has a score in {escaped(sizes.metric)}."
        )
    share = is_share(sizes.points)
    margin = difference(sizes.margin, share)
    open_cases = _undecided(sizes, smallest or best, share)
    if smallest is None:
        good = ", ".join(escaped(name(point)) for point in sizes.points if point.good_enough)
        return Answer(
            False,
            f"Not worse than **{escaped(name(best))}** by more than {margin}: {good}. Which of them is the "
            "smallest cannot be told yet, as what they take is not measured.",
        )
    if not smallest.local and any(point.local for point in sizes.points):
        return Answer(
            False,
            f"No local model of this run has been shown to be good enough: **{escaped(name(best))}**, which "
            f"is hosted, is the best with {_quality(best)}.",
            open_cases,
        )
    if smallest.cell.index == best.cell.index:
        smaller = [point for point in sizes.points if _is_smaller(point, best)]
        if not smaller:
            return Answer(
                True,
                f"**{escaped(name(best))}** is the best with {_quality(best)}, and no other model of this "
                "run is smaller.",
            )
        return Answer(
            not open_cases,
            f"**{escaped(name(best))}** is the best with {_quality(best)}, and no smaller model has been "
            f"shown to be within {margin} of it.",
            open_cases or tuple(_short(point, share) for point in smaller[:3]),
        )
    return Answer(
        True,
        f"**{escaped(name(smallest))}** is the smallest that is not worse than **{escaped(name(best))}** by "
        f"more than {margin}: {_quality(smallest)} against {_quality(best)}{_part(smallest, best, axis)}.",
        open_cases,
    )


def _quality(point: SizePoint) -> str:
    return escaped(interval(point.quality))


def _part(small: SizePoint, best: SizePoint, axis: Axis) -> str:
    one, other = axis.value(small), axis.value(best)
    if not one or not other:
        return ""
    percent = f"{100 * one / other:.0f}"
    return "" if percent == "100" else ", " + axis.share.format(f"{percent} %")


def _is_smaller(point: SizePoint, than: SizePoint) -> bool:
    for measure in ("memory_bytes", "parameters", "disk_bytes"):
        one, other = getattr(point, measure), getattr(than, measure)
        if one is not None and other is not None:
            return bool(one < other)
    return point.local and not than.local


def _undecided(sizes: Sizes, than: SizePoint, share: bool) -> tuple[str, ...]:
    """Smaller models that may be good enough, the soonest told first, at most two."""
    cases = [
        point
        for point in sizes.points
        if not point.good_enough
        and _is_smaller(point, than)
        and not math.isnan(point.shortfall)
        and point.shortfall < sizes.margin
    ]
    cases.sort(key=lambda point: rows_to_tell(point) or MOST_ROWS)
    said = []
    for point in cases[:2]:
        rows = rows_to_tell(point)
        wait = f"about {many(rows, 'more row')} would tell" if rows else "only far more rows would tell"
        said.append(
            f"It cannot be told yet whether the smaller **{escaped(name(point))}** is good enough: "
            f"{_behind(point, share)}; {wait}."
        )
    return tuple(said)


def _short(point: SizePoint, share: bool) -> str:
    return f"{escaped(name(point))}: {_behind(point, share)}."


def _behind(point: SizePoint, share: bool) -> str:
    return escaped(
        f"it falls {difference(max(point.shortfall, 0.0), share)} short so far, "
        f"and could fall {difference(point.shortfall_high, share)} short"
    )
