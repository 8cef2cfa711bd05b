"""Chat messages as token ids and token ids as text, for one local model.

[{"role": "user", "content": "2 + 2?"}]  ->  "<|user|> 2 + 2?<|end|><|assistant|>"  ->  [1, 4, 17, …]
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.core.model import ChatMessage
from workbench.errors import ModelRefused, ModelUnavailable
from workbench.models.local.chat_templates import CHAT_TEMPLATES, choices, template_text
from workbench.models.local.tokens import TokenTexts

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")


class ChatTokenizer:
    """A tokenizer with its chat template. Used from the event loop and the decoding thread alike."""

    def __init__(self, folder: Path, name: str, chat_template: str | None = None) -> None:
        """`chat_template` names a known template or a .jinja file, used in place of the model's own."""
        from transformers import AutoTokenizer

        self._name = name
        self._lock = threading.Lock()  # a fast tokenizer refuses two threads at once
        self._end: str | None = None
        self._texts: TokenTexts | None = None
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True
            )
        except Exception as problem:  # no file, a broken one, a kind that is not known: many kinds of errors
            raise ModelUnavailable(_no_tokenizer(folder, problem), name, "transformers", problem) from None
        if chat_template is not None:
            self._tokenizer.chat_template = template_text(chat_template, name)
            known = CHAT_TEMPLATES.get(chat_template)
            self._end = known.end if known else None
        if not self._tokenizer.chat_template:
            raise ModelUnavailable(
                f"its tokenizer has no chat template; state one in its row, such as `chat_template: chatml` "
                f"({choices()}, or the path of a .jinja file), or use the version of this model that is "
                "tuned for chat.",
                name,
                "transformers",
            )

    @property
    def end_ids(self) -> set[int]:
        """Tokens that end an answer, as far as the tokenizer knows."""
        found = {self._tokenizer.eos_token_id}
        if self._end is not None:
            found.add(self._tokenizer.get_vocab().get(self._end))
        return {int(end) for end in found if end is not None}

    @property
    def special_texts(self) -> frozenset[str]:
        """Texts that are read as one special token wherever they stand, such as `<|end|>`."""
        return frozenset(self._tokenizer.all_special_tokens) | frozenset(
            token.content for token in self._tokenizer.added_tokens_decoder.values() if token.special
        )

    @property
    def end_id(self) -> int | None:
        """The token that ends a turn: the template's, else the tokenizer's; None where there is neither."""
        end = self._tokenizer.get_vocab().get(self._end) if self._end is not None else None
        found = self._tokenizer.eos_token_id if end is None else end
        return None if found is None else int(found)

    @property
    def tokenizer(self) -> Any:
        """The library's own tokenizer, its chat template in place: for training alone."""
        return self._tokenizer

    @property
    def padding_id(self) -> int:
        """What fills a batch; masked, so any token will do."""
        pad = self._tokenizer.pad_token_id
        return int(pad) if pad is not None else 0

    def text(self, messages: Sequence[ChatMessage], opened: bool = True) -> str:
        """The messages as the model reads them, up to where its answer starts; not `opened`, to their end."""
        try:
            text: str = self._tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=opened
            )
        except Exception as problem:  # a template may refuse in any way: an unknown role, two in a row …
            raise ModelRefused(
                f"its chat template does not accept these messages ({str(problem).splitlines()[0]}).",
                self._name,
                "transformers",
                problem,
            ) from None
        return text

    def encode(self, messages: Sequence[ChatMessage]) -> tuple[int, ...]:
        """The messages as token ids; the template has placed the special tokens already."""
        return self.encode_rendered(self.text(messages))

    def encode_rendered(self, text: str) -> tuple[int, ...]:
        """What `text` gave, as token ids."""
        with self._lock:
            return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def encode_text(self, text: str) -> tuple[int, ...]:
        """A plain text as token ids, with what the tokenizer itself puts around it, and no template."""
        whole = text.encode("utf-8", "replace").decode("utf-8")  # half characters cannot be read
        with self._lock:
            return tuple(self._tokenizer.encode(whole))

    def token_text(self, token: int) -> str:
        """One token's text: its space at the start is kept, and special tokens are shown."""
        with self._lock:
            if self._texts is None:
                self._texts = TokenTexts(self._tokenizer.backend_tokenizer)
            return self._texts(token)

    def decode(self, ids: Sequence[int]) -> str:
        """Token ids as text, special tokens left out."""
        with self._lock:
            text: str = self._tokenizer.decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        return text


def _no_tokenizer(folder: Path, problem: Exception) -> str:
    if not any((folder / file).is_file() for file in TOKENIZER_FILES):
        return (
            f"the folder '{folder}' has no tokenizer; copy tokenizer.json from where its weights come from."
        )
    words = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
    return f"its tokenizer in '{folder}' cannot be read ({words}); download or save it again."
