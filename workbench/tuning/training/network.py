"""The base in memory as it is trained, and what a method puts beside its weights.

Train(method="lora", rank=16)  ->  LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from workbench.core.tuning import Train
from workbench.errors import ModelUnavailable, TuningError
from workbench.models.local.adapters import check_base, merged
from workbench.models.local.checking import check_files
from workbench.models.local.loading import OUT_OF_MEMORY
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.combinations import LOW_RANK, VIRTUAL

PUTS_BACK = re.compile(r"(^|\.)(down_proj|fc2|fc_out|w2|wo|c_proj|dense_4h_to_h)$")
"""Layers that lead out of a feed-forward block, by the names that architectures give them."""


def load_base(job: TrainingJob, device: str, precision: str | None = None) -> Any:
    """The base's network, an earlier adapter merged into it, held as the method trains over it.

    Args:
        device: where 4-bit weights are made; the trainer places all others.
        precision: None takes what the settings imply; `fp32` for weights that a result is added to.

    Raises ModelUnavailable, and TuningError where an earlier adapter goes with no such method.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from workbench.models.local.quantized_layers import quantize_network

    folder, name = Path(job.base), Path(job.base).name
    train = job.train
    check_files(folder, "fp32", name)
    if job.adapter is not None and train.method in VIRTUAL:
        raise TuningError(
            f"Method '{train.method}' cannot go on from an adapter: its virtual tokens would belong to "
            "weights that are nowhere on disk; use lora, or merge the adapter into a model of its own first."
        )
    if job.adapter is not None:
        check_base(Path(job.adapter), folder, name)
    frozen_bf16 = precision is None and train.precision == "bf16" and train.method != "full"
    network, found = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16 if frozen_bf16 else torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
    )
    if found["missing_keys"]:
        raise ModelUnavailable(
            f"the weights in '{folder}' are not complete; download or save the model again.",
            name,
            "transformers",
        )
    if job.adapter is not None:
        network = merged(network, Path(job.adapter), name)
    if train.method == "qlora" and precision is None:
        network = quantize_network(network, "nf4", device)
        network.is_loaded_in_4bit = True  # by this the libraries know which layers to put matrices beside
        _keep_differentiable(network)
    return network


def beside(train: Train, network: Any) -> Any | None:
    """The configuration of what the method trains beside the weights; None where it trains them all.

    Raises TuningError where `targets` names layers that the network does not have.
    """
    from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptTuningConfig

    if train.method == "full":
        return None
    if train.method in LOW_RANK:
        _check_targets(train, network)
        return LoraConfig(
            r=train.rank,
            lora_alpha=train.alpha if train.alpha is not None else 2 * train.rank,
            lora_dropout=train.dropout,
            target_modules=list(train.targets) or "all-linear",
            use_dora=train.method == "dora",
            task_type="CAUSAL_LM",
        )
    if train.method == "ia3":
        _check_targets(train, network)
        layers = list(train.targets) or linear_names(network)
        forward = [layer for layer in layers if PUTS_BACK.search(layer)]
        return IA3Config(target_modules=layers, feedforward_modules=forward, task_type="CAUSAL_LM")
    kind = PrefixTuningConfig if train.method == "prefix" else PromptTuningConfig
    return kind(num_virtual_tokens=train.virtual_tokens, task_type="CAUSAL_LM")


def linear_names(network: Any) -> list[str]:
    """The last names of every linear layer but the output head, such as ["down_proj", "q_proj"]."""
    return sorted({name.rpartition(".")[2] for name in _linear_paths(network)})


def parameters(network: Any) -> tuple[int, int]:
    """How many numbers the network holds, and how many of them are trained. 4-bit ones count one by one."""
    held = trained = 0
    for weight in network.parameters():
        count = weight.numel()
        if hasattr(weight, "quant_state") and weight.quant_state is not None:
            count = weight.quant_state.shape.numel()
        held += count
        trained += count if weight.requires_grad else 0
    return held, trained


def in_words(problem: BaseException) -> str | None:
    """One sentence for a want of memory; None for other problems."""
    if isinstance(problem, MemoryError) or OUT_OF_MEMORY.search(str(problem)):
        return (
            "There is not enough memory to train this; use a smaller `batch` with more `accumulate`, "
            "`gradient_checkpointing: true`, method lora or qlora, or a smaller base."
        )
    return None


def _keep_differentiable(network: Any) -> None:
    """Some CPUs have a faster layout of 4-bit weights; the first look would change to it for good, and no
    gradient passes through it.
    """
    for layer in network.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def _linear_paths(network: Any) -> list[str]:
    from torch import nn

    head = network.get_output_embeddings()
    return [
        name for name, layer in network.named_modules() if isinstance(layer, nn.Linear) and layer is not head
    ]


def _check_targets(train: Train, network: Any) -> None:
    paths = _linear_paths(network)
    for target in train.targets:
        if not any(path == target or path.endswith(f".{target}") for path in paths):
            known = ", ".join(linear_names(network))
            raise TuningError(
                f"train.targets: the base has no linear layer '{target}' that can be tuned; it has {known}."
            )
