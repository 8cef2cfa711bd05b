"""What personal data and secrets look like; every pattern is bounded, so that no text makes it run away.

masked("Write to ann@example.org or call +44 20 7946 0958.", KINDS)
"Write to [EMAIL] or call [PHONE]."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Literal

Kind = Literal["key", "email", "iban", "card", "phone"]
KINDS: tuple[Kind, ...] = ("key", "email", "iban", "card", "phone")
"""In the order in which they are looked for: a key may hold what looks like a phone number."""

KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s:,.]|(?<!-)-(?!-))*+"
    r"(?:-----END [A-Z ]{0,30}-----)?"
    r"|(?<![\w-])(?:"
    r"sk-[\w-]{20,200}|gh[opsur]_\w{36,255}|github_pat_\w{22,255}|glpat-[\w-]{20,255}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|xox[abeprs]-[\w-]{10,255}|hf_[A-Za-z0-9]{30,255}"
    r"|eyJ[\w-]{10,4000}\.[\w-]{10,4000}\.[\w-]{10,4000}"  # a JSON web token
    r")"
    r"|(?i:(?<!\w)(?:api[_ -]?key|access[_ -]?token|auth[_ -]?token|secret|password)\s{0,3}[:=]\s{0,3}[\"']?"
    r"(?=\S{0,60}\d)[\w/+.-]{16,255}={0,2})"
)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
CARD = re.compile(
    r"(?<![\w.,-])(?:[2-6]\d{12,18}|[2-6]\d{3}(?P<s>[ -])\d{4}(?P=s)\d{4}(?P=s)\d{1,4}(?:(?P=s)\d{3})?"
    r"|3\d{3}(?P<t>[ -])\d{6}(?P=t)\d{4,5})(?![\w-])(?![.,]\d)"
)
PHONE = re.compile(
    r"(?<![\w+.,/-])(?:"
    r"(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,7}"  # international
    r"|\(0?\d{2,5}\)[ ./-]?\d{3,5}(?:[ ./-]?\d{2,5}){0,3}"  # area code in brackets
    r"|\d{3}[ .-]\d{3}[ .-]\d{4}"  # North America
    r"|0\d(?:[ .-]\d\d){4}"  # France
    r"|0\d{1,5}[ /-]\d{3,8}(?:[ -]\d{2,5}){0,3}|0\d{9,10}"  # a trunk 0 and an area code
    r")(?![\w+])(?![.,/-]\d)"
)
DIGITS = re.compile(r"\D")


def masked(text: str, kinds: Collection[Kind]) -> str:
    """The text with `[EMAIL]`, `[PHONE]`, `[CARD]`, `[IBAN]` or `[KEY]` in the place of what was found."""
    for kind in KINDS:
        if kind in kinds:
            text = _without(text, kind)
    return text


def found_kinds(text: str, kinds: Collection[Kind]) -> list[Kind]:
    """Which of the kinds stand in the text; what one kind claims no other is found in."""
    there: list[Kind] = []
    for kind in KINDS:
        if kind in kinds and (without := _without(text, kind)) != text:
            there.append(kind)
            text = without
    return there


def _without(text: str, kind: Kind) -> str:
    pattern, is_one = _FOUND_BY[kind]
    mask = f"[{kind.upper()}]"
    return pattern.sub(lambda match: mask if is_one(match[0]) else match[0], text)


def _always(found: str) -> bool:
    return True


def _is_iban(found: str) -> bool:
    """ISO 13616: four characters moved to the end, letters as numbers, remainder 1 by 97."""
    plain = found.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def _is_card(found: str) -> bool:
    """The Luhn check of ISO/IEC 7812."""
    digits = [int(digit) for digit in DIGITS.sub("", found)]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_phone(found: str) -> bool:
    """As many digits as numbers have: at most 15 by E.164."""
    return 8 <= len(DIGITS.sub("", found)) <= 17


_FOUND_BY: dict[Kind, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "key": (KEY, _always),
    "email": (EMAIL, _always),
    "iban": (IBAN, _is_iban),
    "card": (CARD, _is_card),
    "phone": (PHONE, _is_phone),
}
