"""Episodes: chat turns whose parts know how much the model should learn from them.

<|bos|><|user|> What is 2 + 3?<|end|><|assistant|> Answer: 5<|end|>
       `------ prompt, weight 0.1 -----'`------- answer, weight 1 -----'
"""

from __future__ import annotations

from dataclasses import dataclass

PAD, BOS, END = "<|pad|>", "<|bos|>", "<|end|>"
SYSTEM, USER, ASSISTANT = "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL_TOKENS = [PAD, BOS, END, SYSTEM, USER, ASSISTANT]

PROMPT_WEIGHT = 0.1
ANSWER_WEIGHT = 1.0
CODE_WEIGHT = 4.0  # a few tokens an episode, and the only ones that teach looking up

Segment = tuple[str, float]
Episode = list["Turn"]


@dataclass(frozen=True)
class Turn:
    """One chat message: a role and its text, in parts that carry a loss weight each."""

    role: str
    parts: tuple[Segment, ...]

    @property
    def content(self) -> str:
        """The message's whole text."""
        return "".join(text for text, _ in self.parts)


def system(text: str) -> Turn:
    """A system message; nothing is learned from it beyond a prompt's weight."""
    return Turn("system", ((text, PROMPT_WEIGHT),))


def user(text: str) -> Turn:
    """A user message."""
    return Turn("user", ((text, PROMPT_WEIGHT),))


def assistant(text: str, weight: float = ANSWER_WEIGHT) -> Turn:
    """An assistant message; weight 0 where nobody could know the answer yet."""
    return Turn("assistant", ((text, weight),))


def segments(episode: Episode) -> list[Segment]:
    """The episode as the text the chat template renders, cut where the loss weight changes."""
    cut: list[Segment] = [(BOS, 0.0)]
    for turn in episode:
        cut.append((f"<|{turn.role}|>", 0.0))
        first, *rest = turn.parts
        cut.append((" " + first[0], first[1]))
        cut.extend(rest)
        cut.append((END, ANSWER_WEIGHT if turn.role == "assistant" else 0.0))
    return cut


def render(episode: Episode) -> str:
    """The episode as one string."""
    return "".join(text for text, _ in segments(episode))


def messages(episode: Episode) -> list[dict[str, str]]:
    """The episode as chat messages for `apply_chat_template`."""
    return [{"role": turn.role, "content": turn.content} for turn in episode]
