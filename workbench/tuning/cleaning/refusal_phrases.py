"""Patterns of how a refusal begins, by language; matched in lower case, with plain apostrophes."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HELPS = (
    r"(?:help(?! (?:but|it|myself|wondering|feeling|the)\b)|assist|comply|fulfil|provide|answer|respond|"
    r"create|generate|write|discuss|engage|continue|share|support|do (?:that|this)|give you|offer|"
    r"recommend|endorse|condone|suggest ways)"
)
_SORRY = r"\b(?:sorry|apologi[sz]e|apologies|afraid)\b[^.!?]{0,40}?"
_CANNOT = r"(?:can't|cannot|can not|won't|will not)"
_SHORT = r"[^.!?]{0,60}"
_KI = r"(?:ki|künstliche intelligenz|(?:ki-)?sprachmodell|ki-modell|ki-assistent)"
_IA = r"(?:ia|intelligence artificielle|modèle de langage|assistant)"

REFUSALS: Mapping[str, tuple[re.Pattern[str], ...]] = {
    language: tuple(re.compile(pattern) for pattern in patterns)
    for language, patterns in {
        "en": (
            rf"{_SORRY}\bi {_CANNOT} {_HELPS}",
            rf"{_SORRY}\b(?:unable to|not able to|can't do that)",
            rf"(?:^|[.!,] |\bunfortunately )i (?:{_CANNOT}|must decline to) {_HELPS}\b",
            r"\bi (?:do not|don't|would not|wouldn't) feel comfortable\b|\bi(?:'m| am) not comfortable\b",
            rf"\bi(?:'m| am) (?:unable|not able|not allowed|not permitted|not going) to {_HELPS}",
            r"\bas an? (?:ai|artificial intelligence|large language model|language model)"
            r"(?: language)?(?: model| assistant| system)?,? i(?:'m| am)? "
            r"(?:not|do not|don't|cannot|can't|unable|have no|must)\b",
            r"\bi (?:must|have to) (?:decline|refuse)\b",
            r"\bgoes against my (?:guidelines|programming|policy|policies|values)\b",
        ),
        "de": (
            rf"\btut mir (?:sehr )?leid\b{_SHORT}\b(?:kann|darf|werde)\b{_SHORT}\bnicht\b",
            rf"\bich (?:kann|darf|werde) {_SHORT}\bnicht (?:weiter)?"
            r"(?:helfen|beantworten|unterstützen|dienen|erstellen|bereitstellen|nachkommen)\b",
            r"\bich bin (?:leider )?nicht in der lage\b",
            rf"\bals (?:eine? )?{_KI}\b[^.!?]{{0,20}}\bich\b",
        ),
        "es": (
            rf"\blo (?:siento|lamento)\b{_SHORT}\bno (?:puedo|podré|me es posible)\b",
            r"(?:^|[.!,] )no (?:te |le |les )?puedo "
            r"(?:ayudar|asistir|proporcionar|responder|cumplir|generar|ofrecer)",
            r"\bcomo (?:una? )?(?:ia|inteligencia artificial|modelo de lenguaje)\b[^.!?]{0,30}\bno\b",
            r"\bno estoy en condiciones de\b",
        ),
        "fr": (
            rf"\bdésolée?\b{_SHORT}\bje ne (?:peux|puis|suis)\b",
            r"\bje ne (?:peux|puis) (?:malheureusement )?pas (?:vous |t'|te |y |en )?"
            r"(?:aider|assister|répondre|fournir|générer|créer|discuter)",
            rf"\ben tant qu(?:e |')(?:une? )?{_IA}\b[^.!?]{{0,20}}\bje\b",
            r"\bje ne suis pas en mesure d",
        ),
    }.items()
}
