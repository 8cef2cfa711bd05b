"""Charts as inline SVG without script or font: their colours are the page's, light or dark.

Classes: `axis`, `grid`, `zero`, `line-0`, `line-1` …, `effect`, `muted`; the page says what they look like.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from workbench.core.figures import figure, signed_with_interval
from workbench.tuning.cards.blocks import EffectChart, LineChart

WIDTH, HEIGHT = 680, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 30, 40
ROW = 26
LONGEST_NAME = 38
SIGN = 7
"""Points that a letter of a label takes, about."""
STEPS = (1, 2, 2.5, 5, 10)


def line_chart_svg(chart: LineChart) -> str:
    """Lines with axes, a legend and, where asked for, a marked place. '' without two points to join."""
    lines = [
        (line.name, [(x, y) for x, y in line.points if math.isfinite(x) and math.isfinite(y)])
        for line in chart.lines
    ]
    points = [point for _, several in lines for point in several]
    if len(points) < 2:
        return ""
    whole = all(float(x).is_integer() for x, _ in points)
    xs = ticks(*_ends([x for x, _ in points]), whole=whole)
    ys = ticks(*_ends([y for _, y in points]))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - xs[0]) / (xs[-1] - xs[0]) * (right - LEFT)
        return across, bottom - (y - ys[0]) / (ys[-1] - ys[0]) * (bottom - TOP)

    parts = []
    for y in ys:
        height = at(xs[0], y)[1]
        parts.append(_rule("grid", LEFT, height, right, height))
        parts.append(_text(LEFT - 8, height + 4, _tick(y, ys), "end"))
    parts += [_text(at(x, ys[0])[0], bottom + 18, _tick(x, xs), "middle") for x in xs]
    parts.append(_rule("axis", LEFT, bottom, right, bottom))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 4, chart.x, "middle"))
    if chart.mark is not None and xs[0] <= chart.mark[0] <= xs[-1]:
        across = at(chart.mark[0], ys[0])[0]
        parts.append(_rule("zero", across, TOP, across, bottom))
        side = "end" if across > (LEFT + right) / 2 else "start"
        parts.append(_text(across + (-6 if side == "end" else 6), TOP + 12, chart.mark[1], side))
    for number, (name, several) in enumerate(lines):
        places = [at(x, y) for x, y in several]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="line-{number}" points="{path}"/>')
        if len(places) <= 40:
            parts += [f'<circle class="dot-{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places]
        parts.append(_rule(f"line-{number}", LEFT + 150 * number, 12, LEFT + 150 * number + 22, 12))
        parts.append(_text(LEFT + 150 * number + 28, 16, name, "start"))
    return _svg(chart.title, HEIGHT, parts)


def effect_chart_svg(chart: EffectChart) -> str:
    """One row an effect: its interval, its difference, its verdict; '' where none has an interval."""
    effects = [one for one in chart.effects if math.isfinite(one.low) and math.isfinite(one.high)]
    if not effects:
        return ""
    names = [
        one.name if len(one.name) <= LONGEST_NAME else one.name[: LONGEST_NAME - 1] + "…" for one in effects
    ]
    left = 24 + SIGN * max(map(len, names))
    low, high = _ends([0.0, *(one.low for one in effects), *(one.high for one in effects)])
    xs = ticks(low, high)
    right, bottom = WIDTH - 110, TOP + ROW * len(effects)

    def at(x: float) -> float:
        return left + (x - xs[0]) / (xs[-1] - xs[0]) * (right - left)

    parts = [_rule("grid", at(x), TOP - 8, at(x), bottom) for x in xs]
    parts += [_text(at(x), bottom + 16, _tick(x, xs), "middle") for x in xs]
    parts.append(_rule("zero", at(0), TOP - 8, at(0), bottom))
    for number, one in enumerate(effects):
        height = TOP + ROW * number + ROW / 2
        parts.append(_text(left - 12, height + 4, names[number], "end"))
        parts.append(_rule(f"effect {one.verdict}", at(one.low), height, at(one.high), height))
        parts.append(
            f'<circle class="effect-dot {escape(one.verdict)}" cx="{at(one.difference):.1f}" '
            f'cy="{height:.1f}" r="4"/>'
        )
        parts.append(_text(right + 12, height + 4, one.verdict, "start"))
    said = "; ".join(
        f"{one.name}: {signed_with_interval(one.difference, one.low, one.high)}, {one.verdict}"
        for one in effects
    )
    return _svg(f"{chart.title}. {said}", bottom + 24, parts)


def ticks(low: float, high: float, about: int = 5, whole: bool = False) -> list[float]:
    """Round numbers, evenly spaced, that reach from at most `low` to at least `high`.

    Args:
        whole: only whole numbers, for what is counted.
    """
    rough = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in STEPS if factor * unit >= rough * (1 - 1e-9))
    if whole:
        step = math.ceil(step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 12) for place in range(first, max(last, first + 1) + 1)]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _tick(value: float, every: Sequence[float]) -> str:
    if all(float(one).is_integer() for one in every):
        return f"{value:,.0f}"
    return f"{value:g}" if max(map(abs, every)) < 1000 else figure(value)


def _rule(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line class="{escape(kind)}" {place}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(label: str, height: float, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}">'
    return "\n".join([head, *parts, "</svg>"])
