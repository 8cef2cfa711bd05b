"""What a line holds beside the example: into `Item.extra`, and back to where it was.

    {"instruction": "…", "output": "…", "source": "web"}      extra: {"source": "web"}

A key of `extra` that the format itself uses would be taken for the format's own: such keys go under
`extra` in the line, and come out of it again.

    {"messages": […], "extra": {"messages": 3}}               extra: {"messages": 3}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from workbench.datasets.json_rows import Row

EXTRA = "extra"


def extra_of(line: Mapping[str, Any], own: Collection[str], elsewhere: Collection[str] = ()) -> Row:
    """What stands in a line beside the keys that the format uses itself.

    Args:
        own: keys whose values the format reads from this line.
        elsewhere: keys that it uses in other lines: here they are kept, but written apart.
    """
    rest = {key: value for key, value in line.items() if key not in own}
    if _set_apart(rest.get(EXTRA), {*own, *elsewhere}):
        rest |= rest.pop(EXTRA)
    return rest


def with_extra(line: Row, extra: Mapping[str, Any], own: Collection[str]) -> Row:
    """The line with `extra` beside it, so that `extra_of` finds the same; `own`: all keys that it uses."""
    apart = {key: value for key, value in extra.items() if key in own}
    if EXTRA in extra and (apart or _set_apart(extra[EXTRA], own)):
        apart[EXTRA] = extra[EXTRA]
    beside = {key: value for key, value in extra.items() if key not in apart}
    return line | beside | ({EXTRA: apart} if apart else {})


def _set_apart(value: Any, own: Collection[str]) -> bool:
    """Whether this is what `with_extra` makes: an object of keys that the format uses, or one around it."""
    if not isinstance(value, dict) or not value.keys() <= {*own, EXTRA}:
        return False
    return bool(value.keys() & set(own)) or _set_apart(value.get(EXTRA), own)
