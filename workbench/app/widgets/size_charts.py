"""The charts of the Size page: quality against cost, gain per doubling, and where a local model pays.

Each says in words (`alt`) what it shows; the page has the same figures in tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from workbench.app.widgets.charts import SERIES, TOOLBAR, ink, safe, whiskers
from workbench.app.widgets.numbers import interval
from workbench.app.widgets.size_axes import Axis
from workbench.app.widgets.size_labels import positions
from workbench.app.widgets.size_words import difference, is_share, name
from workbench.app.widgets.text import short
from workbench.core.sizing import DoublingGain, SizePoint, Sizes

if TYPE_CHECKING:
    import plotly.graph_objects as go

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "star", "hexagon", "triangle-down")
WIDTH, HEIGHT = 640, 420
"""The drawing area for which names are placed: that of a narrow window."""
GREY, GREEN = "#8a8f98", "#2a9d62"
MEGA = 1e6


def quality_chart(sizes: Sizes, axis: Axis, higher: bool, key: str) -> None:
    """Up is better, left is smaller. Filled: good enough; a colour a model, a symbol a quantization."""
    import plotly.graph_objects as go

    scored = [point for point in sizes.points if not math.isnan(point.quality.mean)]
    placed = sorted(
        (point for point in scored if _place(point, axis) is not None),
        key=lambda point: (_place(point, axis) or 0.0, name(point)),
    )
    beside = [point for point in scored if _place(point, axis) is None and not point.local]
    figure = go.Figure()
    across, up = _ranges(placed, scored, axis)
    if sizes.best is not None:
        best = sizes.best.quality.mean
        edge = best - sizes.margin if higher else best + sizes.margin
        figure.add_hrect(min(best, edge), max(best, edge), fillcolor=GREEN, opacity=0.16, line_width=0)
    front = [point for point in placed if point.on_front]
    if len(front) > 1:
        figure.add_trace(_front(front, axis, go))
    for point, side in zip(placed, _sides(placed, axis, across, up), strict=True):
        figure.add_trace(_dot(point, sizes, axis, side, go))
    for point in beside:
        figure.add_hline(
            y=point.quality.mean,
            line_dash="dash",
            line_color=_colour(point, sizes),
            annotation_text=f"{safe(short(name(point), 32))}, hosted",
            annotation_position="top left",
            annotation_font_color=ink(),
        )
    figure.update_layout(
        height=HEIGHT + 70,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title=axis.title if placed else "",
        yaxis_title=safe(sizes.metric),
        showlegend=False,
    )
    if placed:
        ticks = _ticks(*across)
        figure.update_xaxes(
            type="log",
            range=across,
            tickvals=ticks,
            ticktext=[_tick(value) for value in ticks],
            showgrid=True,
        )
    else:
        figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(range=up)
    spoken = "; ".join(f"{name(point)}: {interval(point.quality)}, {axis.shown(point)}" for point in scored)
    st.plotly_chart(
        figure, key=key, config=TOOLBAR, alt=f"{sizes.metric} against {axis.title}. {spoken[:900]}"
    )


def gain_chart(gains: Sequence[DoublingGain], share: bool, key: str) -> None:
    """What quality gains when the size doubles, with its interval; left of the line it loses."""
    import plotly.graph_objects as go

    unit = 100 if share else 1
    lines = [gain_label(gain) for gain in gains]
    figure = go.Figure(
        go.Scatter(
            x=[unit * gain.gain for gain in gains],
            y=[safe(short(line, 60)) for line in lines],
            error_x=whiskers(((gain.low, gain.gain, gain.high) for gain in gains), unit),
            mode="markers",
            marker={"size": 11, "color": SERIES[0], "symbol": "circle"},
            hovertext=[gain_words(gain, share) for gain in gains],
            hoverinfo="text",
        )
    )
    figure.add_vline(x=0, line_dash="dash", line_width=1, line_color=GREY)
    figure.update_layout(
        height=110 + 40 * len(lines),
        margin={"l": 8, "r": 8, "t": 8, "b": 40},
        xaxis_title="points per doubling of size" if share else "gain per doubling of size",
    )
    figure.update_yaxes(automargin=True, autorange="reversed", type="category")
    spoken = "; ".join(f"{line}: {gain_words(gain, share)}" for line, gain in zip(lines, gains, strict=True))
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"Gain per doubling of size. {spoken}")


def gain_label(gain: DoublingGain) -> str:
    """Between which models, as in `nano@fp32 → small@fp32`."""
    return f"{gain.smaller} → {gain.larger}"


def gain_words(gain: DoublingGain, share: bool) -> str:
    """The gain with its interval, as in `+5.2 points [+1.0, +9.1]`."""
    unit = 100 if share else 1
    numbers = [
        f"{unit * value:+.1f}" if share else f"{value:+.3g}" for value in (gain.gain, gain.low, gain.high)
    ]
    return f"{numbers[0]}{' points' if share else ''} [{numbers[1]}, {numbers[2]}]"


def _place(point: SizePoint, axis: Axis) -> float | None:
    """Where the point stands; bytes in MB. None also for 0, which a logarithm does not have."""
    value = axis.value(point)
    if not value:
        return None
    return value / MEGA if "MB" in axis.title else value


def _ranges(
    placed: Sequence[SizePoint], scored: Sequence[SizePoint], axis: Axis
) -> tuple[list[float], list[float]]:
    """Both axes' ends, x as powers of ten, with room for names and intervals."""
    logs = [math.log10(_place(point, axis) or 1.0) for point in placed] or [0.0]
    span = max(max(logs) - min(logs), 0.3)
    lows = [point.quality.low for point in scored] or [0.0]
    highs = [point.quality.high for point in scored] or [1.0]
    air = max(max(highs) - min(lows), 0.05) * 0.08
    return [min(logs) - 0.1 * span, max(logs) + 0.22 * span], [min(lows) - air, max(highs) + air]


