"""Choosing out of runs what is learnt from, row by row, and saying why where nothing is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.core.collection import Task
from workbench.core.tuning import Collect
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError
from workbench.tuning.collecting.candidates import (
    EMPTY,
    ERROR,
    UNFINISHED,
    UNJUDGED,
    Candidate,
    by_row,
    corrections_of,
    outputs_of,
)
from workbench.tuning.collecting.held_back import REPEATS
from workbench.tuning.collecting.merits import Merits, merits, only_scores
from workbench.tuning.collecting.picking import (
    ENOUGH,
    Picked,
    pick_best,
    pick_labels,
    pick_pairs,
    told_apart,
)
from workbench.tuning.collecting.rated_pairs import corrected_pairs, rated_pairs
from workbench.tuning.collecting.sources import Source
from workbench.tuning.collecting.teaching import NO_PROMPT

RowKey = tuple[str, str, str]
UNFIT = frozenset({ERROR, UNFINISHED, EMPTY, UNJUDGED})


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        merits: by run, what its outputs were judged by.
        looked_at: how many outputs the cells have that were asked for.
        left_out: how many of them were not taken, by reason.
        picked_by: the bar, in words.
        best: the best value seen, whether or not it passes.
    """

    picked: tuple[Picked, ...]
    merits: Mapping[str, Merits]
    looked_at: int
    left_out: Counter[str]
    picked_by: str
    best: float | None

    def why_empty(self, left_out: Mapping[str, int]) -> str:
        """One sentence for who gets no collection: what was asked, what was seen, what to change."""
        said = f"None of the {self.looked_at:,} outputs that were looked at can be learnt from"
        bar = f"asked was {self.picked_by}"
        if self.best is not None:
            bar += f", the best seen is {self.best:g}"
        reasons = sorted((reason for reason in left_out if left_out[reason]), key=lambda one: -left_out[one])
        counts = ", ".join(f"{left_out[reason]:,} {reason}" for reason in reasons[:6])
        seen = f" ({bar}; left out: {counts})" if counts else f" ({bar})"
        return f"{said}{seen}; {_remedy(reasons[0] if reasons else '')}."


def choose(
    workspace: Workspace,
    settings: Collect,
    task: Task,
    sources: Sequence[Source],
    say: Callable[[str], None],
) -> Choice:
    """The texts of these runs that are learnt from, best first within a row, rows in their order.

    Raises CollectionError where the settings cannot pick, such as pairs of scores without a bar.
    """
    left_out: Counter[str] = Counter()
    counts = {source.run: workspace.store.outputs.counts(source.run) for source in sources}
    looked_at = sum(counts[one.run].get(cell.index, 0) for one in sources for cell in one.cells)
    if settings.teach is None:
        sources = [with_prompts(source, settings, counts[source.run], left_out) for source in sources]
        if not any(source.cells for source in sources):
            raise CollectionError(needs_teach(sources))
    if task == "preference" and settings.pairs == "ratings":
        judged = {source.run: only_scores(workspace, source) for source in sources}
        say("Reading the ratings")
        picked = _from_ratings(workspace, settings, sources, left_out)
        return Choice(tuple(picked), judged, looked_at, left_out, "raters' preferences", None)
    judged = {source.run: merits(workspace, source, settings.pick) for source in sources}
    if task != "completion" and not all(one.has_bar for one in judged.values()):
        raise CollectionError(
            f"By '{next(iter(judged.values())).name}' alone nobody can tell good outputs from bad ones; say "
            "from where on they are good, by `pick.at_least` or `pick.at_most`."
        )
    say(f"Reading the outputs, {looked_at:,} in all")
    picked = _by_merit(workspace, settings, task, sources, judged, left_out)
    first = next(iter(judged.values()))
    seen = [one.best for one in judged.values() if one.best is not None]
    best = (max(seen) if first.higher else min(seen)) if seen else None
    return Choice(tuple(picked), judged, looked_at, left_out, first.bar, best)


