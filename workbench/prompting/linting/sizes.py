"""Rules about lengths: what fits the context, what the answer has room for, which examples there are."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.prompt import DEFAULT_SAMPLING, Prompt
from workbench.prompting.linting.base import Subject, rule

LEAST_FOR_REASONING = 48


@rule("too-long", "error")
def too_long(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The messages, or they and the longest reply, do not fit the model's context."""
    if subject.count_tokens is None or subject.context is None or subject.rendered is None:
        return
    used = subject.count_tokens(subject.rendered)
    room = prompt.sampling.over(DEFAULT_SAMPLING).max_tokens or 0
    if used + room <= subject.context:
        return
    bare = subject.count_tokens(subject.rendered_bare or subject.rendered)
    examples = used - bare
    if examples > 0 and bare + room <= subject.context:
        yield (
            f"The {len(subject.shown_rows)} examples take {examples:,} tokens; with them the messages "
            f"({used:,}) and a reply ({room:,}) exceed the context of {subject.context:,}: show fewer.",
            "examples",
        )
    else:
        yield (
            f"The messages ({used:,} tokens) and a reply of up to {room:,} exceed the model's context of "
            f"{subject.context:,}; shorten the prompt or lower max_tokens.",
            "",
        )


@rule("short-for-reasoning", "warning")
def short_for_reasoning(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The reply is cut off before reasoning can end in an answer."""
    allowed = prompt.sampling.max_tokens
    if prompt.reasoning is not None and allowed is not None and allowed < LEAST_FOR_REASONING:
        yield (
            f"{allowed} tokens leave no room to reason; allow {LEAST_FOR_REASONING} or more, or the answer "
            "is cut off.",
            "sampling.max_tokens",
        )


@rule("no-examples", "warning")
def no_examples(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Examples are asked for, but there are none to show."""
    examples = prompt.examples
    if examples is None:
        return
    if examples.count == 0:
        yield "`count: 0` shows no example; drop `examples`, or raise it.", "examples.count"
    elif examples.rows is not None and not examples.rows:
        yield "`rows` is empty, so no example is shown; write some, or use `from`.", "examples.rows"


@rule("unused-examples", "hint")
def unused_examples(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """More example rows are written down than are ever shown, or fewer than asked for."""
    examples = prompt.examples
    if examples is None or not examples.rows or examples.count == 0:
        return
    written = len(examples.rows)
    if written > examples.count and examples.select == "fixed":
        yield (
            f"{written} rows are written, but `count: {examples.count}` shows the first ones.",
            "examples.count",
        )
    elif written < examples.count:
        yield f"`count: {examples.count}` asks for more than the {written} rows written.", "examples.count"


@rule("unknown-example-column", "error")
def unknown_example_column(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Examples are chosen by a column that the dataset does not have."""
    by = prompt.examples.by if prompt.examples else None
    if by is not None and subject.columns is not None and by not in subject.columns:
        yield f"Examples are chosen by column '{by}', which the dataset does not have.", "examples.by"
