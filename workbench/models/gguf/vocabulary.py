"""A byte-level BPE tokenizer of a model folder, as GGUF writes it down.

tokenizer.json          {"model": {"type": "BPE", "vocab": {"Ġapple": 300, …}, "merges": […]}, …}
tokenizer_config.json   {"eos_token": "<|end|>", "chat_template": "{% for message in messages %}…"}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # the format's numbers for kinds of token

GENERATION_TAG = re.compile(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}")
LLAMA_3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF file says about a tokenizer. Token ids are indices into `tokens`."""

    splitter: str
    """llama.cpp's name for how text is cut into words before merging."""
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    merges: tuple[str, ...]
    bos: int | None
    ends: tuple[int, ...]
    """Tokens that end an answer, the tokenizer's own first."""
    pad: int | None
    begins_with_bos: bool
    chat_template: str | None


def read_vocabulary(folder: Path, size: int, model: str) -> Vocabulary:
    """The tokenizer of a model folder.

    Args:
        folder: holds tokenizer.json and, as a rule, tokenizer_config.json.
        size: rows of the model's embedding; ids that no token has are filled up.
        model: the model's name, for errors.

    Raises ModelUnavailable where it is not byte-level BPE of a kind that llama.cpp cuts words alike.
    """
    tokenizer = read_json(folder / "tokenizer.json", model)
    settings = read_json(folder / "tokenizer_config.json", model, needed=False)
    bpe = tokenizer.get("model") or {}
    if bpe.get("type") != "BPE" or bpe.get("byte_fallback") or tokenizer.get("normalizer"):
        kind = bpe.get("type") or "unknown"
        raise _refused(f"its tokenizer is not plain byte-level BPE (it is {kind} or normalizes text)", model)
    splitter = _splitter(tokenizer.get("pre_tokenizer") or {}, bool(bpe.get("ignore_merges")), model)
    tokens, kinds = _tokens(tokenizer, size, model)
    ids = {text: number for number, text in enumerate(tokens)}
    template = _chat_template(folder, settings)
    bos = ids.get(_text(settings.get("bos_token")))
    bos_text = "" if bos is None else tokens[bos]
    placed = bos is not None and _places_first(tokenizer.get("post_processor") or {}, bos_text)
    return Vocabulary(
        splitter=splitter,
        tokens=tokens,
        kinds=kinds,
        merges=tuple(merge if isinstance(merge, str) else " ".join(merge) for merge in bpe["merges"]),
        bos=bos,
        ends=_ends(folder, ids.get(_text(settings.get("eos_token"))), model),
        pad=ids.get(_text(settings.get("pad_token"))),
        # a chat template that writes the token itself is the last word on it
        begins_with_bos=placed and (template is None or "bos_token" in template or bos_text in template),
        chat_template=without_generation_tags(template) if template else None,
    )


def without_generation_tags(template: str) -> str:
    """A chat template that any Jinja reads: the tags that only mark what training learns from are gone.

    They become a condition that always holds, so that blanks around them are trimmed as before.
    """
    return GENERATION_TAG.sub(
        lambda tag: f"{{%{tag[1]} {'endif' if tag[2] else 'if true'} {tag[3]}%}}", template
    )


def read_json(path: Path, model: str, needed: bool = True) -> dict[str, Any]:
    """A JSON file of a model folder; {} where it is neither there nor needed. Raises ModelUnavailable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not needed:
            return {}
        raise ModelUnavailable(f"the folder '{path.parent}' has no {path.name}.", model) from None
    except (OSError, ValueError) as problem:
        raise ModelUnavailable(f"{path} cannot be read ({problem}).", model) from None
    if not isinstance(content, dict):
        raise ModelUnavailable(f"{path} is not a JSON object.", model)
    return content


def _splitter(rule: dict[str, Any], ignores_merges: bool, model: str) -> str:
    """llama.cpp's name for the rule, for those rules that it has exactly."""
    steps = rule.get("pretokenizers") if rule.get("type") == "Sequence" else [rule]
    kinds = [step.get("type") for step in steps or []]
    if steps and kinds[-1] == "ByteLevel" and not steps[-1].get("add_prefix_space"):
        as_gpt_2 = steps[-1].get("use_regex", True) and not ignores_merges
        pattern = (steps[0].get("pattern") or {}).get("Regex")
        if kinds == ["ByteLevel"] and as_gpt_2:
            return "gpt-2"
        if kinds == ["Digits", "ByteLevel"] and as_gpt_2 and steps[0].get("individual_digits"):
            return "smollm"
        if kinds == ["Split", "ByteLevel"] and pattern == LLAMA_3_PATTERN and ignores_merges:
            return "llama-bpe"
    raise _refused("its tokenizer cuts text into words in a way that llama.cpp does not know", model)


def _tokens(tokenizer: dict[str, Any], size: int, model: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    tokens = [f"[unused {number}]" for number in range(size)]
    kinds = [UNUSED] * size
    added = {one["id"]: one for one in tokenizer.get("added_tokens") or []}
    largest = max([*tokenizer["model"]["vocab"].values(), *added], default=-1)
    if largest >= size:
        raise _refused(f"its tokenizer has {largest + 1:,} tokens, its embedding only {size:,}", model)
    for text, number in tokenizer["model"]["vocab"].items():
        tokens[number], kinds[number] = text, NORMAL
    for number, one in added.items():
        tokens[number] = one["content"]
        kinds[number] = CONTROL if one.get("special") else USER_DEFINED
    return tuple(tokens), tuple(kinds)


def _ends(folder: Path, own: int | None, model: str) -> tuple[int, ...]:
    """The tokenizer's end token, then those that generation stops at beside it."""
    generation = read_json(folder / "generation_config.json", model, needed=False)
    stated = generation.get("eos_token_id")
    if stated is None:
        stated = read_json(folder / "config.json", model).get("eos_token_id")
    others = stated if isinstance(stated, list) else [stated]
    return tuple(dict.fromkeys(end for end in (own, *others) if isinstance(end, int)))


def _places_first(rule: dict[str, Any], bos: str) -> bool:
    steps = rule.get("processors") if rule.get("type") == "Sequence" else [rule]
    for step in steps or []:
        first = (step.get("single") or [{}])[0]
        if step.get("type") == "TemplateProcessing" and (first.get("SpecialToken") or {}).get("id") == bos:
            return True
    return False


def _chat_template(folder: Path, settings: dict[str, Any]) -> str | None:
    beside = folder / "chat_template.jinja"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    stated = settings.get("chat_template")
    if isinstance(stated, list):
        named = {one.get("name"): one.get("template") for one in stated if isinstance(one, dict)}
        stated = named.get("default")
    return stated if isinstance(stated, str) else None


def _text(token: Any) -> str:
    """A token in the settings: a string, or a mapping with its content."""
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")


def _refused(why: str, model: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"it cannot be converted to GGUF: {why}; use a GGUF file that its makers offer.", model
    )
