"""Models from the Hugging Face hub: whether one is on this machine already, and fetching one that is not.

HuggingFaceTB/SmolLM2-135M-Instruct        OWNER/NAME, or OWNER/NAME@REVISION for a branch, tag or commit
"""

from __future__ import annotations

import errno
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable

HUB_NAME = re.compile(r"(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w][\w./-]*))?")
USED_FILES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
UNUSED_FILES = ("*/*", "consolidated*.safetensors")  # other formats' copies of the same weights
SPARE_BYTES = 2**28
"""Left free on the disk beside the model."""
SECONDS_OF_RATE = 5.0


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download is."""

    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_s: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the present rate; None while that is not known."""
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s if self.bytes_per_s else None


class Cancelled(Exception):
    """A download that a person stopped; what has arrived is kept for the next attempt."""


def is_hub_name(model: str) -> bool:
    """Whether this could be a model on the hub."""
    return HUB_NAME.fullmatch(model) is not None and ".." not in model


def downloaded(model: str) -> Path | None:
    """The folder of a hub model whose files are all on this machine; None otherwise. Asks no server."""
    from huggingface_hub import snapshot_download

    repository, revision = _parts(model)
    try:
        found = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=list(USED_FILES),
            ignore_patterns=list(UNUSED_FILES),
            local_files_only=True,
        )
    except (OSError, ValueError):
        return None
    return Path(found)


def download(
    model: str,
    name: str | None = None,
    on_progress: Callable[[DownloadProgress], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """The folder of a hub model, fetched where it is not here: weights, tokenizer and configuration only.

    An attempt that was broken off is continued where it stopped.

    Args:
        model: OWNER/NAME, or OWNER/NAME@REVISION.
        name: the model's name in errors; default: `model`.
        on_progress: told how far it is, from other threads, some times a second.
        cancelled: asked now and then; True ends the download.

    Raises ModelUnavailable with what is wrong, and Cancelled.
    """
    from huggingface_hub import HfApi, snapshot_download

    repository, revision = _parts(model)
    called = name or model
    try:
        info = HfApi().model_info(repository, revision=revision, files_metadata=True)
        files = {each.rfilename: each.size or 0 for each in _used(info.siblings or [])}
        if not any(file.endswith(".safetensors") for file in files):
            raise ModelUnavailable(
                f"'{repository}' has no safetensors weights on the hub; pickled ones (.bin, .pt) are never "
                "loaded, choose another version of the model.",
                called,
                "transformers",
            )
        missing = sum(size for file, size in files.items() if not _is_here(repository, file, info.sha))
        _require_disk(missing, repository, called)
        bars = _progress_bars(sum(files.values()), sum(files.values()) - missing, on_progress, cancelled)
        found = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=list(USED_FILES),
            ignore_patterns=list(UNUSED_FILES),
            tqdm_class=bars,
        )
    except (ModelUnavailable, Cancelled):
        raise
    except Exception as problem:  # the hub's client and its transport raise many kinds
        if cancelled():
            raise Cancelled from None
        raise ModelUnavailable(_sentence(problem, model), called, "transformers", problem) from None
    return Path(found)


def _parts(model: str) -> tuple[str, str | None]:
    found = HUB_NAME.fullmatch(model)
    if found is None or ".." in model:
        raise ModelUnavailable(
            f"'{model}' is no name on the hub; write OWNER/NAME, or OWNER/NAME@REVISION.",
            model,
            "transformers",
        )
    return found["repository"], found["revision"]


def _used(siblings: list[Any]) -> list[Any]:
    def matches(file: str, patterns: tuple[str, ...]) -> bool:
        return any(fnmatch(file, pattern) for pattern in patterns)

    return [
        each
        for each in siblings
        if matches(each.rfilename, USED_FILES) and not matches(each.rfilename, UNUSED_FILES)
    ]


def _is_here(repository: str, file: str, commit: str | None) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repository, file, revision=commit), str)


