"""A base and its adapters as one folder of whole weights, which needs neither base nor peft any more.

merge_to_folder(Path("models/base"), Path("models/mine-lora"), Path("models/mine"), "mine")

models/mine/   config.json  model.safetensors  tokenizer.json  chat_template.jinja  generation_config.json
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from workbench.errors import ModelUnavailable, StorageError
from workbench.models.local.adapters import check_base, merged, require_mergeable
from workbench.models.local.chat_templates import template_text
from workbench.models.local.libraries import import_libraries

BESIDE_WEIGHTS = (
    "tokenizer*",
    "*.jinja",
    "special_tokens_map.json",
    "generation_config.json",
    "vocab.*",
    "merges.txt",
)
TEMPLATE_FILE = "chat_template.jinja"
SHARD = "5GB"

Precision = Literal["fp32", "bf16"]


def merge_to_folder(
    base_folder: Path,
    adapter: Path | Sequence[Path],
    out_folder: Path,
    name: str,
    precision: Precision = "fp32",
    chat_template: str | None = None,
    replace: bool = False,
) -> Path:
    """Writes base and adapters as whole weights; the folder appears only when it is complete.

    The network is in memory once. What is added to a weight is mostly smaller than the steps of 16 bits,
    so that only fp32 answers exactly as base and adapter do.

    Args:
        base_folder: safetensors, tokenizer and configuration of the base.
        adapter: one that changes weights, or several, each trained over what the ones before it made;
            none writes the base itself.
        out_folder: where the model goes.
        name: the model's name, for errors.
        precision: how the weights are written.
        chat_template: a known template or a .jinja file, in place of the base's own.
        replace: whether a folder that is there may be replaced; it stays until the new one is complete.

    Raises ModelUnavailable for an adapter that does not fit or cannot be merged, StorageError where the
    folder is there already or cannot be written.
    """
    adapters = [adapter] if isinstance(adapter, Path) else list(adapter)
    _require_whole(base_folder, name)
    for each in adapters:
        check_base(require_mergeable(each, name), base_folder, name)
    template = template_text(chat_template, name) if chat_template is not None else None
    with staged_folder(out_folder, replace) as staged:
        _write_weights(base_folder, adapters, staged, name, precision)
        _write_rest(base_folder, staged, template)
    return out_folder


@contextlib.contextmanager
def staged_folder(folder: Path, replace: bool = False) -> Iterator[Path]:
    """A folder that takes the place of `folder` when the block ends without an error.

    Raises StorageError where `folder` is there and is not to be replaced, or the disk is full.
    """
    from safetensors import SafetensorError

    if not replace and (folder.is_file() or (folder.is_dir() and any(folder.iterdir()))):
        raise StorageError(f"{folder} is there already; name another, or say that it is to be replaced.")
    staged: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        yield staged
        _settle(staged)
        _take_place(staged, folder)
        staged = None
    except (OSError, SafetensorError) as problem:
        reason = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:200]
        raise StorageError(f"{folder} could not be written: {reason.lower().rstrip('.')}.") from None
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)


def _write_weights(base: Path, adapters: Sequence[Path], out: Path, name: str, precision: Precision) -> None:
    import_libraries()
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    network = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )
    for adapter in adapters:
        network = merged(network, adapter, name)
    if precision == "bf16":
        network = network.to(torch.bfloat16)
    network.save_pretrained(out, max_shard_size=SHARD)


def _write_rest(base: Path, out: Path, template: str | None) -> None:
    """The base's tokenizer and generation settings, and the template."""
    for file in {found for pattern in BESIDE_WEIGHTS for found in base.glob(pattern)}:
        if file.is_file():
            shutil.copyfile(file, out / file.name)
    if template is not None:
        (out / TEMPLATE_FILE).write_text(template, "utf-8")


def _require_whole(folder: Path, name: str) -> None:
    """Nothing can be added to weights that are quantized without losing most of it."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise ModelUnavailable(f"'{folder / 'config.json'}' cannot be read; download or save it again.", name)
    if config.get("quantization_config"):
        raise ModelUnavailable(
            f"the weights in '{folder}' are quantized already; use the model that they were made from.", name
        )


def _settle(folder: Path) -> None:
    """Makes what was written outlive a loss of power, and readable like any other folder."""
    folder.chmod(0o755)
    for file in folder.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def _take_place(staged: Path, folder: Path) -> None:
    if not folder.exists():
        staged.replace(folder)
        return
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        staged.replace(folder)
        return
    old = staged.with_name(f"{staged.name}.old")
    folder.replace(old)
    staged.replace(folder)
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink()
