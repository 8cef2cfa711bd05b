"""The trainer of an objective, over examples that are token ids already.

Each is the library's own; what is added here times its parts, counts the tokens it reads, and makes sure
that a checkpoint is whole or not there.
"""

from __future__ import annotations

from typing import Any

from datasets import Dataset
from transformers import PrinterCallback, Trainer
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from workbench.core.tuning import Objective, Train
from workbench.errors import TuningError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.training.checkpoints import checkpoint_at, mark_complete, remove_checkpoint
from workbench.tuning.training.clock import Clock
from workbench.tuning.training.disk import disk_sentence
from workbench.tuning.training.steps import Steps

KEPT_CHECKPOINTS = 3
"""The best and the two newest."""


class _Watched(Trainer):  # type: ignore[misc]
    """What every trainer does here beside training."""

    clock: Clock
    folder: TuningFolder

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset  # examples come as token ids

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """The workbench writes its own, once."""

    def training_step(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
        """One batch forwards and backwards."""
        self.clock.read_batch(inputs)
        return super().training_step(model, inputs, *more, **named)

    def _evaluate(self, *more: Any, **named: Any) -> Any:
        with self.clock.part("looking"):
            return super()._evaluate(*more, **named)

    def _save_checkpoint(self, *more: Any, **named: Any) -> None:
        step = self.state.global_step
        with self.clock.part("saving"):
            try:
                super()._save_checkpoint(*more, **named)
                if self.is_world_process_zero():
                    mark_complete(checkpoint_at(self.folder.checkpoints, step))
            except Exception as problem:
                sentence = disk_sentence(problem, self.folder.path)
                if sentence is None:
                    raise
                if self.is_world_process_zero():  # half a state is of no use, and its room is
                    remove_checkpoint(self.folder.checkpoints, step)
                raise TuningError(
                    f"The state after step {step} could not be saved: {sentence} The states saved before it "
                    "are whole; resume once there is room."
                ) from None


class Supervised(_Watched, SFTTrainer):  # type: ignore[misc]
    """Learns to say the completions."""


class Preferences(_Watched, DPOTrainer):  # type: ignore[misc]
    """Learns to prefer the chosen completion over the rejected one, held to the base."""


class Labels(_Watched, KTOTrainer):  # type: ignore[misc]
    """Learns from completions said to be good or bad, held to the base."""


class OddsRatio(_Watched, ORPOTrainer):  # type: ignore[misc]
    """Learns to say the chosen completion and to prefer it, without holding on to the base."""

    # the library cuts texts anew at the border of prompt and completion, and gives up where a token reaches
    # over it; here they were cut apart from each other
    def tokenize_row(self, feature: Any, model: Any = None) -> dict[str, Any]:
        """Nothing: the columns are there."""
        return {}


OF: dict[Objective, tuple[Any, Any]] = {
    "supervised": (Supervised, SFTConfig),
    "dpo": (Preferences, DPOConfig),
    "kto": (Labels, KTOConfig),
    "orpo": (OddsRatio, ORPOConfig),
}


def make_trainer(
    folder: TuningFolder,
    train: Train,
    network: Any,
    tokenizer: Any,
    peft_config: Any | None,
    rows: list[dict[str, Any]],
    held_back: list[dict[str, Any]],
    steps: Steps,
    device: str,
    clock: Clock,
    fresh: bool = True,
    reference: Any | None = None,
) -> Any:
    """A trainer that is ready to go.

    Args:
        rows: what is learnt, as `examples.columns` gives it.
        held_back: the same to look at; empty for none.
        steps: when points, looks and checkpoints are due.
        fresh: looks before the first step, too; False when going on from a checkpoint.
        reference: the base as it was, for objectives that hold on to it while every weight is trained.
    """
    kind, config = OF[train.objective]
    named: dict[str, Any] = {}
    if train.objective == "supervised":
        named["completion_only_loss"] = True
    else:
        # the library's default would silently leave out what the recipe asks for
        named["disable_dropout"] = train.dropout == 0
        if train.beta is not None:
            named["beta"] = train.beta
    # what is too long was left out before: nothing is cut (of orpo the texts are, and those are not read)
    named["max_length"] = 1 << 20 if train.objective == "orpo" else None
    settings = config(
        output_dir=str(folder.checkpoints),
        use_cpu=device == "cpu",
        per_device_train_batch_size=train.batch,
        per_device_eval_batch_size=train.batch,
        gradient_accumulation_steps=train.accumulate,
        num_train_epochs=train.epochs or 1,
        max_steps=train.max_steps or -1,
        learning_rate=train.learning_rate,
        lr_scheduler_type=train.schedule,
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        neftune_noise_alpha=train.neftune,
        bf16=train.precision == "bf16",
        gradient_checkpointing=train.gradient_checkpointing,
        seed=train.seed,
        data_seed=train.seed,
        metric_for_best_model="eval_loss" if held_back else None,
        greater_is_better=False if held_back else None,
        prediction_loss_only=True,
        ddp_find_unused_parameters=False,
        warmup_steps=steps.warmup,
        logging_steps=steps.between_points,
        eval_strategy="steps" if held_back else "no",
        eval_on_start=bool(held_back) and fresh,
        eval_steps=steps.between_looks if held_back else None,
        save_strategy="steps",
        save_steps=steps.between_looks,
        save_total_limit=KEPT_CHECKPOINTS,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        **named,
    )
    options = {} if reference is None else {"ref_model": reference}
    trainer = kind(
        model=network,
        args=settings,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(held_back) if held_back else None,
        processing_class=tokenizer,
        peft_config=peft_config,
        **options,
    )
    trainer.clock, trainer.folder = clock, folder
    if train.method == "qlora":  # the library rounds them to 16 bits, in which small steps are lost
        for weight in trainer.model.parameters():
            if weight.requires_grad:
                weight.data = weight.data.float()
    if peft_config is not None:  # each save would write a page about itself
        trainer.model.create_or_update_model_card = lambda *_: None
    trainer.remove_callback(PrinterCallback)
    return trainer
