"""A bare TRL script that trains from a tuning's folder with its data and settings, and nothing around it.

    python -m bench.bare_trl FOLDER

It writes BEGIN before the first step and END after the last one on a line of their own, then its peak memory.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from workbench.models.local.process_memory import peak_bytes
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob


def main() -> None:
    """Trains, and keeps nothing."""
    folder = TuningFolder(Path(sys.argv[1]))
    job = TrainingJob.read(folder.job)
    trainer = _trainer(job, folder)
    begun = time.perf_counter(), time.process_time()
    trainer.train()
    wall_s, cpu_s = time.perf_counter() - begun[0], time.process_time() - begun[1]
    print(json.dumps({"peak": peak_bytes(), "wall_s": wall_s, "cpu_s": cpu_s}), flush=True)


def _trainer(job: TrainingJob, folder: TuningFolder) -> Any:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    train = job.train
    tokenizer = AutoTokenizer.from_pretrained(job.base)
    held: dict[str, Any] = {"dtype": torch.float32}
    if train.method == "qlora":
        held["quantization_config"] = _four_bits(torch.float32)
    network = AutoModelForCausalLM.from_pretrained(job.base, **held)
    settings = {
        "output_dir": str(folder.path / "bare"),
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": train.gradient_checkpointing,
        "report_to": "none",
        "per_device_train_batch_size": train.batch,
        "gradient_accumulation_steps": train.accumulate,
        "num_train_epochs": train.epochs or 1,
        "max_steps": train.max_steps or -1,
        "learning_rate": train.learning_rate,
        "lr_scheduler_type": train.schedule,
        "weight_decay": train.weight_decay,
        "max_length": None,
        "logging_steps": 10,
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": train.seed,
    }
    lines = [json.loads(line) for line in folder.train.read_text("utf-8").splitlines()]
    chosen = {"processing_class": tokenizer, "peft_config": _peft(train)}
    if train.objective == "dpo":
        from trl import DPOConfig, DPOTrainer

        pairs = Dataset.from_list(
            [
                {
                    "prompt": line["messages"],
                    "chosen": [{"role": "assistant", "content": line["completion"]}],
                    "rejected": [{"role": "assistant", "content": line["rejected"]}],
                }
                for line in lines
            ]
        )
        arguments = DPOConfig(**settings, beta=train.beta or 0.1)
        return DPOTrainer(model=network, args=arguments, train_dataset=pairs, **chosen)
    from trl import SFTConfig, SFTTrainer

    examples = Dataset.from_list(
        [
            {
                "prompt": line["messages"],
                "completion": [{"role": "assistant", "content": line["completion"]}],
            }
            for line in lines
        ]
    )
    arguments = SFTConfig(**settings, completion_only_loss=True)
    return SFTTrainer(model=network, args=arguments, train_dataset=examples, **chosen)


def _peft(train: Any) -> Any:
    if train.method == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=train.rank,
        lora_alpha=train.alpha or 2 * train.rank,
        lora_dropout=train.dropout,
        target_modules=list(train.targets) or "all-linear",
        use_dora=train.method == "dora",
        task_type="CAUSAL_LM",
    )


def _four_bits(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


if __name__ == "__main__":
    main()
