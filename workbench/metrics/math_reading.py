r"""Mathematics as people and models write it, read into a tree: plain text and LaTeX, and never evaluated.

    read("\\frac{1}{2} x")  ->  product(number 1/2, symbol x)
    read("[1, 2)")          ->  interval-like: items in order within "[" and ")"
    read("x = 3, y = 4")    ->  two relations in any order

Text is untrusted: it is cut into tokens by one expression and read by recursive descent, with bounds on
its length and depth. What is no mathematics raises Unreadable, what is too much of it TooHard.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from workbench.metrics.math_tokens import CONSTANTS, FUNCTIONS, Token, TooHard, Unreadable, tokens

DEEPEST = 40  # brackets within brackets
MOST_ITEMS = 30
MOST_FACTORS = 150

RELATIONS = ("=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of mathematics.

    Attributes:
        kind: number, symbol, constant, infinity; sum, product, quotient, power, call; relation; items.
        parts: what it is made of; a call's arguments, a relation's two sides.
        name: of a symbol, constant or function; a relation's sign; the brackets around items, "" for
            those in any order.
        value: of a number, exactly.
    """

    kind: str
    parts: tuple[Node, ...] = ()
    name: str = ""
    value: Fraction = Fraction(0)

    def symbols(self) -> frozenset[str]:
        """The names of all symbols in it."""
        if self.kind == "symbol":
            return frozenset({self.name})
        return frozenset().union(*(part.symbols() for part in self.parts))


def number(value: int | Fraction) -> Node:
    """A number's node."""
    return Node("number", value=Fraction(value))


def negated(node: Node) -> Node:
    """-1 times it."""
    return Node("product", (number(-1), node))


def unsigned(node: Node) -> Node:
    """What a sign stands before."""
    negative = node.kind == "product" and node.parts[0] == number(-1)
    return node.parts[1] if negative else node


def read(text: str) -> Node:
    """The tree of a text. Raises Unreadable and TooHard."""
    return _Reader(tokens(text), latex="\\" in text).everything()


