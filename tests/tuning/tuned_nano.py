"""A workspace in which a random adapter over the embedded nano stands for a tuned model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from workbench.core.collection import Item, Origin
from workbench.core.model import ModelSpec
from workbench.engine import Workspace
from workbench.models.embedded import embedded_path

REPOSITORY = Path(__file__).resolve().parents[2]
DATASETS = ("transit", "team-labels", "word-problems")
EXPERIMENT = """name: {name}
dataset: {{name: {dataset}, split: {split}, limit: {limit}}}
prompts: [{prompts}]
models: [nano]
metrics: [{metric}]
"""


def random_adapter(folder: Path, strength: float = 0.15, rank: int = 4) -> Path:
    """A LoRA adapter over nano's first layer that changes some of its answers; the same one every time."""
    base = embedded_path("nano")
    config = json.loads((base / "config.json").read_text())
    width = config["hidden_size"]
    rng = np.random.default_rng(7)
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    tensors = {
        name.format("A"): rng.normal(0, strength, (rank, width)).astype(np.float32),
        name.format("B"): rng.normal(0, strength, (width, rank)).astype(np.float32),
    }
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    body = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": ["q_proj"],
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(body))
    return folder


def write_experiment(
    root: Path,
    name: str,
    dataset: str,
    split: str,
    prompts: str,
    limit: int = 8,
    metric: str = "exact_match",
) -> None:
    """One small experiment on nano."""
    text = EXPERIMENT.format(
        name=name, dataset=dataset, split=split, limit=limit, prompts=prompts, metric=metric
    )
    (root / "experiments" / f"{name}.yaml").write_text(text)


def tuned_workspace(root: Path) -> Workspace:
    """Three datasets, an experiment about each, and the rows `nano` (embedded) and `tuned`."""
    (root / "experiments" / "datasets").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "prompts", root / "prompts")
    for name in DATASETS:
        shutil.copytree(
            REPOSITORY / "experiments" / "datasets" / name, root / "experiments" / "datasets" / name
        )
    (root / "experiments" / "models.yaml").write_text("models: []\n")
    write_experiment(root, "transit-samples", "transit", "train", "step-by-step, direct", 8)
    write_experiment(root, "labels", "team-labels", "test", "label-zero-shot, label-four-shots")
    write_experiment(root, "problems", "word-problems", "test", "direct, step-by-step, self-consistency")
    workspace = Workspace.open(root)
    workspace.models.add(
        ModelSpec(
            name="tuned",
            provider="transformers",
            model=str(embedded_path("nano")),
            adapter=str(random_adapter(root / "adapter")),
        )
    )
    return workspace


def learnt(run: str | None = None, prompt: str = "step-by-step", count: int = 12) -> list[Item]:
    """Items as they are collected from train rows of transit."""
    lines = (REPOSITORY / "experiments" / "datasets" / "transit" / "train.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines[:count]]
    return [
        Item(
            messages=({"role": "user", "content": row["question"]},),
            completion=f"{row['reasoning']} Answer: {row['answer']}",
            origin=Origin(
                "output",
                run=run,
                dataset="transit",
                split="train",
                row_id=row["id"],
                prompt=prompt,
                version="0" * 12,
                model="nano",
                scores={"exact_match": 1.0},
            ),
            row=row,
        )
        for row in rows
    ]
