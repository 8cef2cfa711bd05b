"""Adapters over a base: found, held against the base before anything is loaded, and merged into it.

LoRA, DoRA and (IA)³ change the base's matrices and are merged; prefix, prompt and P-tuning put virtual
tokens before every prompt, which `soft_prompts` reads.

- {name: mine, provider: transformers, model: ./models/base, adapter: ./models/mine-lora}

An adapter's tensors tell the widths of the layers that they were trained on:

base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight  (8, 128)     rank, in
base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight  (128, 8)     out, rank
base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector    (128,)   out, of DoRA
base_model.model.model.layers.0.self_attn.k_proj.ia3_l  (64, 1)   out, of (IA)³; or (1, in)
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.local.memory import read_widths
from workbench.models.local.soft_prompts import SOFT_KINDS, soft_difference
from workbench.models.local.tensors import Tensor, file_tensors, read_tensors
from workbench.models.local.weights import find_folder

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
EXTRA = "pip install 'workbench[adapters]'"
MATRIX = re.compile(r"\.(lora_(embedding_)?[AB]|lora_magnitude_vector|ia3_l)(\.weight)?$")
PART = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>.+?)\.(?P<part>lora_\w+|ia3_l|weight|bias)(?:\.weight)?$"
)
MERGED_KINDS = {"LORA": "LoRA", "IA3": "(IA)³"}


def find_adapter(adapter: str, name: str) -> Path:
    """The adapter's folder, fetched from the hub if need be. Raises ModelUnavailable."""
    return require_adapter(find_folder(adapter, name), name)


def require_adapter(folder: Path, name: str) -> Path:
    """The folder, once it holds an adapter of a known kind as safetensors. Raises ModelUnavailable."""
    if not (folder / CONFIG).is_file():
        raise _refused(f"the adapter's folder '{folder}' has no {CONFIG}.", name)
    kind = adapter_config(folder, name).get("peft_type")
    if kind not in MERGED_KINDS and kind not in SOFT_KINDS:
        raise _refused(
            f"the adapter '{folder}' is of the kind {kind}; LoRA, DoRA, (IA)³, prefix tuning, prompt tuning "
            "and P-tuning can be used.",
            name,
        )
    if kind in MERGED_KINDS and find_spec("peft") is None:
        raise _refused(f"its adapter needs the package peft, which is not installed: {EXTRA}.", name)
    if not (folder / WEIGHTS).is_file():
        raise _refused(
            f"the adapter's folder '{folder}' has no {WEIGHTS}; pickled weights (.bin) are never loaded, "
            "save it again with `save_pretrained`.",
            name,
        )
    return folder


def adapter_config(folder: Path, name: str) -> dict[str, Any]:
    """What adapter_config.json says. Raises ModelUnavailable where it cannot be read."""
    try:
        found = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refused(f"'{folder / CONFIG}' cannot be read; download or save the adapter again.", name)
    return found


def adapter_kind(folder: Path, name: str) -> str:
    """What the adapter is, as people call it, such as "DoRA" or "prefix tuning". Raises ModelUnavailable."""
    return kind_name(adapter_config(folder, name))


def kind_name(config: dict[str, Any]) -> str:
    """The same, from what adapter_config.json says."""
    kind = str(config.get("peft_type") or "adapter")
    if kind == "LORA" and config.get("use_dora"):
        return "DoRA"
    if kind == "LORA" and config.get("use_rslora"):
        return "rsLoRA"
    return MERGED_KINDS.get(kind) or SOFT_KINDS.get(kind, kind)


def is_soft(folder: Path, name: str) -> bool:
    """Whether the adapter is virtual tokens, which no weights can take in. Raises ModelUnavailable."""
    return adapter_config(folder, name).get("peft_type") in SOFT_KINDS


def require_mergeable(folder: Path, name: str) -> Path:
    """The folder, once its adapter can become part of the weights. Raises ModelUnavailable."""
    require_adapter(folder, name)
    if is_soft(folder, name):
        raise _refused(
            f"the adapter '{folder}' is virtual tokens ({adapter_kind(folder, name)}), which cannot "
            "be merged into weights; use it as `adapter` of a row with `provider: transformers`, or tune by "
            "LoRA, DoRA or (IA)³.",
            name,
        )
    return folder


