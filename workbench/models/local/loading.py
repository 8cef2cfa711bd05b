"""Reading a model's files into memory, as its row says: which weights, held how, on which device.

Wanted(folder, "int8", "mine")  ->  Loaded(network, chat, device="cpu", end_ids={2}, context=2048)
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelUnavailable
from workbench.models.local.adapters import adapter_config, check_base, is_soft, merged, require_adapter
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.checking import check_files
from workbench.models.local.memory import read_widths
from workbench.models.local.quantization import DEFAULT_QUANTIZATION, QUANTIZATIONS, weights_dtype
from workbench.models.local.soft_prompts import virtual_keys
from workbench.models.local.weights import stored_dtype, weights_stamp

if TYPE_CHECKING:
    from workbench.models.local.key_values import LayerPair

OUT_OF_MEMORY = re.compile(r"out of memory|not enough memory|can't allocate memory", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row asks for, its folders found."""

    folder: Path
    quantization: str
    name: str
    """The model's name in errors."""
    adapter: Path | None = None
    chat_template: str | None = None
    device: str | None = None

    def key(self) -> tuple[Any, ...]:
        """Equal for rows that can share one loaded model; changes when a weights file was replaced."""
        adapter = (str(self.adapter.resolve()), weights_stamp(self.adapter)) if self.adapter else None
        held = (self.quantization, adapter, self.chat_template, self.device)
        return (str(self.folder.resolve()), weights_stamp(self.folder), *held)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, ready to decode."""

    network: Any
    chat: ChatTokenizer
    device: str
    end_ids: set[int]
    """Tokens that end an answer."""
    context: int | None
    virtual: tuple[LayerPair, ...] = ()
    """Keys and values of the virtual tokens that stand before every prompt, layer by layer."""


def device_name(quantization: str, asked: str | None = None, name: str | None = None) -> str:
    """Where a model is put: the device asked for, else WORKBENCH_DEVICE, else the best that is there.

    Raises ModelUnavailable where the device is not there, or does not run the quantization.
    """
    there, runs_on = devices(), QUANTIZATIONS[quantization].devices
    wanted = asked or os.environ.get("WORKBENCH_DEVICE")
    if wanted is None:
        wanted = next((one for one in there if _kind(one) in runs_on), None)
        if wanted is None:
            problem = f"quantization '{quantization}' runs on {' and '.join(runs_on)} only"
            raise _no_device(problem, there, name, "`quantization`")
    elif wanted not in (*there, *map(_kind, there)):
        raise _no_device(f"device '{wanted}' is not on this machine", there, name)
    if _kind(wanted) not in runs_on:
        problem = f"quantization '{quantization}' does not run on '{wanted}', only on {' and '.join(runs_on)}"
        raise _no_device(problem, there, name)
    return wanted


def devices() -> list[str]:
    """The devices of this machine, best first, such as ["cuda:0", "cuda:1", "cpu"]."""
    import torch

    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def _kind(device: str) -> str:
    return device.partition(":")[0]


def _no_device(
    problem: str, there: list[str], name: str | None, change: str = "`device` or WORKBENCH_DEVICE"
) -> ModelUnavailable:
    here = ", ".join(there)
    return ModelUnavailable(
        f"{problem}; this machine has {here}: change the row's {change}.", name, "transformers"
    )


def load(wanted: Wanted) -> Loaded:
    """Reads tokenizer and weights, the adapter merged into them. Raises ModelUnavailable."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    check_files(wanted.folder, wanted.quantization, wanted.name)
    if wanted.adapter is not None:
        check_base(require_adapter(wanted.adapter, wanted.name), wanted.folder, wanted.name)
    soft = _virtual_adapter(wanted)
    chat = ChatTokenizer(wanted.folder, wanted.name, wanted.chat_template)
    device = device_name(wanted.quantization, wanted.device, wanted.name)
    try:
        network = _network(wanted, device, merging=soft is None)
        virtual = _virtual(soft, network, wanted) if soft is not None else ()
    except ModelUnavailable:
        raise
    except Exception as problem:  # what no check foresaw: told in the library's own words
        raise ModelUnavailable(_words(problem, wanted), wanted.name, "transformers", problem) from None
    stated = getattr(network.generation_config, "eos_token_id", None)
    ends = set(stated) if isinstance(stated, list) else ({stated} if stated is not None else set())
    config = network.config.get_text_config()
    return Loaded(
        network,
        chat,
        device,
        chat.end_ids | {int(end) for end in ends},
        getattr(config, "max_position_embeddings", None),
        virtual,
    )


def _virtual_adapter(wanted: Wanted) -> Path | None:
    """The adapter, where it is virtual tokens instead of changes to the weights."""
    return wanted.adapter if wanted.adapter is not None and is_soft(wanted.adapter, wanted.name) else None


def _virtual(adapter: Path, network: Any, wanted: Wanted) -> tuple[LayerPair, ...]:
    kind = str(adapter_config(adapter, wanted.name).get("peft_type"))
    return tuple(virtual_keys(network, adapter, kind, read_widths(wanted.folder)))


def _network(wanted: Wanted, device: str, merging: bool) -> Any:
    from transformers import AutoModelForCausalLM

    from workbench.models.local.quantized_layers import quantize_network

    network, found = AutoModelForCausalLM.from_pretrained(
        wanted.folder,
        dtype=weights_dtype(wanted.quantization, stored_dtype(wanted.folder), device),
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
    )
    missing = sorted(found["missing_keys"])
    if missing:  # they would be random numbers
        raise ModelUnavailable(
            f"the weights in '{wanted.folder}' are not complete for the architecture that config.json states "
            f"({len(missing)} missing, such as '{missing[0]}'); download or save the model again.",
            wanted.name,
            "transformers",
        )
    if wanted.adapter is not None and merging:
        network = merged(network, wanted.adapter, wanted.name)
    return quantize_network(network, wanted.quantization, device)


def _words(problem: Exception, wanted: Wanted) -> str:
    """One sentence for a failure of the library."""
    text = (str(problem).splitlines() or [""])[0][:200].rstrip(".")
    if isinstance(problem, MemoryError) or OUT_OF_MEMORY.search(str(problem)):
        smaller = "bf16" if wanted.quantization == DEFAULT_QUANTIZATION else "nf4"
        return (
            f"there is not enough memory to load it as {wanted.quantization}; hold it as {smaller} "
            f"(`{wanted.name.partition('@')[0]}@{smaller}`) or use a smaller model."
        )
    if "size" in text and "mismatch" in str(problem):
        return (
            f"the weights in '{wanted.folder}' do not have the shapes that its config.json states; the two "
            "are of different models."
        )
    return f"cannot be loaded ({text or type(problem).__name__})."
