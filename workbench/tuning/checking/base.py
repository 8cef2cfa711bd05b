"""The model that is to be tuned: whether it can be, and what its files say of it.

find_base(catalog.spec("small"))  ->  Base("small", folder, parameters=1360000, context=1024, …)
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from workbench.core.model import ModelSpec
from workbench.errors import ModelUnavailable, TuningError
from workbench.models.local.adapters import find_adapter
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.memory import Widths, read_widths
from workbench.models.local.tensors import Tensor, read_tensors
from workbench.models.local.weights import context_tokens, local_folder, require_safetensors

NOT_QUANTIZED = frozenset({None, "fp32", "bf16", "fp16"})
APART = ("embed", "wte", "wpe", "norm", "lm_head", "experts")


@dataclass(frozen=True)
class Base:
    """A model whose weights lie on this machine as safetensors.

    Attributes:
        name: as the recipe says it.
        adapter: folder of an adapter that is merged into the weights before training.
        chat_template: for a base that has none, as in its row.
        tensors: of the weights' files, without the numbers.
        context: tokens; None where config.json does not say.
    """

    name: str
    folder: Path
    adapter: Path | None
    chat_template: str | None
    device: str | None
    tensors: tuple[Tensor, ...] = field(repr=False)
    widths: Widths = field(repr=False)
    context: int | None

    @property
    def parameters(self) -> int:
        """Weights, tied ones counted once."""
        return sum(tensor.parameters for tensor in self.tensors)

    @property
    def linear(self) -> tuple[Tensor, ...]:
        """The linear layers that adapters go beside; the head is not one of them."""
        return tuple(
            tensor
            for tensor in self.tensors
            if len(tensor.shape) == 2 and not any(word in tensor.name.lower() for word in APART)
        )

    @cached_property
    def chat(self) -> ChatTokenizer:
        """Its tokenizer with the chat template (imports transformers). Raises ModelUnavailable."""
        return ChatTokenizer(self.folder, self.name, self.chat_template)


def find_base(spec: ModelSpec) -> Base:
    """The base behind a row of the catalog. Loads no weights.

    Raises TuningError, with what to do instead, for a model that is not on this machine, is hosted, a GGUF
    file or quantized, or whose files cannot be read.
    """
    name = spec.name
    if spec.provider == "llama_cpp" and spec.model.endswith(".gguf"):
        raise TuningError(
            f"'{name}' is a GGUF file, whose weights cannot be trained; name as base the folder of "
            "safetensors that it was made from."
        )
    if spec.provider not in ("transformers", "llama_cpp"):
        raise TuningError(
            f"'{name}' is run by another server (provider '{spec.provider}'), so its weights cannot be "
            "trained here; name as base a model of the provider 'transformers', such as 'small', and let "
            "this one be the teacher: collect its outputs."
        )
    if spec.quantization not in NOT_QUANTIZED:
        plain = name.rpartition("@")[0]
        how = f"name '{plain}' as base" if plain else "leave `quantization` out of its row"
        raise TuningError(
            f"'{name}' is held as {spec.quantization}, and quantized weights cannot be trained; {how}, and "
            "where memory is short train it with `method: qlora`."
        )
    try:
        folder = local_folder(spec.model, name)
        if folder is None:
            raise TuningError(
                f"'{name}' is not on this machine yet; fetch it with `workbench models download {name}`."
            )
        require_safetensors(folder, name)
        _refuse_quantized(folder, name)
        return Base(
            name=name,
            folder=folder,
            adapter=find_adapter(spec.adapter, name) if spec.adapter else None,
            chat_template=spec.chat_template,
            device=spec.device,
            tensors=read_tensors(folder),
            widths=read_widths(folder),
            context=spec.context or context_tokens(folder),
        )
    except ModelUnavailable as problem:
        raise TuningError(f"'{name}' cannot be tuned: {problem.problem}") from None


def _refuse_quantized(folder: Path, name: str) -> None:
    try:
        stated = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):  # said with its own words where the sizes are read
        return
    held = stated.get("quantization_config") if isinstance(stated, dict) else None
    if held:
        method = held.get("quant_method") if isinstance(held, dict) else None
        raise TuningError(
            f"the weights of '{name}' are quantized already ({method or 'in their files'}) and cannot be "
            "trained; name as base the model that they were made from, with `method: qlora` where memory is "
            "short."
        )
