"""A tuning as its rows and files tell it, with no training behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.tuning.tuned_nano import learnt, random_adapter
from workbench.core.collection import CollectionItem, Item, collection_version
from workbench.core.run import Gap
from workbench.core.tuning import Recipe, Train
from workbench.engine import Workspace
from workbench.models.embedded import embedded_path
from workbench.tuning import TrainingJob, TuningFolder, TuningVerdict, get_tuning, verdict_json
from workbench.tuning.lineages import make_papers
from workbench.tuning.snapshot import write_items
from workbench.tuning.training.events import EventLog
from workbench.tuning.tuned_models import save_tuned
from workbench.tuning.verdict.records import (
    ForgettingVerdict,
    Level,
    MemorisationVerdict,
    ModelTakes,
    PerplexityVerdict,
    PromptVerdict,
    Repeats,
    SliceVerdict,
)

TUNING = "20261121-120000-aaaaaa"
MODEL = "nano-rides"
RECIPE = {
    "name": "rides",
    "base": "nano",
    "collection": "rides",
    "evaluate": {"experiment": "transit", "prompts": ["step-by-step"], "forgetting": []},
}
BETTER = Gap(0.2, 0.13, 0.27, 0.0001, 0.0002, 200, "better")
UNDECIDED = Gap(0.05, -0.02, 0.12, 0.2, 0.3, 200, "undecided", 900)
HEADLINE = PromptVerdict("step-by-step", {}, Level(0.2, 0.15, 0.26, 200), Level(0.4, 0.33, 0.47, 200), BETTER)
HOSTILE = "![x](http://a.b/c.png) **bold** <script>alert(1)</script>"


def a_verdict(**changes: Any) -> TuningVerdict:
    """Better on the prompt, undecided elsewhere."""
    found = TuningVerdict(
        experiment="transit",
        dataset="transit",
        split="test",
        rows=200,
        metric="exact_match",
        direction="higher",
        confidence=0.95,
        margin=0.0,
        base_model="nano",
        tuned_model=MODEL,
        headline=HEADLINE,
        prompts=(HEADLINE,),
        takes=(
            ModelTakes("nano", 200, 0, 2, 900, 800, 0.0, 0.1, 0.2, 310.0, 4_000_000, 2_000_000),
            ModelTakes(MODEL, 200, 0, 3, 900, 850, 0.0, 0.12, 0.2),
        ),
        slices=(SliceVerdict("steps", HOSTILE, 60, HEADLINE.base, HEADLINE.tuned, UNDECIDED),),
        forgetting=(
            ForgettingVerdict(
                "team-labels",
                "team-labels",
                "test",
                "label-zero-shot",
                "exact_match",
                "20261121-110000-bbbbbb",
                Level(0.5, 0.4, 0.6, 80),
                Level(0.3, 0.2, 0.4, 80),
                Gap(-0.2, -0.3, -0.1, 0.001, 0.001, 80, "worse"),
            ),
        ),
        perplexity=PerplexityVerdict(
            "column reasoning of transit#test", Level(24, 21, 27, 200), Level(20, 18, 22, 200), UNDECIDED
        ),
        memorisation=MemorisationVerdict(
            8,
            100,
            200,
            Repeats(Level(0.1, 0.06, 0.15, 200), 0, 9),
            Repeats(Level(0.2, 0.15, 0.26, 200), 1, 12, HOSTILE),
            Gap(0.1, 0.04, 0.16, 0.01, 0.01, 200, "worse"),
        ),
        runs={"verdict": "20261121-113000-cccccc"},
        notes=(HOSTILE,),
    )
    return replace(found, **changes)


def write_training(folder: TuningFolder, looks: Sequence[float] = (0.9, 0.5, 0.6, 0.7)) -> None:
    """Events of a training, a look every fifth step, and the job that asked for them."""
    prompt = ({"role": "user", "content": f"How many ride? {HOSTILE}"},)
    TrainingJob(TUNING, "x", Train(batch=4, learning_rate=0.002, epochs=3), samples=(prompt,)).write(
        folder.job
    )
    log = EventLog(folder.events)
    log.write(
        "start", step=0, steps=5 * len(looks), parameters=480_000, trainable=9_000, seconds=1.0, device="cpu"
    )
    for step in range(1, 5 * len(looks) + 1):
        log.write("log", step=step, loss=2 / step, seconds=float(step), tokens_per_s=2000.0, grad_norm=0.5)
        if step % 5 == 0:
            loss = looks[step // 5 - 1]
            log.write("look", step=step, validation_loss=loss, samples=[f"at {step} {HOSTILE}"])


def a_collection(ws: Workspace, items: Sequence[Item] = ()) -> list[Item]:
    """The collection `rides` of a dozen completions."""
    kept = list(items) or learnt()
    ws.store.collections.create(
        "c1", "rides", "completion", {}, {}, [CollectionItem(number, one) for number, one in enumerate(kept)]
    )
    return kept


def a_tuning(ws: Workspace, **values: Any) -> str:
    """A tuning that has its training behind it, in the state that `values` say."""
    items = a_collection(ws)
    ws.store.tunings.create(TUNING, "rides", {"recipe": RECIPE, "model": MODEL, "sources": {}})
    folder = TuningFolder.of(ws.state_dir, TUNING)
    write_items(folder, items)
    write_training(folder)
    kept = {"collection": "c1", "collection_version": collection_version(items), "seconds": 61.0}
    ws.store.tunings.set(TUNING, stage="training", **(kept | values))
    return TUNING


def a_finished_tuning(ws: Workspace, verdict: TuningVerdict | None = None) -> str:
    """A tuning that was measured, its model among the others."""
    tuning = a_tuning(
        ws, status="completed", model=MODEL, result=verdict_json(verdict if verdict else a_verdict())
    )
    ws.store.tunings.set(tuning, stage="done")
    folder, base = TuningFolder.of(ws.state_dir, tuning), ws.models.spec("nano")
    random_adapter(folder.model)
    recipe, job = Recipe.model_validate(RECIPE), TrainingJob.read(folder.job)
    papers = make_papers(ws, get_tuning(ws, tuning), recipe, base, job, len(learnt()))
    save_tuned(ws, MODEL, base, folder, papers)
    assert embedded_path("nano").is_dir()
    return tuning