def _sides(placed: Sequence[SizePoint], axis: Axis, across: list[float], up: list[float]) -> list[str]:
    return positions(
        [
            (
                WIDTH * (math.log10(_place(point, axis) or 1.0) - across[0]) / (across[1] - across[0]),
                HEIGHT * (point.quality.mean - up[0]) / (up[1] - up[0]),
            )
            for point in placed
        ],
        [short(name(point), 32) for point in placed],
        WIDTH,
    )


def _front(front: Sequence[SizePoint], axis: Axis, go: Any) -> go.Scatter:
    return go.Scatter(
        x=[_place(point, axis) for point in front],
        y=[point.quality.mean for point in front],
        mode="lines",
        line={"shape": "hv", "dash": "dot", "width": 2, "color": GREY},
        hoverinfo="skip",
    )


def _dot(point: SizePoint, sizes: Sizes, axis: Axis, side: str, go: Any) -> go.Scatter:
    estimate = point.quality
    symbol = SYMBOLS[_number(sizes, "quantization", point) % len(SYMBOLS)]
    label = safe(short(name(point), 32))
    return go.Scatter(
        x=[_place(point, axis)],
        y=[estimate.mean],
        error_y=whiskers([(estimate.low, estimate.mean, estimate.high)], thickness=1, width=4),
        mode="markers+text",
        text=[f"<b>{label}</b>" if _is(point, sizes.smallest_good_enough) else label],
        textposition=side,
        textfont={"color": ink(), "size": 13},
        cliponaxis=False,
        marker={
            "size": 13,
            "symbol": symbol if point.good_enough else f"{symbol}-open",
            "color": _colour(point, sizes),
            "line": {"width": 2, "color": _colour(point, sizes)},
        },
        hovertext=[
            f"{label}<br>{interval(estimate)}<br>{axis.label}: {axis.shown(point)}<br>"
            f"short of the best: {difference(point.shortfall, is_share(sizes.points))}"
        ],
        hoverinfo="text",
    )


def _colour(point: SizePoint, sizes: Sizes) -> str:
    return SERIES[_number(sizes, "base", point) % len(SERIES)]


def _number(sizes: Sizes, part: str, point: SizePoint) -> int:
    """Which of the run's bases or quantizations the point has, counted in the run's order."""
    return list(dict.fromkeys(getattr(other, part) for other in sizes.points)).index(getattr(point, part))


def _is(point: SizePoint, other: SizePoint | None) -> bool:
    return other is not None and point.cell.index == other.cell.index


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic axis: 1, 2, 5 of each power of ten, evenly apart where it is short."""
    start, end = 10**low, 10**high
    if end / start >= 6:
        powers = range(math.floor(low), math.ceil(high) + 1)
        round_ones = [first * 10.0**power for power in powers for first in (1, 2, 5)]
    else:
        rough = (end - start) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * first for first in (1, 2, 5, 10) if power * first >= rough)
        round_ones = [step * number for number in range(math.ceil(start / step), math.floor(end / step) + 1)]
    return [value for value in round_ones if start <= value <= end]


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"
