"""The models' tokenizer: byte-level BPE in which digits stay single, and the chat template."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from workbench.models.embedded.generator import mixture, words
from workbench.models.embedded.generator.chat import BOS, END, PAD, SPECIAL_TOKENS, render

VOCABULARY = 1536
CONTEXT_TOKENS = 1024
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>"
    "{% generation %}{{ ' ' + message['content'] | trim + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ '<|' + message['role'] + '|> ' + message['content'] | trim + '<|end|>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(
    path: Path, vocabulary: int = VOCABULARY, episodes: int = 30_000, seed: int = 7
) -> Tokenizer:
    """Learns the merges from generated episodes and saves `tokenizer.json`."""
    tokenizer = Tokenizer(models.BPE())
    # While learning, " 7" may become one token but "17" may not, and special tokens are left out.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"<\|[a-z]+\|>"), "removed"),
            pre_tokenizers.Split(Regex(r" ?\p{N}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(episodes, seed), trainer)
    # In use, the stock GPT-2 splitting gives the same tokens (no merge joins two digits), so every
    # other runtime that knows byte-level BPE reads the tokenizer without a special case.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def _texts(episodes: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(episodes):
        yield render(mixture.episode(rng)[1])
    stock = [
        *words.NAMES["she"],
        *words.NAMES["he"],
        *words.ITEMS,
        *words.ACTORS,
        *words.OBJECTS,
        *words.REVIEWED,
    ]
    for group in [*words.TOPICS.values(), *words.POLARITY.values()]:
        stock += group
    for word in stock:
        yield from [f" {word}"] * 100


def load_tokenizer(path: Path) -> Tokenizer:
    """Reads a saved `tokenizer.json`."""
    return Tokenizer.from_file(str(path))


def save_for_transformers(path: Path, folder: Path) -> None:
    """Writes what `AutoTokenizer.from_pretrained(folder)` needs, chat template included."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_file=str(path),
        bos_token=BOS,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder, save_jinja_files=False)