def _require_disk(missing_bytes: int, repository: str, called: str) -> None:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    free_bytes = shutil.disk_usage(there).free
    if missing_bytes + SPARE_BYTES > free_bytes:
        raise ModelUnavailable(
            f"'{repository}' takes {missing_bytes / 1e9:.1f} GB and {free_bytes / 1e9:.1f} GB are free in "
            f"'{there}'; delete what you no longer need there, or set HF_HOME to a folder on another disk.",
            called,
            "transformers",
        )


def _sentence(problem: BaseException, model: str) -> str:
    """What went wrong, for the person, from the first of the chained exceptions that tells."""
    from huggingface_hub import constants, errors

    repository, revision = _parts(model)
    for each in _chain(problem):
        if isinstance(each, errors.OfflineModeIsEnabled):
            return (
                f"'{model}' is not on this machine, and HF_HUB_OFFLINE forbids to ask the hub for it; "
                "unset that variable, or give a folder."
            )
        if isinstance(each, errors.GatedRepoError):
            return (
                f"'{repository}' is gated: accept its terms on its page on the hub, and set HF_TOKEN to a "
                "token of yours that may read it."
            )
        if isinstance(each, errors.RevisionNotFoundError):
            return f"'{repository}' has no revision '{revision}'; leave @{revision} out for the newest."
        if isinstance(each, errors.RepositoryNotFoundError):
            return (
                f"the hub has no model '{repository}', or it is private; check the name, or set HF_TOKEN to "
                "a token that may read it."
            )
        if isinstance(each, errors.HfHubHTTPError):
            status = getattr(each.response, "status_code", "unknown")
            if status in (401, 403):
                return f"the hub refuses '{repository}' (status {status}); check the token in HF_TOKEN."
            return f"the hub answered with status {status} for '{repository}'; try again later."
        if isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"the disk is full ('{constants.HF_HUB_CACHE}'); delete what you no longer need and try "
                "again, what has arrived is kept."
            )
        if isinstance(each, PermissionError):
            file = each.filename or constants.HF_HUB_CACHE
            return f"'{file}' cannot be written; set HF_HOME to another folder."
        if _is_network(each):
            return (
                f"the hub cannot be reached at {constants.ENDPOINT} ({type(each).__name__}); check the "
                "network, or give a folder. What has arrived is kept."
            )
    words = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
    return f"'{repository}' cannot be downloaded ({words})."


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _is_network(problem: BaseException) -> bool:
    import httpx2

    return isinstance(problem, (httpx2.TransportError, ConnectionError, TimeoutError))


def _progress_bars(
    total_bytes: int,
    here_bytes: int,
    on_progress: Callable[[DownloadProgress], None] | None,
    cancelled: Callable[[], bool],
) -> type:
    """A class that the hub's client takes for its progress bars, and which only tells how far it is."""
    lock = threading.Lock()
    done, told_s = here_bytes, 0.0
    marks = [(time.monotonic(), here_bytes)]

    def count(new_bytes: int) -> None:
        nonlocal done, told_s
        with lock:
            done += new_bytes
            now = time.monotonic()
            if on_progress is None or (now - told_s < 0.1 and done < total_bytes):
                return
            told_s = now
            marks.append((now, done))
            while len(marks) > 2 and now - marks[0][0] > SECONDS_OF_RATE:
                marks.pop(0)
            passed = now - marks[0][0]
            rate = max(0.0, (done - marks[0][1]) / passed) if passed > 0 else 0.0
            on_progress(DownloadProgress(min(done, total_bytes), total_bytes, rate))

    class Bar:
        def __init__(self, *args: Any, **options: Any) -> None:
            self.total, self.n = options.get("total"), 0
            self.format_dict: dict[str, Any] = {}
            # there is one for files, one for bytes from the network and one for bytes on the disk
            described = str(options.get("desc") or "")
            self._counts = options.get("unit") == "B" and not described.startswith("Downloading")

        def update(self, n: float | None = 1) -> None:
            if cancelled():
                raise Cancelled
            self.n += int(n or 0)
            if self._counts:
                count(int(n or 0))

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *problem: object) -> None: ...

        def __getattr__(self, asked: str) -> Any:
            if asked.startswith("_"):
                raise AttributeError(asked)
            return lambda *args, **options: None  # refresh, close, set_description …

    with suppress(Exception):
        count(0)
    return Bar
