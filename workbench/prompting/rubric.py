"""What a judge is shown beside the row, and how its verdict is read out of its reply.

    rubric = Rubric(kind="score", levels={1: "Wrong.", 5: "Right and clear."})
    rubric_text(rubric)   ->  "A score from 1 to 5:\n1: Wrong.\n5: Right and clear."
    read_verdict(judge, "It is short and right.\nScore: 4", judged=["7 apples"])
                          ->  Verdict(score=4.0, reason="It is short and right.")

Reading is strict: prose without a verdict, a score outside the scale, and a verdict that the judge may
only have copied from the judged text are no score, and the reason says so. A judge with
`answer: {type: json}` replies with one JSON object instead, which has `score`, `answers` or `better`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.prompt import Prompt
from workbench.core.rubric import Rubric
from workbench.prompting.judged_text import MOST_CHARACTERS, fenced, is_copy, own_words, plain

MOST_REASON = 2_000
QUOTED = 120
NUMBER = r"[-+]?\d+(?:\.\d+)?"
VERDICTS = {
    "score": re.compile(rf"score: ?({NUMBER})", re.ASCII),
    "checklist": re.compile(r"(\d{1,3}): ?(yes|no)", re.ASCII),
    "pairwise": re.compile(r"better: ?(a|b|tie)"),
}
ASKED_FOR = {
    "score": "`Score: N` as its last line",
    "checklist": "one line `1: yes` or `1: no` a question",
    "pairwise": "`Better: A`, `Better: B` or `Better: tie` as its last line",
}
IN_JSON = {
    "score": '{"reason": "…", "score": 4}',
    "checklist": '{"reason": "…", "answers": ["yes", "no"]}',
    "pairwise": '{"reason": "…", "better": "A"}',
}
FOR_A = {"a": 1.0, "tie": 0.5, "b": 0.0}
CODE_FENCE = re.compile(r"```(?:json)?\s*\n(.*)\n```", re.DOTALL | re.IGNORECASE)
SCORE_IN_JSON = re.compile(rf'"score"\s*:\s*({NUMBER})', re.ASCII)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply says: a score or None, and why. Of a pairwise judge 1 is text A, 0 is B, 0.5 a tie."""

    score: float | None
    reason: str = ""


def rubric_text(rubric: Rubric) -> str:
    """The rubric in words, which is what `{{ rubric }}` stands for."""
    if rubric.kind == "checklist":
        return "\n".join(f"{number}. {question}" for number, question in enumerate(rubric.questions, 1))
    if rubric.kind == "pairwise":
        return "Which text is better: A, B, or neither (tie)?"
    low, high = rubric.range
    levels = [f"{level}: {meaning}" for level, meaning in sorted(rubric.levels.items())]
    return "\n".join([f"A score from {low:g} to {high:g}{':' if levels else '.'}", *levels])


def judged_row(
    judge: Prompt,
    row: Mapping[str, Any],
    texts: Sequence[str],
    answer: str | None = None,
    reference: Any = None,
    most: int = MOST_CHARACTERS,
) -> dict[str, Any]:
    """The row as a judge's messages see it: its columns, and over them what is judged.

    Args:
        texts: the output; of a pairwise judge text A and text B.
        answer: what was read out of the output.
        reference: the right answer, or several, as the dataset has it.
        most: characters that are shown of each text.
    """
    rubric = _rubric_of(judge)
    version = judge.version

    def fence(name: str, text: str) -> str:
        return fenced(name, text, row, version, most)

    if rubric.kind == "pairwise":
        shown = {"output_a": fence("text A", texts[0]), "output_b": fence("text B", texts[1])}
    else:
        shown = {
            "output": fence("output", texts[0]),
            "answer": fence("answer", answer) if answer is not None else "(no answer was found)",
        }
    if isinstance(reference, (list, tuple)):
        reference = " | ".join(str(one) for one in reference)
    return {**row, **shown, "reference": reference, "rubric": rubric_text(rubric)}


def sample_row(
    judge: Prompt, row: Mapping[str, Any], texts: Sequence[str] = (), reference: Any = "the reference"
) -> dict[str, Any]:
    """The row as a judge sees it with these texts, stand-ins where there are none: to try its templates."""
    given = [*texts, *["The text that is judged."] * (2 - len(texts))]
    return judged_row(judge, row, given, given[0], reference)


def read_verdict(judge: Prompt, reply: str, judged: Sequence[str]) -> Verdict:
    """The verdict in a judge's reply to these texts; a score of None where there is none."""
    rubric = _rubric_of(judge)
    if not plain(reply):
        return Verdict(None, "The judge answered nothing.")
    if judge.answer.type == "json":
        return _in_json(rubric, reply, judged)
    own, copied = own_words(reply, judged, VERDICTS[rubric.kind])
    read = _checked_off if rubric.kind == "checklist" else _last_line
    found = read(rubric, own)
    if found.score is None and copied:
        return Verdict(
            None,
            f"The judge's '{copied[-1][:QUOTED]}' stands in the judged text itself, "
            "so it may be copied and is no verdict.",
        )
    if found.score is None and not found.reason:
        return Verdict(None, f"The judge gave no verdict ({ASKED_FOR[rubric.kind]}): {_quoted(reply)}")
    return found