def check_base(adapter: Path, base: Path, name: str) -> None:
    """Raises ModelUnavailable where the adapter's layers are not those of the base, by their widths.

    The base's name in the adapter's configuration is no proof: folders move and are renamed.
    """
    try:
        trained, held = file_tensors(adapter / WEIGHTS), read_tensors(base)
    except ModelUnavailable as problem:
        raise _refused(problem.problem, name) from None
    shapes = {tensor.name: tensor.shape for tensor in held}
    kind = str(adapter_config(adapter, name).get("peft_type"))
    soft = soft_difference(kind, trained, read_widths(base)) if kind in SOFT_KINDS else None
    for difference in [soft, *(_difference(tensor, shapes) for tensor in trained)]:
        if difference:
            stated = adapter_config(adapter, name).get("base_model_name_or_path") or "another model"
            raise _refused(
                f"the adapter '{adapter}' does not fit the base '{base}': {difference}; it states that it "
                f"was trained on '{stated}', use that as `model`.",
                name,
            )


def merged(network: Any, adapter: Path, name: str) -> Any:
    """The network with the adapter's changes in its weights. Raises ModelUnavailable."""
    require_mergeable(adapter, name)
    from peft import PeftModel

    before = {key: value.shape for key, value in network.named_parameters()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = PeftModel.from_pretrained(network, str(adapter), is_trainable=False)
    held = {key.replace(".default", "").removesuffix(".weight") for key in both.state_dict()}
    lost = [
        one.name
        for one in file_tensors(adapter / WEIGHTS)
        if MATRIX.search(one.name) and one.name.removesuffix(".weight") not in held
    ]
    whole = both.merge_and_unload(safe_merge=True)
    if lost or {key: value.shape for key, value in whole.named_parameters()} != before:
        raise _refused(
            f"the adapter '{adapter}' changes layers that the loaded model does not have"
            f"{f', such as {lost[0]!r}' if lost else ''}; use the base that it was trained on.",
            name,
        )
    return whole


def _difference(tensor: Tensor, base: dict[str, tuple[int, ...]]) -> str | None:
    found = PART.match(tensor.name)
    if found is None or len(tensor.shape) not in (1, 2):
        return None
    module, part = found["module"].removesuffix(".base_layer"), found["part"]
    if module.rpartition(".")[2] == "lm_head" and not _named(base, f"{module}.weight"):
        return None  # tied to the embedding, it is not stored by itself
    shape = _named(base, f"{module}.weight")
    if shape is None:
        return f"it changes '{module}', which the base does not have"
    trained = _width(part, tensor.shape)
    if trained is None or trained in shape or trained == shape:
        return None
    return f"'{module}' is {_sizes(shape)} in the base and {_sizes(tensor.shape)} in the adapter's {part}"


def _width(part: str, shape: tuple[int, ...]) -> int | tuple[int, ...] | None:
    """The side of the base's matrix that a part tells; all of it where the part replaces the matrix."""
    if part in ("lora_magnitude_vector", "ia3_l"):
        return max(shape)
    if len(shape) == 1:
        return None
    if part in ("lora_A", "lora_embedding_A"):
        return shape[1]
    if part in ("lora_B", "lora_embedding_B"):
        return shape[0]
    return shape if part == "weight" else None


def _named(base: dict[str, tuple[int, ...]], name: str) -> tuple[int, ...] | None:
    """The shape of that tensor; a checkpoint may leave out, or add, the outermost names."""
    if name in base:
        return base[name]
    inner = [
        shape for known, shape in base.items() if known.endswith(f".{name}") or name.endswith(f".{known}")
    ]
    return inner[0] if inner else None


def _sizes(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape))


def _refused(problem: str, name: str) -> ModelUnavailable:
    return ModelUnavailable(problem, name, "transformers")
