"""Where a local model's files are, whether they can be used, and the hash of what they hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable
from workbench.models.local.hub import download, downloaded, is_hub_name

DECIDES_OUTPUTS = (
    "*.safetensors",
    "config.json",
    "adapter_config.json",
    "generation_config.json",
    "tokenizer*",
    "*.jinja",
    "*.model",
)

_HASHES: dict[tuple[str, int, int], str] = {}


def local_folder(model: str, name: str) -> Path | None:
    """The folder that `model` names, or None where it is a hub name that is not on this machine."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if not is_hub_name(model):
        raise ModelUnavailable(f"there is no folder '{model}'.", name, "transformers")
    return downloaded(model)


def find_weights(model: str, name: str) -> Path:
    """The folder of a model, fetched from the hub if need be. Raises ModelUnavailable."""
    folder = find_folder(model, name)
    require_safetensors(folder, name)
    return folder


def find_folder(model: str, name: str) -> Path:
    """The folder of a model or an adapter, fetched from the hub if need be. Raises ModelUnavailable."""
    return local_folder(model, name) or download(model, name)


def require_safetensors(folder: Path, name: str) -> None:
    """Raises ModelUnavailable unless the folder holds a configuration and safetensors weights."""
    if not (folder / "config.json").is_file():
        raise ModelUnavailable(f"the folder '{folder}' has no config.json.", name, "transformers")
    if not any(folder.glob("*.safetensors")):
        raise ModelUnavailable(
            f"the folder '{folder}' has no safetensors weights; pickled ones (.bin, .pt) are never loaded, "
            "save them again with `save_pretrained`.",
            name,
            "transformers",
        )


def context_tokens(folder: Path) -> int | None:
    """The context window that config.json states."""
    config = _config(folder)
    inner = config.get("text_config")
    stated = config.get("max_position_embeddings") or (
        inner.get("max_position_embeddings") if isinstance(inner, dict) else None
    )
    return stated if isinstance(stated, int) and stated > 0 else None


def stored_dtype(folder: Path) -> str | None:
    """The type of the weights that config.json states, such as "bfloat16"."""
    config = _config(folder)
    inner = config.get("text_config")
    for stated in (config, inner if isinstance(inner, dict) else {}):
        found = stated.get("dtype") or stated.get("torch_dtype")
        if isinstance(found, str):
            return found.removeprefix("torch.")
    return None


def weights_hash(folder: Path) -> str:
    """SHA-256 over the files that decide what the model answers. Read again only when they change."""
    whole = hashlib.sha256()
    for path in sorted({path for pattern in DECIDES_OUTPUTS for path in folder.glob(pattern)}):
        whole.update(f"{path.name}:{file_hash(path)}\n".encode())
    return whole.hexdigest()


def weights_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a weights file was replaced."""
    files = sorted(folder.glob("*.safetensors"))
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


def file_hash(path: Path) -> str:
    """SHA-256 of a file. Read again only when its time or size has changed."""
    status = path.stat()
    key = (str(path.resolve()), status.st_mtime_ns, status.st_size)
    if key not in _HASHES:
        with path.open("rb") as file:
            _HASHES[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _HASHES[key]


def _config(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
