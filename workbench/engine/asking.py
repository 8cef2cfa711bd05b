"""Asking: what one cell does for one row. A prompt makes a call; an ensemble asks its members.

Members are asked through the same calls as everybody else, so a vote over five samples costs
nothing where the five samples exist.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.model import Model, Request
from workbench.core.prompt import DEFAULT_SAMPLING, AnyPrompt, Ensemble, Member, Prompt, Sampling
from workbench.core.run import Output, Vote
from workbench.engine.calls import Answered, CallDesk
from workbench.engine.composing import SENT_TO_NO_ONE, Composer
from workbench.prompting.combine import CombineContext, combiner, needs_logprobs
from workbench.prompting.read import read_answer

MAX_SEED = 2**31 - 1


@dataclass(slots=True)
class Tally:
    """What asking took, summed over its calls."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    latency_s: float = 0.0
    cost_usd: float = 0.0
    calls: int = 0
    cached_calls: int = 0
    finish_reason: str = "stop"
    first_token_s: float | None = None
    """Of the only call; None from the second one on."""

    def add(self, answered: Answered) -> None:
        """Adds one call."""
        completion = answered.completion
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        self.cached_tokens += completion.cached_tokens
        self.latency_s += completion.latency_s
        self.cost_usd += answered.cost_usd
        self.calls += 1
        self.first_token_s = completion.first_token_s if self.calls == 1 else None
        self.cached_calls += answered.cached
        if completion.finish_reason != "stop":
            self.finish_reason = completion.finish_reason


@dataclass(slots=True)
class Reply:
    """What a prompt or ensemble said about a row."""

    text: str
    answer: str | None
    votes: tuple[Vote, ...] = ()
    key: str = ""
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class LeafCall:
    """One call that a prompt will make for any row, whatever comes back."""

    prompt: Prompt
    sampling: Sampling
    sample: int
    logprobs: bool


