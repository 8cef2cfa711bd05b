"""A prompt: what is asked, with which examples and reasoning, and how the answer is read.

    name: step-by-step
    messages:
      - {role: system, content: You solve arithmetic word problems.}
      - {role: user, content: "{{ question }}"}
    reasoning: step_by_step
    answer: {after: "Answer:", type: number}

An ensemble is a prompt made of member prompts and a way to combine their answers.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from workbench.core.document import Name, Strict, content_hash
from workbench.core.json_schema import schema_problem
from workbench.core.rubric import Rubric

Role = Literal["system", "user", "assistant"]
AnswerType = Literal["text", "number", "choice", "label", "regex", "json"]
Row = dict[str, Any]


class Sampling(Strict):
    """How tokens are drawn. What is omitted is left to the layer below (experiment, then model)."""

    temperature: float | None = Field(None, ge=0, le=10)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    stop: tuple[str, ...] | None = None
    seed: int | None = Field(None, ge=0, lt=2**63)

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    def over(self, below: Sampling | None) -> Sampling:
        """This sampling where it says something, `below` elsewhere."""
        if below is None:
            return self
        return Sampling(**(below.stated() | self.stated()))

    def stated(self) -> dict[str, Any]:
        """Only the settings that were given."""
        return self.model_dump(exclude_none=True)


DEFAULT_SAMPLING = Sampling(temperature=0.0, max_tokens=256, seed=0)


class Message(Strict):
    """One chat message; `content` is a Jinja template over the row's columns."""

    role: Role
    content: str


class Examples(Strict):
    """Few-shot examples: from a dataset's split, or rows written in the prompt itself."""

    from_: str | None = Field(None, alias="from", description="dataset#split")
    rows: tuple[Row, ...] | None = None
    count: int = Field(3, ge=0, le=1000)
    select: str = Field("fixed", description="fixed, random, similar, diverse, balanced, or a package's own")
    seed: int = 0
    shuffle: int | None = Field(None, description="seed: the chosen examples are shown in another order")
    by: str | None = Field(
        None, description="column that `similar` and `diverse` read, or that `balanced` balances"
    )
    assistant: str | None = Field(
        None, description="template of an example's reply; default: the reference after the answer marker"
    )
    user: str | None = Field(None, description="template of an example's question; default: the user message")

    @field_validator("from_")
    @classmethod
    def _names_a_split(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9][\w.-]*#[\w.-]+", value):
            raise ValueError("write it as dataset#split, such as word-problems#train")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Examples:
        if (self.from_ is None) == (self.rows is None):
            raise ValueError("examples need either `from` (dataset#split) or `rows`, not both")
        return self


class AnswerRule(Strict):
    """How the answer is read out of an output's text: the part after a marker, then a type."""

    after: str | None = Field(None, description="marker text; the last occurrence counts")
    type: AnswerType = "text"
    labels: tuple[str, ...] = ()
    pattern: str | None = Field(None, max_length=1000, description="for `regex`; group 1 if it has one")
    path: str | None = Field(None, description="for `json`: dotted path such as result.value or items[0].id")
    choices: str = Field("ABCDE", description="for `choice`: the letters that are options")
    schema_: dict[str, Any] | None = Field(
        None, alias="schema", description="for `json`: the JSON schema that the whole text is held to"
    )

    @field_validator("schema_")
    @classmethod
    def _is_a_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and (problem := schema_problem(value)):
            raise ValueError(f"this is not a usable JSON schema: {problem}")
        return value

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> AnswerRule:
        needed = {"label": ("labels", self.labels), "regex": ("pattern", self.pattern)}
        if self.type in needed and not needed[self.type][1]:
            raise ValueError(f"an answer of type `{self.type}` needs `{needed[self.type][0]}`")
        if self.schema_ is not None and (self.type != "json" or self.after is not None):
            raise ValueError("`schema` holds the whole text to JSON: it needs `type: json` and no `after`")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"the pattern is not a valid regular expression: {error}") from None
        return self


