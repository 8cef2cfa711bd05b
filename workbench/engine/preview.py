"""Trying a prompt on a few rows while it is being written: what is sent, streamed text, scores.

Models that a page tries stay loaded in the page's process, on one event loop of their own.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from workbench.core.dataset import Dataset
from workbench.core.model import ChatMessage, Model
from workbench.core.prompt import AnyPrompt, Prompt, Sampling
from workbench.core.run import Output
from workbench.engine.answer_rules import answer_rule
from workbench.engine.asking import Asker
from workbench.engine.browsing import OutputView
from workbench.engine.calls import CallDesk, storable
from workbench.engine.composing import Composer
from workbench.engine.plan import EXTRA_VARIABLES
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError
from workbench.metrics import load_metric
from workbench.prompting.read import read_reference
from workbench.prompting.rubric import sample_row

T = TypeVar("T")
END = object()


def preview_messages(
    workspace: Workspace,
    prompt: Prompt,
    dataset: Dataset | None,
    row: Mapping[str, Any],
    judged: Sequence[str] = (),
) -> tuple[ChatMessage, ...]:
    """The messages that a run would send for this row, few-shot examples included.

    `judged`: the output that a judge is shown, or the two of a pairwise one; stand-ins where left out.
    """
    seen = _seen(prompt, dataset, row, judged)
    return Composer(workspace.datasets, dataset).messages(prompt, seen, EXTRA_VARIABLES)


def stream_prompt(
    workspace: Workspace,
    prompt: Prompt,
    model: str,
    dataset: Dataset | None,
    row: Mapping[str, Any],
    seed: int = 0,
    judged: Sequence[str] = (),
) -> Iterator[str]:
    """Pieces of the model's text as they come; of a judge, about `judged`. Raises WorkbenchError."""
    opened = _open(workspace, model)
    asker = _asker(workspace, {prompt.name: prompt}, dataset, opened, seed)
    seen = _seen(prompt, dataset, row, judged)
    request = asker.request(prompt, seen, 0, Sampling(), extra=EXTRA_VARIABLES)
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async for piece in opened.stream(request):
                pieces.put(piece)
        except Exception as error:
            pieces.put(error)
        finally:
            pieces.put(END)

    future = asyncio.run_coroutine_threadsafe(pump(), _loop())
    try:
        while (piece := pieces.get()) is not END:
            if isinstance(piece, Exception):
                raise piece
            yield storable(piece)
    finally:
        future.cancel()


def _seen(
    prompt: Prompt, dataset: Dataset | None, row: Mapping[str, Any], judged: Sequence[str]
) -> Mapping[str, Any]:
    if prompt.rubric is None:
        return row
    return sample_row(prompt, row, judged, row.get(dataset.reference or "") if dataset else None)


def try_prompt(
    workspace: Workspace,
    prompt: AnyPrompt,
    model: str,
    dataset: Dataset | None,
    rows: Sequence[Mapping[str, Any]],
    seed: int = 0,
) -> list[OutputView]:
    """Outputs of a prompt or ensemble, saved or not, for a few rows; scored where there is a reference.

    Answers come from the cache where the same call was made before. An error is an output too.
    """
    prompts: dict[str, AnyPrompt] = {prompt.name: prompt}
    if not isinstance(prompt, Prompt):
        for name in prompt.mentioned():
            prompts = workspace.prompts.resolve(name) | prompts
    opened = _open(workspace, model)
    asker = _asker(workspace, prompts, dataset, opened, seed)
    named = [row if "id" in row else {**row, "id": str(place)} for place, row in enumerate(rows)]

    async def one(place: int, row: Mapping[str, Any]) -> Output:
        try:
            return await asker.output(0, prompt.name, row, place, 0)
        except WorkbenchError as error:
            return Output(0, str(row["id"]), place, error=storable(str(error)))

    async def all_rows() -> list[Output]:
        return list(await asyncio.gather(*(one(place, row) for place, row in enumerate(named))))

    outputs = _run(all_rows())
    workspace.store.outputs.add("", [], asker.desk.take_new())
    column = dataset.reference if dataset else None
    rule = answer_rule(prompt, prompts)
    exact = load_metric("exact_match")
    views = []
    for output, row in zip(outputs, named, strict=True):
        scores: dict[str, float | None] = {}
        if column is not None and row.get(column) is not None and output.error is None:
            reference = read_reference(rule, row[column])
            scores["exact_match"] = float(exact.score([output.answer], [reference]).values[0])
        views.append(
            OutputView(
                0,
                output.row_id,
                0,
                output.text,
                output.answer,
                output.error,
                scores,
                output.votes,
                output.prompt_tokens,
                output.completion_tokens,
                output.latency_s,
                output.cost_usd,
            )
        )
    return views


def warm_model(workspace: Workspace, model: str) -> None:
    """Loads a model in the background, so that the first try does not wait for it."""
    warm = getattr(_open(workspace, model), "warm", None)
    if warm is not None:
        asyncio.run_coroutine_threadsafe(warm(), _loop())  # a failure shows itself at the first try


def model_context(workspace: Workspace, model: str) -> int | None:
    """The context window of a model in tokens, where it is known."""
    return _open(workspace, model).context


def count_tokens(workspace: Workspace, model: str, messages: Sequence[ChatMessage]) -> int:
    """Tokens of these messages as the model sees them."""
    return _open(workspace, model).count_tokens(messages)


_opened: dict[tuple[str, str], tuple[str, Model]] = {}
_opening = threading.Lock()


def _open(workspace: Workspace, name: str) -> Model:
    """A model kept for the life of this process; opened anew when its row was edited."""
    spec = workspace.models.spec(name)
    with _opening:
        key, row = (str(workspace.root), name), spec.model_dump_json()
        if key not in _opened or _opened[key][0] != row:
            _opened[key] = (row, workspace.models.open(name))
        return _opened[key][1]


def _asker(
    workspace: Workspace,
    prompts: Mapping[str, AnyPrompt],
    dataset: Dataset | None,
    model: Model,
    seed: int,
) -> Asker:
    desk = CallDesk(workspace.store)
    return Asker(prompts, Composer(workspace.datasets, dataset), desk, model, Sampling(seed=seed))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="tries").start()
    return loop


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()
