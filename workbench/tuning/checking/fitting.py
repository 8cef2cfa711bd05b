"""Whether a training fits into memory and on the disk, and if not, which changes would make it fit.

It needs about 5.2 GB of memory (activations 3.1 GB), and 1.9 GB are free; these would fit: `batch: 4` with
`accumulate: 4` (1.6 GB), or `gradient_checkpointing: true` (1.4 GB).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from workbench.core.tuning import Train
from workbench.models.local.fitting import SHARE, gigabytes
from workbench.tuning.checking.base import Base
from workbench.tuning.checking.facts import DataFacts
from workbench.tuning.checking.findings import Finding
from workbench.tuning.checking.memory import NUMBER, estimate_training_memory
from workbench.tuning.checking.trainable import trainable

NAMED = 2
STATES = 4
"""Checkpoints that lie on the disk at once: three are kept, and the next is written before one goes."""
LEFT_OVER = 50_000_000
"""Logs, tokenizers, and room to breathe."""


def memory_finding(
    base: Base, train: Train, facts: DataFacts, free_bytes: int, on_gpu: bool = False
) -> Finding | None:
    """An error where the training needs more than is free; it names two changes that would fit.

    Args:
        free_bytes: see `models.local.memory.free_memory`.
        on_gpu: libraries take no room beside the model.
    """
    needed = needed_bytes(base, train, facts, on_gpu)
    if needed <= free_bytes * SHARE:
        return None
    largest, held = max(estimate_training_memory(base, train, facts).parts(), key=lambda part: part[1])
    fitting = [
        words
        for _, words in zip(range(NAMED), would_fit(base, train, facts, free_bytes, on_gpu), strict=False)
    ]
    if fitting:
        advice = f"{'these' if len(fitting) > 1 else 'this'} would fit: {', or '.join(fitting)}"
    else:
        advice = "close other programs, or use a smaller base"
    return Finding(
        "error",
        "batch",
        f"The training needs about {gigabytes(needed)} of memory ({largest} {gigabytes(held)}), and "
        f"{gigabytes(free_bytes)} are free; {advice}.",
    )


def needed_bytes(base: Base, train: Train, facts: DataFacts, on_gpu: bool = False) -> int:
    """What has to be free before the start."""
    estimate = estimate_training_memory(base, train, facts)
    return estimate.total - (estimate.processes * estimate.libraries if on_gpu else 0)


def would_fit(
    base: Base, train: Train, facts: DataFacts, free_bytes: int, on_gpu: bool = False
) -> Iterator[str]:
    """Changes after which the training fits, by the same estimate, each of its kind as small as it can be."""
    for changes in _changes(base, train, facts):
        for words, changed in changes:
            needed = needed_bytes(base, changed, facts, on_gpu)
            if needed <= free_bytes * SHARE:
                yield f"{words} ({gigabytes(needed)})"
                break


def _changes(base: Base, train: Train, facts: DataFacts) -> Iterator[list[tuple[str, Train]]]:
    """By kind, from the smallest change to the largest."""
    least = 2 if train.objective == "kto" else 1
    yield [
        (f"`batch: {size}` with `accumulate: {train.accumulate * (train.batch or 1) // size}`", changed)
        for size, changed in _smaller_batches(train, least)
    ]
    if not train.gradient_checkpointing and train.method != "prefix":
        kept = train.model_copy(update={"gradient_checkpointing": True})
        smallest = list(_smaller_batches(kept, least))[-1:]
        yield [
            ("`gradient_checkpointing: true`", kept),
            *((f"`gradient_checkpointing: true` with `batch: {size}`", one) for size, one in smallest),
        ]
    if train.method in ("full", "dora"):
        lora = train.model_copy(update={"method": "lora"})
        smallest = list(_smaller_batches(lora, least))[-1:]
        yield [
            ("`method: lora`", lora),
            *((f"`method: lora` with `batch: {size}`", one) for size, one in smallest),
        ]
    if train.method in ("full", "lora", "dora") and find_spec("bitsandbytes") is not None:
        yield [("`method: qlora`", train.model_copy(update={"method": "qlora"}))]
    if train.processes > 1:
        yield [("`processes: 1`", train.model_copy(update={"processes": 1}))]
    yield [
        (f"`max_tokens: {most}`, without the {facts.longer_than(most):,} examples that are longer", shorter)
        for most in _shorter(facts)
        for shorter in [train.model_copy(update={"max_tokens": most, "too_long": "leave_out"})]
    ]


def _smaller_batches(train: Train, least: int) -> Iterator[tuple[int, Train]]:
    size = train.batch or 1
    while size % 2 == 0 and size // 2 >= least:
        size //= 2
        more = train.accumulate * (train.batch or 1) // size
        yield size, train.model_copy(update={"batch": size, "accumulate": more})


def _shorter(facts: DataFacts) -> list[int]:
    """Lengths that leave out some examples, at most half of them."""
    ordered = sorted(set(facts.lengths), reverse=True)
    middle = sorted(facts.lengths)[len(facts.lengths) // 2] if facts.lengths else 0
    return [length for length in ordered[1:] if length >= max(8, middle)]


def estimate_disk(base: Base, train: Train, facts: DataFacts) -> int:
    """Bytes that a training takes on the disk at its fullest: states to go on from, and the tuned weights.

    `train` is complete.
    """
    learnt = trainable(base, train)
    state = 3 * learnt * NUMBER  # the numbers and two of the optimiser for each
    whole = base.parameters * NUMBER if train.method == "full" or train.merge else learnt * NUMBER
    texts = 10 * facts.tokens  # some bytes a token, in several files
    return STATES * state + whole + texts + LEFT_OVER


def disk_finding(base: Base, train: Train, facts: DataFacts, folder: Path) -> Finding | None:
    """An error where the disk of `folder`, which need not be there yet, has not the room."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    free, needed = shutil.disk_usage(there).free, estimate_disk(base, train, facts)
    if needed <= free:
        return None
    advice = "free some, or move the workspace"
    if train.method == "full":
        lora = train.model_copy(update={"method": "lora"})
        advice = f"{advice}, or use `method: lora` ({gigabytes(estimate_disk(base, lora, facts))})"
    return Finding(
        "error",
        "base",
        f"The training needs about {gigabytes(needed)} on the disk of '{there}', which has {gigabytes(free)} "
        f"left; {advice}.",
    )