def _by_merit(
    workspace: Workspace,
    settings: Collect,
    task: Task,
    sources: Sequence[Source],
    judged: Mapping[str, Merits],
    left_out: Counter[str],
) -> list[Picked]:
    found: list[Candidate] = []
    corrected: dict[RowKey, list[Picked]] = {}
    for source in sources:
        if settings.corrections and task == "preference":
            _add(corrected, corrected_pairs(workspace, source))
        elif settings.corrections:
            found += corrections_of(workspace, source)
    for source in sources:
        found += outputs_of(workspace, source, judged[source.run], left_out)
    per_row = settings.pick.per_row
    picked: list[Picked] = []
    rows = by_row(found)
    for key in dict.fromkeys([*rows, *corrected]):
        candidates = rows.get(key, [])
        higher = not candidates or judged[candidates[0].place.source.run].higher
        if task == "completion":
            picked += pick_best(candidates, per_row, higher, left_out)
        elif task == "label":
            picked += pick_labels(candidates, per_row, higher, left_out)
        else:
            pairs = pick_pairs(candidates, per_row, higher, left_out, f"{settings.seed} {key}")
            picked += _first(told_apart(corrected.get(key, []), left_out) + pairs, per_row, left_out)
    return picked


def _from_ratings(
    workspace: Workspace, settings: Collect, sources: Sequence[Source], left_out: Counter[str]
) -> list[Picked]:
    rows: dict[RowKey, list[Picked]] = {}
    for source in sources:
        if settings.corrections:
            _add(rows, corrected_pairs(workspace, source))
    for source in sources:
        for pairs in rated_pairs(workspace, source, left_out).values():
            _add(rows, pairs)
    if not rows and not any(left_out[reason] for reason in left_out if reason not in UNFIT):
        raise CollectionError(
            f"Nobody compared two outputs of run '{sources[0].run}', so that there are no preferences to "
            f"learn; rate it in pairs (`workbench rate {sources[0].run}`), or make `pairs: scores`."
        )
    return [
        one
        for pairs in rows.values()
        for one in _first(told_apart(pairs, left_out), settings.pick.per_row, left_out)
    ]


def _add(rows: dict[RowKey, list[Picked]], pairs: Iterable[Picked]) -> None:
    for one in pairs:
        rows.setdefault(one.better.place.row_key, []).append(one)


def _first(pairs: list[Picked], per_row: int, left_out: Counter[str]) -> list[Picked]:
    left_out[ENOUGH] += max(0, len(pairs) - per_row)
    return pairs[:per_row]


def with_prompts(
    source: Source, settings: Collect, counts: Mapping[int, int], left_out: Counter[str]
) -> Source:
    """The run without the cells that no single prompt made, whose messages nobody knows."""
    usable = tuple(cell for cell in source.cells if source.prompt(cell) is not None)
    without = [cell for cell in source.cells if cell not in usable]
    if any(cell.prompt in settings.prompts for cell in without):
        raise CollectionError(needs_teach([source]))
    for cell in without:
        left_out[NO_PROMPT] += counts.get(cell.index, 0)
    return replace(source, cells=usable)


def needs_teach(sources: Sequence[Source]) -> str:
    """A sentence for outputs that no single prompt made."""
    kind = "an imported file that does not tell what was asked" if sources[0].imported else "an ensemble"
    return (
        f"The outputs of run '{sources[0].run}' come from {kind}, so that there are no messages they "
        "answer to; name the prompt that is trained by `teach: PROMPT`."
    )


def _remedy(reason: str) -> str:
    if reason == NO_PROMPT:
        return "name the prompt that is trained by `teach: PROMPT`"
    if reason == REPEATS:
        return "collect from rows that no evaluation split repeats"
    if "answer" in reason:
        return "teach a prompt whose answer rule fits, or, where it is dropped, keep the reasoning"
    if reason in UNFIT:
        return "look at the run's outputs first: most failed, were cut off or have no score"
    return "ask for less (`pick.at_least`, `pick.at_most`), pick by something else, or collect from more runs"
