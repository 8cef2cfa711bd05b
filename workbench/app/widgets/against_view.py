"""Metrics and judges against people: how often each would have picked what the raters picked."""

from __future__ import annotations

import math

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import segments
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, many, signed
from workbench.app.widgets.rating_charts import Dot, dots_chart
from workbench.app.widgets.rating_words import coefficient, coefficient_of, share, share_of, unbroken
from workbench.app.widgets.ratings_cached import cached_against
from workbench.app.widgets.text import escaped, short
from workbench.engine import Workspace
from workbench.engine.rating.against_people import MetricAgainst
from workbench.engine.rating.judges_against import CorrectedCell, JudgeAgainst


def against_view(ws: Workspace, run: str) -> None:
    """Every metric by accuracy, then each judge in full."""
    with st.spinner("Holding metrics against people …"):
        found = cached_against(ws, run)
    for name in found.unscored:
        st.caption(
            f":material/info: {escaped(name)} asks a model and has not been asked yet; resume the run."
        )
    if not found.metrics:
        empty(
            "No metric of this run is scored.",
            "Add one on Compare, or resume the run.",
            "compare",
            "Go to Compare",
        )
        return
    scales = list(dict.fromkeys(line.name for line in found.metrics))
    name = scales[0]
    if len(scales) > 1:
        name = segments("What people rated", {scale: escaped(scale) for scale in scales}, state.BY)
    _metrics([line for line in found.metrics if line.name == name], name, found.confidence)
    for judge in found.judges:
        if judge.name == name:
            _judge(judge)


def picked_sentence(lines: list[MetricAgainst]) -> str:
    """How often the best metric would have picked the raters' winner, as Markdown."""
    known = [line for line in lines if not math.isnan(line.accuracy.mean)]
    if not known:
        return "No rater has told apart two outputs that a metric has scored."
    best = known[0]
    said = (
        f"**{escaped(best.metric)}** would have picked your raters’ winner "
        f"**{share(best.accuracy.mean)}** of the time {escaped(_bounds(best))}"
    )
    if best.accuracy.low <= 0.5 <= best.accuracy.high:
        pairs = many(best.accuracy.n, "decided pair")
        return f"{said}: no better than tossing a coin, as far as {pairs} can tell."
    return f"{said}."


def _metrics(lines: list[MetricAgainst], name: str, confidence: float) -> None:
    st.markdown(picked_sentence(lines))
    dots = [
        Dot(line.metric, line.accuracy.mean, line.accuracy.low, line.accuracy.high, share_of(line.accuracy))
        for line in lines
    ]
    spoken = "; ".join(f"{dot.label}: {dot.words}" for dot in dots[:12])
    dots_chart(
        {"accuracy": dots},
        "share of decided pairs picked as people pick",
        f"chart accuracy {name}",
        f"Pairwise accuracy of each metric. {spoken}",
        at=0.5,
    )
    columns = {
        "Metric": [f"**{escaped(short(line.metric, 60))}**" for line in lines],
        "Picks the raters’ winner": [_cell(share_of(line.accuracy)) for line in lines],
        "Decided pairs": [count(line.accuracy.n) for line in lines],
        "Spearman’s ρ": [_cell(coefficient_of(line.spearman)) for line in lines],
        "Kendall’s τ": [_cell(coefficient_of(line.kendall)) for line in lines],
        "Outputs" if lines[0].mode != "pairwise" else "Pairs": [count(line.spearman.n) for line in lines],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=f"Metrics against people by {name}")
    st.caption(
        "A metric’s tie counts half, so 50 % is a coin. Correlations are with people’s mean rating, or with "
        "their preference; metrics for which lower is better are turned round. "
        f"Intervals at {100 * confidence:g} %, rows drawn whole."
    )


def _judge(judge: JudgeAgainst) -> None:
    st.subheader(f"Judge {escaped(short(judge.metric, 60))}", anchor=False)
    facts = {
        "Agrees with people (κ)": coefficient_of(judge.kappa),
        "Bias": _bias(judge),
        "Changes with the order": "–" if judge.flip_rate is None else share(judge.flip_rate),
        "Goes with length (ρ)": coefficient_of(judge.length),
        "… beyond what people say": coefficient_of(judge.length_beyond_people),
    }
    st.table(
        {name: [_cell(value)] for name, value in facts.items()},
        border="horizontal",
        hide_index=True,
        alt=f"{judge.metric} against people",
    )
    for sentence in _remarks(judge):
        st.markdown(f":material/lightbulb: {sentence}")
    if judge.corrected:
        _corrected(judge)


