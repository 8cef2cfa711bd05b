"""A recipe: how a model is fine-tuned, on what, and against what it is measured afterwards.

    name: quickstart
    base: small
    collect:
      runs: [transit-samples]              # an experiment: its newest run, made where there is none
      pick: {by: metric, metric: exact_match, at_least: 1, per_row: 4}
    train: {method: lora, epochs: 8}
    evaluate: {experiment: transit, forgetting: [word-problems]}

What `train` leaves out is chosen from the size of the data, and told before the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from workbench.core.collection import Task
from workbench.core.document import Name, Strict, content_hash

Method = Literal["full", "lora", "dora", "qlora", "prefix", "prompt", "ia3"]
Objective = Literal["supervised", "dpo", "kto", "orpo"]
Schedule = Literal["linear", "cosine", "constant", "constant_with_warmup"]
TuningStatus = Literal["queued", "running", "completed", "cancelled", "failed", "interrupted"]
Stage = Literal["collecting", "checking", "training", "saving", "evaluating", "done"]
"""What a tuning is at, in this order."""
STAGES: tuple[Stage, ...] = ("collecting", "checking", "training", "saving", "evaluating", "done")

TASK_OF: dict[Objective, Task] = {
    "supervised": "completion",
    "dpo": "preference",
    "orpo": "preference",
    "kto": "label",
}
"""The task that a collection must have for an objective."""


class Pick(Strict):
    """Which output of a row is good enough to learn from."""

    by: Literal["metric", "rating", "wins"] = Field(
        "metric", description="a metric's score, people's ratings (likert or thumbs), or pairwise wins"
    )
    metric: str | None = Field(None, description="by metric: which; default: the experiment's first")
    at_least: float | None = Field(None, description="the least score, rating or share of wins to be picked")
    at_most: float | None = Field(None, description="the same, where less is better")
    per_row: int = Field(1, ge=1, le=1000, description="at most this many outputs of one row, best first")


class Balance(Strict):
    """Evening out how often each value of a column is learnt from."""

    by: str = Field(description="a column of the rows, or `answer`, `label`, `length`, `model`, `prompt`")
    how: Literal["over", "under"] = Field(
        "under", description="over: rare ones are repeated; under: frequent ones are left out"
    )
    seed: int = 0


class Collect(Strict):
    """Where a collection's items come from, and what becomes of them on the way in."""

    runs: tuple[str, ...] = Field(
        (), description="run ids, or experiments: their newest completed run, made where there is none"
    )
    files: tuple[str, ...] = Field((), description="files of examples, such as OpenAI chat JSONL")
    task: Task | None = Field(None, description="default: what the recipe's objective learns from")
    prompts: tuple[Name, ...] = Field((), description="only outputs of these prompts; empty: all")
    models: tuple[str, ...] = Field((), description="only outputs of these models; empty: all")
    pick: Pick = Pick()
    pairs: Literal["ratings", "scores"] = Field(
        "ratings", description="preferences from people's pairwise ratings, or better against worse scores"
    )
    corrections: bool = Field(True, description="take what raters wrote as better answers, too")
    teach: Name | None = Field(
        None, description="the prompt that is trained; default: the one that made each output"
    )
    reasoning: Literal["keep", "drop"] = Field(
        "keep", description="drop: only the answer is learnt, without the steps before it"
    )
    apart_from: tuple[str, ...] | None = Field(
        None, description="DATASET#SPLIT whose rows must not be learnt; default: every dev and test split"
    )
    clean: tuple[str | dict[str, Any], ...] = Field(
        ("exact_duplicates",), description="cleaning steps, one after the other"
    )
    balance: Balance | None = None
    limit: int | None = Field(None, ge=1, description="at most this many items, drawn by `seed`")
    seed: int = 0

    @field_validator("runs", "files", "prompts", "models", "apart_from", "clean", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (str, dict)) else value

    @model_validator(mode="after")
    def _from_somewhere(self) -> Collect:
        if not self.runs and not self.files:
            raise ValueError("name `runs` or `files` to collect from")
        return self


