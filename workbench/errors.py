"""Every error that the workbench raises on purpose, as one tree.

    WorkbenchError
    ├── UsageError                 a command or call was put wrongly (exit code 2)
    ├── InvalidFile                a file that a person wrote cannot be used: file, line, key, remedy
    ├── UnknownName                a name that nothing answers to, with the nearest one that exists
    ├── PromptError
    │   ├── MissingVariable        a template asks for a column that the row does not have
    │   ├── CyclicEnsemble         an ensemble that contains itself
    │   └── PromptTooLong          messages that do not fit the model's context
    ├── DatasetError               rows that cannot be read or used
    ├── MetricError                a metric that cannot be loaded or computed
    │   └── Unscored               one row that a metric cannot score, and why
    ├── ModelError                 carries model, provider and the original exception
    │   ├── ModelUnavailable       not there, not reachable, or its key is not set
    │   └── ModelRefused           the model's server answered with an error
    ├── RunError                   a run that cannot be started, resumed or read
    │   └── RunCancelled           stopped by a person; what is done stays done
    ├── CollectionError            nothing fit to learn from, or a collection that cannot be read
    ├── TuningError                a tuning that cannot be started, resumed or read
    │   └── TuningCancelled        stopped by a person; the best checkpoint stays
    └── StorageError               the database cannot be opened, read or written

The command line prints an error's sentence, the app shows it; neither prints a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorkbenchError(Exception):
    """Base of the tree. Its text is one sentence for the person who gets it."""

    exit_code = 1


class UsageError(WorkbenchError):
    """A command or a call was put wrongly."""

    exit_code = 2


class InvalidFile(WorkbenchError):
    """A file that a person wrote cannot be used.

    Args:
        problem: what is wrong and what to do, one sentence.
        file: the file's path as the person knows it.
        line: 1-based line, when known.
        key: dotted path of the key, when known.
    """

    def __init__(
        self, problem: str, file: str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        self.problem, self.file, self.line, self.key = problem, file, line, key
        where = ", ".join(
            part for part in (file, f"line {line}" if line else None, f"key `{key}`" if key else None) if part
        )
        super().__init__(f"{where}: {problem}" if where else problem)


class UnknownName(WorkbenchError):
    """A name that nothing answers to.

    Args:
        kind: what was looked for, such as "prompt".
        name: the name as given.
        known: every name that would have been right.
        remedy: a sentence in place of the nearest name, where more is known of it.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), remedy: str = "") -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        more = f" {remedy}" if remedy else suggestion(name, self.known)
        super().__init__(f"There is no {kind} named '{name}'.{more}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known names, or all of them when few; else ''."""
    candidates = list(known)
    near = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if near:
        return f" Did you mean '{near[0]}'?"
    if 0 < len(candidates) <= 12:
        return f" Known: {', '.join(candidates)}."
    return ""


class PromptError(WorkbenchError):
    """A prompt that cannot be rendered, read or combined."""


class MissingVariable(PromptError):
    """A template asks for a variable that the row does not have."""

    def __init__(self, variable: str, prompt: str, columns: Iterable[str]) -> None:
        self.variable = variable
        have = sorted(columns)
        super().__init__(
            f"Prompt '{prompt}' needs '{{{{ {variable} }}}}', which is not a column of the row "
            f"(columns: {', '.join(have) or 'none'}).{suggestion(variable, have) if len(have) > 12 else ''}"
        )


class CyclicEnsemble(PromptError):
    """An ensemble that contains itself, directly or through its members."""


class PromptTooLong(PromptError):
    """Rendered messages that do not fit the model's context window."""


class DatasetError(WorkbenchError):
    """Rows that cannot be read, imported or used."""


class MetricError(WorkbenchError):
    """A metric that cannot be loaded or computed."""


class Unscored(MetricError):
    """One row that a metric cannot score; its sentence is shown beside the row. The others go on."""


class ModelError(WorkbenchError):
    """A model that could not answer; carries who failed and why."""

    def __init__(
        self,
        problem: str,
        model: str | None = None,
        provider: str | None = None,
        original: BaseException | None = None,
    ) -> None:
        self.problem, self.model, self.provider, self.original = problem, model, provider, original
        super().__init__(f"Model '{model}': {problem}" if model else problem)


class ModelUnavailable(ModelError):
    """A model that is not there, cannot be reached, or whose key is not set."""


class ModelRefused(ModelError):
    """The model's server answered with an error (after the retries that make sense)."""


class RunError(WorkbenchError):
    """A run that cannot be started, resumed or read."""


class RunCancelled(RunError):
    """A run stopped by a person; the outputs that were stored stay."""


class CollectionError(WorkbenchError):
    """Nothing that is fit to learn from, or a collection that cannot be read, changed or written."""


class TuningError(WorkbenchError):
    """A tuning that cannot be started, resumed or read."""


class TuningCancelled(TuningError):
    """A tuning stopped by a person; its best checkpoint stays."""


class StorageError(WorkbenchError):
    """The database cannot be opened, read or written."""
