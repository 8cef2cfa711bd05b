"""Rules about ensembles: members that are missing, alike, alone or in a circle."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.prompt import DEFAULT_SAMPLING, AnyPrompt, Ensemble, Member, Prompt
from workbench.errors import CyclicEnsemble, WorkbenchError
from workbench.prompting.linting.base import Subject, ensemble_rule


@ensemble_rule("cyclic-ensemble", "error")
def cyclic_ensemble(ensemble: Ensemble, subject: Subject) -> Iterator[tuple[str, str]]:
    """The ensemble contains itself."""
    if subject.library is None:
        return
    if ensemble.name in ensemble.mentioned():
        yield f"'{ensemble.name}' is a member of itself; take it out.", "members"
        return
    for name in ensemble.mentioned():
        try:
            inside = subject.library.resolve(name)
        except CyclicEnsemble as error:
            yield str(error), "members"
            return
        except WorkbenchError:
            continue
        if ensemble.name in inside:
            yield f"'{ensemble.name}' contains itself through '{name}'; take one of them out.", "members"


@ensemble_rule("unknown-member", "error")
def unknown_member(ensemble: Ensemble, subject: Subject) -> Iterator[tuple[str, str]]:
    """A member, judge or merging prompt that does not exist or cannot be used."""
    for name in ensemble.mentioned() if subject.library is not None else []:
        if name != ensemble.name:
            try:
                subject.library.get(name)  # type: ignore[union-attr]
            except WorkbenchError as error:
                yield str(error), "members"


@ensemble_rule("same-samples", "warning")
def same_samples(ensemble: Ensemble, subject: Subject) -> Iterator[tuple[str, str]]:
    """Several samples at temperature 0 are all the same."""
    for place, member in enumerate(ensemble.members):
        if member.samples > 1 and _temperature(member, subject) == 0:
            yield (
                f"{member.samples} samples of '{member.prompt}' at temperature 0 are all the same; "
                "set sampling: {temperature: 0.7} on the member.",
                f"members[{place}]",
            )


def _temperature(member: Member, subject: Subject) -> float | None:
    """The temperature a member is asked at; None where it cannot be known."""
    if member.sampling.temperature is not None:
        return member.sampling.temperature
    prompt = _found(member.prompt, subject)
    if not isinstance(prompt, Prompt):
        return None
    return prompt.sampling.over(DEFAULT_SAMPLING).temperature


def _found(name: str, subject: Subject) -> AnyPrompt | None:
    try:
        return subject.library.get(name) if subject.library is not None else None
    except WorkbenchError:
        return None


@ensemble_rule("lone-member", "hint")
def lone_member(ensemble: Ensemble, subject: Subject) -> Iterator[tuple[str, str]]:
    """One member asked once: there is nothing to combine."""
    if len(ensemble.members) == 1 and ensemble.members[0].samples == 1 and ensemble.combine != "fuse":
        yield "One member asked once leaves nothing to combine; add members or samples.", "members"


@ensemble_rule("even-vote", "hint")
def even_vote(ensemble: Ensemble, subject: Subject) -> Iterator[tuple[str, str]]:
    """Two votes can only agree or tie."""
    if ensemble.combine == "majority" and sum(member.samples for member in ensemble.members) == 2:
        yield "Two votes can only agree or tie, so `ties` decides; ask three or more.", "members"


@ensemble_rule("weights-unused", "warning")
def weights_unused(ensemble: Ensemble, subject: Subject) -> Iterator[tuple[str, str]]:
    """Weights are given, but the way of combining does not read them."""
    reads = ("weighted", "consensus", "cascade")
    if ensemble.combine not in reads and any(member.weight != 1 for member in ensemble.members):
        yield f"`weight` has no effect with `combine: {ensemble.combine}`; use weighted.", "members"
