"""One training in this process, from the folder's files to a trainer that is ready, and to files again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from workbench.errors import TuningError
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.loading import device_name
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.checkpoints import checkpoint_at
from workbench.tuning.training.clock import Clock
from workbench.tuning.training.events import EventLog, read_points
from workbench.tuning.training.examples import Encoded, columns, encode, fitting, read_examples_file, shuffled
from workbench.tuning.training.machine import Machine, versions
from workbench.tuning.training.network import beside, load_base, parameters
from workbench.tuning.training.saving import save_model, take_back
from workbench.tuning.training.steps import plan_steps


class Session:
    """What one training needs: tokenizer, examples as tokens, the base, and the machine's processes.

    Attributes:
        looks: validation loss by step, once a trainer was made.
    """

    def __init__(self, folder: TuningFolder, job: TrainingJob, clock: Clock, log: EventLog | None) -> None:
        """Reads the job's files and the base's weights. Raises WorkbenchError for what cannot be used."""
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.folder, self.job, self.clock, self._log = folder, job, clock, log
        self.looks: dict[int, float] = {}
        train, name = job.train, Path(job.base).name
        asked = job.device or os.environ.get("WORKBENCH_DEVICE")
        kind = asked.partition(":")[0] if asked else None  # which of several: `see_one_gpu`
        self.device = device_name("nf4" if train.method == "qlora" else "fp32", kind, name)
        if "LOCAL_RANK" in os.environ and self.device.startswith("cuda"):
            self.device = f"cuda:{os.environ['LOCAL_RANK']}"
        self.chat = ChatTokenizer(Path(job.base), name, job.chat_template)
        self.left_out = 0
        context = _context(Path(job.base))
        longest = min((size for size in (train.max_tokens, context) if size is not None), default=None)
        if longest is not None and train.method in ("prefix", "prompt"):
            longest -= train.virtual_tokens
        self._longest = longest
        self._learnt = self._examples(folder.train)
        if not self._learnt:
            raise TuningError(
                "There is nothing to learn from: every example is longer than the base takes; shorten them, "
                "or choose a base with a longer context."
                if self.left_out
                else "There is nothing to learn from: the collection is empty; collect with other thresholds."
            )
        self._held_back = self._examples(folder.validation) if folder.validation.is_file() else []
        if train.objective == "kto":  # its trainer reads them one after the other
            self._learnt = shuffled(self._learnt, train.seed)
        self.steps = plan_steps(train, len(self._learnt))
        self._network = load_base(job, self.device)
        self._beside = beside(train, self._network)
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from accelerate import PartialState

            PartialState(cpu=self.device == "cpu")
        self.machine = Machine(self.device)

    def restore(self, step: int) -> None:
        """Takes up what was seen up to that step, by processes before this one."""
        kept = [point for point in read_points(self.folder) if point.step <= step]
        self.looks |= {p.step: p.validation_loss for p in kept if p.validation_loss is not None}
        self.clock.before_s = max((point.seconds for point in kept), default=0.0)

    def trainer(self, resumed_from: int | None) -> tuple[Any, Any]:
        """The one who watches, and the library's trainer."""
        from workbench.tuning.training.callbacks import Watcher
        from workbench.tuning.training.trainers import make_trainer

        train = self.job.train
        watcher = Watcher(
            self.folder, self.job, self.chat, self.clock, self.steps, self.machine, self._log, self.looks
        )
        holds_on = train.objective in ("dpo", "kto") and train.method == "full"
        batch = train.batch or 1
        trainer = make_trainer(
            self.folder,
            train,
            self._network,
            self.chat.tokenizer,
            self._beside,
            columns(self._learnt, train.objective, batch),
            columns(self._held_back, train.objective, batch),
            self.steps,
            self.device,
            self.clock,
            fresh=resumed_from is None,
            reference=load_base(self.job, self.device) if holds_on else None,
        )
        trainer.add_callback(watcher)
        return watcher, trainer

    def told(self, resumed_from: int | None, trainer: Any) -> dict[str, Any]:
        """What the start event says."""
        held, trained = parameters(trainer.model)
        return {
            "step": resumed_from or 0,
            "resumed_from": resumed_from,
            "steps": self.steps.total,
            "epochs": self.job.train.epochs,
            "examples": len(self._learnt),
            "validation_examples": len(self._held_back),
            "left_out": self.left_out,
            "tokens": sum(one.tokens for one in self._learnt),
            "longest": max(one.tokens for one in self._learnt),
            "parameters": held - trained if self._beside is not None else held,
            "trainable": trained,
            "device": self.device,
            "processes": self.machine.processes,
            "threads": self.machine.threads,
            "versions": versions(),
            "memory_bytes": self.machine.memory_bytes(),
            "seconds": round(self.clock.seconds, 3),
        }

    def save(self, trainer: Any, step: int, held: int | None) -> None:
        """Writes model/ with the weights of a step, taken from its checkpoint unless they are `held`."""
        network = trainer.accelerator.unwrap_model(trainer.model)
        if step != held:
            take_back(network, checkpoint_at(self.folder.checkpoints, step))
        about = {
            "base": Path(self.job.base).name,
            "step": step,
            "steps": self.steps.total,
            "validation_loss": self.looks.get(step),
            "train": self.job.train.model_dump(mode="json", exclude_none=True),
            "versions": versions(),
        }
        network.eval()
        save_model(self.folder, self.job, network, self.chat, about)

    def _examples(self, file: Path) -> list[Encoded]:
        rows = read_examples_file(file, self.job.train.objective)
        found = [encode(self.chat, row, self.job.train.objective) for row in rows]
        places = fitting(found, self._longest)
        if len(places) < len(found) and self.job.train.too_long == "refuse":
            first = next(place for place in range(len(found)) if place not in set(places))
            raise TuningError(
                f"{file.name}, line {first + 1}: the example has {found[first].tokens:,} tokens, and "
                f"{self._longest:,} fit; shorten it, set `too_long: leave_out`, or choose a base with a "
                "longer context."
            )
        self.left_out += len(found) - len(places)
        return [found[place] for place in places]


def see_one_gpu(asked: str | None) -> None:
    """One process uses one GPU: the one asked for, such as `cuda:1`, of those that it may see.

    To be called before torch is imported; the library would spread over all that are there.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    seen = visible.split(",") if visible else []
    number = int((asked or "").partition(":")[2] or 0)
    os.environ["CUDA_VISIBLE_DEVICES"] = seen[number] if number < len(seen) else str(number)


def _context(base: Path) -> int | None:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, trust_remote_code=False, local_files_only=True)
    found = getattr(config.get_text_config(), "max_position_embeddings", None)
    return None if found is None else int(found)
