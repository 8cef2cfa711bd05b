"""Mathematical answers: is it the same value, set or equation, however it is written?"""

from __future__ import annotations

from workbench.errors import Unscored
from workbench.metrics.base import Metric
from workbench.metrics.math_equal import equal
from workbench.metrics.math_reading import Node, read
from workbench.metrics.math_tokens import TooHard, Unreadable
from workbench.metrics.registry import metric


@metric
class Math(Metric):
    r"""1 when answer and reference are mathematically equal, else 0; the share is the score.

    Plain text and LaTeX: numbers, fractions, mixed numbers, roots, powers, functions, symbols, sets and
    lists (any order), tuples and intervals (in order, with their brackets), unions, equations (up to a
    factor) and inequalities; "x = 5" is 5. Units in \text, %, $ and degrees are left out. log is the
    natural logarithm, e and i are the constants.

    Nothing is evaluated as code and nothing can take long: texts are read by a parser of our own. Sums,
    products, quotients and whole powers are compared exactly, by sympy. Where roots, functions or
    constants are in them, values at eight random points decide: two that differ at one are different,
    two that agree to 40 digits at all are equal. An answer that is no mathematics is wrong. A row is
    unscored where its reference cannot be read, or where either side is beyond the bounds: more than
    2,000 characters, 9^9^9. Range 0 to 1, higher is better.
    """

    name = "math"
    description = "Share of answers mathematically equal to the reference, in plain text or LaTeX."
    kind = "proportion"
    source = "Polynomials by sympy; else values at random points (after Schwartz, JACM 27, 1980)."

    def score_one(self, prediction: str, references: list[str]) -> float:
        accepted = [_reference(text) for text in references]
        right = [found for found in accepted if isinstance(found, Node)]
        if not right:
            raise Unscored(str(accepted[0]))
        try:
            answer = read(prediction)
        except Unreadable:
            return 0.0
        except TooHard as problem:
            raise Unscored(f"The answer cannot be decided: {problem}.") from None
        problems = []
        for one in right:
            try:
                if equal(answer, one):
                    return 1.0
            except TooHard as problem:
                problems.append(problem)
        if problems:
            raise Unscored(f"The answer cannot be decided: {problems[0]}.")
        return 0.0


def _reference(text: str) -> Node | str:
    """What a reference says, or why it cannot be read."""
    try:
        return read(text)
    except (Unreadable, TooHard) as problem:
        return f"The reference cannot be read as mathematics: {problem}."
