"""The Jinja environment that prompt templates run in: sandboxed, strict, and with metered work.

A template may come from an imported file, so it gets no loaders, no macros, no globals, a list of
filters and methods that cannot run away, and a budget: one unit for each turn of a loop and each
character it makes. `{% for i in items %}{% for j in items %}...` ends with an error, not with a hang.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

BUDGET = 2_000_000
MAX_EXPONENT = 64

FILTERS = (
    "abs capitalize count d default dictsort e escape first float groupby int items join last length list "
    "lower map max min reject rejectattr reverse select selectattr sort string sum title tojson trim "
    "truncate unique upper urlencode wordcount"
)
METHODS = (
    "capitalize count endswith find get index isalpha isdigit isnumeric items keys lower lstrip partition "
    "removeprefix removesuffix rfind rpartition rsplit rstrip split splitlines startswith strip title upper "
    "values"
)
NOT_IN_PROMPTS = (
    nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport,
)  # fmt: skip

_left: ContextVar[list[int] | None] = ContextVar("units_left", default=None)


class TooMuchWork(Exception):
    """The template used up its budget."""


class AskedForNothing(UndefinedError):
    """A name that the row does not have was used."""

    def __init__(self, message: str, variable: str | None) -> None:
        self.variable = variable
        super().__init__(message)


def metered(work: Callable[[], str]) -> str:
    """Runs `work` with a fresh budget. Raises TooMuchWork."""
    token = _left.set([BUDGET])
    try:
        return work()
    finally:
        _left.reset(token)


def charge(units: int) -> None:
    """Takes units from the budget of the render in progress."""
    left = _left.get()
    if left is None:
        return
    left[0] -= units
    if left[0] < 0:
        raise TooMuchWork


def shown(value: Any) -> Any:
    """A value as it stands in a prompt: None and NaN as nothing, lists and mappings as JSON."""
    if isinstance(value, str):
        charge(len(value))
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, Undefined):
        return value
    if isinstance(value, (list, tuple, Mapping)):
        charge(_weight(value))
        return json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    charge(len(text))
    return text


def _weight(value: Any) -> int:
    """Characters and items in a value, counted no further than the budget."""
    total, pending = 0, [value]
    while pending and total <= BUDGET:
        item = pending.pop()
        total += 1
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, Mapping):
            pending += [*item.keys(), *item.values()]
        elif isinstance(item, (list, tuple)):
            pending += item
    return total


def _turns(items: Iterable[Any], text_a_turn: int) -> Iterator[Any]:
    for item in items:
        charge(1 + text_a_turn)
        yield item


def _joined(parts: Iterable[Any]) -> str:
    return "".join(str(shown(part)) for part in parts)


def _weighed(value: Any) -> Any:
    charge(_weight(value))
    return value


def _join(items: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    values = list(items)
    if attribute is not None:
        values = [value[attribute] for value in values]
    charge(len(str(d)) * len(values))
    return str(d).join(str(shown(value)) for value in values)


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    text = str(text)
    charge(len(text) + text.count(old) * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def _indent(text: Any, width: int = 4, first: bool = False) -> str:
    lines = str(text).splitlines() or [""]
    charge(len(lines) * min(max(int(width), 0), BUDGET))
    space = " " * int(width)
    return (space if first else "") + f"\n{space}".join(lines)


def _round(value: Any, precision: int = 0) -> float | int:
    if abs(precision) > MAX_EXPONENT:
        raise SecurityError(f"round({precision}) is out of bounds")
    return round(value, precision) if precision else round(float(value), 0)


def _with_charge(plain: Callable[..., Any]) -> Callable[..., Any]:
    place = 1 if hasattr(plain, "jinja_pass_arg") else 0

    @functools.wraps(plain)
    def charged(*args: Any, **kwargs: Any) -> Any:
        value = args[place] if len(args) > place else None
        charge(len(value) if isinstance(value, (str, list, tuple, dict)) else 1)
        return plain(*args, **kwargs)

    return charged


class _Missing(StrictUndefined):
    """Raises with the variable's name kept, not only a sentence about it."""

    __slots__ = ()

    def __init__(self, hint: Any = None, obj: Any = None, name: Any = None, exc: Any = None) -> None:
        plain = exc is None or exc is UndefinedError
        kind: Any = (
            functools.partial(AskedForNothing, variable=name if obj is None else None) if plain else exc
        )
        if obj is None:
            super().__init__(hint, name=name, exc=kind)
        else:
            super().__init__(hint, obj, name, kind)


class _Bounded(NodeTransformer):
    """Rewrites a template so that loops, `~` and literals are charged; refuses what prompts do not need."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if isinstance(node, NOT_IN_PROMPTS):
            kind = type(node).__name__.lower()
            raise TemplateSyntaxError(f"'{kind}' is not available in prompts", node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            raise TemplateSyntaxError("'recursive' loops are not available in prompts", node.lineno)
        self.generic_visit(node)
        text = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.iter = _filtered(node.iter, "_turns", nodes.Const(text))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_joined")

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_weighed")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_weighed")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_weighed") if node.ctx == "load" else node


def _filtered(node: Any, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja for prompts. Attribute access on a mapping means its key, so `item.items` is data."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing,
            autoescape=False,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=shown,
            loader=None,
            cache_size=0,
        )
        self.globals.clear()
        self.filters = {name: _with_charge(self.filters[name]) for name in FILTERS.split()}
        self.filters |= {"join": _join, "replace": _replace, "indent": _indent, "round": _round}
        self.filters |= {"_turns": _turns, "_joined": _joined, "_weighed": _weighed}

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Bounded().visit(source), *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`, where a mapping's key comes before its methods."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        """Only methods of plain values that cannot make something large, and those of `loop`."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, LoopContext):
            return name in ("cycle", "changed")
        if isinstance(obj, Undefined):
            return True  # the call then says which name is missing
        if isinstance(owner, (str, list, tuple, dict)) and name in METHODS.split():
            return True
        raise SecurityError(f"'{name or type(obj).__name__}' cannot be called in prompts")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic whose result is charged before it is made."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("'%' formats no text in prompts; use '~' or {{ }}")
        if operator == "**" and not (abs(left) <= 10**6 and abs(right) <= MAX_EXPONENT):
            raise TooMuchWork
        charge(_result_size(operator, left, right))
        return super().call_binop(context, operator, left, right)


def _result_size(operator: str, left: Any, right: Any) -> int:
    sequences = (str, list, tuple)
    if operator == "*":
        for items, times in ((left, right), (right, left)):
            if isinstance(items, sequences) and isinstance(times, int):
                return len(items) * max(0, times)
    if operator == "+" and isinstance(left, sequences) and isinstance(right, sequences):
        return len(left) + len(right)
    return 1 + sum(n.bit_length() // 8 for n in (left, right) if isinstance(n, int))


@functools.cache
def environment() -> PromptEnvironment:
    """The one environment; it holds no state between renders."""
    return PromptEnvironment()