class CustomReasoning(Strict):
    """A reasoning instruction in the author's own words."""

    custom: str


class Prompt(Strict):
    """A template that turns a row into chat messages, and an output back into an answer."""

    name: Name
    description: str = ""
    messages: tuple[Message, ...] = Field(min_length=1)
    reasoning: str | CustomReasoning | None = None
    examples: Examples | None = None
    answer: AnswerRule = AnswerRule()
    sampling: Sampling = Sampling()
    rubric: Rubric | None = Field(None, description="makes the prompt a judge of outputs")
    provenance: dict[str, Any] | None = Field(None, description="evidence written by export; never sent")

    @field_validator("messages")
    @classmethod
    def _a_person_speaks(cls, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        if not any(message.role == "user" for message in messages):
            raise ValueError("a prompt needs at least one message with role `user`")
        return messages

    def content(self) -> dict[str, Any]:
        """What can change an output or its reading: everything but name, description, provenance."""
        return self.model_dump(
            mode="json",
            by_alias=True,
            exclude_defaults=True,
            exclude={"name", "description", "provenance"},
        )

    @property
    def version(self) -> str:
        """The content hash that names this version."""
        return content_hash(self.content())


Tie = Literal["first", "shortest", "none"]


class Member(Strict):
    """One voice of an ensemble: a prompt by name, asked `samples` times."""

    prompt: Name
    samples: int = Field(1, ge=1, le=1000)
    sampling: Sampling = Sampling()
    weight: float = Field(1.0, gt=0)


class Ensemble(Strict):
    """Several prompts (or several samples of one) whose answers are combined into one.

    `by` is read by `best_of`: `logprob` (mean token log-probability, the default) or the name of a
    judge prompt that sees `{{ candidate }}`. `fuse` names the prompt that merges the outputs; it
    sees `{{ candidates }}`, a list. `ties` says what a tie does: `first` member in order wins,
    `shortest` text wins, or `none` (no answer).
    """

    name: Name
    description: str = ""
    members: tuple[Member, ...] = Field(min_length=1)
    combine: str = Field(
        "majority",
        description="majority, weighted, best_of, consensus, fuse, cascade, or a package's own",
    )
    ties: Tie = "first"
    by: str | None = None
    fuse: Name | None = None
    answer: AnswerRule | None = Field(None, description="default: each member's own rule")
    provenance: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _options_fit(self) -> Ensemble:
        if self.combine == "fuse" and self.fuse is None:
            raise ValueError("`combine: fuse` needs `fuse: PROMPT`, the prompt that merges the outputs")
        if self.combine != "fuse" and self.fuse is not None:
            raise ValueError(f"`fuse` has no meaning with `combine: {self.combine}`")
        if self.combine != "best_of" and self.by is not None:
            raise ValueError(f"`by` has no meaning with `combine: {self.combine}`")
        return self

    def mentioned(self) -> list[str]:
        """Names of every prompt that this ensemble asks, in order, without repeats."""
        judge = [self.by] if self.by not in (None, "logprob") else []
        names = [*(member.prompt for member in self.members), *judge, *([self.fuse] if self.fuse else [])]
        return list(dict.fromkeys(str(name) for name in names))

    def content(self, versions: dict[str, str]) -> dict[str, Any]:
        """What can change an answer, with every mentioned prompt named by its version."""
        raw = self.model_dump(
            mode="json", exclude_defaults=True, exclude={"name", "description", "provenance"}
        )
        raw["members"] = [{**member, "prompt": versions[member["prompt"]]} for member in raw["members"]]
        for key in ("by", "fuse"):
            if raw.get(key) in versions:
                raw[key] = versions[raw[key]]
        return raw

    def version(self, versions: dict[str, str]) -> str:
        """The content hash, given the versions of the mentioned prompts."""
        return content_hash(self.content(versions))


AnyPrompt = Prompt | Ensemble
