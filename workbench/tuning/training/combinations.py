"""What of a recipe's training goes together with what; the rest is refused before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from workbench.core.tuning import Method, Train
from workbench.errors import TuningError

LOW_RANK: frozenset[Method] = frozenset({"lora", "dora", "qlora"})
VIRTUAL: frozenset[Method] = frozenset({"prefix", "prompt"})
NEEDED = ("torch", "transformers", "trl", "peft", "accelerate")
EXTRA = "pip install 'workbench[tuning]'"


REFUSED: tuple[tuple[Callable[[Train], bool], str], ...] = (
    (
        lambda train: train.objective == "orpo" and train.method == "prompt",
        "objective 'orpo' does not go with method 'prompt', whose virtual tokens its loss would count as "
        "text; use prefix or lora, or the objective dpo",
    ),
    (
        lambda train: train.objective == "kto" and train.batch == 1,
        "objective 'kto' compares the examples of a batch with each other; set `batch` to 2 or more",
    ),
    (
        lambda train: train.gradient_checkpointing and train.method == "prefix",
        "`gradient_checkpointing` does not go with method 'prefix', whose virtual tokens live in the cache "
        "that it does without; leave it out, or use prompt or lora",
    ),
    (
        lambda train: train.merge and train.method in VIRTUAL,
        "`merge` does not go with method '{method}': virtual tokens cannot be added to weights; leave it "
        "out, or use lora",
    ),
    (
        lambda train: train.dropout > 0 and train.method not in LOW_RANK,
        "`dropout` is of the matrices that lora, dora and qlora put beside the weights, and method "
        "'{method}' has none; leave it out",
    ),
    (
        lambda train: bool(train.targets) and train.method not in LOW_RANK | {"ia3"},
        "`targets` names layers for lora, dora, qlora and ia3; method '{method}' has no use for it: leave it "
        "out",
    ),
    (
        lambda train: train.beta is not None and train.objective == "supervised",
        "`beta` is of the objectives dpo, kto and orpo; leave it out with 'supervised'",
    ),
)


def check_combination(train: Train) -> None:
    """Raises TuningError for settings that cannot be trained together, or whose package is missing."""
    for applies, why in REFUSED:
        if applies(train):
            raise TuningError(f"train: {why.format(method=train.method)}.")
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise TuningError(f"Training needs the package {missing[0]}, which is not installed: {EXTRA}.")
    if train.method == "qlora" and find_spec("bitsandbytes") is None:
        raise TuningError(
            "Method 'qlora' needs the package bitsandbytes, which is not installed: "
            "pip install 'workbench[quantization]', or use lora."
        )
