"""Agreement of a run's raters: on each thing rated, two by two, each with themselves; and disputed rows."""

from __future__ import annotations

import math

import streamlit as st

from workbench.app.widgets.disputed_rows import disputed_rows
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, many, seconds
from workbench.app.widgets.rating_charts import Dot, dots_chart, squares_chart
from workbench.app.widgets.rating_words import coefficient, coefficient_of, share, share_of, unbroken
from workbench.app.widgets.ratings_cached import cached_agreement
from workbench.app.widgets.text import escaped, short
from workbench.core.run import MetricEstimate
from workbench.engine import RatingAgreement, Workspace
from workbench.engine.rating.agreement import ScaleAgreement
from workbench.statistics import Coefficient

MOST_RATERS = 12
BOTH_ORDERS = "pairs are shown in both orders, so it evens out."
LEVELS = {"nominal": "α nominal", "ordinal": "α ordinal", "interval": "α interval"}


def agreement_view(ws: Workspace, run: str) -> None:
    """Coefficients and their chart, raters against each other and alone, and the rows to look at."""
    with st.spinner("Comparing raters …"):
        found = cached_agreement(ws, run)
    shared = [scale for scale in found.scales if scale.shared]
    if shared:
        _coefficients(found, shared)
        for scale in shared:
            _rater_pairs(scale)
    else:
        raters = [one.rater for one in found.raters if one.rater]
        who = (
            f"All ratings are by {escaped(short(raters[0], 60))}."
            if len(raters) == 1
            else "Nobody shares an item."
        )
        empty(
            who,
            "Agreement needs items that two raters have rated: show the same items to two or more.",
            "rate",
            "Go to Rate",
        )
    _steadiness(found)
    disputed_rows(ws, run, found.disputed)


