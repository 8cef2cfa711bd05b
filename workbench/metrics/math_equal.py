"""Whether two pieces of mathematics are equal: exactly where it can be, else by value at points.

    equal(read("x (x + 2)"), read("x^2 + 2x"))   ->  True
    equal(read("[1, 2)"), read("(1, 2)"))        ->  False

Two rational expressions (sums, products, quotients, whole powers) are compared exactly, as sympy's
polynomials. Where roots, functions or constants are in them, two that differ by more than rounding at
one point are different, and agreement to 40 digits at every point is taken as equality. What could take
long is refused beforehand, with TooHard.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.metrics.math_rational import can_be_written_out, is_rational, is_zero
from workbench.metrics.math_reading import Node, negated, unsigned
from workbench.metrics.math_tokens import TooHard

DIGITS = 80
POINTS = 8
ENOUGH_POINTS = 3
LONGEST_S = 2.0
MOST_BITS = 100_000  # of a power's size; 9^9^9 has 1.2 billion

Values = Mapping[str, Any]


def equal(first: Node, second: Node) -> bool:
    """Whether the two are equal. Raises TooHard where it cannot be decided within the bounds."""
    return _Comparison().same(first, second)


class _Undefined(Exception):
    """No value at this point: a division by zero, say."""


class _Comparison:
    """One comparison: its precision, its points and its time."""

    def __init__(self) -> None:
        import mpmath

        self._mp = mpmath.MPContext()  # of our own: the package's shared one is everybody's
        self._mp.dps = DIGITS
        self._end = time.thread_time() + LONGEST_S  # its own: a busy machine changes no score

    def same(self, first: Node, second: Node) -> bool:
        first, second = _unnamed(first, second), _unnamed(second, first)
        kinds = {first.kind, second.kind}
        if "items" in kinds:
            return len(kinds) == 1 and self._same_items(first, second)
        if "relation" in kinds:
            return len(kinds) == 1 and self._same_relation(first, second)
        if "infinity" in {unsigned(first).kind, unsigned(second).kind}:
            return first == second
        return self._same_value(first, second)

    def _same_items(self, first: Node, second: Node) -> bool:
        if len(first.parts) != len(second.parts) or first.name != second.name:
            return False
        if first.name:
            return all(self.same(one, other) for one, other in zip(first.parts, second.parts, strict=True))
        left = list(second.parts)
        for part in first.parts:
            found = next((other for other in left if self.same(part, other)), None)
            if found is None:
                return False
            left.remove(found)
        return True

    def _same_relation(self, first: Node, second: Node) -> bool:
        """Equal up to a factor: 2x = 4 and x - 2 = 0. A factor below zero would turn < round."""
        if first.name != second.name:
            return False
        if first.name == "=" and first.parts[0] == second.parts[0]:
            return self.same(first.parts[1], second.parts[1])
        sides = [difference(*node.parts) for node in (first, second)]
        factors = []
        for ours, theirs in self._values(*sides):
            if ours is None or theirs is None:
                continue
            if self._mp.fabs(theirs) < self._tolerance(theirs) or self._mp.fabs(ours) < self._tolerance(ours):
                if not self._near(ours, theirs):
                    return False
                continue
            factors.append(ours / theirs)
        if not factors:
            raise TooHard("it could not be told from its values")
        if first.name != "=" and self._mp.re(factors[0]) < 0:
            return False
        return all(self._near(factor, factors[0]) for factor in factors)

    def _same_value(self, first: Node, second: Node) -> bool:
        if first == second:
            return True
        rest = difference(first, second)
        rational = is_rational(rest)
        if rational and can_be_written_out(rest):
            return is_zero(rest)
        agreeing = undefined = 0
        for ours, theirs in self._values(first, second):
            if ours is not None and theirs is not None:
                if not self._near(ours, theirs):
                    return False
                agreeing += 1
            undefined += (ours is None) != (theirs is None)
        points = POINTS if rest.symbols() else 1
        if undefined == points:
            return False
        if agreeing < min(ENOUGH_POINTS, points):
            raise TooHard("it has no value at too many of the points that were tried")
        if rational:
            raise TooHard("it is too large to be written out")
        return True

    def _values(self, first: Node, second: Node) -> Iterator[tuple[Any, Any]]:
        """Both sides' values at each point, None where a side has none there."""
        symbols = sorted(first.symbols() | second.symbols())
        draw = random.Random(20)
        for point in range(POINTS if symbols else 1):
            values = {}
            for name in symbols:
                size = self._mp.mpf(draw.randint(1, 4_000_003)) / 1_000_003
                values[name] = -size if point % 2 and draw.random() < 0.7 else size
            yield self._value_or_none(first, values), self._value_or_none(second, values)

    def _value_or_none(self, node: Node, values: Values) -> Any:
        try:
            return self._value(node, values)
        except _Undefined:
            return None

    def _tolerance(self, value: Any) -> Any:
        return self._mp.mpf(10) ** -(DIGITS // 2) * max(1, self._mp.fabs(value))

    def _near(self, one: Any, other: Any) -> bool:
        return bool(self._mp.fabs(one - other) <= max(self._tolerance(one), self._tolerance(other)))

    def _value(self, node: Node, values: Values) -> Any:
        if time.thread_time() > self._end:
            raise TooHard(f"it was not decided within {LONGEST_S:g} s")
        mp = self._mp
        if node.kind == "number":
            return mp.mpf(node.value.numerator) / node.value.denominator
        if node.kind == "symbol":
            return values[node.name]
        if node.kind == "constant":
            return {"pi": mp.pi, "e": mp.e, "i": mp.j}[node.name] * 1
        if node.kind in ("infinity", "items", "relation"):
            raise TooHard("it calculates with infinity or with several values at once")
        parts = [self._value(part, values) for part in node.parts]
        if node.kind == "sum":
            return mp.fsum(parts)
        if node.kind == "product":
            return self._checked(parts[0] * parts[1])
        if node.kind == "quotient":
            if parts[1] == 0:
                raise _Undefined
            return self._checked(parts[0] / parts[1])
        return self._power(*parts) if node.kind == "power" else self._call(node.name, parts[0])

    def _power(self, base: Any, exponent: Any) -> Any:
        mp = self._mp
        if base == 0:
            if mp.re(exponent) < 0:
                raise _Undefined
            return mp.mpf(0) if exponent != 0 else mp.mpf(1)
        if mp.fabs(exponent) * (abs(mp.mag(base)) + 4) > MOST_BITS:
            raise TooHard("it has a power too large to calculate")
        return self._checked(mp.power(base, exponent))

    def _call(self, name: str, argument: Any) -> Any:
        mp = self._mp
        if name == "abs":
            return mp.fabs(argument)
        if name == "factorial":
            if mp.im(argument) != 0 or not mp.isint(argument) or argument < 0:
                raise _Undefined
            if argument > 1_000:
                raise TooHard("it has a factorial too large to calculate")
            return mp.factorial(argument)
        if mp.fabs(argument) > 10_000 and name not in ("ln", "log", "atan"):
            raise TooHard("it has a function of a number too large to calculate")
        function: Callable[[Any], Any] = getattr(mp, "log" if name == "ln" else name)
        try:
            return self._checked(function(argument))
        except (ValueError, ZeroDivisionError):
            raise _Undefined from None

    def _checked(self, value: Any) -> Any:
        if not self._mp.isfinite(value):
            raise _Undefined
        if abs(self._mp.mag(value)) > 4 * MOST_BITS and value != 0:
            raise TooHard("it has a number too large to calculate")
        return value


def difference(first: Node, second: Node) -> Node:
    """The first less the second."""
    return Node("sum", (first, negated(second)))


def _unnamed(node: Node, other: Node) -> Node:
    """The right side of "x = 5" where the other is no relation."""
    named = node.kind == "relation" and node.name == "=" and node.parts[0].kind == "symbol"
    return node.parts[1] if named and other.kind != "relation" else node