class _Reader:
    """Recursive descent over tokens."""

    def __init__(self, tokens: list[Token], latex: bool) -> None:
        self._tokens, self._latex = tokens, latex
        self._place = self._depth = self._bars = 0

    def everything(self) -> Node:
        """The whole text: one thing, or several in any order."""
        if not self._tokens:
            raise Unreadable("there is nothing")
        found = self._items("")
        if self._place < len(self._tokens):
            raise Unreadable(f"'{self._next()[1]}' does not belong there")
        return found[0] if len(found) == 1 else Node("items", tuple(found))

    def _items(self, closing: str) -> list[Node]:
        found = self._relations()
        while self._take(",", ";"):
            if self._sign() in closing.split() or (not closing and self._place == len(self._tokens)):
                break  # a comma at the end
            found += self._relations()
            if len(found) > MOST_ITEMS:
                raise TooHard(f"it lists more than {MOST_ITEMS} things")
        return found

    def _relations(self) -> list[Node]:
        """One side, or relations between neighbours: 1 < x < 2 is two of them."""
        if self._sign() == "name" and self._sign(1) == "\\in":
            self._place += 2
        sides, signs = [self._union()], []
        while self._sign() in RELATIONS:
            signs.append(self._next()[0])
            sides.append(self._union())
        if not signs:
            return sides
        return [
            Node("relation", (right, left), sign.replace(">", "<")) if ">" in sign
            else Node("relation", (left, right), sign)
            for left, sign, right in zip(sides, signs, sides[1:], strict=False)
        ]  # fmt: skip

    def _union(self) -> Node:
        found = [self._sum()]
        while self._take("\\cup"):
            found.append(self._sum())
            if len(found) > MOST_ITEMS:
                raise TooHard(f"it lists more than {MOST_ITEMS} things")
        return found[0] if len(found) == 1 else Node("items", tuple(found))

    def _deeper(self, reading: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise TooHard(f"it is nested more than {DEEPEST} deep")
        found = reading()
        self._depth -= 1
        return found

    def _sum(self) -> Node:
        return self._deeper(self._terms)

    def _terms(self) -> Node:
        terms = [self._product()]
        while self._sign() in ("+", "-"):
            negative = self._next()[0] == "-"
            term = self._product()
            terms.append(negated(term) if negative else term)
        return terms[0] if len(terms) == 1 else Node("sum", tuple(terms))

    def _product(self) -> Node:
        result = self._signed()
        for _ in range(MOST_FACTORS):
            if self._take("*"):
                result = Node("product", (result, self._signed()))
            elif self._take("/"):
                result = Node("quotient", (result, self._signed()))
            elif self._begins_factor():
                result = Node("product", (result, self._power()))
            else:
                return result
        raise TooHard(f"it multiplies more than {MOST_FACTORS} things")

    def _signed(self) -> Node:
        negative = False
        while self._sign() in ("+", "-"):
            negative ^= self._next()[0] == "-"
        found = self._power()
        return negated(found) if negative else found

    def _power(self) -> Node:
        base = self._primary()
        while self._take("!"):
            base = Node("call", (base,), "factorial")
        return Node("power", (base, self._exponent())) if self._take("^") else base

    def _exponent(self) -> Node:
        return self._deeper(self._group if self._sign() == "{" else self._signed)

    def _begins_factor(self) -> bool:
        sign = self._sign()
        if sign == "number":
            return self._sign(-1) != "number"
        return sign in ("name", "(", "\\frac", "{") or (sign == "|" and self._bars == 0)

    def _primary(self) -> Node:
        sign, text = self._next()
        if sign == "number":
            return self._number(text)
        if sign == "name":
            return self._name(text)
        if sign in ("(", "["):
            return self._bracketed(sign)
        if sign == "\\{" or (sign == "{" and not self._latex):
            return self._set("\\}" if sign == "\\{" else "}")
        if sign == "{":
            self._place -= 1
            return self._group()
        if sign == "|":
            self._bars += 1
            inner = self._sum()
            self._expect("|")
            self._bars -= 1
            return Node("call", (inner,), "abs")
        if sign == "\\frac":
            return Node("quotient", (self._group(), self._group()))
        if sign == "\\emptyset":
            return Node("items")
        raise Unreadable(f"'{text}' does not belong there")

    def _number(self, text: str) -> Node:
        exponent = re.search(r"[eE]([-+]?[0-9]+)$", text)
        if exponent is not None and abs(int(exponent[1])) > 300:
            raise TooHard("it has an exponent beyond 300")
        whole = number(Fraction(text))
        if not text.isdigit():
            return whole
        if self._sign() == "\\frac":  # 1 1/2 is one and a half, and so is 1\frac{1}{2}
            start = self._place
            self._place += 1
            above, below = self._group(), self._group()
            if above.kind == below.kind == "number":
                return Node("sum", (whole, Node("quotient", (above, below))))
            self._place = start
        elif self._sign() == "number" and self._sign(1) == "/" and self._sign(2) == "number":
            above_text, below_text = self._next()[1], (self._next(), self._next())[1][1]
            if not (above_text.isdigit() and below_text.isdigit()):
                raise Unreadable("two numbers stand side by side")
            return Node("sum", (whole, Node("quotient", (number(int(above_text)), number(int(below_text))))))
        elif self._sign() == "number":
            raise Unreadable("two numbers stand side by side")
        return whole

    def _name(self, name: str) -> Node:
        if name == "inf":
            return Node("infinity")
        if name in FUNCTIONS:
            return self._call(name)
        if self._take("_"):
            below = self._next()[1] if self._sign() in ("number", "name") else self._subscript()
            return Node("symbol", name=f"{name}_{below}")
        return Node("constant", name=name) if name in CONSTANTS else Node("symbol", name=name)

    def _subscript(self) -> str:
        self._expect("{")
        found = ""
        while self._sign() in ("number", "name", ","):
            found += self._next()[1]
        self._expect("}")
        return found

    def _call(self, name: str) -> Node:
        if name == "sqrt" and self._sign() == "[":
            self._place += 1
            degree = self._sum()
            self._expect("]")
            return Node("power", (self._group(), Node("quotient", (number(1), degree))))
        base = None
        if name == "log" and self._take("_"):
            base = self._group() if self._sign() != "number" else number(Fraction(self._next()[1]))
        exponent = self._exponent() if self._take("^") else None
        if exponent == negated(number(1)) and f"a{name}" in FUNCTIONS:
            name, exponent = f"a{name}", None
        argument = self._deeper(self._argument)
        if name == "sqrt":
            found = Node("power", (argument, number(Fraction(1, 2))))
        else:
            found = Node("call", (argument,), name)
        if base is not None:
            found = Node("quotient", (found, Node("call", (base,), "log")))
        return found if exponent is None else Node("power", (found, exponent))

    def _argument(self) -> Node:
        """In brackets; else the factors that follow, up to the next function: sin 2x cos x."""
        if self._sign() == "(":
            return self._primary()
        if self._sign() == "{":
            return self._group()
        found = self._signed()
        while self._begins_factor() and self._sign() != "(" and self._peek_text() not in FUNCTIONS:
            found = Node("product", (found, self._power()))
        return found

    def _group(self) -> Node:
        """What stands in braces; without them a single number or name."""
        if self._sign() != "{":
            return self._primary()
        self._place += 1
        found = self._sum()
        self._expect("}")
        return found

    def _bracketed(self, opening: str) -> Node:
        closing = ") ]"
        bars, self._bars = self._bars, 0
        found = self._items(closing)
        self._bars = bars
        end = self._next()[0]
        if end not in closing.split():
            raise Unreadable("a bracket is not closed")
        if len(found) == 1 and found[0].kind != "relation" and opening + end in ("()", "[]"):
            return found[0]
        return Node("items", tuple(found), opening + end)

    def _set(self, closing: str) -> Node:
        if self._take(closing):
            return Node("items")
        found = self._items(closing)
        self._expect(closing)
        return Node("items", tuple(found))

    def _sign(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._tokens[place][0] if 0 <= place < len(self._tokens) else ""

    def _peek_text(self) -> str:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _next(self) -> Token:
        if self._place >= len(self._tokens):
            raise Unreadable("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, *signs: str) -> bool:
        if self._sign() not in signs:
            return False
        self._place += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise Unreadable(f"'{sign}' is missing")
