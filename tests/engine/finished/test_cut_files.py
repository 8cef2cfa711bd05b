"""A file that ends anywhere gives its whole samples, and says so, or changes nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.finished.conftest import stored
from tests.engine.finished.samples import archived, by_line, evaluation, generated, sample, tried, written
from workbench.engine import Workspace
from workbench.engine.finished.importing import import_finished
from workbench.errors import WorkbenchError

REPLIES = ["2", 'a "quoted" \\ reply\n— with é', "4"]


def content(kind: str) -> bytes:
    """A whole file of each format, with these replies."""
    samples = [sample(number, reply) for number, reply in enumerate(REPLIES, 1)]
    if kind == "log.json":
        return json.dumps(written(samples), ensure_ascii=False).encode()
    if kind == "samples_x.jsonl":
        return by_line(
            [generated(number, reply, reply, 1.0) for number, reply in enumerate(REPLIES)]
        ).encode()
    if kind == "results.json":
        return json.dumps(
            evaluation([tried(number, 0, reply) for number, reply in enumerate(REPLIES)])
        ).encode()
    if kind == "results.jsonl":
        return by_line([tried(number, 0, reply) for number, reply in enumerate(REPLIES)]).encode()
    return archived(samples, finished=kind == "log.eval")


WHOLE = {
    kind: content(kind)
    for kind in ("log.json", "log.eval", "running.eval", "samples_x.jsonl", "results.json", "results.jsonl")
}
NAMES = itertools.count()


@pytest.fixture(scope="module")
def cutting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for all cuts."""
    root: Path = tmp_path_factory.mktemp("cutting")
    for folder in ("prompts", "experiments"):
        (root / folder).mkdir()
    opened = Workspace.open(root)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1))
def test_a_cut_file_gives_whole_samples_or_changes_nothing(cutting: Workspace, kind: str, share: float):
    part = WHOLE[kind][: int(share * len(WHOLE[kind]))]
    before = stored(cutting)
    try:
        made = import_finished(cutting, [(kind, part)], name=f"cut-{next(NAMES)}")
    except WorkbenchError:
        assert stored(cutting) == before
        return
    texts = [one.text for one in cutting.store.outputs.of_cell(made.run, 0)]
    assert texts == REPLIES[: len(texts)]
    assert len(texts) == made.outputs == stored(cutting)["outputs"] - before["outputs"]
    if len(texts) < len(REPLIES):
        assert kind != "results.json"
        # between two lines of JSON nothing tells that more was to come
        assert part.endswith((b"\n", b"}")) or any("end" in said for said in made.unmapped)


@pytest.mark.parametrize("kind", ["log.json", "log.eval", "running.eval", "samples_x.jsonl", "results.jsonl"])
def test_two_of_three_samples_survive_a_cut_in_the_last(cutting: Workspace, kind: str):
    whole = WHOLE[kind]
    last = {
        "log.eval": b"samples/3_epoch_1.json",
        "running.eval": b"samples/3_epoch_1.json",
        "log.json": b'"id": 3',
        "samples_x.jsonl": b'"doc_id": 2',
        "results.jsonl": b'"testIdx": 2',
    }[kind]
    made = import_finished(cutting, [(kind, whole[: whole.index(last) + 60])], name=f"cut-{next(NAMES)}")
    assert [one.text for one in cutting.store.outputs.of_cell(made.run, 0)] == REPLIES[:2]
    assert any("end" in said for said in made.unmapped)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.floats(0, 0.999), st.integers(1, 255))
def test_a_changed_byte_never_makes_half_a_run_or_a_traceback(
    cutting: Workspace, kind: str, share: float, change: int
):
    at = int(share * len(WHOLE[kind]))
    part = WHOLE[kind][:at] + bytes([WHOLE[kind][at] ^ change]) + WHOLE[kind][at + 1 :]
    before = stored(cutting)
    try:
        made = import_finished(cutting, [(kind, part)], name=f"cut-{next(NAMES)}")
    except WorkbenchError:
        assert stored(cutting) == before
    else:
        assert made.outputs == stored(cutting)["outputs"] - before["outputs"] >= 1
