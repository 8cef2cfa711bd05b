"""Text that grows token by token: whole characters only, cut at a stop string, given out in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

INCOMPLETE = "\ufffd"  # how a decoder shows the bytes of a character that is not complete yet


class GrowingText:
    """The text of one answer while its tokens come.

    Args:
        decode: token ids to text.
        stop: strings that end the answer and are not part of it.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: tuple[str, ...] = ()) -> None:
        self._decode, self._stop = decode, tuple(filter(None, stop))
        self._ids: list[int] = []
        # ids[window:read] are written already; they stay in view because a token's text may depend
        # on the one before it
        self._window = self._read = 0
        self._given = 0
        self.text = ""
        self.stopped = False

    def add(self, token: int) -> None:
        """Takes one more token; sets `stopped` once a stop string is complete."""
        self._ids.append(token)
        self._write(final=False)

    def finish(self) -> None:
        """No token comes any more: whatever was held back is text now."""
        if not self.stopped:
            self._write(final=True)

    def piece(self, final: bool = False) -> str:
        """What can be given out since the last call: never the beginning of a stop string."""
        whole = final or self.stopped
        text = self.text  # the decoding thread may write while the event loop reads
        end = len(text) if whole else len(text) - self._held_back(text)
        if not text[: self._given].strip():  # space at the start only parts the answer from the template
            self._given = len(text) - len(text.lstrip())
        piece = text[self._given : end]
        self._given = max(self._given, end)
        return piece

    def _write(self, final: bool) -> None:
        known = self._decode(self._ids[self._window : self._read])
        seen = self._decode(self._ids[self._window :])
        if seen.endswith(INCOMPLETE) and not final:
            return
        self._window, self._read = self._read, len(self._ids)
        text = self.text + seen[len(known) :]
        found = [text.find(stop, max(0, len(self.text) - len(stop) + 1)) for stop in self._stop]
        cuts = [at for at in found if at >= 0]
        self.text = text[: min(cuts)] if cuts else text
        self.stopped = bool(cuts)

    def _held_back(self, text: str) -> int:
        longest = 0
        for stop in self._stop:
            for size in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:size]):
                    longest = size
                    break
        return longest
