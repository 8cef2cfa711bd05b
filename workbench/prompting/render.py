"""A prompt and a row become chat messages.

    Renderer(prompt).messages({"question": "Tom has 3 apples ..."})
    ({"role": "system", "content": "You solve ..."}, {"role": "user", "content": "Tom has ..."})

Templates are rendered; data never is: `{{ x }}` inside a row's value arrives as those characters.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from workbench.core.dataset import guess_reference
from workbench.core.prompt import Prompt
from workbench.errors import MissingVariable, PromptError
from workbench.prompting.reasoning import instruction
from workbench.prompting.sandbox import (
    BUDGET,
    AskedForNothing,
    TooMuchWork,
    environment,
    metered,
    shown,
)

ROW = "row"  # `{{ row["Column name"] }}` reaches columns whose names are not identifiers
JINJA_GLOBALS = {"range", "dict", "lipsum", "cycler", "joiner", "namespace"}
SHOWN_EXAMPLES = 4096

Turn = dict[str, str]


class Renderer:
    """A prompt compiled once, then rendered for row after row.

    Args:
        prompt: what to render.
        reference: the dataset's column with the right answer; few-shot examples without a template
            of their own reply with it.
    """

    def __init__(self, prompt: Prompt, reference: str | None = None) -> None:
        self.prompt, self.reference = prompt, reference
        self._parts = [
            (message.role, _Part(message.content, f"message {number} ({message.role})", prompt.name))
            for number, message in enumerate(prompt.messages, 1)
        ]
        self._last_user = max(i for i, message in enumerate(prompt.messages) if message.role == "user")
        self._suffix = instruction(prompt.reasoning)
        self._question = self._parts[self._last_user][1]
        self._reply: _Part | None = None
        if prompt.examples is not None:
            if prompt.examples.user is not None:
                self._question_of_example = _Part(prompt.examples.user, "examples.user", prompt.name)
            else:
                self._question_of_example = self._question
            if prompt.examples.assistant is not None:
                self._reply = _Part(prompt.examples.assistant, "examples.assistant", prompt.name)
        else:
            self._question_of_example = self._question
        # examples are the same few rows again and again; the row is kept so that its id stays its own
        self._shown: dict[int, tuple[Mapping[str, Any], tuple[Turn, Turn]]] = {}

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that the messages ask for, also those under a condition."""
        return frozenset().union(*(part.variables for _, part in self._parts))

    def messages(
        self, row: Mapping[str, Any], examples: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[Turn, ...]:
        """Chat messages for a row, `examples` shown as earlier turns before the last user message.

        Raises MissingVariable where a template needs a column that the row does not have, and
        PromptError where it fails otherwise.
        """
        turns: list[Turn] = []
        for index, (role, part) in enumerate(self._parts):
            content = part.render(row)
            if index == self._last_user:
                for example in examples:
                    turns += self._example(example)
                if self._suffix:
                    content = f"{content}\n{self._suffix}"
            turns.append({"role": role, "content": content})
        return tuple(turns)

    def _example(self, example: Mapping[str, Any]) -> tuple[Turn, Turn]:
        kept = self._shown.get(id(example))
        if kept is not None:
            return kept[1]
        question = self._question_of_example.render(example)
        reply = self._reply.render(example) if self._reply else self._default_reply(example)
        pair = ({"role": "user", "content": question}, {"role": "assistant", "content": reply})
        if len(self._shown) >= SHOWN_EXAMPLES:
            self._shown.clear()
        self._shown[id(example)] = (example, pair)
        return pair

    def _default_reply(self, example: Mapping[str, Any]) -> str:
        column = self.reference or guess_reference(list(example))
        if column is None:
            raise PromptError(
                f"Prompt '{self.prompt.name}' has examples, but nothing says which column answers them: "
                "name the dataset's reference column or write `examples.assistant`."
            )
        if column not in example:
            raise MissingVariable(column, self.prompt.name, example)
        answer = str(shown(example[column]))
        after = self.prompt.answer.after
        return f"{after} {answer}" if after and after not in answer else answer


class _Part:
    """One compiled template with its place in the prompt, for errors."""

    def __init__(self, source: str, place: str, prompt: str) -> None:
        self.place, self.prompt = place, prompt
        try:
            self._template, self.variables, self._is_constant = _compiled(source)
        except TemplateSyntaxError as error:
            raise self._failure(error.message or "not a template", error, error.lineno) from None
        except RecursionError as error:
            raise self._failure("the template is nested too deeply", error) from None
        self._constant: str | None = None

    def render(self, row: Mapping[str, Any]) -> str:
        if self._constant is not None:
            return self._constant
        try:
            text = metered(functools.partial(self._run, row))
        except AskedForNothing as error:
            raise self._missing(error, row) from None
        except TooMuchWork as error:
            limit = f"{BUDGET:,} characters or loop turns"
            raise self._failure(f"rendering takes more than {limit}; shorten it", error) from None
        except Exception as error:  # a template is untrusted: whatever it does ends in one sentence
            raise self._failure(f"{error}", error) from None
        if self._is_constant:
            self._constant = text
        return text

    def _run(self, row: Mapping[str, Any]) -> str:
        values = dict(row)
        values.setdefault(ROW, row)
        return "".join(self._template.root_render_func(self._template.new_context(values)))

    def _missing(self, error: AskedForNothing, row: Mapping[str, Any]) -> PromptError:
        name = error.variable
        if name is None or name in row:
            return self._failure(str(error), error)
        if name in JINJA_GLOBALS:
            return self._failure(f"'{name}' is not available in prompts; loop over a column instead", error)
        return MissingVariable(name, self.prompt, row)

    def _failure(self, problem: str, error: BaseException, line: int | None = None) -> PromptError:
        problem = problem.strip().rstrip(".") or type(error).__name__
        at_line = f", line {line}" if line else ""
        return PromptError(f"Prompt '{self.prompt}', {self.place}{at_line}: {problem[:400]}.")


@functools.lru_cache(maxsize=512)
def _compiled(source: str) -> tuple[Template, frozenset[str], bool]:
    """(template, its variables, whether it says the same for every row)"""
    jinja = environment()
    tree = jinja.parse(source)
    variables = set(find_undeclared_variables(tree))
    if ROW in variables:
        variables.discard(ROW)
        variables |= _columns_of_row(tree)
    is_constant = not tree.find(nodes.Name)
    compiled: list[Template] = []

    def build() -> str:
        compiled.append(jinja.from_string(source))
        return ""

    metered(build)
    return compiled[0], frozenset(variables), is_constant


def _columns_of_row(tree: nodes.Template) -> set[str]:
    columns: set[str] = set()
    item: Any
    for item in tree.find_all((nodes.Getitem, nodes.Getattr)):
        if isinstance(item.node, nodes.Name) and item.node.name == ROW:
            if isinstance(item, nodes.Getattr):
                columns.add(item.attr)
            elif isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str):
                columns.add(item.arg.value)
    return columns


def template_variables(source: str) -> frozenset[str]:
    """Variables of one template text. Raises jinja2's TemplateSyntaxError."""
    return _compiled(source)[1]
