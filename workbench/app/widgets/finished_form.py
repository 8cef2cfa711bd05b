"""Importing outputs that were made elsewhere: what files are, what columns mean, what had no place."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped, short
from workbench.core.dataset import guess_reference
from workbench.core.prompt import AnswerRule
from workbench.engine import Workspace
from workbench.engine.finished.importing import finished_format_of, import_finished, name_of
from workbench.engine.finished.records import ImportSettings
from workbench.engine.finished.registry import finished_formats
from workbench.engine.finished.storing import ImportedRun
from workbench.errors import UsageError

NONE = "none"
DONE = "finished outputs imported"
"""In the session: what the last import made."""

OUTPUT_COLUMNS = ("output", "reply", "response", "prediction", "completion", "text", "answer")
MODEL_COLUMNS = ("model", "generator", "llm")
PROMPT_COLUMNS = ("prompt", "template")
ANSWER_TYPES = {"text": "the whole text", "number": "the last number", "choice": "a letter A to E"}
Upload = tuple[str, bytes]


def finished_form(ws: Workspace) -> None:
    """The whole way from files of another tool to a run."""
    suffixes = {suffix for name in finished_formats.names() for suffix in finished_formats.get(name).suffixes}
    files = st.file_uploader(
        "Files of finished outputs, up to 200 MB; several are imported onto the same rows",
        type=sorted(suffix.removeprefix(".") for suffix in suffixes),
        accept_multiple_files=True,
        key="finished files",
    )
    if not files:
        st.caption(
            "A table with a column of outputs, or a file of another tool that is known by what stands in it. "
            "They become a run that can be compared, measured and rated."
        )
    else:
        with explained("reading the files"):
            _choices(ws, [(file.name, file.getvalue()) for file in files])
    if (done := st.session_state.get(DONE)) is not None:
        _made(done)


def _choices(ws: Workspace, files: list[Upload]) -> None:
    found = {file[0]: finished_format_of(file) for file in files}
    tables = [file for file in files if found[file[0]] is None]
    if tables and len(tables) < len(files):
        raise UsageError("Import tables and files of other tools one after the other, not together.")
    for file, name in found.items():
        what = finished_formats.get(name).description if name else "a table; say what its columns are."
        st.caption(escaped(f"{file}: {what}"))
    columns = _preview(tables[0]) if tables else []
    key = "|".join(found)
    with st.form("import finished", border=False):
        name_column, marker_column, type_column = st.columns([2, 1, 1])
        name = name_column.text_input("Name of the run", value=name_of(*found), key=f"finished name {key}")
        marker = marker_column.text_input(
            "Answers follow (optional)", placeholder="Answer:", key="finished marker"
        )
        kind = type_column.selectbox(
            "An answer is",
            list(ANSWER_TYPES),
            format_func=lambda kind: ANSWER_TYPES[kind],
            key="finished type",
        )
        rule = None
        if marker or kind != "text":
            rule = AnswerRule.model_validate({"after": marker or None, "type": kind})
        settings = _columns(columns, rule, key) if tables else ImportSettings(answer=rule)
        if st.form_submit_button("Import as a run", type="primary", icon=":material/upload:"):
            _import(ws, files, name.strip(), settings)


def _preview(file: Upload) -> list[str]:
    from workbench.datasets.read import preview

    table = preview(file[1], 20, file[0])
    st.dataframe(table.frame().astype(str), hide_index=True, height=220, alt="The first lines of the file")
    return list(table.columns)


def _columns(columns: list[str], rule: AnswerRule | None, key: str) -> ImportSettings:
    """What each column of a table is."""
    first, second, third = st.columns(3)
    output = first.selectbox(
        "The outputs stand in", columns, _guess(columns, OUTPUT_COLUMNS) or 0, key=f"finished output {key}"
    )
    optional = [NONE, *columns]

    def choose(
        place: st.delta_generator.DeltaGenerator, label: str, guess: int | None, why: str
    ) -> str | None:
        index = 0 if guess is None or columns[guess] == output else guess + 1
        chosen = place.selectbox(label, optional, index, key=f"finished {label} {key}", help=why)
        return None if chosen == NONE else chosen

    model = choose(second, "The model stands in", _guess(columns, MODEL_COLUMNS), "One cell for each.")
    prompt = choose(third, "The prompt stands in", _guess(columns, PROMPT_COLUMNS), "One cell for each.")
    named = guess_reference([column for column in columns if column != output])
    reference = choose(
        first, "The right answer stands in", columns.index(named) if named else None, "To measure outputs by."
    )
    row = choose(
        second, "The row is told by", None, "Equal for outputs of the same row; none: all other columns."
    )
    model_name = third.text_input(
        "The model is", placeholder="where no column says", key=f"finished model {key}"
    )
    scores = st.multiselect("Scores to keep", columns, key=f"finished scores {key}")
    lower = st.multiselect("Less is better for", columns, key=f"finished lower {key}")
    return ImportSettings(
        output=output,
        model=model,
        model_name=model_name.strip() or None if model is None else None,
        prompt=prompt,
        reference=reference,
        row=row,
        scores=tuple(scores),
        lower=tuple(lower),
        answer=rule,
    )


def _guess(columns: list[str], names: tuple[str, ...]) -> int | None:
    lowered = [column.lower() for column in columns]
    return next((lowered.index(name) for name in names if name in lowered), None)


def _import(ws: Workspace, files: list[Upload], name: str, settings: ImportSettings) -> None:
    st.session_state.pop(DONE, None)
    bar = st.progress(0.0, "Reading …")

    def show(file: str, done_bytes: int, total_bytes: int) -> None:
        bar.progress(min(1.0, done_bytes / max(1, total_bytes)), escaped(f"Reading {file} …"))

    try:
        with explained("importing the outputs"):
            st.session_state[DONE] = import_finished(ws, files, name, settings=settings, on_reading=show)
    finally:
        bar.empty()


def _made(done: ImportedRun) -> None:
    """What came of it, what had no place, and where to go from here."""
    parts = [many(done.rows, "row"), many(done.cells, "cell"), many(done.outputs, "output")]
    parts += [many(done.ratings, "rating")] if done.ratings else []
    scores = f"; scores: {', '.join(done.scores)}" if done.scores else ""
    st.success(escaped(f"Imported {done.name}: {', '.join(parts)}{scores}."), icon=":material/check_circle:")
    with st.container(horizontal=True):
        link("compare", "Compare the cells", ":material/balance:", run=done.run)
        link("rate", "Rate the outputs", ":material/how_to_vote:", run=done.run)
    if done.unmapped:
        st.markdown("**Left out**, as it has no place here:")
        st.markdown("\n".join(f"- {escaped(short(sentence, 200))}" for sentence in done.unmapped))
    else:
        st.caption("Everything in it has its place.")