def _coefficients(found: RatingAgreement, shared: list[ScaleAgreement]) -> None:
    series: dict[str, list[Dot]] = {}
    for scale in shared:
        for name, value in _chief(scale).items():
            label = scale.name
            series.setdefault(name, []).append(
                Dot(label, value.value, value.low, value.high, f"{name} {coefficient_of(value)}")
            )
    spoken = "; ".join(f"{dot.label}: {dot.words}" for dots in series.values() for dot in dots)
    dots_chart(
        series,
        "agreement (1: always the same, 0: as by chance)",
        "chart agreement",
        f"Agreement of raters. {spoken}",
        at=0,
    )
    columns = {
        "Rated": [f"**{escaped(scale.name)}**" for scale in shared],
        "Items of two raters": [f"{count(scale.shared)} of {count(scale.items)}" for scale in shared],
        "Raters": [count(scale.raters) for scale in shared],
        "Same": [
            _cell(share(scale.percent.value, scale.percent.low, scale.percent.high)) for scale in shared
        ],
        "Fleiss’ κ": [_cell(coefficient_of(scale.fleiss)) for scale in shared],
        **{
            words: [
                _cell(coefficient_of(scale.alpha[level])) if level in scale.alpha else "–" for scale in shared
            ]
            for level, words in LEVELS.items()
            if any(level in scale.alpha for scale in shared)
        },
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Agreement on each thing that is rated")
    st.caption(
        "κ and α take off what raters would agree on by chance; “–”: it is for grades alone, or all said "
        "the same, and chance cannot be told. "
        f"α is Krippendorff’s; intervals at {100 * found.confidence:g} %, by drawing items."
    )


def _chief(scale: ScaleAgreement) -> dict[str, Coefficient]:
    """What the chart shows of a scale: α at the level that its values have, and κ."""
    level = "ordinal" if "ordinal" in scale.alpha else "nominal"
    return {"Krippendorff’s α": scale.alpha[level], "Fleiss’ κ": scale.fleiss}


def _rater_pairs(scale: ScaleAgreement) -> None:
    """Cohen's κ of each two raters, as squares and as a table."""
    if scale.raters < 2 or not scale.pairs:
        return
    graded = scale.mode == "likert"
    st.subheader(f"Each two raters: {escaped(scale.name)}", anchor=False)
    names = list(dict.fromkeys(name for pair in scale.pairs for name in (pair.first, pair.second)))[
        :MOST_RATERS
    ]
    if len(names) > 2:
        place = {name: number for number, name in enumerate(names)}
        values: list[list[float | None]] = [[None] * len(names) for _ in names]
        hover = [[""] * len(names) for _ in names]
        for pair in scale.pairs:
            if pair.first in place and pair.second in place:
                value = pair.weighted_kappa if pair.weighted_kappa is not None else pair.kappa
                words = f"{pair.first} and {pair.second}\nκ {coefficient_of(value)}, {many(pair.n, 'item')}"
                for i, j in ((pair.first, pair.second), (pair.second, pair.first)):
                    values[place[i]][place[j]] = None if math.isnan(value.value) else value.value
                    hover[place[i]][place[j]] = words
        spoken = "; ".join(
            f"{pair.first} and {pair.second} {coefficient_of(pair.weighted_kappa or pair.kappa)}"
            for pair in scale.pairs[:15]
        )
        squares_chart(
            names,
            values,
            hover,
            f"chart raters {scale.mode} {scale.criterion}",
            f"Cohen's kappa of each two raters: {spoken}",
            of_wins=False,
        )
    shown = scale.pairs[:30]
    columns = {
        "Raters": [
            f"**{escaped(short(pair.first, 40))}** and **{escaped(short(pair.second, 40))}**"
            for pair in shown
        ],
        "Items": [count(pair.n) for pair in shown],
        "Same": [_cell(share(pair.percent.value, pair.percent.low, pair.percent.high)) for pair in shown],
        "Cohen’s κ": [_cell(coefficient_of(pair.kappa)) for pair in shown],
    }
    if graded:
        columns["κ, weighted"] = [
            _cell(coefficient_of(pair.weighted_kappa)) if pair.weighted_kappa else "–" for pair in shown
        ]
    st.table(columns, border="horizontal", hide_index=True, alt=f"Each two raters on {scale.name}")
    if graded:
        st.caption("Weighted by squares: 4 against 5 stars counts less than 1 against 5.")
    if len(scale.pairs) + scale.more_pairs > len(shown):
        st.caption(f"The {len(shown)} pairs with the most items in common.")


def _steadiness(found: RatingAgreement) -> None:
    """Each rater alone: themselves once more, the place, ties, time."""
    if not found.raters:
        return
    st.subheader("Each rater", anchor=False)
    shown = found.raters[:31] if len(found.raters) != 2 else found.raters[1:]
    columns = {
        "Rater": [f"**{escaped(short(one.rater, 40))}**" if one.rater else "all" for one in shown],
        "Ratings": [count(one.ratings) for one in shown],
        "Says the same again": [
            f"{_cell(share_of(one.same))} of {count(one.same.n)}" if one.same.n else "–" for one in shown
        ],
        "First shown wins": [
            f"{_cell(share_of(one.first_won))} of {count(one.first_won.n)}" if one.first_won.n else "–"
            for one in shown
        ],
        "Ties": [share(one.ties) for one in shown],
        "Time for one": [seconds(one.seconds) for one in shown],
    }
    for name in ("Says the same again", "First shown wins", "Ties", "Time for one"):
        if set(columns[name]) == {"–"}:
            del columns[name]
    st.table(columns, border="horizontal", hide_index=True, alt="Each rater alone")
    everyone = found.raters[0]
    if "Says the same again" in columns:
        apart = everyone.apart
        steps = (
            ""
            if math.isnan(apart)
            else f" Their two Likert ratings lie {coefficient(apart)} steps apart on average."
        )
        st.caption(f"“Says the same again”: of items that were shown to the rater once more.{steps}")
    if everyone.first_won.n:
        st.caption(
            "“First shown wins”: of the pairs that they decided; 50 % is no bias. "
            f"{_bias(everyone.first_won)}"
        )


def _bias(first_won: MetricEstimate) -> str:
    if first_won.low > 0.5:
        return f"Together they favour the text that stands first; {BOTH_ORDERS}"
    if first_won.high < 0.5:
        return f"Together they favour the text that stands second; {BOTH_ORDERS}"
    return "No bias for the place shows."


def _cell(text: str) -> str:
    return unbroken(escaped(text))
