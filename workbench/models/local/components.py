"""Which part of a model a tensor belongs to, told from its name alone.

place("model.layers.3.self_attn.q_proj.weight") ->  Place(layer=3, component="attention", piece="query")
place("vision_tower.layers.0.kernel")           ->  Place(layer=None, component="other", piece="vision_tower")
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COMPONENTS = ("embedding", "attention", "feed-forward", "norms", "head", "other")
LAYER = re.compile(r"(?:^|\.)(?:layers?|blocks?|blk|h)\.(\d+)\.(.+)$")
ENDINGS = frozenset({"weight", "bias", "base_layer", "scale", "qweight", "qzeros", "scales", "g_idx"})

EMBEDDINGS = {
    "embed_tokens": "tokens",
    "wte": "tokens",
    "word_embeddings": "tokens",
    "tok_embeddings": "tokens",
    "token_embd": "tokens",
    "embed_in": "tokens",
    "wpe": "positions",
    "embed_positions": "positions",
    "position_embeddings": "positions",
    "position_embd": "positions",
}
HEADS = frozenset({"lm_head", "embed_out", "output", "score"})
ATTENTION = {
    "query": r"q_proj|q|query|wq|attn_q|q_[ab]_proj",
    "key": r"k_proj|k|key|wk|attn_k",
    "value": r"v_proj|v|value|wv|attn_v",
    "query, key, value": r"qkv_proj|query_key_value|c_attn|wqkv|qkv|attn_qkv|in_proj\w*",
    "key, value": r"kv_[ab]_proj\w*|kv",
    "output": r"o_proj|out_proj|dense|c_proj|wo|o|attn_output|proj",
}
FEED_FORWARD = {
    "gate": r"gate_proj|w1|ffn_gate(_exps|_shexp)?",
    "up": r"up_proj|w3|c_fc|fc1|fc_in|dense_h_to_4h|ffn_up(_exps|_shexp)?",
    "gate and up": r"gate_up_proj|fc_gate_up",
    "down": r"down_proj|w2|c_proj|fc2|fc_out|dense_4h_to_h|ffn_down(_exps|_shexp)?",
    "router": r"gate|router|ffn_gate_inp",
}
PIECES = (*ATTENTION, *FEED_FORWARD)
"""In the order in which a layer uses them."""
IN_ATTENTION = re.compile(r"attn|attention")
IN_FEED_FORWARD = re.compile(r"mlp|ffn|feed_forward|moe|experts?|fc\d")
TOWER = re.compile(r"vision|visual|image|audio|speech")
NORM = re.compile(r"norm|^ln(_|\d|$)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a model a tensor stands."""

    layer: int | None
    component: str
    """One of COMPONENTS."""
    piece: str
    """The part of the component, such as `query`; of `other`, the tensor's own name."""


def place(name: str) -> Place:
    """The place of a tensor. A name that says nothing known is `other`, under its own words."""
    tower = next((word for word in name.split(".")[:-1] if TOWER.search(word)), None)
    if tower:  # its layers are numbered like the language model's, and are others
        return Place(None, "other", tower)
    found = LAYER.search(name)
    layer = int(found.group(1)) if found else None
    words = [word for word in (found.group(2) if found else name).split(".") if word not in ENDINGS]
    own = ".".join(words) or name
    last = words[-1] if words else ""
    if NORM.search(last):
        return Place(layer, "norms", "in the layers" if layer is not None else "final")
    if layer is None:
        if last in EMBEDDINGS:
            return Place(None, "embedding", EMBEDDINGS[last])
        if last in HEADS:
            return Place(None, "head", "tokens")
        return Place(None, "other", own)
    around = ".".join(words)
    if IN_ATTENTION.search(around):
        return Place(layer, "attention", _piece(words, ATTENTION))
    if IN_FEED_FORWARD.search(around):
        piece = _piece(words, FEED_FORWARD)
        inside = any(word in ("experts", "expert") for word in words) or last.endswith("_exps")
        return Place(layer, "feed-forward", f"experts: {piece}" if inside else piece)
    return Place(layer, "other", own)


def _piece(words: list[str], pieces: dict[str, str]) -> str:
    for word in reversed(words):
        for piece, pattern in pieces.items():
            if re.fullmatch(pattern, word, re.IGNORECASE):
                return piece
    return ".".join(word for word in words if not word.isdigit())
