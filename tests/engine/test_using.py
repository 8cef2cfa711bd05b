"""What a run keeps of its models: how long they were at work, and what became of those that failed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.engine.local_adder import LocalAdder, adder_provider, with_models
from tests.fake_openai import BaseUrl
from tests.models.tiny import tiny_model
from workbench.core.experiment import Experiment
from workbench.core.model import ChatMessage, Completion, Footprint, ModelSpec, Request
from workbench.core.run import Progress, Report
from workbench.engine import Workspace, create_run, execute_run
from workbench.engine.using import UsedModel, machine_name
from workbench.errors import ModelUnavailable

Build = Callable[..., Experiment]


@pytest.fixture
def adder() -> Iterator[type[LocalAdder]]:
    """The provider `adder`."""
    with adder_provider() as cls:
        yield cls


def run_it(workspace: Workspace, experiment: Experiment, **options: object) -> Report:
    return execute_run(workspace, create_run(workspace, experiment, **options))  # type: ignore[arg-type]


@pytest.mark.usefixtures("adder")
def test_a_model_is_timed_while_it_works_and_not_while_it_loads(
    workspace: Workspace, experiment: Build
) -> None:
    with_models(workspace, "name: one, provider: adder, model: a")
    shown = run_it(workspace, experiment(models=["one", "server"], prompts=["direct"], baseline=None))
    uses = {use.model: use for use in workspace.store.model_uses.of_run(shown.run)}
    one = uses["one"]
    assert (one.calls, one.prompt_tokens, one.completion_tokens, one.cached_tokens) == (12, 60, 24, 12)
    assert 0.03 <= one.busy_s < 0.35  # three rounds of four calls; loading alone takes 0.4 s
    assert one.footprint == Footprint("cpu", 100, 300, parameters=50, load_s=0.4)
    assert uses["server"].calls == 12 and uses["server"].footprint is None
    assert one.machine == machine_name() and "core" in one.machine
    (output, *_) = workspace.store.outputs.of_cell(shown.run, 0)
    assert output.first_token_s == 0.005


def test_answers_out_of_the_cache_load_nothing_and_take_nothing(
    workspace: Workspace, experiment: Build, adder: type[LocalAdder]
) -> None:
    with_models(workspace, "name: one, provider: adder, model: a")
    only = experiment(models=["one"], prompts=["direct"], baseline=None)
    first = run_it(workspace, only)
    again = run_it(workspace, only)
    assert again.cached == 12
    assert adder.said.count("load one") == 1
    (made,) = workspace.store.model_uses.of_run(first.run)
    (found,) = workspace.store.model_uses.of_run(again.run)
    assert (made.calls, found.calls, found.busy_s) == (12, 0, 0.0)
    assert found.identity == made.identity
    assert workspace.store.model_uses.newest(made.identity, machine_name()) == made


@pytest.mark.usefixtures("adder")
def test_a_vote_over_several_calls_has_no_first_token_of_its_own(
    workspace: Workspace, experiment: Build
) -> None:
    with_models(workspace, "name: one, provider: adder, model: a")
    shown = run_it(workspace, experiment(models=["one"], prompts=["vote"], baseline=None))
    assert {output.first_token_s for output in workspace.store.outputs.of_cell(shown.run, 0)} == {None}


def test_each_local_model_is_closed_before_the_next_loads_and_neighbours_follow_each_other(
    workspace: Workspace, experiment: Build, adder: type[LocalAdder]
) -> None:
    with_models(
        workspace,
        "name: one, provider: adder, model: a",
        "name: two, provider: adder, model: b",
        "name: three, provider: adder, model: a, quantization: int8",
    )
    run_it(workspace, experiment(models=["one", "two", "three"], prompts=["direct"], baseline=None))
    names = ("one", "three", "two")
    assert adder.said == [f"{what} {name}" for name in names for what in ("load", "close")]


@pytest.mark.usefixtures("adder")
def test_progress_says_which_model_is_loading(workspace: Workspace, experiment: Build) -> None:
    with_models(workspace, "name: one, provider: adder, model: a")
    seen: list[Progress] = []
    stored: list[str] = []
    run = create_run(workspace, experiment(models=["one"], prompts=["direct"], baseline=None))

    def note(progress: Progress) -> None:
        seen.append(progress)
        found = workspace.store.runs.get(run)
        stored.append(found.message if found else "")

    execute_run(workspace, run, on_progress=note)
    assert "Loading one" in [progress.message for progress in seen]
    assert "Loading one" in stored  # what another process, such as a page, reads
    assert seen[-1].message == ""


def test_a_model_that_cannot_be_loaded_is_tried_once_and_the_others_go_on(
    workspace: Workspace, experiment: Build, adder: type[LocalAdder]
) -> None:
    adder.cannot_load = {"broken"}
    with_models(
        workspace,
        "name: broken, provider: adder, model: a",
        "name: one, provider: adder, model: b",
    )
    models = experiment(models=["broken", "one", "server"], prompts=["direct"], baseline=None, repeats=40)
    shown = run_it(workspace, models)
    assert shown.status == "completed" and [line.errors for line in shown.cells] == [480, 0, 0]
    assert adder.said.count("load broken") == 1
    errors = {output.error for output in workspace.store.outputs.of_cell(shown.run, 0)}
    assert errors == {"Model 'broken': cannot be loaded (MemoryError: no room for the weights)."}
    assert [use.model for use in workspace.store.model_uses.of_run(shown.run)] == ["server", "one"]


def test_a_model_that_dies_half_way_keeps_what_it_gave_and_the_others_go_on(
    workspace: Workspace, experiment: Build, adder: type[LocalAdder]
) -> None:
    adder.fails_after = {"mortal": 5}
    with_models(
        workspace,
        "name: mortal, provider: adder, model: a",
        "name: one, provider: adder, model: b",
    )
    shown = run_it(workspace, experiment(models=["mortal", "one"], prompts=["direct"], baseline=None))
    assert shown.status == "completed" and [line.errors for line in shown.cells] == [7, 0]
    failed = [output.error for output in workspace.store.outputs.of_cell(shown.run, 0) if output.error]
    assert failed[0] == "Model 'mortal': failed on a request (RuntimeError: the kernel has died)."
    mortal = workspace.store.model_uses.of_run(shown.run)[0]
    assert (mortal.model, mortal.calls) == ("mortal", 5)


@pytest.mark.timeout(180)
def test_weights_that_went_or_broke_after_planning_fail_their_own_rows_alone(
    workspace: Workspace, experiment: Build, tmp_path: Path
) -> None:
    whole, gone, cut = (tiny_model(tmp_path / name) for name in ("whole", "gone", "cut"))
    with_models(
        workspace,
        *(f"name: {path.name}, provider: transformers, model: '{path}'" for path in (gone, cut, whole)),
    )
    limits = {"max_tokens": 4}
    models = experiment(models=["gone", "cut", "whole"], prompts=["direct"], baseline=None, sampling=limits)
    run = create_run(workspace, models)
    shutil.rmtree(gone)
    weights = cut / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5000])
    shown = execute_run(workspace, run)
    said = {output.error for cell in (0, 1, 2) for output in workspace.store.outputs.of_cell(run, cell)}
    assert [line.errors for line in shown.cells] == [12, 12, 0], said
    assert shown.status == "completed"
    for cell, name in enumerate(("gone", "cut")):
        (said,) = {output.error for output in workspace.store.outputs.of_cell(run, cell)}
        assert said is not None and said.startswith(f"Model '{name}': ") and "\n" not in said
    assert [use.model for use in workspace.store.model_uses.of_run(run)] == ["whole"]


@dataclass
class Tired:
    """Hosted: its server is away, then comes back."""

    spec: ModelSpec = field(default_factory=lambda: ModelSpec(name="tired", provider="openai", model="x"))
    concurrency: int = 1
    context: int | None = None
    local: bool = False
    asked: int = 0

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        if self.asked == 1:
            raise ModelUnavailable("the server is not there.", "tired")
        return Completion("back", 1, 1)

    def stream(self, request: Request) -> AsyncIterator[str]:
        raise NotImplementedError

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return 1

    def identity(self) -> str:
        return "tired"

    async def close(self) -> None:
        raise OSError("gone already")


def test_a_hosted_model_that_was_away_is_asked_again(server: BaseUrl) -> None:
    used = UsedModel(Tired())
    request = Request(({"role": "user", "content": "?"},), used.spec.sampling)

    async def twice() -> str:
        with pytest.raises(ModelUnavailable):
            await used.complete(request)
        text = (await used.complete(request)).text
        await used.close()  # its failure is nobody's business
        return text

    assert asyncio.run(twice()) == "back"


def test_the_machine_has_the_same_name_each_time_and_it_is_not_the_hosts() -> None:
    import socket

    name = machine_name()
    machine_name.cache_clear()
    assert machine_name() == name
    assert socket.gethostname() not in name or len(socket.gethostname()) < 4
