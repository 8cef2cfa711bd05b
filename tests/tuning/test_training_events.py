"""What training says of itself, which states are whole, and what does not go together: without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.core.tuning import Train
from workbench.errors import TuningError
from workbench.tuning.folders import TuningFolder
from workbench.tuning.training.checkpoints import (
    checkpoint_at,
    mark_complete,
    newest_complete,
    remove_checkpoint,
    what_is_broken,
)
from workbench.tuning.training.clock import Clock
from workbench.tuning.training.combinations import check_combination
from workbench.tuning.training.disk import is_disk_full
from workbench.tuning.training.events import EventLog, read_events, read_points, read_state
from workbench.tuning.training.network import in_words
from workbench.tuning.training.steps import Steps, plan_steps


def told(folder: TuningFolder, *events: tuple[str, dict[str, Any]]) -> None:
    log = EventLog(folder.events)
    for event, values in events:
        log.write(event, **values)


def start(step: int = 0, resumed_from: int | None = None) -> tuple[str, dict[str, Any]]:
    return "start", {"step": step, "steps": 20, "seconds": 1.0, "resumed_from": resumed_from}


def log(step: int, loss: float, **more: Any) -> tuple[str, dict[str, Any]]:
    return "log", {"step": step, "loss": loss, "seconds": float(step), **more}


def look(step: int, loss: float, **more: Any) -> tuple[str, dict[str, Any]]:
    return "look", {"step": step, "validation_loss": loss, "seconds": float(step), **more}


def test_a_folder_without_events_is_starting(tmp_path: Path):
    assert read_points(TuningFolder(tmp_path)) == []
    assert read_state(TuningFolder(tmp_path)).status == "starting"


def test_a_half_line_is_left_out_and_the_next_one_is_whole(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(folder, start(), log(1, 2.0))
    with folder.events.open("ab") as file:
        file.write(b'{"event": "log", "step": 2, "lo')
    assert [event["event"] for event in read_events(folder.events)] == ["start", "log"]
    told(folder, log(2, 1.5))
    assert [point.loss for point in read_points(folder)] == [2.0, 1.5]


def test_a_point_holds_what_was_logged_and_looked_at_in_one_step(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(
        folder,
        start(),
        log(4, 2.0, more={"margin": 0.5}),
        look(4, 2.5, samples=["one", "two"], more={"validation_margin": 0.1}),
    )
    (point,) = read_points(folder)
    assert (point.loss, point.validation_loss, point.samples) == (2.0, 2.5, ("one", "two"))
    assert point.more == {"margin": 0.5, "validation_margin": 0.1}


def test_of_a_repeated_step_the_later_one_counts(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(folder, start(), log(2, 2.0), look(4, 1.0), log(6, 9.0), look(8, 0.1))
    told(folder, start(4, resumed_from=4), log(6, 1.5))
    points = {point.step: (point.loss, point.validation_loss) for point in read_points(folder)}
    assert points == {2: (2.0, None), 4: (None, 1.0), 6: (1.5, None)}
    assert read_state(folder).best_step == 4  # step 8 was not reached again yet


def test_overfitting_is_seen_once_two_looks_are_worse_and_forgotten_after_a_better_one(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(folder, start(), look(2, 1.0), look(4, 0.8), look(6, 0.9))
    assert read_state(folder).overfitting is None
    told(folder, look(8, 1.1))
    found = read_state(folder).overfitting
    assert found is not None and (found.best_step, found.since, found.validation_loss) == (4, 6, 1.1)
    told(folder, look(10, 0.7))
    assert read_state(folder).overfitting is None


def test_the_look_before_the_first_step_is_no_state_to_go_back_to(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(folder, start(), look(0, 0.5), look(2, 1.0))
    assert read_state(folder).best_step == 2


def test_numbers_that_json_does_not_know_are_left_empty(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(folder, start(), log(1, 2.0, grad_norm=float("nan"), more={"margin": float("inf")}))
    (point,) = read_points(folder)
    assert point.grad_norm is None and point.more == {}


def test_a_failure_is_forgotten_once_training_starts_again(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(folder, start(), log(1, 2.0), ("failed", {"sentence": "No room."}))
    assert (read_state(folder).status, read_state(folder).message) == ("failed", "No room.")
    told(folder, ("preparing", {}))
    assert (read_state(folder).status, read_state(folder).message) == ("starting", "")
    assert (read_state(folder).step, read_state(folder).steps) == (1, 20)  # what was reached still counts


def test_of_several_processes_the_one_that_failed_first_tells_why(tmp_path: Path):
    folder = TuningFolder(tmp_path)
    told(
        folder, start(), ("failed", {"sentence": "No room."}), ("failed", {"sentence": "Connection closed."})
    )
    assert read_state(folder).message == "No room."


def checkpoint(checkpoints: Path, step: int) -> Path:
    folder = checkpoint_at(checkpoints, step)
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 40)
    mark_complete(folder)
    return folder


def test_the_newest_whole_checkpoint_is_gone_on_from(tmp_path: Path):
    for step in (5, 10, 100):
        checkpoint(tmp_path, step)
    assert newest_complete(tmp_path) == (100, [])


def cut(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def flip(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)


def lose(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


def unmark(folder: Path) -> None:
    (folder / "complete.json").unlink()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (cut, "1,000 of 10,240 bytes"),
        (flip, "not what was written"),
        (lose, "is missing"),
        (unmark, "not written to its end"),
    ],
)
def test_a_broken_checkpoint_is_left_for_the_one_before(tmp_path: Path, harm: Any, why: str):
    checkpoint(tmp_path, 5)
    harm(checkpoint(tmp_path, 10))
    step, broken = newest_complete(tmp_path)
    assert step == 5
    assert [left for left, _ in broken] == [10] and why in broken[0][1]


def test_without_a_whole_checkpoint_training_starts_over(tmp_path: Path):
    assert newest_complete(tmp_path / "none") == (None, [])
    cut(checkpoint(tmp_path, 5))
    assert newest_complete(tmp_path)[0] is None
    remove_checkpoint(tmp_path, 5)
    assert newest_complete(tmp_path) == (None, [])


def test_what_other_processes_write_beside_it_is_not_waited_for(tmp_path: Path):
    folder = checkpoint(tmp_path, 5)
    (folder / "rng_state_1.pth").write_bytes(b"later")
    assert what_is_broken(folder) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"objective": "orpo", "method": "prompt"}, "use prefix or lora"),
        ({"objective": "kto", "batch": 1}, "set `batch` to 2"),
        ({"method": "prefix", "gradient_checkpointing": True}, "use prompt or lora"),
        ({"method": "prefix", "merge": True}, "cannot be added to weights"),
        ({"method": "full", "dropout": 0.1}, "method 'full' has none"),
        ({"method": "prompt", "targets": ["q_proj"]}, "has no use for it"),
        ({"beta": 0.1}, "leave it out with 'supervised'"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_sentence(settings: dict[str, Any], said: str):
    with pytest.raises(TuningError, match=said):
        check_combination(Train(**settings))


def test_steps_are_planned_from_the_examples():
    plan = plan_steps(Train(epochs=8, batch=8, warmup=0.05), examples=640)
    assert plan == Steps(total=640, warmup=32, between_points=10, between_looks=64)
    assert plan_steps(Train(epochs=1, batch=4, accumulate=2, processes=2), examples=33).total == 3
    assert plan_steps(Train(max_steps=7, batch=4), examples=1000).total == 7
    assert [Steps(10, 0, 1, 3).looks_after(step) for step in (0, 3, 5, 9, 10)] == [4, 3, 3, 1, 0]


def test_time_left_is_told_from_the_pace_so_far_and_no_sooner():
    clock = Clock()
    clock.begin(step=10)
    assert clock.seconds_left(10, 20, looks=1, saves=1) is None
    with clock.part("looking"):
        pass
    left = clock.seconds_left(15, 20, looks=1, saves=1)
    assert left is not None and 0 <= left < 1


def test_a_full_disk_and_a_want_of_memory_are_told_from_other_failures():
    assert is_disk_full(OSError(28, "No space left on device"))
    assert is_disk_full(RuntimeError("[enforce fail at inline_container.cc:603] . unexpected pos 64 vs 0"))
    assert not is_disk_full(ValueError("shapes do not match"))
    said = in_words(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))
    assert said is not None and "not enough memory" in said
    assert in_words(ValueError("shapes do not match")) is None
