"""What happens between the steps of a training: it is told, looked at, stopped early or by a person."""

from __future__ import annotations

import math
from typing import Any

from transformers import TrainerCallback

from workbench.errors import TuningError
from workbench.models.local.chat import ChatTokenizer
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.answers import answers
from workbench.tuning.training.clock import Clock
from workbench.tuning.training.events import EventLog, best_look, turned
from workbench.tuning.training.machine import Machine
from workbench.tuning.training.steps import Steps

KNOWN = {"loss", "eval_loss", "learning_rate", "grad_norm", "epoch", "num_tokens", "num_input_tokens_seen"}
OF_THE_LIBRARY = ("_runtime", "_per_second", "num_tokens")


class Watcher(TrainerCallback):  # type: ignore[misc]
    """Follows one training on every process; the first of them tells what is seen.

    Attributes:
        cancelled: whether a person stopped it.
        early: whether it stopped because looks got no better.
        looks: validation loss by step, shared with whoever made it.
    """

    def __init__(
        self,
        folder: TuningFolder,
        job: TrainingJob,
        chat: ChatTokenizer,
        clock: Clock,
        steps: Steps,
        machine: Machine,
        log: EventLog | None,
        looks: dict[int, float],
    ) -> None:
        """`log` is None on all processes but the first; `looks` are those before a resume."""
        self._folder, self._job, self._chat, self._clock = folder, job, chat, clock
        self._steps, self._machine, self._log = steps, machine, log
        self.looks = looks
        self.cancelled = self.early = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The library has prepared everything."""
        self._clock.begin(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A state is saved with a point told, so that a resumed training tells the same ones."""
        if control.should_save or control.should_evaluate:
            control.should_log = True
        if self._machine.all_hear(self._folder.cancel.exists()):
            self.cancelled = control.should_training_stop = True
            control.should_log = control.should_save = True
            control.should_evaluate = False

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """The library averaged the loss since the last time."""
        if not logs or "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise TuningError(
                f"The loss stopped being a number at step {state.global_step}; use a smaller "
                "`learning_rate`, more `warmup`, or precision fp32."
            )
        pace = self._clock.tokens_per_s()
        if self._log is None:
            return
        self._log.write(
            "log",
            step=state.global_step,
            epoch=round(state.epoch or 0.0, 4),
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate"),
            grad_norm=logs.get("grad_norm"),
            tokens_per_s=None if pace is None else pace * self._machine.processes,
            memory_bytes=self._machine.memory_bytes(),
            more=_more(logs),
            **self._times(state.global_step),
        )

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, model: Any = None, **_: Any
    ) -> None:
        """A look: the loss on what is held back, and what the model says."""
        loss = (metrics or {}).get("eval_loss")
        if loss is not None and math.isfinite(loss):
            self.looks[state.global_step] = loss
        if self._log is not None:
            said = answers(model, self._chat, self._job.samples, self._job.sample_tokens)
            self._log.write(
                "look",
                step=state.global_step,
                epoch=round(state.epoch or 0.0, 4),
                validation_loss=loss,
                samples=said,
                memory_bytes=self._machine.memory_bytes(),
                more={f"validation_{key}": value for key, value in _more(metrics or {}, "eval_").items()},
                **self._times(state.global_step),
            )
            self._tell_overfitting(state.global_step)
        if state.global_step < state.max_steps and self.had_enough():
            control.should_training_stop = True

    def had_enough(self) -> bool:
        """Whether the last looks, as many as it has patience for, were no better than the best before."""
        best, patience = best_look(self.looks), self._job.train.patience
        if best is not None and patience is not None:
            self.early = sum(step > best for step in self.looks) >= patience
        return self.early

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """A checkpoint is whole. Where there is no validation loss to look at, the model answers now."""
        if self._log is None:
            return
        self._log.write("checkpoint", step=state.global_step, seconds=round(self._clock.seconds, 3))
        if args.eval_strategy == "no" and self._job.samples and not self.cancelled:
            with self._clock.part("looking"):
                said = answers(model, self._chat, self._job.samples, self._job.sample_tokens)
            self._log.write("look", step=state.global_step, samples=said, **self._times(state.global_step))

    def _tell_overfitting(self, step: int) -> None:
        found = turned(self.looks)
        if found is not None and self._log is not None and best_look(self.looks) != step:
            self._log.write(
                "overfitting",
                step=step,
                best_step=found.best_step,
                best_loss=found.best_loss,
                since=found.since,
                validation_loss=found.validation_loss,
            )

    def _times(self, step: int) -> dict[str, Any]:
        looks = self._steps.looks_after(step)
        left = self._clock.seconds_left(step, self._steps.total, looks, looks)
        return {"seconds": round(self._clock.seconds, 3), "seconds_left": left}


def _more(logs: dict[str, Any], before: str = "") -> dict[str, float]:
    """What the objective tells beside the losses, such as reward margins."""
    return {
        key.removeprefix(before): float(value)
        for key, value in logs.items()
        if isinstance(value, int | float)
        and key.startswith(before)
        and key not in KNOWN
        and not any(part in key for part in OF_THE_LIBRARY)
    }