def score_ends_at(judge: Prompt, reply: str) -> int | None:
    """Where in the reply the score's last digit ends; None where that is not plain."""
    if judge.answer.type == "json":
        places = list(SCORE_IN_JSON.finditer(reply))
        return places[0].end(1) if len(places) == 1 else None
    found = re.search(r"(\d)[\s*_`]*\Z", reply, re.ASCII)
    return found.end(1) if found else None


def _last_line(rubric: Rubric, own: list[str]) -> Verdict:
    found = VERDICTS[rubric.kind].fullmatch(_bare(own[-1])) if own else None
    if found is None:
        return Verdict(None)
    reason = _shortened("\n".join(own[:-1]))
    if rubric.kind == "pairwise":
        return Verdict(FOR_A[found[1]], reason)
    return _on_the_scale(rubric, float(found[1]), reason)


def _checked_off(rubric: Rubric, own: list[str]) -> Verdict:
    said: dict[int, set[bool]] = {}
    rest = []
    for line in own:
        if found := VERDICTS["checklist"].fullmatch(_bare(line)):
            said.setdefault(int(found[1]), set()).add(found[2] == "yes")
        else:
            rest.append(line)
    if not said:
        return Verdict(None)
    for number in range(1, len(rubric.questions) + 1):
        if len(said.get(number, ())) != 1:
            how = "both yes and no" if number in said else "nothing"
            return Verdict(None, f"The judge said {how} to question {number}.")
    if len(said) > len(rubric.questions):
        return Verdict(None, f"The judge answered a question {max(said)}, which is none of the checklist's.")
    answers = [said[number].pop() for number in range(1, len(rubric.questions) + 1)]
    return _share_of_yes(rubric, answers, "\n".join(rest))


def _in_json(rubric: Rubric, reply: str, judged: Sequence[str]) -> Verdict:
    text = reply.strip()
    if inside := CODE_FENCE.fullmatch(text):
        text = inside[1].strip()
    if is_copy(text, judged):
        return Verdict(None, "The judge's reply stands in the judged text itself, so it is no verdict.")
    try:
        said = json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Verdict(None, f"The judge's reply is not one JSON object: {_quoted(reply)}")
    reason = _shortened(said["reason"]) if isinstance(said.get("reason"), str) else ""
    if rubric.kind == "score":
        score = said.get("score")
        if isinstance(score, (int, float)) and not isinstance(score, bool):
            return _on_the_scale(rubric, float(score), reason)
    elif rubric.kind == "pairwise":
        better = said.get("better")
        if isinstance(better, str) and better.casefold() in FOR_A:
            return Verdict(FOR_A[better.casefold()], reason)
    else:
        answers = said.get("answers")
        read = [_yes_or_no(one) for one in answers] if isinstance(answers, list) else []
        sure = [one for one in read if one is not None]
        if len(read) == len(sure) == len(rubric.questions):
            return _share_of_yes(rubric, sure, reason)
    wanted = IN_JSON[rubric.kind]
    return Verdict(None, f"The judge's JSON gives no verdict, such as {wanted}: {_quoted(reply)}")


def _on_the_scale(rubric: Rubric, score: float, reason: str) -> Verdict:
    low, high = rubric.range
    if not low <= score <= high:
        return Verdict(None, f"The judge gave {score:g}, outside its scale of {low:g} to {high:g}.")
    return Verdict(score, reason)


def _share_of_yes(rubric: Rubric, answers: Sequence[bool], reason: str) -> Verdict:
    failed = [question for question, yes in zip(rubric.questions, answers, strict=True) if not yes]
    words = "; ".join(f"No: {question}" for question in failed) or "Yes to every question."
    return Verdict(sum(answers) / len(answers), _shortened(f"{words}\n{reason}"))


def _yes_or_no(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"yes": True, "no": False}.get(value.strip().casefold()) if isinstance(value, str) else None


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _bare(line: str) -> str:
    return plain(line).strip("*_` ")


def _shortened(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MOST_REASON else f"{text[: MOST_REASON - 1]}…"


def _quoted(reply: str) -> str:
    words = " ".join(reply.split())
    return f"“{words[:QUOTED]}{'…' if len(words) > QUOTED else ''}”"


def _rubric_of(judge: Prompt) -> Rubric:
    if judge.rubric is None:
        raise ValueError(f"'{judge.name}' has no rubric")
    return judge.rubric
