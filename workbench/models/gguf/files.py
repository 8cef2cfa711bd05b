"""The GGUF file of a row: the one it names, or one that is made of its folder of safetensors and kept.

{provider: llama_cpp, model: ./models/mine.gguf}             ->  ./models/mine.gguf
{provider: llama_cpp, model: ./models/mine, quantization: q8_0}
    ->  ~/.cache/workbench/gguf/5f3a…-q8_0.gguf, written at the first use
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from workbench.core.document import content_hash
from workbench.core.model import ModelSpec
from workbench.errors import ModelUnavailable, UnknownName
from workbench.models.gguf.convert import Converted, check_convertible, convert, known_quantization
from workbench.models.gguf.header import GgufHeader
from workbench.models.local.adapters import check_base, find_adapter, require_mergeable
from workbench.models.local.chat_templates import choices, template_text
from workbench.models.local.weights import file_hash, find_weights, local_folder, weights_hash

PROVIDER = "llama_cpp"
FORMAT = 1  # counted up when the same folder would be written differently


def gguf_file(spec: ModelSpec) -> Path:
    """The file to load; converts the row's folder where that was not done before.

    Safe with several processes at once: one converts, the others wait. Raises ModelUnavailable.
    """
    named = named_file(spec)
    if named is not None:
        return named
    import filelock

    quantization = _quantization(spec)
    folder = find_weights(spec.model, spec.name)
    kept = cache_folder() / f"{_source_hash(spec, folder)}-{quantization}.gguf"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{kept}.lock"):
            if not kept.is_file():
                _convert(spec, folder, kept, quantization)
    return kept


def write_gguf(spec: ModelSpec, file: Path, quantization: str) -> Converted:
    """Writes the row's folder to `file`. Raises ModelUnavailable where the row names no such folder."""
    if Path(spec.model).suffix.lower() == ".gguf":
        raise ModelUnavailable(
            f"'{spec.model}' is a GGUF file already; convert the folder that it was made from.", spec.name
        )
    if spec.provider not in ("transformers", PROVIDER):
        raise ModelUnavailable(
            f"only a model whose weights are on this machine can be converted, and '{spec.provider}' asks a "
            "server.",
            spec.name,
        )
    folder = find_weights(spec.model, spec.name)
    return _convert(spec, folder, file, quantization)


def check_source(spec: ModelSpec) -> str:
    """What using the row does, as a sentence. Converts nothing. Raises ModelUnavailable."""
    named = named_file(spec)
    if named is not None:
        return f"Loads {named} with llama.cpp."
    quantization = _quantization(spec)
    folder = local_folder(spec.model, spec.name)
    if folder is None:
        return f"'{spec.model}' is not on this machine; it is downloaded and converted at its first use."
    check_convertible(folder, spec.name)
    if spec.adapter is not None:
        adapter = local_folder(spec.adapter, spec.name)
        if adapter is None:
            raise ModelUnavailable(
                f"the adapter '{spec.adapter}' is not on this machine.", spec.name, PROVIDER
            )
        check_base(require_mergeable(adapter, spec.name), folder, spec.name)
    done = "is converted to GGUF at its first use, and kept"  # whether it was: a hash of all weights
    return f"{folder} {done}, held as {quantization}, and run by llama.cpp."


def file_identity(spec: ModelSpec) -> str:
    """Hash of what decides the answers: the file, or the folder that it is made of."""
    named = named_file(spec)
    if named is not None:
        return content_hash({"gguf": file_hash(named), "chat_template": chosen_template(spec)})
    folder = find_weights(spec.model, spec.name)
    made = {"gguf of": _source_hash(spec, folder), "quantization": _quantization(spec)}
    return content_hash(made | {"chat_template": chosen_template(spec)})


def chosen_template(spec: ModelSpec) -> str | None:
    """The chat template that the row states in place of the model's own."""
    return None if spec.chat_template is None else template_text(spec.chat_template, spec.name)


def require_template(spec: ModelSpec, header: GgufHeader) -> None:
    """Raises ModelUnavailable where neither the row nor the file has a chat template.

    llama.cpp would take one that the model was never trained on.
    """
    if spec.chat_template is None and not header.settings.get("tokenizer.chat_template"):
        raise ModelUnavailable(
            "it has no chat template; state one in its row, such as `chat_template: chatml` "
            f"({choices()}, or the path of a .jinja file).",
            spec.name,
            PROVIDER,
        )


def cache_folder() -> Path:
    """Where converted files are kept: in WORKBENCH_CACHE, or else the user's cache."""
    stated = os.environ.get("WORKBENCH_CACHE")
    if stated:
        return Path(stated).expanduser() / "gguf"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "workbench" / "gguf"


def named_file(spec: ModelSpec) -> Path | None:
    """The .gguf file that the row names; None where it names a folder or a hub name."""
    path = Path(spec.model).expanduser()
    if path.is_dir() or path.suffix.lower() != ".gguf":
        return None
    if not path.is_file():
        raise ModelUnavailable(f"there is no file '{path}'.", spec.name, PROVIDER)
    if spec.quantization:
        raise ModelUnavailable(
            f"'{path}' holds its weights in one way only; leave out `quantization: {spec.quantization}`, or "
            "name the folder that the file was made from.",
            spec.name,
            PROVIDER,
        )
    if spec.adapter:
        raise ModelUnavailable(
            "an adapter cannot be laid over a GGUF file here; name the folder that the file was made from.",
            spec.name,
            PROVIDER,
        )
    return path


def _quantization(spec: ModelSpec) -> str:
    try:
        return known_quantization(spec.quantization or "f16").name
    except UnknownName as problem:
        raise ModelUnavailable(str(problem), spec.name, PROVIDER) from None


def _convert(spec: ModelSpec, folder: Path, file: Path, quantization: str) -> Converted:
    check_convertible(folder, spec.name)
    if spec.adapter is None:
        return convert(folder, file, quantization, spec.name)
    from workbench.models.gguf.merging import merged_folder

    with merged_folder(folder, find_adapter(spec.adapter, spec.name), spec.name) as whole:
        return convert(whole, file, quantization, spec.name)


def _source_hash(spec: ModelSpec, folder: Path) -> str:
    made_of = f"{FORMAT}:{weights_hash(folder)}"
    if spec.adapter is not None:
        made_of += f":{weights_hash(find_adapter(spec.adapter, spec.name))}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]
