"""The verdict on a tuning: the source experiment again, what was forgotten, perplexity and memorisation.

verdict = evaluate_tuning(workspace, tuning, recipe, base="small", tuned="small-quickstart")
verdict.headline.gap  →  Gap(difference=0.25, low=0.17, high=0.33, p=0.0001, …, verdict="better")
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.collection import Item
from workbench.core.tuning import Recipe
from workbench.engine.plan import make_plan
from workbench.engine.workspace import Workspace
from workbench.errors import TuningCancelled, TuningError, WorkbenchError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.snapshot import learnt_items, read_items
from workbench.tuning.verdict.forgetting import forgetting_verdicts
from workbench.tuning.verdict.gaps import RunGaps
from workbench.tuning.verdict.held_out import held_out_perplexity
from workbench.tuning.verdict.memorising import memorisation
from workbench.tuning.verdict.others import other_experiments
from workbench.tuning.verdict.recall import recall_of
from workbench.tuning.verdict.records import (
    PerplexityVerdict,
    PromptVerdict,
    RecallVerdict,
    SliceVerdict,
    TuningVerdict,
)
from workbench.tuning.verdict.running import OnVerdict, VerdictRuns
from workbench.tuning.verdict.source import experiment_again

BY_PREFERENCE = frozenset({"dpo", "kto", "orpo"})


def evaluate_tuning(
    workspace: Workspace,
    tuning: str,
    recipe: Recipe,
    base: str,
    tuned: str,
    collection_items: Sequence[Item] | None = None,
    on_progress: OnVerdict | None = None,
) -> TuningVerdict:
    """Measures a tuned model against its base; whatever an earlier, stopped call asked is not asked again.

    Args:
        base, tuned: the two models, as the catalog names them.
        collection_items: what was learnt; default: the items that lie in the tuning's folder.
        on_progress: told in words what is being measured.

    Raises TuningError where there is no experiment or no unseen rows to tell by, WorkbenchError where
    a recipe names a prompt, metric, column or experiment that is not there, TuningCancelled.
    """
    folder = TuningFolder.of(workspace.state_dir, tuning)
    items = list(collection_items) if collection_items is not None else read_items(folder)
    again = experiment_again(workspace, recipe, base, tuned, items)
    others, unknown = other_experiments(workspace, recipe, again.experiment, base, tuned, items)
    runs = VerdictRuns(workspace, tuning, on_progress)
    run = runs.finished("verdict", again.experiment)
    gaps = RunGaps(workspace, run, again.metric, base, tuned, again.experiment.margin)
    prompts, shortcut = gaps.prompts(again.teacher, again.headline)
    headline = next(one for one in prompts if one.prompt == again.headline)
    _check_answered(gaps, headline)
    notes = [*again.notes, *unknown]
    notes += [f"{cell}: {count:,} outputs ended in an error: {error}" for cell, error, count in gaps.errors()]
    forgotten, lost = forgetting_verdicts(workspace, runs, others, recipe.evaluate.margin)
    notes += lost
    perplexity = _perplexity(workspace, runs, run, folder, gaps, (base, tuned), notes)
    learnt = learnt_items(folder, items)
    recalled = _recall(workspace, runs, recipe, learnt, (base, tuned), notes)
    runs.say("Looking for training text in the outputs")
    return TuningVerdict(
        experiment=again.experiment.name,
        dataset=again.experiment.dataset.name,
        split=again.experiment.dataset.split,
        rows=gaps.rows,
        metric=again.metric,
        direction=gaps.metric.direction,
        confidence=gaps.experiment.confidence,
        margin=gaps.experiment.margin,
        base_model=base,
        tuned_model=tuned,
        headline=headline,
        prompts=tuple(prompts),
        takes=tuple(gaps.takes(again.headline)),
        slices=tuple(_slices(recipe.evaluate.slices, gaps, again.headline, notes)),
        shortcut=shortcut,
        win_rate=gaps.win_rate(again.headline) if recipe.train.objective in BY_PREFERENCE else None,
        forgetting=tuple(forgotten),
        perplexity=perplexity,
        memorisation=memorisation(
            [item.completion for item in learnt], gaps.texts(again.headline), gaps.experiment.confidence
        ),
        recall=recalled,
        runs=dict(runs.known),
        notes=tuple(notes),
    )


def check_evaluation(workspace: Workspace, recipe: Recipe, items: Sequence[Item]) -> None:
    """Raises, before anything is trained, what would keep a verdict from being measured afterwards.

    Nothing is asked and no model is loaded. Raises WorkbenchError as `evaluate_tuning` does.
    """
    base = recipe.base
    again = experiment_again(workspace, recipe, base, f"{base}, tuned", items)
    other_experiments(workspace, recipe, again.experiment, base, f"{base}, tuned", items)
    make_plan(workspace, again.experiment.model_copy(update={"models": (base,)}))


def _check_answered(gaps: RunGaps, headline: PromptVerdict) -> None:
    for side, found in (("base", headline.base), ("tuned model", headline.tuned)):
        if not found.n:
            first = next((error for _, error, _ in gaps.errors()), "no output could be scored.")
            raise TuningError(
                f"The {side} gave nothing that can be measured: {first} Mend that, then resume the tuning: "
                "it measures what is missing."
            )


def _slices(columns: Sequence[str], gaps: RunGaps, headline: str, notes: list[str]) -> list[SliceVerdict]:
    found: list[SliceVerdict] = []
    for by in columns:
        try:
            found += gaps.slices(by, headline)
        except WorkbenchError as problem:
            notes.append(f"The verdict is not broken down by '{by}': {problem}")
    return found


def _recall(
    workspace: Workspace,
    runs: VerdictRuns,
    recipe: Recipe,
    items: Sequence[Item],
    models: tuple[str, str],
    notes: list[str],
) -> RecallVerdict | None:
    try:
        return recall_of(workspace, runs, items, *models, recipe.evaluate.limit)
    except TuningCancelled:
        raise
    except WorkbenchError as problem:
        notes.append(f"Whether training text is given back when asked for is not known: {problem}")
        return None


def _perplexity(
    workspace: Workspace,
    runs: VerdictRuns,
    run: str,
    folder: TuningFolder,
    gaps: RunGaps,
    models: tuple[str, str],
    notes: list[str],
) -> PerplexityVerdict | None:
    """None where a model gives no likelihoods or no text is long enough; a note says so."""
    base, tuned = models
    try:
        found = held_out_perplexity(workspace, runs, run, folder, base, tuned, gaps.experiment.confidence)
    except TuningCancelled:
        raise
    except WorkbenchError as problem:
        notes.append(f"There is no perplexity: {problem}")
        return None
    if found is None:
        notes.append(
            "There is no perplexity: the test rows and the validation data hold no text to ask about."
        )
    return found
