"""The last number in a text, as a plain decimal string.

    last_number("… so she pays $1,200.50.")   ->  "1200.5"
    last_number("that is 1 1/2 cups")         ->  "1.5"

Two numbers are equal when their strings are: thousands separators, currency, a plus sign, trailing
zeros and the percent sign are dropped (50% is 50, not 0.5). A fraction is divided out, to 15 digits
where it does not end. A comma before one or two last digits, or after a lone 0, is a decimal comma.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal
from fractions import Fraction

CURRENCY = "$€£¥₹"
MINUS = "-−–‐‑﹣－"
LONGEST_DIGITS = 400
FIRST_WINDOW = 2048
DIVISION = Context(prec=15)

TOKEN = re.compile(
    r"""(?P<word>[A-Za-zÀ-ɏͰ-ӿ]\w*+(?:[.,]\d++)*+)      # H2O and v1.2 hold no number; 是42 does
      | (?P<body>\d[\d.,]*+|\.\d++)
        (?:[eE](?P<e>[-+−]?\d{1,4})(?!\w))?
        (?:\s?(?:[×xX*·]|\\times)\s?10\s?\^\s?\{?(?P<power>[-+−]?\d{1,3})\}?)?
        (?P<vulgar>[¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])?
      | (?P<alone>[¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])""",
    re.VERBOSE,
)
DIGIT = re.compile(r"[\d¼-¾⅐-⅞]")
LATEX_FRACTION = re.compile(r"\\[dt]?frac\s?\{(\d{1,40})\}\s?\{(\d{1,40})\}")
GROUP_SPACE = re.compile(r"(?<=\d)[\u202f\u00a0\u2009'’](?=\d{3}(?!\d))")
THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3}){0,40},\d{3}(?:\.\d*)?")
EUROPEAN = re.compile(r"\d{1,3}(?:\.\d{3}){1,40},\d+|\d{1,3}(?:\.\d{3}){2,40}")
DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}|0,\d+")
PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+")
SLASH = re.compile(r"\s?[/⁄]\s?")


def last_number(text: str) -> str | None:
    """The last number in `text` as a canonical decimal string; None where there is none.

    Takes time in proportion to what follows the last number.
    """
    window = FIRST_WINDOW
    while True:
        start = max(0, len(text) - window)
        found = _last_in(text[start:], whole=start == 0)
        if found is not None or start == 0:
            return found
        window *= 4


def canonical(value: Decimal) -> str:
    """A decimal without exponent, trailing zeros or negative zero (beyond 1e±60 with an exponent)."""
    if value == 0:
        return "0"
    _, digits, exponent = value.as_tuple()
    if abs(int(exponent)) > 10 * LONGEST_DIGITS or abs(value.adjusted()) > 60:
        return str(value.normalize(Context(prec=max(28, len(digits)))))
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _last_in(text: str, whole: bool) -> str | None:
    if not DIGIT.search(text):
        return None
    text = GROUP_SPACE.sub(",", LATEX_FRACTION.sub(r" \1/\2", text))
    tokens = [token for token in TOKEN.finditer(text) if token["word"] is None]
    for index in range(len(tokens) - 1, -1, -1):
        if not whole and tokens[index].start() < LONGEST_DIGITS:
            return None  # the window may cut it in two: look again in a wider one
        value = _value(text, tokens, index)
        if value is not None:
            return value
    return None


def _value(text: str, tokens: list[re.Match[str]], index: int) -> str | None:
    token = tokens[index]
    fraction = _fraction(text, tokens, index)
    if fraction is not None:
        first, value = fraction
        return canonical(_divided(-value if _is_negative(text, first.start()) else value))
    if token["alone"]:
        return canonical(_divided(_vulgar(token["alone"])))
    number = _decimal(token["body"])
    if number is None:
        return None
    if token["vulgar"]:
        number = _divided(Fraction(number) + _vulgar(token["vulgar"]))
    exponent = sum(int(token[part].replace("−", "-")) for part in ("e", "power") if token[part])
    _, digits, scale = number.as_tuple()
    negative = _is_negative(text, token.start()) and not _is_list_piece(token["body"])
    return canonical(Decimal((int(negative), digits, int(scale) + exponent)))


def _decimal(body: str) -> Decimal | None:
    """`1,200.50`, `1.200,50`, `3,5` or `42.` as a decimal; of a list such as `1,2,3` the last piece."""
    body = body.rstrip(".,")
    if len(body) > LONGEST_DIGITS:
        return None
    if THOUSANDS.fullmatch(body):
        return Decimal(body.replace(",", ""))
    if EUROPEAN.fullmatch(body):
        return Decimal(body.replace(".", "").replace(",", "."))
    if DECIMAL_COMMA.fullmatch(body):
        return Decimal(body.replace(",", "."))
    last = body.rsplit(",", 1)[-1]
    return Decimal(last) if PLAIN.fullmatch(last) else None


def _is_list_piece(body: str) -> bool:
    body = body.rstrip(".,")
    kinds = (THOUSANDS, EUROPEAN, DECIMAL_COMMA)
    return "," in body and not any(kind.fullmatch(body) for kind in kinds)


def _fraction(text: str, tokens: list[re.Match[str]], index: int) -> tuple[re.Match[str], Fraction] | None:
    """`3/4` or `1 1/2` ending at this token, with the token it begins at; dates are not fractions."""
    if index == 0:
        return None
    over, under = tokens[index - 1], tokens[index]
    if not SLASH.fullmatch(text, over.end(), under.start()) or re.match(
        r"\s?/\s?\d", text[under.end() : under.end() + 3]
    ):
        return None
    if index > 1 and SLASH.fullmatch(text, tokens[index - 2].end(), over.start()):
        return None
    top, bottom = (_decimal(token["body"] or "") for token in (over, under))
    if top is None or not bottom or _is_list_piece(over["body"] or ""):
        return None
    value = Fraction(top) / Fraction(bottom)
    if index > 1 and value < 1 and text[tokens[index - 2].end() : over.start()] == " ":
        before = tokens[index - 2]
        body = before["body"] or ""
        if body.isdigit() and len(body) < 16 and not before["e"] and not before["vulgar"]:
            return before, int(body) + value
    return over, value


def _vulgar(sign: str) -> Fraction:
    return Fraction(unicodedata.numeric(sign)).limit_denominator(10)


def _divided(value: Fraction) -> Decimal:
    bottom = value.denominator
    for prime in (2, 5):
        while bottom % prime == 0:
            bottom //= prime
    exact = Context(prec=LONGEST_DIGITS * 4) if bottom == 1 else DIVISION
    return exact.divide(Decimal(value.numerator), Decimal(value.denominator))


def _is_negative(text: str, start: int) -> bool:
    """Whether a minus stands before a number, currency between allowed: -$5, $-5, −5; not 10-5 or x-3."""
    at, negative = start, False
    for _ in range(4):
        before = text[at - 1] if at else ""
        if before and before in MINUS and not negative:
            negative, at = True, at - 1
        elif before and before in CURRENCY:
            at -= 1
        elif before == " " and at > 1 and text[at - 2] in CURRENCY:
            at -= 2
        else:
            break
    if not negative:
        return False
    before = text[at - 1] if at else ""
    return not (before.isalnum() or before in set(")]}%_." + MINUS)) if before else True
