"""Whether a model's files can be loaded, told from configuration and headers before any weight is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.local.quantization import DEFAULT_QUANTIZATION
from workbench.models.local.tensors import read_tensors
from workbench.models.local.weights import require_safetensors


def check_files(folder: Path, quantization: str, name: str) -> None:
    """Raises ModelUnavailable where the folder's model cannot be loaded or does not complete text.

    Imports `transformers`, which knows the architectures.
    """
    if not folder.is_dir():
        raise _refused(f"the folder '{folder}' is not there any more.", name)
    require_safetensors(folder, name)
    config = _config(folder, name)
    _check_architecture(config, folder, name)
    _check_values(folder, name)
    if config.get("quantization_config") and quantization != DEFAULT_QUANTIZATION:
        raise _refused(
            f"the weights in '{folder}' are quantized already; leave `quantization` out of the row, or use "
            "the model that they were made from.",
            name,
        )
    try:
        read_tensors(folder)
    except ModelUnavailable as problem:
        raise _refused(problem.problem, name) from None


def _check_architecture(config: dict[str, Any], folder: Path, name: str) -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    kind, stated = config.get("model_type"), config.get("architectures")
    architectures = [str(one) for one in stated] if isinstance(stated, list) else []
    if kind not in CONFIG_MAPPING_NAMES:
        code = " (it brings code of its own, which is never run)" if config.get("auto_map") else ""
        raise _refused(
            f"'{folder}' holds a model of the type {kind!r}, which the installed transformers does not "
            f"know{code}.",
            name,
        )
    completing: set[str] = set()
    for found in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        completing.update([found] if isinstance(found, str) else found)
    fits = (
        completing.intersection(architectures) if architectures else kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    )
    if not fits:
        raise _refused(
            f"'{folder}' holds a {architectures[0] if architectures else kind}, which does not complete "
            "text; a causal language model (such as LlamaForCausalLM) is needed.",
            name,
        )


def _check_values(folder: Path, name: str) -> None:
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as problem:  # each architecture checks its own values, or trips over them
        words = " ".join(str(problem).split())[:200].rstrip(".") or type(problem).__name__
        raise _refused(
            f"'{folder / 'config.json'}' states values that no such model has ({words}); download or save "
            "the model again.",
            name,
        ) from None


def _config(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refused(f"'{folder / 'config.json'}' cannot be read; download or save the model again.", name)
    return found


def _refused(problem: str, name: str) -> ModelUnavailable:
    return ModelUnavailable(problem, name, "transformers")