def _bias(judge: JudgeAgainst) -> str:
    if math.isnan(judge.bias.mean):
        return "–"
    if math.isnan(judge.bias.low):
        return signed(judge.bias.mean)
    return f"{signed(judge.bias.mean)} [{signed(judge.bias.low)}, {signed(judge.bias.high)}]"


def _remarks(judge: JudgeAgainst) -> list[str]:
    """What these numbers mean for whoever trusts the judge."""
    said = []
    if judge.bias.low > 0:
        said.append("The judge is kinder than your raters.")
    if judge.bias.high < 0:
        said.append("The judge is stricter than your raters.")
    if judge.flip_rate is not None and judge.flip_rate > 0.2:
        said.append("Its verdict often changes with the order of the two texts; such verdicts count as ties.")
    if judge.length_beyond_people.low > 0:
        said.append("It favours longer outputs more than your raters do.")
    if judge.length_beyond_people.high < 0:
        said.append("It favours shorter outputs more than your raters do.")
    return said


def _corrected(judge: JudgeAgainst) -> None:
    """Judge alone, people alone, and both together, for each cell."""
    series: dict[str, list[Dot]] = {"people and judge": [], "people alone": [], "judge alone": []}
    for line in judge.corrected:
        found, label = line.estimate, line.cell.label
        both = coefficient(found.value, found.low, found.high)
        alone = coefficient(found.human, found.human_low, found.human_high)
        series["people and judge"].append(Dot(label, found.value, found.low, found.high, f"corrected {both}"))
        series["people alone"].append(
            Dot(label, found.human, found.human_low, found.human_high, f"people {alone}")
        )
        if _common(judge):
            series["judge alone"].append(
                Dot(label, found.judge, math.nan, math.nan, f"judge {found.judge:.2f}")
            )
    if not series["judge alone"]:
        del series["judge alone"]
    spoken = "; ".join(f"{dot.label}: {dot.words}" for dots in series.values() for dot in dots[:6])
    base = judge.corrected[0].against
    title = judge.name if base is None else f"preferred to the baseline, {short(base.label, 60)}"
    dots_chart(
        series,
        title,
        f"chart corrected {judge.metric} {judge.name}",
        f"Each cell by {title}, from people and judge. {spoken}",
    )
    columns = {
        "Cell": [f"**{escaped(short(line.cell.label, 80))}**" for line in judge.corrected],
        "People and judge": [
            _cell(coefficient(line.estimate.value, line.estimate.low, line.estimate.high))
            for line in judge.corrected
        ],
        "People alone": [
            _cell(coefficient(line.estimate.human, line.estimate.human_low, line.estimate.human_high))
            for line in judge.corrected
        ],
        "Judge alone": [coefficient(line.estimate.judge) for line in judge.corrected],
        "Rows by people": [count(line.estimate.n) for line in judge.corrected],
        "Rows by the judge only": [count(line.estimate.judged) for line in judge.corrected],
        "Trust (λ)": [coefficient(line.estimate.trust) for line in judge.corrected],
        "Worth as many people’s": [_worth(line) for line in judge.corrected],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=f"Each cell from people and {judge.metric}")
    st.caption(
        "Few labels by people correct the judge’s many (PPI++): the judge’s error on rows that both rated is "
        "taken off, and λ says how much it is trusted. The result is what people would have said of all rows."
    )


def _common(judge: JudgeAgainst) -> bool:
    """Whether the judge's own mean is on the people's scale."""
    return judge.mode == "pairwise" or not math.isnan(judge.bias.mean)


def _worth(line: CorrectedCell) -> str:
    worth = line.estimate.worth
    return count(round(worth)) if math.isfinite(worth) else "–"


def _bounds(line: MetricAgainst) -> str:
    if math.isnan(line.accuracy.low):
        return ""
    return f"[{100 * line.accuracy.low:.0f}, {100 * line.accuracy.high:.0f}]"


def _cell(text: str) -> str:
    return unbroken(escaped(text))