@dataclass
class Asker:
    """Asks one cell's prompt on one model, row by row."""

    prompts: Mapping[str, AnyPrompt]
    composer: Composer
    desk: CallDesk
    model: Model
    sampling: Sampling
    """What the experiment says; a prompt's own settings give way to it, a member's do not."""
    _resolved: dict[tuple[int, Sampling], Sampling] = field(default_factory=dict)
    _prepared: dict[Any, tuple[Request, str]] = field(default_factory=dict)

    async def output(
        self, cell: int, name: str, row: Mapping[str, Any], position: int, repeat: int
    ) -> Output:
        """The output of one unit. Raises WorkbenchError; the caller stores it as the unit's error."""
        tally = Tally()
        reply = await self._ask(name, row, repeat, Sampling(), tally, logprobs=False)
        return Output(
            cell=cell,
            row_id=str(row["id"]),
            position=position,
            repeat=repeat,
            text=reply.text,
            answer=reply.answer,
            prompt_tokens=tally.prompt_tokens,
            completion_tokens=tally.completion_tokens,
            cached_tokens=tally.cached_tokens,
            latency_s=tally.latency_s,
            cost_usd=tally.cost_usd,
            calls=tally.calls,
            cached_calls=tally.cached_calls,
            finish_reason=tally.finish_reason,
            votes=reply.votes,
            first_token_s=tally.first_token_s,
        )

    def prepare(self, leaf: LeafCall, row: Mapping[str, Any]) -> str:
        """The key of a call that will be made; its request is kept until then."""
        request = self.request(leaf.prompt, row, leaf.sample, leaf.sampling, leaf.logprobs)
        key = self.desk.key(self.model, request, leaf.sample)
        place = (id(leaf.prompt), id(row), leaf.sample, leaf.sampling, leaf.logprobs)
        self._prepared[place] = (request, key)
        return key

    def request(
        self,
        prompt: Prompt,
        row: Mapping[str, Any],
        sample: int,
        member: Sampling,
        logprobs: bool = False,
        extra: Mapping[str, Any] = SENT_TO_NO_ONE,
    ) -> Request:
        """The complete request of one call; its seed follows from the stated one, row and sample."""
        messages = self.composer.messages(prompt, row, extra)
        sampling = self._complete_sampling(prompt, member)
        if sampling.temperature:
            seed = call_seed(sampling.seed or 0, sample, messages)
            sampling = sampling.model_copy(update={"seed": seed})
        return Request(messages, sampling, logprobs, json_schema=prompt.answer.schema_)

    def leaf_calls(self, name: str, repeat: int) -> Iterator[LeafCall]:
        """The calls that do not depend on any answer; for a cascade, all that it may make."""
        yield from self._leaves(name, repeat, Sampling(), False)

    def _leaves(self, name: str, sample: int, member: Sampling, logprobs: bool) -> Iterator[LeafCall]:
        prompt = self.prompts[name]
        if isinstance(prompt, Prompt):
            yield LeafCall(prompt, member, sample, logprobs)
            return
        logprobs = needs_logprobs(prompt)
        for index, part in enumerate(prompt.members):
            for number in member_samples(prompt, index, sample):
                yield from self._leaves(part.prompt, number, part.sampling.over(member), logprobs)

    async def _ask(
        self,
        name: str,
        row: Mapping[str, Any],
        sample: int,
        member: Sampling,
        tally: Tally,
        *,
        logprobs: bool,
        extra: Mapping[str, Any] = SENT_TO_NO_ONE,
    ) -> Reply:
        prompt = self.prompts[name]
        if isinstance(prompt, Ensemble):
            return await self._ask_ensemble(prompt, row, sample, member, tally)
        place = (id(prompt), id(row), sample, member, logprobs)
        prepared = None if extra else self._prepared.pop(place, None)
        request, key = prepared or (self.request(prompt, row, sample, member, logprobs, extra), None)
        answered = await self.desk.call(self.model, request, sample, key)
        tally.add(answered)
        completion = answered.completion
        mean = None
        if completion.logprob is not None:
            mean = completion.logprob / max(1, completion.completion_tokens)
        return Reply(
            completion.text, read_answer(prompt.answer, completion.text), key=answered.key, logprob=mean
        )

    async def _ask_ensemble(
        self, ensemble: Ensemble, row: Mapping[str, Any], sample: int, above: Sampling, tally: Tally
    ) -> Reply:
        logprobs = needs_logprobs(ensemble)

        async def ask_member(index: int) -> list[Vote]:
            part = ensemble.members[index]
            sampling = part.sampling.over(above)
            numbers = member_samples(ensemble, index, sample)
            replies = await gather(
                [
                    self._ask(part.prompt, row, number, sampling, tally, logprobs=logprobs)
                    for number in numbers
                ]
            )
            return [
                Vote(
                    part.prompt,
                    number,
                    reply.text,
                    self._member_answer(ensemble, reply),
                    part.weight,
                    reply.key,
                    reply.logprob,
                )
                for number, reply in zip(numbers, replies, strict=True)
            ]

        async def ask(name: str, extra: Mapping[str, Any]) -> Vote:
            reply = await self._ask(name, row, sample, Sampling(), tally, logprobs=False, extra=extra)
            return Vote(name, sample, reply.text, reply.answer, key=reply.key, logprob=reply.logprob)

        context = CombineContext(ensemble, ask)
        votes, combined = await combiner(ensemble.combine).run(ask_member, context)
        return Reply(combined.text, combined.answer, tuple(votes))

    @staticmethod
    def _member_answer(ensemble: Ensemble, reply: Reply) -> str | None:
        return reply.answer if ensemble.answer is None else read_answer(ensemble.answer, reply.text)

    def _complete_sampling(self, prompt: Prompt, member: Sampling) -> Sampling:
        key = (id(prompt), member)  # the member by value: many are made and gone, and ids come again
        if key not in self._resolved:
            below = prompt.sampling.over(self.model.spec.sampling.over(DEFAULT_SAMPLING))
            self._resolved[key] = member.over(self.sampling.over(below))
        return self._resolved[key]


def member_samples(ensemble: Ensemble, index: int, sample: int) -> range:
    """The sample numbers that member `index` uses in the ensemble's own sample `sample`.

    Members that would make the very same calls continue each other's numbers, so that no answer
    is counted twice.
    """

    def same(other: Member) -> bool:
        return (other.prompt, other.sampling) == (member.prompt, member.sampling)

    member = ensemble.members[index]
    before = sum(other.samples for other in ensemble.members[:index] if same(other))
    together = sum(other.samples for other in ensemble.members if same(other))
    start = sample * together + before
    return range(start, start + member.samples)


def call_seed(seed: int, sample: int, messages: Sequence[Mapping[str, str]]) -> int:
    """A seed for one call: the same for the same request, unrelated between rows and samples."""
    digest = hashlib.blake2b(f"{seed}:{sample}".encode(), digest_size=8)
    for message in messages:
        digest.update(message["content"].encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest(), "big") % MAX_SEED


async def gather(coroutines: list[Awaitable[Reply]]) -> list[Reply]:
    """All results in order; one alone is awaited without the cost of a task."""
    if len(coroutines) == 1:
        return [await coroutines[0]]
    return list(await asyncio.gather(*coroutines))
