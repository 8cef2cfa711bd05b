"""What came of a tuning: the sentence, paired differences, cost, speed, losses, and what to do next."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.empty import empty
from workbench.app.widgets.numbers import count, many
from workbench.app.widgets.text import escaped, escaped_lines
from workbench.app.widgets.tune_words import badge, is_share, percent
from workbench.app.widgets.verdict_actions import next_steps
from workbench.app.widgets.verdict_charts import Difference, forest
from workbench.app.widgets.verdict_exports import exports
from workbench.app.widgets.verdict_risks import risks
from workbench.app.widgets.verdict_tables import sides_table, takes_table
from workbench.app.widgets.verdict_words import headline, level, prompt_label
from workbench.core.run import Gap
from workbench.engine import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning import TuningVerdict, stored_verdict
from workbench.tuning.verdict.records import ForgettingVerdict, Repeats


def verdict_view(ws: Workspace, record: TuningRecord) -> None:
    """Everything that was measured, the answer first."""
    found = stored_verdict(record)
    if found is None:
        empty("It was not measured.", "What the tuned model gained is not known.")
        next_steps(ws, record)
        return
    with st.container(border=True):
        st.markdown(f"{badge(found.headline.gap.verdict)} {headline(found)}")
        st.caption(escaped(_how(found)))
    next_steps(ws, record)
    _differences(found)
    st.subheader("Cost and speed", anchor=False)
    takes_table(found)
    if found.takes:
        st.caption("Both answered in one run; whatever else the machine did meanwhile is in the seconds.")
    _forgetting(found)
    _others(found)
    risks(ws, record)
    _runs(found)
    exports(ws, record)


def _how(found: TuningVerdict) -> str:
    better = "higher" if found.direction == "higher" else "lower"
    margin = f"; a difference up to {found.margin:g} is a tie" if found.margin else ""
    return (
        f"Prompt {found.headline.prompt}, {found.metric} ({better} is better), both models on the same rows, "
        f"paired, {100 * found.confidence:.0f} % interval{margin}. None of these rows was learnt."
    )


def _differences(found: TuningVerdict) -> None:
    st.subheader("Tuned against base", anchor=False)
    lines = [(prompt_label(one), one.base, one.tuned, one.gap) for one in found.prompts]
    lines += [
        (f"{one.by} = {one.value} ({count(one.rows)} rows)", one.base, one.tuned, one.gap)
        for one in found.slices
    ]
    if found.shortcut is not None:
        one = found.shortcut
        lines.append((f"base with {prompt_label(one)}", one.base, one.tuned, one.gap))
    share = all(is_share(base.mean, tuned.mean) for _, base, tuned, _ in lines)
    drawn = [Difference(label, gap, share) for label, _, _, gap in lines]
    forest(drawn, found.metric, "forest verdict", found.margin)
    sides_table("Prompt or slice", lines, "Base and tuned, by prompt and slice", share)
    if found.shortcut is not None:
        st.caption(
            "The last line holds the base with the costly prompt, whose outputs were learnt, against the "
            "tuned model with the plain one."
        )


def _forgetting(found: TuningVerdict) -> None:
    st.subheader("What was forgotten", anchor=False)
    if not found.forgetting:
        st.caption("Nothing else was asked, so that it is not known.")
        return
    lines = [(_asked(one), one.base, one.tuned, one.gap) for one in found.forgetting]
    if len(lines) > 1:
        # metrics of 0 to 1 and of 0 to 100 on one axis would say nothing of each other
        for share in (True, False):
            group = [one for one in found.forgetting if is_share(one.base.mean, one.tuned.mean) == share]
            names = {one.metric for one in group}
            drawn = [Difference(_asked(one), one.gap, share) for one in group]
            forest(drawn, names.pop() if len(names) == 1 else "difference", f"forest forgetting {share}")
    sides_table("Experiment", lines, "What was forgotten: base and tuned on other data")
    told = {
        f"{one.experiment}: {one.metric} on {many(one.base.n, 'row')} of {one.dataset}#{one.split}"
        for one in found.forgetting
    }
    st.caption(escaped(f"{'; '.join(sorted(told))}."))
    lost = sum(one.gap.verdict == "worse" for one in found.forgetting)
    if not lost:
        st.caption("No loss is certain. What is undecided may still be one: the interval says how much.")


def _asked(one: ForgettingVerdict) -> str:
    return f"{one.experiment}: {one.prompt}"


def _others(found: TuningVerdict) -> None:
    perplexity, recall, memory = found.perplexity, found.recall, found.memorisation
    if not (perplexity or recall or memory or found.win_rate):
        return
    st.subheader("Held-out text, and what is repeated", anchor=False)
    if found.win_rate is not None:
        won = found.win_rate
        st.markdown(
            escaped(
                f"Win rate: the tuned output scored better on {count(won.better)} rows, worse on "
                f"{count(won.worse)}, equal on {count(won.equal)}: {percent(won.rate)} [{percent(won.low)}, "
                f"{percent(won.high)}], draws counting half."
            )
        )
    if perplexity is not None:
        line = ("Perplexity (lower is better)", perplexity.base, perplexity.tuned, perplexity.gap)
        sides_table("Held-out text", [line], "Perplexity, base and tuned", share=False)
        st.caption(
            escaped(f"Over {many(perplexity.base.n, 'text')}, none of them learnt: {perplexity.texts}.")
        )
    lines = []
    if memory is not None:
        words = f"Outputs that repeat {memory.words} words or more of training text"
        lines.append((words, memory.base.share, memory.tuned.share, memory.gap))
    if recall is not None:
        lines.append(("Learnt questions answered as learnt", recall.base, recall.tuned, recall.gap))
    if lines:
        sides_table("Memorisation", lines, "Memorisation, base and tuned", share=True, said=_more_or_less)
        st.caption("More is no gain here: it is what the model gives back of its training text.")
    if memory is not None:
        _repeat("tuned", memory.tuned)


def _more_or_less(gap: Gap) -> str:
    """A difference that is neither good nor bad by itself."""
    if gap.low > 0:
        return "more than the base"
    return "less than the base" if gap.high < 0 else "no certain difference"


def _repeat(whose: str, found: Repeats) -> None:
    if not found.example:
        return
    with st.expander(f"The longest repeat of the {whose} model: {found.longest} words"):
        st.markdown(escaped_lines(found.example))
        st.caption(
            escaped(f"Repeats in {level(found.share, True)} of outputs, {found.exact} of them word for word.")
        )


def _runs(found: TuningVerdict) -> None:
    if not found.runs:
        return
    st.subheader("The runs behind it", anchor=False)
    with st.container(horizontal=True):
        for purpose, run in found.runs.items():
            link("compare", f"Compare: {escaped(purpose)}", ":material/balance:", run=run)
