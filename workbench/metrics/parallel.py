"""Scoring many rows by a slow metric over several processes, with progress; the scores are the same.

    with Spread(on_rows=lambda done, total: print(f"{done:,} of {total:,}")) as spread:
        metric = load_metric("ter")
        metric.spread = spread
        scores = metric.score(predictions, references)

The first rows are scored here and timed. Only where the rest would take longer than starting processes
is worth are they started, and then kept for the next metric. Each is this Python running
`workbench.metrics.scoring_process`, which reads rows from its input and ends when that is closed: after
Ctrl-C, and even when this process is killed, none is left behind.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench.metrics.base import Metric
from workbench.metrics.scores import Scores, joined

OnRows = Callable[[int, int], None]
"""Told how many rows of how many are scored."""

FIRST_ROWS = 32
CHUNK_S = 0.5  # seconds of work that are handed out at once
PROBE_S = 0.5  # of scoring here, before the rest is estimated
PAYS_S = 4.0  # of work left, from which on processes are worth their start of a second or two
MOST_ROWS = 5_000  # of a chunk
MOST_WORKERS = 8
BETWEEN_S = 0.5  # between two reports of progress


class WorkerLost(Exception):
    """A scoring process that ended, or could not do what it was asked; its rows are scored here."""


class Spread:
    """Scores rows for metrics, over processes where that pays; a context that owns those processes.

    Args:
        on_rows: progress of a metric that takes longer than half a second; called in the thread that
            scores, twice a second at most.
        workers: processes; by itself one a usable core, 8 at most. 1 stays in this process.
    """

    def __init__(self, on_rows: OnRows | None = None, workers: int | None = None) -> None:
        self.on_rows = on_rows
        self.workers = min(MOST_WORKERS, usable_cores()) if workers is None else workers
        self._started: list[Worker] = []
        self._told_at = 0.0

    def __enter__(self) -> Spread:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes; what they were at is lost."""
        for worker in self._started:
            worker.end()
        self._started.clear()

    def score(self, metric: Metric, predictions: list[str], references: list[list[str]]) -> Scores:
        """What `metric.score_texts` gives for these rows, bit by bit."""
        total = len(predictions)
        if not scores_by_row(metric) or total <= FIRST_ROWS:
            return metric.score_texts(predictions, references)
        parts: list[Scores] = []
        done, size, began = 0, FIRST_ROWS, time.perf_counter()
        self._told_at = time.monotonic()
        while done < total:
            chunk = slice(done, done + size)
            parts.append(metric.score_texts(predictions[chunk], references[chunk]))
            done = min(done + size, total)
            self._tell(done, total)
            spent = time.perf_counter() - began
            size = _rows_for(CHUNK_S, spent / done)
            left = spent / done * (total - done)
            if self.workers > 1 and metric.spec is not None and spent > PROBE_S and left > PAYS_S:
                parts += self._elsewhere(metric, predictions, references, done, size)
                break
        return joined(parts)

    def _elsewhere(
        self,
        metric: Metric,
        predictions: list[str],
        references: list[list[str]],
        done: int,
        size: int,
    ) -> list[Scores]:
        """The rows from `done` on, by the processes; what they cannot score is scored here."""
        total = len(predictions)
        chunks = [slice(start, min(start + size, total)) for start in range(done, total, size)]
        free: queue.SimpleQueue[Worker | None] = queue.SimpleQueue()
        for worker in self._working():
            free.put(worker)

        def ask(chunk: slice) -> Scores | None:
            worker = free.get()
            if worker is None:
                free.put(None)
                return None
            try:
                return worker.score(metric.spec, predictions[chunk], references[chunk])
            except WorkerLost:
                return None
            finally:
                if not worker.lost:
                    free.put(worker)
                elif all(one.lost for one in self._started):
                    free.put(None)  # nobody is left to wait for

        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="scoring")
        futures: list[Future[Scores | None]] = [pool.submit(ask, chunk) for chunk in chunks]
        try:
            waiting = set(futures)
            while waiting:
                _, waiting = wait(waiting, timeout=BETWEEN_S, return_when=FIRST_COMPLETED)
                left = sum(
                    one.stop - one.start for one, at in zip(chunks, futures, strict=True) if not at.done()
                )
                self._tell(total - left, total)
        except BaseException:
            for future in futures:
                future.cancel()
            self.close()
            raise
        finally:
            pool.shutdown()
        found = [future.result() for future in futures]
        return [
            metric.score_texts(predictions[chunk], references[chunk]) if scores is None else scores
            for chunk, scores in zip(chunks, found, strict=True)
        ]

    def _working(self) -> list[Worker]:
        """The processes, those that ended replaced."""
        for worker in self._started:
            if worker.ended:
                worker.end()
        self._started = [worker for worker in self._started if not worker.lost]
        while len(self._started) < self.workers:
            self._started.append(Worker())
        return self._started

    def _tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.on_rows is not None and now - self._told_at >= BETWEEN_S:
            self._told_at = now
            self.on_rows(done, total)


class Worker:
    """One scoring process: a request a line, an answer a line, both JSON."""

    def __init__(self) -> None:
        # in a session of its own: Ctrl-C in a terminal is this process's to hear, which then ends it
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workbench.metrics.scoring_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        self.lost = False

    @property
    def ended(self) -> bool:
        """Whether it is of no use any more."""
        return self.lost or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def score(self, spec: Any, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scores:
        """Scores of these rows by a metric loaded from `spec`. Raises WorkerLost."""
        if self.lost or self._process.stdin is None or self._process.stdout is None:
            raise WorkerLost
        try:
            request = json.dumps({"spec": spec, "predictions": predictions, "references": references})
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError, TypeError) as problem:  # ended, or a spec that is no plain text
            self.lost = True
            raise WorkerLost from problem
        if "values" not in answer:
            raise WorkerLost(answer.get("problem"))
        sufficient = answer["sufficient"]
        return Scores(
            np.array(answer["values"], dtype=np.float64),
            None if sufficient is None else np.array(sufficient, dtype=np.float64),
            reasons={int(row): reason for row, reason in answer["reasons"].items()},
        )

    def end(self) -> None:
        """Ends the process at once and forgets it."""
        self.lost = True
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was not sent any more
                    stream.close()


def scores_by_row(metric: Metric) -> bool:
    """Whether a row's score depends on that row alone, and comes from no model."""
    return metric.by_row or type(metric).score_rows is Metric.score_rows


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rows_for(seconds: float, seconds_a_row: float) -> int:
    return int(min(MOST_ROWS, max(FIRST_ROWS, seconds / max(seconds_a_row, 1e-9))))


def _environment() -> dict[str, str]:
    """This environment, where the process finds this very package and keeps to one thread."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH")) if part)
    return os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
