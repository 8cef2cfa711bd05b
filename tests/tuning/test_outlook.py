"""What is told before a training starts: counted once by a process, worked out at once for every change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.require import require
from tests.tuning.tuned_nano import learnt, tuned_workspace
from workbench.core.collection import CollectionItem, Item
from workbench.core.tuning import Recipe
from workbench.engine import Workspace
from workbench.errors import TuningError
from workbench.tuning import TrainingJob, TuningFolder
from workbench.tuning.checking.base import Base, find_base
from workbench.tuning.checking.outlook import Outlook, evaluation_findings, outlook
from workbench.tuning.checking.reading import (
    Reading,
    find_reading,
    main,
    read_collection,
    start_reading,
)
from workbench.tuning.training.events import EventLog

RECIPE = {
    "name": "rides",
    "base": "nano",
    "collection": "rides",
    "evaluate": {"experiment": "transit-samples", "forgetting": []},
}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    require(find_spec("trl"), "the packages to train with: pip install 'workbench[tuning]'")
    opened = tuned_workspace(tmp_path_factory.mktemp("outlook"))
    kept = [CollectionItem(number, one) for number, one in enumerate(learnt(count=40))]
    opened.store.collections.create("c1", "rides", "completion", {}, {}, kept)
    yield opened
    opened.close()


@pytest.fixture
def base(ws: Workspace) -> Base:
    return find_base(ws.models.spec("nano"))


@pytest.fixture
def reading(ws: Workspace, base: Base) -> Reading:
    found = find_reading(ws, base, "rides")
    if found is None:
        main(["--root", str(ws.root), "--base", "nano", "--collection", "c1"])
        found = find_reading(ws, base, "rides")
    assert found is not None
    return found


def ahead(ws: Workspace, base: Base, reading: Reading, **train: object) -> Outlook:
    recipe = Recipe.model_validate(RECIPE | {"train": train})
    items = [one.item for one in ws.store.collections.items("c1")]
    return outlook(ws, recipe, base, items, reading)


def test_a_process_counts_and_what_it_counted_is_found_again(ws: Workspace, base: Base) -> None:
    start_reading(ws, base, "rides")
    deadline = time.monotonic() + 120
    while find_reading(ws, base, "rides") is None and time.monotonic() < deadline:
        time.sleep(0.2)
    assert find_reading(ws, base, "rides") == read_collection(ws, base, "rides")


def test_a_changed_collection_is_counted_anew(ws: Workspace, base: Base, reading: Reading) -> None:
    kept = [CollectionItem(number, one) for number, one in enumerate(learnt(count=5))]
    ws.store.collections.create("c2", "few", "completion", {}, {}, kept)
    assert find_reading(ws, base, "few") is None


def test_every_setting_memory_disk_and_time_are_told(ws: Workspace, base: Base, reading: Reading) -> None:
    found = ahead(ws, base, reading)
    assert not found.refused
    assert None not in (found.train.epochs, found.train.batch, found.train.learning_rate)
    assert {one.field for one in found.choices} >= {"epochs", "batch", "learning_rate"}
    assert found.steps > 0 and found.seconds > 0 and not found.measured
    assert 0 < found.needed_bytes < found.free_bytes and found.disk_bytes > 0


def test_twice_the_epochs_take_twice_the_time(ws: Workspace, base: Base, reading: Reading) -> None:
    once, twice = ahead(ws, base, reading, epochs=4), ahead(ws, base, reading, epochs=8)
    assert twice.steps == 2 * once.steps
    assert twice.seconds == pytest.approx(2 * once.seconds)


def test_an_earlier_training_tells_the_time(ws: Workspace, base: Base, reading: Reading) -> None:
    ws.store.tunings.create("t1", "rides", {"recipe": RECIPE, "model": "nano-rides"})
    folder = TuningFolder.of(ws.state_dir, "t1")
    folder.path.mkdir(parents=True)
    found = ahead(ws, base, reading, epochs=1)
    TrainingJob("t1", "x", found.train).write(folder.job)
    log = EventLog(folder.events)
    log.write("start", step=0, steps=5, tokens=found.facts.tokens, seconds=1.0)
    log.write("log", step=5, epoch=1.0, loss=1.0, seconds=9.0)
    ended = {"step": 5, "seconds": 9.0, "best_step": None, "validation_loss": None}
    log.write("end", outcome="completed", parts={"training": 8.0}, peak_memory_bytes=10**9, **ended)
    again = ahead(ws, base, reading, epochs=1)
    assert again.measured
    assert again.seconds == pytest.approx(8.0, rel=0.35)  # the last batch may be smaller
    assert not ahead(ws, base, reading, epochs=1, method="ia3").measured
    ws.store.tunings.set("t1", deleted_at=ws.store.tunings.get("t1").created_at)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("train", "field"),
    [
        ({"max_tokens": 100_000}, "max_tokens"),
        ({"max_tokens": 8}, "max_tokens"),
        ({"objective": "dpo"}, "objective"),
    ],
)
def test_what_cannot_work_is_an_error_with_its_field(
    ws: Workspace, base: Base, reading: Reading, train: dict[str, object], field: str
) -> None:
    found = ahead(ws, base, reading, **train)
    assert found.refused
    assert found.findings[0].field == field


def test_a_verdict_that_could_not_be_measured_is_told(ws: Workspace) -> None:
    items: list[Item] = learnt()
    recipe = Recipe.model_validate(RECIPE | {"evaluate": {"experiment": "labels", "metric": "no-such"}})
    assert [one.level for one in evaluation_findings(ws, recipe, items)] == ["error"]


def test_a_base_without_a_chat_template_is_a_sentence(ws: Workspace, base: Base, tmp_path: Path) -> None:
    found = Reading(None, problem="'nano' cannot be tuned: it has no chat template.")
    with pytest.raises(TuningError, match="chat template"):
        ahead(ws, base, found)
