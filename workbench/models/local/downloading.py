"""Downloads from the hub in threads of their own, for a page that comes back now and then to look.

start_download("owner/name")  ->  Download(state="running", progress=…)
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from workbench.errors import ModelUnavailable
from workbench.models.local.hub import Cancelled, DownloadProgress, download

DownloadState = Literal["running", "done", "failed", "cancelled"]


class Download:
    """A download in a thread of its own. Every attribute may be read at any time, from any thread."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.state: DownloadState = "running"
        self.progress = DownloadProgress()
        self.folder: Path | None = None
        self.problem: ModelUnavailable | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"download {model}", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ends it soon; what has arrived is kept for the next attempt."""
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> DownloadState:
        """Blocks until it has ended, or the time is over; its state then."""
        self._thread.join(timeout_s)
        return self.state

    def _work(self) -> None:
        try:
            self.folder = download(self.model, None, self._note, self._stop.is_set)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except ModelUnavailable as problem:
            self.problem, self.state = problem, "failed"

    def _note(self, progress: DownloadProgress) -> None:
        self.progress = progress


_running: dict[str, Download] = {}
_starting = threading.Lock()


def start_download(model: str) -> Download:
    """Begins to fetch a hub model, or gives the attempt that is under way in this process already."""
    with _starting:
        known = _running.get(model)
        if known is None or known.state != "running":
            known = _running[model] = Download(model)
        return known


def find_download(model: str) -> Download | None:
    """The last attempt at fetching this model in this process, ended or not."""
    return _running.get(model)
