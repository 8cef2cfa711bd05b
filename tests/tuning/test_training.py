"""Training on a tiny model: methods, objectives, looks, what is saved, what a kill or a full disk leaves.

Whatever imports what trains is in this one file, and most of it in one process: the import takes seconds.
"""

from __future__ import annotations

import json
import math
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.models.tiny import tiny_model
from tests.require import require
from tests.tuning.training_folders import ASKED, SAMPLES, example, training_folder, write_rows
from workbench.errors import TuningCancelled
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.quantization import QUANTIZATIONS
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.checkpoints import checkpoint_at, checkpoint_steps, what_is_broken
from workbench.tuning.training.events import TrainingState, read_events, read_points, read_state
from workbench.tuning.training.examples import encode
from workbench.tuning.training.following import train
from workbench.tuning.training.process import work

METHODS = ["full", "lora", "dora", "qlora", "ia3", "prefix", "prompt"]


FOLLOWER = """
import sys
from pathlib import Path
from workbench.tuning import TuningFolder, train
train(TuningFolder(Path(sys.argv[1])))
"""

HEARD: list[Callable[[str, tuple[Any, ...]], None]] = []
"""Who is told what this process asks of the system."""


@pytest.fixture(scope="module", autouse=True)
def _listening() -> None:
    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        for listener in HEARD:
            listener(event, arguments)

    sys.addaudithook(heard)  # for as long as the process lives


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "base")


RATES = {"full": 1e-3, "ia3": 1e-1, "prefix": 1e-1, "prompt": 1e-1}
"""Learning rates that suit a method; 1e-2 for the others."""


@pytest.fixture(scope="module")
def by_method(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Callable[[str], TuningFolder]:
    """A finished training by each method, done once: tests look at it, or change a copy."""

    @cache
    def made(method: str) -> TuningFolder:
        if method == "qlora":
            require(QUANTIZATIONS["nf4"].installed, "bitsandbytes")
        path = tmp_path_factory.mktemp(method)
        folder = training_folder(path, base, job=ASKED, method=method, learning_rate=RATES.get(method, 1e-2))
        trained(folder)
        return folder

    return made


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory: pytest.TempPathFactory, base: Path) -> TuningFolder:
    """A training whose looks turned worse, so that it stopped early; done once, as above."""
    path = tmp_path_factory.mktemp("overfitted")
    folder = training_folder(path, base, epochs=40, learning_rate=0.05, patience=3, evaluate_every=4)
    write_rows(folder.validation, [example(number) | {"completion": "zzz " * 6} for number in range(4)])
    trained(folder)
    return folder


def copied(folder: TuningFolder, path: Path) -> TuningFolder:
    """A copy that a test may change."""
    shutil.copytree(folder.path, path)
    return TuningFolder(path)


def trained(folder: TuningFolder) -> TrainingState:
    code = work(folder)
    state = read_state(folder)
    assert code == 0, state.message
    return state


def refused(folder: TuningFolder) -> str:
    assert work(folder) == 1
    state = read_state(folder)
    assert state.status == "failed" and not folder.model.exists()
    return state.message


def losses(folder: TuningFolder) -> dict[int, float]:
    return {point.step: point.loss for point in read_points(folder) if point.loss is not None}


def looks(folder: TuningFolder) -> dict[int, float]:
    return {p.step: p.validation_loss for p in read_points(folder) if p.validation_loss is not None}


