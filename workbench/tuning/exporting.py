"""A model of this machine as files for elsewhere: its adapter, whole weights, or one GGUF file.

export_tuned(workspace, "small-quickstart", Path("out/mine"), "adapter")
    out/mine/  adapter_config.json  adapter_model.safetensors
export_tuned(workspace, "small-quickstart", Path("out/mine"), "safetensors")
    out/mine/  config.json  model.safetensors  tokenizer.json  chat_template.jinja …
export_tuned(workspace, "small-quickstart", Path("out/mine.gguf"), "gguf", "q8_0")
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from workbench.core.model import ModelSpec
from workbench.engine.workspace import Workspace
from workbench.errors import UnknownName, UsageError
from workbench.models.local.adapters import (
    CONFIG,
    WEIGHTS,
    adapter_config,
    check_base,
    find_adapter,
    require_mergeable,
)
from workbench.models.local.hub import is_hub_name
from workbench.models.local.merging import Precision, merge_to_folder, staged_folder
from workbench.models.local.weights import find_weights

ExportKind = Literal["adapter", "safetensors", "gguf"]
EXPORT_KINDS: tuple[ExportKind, ...] = get_args(ExportKind)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
USUAL_GGUF = "f16"


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What was written."""

    model: str
    kind: ExportKind
    path: Path
    """A folder, or the GGUF file."""
    quantization: str | None
    bytes: int


def export_tuned(
    workspace: Workspace,
    name: str,
    out: Path,
    kind: ExportKind,
    quantization: str | None = None,
    replace: bool = False,
) -> ExportedModel:
    """Writes a model of this machine to `out`, in one step.

    Args:
        workspace: whose models.
        name: a model with `provider: transformers`: a tuned one, or any other with safetensors weights.
        out: the folder, or the file for `gguf`.
        kind: adapter: what a tuning added, as peft reads it; safetensors: whole weights; gguf: one file for
            llama.cpp.
        quantization: of whole weights `fp32` (the default) or `bf16`; of GGUF a name such as `q8_0`, by
            default `f16`; an adapter has none.
        replace: whether what is there may be replaced.

    Raises UsageError for what is there already or does not go together, UnknownName, ModelUnavailable
    for a model that has no such form (virtual tokens cannot be merged), StorageError.
    """
    if kind not in EXPORT_KINDS:
        raise UnknownName("form of export", str(kind), EXPORT_KINDS)
    spec = workspace.models.spec(name)
    _check(spec, out, kind, quantization, replace)
    if kind == "adapter":
        _write_adapter(spec, out, replace)
    elif kind == "safetensors":
        quantization = quantization or "fp32"
        _write_whole(spec, out, "bf16" if quantization == "bf16" else "fp32", replace)
    else:
        quantization = quantization or USUAL_GGUF
        _write_gguf(spec, out, quantization)
    return ExportedModel(name, kind, out, quantization, _size(out))


def usual_path(workspace: Workspace, name: str, kind: ExportKind) -> Path:
    """Where a model goes unless somebody says otherwise: `models/` of the workspace."""
    plain = name.replace("/", "-").replace("@", "-")
    return workspace.root / "models" / (f"{plain}.gguf" if kind == "gguf" else f"{plain}-{kind}")


def _check(spec: ModelSpec, out: Path, kind: ExportKind, quantization: str | None, replace: bool) -> None:
    if spec.provider != "transformers":
        raise UsageError(
            f"'{spec.name}' is a row with `provider: {spec.provider}`; only models with safetensors weights "
            "on this machine (`provider: transformers`) are exported."
        )
    if kind == "adapter" and spec.adapter is None:
        raise UsageError(
            f"'{spec.name}' is whole weights without an adapter; export it as safetensors or gguf."
        )
    if kind == "adapter" and quantization is not None:
        raise UsageError("An adapter is written as it was trained; leave out the quantization.")
    if kind == "safetensors" and quantization not in (None, *PRECISIONS):
        raise UsageError(
            f"Whole weights are written as {' or '.join(PRECISIONS)}, not as '{quantization}'; for smaller "
            "ones export as gguf."
        )
    if kind == "gguf":
        from workbench.models.gguf.convert import known_quantization

        known_quantization(quantization or USUAL_GGUF)
        if out.suffix.lower() != ".gguf":
            raise UsageError(f"'{out}' does not end in .gguf; name the file that is to be written.")
        if out.is_dir():
            raise UsageError(f"'{out}' is a folder; name the file that is to be written.")
    there = any(out.iterdir()) if out.is_dir() else out.exists()
    if there and not replace:
        raise UsageError(f"{out} is there already; name another, or replace it (`--force`).")
    if kind != "gguf" and out.is_file():
        raise UsageError(f"{out} is a file; name the folder that is to be written.")


def _write_adapter(spec: ModelSpec, out: Path, replace: bool) -> None:
    """The adapter's two files. Its base is named as others know it: not by a folder of this machine."""
    folder, base = _adapter(spec), find_weights(spec.model, spec.name)
    check_base(folder, base, spec.name)
    config = adapter_config(folder, spec.name)
    config["base_model_name_or_path"] = spec.model if _on_the_hub(spec) else base.resolve().name
    with staged_folder(out, replace) as staged:
        shutil.copyfile(folder / WEIGHTS, staged / WEIGHTS)
        (staged / CONFIG).write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _write_whole(spec: ModelSpec, out: Path, precision: Precision, replace: bool) -> None:
    adapters = [require_mergeable(_adapter(spec), spec.name)] if spec.adapter is not None else []
    base = find_weights(spec.model, spec.name)
    merge_to_folder(base, adapters, out, spec.name, precision, spec.chat_template, replace)


def _write_gguf(spec: ModelSpec, out: Path, quantization: str) -> None:
    from workbench.models.gguf.convert import check_convertible, convert
    from workbench.models.gguf.files import write_gguf

    check_convertible(find_weights(spec.model, spec.name), spec.name)
    if spec.chat_template is None:
        write_gguf(spec, out, quantization)
        return
    with tempfile.TemporaryDirectory(prefix="workbench-") as name:  # the file takes the folder's template
        _write_whole(spec, Path(name) / "whole", "fp32", replace=False)
        convert(Path(name) / "whole", out, quantization, spec.name)


def _on_the_hub(spec: ModelSpec) -> bool:
    return is_hub_name(spec.model) and not Path(spec.model).exists()


def _adapter(spec: ModelSpec) -> Path:
    return find_adapter(spec.adapter or "", spec.name)


def _size(path: Path) -> int:
    files: Any = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
