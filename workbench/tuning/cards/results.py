"""The part of a model card that a verdict fills: results, slices, forgetting, memorisation, speed."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.figures import figure, p_value, signed_with_interval, with_interval
from workbench.core.run import Gap
from workbench.tuning.cards.blocks import (
    Block,
    Bullets,
    Effect,
    EffectChart,
    Paragraph,
    Section,
    Table,
    section,
)
from workbench.tuning.verdict.records import (
    ForgettingVerdict,
    Level,
    MemorisationVerdict,
    ModelTakes,
    PerplexityVerdict,
    RecallVerdict,
    TuningVerdict,
)

HEADS = ("base", "tuned", "difference", "p", "verdict")
SIDE_BY_SIDE = Paragraph(
    "Both models answered in one run: whatever else the machine did meanwhile is in the seconds and the "
    "tokens/s."
)


def headline_words(verdict: TuningVerdict) -> str:
    """The verdict in one sentence."""
    one = verdict.headline
    return (
        f"{verdict.metric} on {verdict.rows:,} rows of {verdict.dataset}#{verdict.split} with prompt "
        f"{one.prompt}: {level(one.base)} for {verdict.base_model}, {level(one.tuned)} tuned; "
        f"{signed_with_interval(one.gap.difference, one.gap.low, one.gap.high)}, {said(one.gap)}."
    )


def result_sections(verdict: TuningVerdict) -> list[Section | None]:
    """Every section that the verdict has something for, in the order in which they are read."""
    return [
        section("Results", _results(verdict)),
        section("By slice", _slices(verdict)),
        section("What was forgotten", _forgetting(verdict)),
        section("Held-out text", _perplexity(verdict.perplexity)),
        section(
            "Training text in the outputs",
            [*_memorisation(verdict.memorisation), _recall(verdict.recall)],
        ),
        section("Speed, memory and cost", [_takes(verdict.takes), SIDE_BY_SIDE if verdict.takes else None]),
    ]


def level(one: Level) -> str:
    """A mean with its interval."""
    return with_interval(one.mean, one.low, one.high)


def said(gap: Gap) -> str:
    """The verdict, and for an undecided one what would decide it."""
    if gap.verdict == "undecided" and gap.rows_needed:
        return f"undecided: about {gap.rows_needed:,} rows needed"
    return str(gap.verdict)


def _results(verdict: TuningVerdict) -> list[Block | None]:
    lines = [("" if one is None else one.prompt, one) for one in (*verdict.prompts, verdict.shortcut)]
    rows = tuple(
        (name + _sampling(one.sampling), *_compared(one.base, one.tuned, one.gap))
        for name, one in lines
        if one is not None
    )
    wins = verdict.win_rate
    return [
        Paragraph(headline_words(verdict)),
        Table(("prompt", *HEADS), rows, (1, 2, 3, 4)),
        Paragraph(
            f"Row by row: better on {wins.better:,}, worse on {wins.worse:,}, equal on {wins.equal:,}; "
            f"win rate {with_interval(wins.rate, wins.low, wins.high)} (a draw counts half), "
            f"p {p_value(wins.p)}."
        )
        if wins is not None
        else None,
        _chart(
            f"Tuned minus base, {verdict.metric}",
            [(one.prompt + _sampling(one.sampling), one.gap) for one in verdict.prompts],
        ),
        Paragraph(
            f"Both models were asked the same rows. Intervals hold with {100 * verdict.confidence:g} %; p "
            "is adjusted for the comparisons of its table (Holm), and the verdict follows from it."
            + (f" A difference within ±{verdict.margin:g} is a tie." if verdict.margin else "")
        ),
    ]


def _sampling(sampling: object) -> str:
    varied = [f"{key} {value}" for key, value in dict(sampling).items()]  # type: ignore[call-overload]
    return f" · {' · '.join(varied)}" if varied else ""


def _slices(verdict: TuningVerdict) -> list[Block | None]:
    rows = tuple(
        (f"{one.by}: {one.value}", f"{one.rows:,}", *_compared(one.base, one.tuned, one.gap))
        for one in verdict.slices
    )
    chart = _chart(
        "Tuned minus base by slice", [(f"{one.by}: {one.value}", one.gap) for one in verdict.slices]
    )
    return [Table(("slice", "rows", *HEADS), rows, (1, 2, 3, 4, 5)), chart]


def _forgetting(verdict: TuningVerdict) -> list[Block | None]:
    rows = tuple(
        (
            f"{one.dataset}, {one.prompt}, {one.metric}",
            f"{one.base.n:,}",
            *_compared(one.base, one.tuned, one.gap),
        )
        for one in verdict.forgetting
    )
    if not rows:
        return []
    # metrics of 0 to 1 and of 0 to 100 on one axis would hide each other
    shares = [one for one in verdict.forgetting if max(one.base.mean, one.tuned.mean) <= 1]
    others = [one for one in verdict.forgetting if one not in shares]
    charts = [_elsewhere(group) for group in (shares, others)]
    words = Paragraph(
        "Other tasks, asked of both models with the same prompts: what did the tuning cost there?"
    )
    return [words, Table(("dataset, prompt, metric", "rows", *HEADS), rows, (1, 2, 3, 4, 5)), *charts]


def _elsewhere(group: Sequence[ForgettingVerdict]) -> EffectChart | None:
    metrics = ", ".join(dict.fromkeys(one.metric for one in group))
    gaps = [(f"{one.dataset}, {one.prompt}", one.gap) for one in group]
    return _chart(f"Tuned minus base elsewhere, {metrics}", gaps)


def _perplexity(found: PerplexityVerdict | None) -> list[Block | None]:
    if found is None:
        return []
    return [
        Paragraph(
            f"Perplexity over {found.texts} ({found.base.n:,} texts that were not learnt): "
            f"{level(found.base)} base, {level(found.tuned)} tuned, "
            f"{signed_with_interval(found.gap.difference, found.gap.low, found.gap.high)} "
            f"({said(found.gap)}; lower is less surprised)."
        )
    ]


def _memorisation(found: MemorisationVerdict | None) -> list[Block | None]:
    if found is None:
        return []
    rows = tuple(
        (name, level(one.share), f"{one.exact:,}", f"{one.longest:,}" if one.longest else "–")
        for name, one in (("base", found.base), ("tuned", found.tuned))
    )
    heads = (
        "model",
        f"outputs with {found.words} words in a row out of a training completion",
        "exact copies",
        "longest run, words",
    )
    return [
        Table(heads, rows, (1, 2, 3)),
        Paragraph(
            f"Over {found.outputs:,} outputs for rows that were not learnt, against {found.completions:,} "
            "different training completions. The base did not learn them from this data: its share is what a "
            "narrow domain gives by itself. Tuned minus base: "
            f"{signed_with_interval(found.gap.difference, found.gap.low, found.gap.high)}, {said(found.gap)}."
        ),
    ]


def _recall(found: RecallVerdict | None) -> Paragraph | None:
    if found is None:
        return None
    return Paragraph(
        f"Asked {found.questions:,} of the learnt questions themselves, the base answers with a learnt "
        f"completion, word for word, in {level(found.base)} of them, the tuned model in "
        f"{level(found.tuned)}; {signed_with_interval(found.gap.difference, found.gap.low, found.gap.high)}."
    )


def _takes(takes: Sequence[ModelTakes]) -> Table:
    rows = tuple(
        (
            one.model,
            f"{one.completion_tokens / one.outputs:.1f}" if one.outputs else "–",
            figure(one.latency_p50_s),
            figure(one.latency_p95_s),
            f"{one.tokens_per_s:,.0f}" if one.tokens_per_s else "–",
            f"{one.memory_bytes / 1e6:,.0f}" if one.memory_bytes else "–",
            f"{one.cost_usd:.4f}",
            f"{one.errors:,}",
            f"{one.unanswered:,}",
        )
        for one in takes
    )
    heads = (
        "model",
        "tokens an output",
        "p50 s",
        "p95 s",
        "tokens/s",
        "memory MB",
        "USD",
        "errors",
        "without an answer",
    )
    return Table(heads, rows, tuple(range(1, len(heads))))


def _compared(base: Level, tuned: Level, gap: Gap) -> tuple[str, ...]:
    difference = signed_with_interval(gap.difference, gap.low, gap.high)
    return level(base), level(tuned), difference, p_value(gap.p_adjusted), said(gap)


def _chart(title: str, gaps: Sequence[tuple[str, Gap]]) -> EffectChart | None:
    effects = tuple(Effect(name, gap.difference, gap.low, gap.high, gap.verdict) for name, gap in gaps)
    return EffectChart(title, effects) if effects else None


def note_bullets(verdict: TuningVerdict) -> Bullets:
    """What the verdict has to say beside its figures."""
    return Bullets(verdict.notes)
