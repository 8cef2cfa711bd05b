"""What can be seen of a model without loading it: its files, what it is made of, what its adapter adds.

inspect_model(workspace, "small@int8")  ->  Inspection(local=True, path=…/small, anatomy=Anatomy(…))
inspect_model(workspace, "gpt")         ->  Inspection(local=False, unseen="It runs on a server …")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.model import ModelSpec
from workbench.engine.workspace import Workspace
from workbench.errors import ModelUnavailable
from workbench.models.local.anatomy import AdapterAnatomy, Anatomy, adapter_anatomy, anatomy
from workbench.models.local.parts import Part
from workbench.models.local.weights import local_folder


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of a model before it is loaded."""

    spec: ModelSpec
    local: bool
    path: Path | None
    """Its folder or .gguf file; None where it is not on this machine."""
    anatomy: Anatomy | None
    adapter: AdapterAnatomy | None
    unseen: str = ""
    """Why its anatomy cannot be told and what to do, one sentence; empty where it can."""
    unseen_adapter: str = ""
    """The same for its adapter."""
    to_download: bool = False
    """Whether it is a hub's model that is not here yet."""


def inspect_model(workspace: Workspace, name: str) -> Inspection:
    """Looks at a model's files; milliseconds. Raises UnknownName; broken files are told in `unseen`."""
    spec = workspace.models.spec(name)
    if not workspace.models.open(name).local:
        return Inspection(
            spec, False, None, None, None, "It runs on a server: what it is made of cannot be seen from here."
        )
    path: Path | None = None
    try:
        path = _path(spec)
        if path is None:
            return Inspection(
                spec,
                True,
                None,
                None,
                None,
                f"'{spec.model}' is not on this machine yet; it is downloaded at its first use.",
                to_download=True,
            )
        found = anatomy(path)
    except ModelUnavailable as problem:
        return Inspection(spec, True, path, None, None, _sentence(problem))
    try:
        adapter = _adapter(spec)
    except ModelUnavailable as problem:
        return Inspection(spec, True, path, found, None, unseen_adapter=_sentence(problem))
    return Inspection(spec, True, path, found, adapter)


def facts(found: Anatomy) -> list[tuple[str, str]]:
    """The headline facts in words, those that the files state."""
    heads = None
    if found.heads:
        heads = f"{found.heads}" + (f", {found.head_width} wide" if found.head_width else "")
        if found.key_value_heads and found.key_value_heads != found.heads:
            heads += f"; {found.key_value_heads} for keys and values"
    experts = None
    if found.experts:
        experts = f"{found.experts}" + (
            f", {found.experts_per_token} for each token" if found.experts_per_token else ""
        )
    stored = ", ".join(
        name.lower() if share > 0.995 else f"{name.lower()} {share:.0%}"
        for name, share in ((name, count / max(1, found.parameters)) for name, count in found.dtypes)
        if share > 0.005
    )
    if found.quantized_as:
        stored = f"{stored} (packed by {found.quantized_as}: numbers are counted as stored)"
    every = [
        ("architecture", found.architecture),
        ("parameters", f"{found.parameters:,}"),
        ("layers", found.layers),
        ("hidden width", found.width),
        ("feed-forward width", found.feed_forward_width),
        ("heads", heads),
        ("experts", experts),
        ("norm", found.norm),
        ("activation", found.activation),
        ("positions", found.positions),
        ("vocabulary", found.vocabulary),
        ("head", "shares the embedding's weights" if found.tied else None),
        ("context", f"{found.context:,} tokens" if found.context else None),
        ("attention window", f"{found.window:,} tokens" if found.window else None),
        ("stored as", stored),
        ("on disk", f"{found.disk_bytes / 1e6:,.1f} MB"),
    ]
    return [
        (name, f"{value:,}" if isinstance(value, int) else value)
        for name, value in every
        if value is not None
    ]


def adapter_facts(adapter: AdapterAnatomy, base: Anatomy) -> list[tuple[str, str]]:
    """What an adapter adds to its base, in words."""
    share = adapter.parameters / max(1, base.parameters)
    every = [
        ("adapter", adapter.kind),
        ("made for", adapter.base),
        ("rank", str(adapter.rank) if adapter.rank else None),
        ("virtual tokens", str(adapter.virtual_tokens) if adapter.virtual_tokens else None),
        ("alpha", f"{adapter.alpha:g}" if adapter.alpha is not None else None),
        ("adapts", ", ".join(adapter.targets) or None),
        ("adds", f"{adapter.parameters:,} parameters, {share:.2%} of the base"),
        ("on disk", f"{adapter.disk_bytes / 1e6:,.1f} MB"),
    ]
    return [(name, value) for name, value in every if value is not None]


def inspection_json(found: Inspection) -> dict[str, Any]:
    """What `models show --json` says under `anatomy`, `adapter_adds` and `unseen`."""
    document: dict[str, Any] = {}
    if found.anatomy is not None:
        document["anatomy"] = _plain(found.anatomy)
    if found.adapter is not None:
        document["adapter_adds"] = _plain(found.adapter)
    if found.unseen or found.unseen_adapter:
        document["unseen"] = found.unseen or found.unseen_adapter
    return document


def _plain(found: Anatomy | AdapterAnatomy) -> dict[str, Any]:
    """Without the tree by layer, which is long and sums to the same."""
    document: dict[str, Any] = {}
    for name in found.__dataclass_fields__:
        value = getattr(found, name)
        if isinstance(value, Part):
            if name == "components":
                document[name] = {
                    part.name: {piece.name: piece.parameters for piece in part.parts} for part in value.parts
                }
        elif name == "dtypes":
            document[name] = dict(value)
        else:
            document[name] = (
                list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            )
    return document


def _path(spec: ModelSpec) -> Path | None:
    """A folder or a .gguf file; None for a hub name that is not here."""
    file = Path(spec.model).expanduser()
    return file if file.is_file() else local_folder(spec.model, spec.name)


def _adapter(spec: ModelSpec) -> AdapterAnatomy | None:
    if not spec.adapter:
        return None
    folder = local_folder(spec.adapter, spec.name)
    if folder is None:
        raise ModelUnavailable(f"its adapter '{spec.adapter}' is not on this machine yet.", spec.name)
    return adapter_anatomy(folder)


def _sentence(problem: ModelUnavailable) -> str:
    words = problem.problem
    return words[:1].upper() + words[1:]
