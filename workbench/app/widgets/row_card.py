"""One row of a run and what the chosen cells gave for it, side by side, differences and answers marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.messages import output_line, votes_view
from workbench.app.widgets.row_tags import tag_badges
from workbench.app.widgets.text import Kind, escaped, escaped_lines, marked, short, with_answer
from workbench.engine.browsing import OutputView, RowView
from workbench.prompting import word_diff

LONGEST = 3_000  # characters of one output on a screen of many; the export holds it all
LONGEST_ALONE = 30_000


def row_card(
    row: RowView,
    labels: Mapping[int, str],
    stopped: Collection[int],
    alone: bool,
    address: dict[str, str],
) -> None:
    """A box with the row's question, right answer and tags, above its outputs.

    Args:
        labels: the cells to show, by index; the words of others are held against the first.
        stopped: cells that a race stopped, so that some rows were never asked of them.
        alone: the row has the page to itself: all columns and long texts are shown.
        address: what a link to this row carries.
    """
    # few elements a row: fifty rows are drawn at once
    with st.container(border=True):
        if not alone:
            with st.container(
                horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
            ):
                name = f":gray[{escaped(short(row.row_id, 60))}] {tag_badges(row.tags)}"
                st.markdown(name, width="content")
                link("compare", "Only this", **(address | {"row": row.row_id}))
        st.markdown(_asked(row, alone))
        first = next(iter(labels))
        for column, (cell, label) in zip(st.columns(len(labels)), labels.items(), strict=True):
            output = row.outputs.get(cell)
            head = f"**{escaped(short(label, 60))}**  \n"
            if output is None:
                missing = "not asked: a race had stopped it" if cell in stopped else "no output yet"
                column.markdown(f"{head}:gray[{missing}]")
                continue
            before = row.outputs.get(first) if cell != first else None
            column.markdown(head + _said(output, before, alone))
            if output.votes:
                with column.expander(f"{len(output.votes)} votes"):
                    votes_view(output.votes)


def _said(output: OutputView, before: OutputView | None, alone: bool) -> str:
    """Sign, answer, scores with their reasons, and the text, as Markdown."""
    lines = [f"{_sign(output)} {output_line(output)}"]
    most = 2_000 if alone else 300
    for metric, reason in output.reasons.items():
        about = "" if output.scores.get(metric) is not None else " unscored"
        lines.append(f":gray[{escaped(short(metric, 60))}{about}\\:] {escaped(short(reason, most))}")
    if output.error:
        return "  \n".join(lines)
    if before is None or before.error:
        parts: list[tuple[Kind, str]] = [("same", output.text)]
    else:
        parts = [(kind, text) for kind, text in word_diff(before.text, output.text) if kind != "removed"]
    return "  \n".join(lines) + "\n\n" + marked(with_answer(parts, output.answer_at))


def _asked(row: RowView, alone: bool) -> str:
    """What was asked and the right answer; all columns where the row stands alone."""
    fields = {key: str(value) for key, value in row.row.items() if key != "id"}
    if alone:
        right = {key for key, text in fields.items() if text == row.reference}
        return "  \n".join(
            f"**{escaped(key)}**{' :gray[(right answer)]' if key in right else ''}: "
            f"{escaped_lines(text[:LONGEST_ALONE])}"
            for key, text in fields.items()
        )
    others = {key: text for key, text in fields.items() if text != str(row.reference)}
    first = next(iter(others.values()), "")
    said = escaped_lines(short(first, 600))
    if row.reference is not None:
        said += f"  \n:gray[right answer] **{escaped(short(row.reference, 200))}**"
    return said


def _sign(output: OutputView) -> str:
    """Right or wrong at a glance, in a sign as well as a colour."""
    if output.error or output.right is None:
        return ""
    return ":green-badge[✓]" if output.right else ":red-badge[✗]"
