"""Scoring over processes: the same scores, progress, and nothing left behind whatever happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import MetricError
from workbench.metrics import Metric, load_metric, parallel
from workbench.metrics.parallel import Spread, Worker

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "ran", "3.5", "it's"]


def corpus(rows, seed=0):
    rng = random.Random(seed)
    references = [" ".join(rng.choices(WORDS, k=rng.randint(1, 14))) for _ in range(rows)]
    predictions = [" ".join(word for word in text.split() if rng.random() < 0.8) for text in references]
    several = [[text, "the cat sat"] if rng.random() < 0.2 else text for text in references]
    return predictions, several


@pytest.fixture
def _always_pays(monkeypatch):
    monkeypatch.setattr(parallel, "PROBE_S", 0.0)
    monkeypatch.setattr(parallel, "PAYS_S", 0.0)
    monkeypatch.setattr(parallel, "MOST_ROWS", 40)


@pytest.fixture(scope="module")
def shared() -> Iterator[Spread]:
    with Spread(workers=2) as spread:
        yield spread


def alive(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.usefixtures("_always_pays")
@pytest.mark.parametrize(
    "spec", ["ter", "chrf", "bleu", "rouge_lsum", "levenshtein", {"name": "f1", "as": "words"}]
)
def test_scores_are_the_same_bit_by_bit(spec, shared):
    predictions, references = corpus(400)
    predictions[7], references[11] = None, None
    here, there = load_metric(spec), load_metric(spec)
    there.spread = shared
    one, several = here.score(predictions, references), there.score(predictions, references)
    assert len(shared._started) == 2
    np.testing.assert_array_equal(one.values, several.values)
    if one.sufficient is not None:
        np.testing.assert_array_equal(one.sufficient, several.sufficient)
    assert dict(one.reasons) == dict(several.reasons)
    assert here.signature() == there.signature()
    assert here.estimate(one) == there.estimate(several)


@pytest.mark.usefixtures("_always_pays")
def test_reasons_keep_their_rows(shared):
    predictions, references = corpus(200)
    predictions[150] = "word " * 600
    references[150] = "other " * 600
    metric = load_metric("ter")
    metric.spread = shared
    scores = metric.score(predictions, references)
    assert list(scores.reasons) == [150] and np.isnan(scores.values[150])
    assert np.isfinite(np.delete(scores.values, 150)).all()


@pytest.mark.usefixtures("_always_pays")
def test_progress_tells_how_many_rows_are_done(monkeypatch):
    monkeypatch.setattr(parallel, "BETWEEN_S", 0.0)
    told: list[tuple[int, int]] = []
    with Spread(lambda done, total: told.append((done, total)), workers=2) as spread:
        metric = load_metric("chrf")
        metric.spread = spread
        metric.score(*corpus(300))
    assert told[-1] == (300, 300) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert len({done for done, _ in told}) > 2


def test_few_or_quick_rows_start_no_process():
    with Spread(workers=2) as spread:
        metric = load_metric("accuracy")
        metric.spread = spread
        metric.score(*corpus(5_000))
        assert not spread._started


@pytest.mark.usefixtures("_always_pays")
def test_metrics_that_look_at_all_rows_together_are_not_cut():
    with Spread(workers=2) as spread:
        metric = load_metric("macro_f1")
        metric.spread = spread
        scores = metric.score(["a", "b"] * 100, ["a"] * 100 + ["b"] * 100)
        assert not spread._started and scores.blocks == ("a", "b")


@pytest.mark.usefixtures("_always_pays")
def test_a_killed_process_costs_time_and_no_row():
    predictions, references = corpus(240)
    expected = load_metric("ter").score(predictions, references)
    metric = load_metric("ter")
    with Spread(workers=2) as spread:
        metric.spread = spread
        metric.score(*corpus(100))
        first, second = spread._started
        os.kill(first.pid, signal.SIGKILL)
        scores = metric.score(predictions, references)
        np.testing.assert_array_equal(scores.values, expected.values)
        for worker in spread._started:
            os.kill(worker.pid, signal.SIGKILL)
        scores = metric.score(predictions, references)
        np.testing.assert_array_equal(scores.values, expected.values)
        again = metric.score(predictions, references)  # new ones took their place
        np.testing.assert_array_equal(again.values, expected.values)
        assert not {first, second} & {*spread._started}
        assert all(alive(worker.pid) for worker in spread._started)


class Lengths(Metric):
    """A metric that no other process knows."""

    name = "lengths"
    description = "Words of the output."

    def score_one(self, prediction, references):
        if prediction == "fails":
            raise MetricError("This metric cannot be computed at all.")
        return float(len(prediction.split()))


@pytest.mark.usefixtures("_always_pays")
def test_a_metric_that_only_this_process_knows_is_scored_here(shared):
    metric = Lengths()
    metric.spread = shared
    metric.spec = "lengths"
    assert metric.score(["a b"] * 300, ["x"] * 300).values.tolist() == [2.0] * 300
    with pytest.raises(MetricError, match="cannot be computed at all"):
        metric.score([*["a"] * 299, "fails"], ["x"] * 300)


def test_checks_hand_it_on_to_their_parts(shared):
    checks = load_metric({"name": "checks", "checks": [{"metric": "ter", "threshold": 50}]})
    checks.spread = shared
    checks.score(["a b"], ["a b"])
    assert checks.parts[0].metric.spread is shared


def test_no_process_is_left_behind_when_the_block_ends():
    with Spread(workers=2) as spread:
        pids = [worker.pid for worker in spread._working()]
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


SLOW = """
import sys
from workbench.metrics import load_metric, parallel
parallel.PROBE_S = parallel.PAYS_S = 0.0
metric = load_metric("ter")
with parallel.Spread(workers=2) as spread:
    metric.spread = spread
    print(*(worker.pid for worker in spread._working()), flush=True)
    rows = [" ".join(str((i * j) % 97) for j in range(90)) for i in range(4000)]
    metric.score(rows, rows[1:] + rows[:1])
"""


def heed_ctrl_c():
    # a shell that runs the tests in the background has it ignored, and that is inherited
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind_after_ctrl_c_or_a_kill(how, tmp_path):
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": root},
        preexec_fn=heed_ctrl_c,
    ) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(1.2)
        assert process.poll() is None
        process.send_signal(how)
        try:
            process.wait(60)
        finally:
            process.kill()
    for _ in range(150):
        if not any(map(alive, pids)):
            break
        time.sleep(0.1)
    assert not any(map(alive, pids))


def test_what_a_process_cannot_answer_loses_no_process():
    worker = Worker()
    with pytest.raises(parallel.WorkerLost):
        worker.score("no_such_metric", ["a"], [["a"]])
    assert worker.score("accuracy", ["a"], [["A"]]).values.tolist() == [1.0]
    worker.end()
    with pytest.raises(parallel.WorkerLost):
        worker.score("accuracy", ["a"], [["A"]])
