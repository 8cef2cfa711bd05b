"""Rational expressions, told exactly: sums, products, quotients and whole powers of numbers and symbols.

    is_zero(read("(x + 1)^2 - x^2 - 2x - 1"))  ->  True

One is written out as a fraction of two of sympy's polynomials; how large those can get is bounded beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb
from typing import Any

from workbench.metrics.math_reading import Node, unsigned

MOST_TERMS = 1_500
MOST_BITS = 20_000


def is_rational(node: Node) -> bool:
    """Whether it is made of numbers, symbols, sums, products, quotients and whole powers alone."""
    if node.kind == "power":
        return _whole(node.parts[1]) is not None and is_rational(node.parts[0])
    known = node.kind in ("number", "symbol", "sum", "product", "quotient")
    return known and all(is_rational(part) for part in node.parts)


def can_be_written_out(node: Node) -> bool:
    """Whether a rational expression is a fraction of two polynomials of a bearable size."""
    bits, degree = _size(node)
    symbols = len(node.symbols())
    return bits <= MOST_BITS and comb(degree + symbols, symbols) <= MOST_TERMS


def is_zero(node: Node) -> bool:
    """Whether a rational expression is zero; one that divides by zero is not."""
    from sympy import QQ
    from sympy.polys.rings import PolyRing

    names = sorted(node.symbols())
    ring = PolyRing(names or ["x"], QQ)
    above, below = _fraction(node, ring, dict(zip(names, ring.gens, strict=False)))
    return bool(below) and not above


def _size(node: Node) -> tuple[int, int]:
    """Bounds on the bits of a number and on the degree in a rational expression as one fraction."""
    if node.kind == "number":
        return node.value.numerator.bit_length() + node.value.denominator.bit_length(), 0
    if node.kind == "symbol":
        return 1, 1
    if node.kind == "power":
        bits, degree = _size(node.parts[0])
        times = abs(_whole(node.parts[1]) or 0)
        return bits * times, degree * times
    sizes = [_size(part) for part in node.parts]
    # a sum of quotients has a common denominator, whose degree adds up as a product's does
    adds = node.kind == "sum" and not _has_quotient(node)
    degrees = [degree for _, degree in sizes]
    return sum(bits for bits, _ in sizes), max(degrees) if adds else sum(degrees)


def _has_quotient(node: Node) -> bool:
    """Whether a symbol stands below a line."""
    if node.kind == "quotient" and node.parts[1].symbols():
        return True
    if node.kind == "power" and (_whole(node.parts[1]) or 0) < 0 and node.symbols():
        return True
    return any(_has_quotient(part) for part in node.parts)


def _whole(node: Node) -> int | None:
    """The whole number that an exponent is."""
    inner = unsigned(node)
    if inner.kind != "number" or inner.value.denominator != 1:
        return None
    return int(inner.value) if inner is node else -int(inner.value)


def _fraction(node: Node, ring: Any, symbols: Mapping[str, Any]) -> tuple[Any, Any]:
    """A rational expression as two of sympy's polynomials, one over the other."""
    if node.kind == "number":
        return ring(node.value.numerator), ring(node.value.denominator)
    if node.kind == "symbol":
        return symbols[node.name], ring(1)
    if node.kind == "power":
        above, below = _fraction(node.parts[0], ring, symbols)
        times = _whole(node.parts[1]) or 0
        if times == 0:
            return ring(1), ring(1)  # 0^0 too, as its value is taken to be
        return (above**times, below**times) if times > 0 else (below**-times, above**-times)
    (above, below), *others = [_fraction(part, ring, symbols) for part in node.parts]
    for top, bottom in others:
        if node.kind == "product":
            above, below = above * top, below * bottom
        elif node.kind == "quotient":
            above, below = above * bottom, below * top
        elif below == bottom:
            above = above + top
        else:
            above, below = above * bottom + top * below, below * bottom
    return above, below
