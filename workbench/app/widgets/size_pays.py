"""From how many rows a month on a local model costs less than a hosted one: chart, sentences, table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from workbench.app import state
from workbench.app.widgets.charts import SERIES, TOOLBAR, ink, safe
from workbench.app.widgets.controls import choose
from workbench.app.widgets.numbers import dollars
from workbench.app.widgets.text import escaped, short
from workbench.core.sizing import BreakEven, SizePoint, Sizes


def break_even_section(sizes: Sizes) -> None:
    """The lines of monthly cost of one local model and every hosted one, and where they cross."""
    if not sizes.break_evens:
        st.markdown(_missing(sizes))
        return
    locals_ = list(dict.fromkeys(one.local for one in sizes.break_evens))
    chosen = sizes.smallest_good_enough
    default = chosen.cell.model if chosen is not None and chosen.cell.model in locals_ else locals_[0]
    local = default
    if len(locals_) > 1:
        local = choose("Local model", locals_, state.LOCAL, default, sticky=False) or default
    found = [one for one in sizes.break_evens if one.local == local]
    points = {point.cell.model: point for point in sizes.points}
    monthly = monthly_usd(points.get(local), found[0])
    if monthly is not None:
        _chart(found, points, monthly)
    st.markdown("  \n".join(said(one) for one in found))
    with st.expander("Every pair as a table"):
        st.table(
            {
                "Local": [escaped(one.local) for one in sizes.break_evens],
                "Hosted": [escaped(one.hosted) for one in sizes.break_evens],
                "Pays from, rows a month": [
                    "not on one machine" if one.rows_per_month is None else rows(one.rows_per_month)
                    for one in sizes.break_evens
                ],
                "Most rows a month": [rows(one.most_rows_per_month) for one in sizes.break_evens],
            },
            border="horizontal",
            hide_index=True,
            alt="From how many rows a month on each local model costs less than each hosted one",
        )


def monthly_usd(point: SizePoint | None, pair: BreakEven) -> float | None:
    """What the local machine costs in a month, whatever it works off; None when it has no price."""
    if point is None or point.usd_per_1000_rows is None or point.cost_basis != "machine":
        return None
    return point.usd_per_1000_rows / 1000 * pair.most_rows_per_month


def said(pair: BreakEven) -> str:
    """One pair as a sentence; Markdown."""
    local, hosted = f"**{escaped(pair.local)}**", f"**{escaped(pair.hosted)}**"
    most = escaped(rows(pair.most_rows_per_month))
    if pair.rows_per_month is None:
        return (
            f"{local} does not become cheaper than {hosted} on one machine: it works off at most {most} rows "
            "a month, and those cost less where they are hosted."
        )
    return (
        f"{local} costs less than {hosted} from about {escaped(rows(pair.rows_per_month))} rows a month on; "
        f"one machine works off {most}."
    )


def rows(value: float) -> str:
    """Rows, rounded to what matters: `940`, `12,000`, `3.4 million`."""
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 100 * size else f"{value / size:,.0f} {unit}"
    step = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return f"{round(value / step) * step:,}"


def _missing(sizes: Sizes) -> str:
    hosted = [point for point in sizes.points if not point.local]
    local = [point for point in sizes.points if point.local]
    if not hosted:
        return (
            "This run has no hosted model to hold the local ones against. Add one with its `price` to the "
            "experiment's models."
        )
    if not local:
        return "This run has no local model. Add one, such as `small`, to the experiment's models."
    if all(point.usd_per_1000_rows is None for point in local):
        return (
            "What a local model costs is not known: give the price of an hour of this machine above, or "
            r"`price: {hour: …}` in the model's row."
        )
    return (
        "What a hosted model costs is not known: give its `price` per million tokens in "
        "`experiments/models.yaml`."
    )


def _chart(found: Sequence[BreakEven], points: dict[str, SizePoint], monthly: float) -> None:
    import plotly.graph_objects as go

    most = found[0].most_rows_per_month
    crossings = [one.rows_per_month for one in found if one.rows_per_month]
    low = min([most, *crossings]) / 30
    high = max([most, *crossings]) * 4
    prices: list[float] = []
    figure = go.Figure()
    local = safe(short(found[0].local, 32))
    figure.add_trace(
        go.Scatter(
            x=[low, most],
            y=[monthly, monthly],
            mode="lines+markers+text",
            marker={"symbol": ["line-ns-open", "line-ns-open"], "size": [0, 16], "color": SERIES[0]},
            line={"color": SERIES[0], "width": 3},
            text=["", f"{local}: {dollars(monthly)} a month"],
            textposition="bottom left",
            textfont={"color": ink(), "size": 13},
            hoverinfo="skip",
        )
    )
    for number, one in enumerate(found):
        hosted = points.get(one.hosted)
        if hosted is None or not hosted.usd_per_1000_rows:
            continue
        per_row = hosted.usd_per_1000_rows / 1000
        prices.append(per_row)
        colour = SERIES[(number + 1) % len(SERIES)]
        figure.add_trace(
            go.Scatter(
                x=[low, high],
                y=[low * per_row, high * per_row],
                mode="lines+text",
                line={"color": colour, "width": 2, "dash": "dash"},
                text=["", f"{safe(short(one.hosted, 32))}, hosted"],
                textposition="top left",
                textfont={"color": ink(), "size": 13},
                hoverinfo="skip",
            )
        )
        if one.rows_per_month:
            figure.add_trace(
                go.Scatter(
                    x=[one.rows_per_month],
                    y=[monthly],
                    mode="markers+text",
                    marker={"size": 12, "symbol": "circle-open", "color": colour, "line": {"width": 3}},
                    text=[f"{rows(one.rows_per_month)} rows"],
                    textposition="top left",
                    textfont={"color": ink(), "size": 13},
                    hoverinfo="skip",
                )
            )
    figure.update_layout(height=380, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False)
    figure.update_xaxes(
        type="log",
        title="rows a month",
        range=[math.log10(low), math.log10(high)],
        dtick=1,
        exponentformat="SI",
    )
    top = max([monthly, *(high * per_row for per_row in prices)])
    bottom = min([monthly, *(low * per_row for per_row in prices)])
    ends = [math.log10(bottom / 2), math.log10(top * 4)]
    figure.update_yaxes(
        type="log", title="USD a month", range=ends, dtick=1, tickprefix="$", exponentformat="SI"
    )
    st.plotly_chart(
        figure,
        key="chart break-even",
        config=TOOLBAR,
        alt="USD a month against rows a month. " + " ".join(said(one).replace("*", "") for one in found),
    )
