"""Which rows of a pool are shown as few-shot examples, one selector a file.

    examples: {from: word-problems#train, count: 4, select: similar}

No row is ever its own example: a pool row with the asked row's id, or with its text, is left out.
A package outside adds a selector through the entry point group `workbench.selectors`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.prompt import Examples
from workbench.core.registry import Registry
from workbench.errors import PromptError
from workbench.prompting.select.pool import Pool, Row, Selector

registry: Registry[Callable[[Pool], Selector]] = Registry(
    "example selector", "workbench.selectors", __name__, PromptError
)
selector = registry.register


def selector_names() -> list[str]:
    """Every selector's name, sorted."""
    return registry.names()


def build_selector(
    examples: Examples, pool: Sequence[Row], text_of: Callable[[Row], str], reference: str | None
) -> Selector:
    """The selector that `examples.select` names, made ready once for many rows.

    Args:
        examples: how many, chosen how.
        pool: the rows to choose from; of rows with equal text the first is kept.
        text_of: the text of a row as the model is asked it; decides what counts as the same row.
        reference: column with the right answer; `balanced` balances it unless `by` says otherwise.
    """
    return registry.get(examples.select)(Pool(examples, pool, text_of, reference))


def check_source(examples: Examples, evaluated: str) -> None:
    """Raises PromptError when examples come from the split that is evaluated, such as `sums#test`."""
    if examples.from_ is not None and examples.from_.casefold() == evaluated.casefold():
        raise PromptError(
            f"The examples come from '{examples.from_}', the split that is evaluated, so the model would "
            "see rows that it is judged on; take them from another split, such as train."
        )


__all__ = ["Pool", "Row", "Selector", "build_selector", "check_source", "selector", "selector_names"]
