"""What a recipe leaves out, chosen from the size of the data and of the base, each with its reason.

Choice("epochs", 8, "266 examples are few: a small base goes through them 8 times.")
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workbench.core.tuning import Method, Objective, Train
from workbench.tuning.checking.facts import DataFacts
from workbench.tuning.training.combinations import LOW_RANK
from workbench.tuning.training.steps import LOOKS, plan_steps

LARGEST_BATCH = 16
STEPS_AN_EPOCH = 8
SMALL, LARGE = 5e6, 1e9
"""Weights of a base that counts as small, and of one that counts as large; rates between are interpolated."""
FEW_WEIGHTS = 5e7
"""A base of fewer weights learns slower from an example, and goes through the data more often."""

RATES: dict[Method, tuple[float, float]] = {
    "full": (1e-3, 2e-5),
    "lora": (5e-3, 2e-4),
    "dora": (5e-3, 2e-4),
    "qlora": (5e-3, 2e-4),
    "ia3": (2e-2, 5e-3),
    "prefix": (3e-1, 1e-2),
    "prompt": (3e-1, 3e-2),
}
"""Learning rate for a small and a large base, supervised; those for small ones were measured on `nano`."""
OF_RATE: dict[Objective, float] = {"supervised": 1, "orpo": 0.2, "dpo": 0.1, "kto": 0.1}
EPOCHS: tuple[tuple[float, float], ...] = ((500, 8), (2_000, 5), (10_000, 3), (100_000, 2), (math.inf, 1))
"""Below how many examples a small base goes through them how often; a larger one half as often."""
FEW_LEARN = frozenset[Method]({"prefix", "prompt", "ia3"})
LONGEST_BATCH = ((FEW_WEIGHTS, 16_384), (LARGE, 8_192), (math.inf, 4_096))
"""Tokens of a batch, for bases below a number of weights."""
BETA = 0.1


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that the recipe left out."""

    field: str
    value: Any
    reason: str


def chosen(train: Train, facts: DataFacts, parameters: int) -> Train:
    """The settings with every choice made; what a recipe states stays.

    Only what means "not at all" stays empty: `max_steps`, `neftune`, `patience`, and `alpha` and `beta` where
    the method and the objective have none.

    Args:
        parameters: weights of the base.
    """
    return train.model_copy(update={one.field: one.value for one in choices(train, facts, parameters)})


def choices(train: Train, facts: DataFacts, parameters: int) -> list[Choice]:
    """What is chosen for the fields that are left out, in the order of the form."""
    made: list[Choice] = []
    settled = train
    for choose in (_epochs, _max_tokens, _batch, _learning_rate, _alpha, _beta, _evaluate_every):
        choice = choose(settled, facts, parameters)
        if choice is not None and getattr(train, choice.field) is None:
            made.append(choice)
            settled = settled.model_copy(update={choice.field: choice.value})
    return made


def training_examples(train: Train, facts: DataFacts) -> int:
    """About how many examples are learnt: those held back, or left out as too long, are not."""
    left = facts.examples
    if train.max_tokens is not None and train.too_long == "leave_out":
        left -= facts.longer_than(train.max_tokens)
    return left - round(left * train.validation)


def total_steps(train: Train, facts: DataFacts) -> int:
    """Steps of the optimiser that a training with these (complete) settings makes, unless it stops early."""
    return plan_steps(train, training_examples(train, facts)).total


def _epochs(train: Train, facts: DataFacts, parameters: int) -> Choice:
    times = next(times for below, times in EPOCHS if facts.examples < below)
    base = "a small base"
    if parameters >= FEW_WEIGHTS:
        times, base = max(1, math.ceil(times / 2)), "a base of this size"
    why = f"{facts.examples:,} examples: {base} goes through them {_times(times)}"
    if train.objective != "supervised":
        times = max(1, math.ceil(times / 2))
        why = (
            f"{facts.examples:,} examples, {_times(times)}: preferences are learnt by heart sooner than texts"
        )
    elif train.method in FEW_LEARN:
        times *= 2
        why = f"{facts.examples:,} examples, {_times(times)}: the few numbers of {train.method} learn slowly"
    if train.max_steps is not None:
        why += "; `max_steps` ends it"
    elif train.patience is not None and train.validation:
        why += "; it stops sooner once the validation loss no longer falls"
    return Choice("epochs", float(times), f"{why}.")


def _max_tokens(train: Train, facts: DataFacts, parameters: int) -> Choice:
    if facts.context is not None:
        return Choice("max_tokens", facts.context, "the base reads no more at once.")
    longest = max(8, facts.longest)
    return Choice(
        "max_tokens", longest, "the longest example; the base does not say what it can read at once."
    )


def _batch(train: Train, facts: DataFacts, parameters: int) -> Choice:
    texts = 2 if facts.task == "preference" else 1
    learnt = training_examples(train, facts)
    by_steps = learnt // (STEPS_AN_EPOCH * train.accumulate * train.processes)
    tokens = next(tokens for below, tokens in LONGEST_BATCH if parameters < below)
    longest = min(facts.longest, train.max_tokens or facts.longest)
    by_tokens = tokens // max(1, texts * longest)
    most = LARGEST_BATCH // texts
    least = 2 if train.objective == "kto" else 1  # it compares the examples of a batch
    size = max(least, 2 ** int(math.log2(max(1, min(most, by_steps, by_tokens)))))
    if by_tokens < min(most, by_steps):
        why = f"with examples of up to {longest:,} tokens, more at once would take much memory."
    elif by_steps < most:
        why = f"so that {learnt:,} examples still make {math.ceil(learnt / size / train.accumulate):,} steps."
    else:
        why = "larger ones would make fewer steps of about the same worth."
    return Choice("batch", size, why)


def _learning_rate(train: Train, facts: DataFacts, parameters: int) -> Choice:
    small, large = RATES[train.method]
    place = math.log(max(parameters, 1) / SMALL) / math.log(LARGE / SMALL)
    share = min(1.0, max(0.0, place))
    rate = small ** (1 - share) * large**share * OF_RATE[train.objective]
    rounded = float(f"{rate:.1g}")
    why = f"usual for {train.method} on a base of {_millions(parameters)} weights"
    if train.objective != "supervised":
        why += f", lowered for {train.objective}, which strays from the base otherwise"
    return Choice("learning_rate", rounded, f"{why}.")


def _alpha(train: Train, facts: DataFacts, parameters: int) -> Choice | None:
    if train.method not in LOW_RANK:
        return None
    return Choice("alpha", float(2 * train.rank), "twice the rank.")


def _beta(train: Train, facts: DataFacts, parameters: int) -> Choice | None:
    if train.objective == "supervised":
        return None
    return Choice("beta", BETA, f"usual for {train.objective}.")


def _evaluate_every(train: Train, facts: DataFacts, parameters: int) -> Choice:
    steps = total_steps(train, facts)
    every = max(1, round(steps / LOOKS))
    looks = steps // every
    return Choice("evaluate_every", every, f"{looks} look{'' if looks == 1 else 's'} in {steps:,} steps.")


def _times(count: float) -> str:
    return "once" if count == 1 else f"{count:g} times"


def _millions(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.1f} million"
