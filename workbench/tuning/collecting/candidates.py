"""What might be learnt from: every finished output of a run with what it is worth, and what raters wrote.

Candidate(place=Place(source, "transit-0001", 0), cell=Cell(…), repeat=2, text="… Answer: 23", value=1.0, …)
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from workbench.core.collection import OriginKind
from workbench.core.dataset import ID_COLUMN
from workbench.core.run import Cell
from workbench.engine.rating.corrections import corrections
from workbench.engine.workspace import Workspace
from workbench.storage.outputs import Unit
from workbench.tuning.collecting.merits import Merits
from workbench.tuning.collecting.sources import Source

ERROR, UNFINISHED, EMPTY, UNJUDGED = "error", "unfinished", "empty", "not judged"
"""Why an output is never looked at: it failed, was cut off, says nothing, or nobody and nothing judged it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a run."""

    source: Source = field(repr=False)
    row_id: str
    position: int

    @property
    def row_key(self) -> tuple[str, str, str]:
        """The same for a row that several runs are over."""
        dataset = self.source.plan.dataset
        return dataset.name, dataset.split, self.row_id


@dataclass(slots=True)
class Candidate:
    """One text that might be learnt from.

    Attributes:
        answer: what was read out of it; of a correction nothing has been read yet.
        tokens: how long it is; of two as good the shorter one is taken.
        value: what it is picked by; NaN of a correction, which goes before every output.
        good: whether it passes the bar.
        corrects: of a correction, the text that it betters.
    """

    place: Place
    cell: Cell
    repeat: int
    text: str
    answer: str | None = None
    tokens: int = 0
    value: float = math.nan
    good: bool = True
    kind: OriginKind = "output"
    raters: tuple[str, ...] = ()
    corrects: str | None = None

    @property
    def order(self) -> tuple[int, int, int]:
        """Which of equally good ones goes first."""
        return self.tokens, self.cell.index, self.repeat


def outputs_of(
    workspace: Workspace, source: Source, merits: Merits | None, left_out: Counter[str]
) -> Iterator[Candidate]:
    """The finished outputs of a run's cells; what is left out is counted by its reason.

    Without `merits` every finished output comes, judged or not.
    """
    repeats = source.plan.experiment.repeats
    kind: OriginKind = "rating" if merits is not None and merits.raters else "output"
    row_ids = [str(row[ID_COLUMN]) for row in source.plan.dataset.rows]
    places: dict[int, Place] = {}
    for cell in source.cells:
        values = None if merits is None else merits.values[cell.index].tolist()
        good = None if merits is None else merits.passes(merits.values[cell.index]).tolist()
        for position, repeat, text, answer, error, finish, tokens in workspace.store.outputs.finished(
            source.run, cell.index
        ):
            problem = _problem(text, error, finish)
            unit = position * repeats + repeat
            if problem is None and values is not None and math.isnan(values[unit]):
                problem = UNJUDGED
            if problem is not None:
                left_out[problem] += 1
                continue
            place = places.get(position)
            if place is None:
                place = places[position] = Place(source, row_ids[position], position)
            found = Candidate(place, cell, repeat, text, answer, tokens)
            if merits is not None and values is not None and good is not None:
                found.value, found.good, found.kind = values[unit], good[unit], kind
                if merits.raters:
                    found.raters = merits.raters.get((cell.index, position, repeat), ())
            yield found


def corrections_of(workspace: Workspace, source: Source) -> Iterator[Candidate]:
    """What raters wrote as better answers than outputs of the run's cells, the newest first."""
    cells = {cell.index for cell in source.cells}
    positions = {str(row[ID_COLUMN]): place for place, row in enumerate(source.plan.dataset.rows)}
    for one in corrections(workspace, source.run):
        if one.cell.index in cells and one.text.strip():
            yield Candidate(
                Place(source, one.row_id, positions[one.row_id]),
                one.cell,
                one.repeat,
                one.text,
                kind="correction",
                raters=(one.rater,),
                corrects=one.output,
            )


def by_row(candidates: Iterable[Candidate]) -> dict[tuple[str, str, str], list[Candidate]]:
    """Candidates of one row together, whichever run they are of, in the order in which rows first come."""
    rows: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
    for one in candidates:
        rows[one.place.row_key].append(one)
    return rows


def finished_texts(
    workspace: Workspace, source: Source, wanted: Callable[[Unit], bool], left_out: Counter[str]
) -> dict[Unit, Candidate]:
    """By (cell, position, repeat), the finished outputs that are wanted."""
    return {
        unit: one
        for one in outputs_of(workspace, source, None, left_out)
        if wanted(unit := (one.cell.index, one.place.position, one.repeat))
    }


def _problem(text: str, error: str | None, finish: str) -> str | None:
    if error is not None:
        return ERROR
    if finish == "length":
        return UNFINISHED
    return None if text.strip() else EMPTY
