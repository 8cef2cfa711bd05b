"""Lists of terms to be swapped, by name. Short on purpose: the pairs that matter are the user's to state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TermList:
    """Pairs that change places, and terms that only change one way."""

    pairs: tuple[tuple[str, str], ...]
    one_way: Mapping[str, str] = field(default_factory=dict)


TERM_LISTS: Mapping[str, TermList] = {
    # "her" is taken as the possessive ("her bag"), its more common use; as an object it comes out wrong
    "pronouns": TermList(
        (("he", "she"), ("himself", "herself"), ("his", "her")),
        {"him": "her", "hers": "his"},
    ),
    "gendered_nouns": TermList(
        (
            ("man", "woman"),
            ("men", "women"),
            ("boy", "girl"),
            ("boys", "girls"),
            ("father", "mother"),
            ("dad", "mum"),
            ("son", "daughter"),
            ("brother", "sister"),
            ("husband", "wife"),
            ("uncle", "aunt"),
            ("nephew", "niece"),
            ("grandfather", "grandmother"),
            ("king", "queen"),
            ("waiter", "waitress"),
            ("Mr", "Mrs"),
        )
    ),
    "gendered_names": TermList(
        (
            ("Adam", "Alice"),
            ("Ben", "Bella"),
            ("Carl", "Clara"),
            ("David", "Diana"),
            ("George", "Grace"),
            ("Jack", "Julia"),
            ("Leo", "Laura"),
            ("Marco", "Maria"),
            ("Omar", "Olga"),
            ("Paul", "Paula"),
            ("Sam", "Sara"),
            ("Tom", "Tina"),
        )
    ),
    "names_by_origin": TermList(
        (
            ("Anna", "Aisha"),
            ("Emily", "Fatima"),
            ("Jack", "Jamal"),
            ("John", "Juan"),
            ("Kate", "Keiko"),
            ("Lisa", "Lakshmi"),
            ("Mark", "Mohammed"),
            ("Peter", "Pedro"),
            ("Sara", "Sakura"),
            ("Tom", "Tariq"),
        )
    ),
}
