"""Several members' answers become one, one way a file.

    votes, combined = await combiner("majority").run(ask_member, CombineContext(ensemble, ask))

`run` asks the members that the way needs (all of them at once, but for `cascade`) and combines their
votes; `combine` takes votes that are there already. A package outside adds a way through the entry
point group `workbench.combiners`; it loads to a `Combiner`.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.prompt import Ensemble
from workbench.core.registry import Registry
from workbench.core.run import Vote
from workbench.errors import PromptError
from workbench.prompting.combine.base import (
    AskMember,
    Combine,
    CombineContext,
    Combined,
    Combiner,
    Run,
    ask_all,
)

registry: Registry[Combiner] = Registry("combiner", "workbench.combiners", __name__, PromptError)


def register(name: str, run: Run | None = None) -> Callable[[Combine], Combine]:
    """Registers an async function of votes and context; `run` only where not every member is asked."""

    def keep(combine: Combine) -> Combine:
        async def ask_everyone(ask_member: AskMember, context: CombineContext) -> tuple[list[Vote], Combined]:
            votes = await ask_all(ask_member, range(len(context.ensemble.members)))
            return votes, await combine(votes, context)

        registry.add(name, Combiner(combine, run or ask_everyone))
        return combine

    return keep


def combiner(name: str) -> Combiner:
    """A way to combine by name. Raises UnknownName."""
    return registry.get(name)


def combiner_names() -> list[str]:
    """Every way to combine, sorted."""
    return registry.names()


def needs_logprobs(ensemble: Ensemble) -> bool:
    """Whether the members' calls must return log-probabilities."""
    return ensemble.combine == "best_of" and ensemble.by in (None, "logprob")


__all__ = [
    "AskMember",
    "CombineContext",
    "Combined",
    "Combiner",
    "combiner",
    "combiner_names",
    "needs_logprobs",
    "register",
]
