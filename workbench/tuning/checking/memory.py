"""What a training will hold in memory at its peak, told from files and settings before anything is loaded.

small, lora, 16 examples of 161 tokens  ->  libraries 580 MB, weights 6 MB, activations 318 MB, logits 272 MB

What a step computes is counted tensor by tensor, as the libraries do it on a CPU: what forward keeps for
backward in every layer, and the copies of the logits that are alive at once while the loss is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from workbench.core.tuning import Method, Train
from workbench.models.local.memory import EXTENSION_BYTES
from workbench.models.local.quantization import QUANTIZATIONS
from workbench.tuning.checking.base import Base
from workbench.tuning.checking.facts import DataFacts
from workbench.tuning.checking.trainable import adapted, trainable
from workbench.tuning.training.combinations import LOW_RANK

LIBRARIES_BYTES = 580_000_000
"""Python, torch, transformers, peft, trl and the workbench in a process, before any model."""
NUMBER = 4
"""Bytes; training computes in 32 bits unless told otherwise."""
TILE_TOKENS, TILE_VOCABULARY = 4096, 32_768
"""Of the logits, what is there at once; the rest is computed tile by tile."""
COPIES = 8.25
"""Of a tile: the logits, what the loss makes of them, and their gradient, alive together."""
FULL_COPIES = 8.0
"""The same for orpo, which has no tiles."""
PAGE = 4096
SPLIT = 2**25
"""Smaller blocks are cut out of a heap that is never quite full."""
HEAP: dict[Method, float] = {"lora": 1.85, "qlora": 1.85}
"""How much larger than its blocks; measured. What low-rank matrices give in passing leaves more gaps."""
OTHER_HEAP = 1.4
SIXTEEN_BITS = 0.6


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """Bytes that the processes of a training hold together at the peak, by part."""

    libraries: int
    weights: int
    reference: int
    """The base as it was, for a preference objective over all weights."""
    adapter: int
    gradients: int
    optimiser: int
    activations: int
    """What forward keeps for backward."""
    logits: int
    """And what the loss makes of them."""
    loading: int = 0
    """What reading the weights takes beyond all that, where that is more."""
    processes: int = 1

    @property
    def total(self) -> int:
        """Of all processes."""
        return self.processes * sum(count for _, count in self.parts())

    def parts(self) -> list[tuple[str, int]]:
        """Name and bytes of each part of one process."""
        return [(one.name, getattr(self, one.name)) for one in fields(self) if one.name != "processes"]


def estimate_training_memory(base: Base, train: Train, facts: DataFacts) -> TrainingMemory:
    """The peak on a CPU, where `train` is complete. Takes no time, loads nothing.

    On a GPU, libraries stay in the machine's own memory and all else is on the device.
    """
    learnt = trainable(base, train)
    longest = facts.longest_within(train.max_tokens) + (
        train.virtual_tokens if train.method in ("prefix", "prompt") else 0
    )
    tokens = (train.batch or 1) * (2 if facts.task == "preference" else 1) * longest
    activations = _activations(base, train, tokens, longest)
    logits = _logits(base, train, tokens)
    gradients = learnt * NUMBER
    if train.method == "full":
        head = base.widths.vocabulary * base.widths.hidden * NUMBER
        # gradients grow as what forward kept is let go: the larger of the two counts
        if train.accumulate == 1:
            gradients = max(head, gradients - activations - logits)
    if train.processes > 1:  # what is exchanged is held beside
        gradients += learnt * NUMBER
    found = TrainingMemory(
        libraries=LIBRARIES_BYTES + (EXTENSION_BYTES if train.method == "qlora" else 0),
        weights=_weights(base, train),
        reference=base.parameters * NUMBER
        if train.method == "full" and train.objective in ("dpo", "kto")
        else 0,
        adapter=0 if train.method == "full" else learnt * NUMBER,
        gradients=gradients,
        optimiser=2 * learnt * NUMBER,
        activations=activations,
        logits=logits,
        processes=train.processes,
    )
    running = found.total // train.processes
    more = max(0, found.libraries + _while_loading(base, train) - running)
    if train.method == "qlora":  # what held the weights before leaves gaps that are not given back
        more = max(more, NUMBER * sum(layer.parameters for layer in base.linear))
    return replace(found, loading=more)


def _while_loading(base: Base, train: Train) -> int:
    """The file's pages, and weights that are not used where they are mapped."""
    mapped = sum(tensor.size_bytes for tensor in base.tensors)
    wanted = "BF16" if train.precision == "bf16" and train.method != "full" else "F32"
    as_stored = all(tensor.dtype == wanted for tensor in base.tensors)
    read = base.parameters * (2 if wanted == "BF16" else NUMBER)
    if train.method == "qlora":
        return mapped + read + _weights(base, train)
    return mapped if as_stored else mapped + read


def _weights(base: Base, train: Train) -> int:
    if train.method == "qlora":
        linear = sum(tensor.parameters for tensor in base.linear)
        return int(linear * QUANTIZATIONS["nf4"].bytes_per_weight + (base.parameters - linear) * NUMBER)
    held = 2 if train.precision == "bf16" and train.method != "full" else NUMBER
    return base.parameters * held


def _activations(base: Base, train: Train, tokens: int, longest: int) -> int:
    widths = base.widths
    hidden, inner = widths.hidden, widths.feed_forward
    attended = widths.heads * widths.head_width
    # input of either norm, query, key, value and what attention gives; gate, up and their product
    kept = 2 * hidden + 4 * attended + 3 * inner
    layers = max(1, widths.layers)
    if train.method == "full":  # what each norm gives, and the input of every layer
        kept += 4 * hidden + inner
    elif train.method in LOW_RANK:
        kept += 2 * hidden + inner + train.rank * len(adapted(base, train)) // layers
    elif train.method == "ia3":
        kept += 4 * hidden + 3 * inner
    if train.method == "dora":
        kept += 10 * hidden + 4 * inner
    kept += longest  # the mask of attention
    numbers = tokens * (layers * hidden + kept) if train.gradient_checkpointing else tokens * layers * kept
    held = _in_heap(train, numbers * NUMBER, tokens * hidden * NUMBER)
    if train.precision == "bf16":
        held *= SIXTEEN_BITS
    if train.method == "dora":  # a layer's length is taken from its matrices multiplied out
        held += sum(layer.shape[1] ** 2 for layer in adapted(base, train)) * NUMBER
    return int(held)


def _logits(base: Base, train: Train, tokens: int) -> int:
    vocabulary = base.widths.vocabulary
    if train.objective == "orpo":
        whole = tokens * vocabulary * NUMBER
        return int(_in_heap(train, FULL_COPIES * whole, whole))
    rows, width = min(tokens, TILE_TOKENS), min(vocabulary, TILE_VOCABULARY)
    tile = rows * width * NUMBER
    # a tile's rows lie apart, and memory is given by the page
    apart = rows * PAGE if width < TILE_VOCABULARY else 0
    return int(_in_heap(train, COPIES * tile, tile)) + apart


def _in_heap(train: Train, size: float, block: float) -> float:
    return size * HEAP.get(train.method, OTHER_HEAP) if block < SPLIT else size
