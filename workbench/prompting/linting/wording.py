"""Rules about the words: vague instructions, stray blanks, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.core.prompt import Prompt
from workbench.prompting.linting.base import Subject, rule

VAGUE = {
    r"\b(?:do|try) your (?:very )?best\b": "say what a good answer has",
    r"\bbe (?:good|smart|clever|helpful|creative|accurate|careful)\b": "say what to do, not how to be",
    r"\bas (?:needed|appropriate|necessary)\b": "say when it is needed",
    r"\bif (?:possible|appropriate|necessary)\b": "say what to do where it is not",
    r"\betc\b\.?": "list what is meant",
    r"\band so on\b": "list what is meant",
    r"\b(?:some|a few|several) (?:words|sentences|examples|points)\b": "give a number",
    r"\b(?:not too|fairly|reasonably|relatively|rather) (?:long|short|brief|detailed)\b": "give a length",
    r"\b(?:good|nice|proper|high)[- ]quality\b": "name what makes it good",
    r"\bin a (?:good|nice|proper|suitable) way\b": "describe the way",
    r"\bmaybe\b|\bperhaps\b": "decide, and say it plainly",
}
VAGUE_PATTERNS = [(re.compile(pattern, re.IGNORECASE), remedy) for pattern, remedy in VAGUE.items()]

SECRETS = {
    "an OpenAI key": r"\bsk-(?:proj-|svcacct-|ant-)?[A-Za-z0-9_-]{20,}",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})",
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "a bearer token": r"(?i:\bbearer)\s+[A-Za-z0-9._~+/-]{25,}",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "a password": r"(?i:\b(?:password|passwd|api[_-]?key|secret))\s*[:=]\s*[\"']?"
    r"(?=[^\s\"']*\d)[^\s\"'{}]{8,}",
}
SECRET_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in SECRETS.items()]

CODE_LINE = re.compile(r"^(?: {4}|\t|\s*[-*|`#]|\s*\d+[.)])")


@rule("vague-instruction", "hint")
def vague_instruction(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Words that leave the model guessing."""
    for place, text in subject.templates:
        for pattern, remedy in VAGUE_PATTERNS:
            found = pattern.search(text)
            if found:
                yield f"'{found[0]}' is vague: {remedy}.", place


@rule("secret", "error")
def secret(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """What looks like a key, a token or a password; it would be stored and sent."""
    for place, text in [*subject.templates, ("description", prompt.description), *_example_texts(prompt)]:
        for kind, pattern in SECRET_PATTERNS:
            found = pattern.search(text)
            if found:
                # never repeated whole: a note ends up in logs and pages
                yield f"'{found[0][:6]}…' looks like {kind}; take it out and revoke it.", place


@rule("double-space", "hint")
def double_space(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Two or more spaces between words."""
    for place, text in subject.templates:
        for number, line in enumerate(text.splitlines(), 1):
            if not CODE_LINE.match(line) and (found := re.search(r"\S+ {2,}\S+", line)):
                yield f"Two spaces in line {number}: '{found[0][:60]}'.", place
                break


@rule("trailing-space", "hint")
def trailing_space(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Blanks at the end of a line or of the message; models continue differently after them."""
    for place, text in subject.templates:
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip(" \t"):
                yield f"Line {number} ends in a blank, which many models answer worse; delete it.", place
                break


def _example_texts(prompt: Prompt) -> list[tuple[str, str]]:
    rows = (prompt.examples.rows if prompt.examples else None) or ()
    return [(f"examples.rows[{n}]", str(value)) for n, row in enumerate(rows) for value in row.values()]
