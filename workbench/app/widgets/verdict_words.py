"""The verdict on a tuned model in sentences.

"small-transit answers 31 % of test rows right, small 18 %: better by 13 points [9, 17]."
"""

from __future__ import annotations

import math

from workbench.app.widgets.numbers import count, many, score
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_words import SPACE, amount, gain, is_share, percent
from workbench.core.figures import p_value
from workbench.core.run import Gap
from workbench.tuning import TuningVerdict
from workbench.tuning.verdict.records import Level, PromptVerdict

RIGHT = frozenset({"exact_match", "accuracy"})
"""Shares that may be read as "answers … right"."""


def headline(found: TuningVerdict) -> str:
    """The sentence that stands first, as Markdown."""
    one = found.headline
    base, tuned = escaped(found.base_model), escaped(found.tuned_model)
    if math.isnan(one.base.mean) or math.isnan(one.tuned.mean):
        return f"**{tuned}** could not be held against {base}: no output was scored\\."
    share = is_share(one.base.mean, one.tuned.mean)
    rows = f"{count(found.rows)} rows of {escaped(f'{found.dataset}#{found.split}')}"
    if share and found.metric in RIGHT:
        levels = (
            f"**{tuned}** answers **{percent(one.tuned.mean)}** of {rows} right, {base} "
            f"{percent(one.base.mean)}"
        )
    else:
        levels = (
            f"**{tuned}** reaches {escaped(found.metric)} **{escaped(amount(one.tuned.mean, share))}** on "
            f"{rows}, {base} {escaped(amount(one.base.mean, share))}"
        )
    return f"{levels}: {escaped(_said(one.gap, share))}"


def _said(gap: Gap, share: bool) -> str:
    unit = 100 if share else 1
    low, high = (_short(unit * value) for value in (gap.low, gap.high))
    name = " points" if share else ""
    if gap.verdict == "better":
        return f"better by {_short(abs(unit * gap.difference))}{name} [{low}, {high}]."
    if gap.verdict == "worse":
        return f"worse by {_short(abs(unit * gap.difference))}{name} [{low}, {high}]."
    between = f"a difference of {gain(gap.difference, gap.low, gap.high, share)}"
    if gap.verdict == "tied":
        return f"tied, {between}."
    rows = rows_needed(gap)
    more = f"; about {many(rows, 'more row')} would tell, were this the true gap" if rows else ""
    return f"undecided, {between}{more}."


def rows_needed(gap: Gap) -> int:
    """About how many more rows would tell, of an undecided gap; 0 where that is not known."""
    if gap.verdict != "undecided" or gap.rows_needed is None:
        return 0
    return max(0, gap.rows_needed - gap.n)


def level(one: Level, share: bool) -> str:
    """A mean with its interval; shares in per cent."""
    if math.isnan(one.mean):
        return "not scored"
    if not share:
        return f"{score(one.mean)} [{score(one.low)}, {score(one.high)}]"
    low, high = (f"{100 * value:.0f}" for value in (one.low, one.high))
    return f"{percent(one.mean)} [{low},{SPACE}{high}]"


def gap_words(gap: Gap, share: bool) -> str:
    """The difference with its interval."""
    return "–" if math.isnan(gap.difference) else gain(gap.difference, gap.low, gap.high, share)


def p_words(gap: Gap) -> str:
    """The p-value, adjusted for what is shown beside it."""
    return p_value(gap.p_adjusted)


def prompt_label(one: PromptVerdict) -> str:
    """A prompt, with its sampling where that varies."""
    settings = ", ".join(f"{name} {value}" for name, value in one.sampling.items())
    return f"{one.prompt} ({settings})" if settings else one.prompt


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
