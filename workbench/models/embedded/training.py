"""Trains one model for a number of minutes, and goes on where a stopped training was.

The learning rate follows the share of the time budget that is used up: a short warm-up, level, then
a straight decline. Forward and backward run in bf16, the optimisers in fp32.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from workbench.models.embedded.corpus import Batch, batches, chunk, collate
from workbench.models.embedded.network import Network
from workbench.models.embedded.sizes import Recipe

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
CHECK_EVERY_S = 150.0


@dataclass
class Position:
    """Where in the data a training is."""

    chunk: int = 0
    phase: str = "full"
    batch_tokens: int = 0
    batch: int = 0


class Trainer:
    """Owns the weights, both optimisers and the position in the data."""

    def __init__(self, recipe: Recipe, tokenizer: Tokenizer, folder: Path, minutes: float) -> None:
        self.recipe, self.tokenizer, self.folder = recipe, tokenizer, folder
        self.budget_s = minutes * 60
        torch.manual_seed(recipe.seed)
        self.network = Network(recipe.size)
        self.shadow = Network(recipe.size).bfloat16()
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(
                self.network.matrices(),
                lr=recipe.muon_rate,
                momentum=0.95,
                weight_decay=recipe.weight_decay,
                adjust_lr_fn="original",
            ),
            torch.optim.AdamW(
                self.network.others(), lr=recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
            ),
        ]
        self.rates = (recipe.muon_rate, recipe.adam_rate)
        self.position = Position(phase=recipe.phases[0][0], batch_tokens=recipe.batch_tokens[0])
        self.elapsed_s, self.step, self.tokens = 0.0, 0, 0
        self._validation: list[Batch] | None = None

    @property
    def progress(self) -> float:
        """The share of the time budget that is used up."""
        return min(1.0, self.elapsed_s / self.budget_s)

    def save(self) -> None:
        """Writes the whole state; a stop while writing leaves the previous file."""
        state = {
            "network": self.network.state_dict(),
            "size": self.recipe.size.as_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "position": asdict(self.position),
            "elapsed_s": self.elapsed_s,
            "step": self.step,
            "tokens": self.tokens,
        }
        partial = self.folder / (CHECKPOINT + ".partial")
        torch.save(state, partial)
        partial.replace(self.folder / CHECKPOINT)

    def resume(self) -> bool:
        """Takes up the saved state, if there is one."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.position = Position(**state["position"])
        self.elapsed_s, self.step, self.tokens = state["elapsed_s"], state["step"], state["tokens"]
        return True

    def run(self) -> dict[str, Any]:
        """Trains until the budget is spent; returns the last line of the log."""
        started = time.monotonic() - self.elapsed_s
        checked_s = self.elapsed_s
        recent: list[float] = []
        stream = self._stream()
        while self.progress < 1:
            recent.append(self._learn(next(stream)))
            self.elapsed_s = time.monotonic() - started
            if self.elapsed_s - checked_s >= CHECK_EVERY_S:
                checked_s = self.elapsed_s
                self._record(sum(recent) / len(recent))
                self.save()
                recent = []
        last = self._record(sum(recent) / max(1, len(recent)))
        self.save()
        return last

    def _stream(self) -> Iterator[Batch]:
        recipe = self.recipe
        while True:
            place = self.position
            encoded = chunk(self.tokenizer, place.chunk, recipe.seed, place.phase, recipe.chunk_episodes)
            groups = batches(encoded, place.batch_tokens, place.chunk)
            for index in range(place.batch, len(groups)):
                place.batch = index + 1
                yield collate(groups[index])
            self.position = Position(
                chunk=place.chunk + 1,
                phase=self._phase(),
                batch_tokens=recipe.batch_tokens[self.progress >= 0.5],
            )

    def _phase(self) -> str:
        return next((name for name, until in self.recipe.phases if self.progress < until), "full")

    def _learn(self, batch: Batch) -> float:
        self._set_rates()
        self._refresh_shadow()
        loss = _weighted_loss(self.shadow, batch) / batch.weights.sum()
        loss.backward()
        for parameter, copy in zip(self.network.parameters(), self.shadow.parameters(), strict=True):
            parameter.grad = copy.grad.float()
            copy.grad = None
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.tokens += batch.ids.numel()
        return float(loss.detach())

    def _set_rates(self) -> None:
        recipe = self.recipe
        scale = min(1.0, (self.step + 1) / recipe.warmup_steps)
        if self.progress > 1 - recipe.decay_share:
            scale *= max(0.01, (1 - self.progress) / recipe.decay_share)
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * scale

    @torch.no_grad()
    def _refresh_shadow(self) -> None:
        torch._foreach_copy_(list(self.shadow.parameters()), list(self.network.parameters()))

    def _record(self, train_loss: float) -> dict[str, Any]:
        """Measures the held-out episodes and appends a line to the log."""
        line = {
            "minutes": round(self.elapsed_s / 60, 2),
            "step": self.step,
            "tokens": self.tokens,
            "phase": self.position.phase,
            "train_loss": round(train_loss, 4),
            **self._validate(),
        }
        with (self.folder / LOG).open("a") as log:
            log.write(json.dumps(line) + "\n")
        return line

    @torch.no_grad()
    def _validate(self) -> dict[str, Any]:
        if self._validation is None:
            encoded = chunk(
                self.tokenizer, 0, self.recipe.seed, "full", self.recipe.validation_episodes, held_out=True
            )
            self._validation = [collate(group) for group in batches(encoded, 4096, 0)]
        self._refresh_shadow()
        loss, weight = 0.0, 0.0
        right: dict[str, list[float]] = defaultdict(list)
        for batch in self._validation:
            logits = _logits(self.shadow, batch)
            losses = functional.cross_entropy(logits, batch.targets, reduction="none")
            counted = batch.weights >= 1
            loss += float(losses[counted].sum())
            weight += float(counted.sum())
            hits = (logits.argmax(-1) == batch.targets).float()
            for family, hit, count in zip(batch.families, hits.tolist(), counted.tolist(), strict=True):
                if count:
                    right[family].append(hit)
        accuracy = {family: round(sum(hits) / len(hits), 4) for family, hits in sorted(right.items())}
        return {"validation_loss": round(loss / weight, 4), "token_accuracy": accuracy}


def _logits(network: Network, batch: Batch) -> torch.Tensor:
    return network.logits(network.hidden(batch.ids).flatten(0, 1)[batch.positions])


def _weighted_loss(network: Network, batch: Batch) -> torch.Tensor:
    losses = functional.cross_entropy(_logits(network, batch), batch.targets, reduction="none")
    return (losses * batch.weights).sum()


def train(
    recipe: Recipe, tokenizer: Tokenizer, folder: Path, minutes: float | None = None, resume: bool = False
) -> dict[str, Any]:
    """Trains into `folder` (checkpoint and log) and returns the last line of the log."""
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, tokenizer, folder, minutes or recipe.minutes)
    if not (resume and trainer.resume()):
        (folder / LOG).unlink(missing_ok=True)
    return trainer.run()
