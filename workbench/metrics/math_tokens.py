r"""Mathematics cut into tokens: plain text and LaTeX alike, by one expression and a list of known words.

tokens("\\frac12 x")  ->  ("\\frac", …), ("{", …), ("number", "1"), …, ("name", "x")
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 2_000  # characters
LONGEST_WORD = 3  # letters that stand for a product of symbols; a longer unknown word is prose

CONSTANTS = ("pi", "e", "i")
FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh"}
    | {"ln", "log", "exp", "sqrt", "abs", "factorial"}
)

Token = tuple[str, str]  # what it is (number, name, or the sign itself), and its text


class Unreadable(Exception):
    """The text is no mathematics that can be read."""


class TooHard(Exception):
    """The text is beyond the bounds within which it is decided; the sentence says which."""


_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm)?|mathrm|mathbf|mathbb|mbox|operatorname)\s*\{((?:[^{}]|\{[^{}]*\})*)\}(?:\s*\^\s*(?:[23]|\{[23]\}))?"
)
_BETWEEN = re.compile(r"\s*(?:,?\s*\b(?:and|or)\b\s*)+", re.IGNORECASE)
_SPACES = re.compile(r"\\[,;:! ]|\\q?quad\b|\\(?:left|right|displaystyle|limits|[bB]igg?[lr]?)(?![A-Za-z])|~")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{(.*)\}", re.DOTALL)
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "∕": "/", "⁄": "/", "π": " pi "}
    | {"∞": " inf ", "√": " sqrt ", "∪": " \\cup ", "∈": " \\in ", "≤": "<=", "≥": ">=", "°": " ", "%": " "}
    | {"²": "^2", "³": "^3", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "∅": "\\emptyset"}
)


def plain(text: str) -> str:
    """The text without what surrounds and spaces mathematics: $, \\boxed, \\left, units in \\text."""
    text = text.strip().rstrip(".").strip("$ \n\t").strip()
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]")):
        text = text.removeprefix(opening).removesuffix(closing).strip()
    boxed = _BOXED.fullmatch(text)
    if boxed is not None:
        text = boxed[1].strip()
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    text = text.replace("{,}", ",").replace("\\,", "").replace("\\!", "")
    text = _SPACES.sub(" ", text.replace("\\%", " ").replace("\\$", " "))
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?", " ", text).replace("\\degree", " ")
    text = _TEXT.sub(_words_kept, text)
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\frac\s*([0-9])\s*([0-9])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s*([0-9])\s*\{", r"\\frac{\1}{", text)
    text = re.sub(r"(\\frac\s*\{[^{}]*\})\s*([0-9])", r"\1{\2}", text)
    text = re.sub(r"\\sqrt\s*([0-9])", r"\\sqrt{\1}", text)
    return _BETWEEN.sub(",", text).strip()


def _words_kept(match: re.Match[str]) -> str:
    word = match[1].strip().strip(",").lower()
    return f" {word} " if word in FUNCTIONS or word in ("and", "or") else " "


_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+(?![A-Za-z0-9]))?)"
    r"|(?P<command>\\(?:[A-Za-z]+|[{}|]))"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\*\*|<=|>=|[-+*/^_=<>()\[\]{}|,;!])"
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])(?:\.[0-9]+)?")
_WORDS = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "infinity": "inf",
    "infty": "inf",
    "oo": "inf",
}
_COMMAND_SIGNS = {
    "cdot": "*", "times": "*", "div": "/", "le": "<=", "leq": "<=", "leqslant": "<=", "lt": "<",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "gt": ">", "|": "|", "vert": "|", "lvert": "|", "rvert": "|",
    "lbrack": "[", "rbrack": "]", "mid": "|",
}  # fmt: skip
_GREEK = frozenset(
    {
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
    }
    | {
        "xi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "varepsilon",
        "vartheta",
        "varphi",
    }
    | {"Gamma", "Delta", "Theta", "Lambda", "Xi", "Sigma", "Phi", "Psi", "Omega", "ell"}
)


def tokens(text: str) -> list[Token]:
    """The tokens of a text. Raises Unreadable and TooHard."""
    if len(text) > LONGEST:
        raise TooHard(f"it has more than {LONGEST:,} characters")
    text = plain(text)
    found: list[Token] = []
    place, depth = 0, 0
    while place < len(text):
        thousands = _THOUSANDS.match(text, place) if depth == 0 else None
        if thousands is not None:
            found.append(("number", thousands[0].replace(",", "")))
            place = thousands.end()
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unreadable(f"'{text[place]}' cannot be read")
        place = match.end()
        kind, piece = str(match.lastgroup), match[0]
        if kind == "word":
            found += _names(piece)
        elif kind == "command":
            found.append(_command(piece[1:]))
        elif kind != "space":
            found.append((kind if kind == "number" else "^" if piece == "**" else piece, piece))
        if found and kind != "number":
            depth += found[-1][0] in ("(", "[", "{", "\\{")
            depth -= found[-1][0] in (")", "]", "}", "\\}")
    return found


def _names(word: str) -> list[Token]:
    known = _WORDS.get(word.lower(), word if word in CONSTANTS else word.lower())
    if known in FUNCTIONS or known in CONSTANTS or known == "inf":
        return [("name", known if len(word) > 1 else word)]
    if len(word) > LONGEST_WORD:
        raise Unreadable(f"'{word}' is no mathematics")
    return [("name", letter) for letter in word]


def _command(name: str) -> Token:
    if name in ("{", "}"):
        return f"\\{name}", name
    if name in ("lbrace", "rbrace"):
        return ("\\{" if name == "lbrace" else "\\}"), name
    if name in _COMMAND_SIGNS:
        return _COMMAND_SIGNS[name], name
    if name in ("frac", "cup", "in", "emptyset", "varnothing"):
        return f"\\{name}".replace("varnothing", "emptyset"), name
    known = _WORDS.get(name, name)
    if known in FUNCTIONS or known in ("pi", "inf") or known in _GREEK:
        return "name", known
    raise Unreadable(f"'\\{name}' cannot be read")