def tensors(file: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(file)


def tuned_network(folder: TuningFolder, base: Path) -> Any:
    """The base with what was saved over it, as somebody else would load it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    if (folder.model / "config.json").is_file():
        return AutoModelForCausalLM.from_pretrained(folder.model).eval()
    network = AutoModelForCausalLM.from_pretrained(base)
    return PeftModel.from_pretrained(network, str(folder.model)).eval()


@pytest.mark.parametrize("method", METHODS)
def test_each_method_learns_and_what_it_saves_says_what_was_seen_last(
    by_method: Callable[[str], TuningFolder], base: Path, method: str
):
    from workbench.tuning.training.answers import answers

    folder = by_method(method)
    state = read_state(folder)
    seen = looks(folder)
    assert state.status == "completed" and state.step == state.steps == 12
    assert min(seen.values()) < seen[0] - 0.01
    assert 0 < state.start["trainable"] <= state.start["parameters"]
    assert (state.start["trainable"] == state.start["parameters"]) == (method == "full")
    assert json.loads((folder.model / "training.json").read_text())["step"] == state.best_step
    texts = "".join(file.read_text() for file in folder.model.glob("*.json"))
    assert str(base.parent) not in texts  # no path of this machine leaves with the model
    if method != "qlora":  # its base is held in other bits
        said = {point.step: point.samples for point in read_points(folder)}[state.best_step or 12]
        chat = ChatTokenizer(base, "tiny")
        assert tuple(answers(tuned_network(folder, base), chat, SAMPLES, 8)) == said


@pytest.mark.parametrize("objective", ["dpo", "kto", "orpo"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_preferences_move_the_model_towards_the_better_text(
    tmp_path: Path, base: Path, objective: str, method: str
):
    rate = 1e-3 if method == "full" else 1e-2
    folder = training_folder(
        tmp_path / "t", base, objective=objective, method=method, learning_rate=rate, beta=0.1
    )
    trained(folder)
    seen = looks(folder)
    assert min(seen.values()) < seen[0]
    if objective != "kto":
        margins = [point.more["rewards/margins"] for point in read_points(folder) if point.loss is not None]
        assert margins[-1] > margins[0]


def test_orpo_learns_texts_whose_first_token_would_run_into_the_prompt(tmp_path: Path):
    # this template ends a prompt with text that the tokenizer likes to join with what comes after
    template = "{% for m in messages %}{{ m['content'] }} The ans{% endfor %}"
    base = tiny_model(tmp_path / "base", chat_template=template)
    rows = [example(number) | {"completion": "wer is 42", "rejected": "ers no"} for number in range(8)]
    trained(training_folder(tmp_path / "t", base, rows, objective="orpo", epochs=1))


def test_it_stops_once_looks_get_no_better_and_keeps_the_best(overfitted: TuningFolder):
    folder, state = overfitted, read_state(overfitted)
    seen = looks(folder)
    assert state.status == "early" and state.step < state.steps == 120
    best = min((step for step in seen if step), key=lambda step: seen[step])
    assert state.best_step == best < state.step
    assert state.overfitting is not None and state.overfitting.best_step == best
    assert any(event["event"] == "overfitting" for event in read_events(folder.events))
    kept = tensors(folder.model / "adapter_model.safetensors")
    expected = tensors(checkpoint_at(folder.checkpoints, best) / "adapter_model.safetensors")
    assert kept.keys() == expected.keys() and all((kept[key] == expected[key]).all() for key in kept)
    assert set(checkpoint_steps(folder.checkpoints)) == {best, state.step - 4, state.step}


def test_patience_can_be_endless_and_the_last_weights_kept(tmp_path: Path, base: Path):
    folder = training_folder(
        tmp_path / "t", base, max_steps=8, learning_rate=0.05, patience=None, evaluate_every=2, keep="last"
    )
    write_rows(folder.validation, [example(number) | {"completion": "zzz " * 6} for number in range(4)])
    state = trained(folder)
    assert (state.status, state.step) == ("completed", 8) and len(looks(folder)) >= 4
    kept = tensors(folder.model / "adapter_model.safetensors")
    last = tensors(checkpoint_at(folder.checkpoints, 8) / "adapter_model.safetensors")
    assert all((kept[key] == last[key]).all() for key in last)


@pytest.mark.parametrize("ended", ["completed", "early"])
def test_what_was_killed_before_its_model_was_saved_saves_it_without_another_step(
    tmp_path: Path, by_method: Callable[[str], TuningFolder], overfitted: TuningFolder, ended: str
):
    folder = copied(overfitted if ended == "early" else by_method("lora"), tmp_path / "t")
    before = read_state(folder)
    kept = tensors(folder.model / "adapter_model.safetensors")
    shutil.rmtree(folder.model)
    lines = folder.events.read_text().splitlines(keepends=True)
    folder.events.write_text("".join(lines[:-1]))
    after = trained(folder)
    assert (after.status, after.step, after.best_step) == (ended, before.step, before.best_step)
    again = tensors(folder.model / "adapter_model.safetensors")
    assert all((again[key] == kept[key]).all() for key in kept)


def test_without_validation_the_last_weights_are_kept_and_samples_are_still_asked(tmp_path: Path, base: Path):
    folder = training_folder(tmp_path / "t", base, held_back=0, job=ASKED)
    state = trained(folder)
    assert state.best_step is None and looks(folder) == {}
    assert [len(point.samples) for point in read_points(folder) if point.step % 3 == 0] == [2, 2, 2, 2]
    kept = tensors(folder.model / "adapter_model.safetensors")
    last = tensors(checkpoint_at(folder.checkpoints, 12) / "adapter_model.safetensors")
    assert all((kept[key] == last[key]).all() for key in kept)


def test_a_stop_before_the_first_step_leaves_no_model(tmp_path: Path, base: Path):
    folder = training_folder(tmp_path / "t", base)
    folder.cancel.touch()
    state = trained(folder)
    assert (state.status, state.step) == ("cancelled", 0) and not folder.model.exists()


def test_where_the_best_state_is_broken_the_next_best_is_kept(tmp_path: Path, overfitted: TuningFolder):
    folder = copied(overfitted, tmp_path / "t")
    before = read_state(folder)
    assert before.best_step is not None and before.best_step < before.step
    (checkpoint_at(folder.checkpoints, before.best_step) / "adapter_model.safetensors").write_bytes(b"")
    lines = folder.events.read_text().splitlines(keepends=True)
    folder.events.write_text("".join(lines[:-1]))
    after = trained(folder)
    there = {
        step: loss for step, loss in looks(folder).items() if step in checkpoint_steps(folder.checkpoints)
    }
    del there[before.best_step]
    assert after.best_step == min(there, key=lambda step: there[step])
    assert after.validation_loss == there[after.best_step]
    assert after.left_checkpoints[-1][0] == before.best_step


def test_batches_that_are_added_up_step_like_one_large_batch(
    tmp_path: Path, base: Path, by_method: Callable[[str], TuningFolder]
):
    at_once = by_method("lora")
    added_up = training_folder(tmp_path / "b", base, batch=2, accumulate=2, held_back=0)
    assert read_state(at_once).steps == trained(added_up).steps == 12
    one, other = losses(at_once), losses(added_up)
    assert one.keys() == other.keys()
    assert all(math.isclose(one[step], other[step], rel_tol=1e-3) for step in one)


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "bf16", "max_steps": 7, "epochs": None, "schedule": "linear"},
        {"neftune": 5.0, "dropout": 0.1, "weight_decay": 0.01, "max_grad_norm": 0.5},
        {"schedule": "constant_with_warmup", "warmup": 0.3, "targets": ["q_proj", "v_proj"]},
        {"method": "full", "precision": "bf16", "gradient_checkpointing": True, "learning_rate": 1e-3},
        {"objective": "dpo", "dropout": 0.2},
    ],
    ids=lambda settings: ",".join(settings),
)
def test_settings_go_together(tmp_path: Path, base: Path, settings: dict[str, Any]):
    folder = training_folder(tmp_path / "t", base, **settings)
    state = trained(folder)
    seen = looks(folder)
    assert state.step == settings.get("max_steps", 12)
    assert min(seen.values()) < seen[0]


def test_dropout_and_noise_reach_the_training(tmp_path: Path, base: Path):
    plain, dropped, noisy = (
        training_folder(tmp_path / name, base, held_back=0, epochs=1, **settings)
        for name, settings in {"a": {}, "b": {"dropout": 0.5}, "c": {"neftune": 20.0}}.items()
    )
    for folder in (plain, dropped, noisy):
        trained(folder)
    assert losses(plain)[3] != losses(dropped)[3]
    assert losses(plain)[1] != losses(noisy)[1]


def test_activations_computed_anew_change_neither_losses_nor_answers(
    tmp_path: Path, base: Path, by_method: Callable[[str], TuningFolder]
):
    plain = by_method("lora")
    anew = training_folder(tmp_path / "b", base, job=ASKED, gradient_checkpointing=True)
    trained(anew)
    assert losses(anew) == pytest.approx(losses(plain), rel=1e-5)
    assert [point.samples for point in read_points(anew)] == [point.samples for point in read_points(plain)]


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "qlora"])
def test_merged_weights_say_what_base_and_adapter_say(
    tmp_path: Path, base: Path, by_method: Callable[[str], TuningFolder], method: str
):
    import torch

    apart = by_method(method)
    rate = RATES.get(method, 1e-2)
    whole = training_folder(tmp_path / "b", base, method=method, learning_rate=rate, merge=True)
    trained(whole)
    assert (whole.model / "model.safetensors").is_file()
    ids = torch.tensor([ChatTokenizer(whole.model, "tuned").encode(SAMPLES[1])])
    with torch.no_grad():
        expected = tuned_network(apart, base)(ids).logits
        found = tuned_network(whole, base)(ids).logits
    assert torch.allclose(found, expected, atol=1e-3)


def test_going_on_from_an_adapter_ends_in_whole_weights(
    tmp_path: Path, base: Path, by_method: Callable[[str], TuningFolder]
):
    first = by_method("lora")
    second = training_folder(tmp_path / "b", base, job={"adapter": str(first.model)})
    trained(second)
    assert looks(second)[0] == pytest.approx(min(looks(first).values()), rel=1e-3)
    assert (second.model / "model.safetensors").is_file()
    third = training_folder(tmp_path / "c", base, job={"adapter": str(first.model)}, method="prompt")
    assert "cannot go on from an adapter" in refused(third)


def test_a_base_without_a_chat_template_is_one_sentence_and_takes_one_by_name(tmp_path: Path):
    base = tiny_model(tmp_path / "base", chat_template=None)
    assert "has no chat template" in refused(training_folder(tmp_path / "a", base))
    folder = training_folder(
        tmp_path / "b", base, job={"chat_template": "chatml"}, method="full", learning_rate=1e-3
    )
    trained(folder)
    assert "im_start" in (folder.model / "chat_template.jinja").read_text()


def test_examples_that_are_too_long_are_left_out_or_refused_as_asked(tmp_path: Path, base: Path):
    rows = [example(number) for number in range(8)]
    rows[3] = rows[3] | {"completion": "long " * 300}
    assert trained(training_folder(tmp_path / "a", base, rows, epochs=1)).start["left_out"] == 1
    said = refused(training_folder(tmp_path / "b", base, rows, too_long="refuse"))
    assert "train.jsonl, line 4" in said and "256 fit" in said
    assert "every example is longer" in refused(training_folder(tmp_path / "c", base, rows, max_tokens=8))


@pytest.mark.parametrize(
    ("rows", "settings", "said"),
    [
        ([], {}, "the collection is empty"),
        ([{"messages": [], "completion": "x"}], {}, "train.jsonl, line 1: not an example"),
        (
            [{"messages": example(1)["messages"], "completion": "x"}],
            {"objective": "dpo"},
            "has no `rejected`",
        ),
        ([{"messages": example(1)["messages"], "completion": "x"}], {"objective": "kto"}, "has no `label`"),
        (None, {"targets": ["q_pro"]}, "no linear layer 'q_pro'"),
        (None, {"objective": "orpo", "method": "prompt"}, "does not go with"),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence(
    tmp_path: Path, base: Path, rows: list[dict[str, Any]] | None, settings: dict[str, Any], said: str
):
    assert said in refused(training_folder(tmp_path / "t", base, rows, **settings))


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path, base: Path):
    from safetensors.torch import save_file

    broken = tiny_model(tmp_path / "broken")
    weights = tensors(broken / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    folder = training_folder(tmp_path / "n", broken, held_back=0)
    assert "stopped being a number at step 1" in refused(folder)


def test_a_full_disk_is_one_sentence_and_the_states_before_it_go_on(tmp_path: Path, base: Path):
    folder, undisturbed = (
        training_folder(tmp_path / name, base, rank=16, evaluate_every=6) for name in ("t", "u")
    )
    trained(undisturbed)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    started = False

    def shut(event: str, arguments: tuple[Any, ...]) -> None:
        """The disk is full from the first write after step 6 was saved."""
        nonlocal started
        if not started and event == "os.mkdir" and str(arguments[0]).endswith("checkpoint-12"):
            started = True
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))

    HEARD.append(shut)
    try:
        said = refused(folder)
    finally:
        HEARD.clear()
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert started and "no room left on the disk" in said and "after step 12" in said
    assert checkpoint_steps(folder.checkpoints) == [6]
    assert what_is_broken(checkpoint_at(folder.checkpoints, 6)) is None
    assert trained(folder).resumed_from == 6
    assert losses(folder) == losses(undisturbed)


def test_what_is_told_at_the_start_and_at_the_end_adds_up(
    base: Path, by_method: Callable[[str], TuningFolder]
):
    folder = by_method("lora")
    state = read_state(folder)
    chat = ChatTokenizer(base, "tiny")
    expected = sum(encode(chat, example(number), "supervised").tokens for number in range(12))
    assert state.start["tokens"] == expected
    assert (state.start["examples"], state.start["validation_examples"]) == (12, 4)
    assert {"torch", "trl", "peft"} <= state.start["versions"].keys()
    assert sum(state.parts.values()) == pytest.approx(state.seconds, abs=0.5)
    assert state.peak_memory_bytes is not None
    assert all(p.memory_bytes <= state.peak_memory_bytes for p in read_points(folder) if p.memory_bytes)
    left = [event["seconds_left"] for event in read_events(folder.events) if event["event"] == "log"]
    assert left[-1] < left[2] and all(one >= 0 for one in left)
    assert all(point.tokens_per_s for point in read_points(folder) if point.loss is not None)


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def weights(folder: TuningFolder) -> dict[str, Any]:
    return tensors(folder.model / "adapter_model.safetensors")


def curve(folder: TuningFolder) -> dict[int, tuple[float | None, float | None]]:
    return {point.step: (point.loss, point.validation_loss) for point in read_points(folder)}


def test_a_killed_training_ends_with_its_follower_and_goes_on_to_the_same_curve(tmp_path: Path, base: Path):
    settings = {"epochs": 30, "dropout": 0.1, "evaluate_every": 10, "patience": None}
    undisturbed = training_folder(tmp_path / "a", base, **settings)
    assert work(undisturbed) == 0
    folder = training_folder(tmp_path / "b", base, **settings)
    follower = subprocess.Popen([sys.executable, "-c", FOLLOWER, str(folder.path)])
    wait_for(lambda: read_state(folder).step >= 22)
    (trainer,) = psutil.Process(follower.pid).children()
    follower.kill()
    follower.wait()
    trainer.wait(60)
    reached = read_state(folder).step
    newest, before = checkpoint_steps(folder.checkpoints)[:2]
    assert reached < 90 and read_state(folder).status == "training"
    file = checkpoint_at(folder.checkpoints, newest) / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])  # and the newest state is broken, too
    assert work(folder) == 0
    state = read_state(folder)
    assert state.resumed_from == before and state.left_checkpoints[0][0] == newest
    assert curve(folder) == curve(undisturbed)
    kept, expected = weights(folder), weights(undisturbed)
    assert all((kept[key] == expected[key]).all() for key in expected)


def test_a_cancelled_training_keeps_the_best_and_goes_on_when_asked_again(tmp_path: Path, base: Path):
    folder = training_folder(tmp_path / "t", base, epochs=400, evaluate_every=5, patience=None)
    states: list[TrainingState] = []
    with pytest.raises(TuningCancelled, match=r"Cancelled after step \d+ of 1,200; .* are kept"):
        train(folder, states.append, cancelled=lambda: bool(states) and states[-1].step >= 10)
    state = read_state(folder)
    assert state.status == "cancelled" and 10 <= state.step < 1200
    assert (folder.model / "adapter_model.safetensors").is_file()
    best = checkpoint_at(folder.checkpoints, state.best_step or 0)
    assert (best / "adapter_model.safetensors").is_file()
    assert states[0].status == "starting" and states[-1].status == "cancelled"
    assert any(one.seconds_left for one in states)

    job = TrainingJob.read(folder.job)
    shorter = job.train.model_copy(update={"epochs": None, "max_steps": state.step + 5})
    TrainingJob(job.tuning, job.base, shorter).write(folder.job)
    folder.cancel.unlink()
    assert work(folder) == 0
    assert read_state(folder).resumed_from == state.step
    started = read_state(folder).start["at"]
    result = train(folder)  # what has ended is not done again
    assert result.outcome == "completed" and result.step == state.step + 5
    assert read_state(folder).start["at"] == started


def test_two_processes_step_like_one_with_the_doubled_batch(tmp_path: Path, base: Path):
    shared = training_folder(tmp_path / "a", base, processes=2, batch=2)
    alone = training_folder(tmp_path / "b", base, batch=4)
    result = train(shared)
    assert work(alone) == 0
    assert read_state(shared).start["processes"] == 2
    assert result.step == read_state(alone).step == 12
    one, other = (
        [loss for loss, _ in curve(folder).values() if loss is not None] for folder in (shared, alone)
    )
    assert len(one) == 12 and one == pytest.approx(other, rel=1e-3)
    kept, expected = weights(shared), weights(alone)
    for key in expected:
        assert (kept[key] - expected[key]).abs().max() < 1e-3, key
