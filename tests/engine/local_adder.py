"""Local models that add, as a package from outside would bring them; slow, wrong or broken on demand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from workbench.core.model import ChatMessage, Completion, Footprint, ModelSpec, Request
from workbench.engine import Workspace
from workbench.models import registry
from workbench.models.registry import ModelCheck, provider


@dataclass
class LocalAdder:
    """A local model that adds the numbers of the question; it writes down what happens to it."""

    spec: ModelSpec
    concurrency: int = 4
    context: int | None = None
    local: bool = True
    answered: int = 0
    load_s: ClassVar[float] = 0.4
    said: ClassVar[list[str]] = []
    fails_after: ClassVar[dict[str, int]] = {}
    cannot_load: ClassVar[set[str]] = set()
    wrong: ClassVar[dict[str, Collection[int]]] = {}
    """Per model: the first numbers of the questions that it gets wrong."""
    footprints: ClassVar[dict[str, Footprint | None]] = {}

    @staticmethod
    def check(spec: ModelSpec) -> ModelCheck:
        return ModelCheck(True, "It adds.")

    async def warm(self) -> str:
        self.said.append(f"load {self.spec.name}")
        await asyncio.sleep(self.load_s)
        if self.spec.name in self.cannot_load:
            raise MemoryError("no room for the weights")
        return "cpu"

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(0.01)
        if self.answered >= self.fails_after.get(self.spec.name, 10**9):
            raise RuntimeError("the kernel has died")
        self.answered += 1
        numbers = [int(number) for number in re.findall(r"\d+", request.messages[-1]["content"])]
        off = numbers[0] in self.wrong.get(self.spec.name, ())
        return Completion(f"Answer: {sum(numbers) + off}", 5, 2, 1, 0.01, first_token_s=0.005)

    async def stream(self, request: Request) -> AsyncIterator[str]:
        yield "Answer: 7"

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return 5

    def identity(self) -> str:
        return self.spec.identity()

    def footprint(self) -> Footprint | None:
        return self.footprints.get(self.spec.name, Footprint("cpu", 100, 300, parameters=50, load_s=0.4))

    async def close(self) -> None:
        self.said.append(f"close {self.spec.name}")


@contextmanager
def adder_provider() -> Iterator[type[LocalAdder]]:
    """The provider `adder`, for as long as the block lasts; its models begin right and whole."""
    provider("adder")(LocalAdder)
    LocalAdder.load_s, LocalAdder.said, LocalAdder.fails_after = 0.4, [], {}
    LocalAdder.cannot_load, LocalAdder.wrong, LocalAdder.footprints = set(), {}, {}
    yield LocalAdder
    del registry._PROVIDERS["adder"]


def with_models(workspace: Workspace, *rows: str) -> None:
    """Adds rows to the workspace's models.yaml."""
    file = workspace.root / "experiments" / "models.yaml"
    file.write_text(file.read_text() + "".join(f"  - {{{row}}}\n" for row in rows))