class Train(Strict):
    """How the weights are changed. What is left out (null) is chosen from the data's size."""

    method: Method = Field(
        "lora",
        description="full: every weight; lora, dora, qlora: low-rank matrices beside them (qlora over a "
        "4-bit base); ia3: scales; prefix, prompt: virtual tokens",
    )
    objective: Objective = Field(
        "supervised",
        description="supervised: the completions; dpo, orpo: preferences; kto: completions said to be good "
        "or bad",
    )
    epochs: float | None = Field(None, gt=0, le=1000, description="times through the data")
    max_steps: int | None = Field(None, ge=1, description="steps of the optimiser, in place of `epochs`")
    batch: int | None = Field(None, ge=1, le=4096, description="examples a step on each process")
    accumulate: int = Field(1, ge=1, le=4096, description="batches that are added up before a step")
    learning_rate: float | None = Field(None, gt=0, le=10, description="how far a step goes, at its highest")
    schedule: Schedule = Field("cosine", description="how the learning rate falls")
    warmup: float = Field(0.05, ge=0, le=0.5, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.0, ge=0, le=1, description="how strongly weights are drawn towards zero")
    dropout: float = Field(0.0, ge=0, lt=1, description="lora, dora, qlora: share of their input left out")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are cut to this length")
    rank: int = Field(16, ge=1, le=1024, description="lora, dora, qlora: rank of the matrices")
    alpha: float | None = Field(None, gt=0, description="lora, dora, qlora: their scale is alpha/rank")
    targets: tuple[str, ...] = Field(
        (), description="lora, dora, qlora, ia3: layers by name; empty: every linear one"
    )
    virtual_tokens: int = Field(16, ge=1, le=1024, description="prefix, prompt: how many")
    neftune: float | None = Field(None, gt=0, description="noise on the embeddings (NEFTune's alpha)")
    beta: float | None = Field(None, gt=0, description="dpo, kto, orpo: how far from the base it may go")
    max_tokens: int | None = Field(
        None, ge=8, description="longest example in tokens; default: the base's context"
    )
    too_long: Literal["refuse", "leave_out"] = Field(
        "leave_out", description="what becomes of an example that is longer"
    )
    validation: float = Field(
        0.1, ge=0, le=0.5, description="share of the rows held back to see overfitting; 0: none"
    )
    evaluate_every: int | None = Field(None, ge=1, description="steps between looks at the validation loss")
    patience: int | None = Field(
        3, ge=1, description="looks without a better validation loss after which it stops; null: never"
    )
    keep: Literal["best", "last"] = Field(
        "best",
        description="which weights: those of the least validation loss, or the last ones (a model that "
        "learns from its own samples gets better while its loss on them rises)",
    )
    samples: int = Field(4, ge=0, le=32, description="fixed prompts that it answers at each look")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="of the arithmetic; bf16 suits GPUs")
    gradient_checkpointing: bool = Field(False, description="less memory, more time")
    processes: int = Field(1, ge=1, le=64, description="processes or GPUs that share each step")
    seed: int = Field(0, description="of the order of the data and of what starts at random")
    merge: bool = Field(False, description="keep whole weights instead of an adapter over the base")


class Evaluate(Strict):
    """What is measured after training, base and tuned side by side."""

    experiment: str | None = Field(
        None, description="re-run with base and tuned as its models; default: the one collected from"
    )
    metric: str | None = Field(None, description="of the verdict; default: the experiment's first")
    prompts: tuple[Name, ...] = Field((), description="of the experiment, only these; empty: all")
    forgetting: tuple[str, ...] | None = Field(
        None, description="other experiments, asked for what was lost; default: those on other datasets"
    )
    limit: int | None = Field(None, ge=1, description="at most this many rows of each experiment")
    slices: tuple[str, ...] = Field((), description="columns by which the verdict is broken down")
    margin: float = Field(0.0, ge=0, description="a difference this small counts as a tie")

    @field_validator("prompts", "forgetting", "slices", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Recipe(Strict):
    """experiments/recipes/NAME.yaml."""

    name: Name
    description: str = ""
    base: str = Field(
        description="the model that is tuned: a row of models.yaml on this machine, or embedded"
    )
    model: Name | None = Field(None, description="what the tuned model is called; default: BASE-NAME")
    collection: Name | None = Field(None, description="a collection that is there; or `collect` one")
    collect: Collect | None = None
    train: Train = Train()
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Recipe:
        if (self.collection is None) == (self.collect is None):
            raise ValueError("name a `collection`, or say under `collect` how to make one")
        return self

    @property
    def task(self) -> Task:
        """What the collection must teach for the objective."""
        return TASK_OF[self.train.objective]

    @property
    def hash(self) -> str:
        """Content hash of what decides the tuned model (names and description do not)."""
        kept = self.model_dump(
            mode="json", exclude_defaults=True, exclude={"name", "description", "model", "evaluate"}
        )
        return content_hash(kept)


@dataclass(frozen=True, slots=True)
class TuningProgress:
    """How far a tuning is.

    Attributes:
        step, steps: of what the stage counts: of the optimiser while training, answers of a run while one is
            made or measured; 0 where nothing is counted.
        seconds_left: of the stage, once it can be told.
        message: what it is at, in words; of a failed one, why.
    """

    tuning: str
    status: TuningStatus
    stage: Stage
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class TuningPoint:
    """What was seen at one step of training. None: not looked at there.

    Attributes:
        loss: mean over the steps since the last point.
        tokens_per_s: tokens of examples, prompts included, read a second.
        memory_bytes: what the training's processes hold together.
        samples: what the model says to fixed prompts, where it was asked.
    """

    step: int
    epoch: float = 0.0
    loss: float | None = None
    validation_loss: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens_per_s: float | None = None
    memory_bytes: int | None = None
    seconds: float = 0.0
    samples: tuple[str, ...] = ()
    more: dict[str, float] = field(default_factory=dict)
    """What the objective tells beside, such as reward margins."""
