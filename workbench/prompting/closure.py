"""Everything that a prompt asks, directly or not, and the versions that follow from it.

closure(vote, library.get)   ->  {"direct": …, "step-by-step": …, "vote": …}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.core.prompt import AnyPrompt, Ensemble, Prompt
from workbench.errors import CyclicEnsemble, PromptError

DEEPEST = 100


def closure(prompt: AnyPrompt, get: Callable[[str], AnyPrompt]) -> dict[str, AnyPrompt]:
    """The prompt and all that it asks by name, members before the ensembles that ask them.

    Raises CyclicEnsemble for a circle, and what `get` raises for a name that is missing.
    """
    found: dict[str, AnyPrompt] = {}

    def visit(one: AnyPrompt, above: tuple[str, ...]) -> None:
        if one.name in above:
            circle = " → ".join([*above[above.index(one.name) :], one.name])
            raise CyclicEnsemble(f"An ensemble contains itself: {circle}. Take one of them out.")
        if len(above) > DEEPEST:
            raise PromptError(f"Ensembles are nested more than {DEEPEST} deep at '{one.name}'; flatten them.")
        if one.name in found:
            return
        for name in mentioned(one):
            visit(prompt if name == prompt.name else get(name), (*above, one.name))
        found[one.name] = one

    visit(prompt, ())
    return found


def versions_of(prompts: Mapping[str, AnyPrompt]) -> dict[str, str]:
    """The version of each prompt, given everything that they mention, as `closure` gives it."""
    versions: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in versions:
            prompt = prompts[name]
            if isinstance(prompt, Prompt):
                versions[name] = prompt.version
            else:
                versions[name] = prompt.version({other: version(other) for other in prompt.mentioned()})
        return versions[name]

    return {name: version(name) for name in prompts}


def mentioned(prompt: AnyPrompt) -> list[str]:
    """Names of the prompts that this one asks; none for a plain prompt."""
    return prompt.mentioned() if isinstance(prompt, Ensemble) else []
