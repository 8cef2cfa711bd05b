"""Writes the model card: CARD.md for people and card.json for programs, from one record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.models.embedded import EMBEDDED, embedded_path

FOLDER = Path(__file__).parent
CURVES = FOLDER / "curves"
NOTES = FOLDER / "card_notes.md"
COMMANDS = {
    "rebuild": "python -m workbench.models.embedded.build",
    "measure": "python -m workbench.models.embedded.evaluate --write",
}


def write_card(result: dict[str, Any]) -> dict[str, Any]:
    """Adds the models' shapes and training curves to the measurements and writes both files."""
    content = {
        "models": {name: _described(name) for name in EMBEDDED},
        "commands": COMMANDS,
        **result,
    }
    (FOLDER / "card.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (FOLDER / "CARD.md").write_text(as_markdown(content), encoding="utf-8")
    return content


def _described(name: str) -> dict[str, Any]:
    folder = embedded_path(name)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    curve = [json.loads(line) for line in (CURVES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return {
        "parameters": _parameters(config),
        "megabytes": round((folder / "model.safetensors").stat().st_size / 1e6, 2),
        "architecture": config["architectures"][0],
        "vocabulary": config["vocab_size"],
        "width": config["hidden_size"],
        "layers": config["num_hidden_layers"],
        "heads": config["num_attention_heads"],
        "feed_forward": config["intermediate_size"],
        "context": config["max_position_embeddings"],
        "training": {key: curve[-1][key] for key in ("minutes", "step", "tokens", "validation_loss")},
        "curve": curve,
    }


def _parameters(config: dict[str, Any]) -> int:
    width, inner = config["hidden_size"], config["intermediate_size"]
    per_layer = 4 * width * width + 3 * width * inner + 2 * width
    return config["vocab_size"] * width + config["num_hidden_layers"] * per_layer + width


def as_markdown(content: dict[str, Any]) -> str:
    """The whole card."""
    return "\n".join(
        [
            "# Model card: nano and small",
            "",
            NOTES.read_text(encoding="utf-8").strip(),
            "",
            "## Shapes",
            "",
            _shapes(content["models"]),
            "",
            tables(content),
            "",
            "## Training curves",
            "",
            "Answer tokens of held-out episodes: mean loss, and the share of tokens predicted right.",
            "",
            *[_curve(name, model["curve"]) for name, model in content["models"].items()],
            "## Commands",
            "",
            f"Rebuild everything: `{COMMANDS['rebuild']}`",
            "",
            f"Measure again and rewrite this card: `{COMMANDS['measure']}`",
            "",
        ]
    )


def _shapes(models: dict[str, Any]) -> str:
    keys = ["parameters", "megabytes", "vocabulary", "width", "layers", "heads", "feed_forward", "context"]
    lines = _heading(["", *models])
    lines += [
        _line([key.replace("_", "-"), *[f"{model[key]:,}" for model in models.values()]]) for key in keys
    ]
    lines.append(
        _line(["training minutes", *[f"{model['training']['minutes']:.0f}" for model in models.values()]])
    )
    lines.append(
        _line(["training tokens", *[f"{model['training']['tokens']:,}" for model in models.values()]])
    )
    return "\n".join(lines)


def tables(result: dict[str, Any]) -> str:
    """Claims and scores as Markdown tables."""
    return "\n".join(
        [
            "## What it promises",
            "",
            f"Measured on the `{result['split']}` rows of the datasets; 95 % intervals.",
            "",
            *_heading(["claim", "model", "holds", "value", "95 % interval", "n"]),
            *[_claim(claim) for claim in result["claims"]],
            "",
            "## Scores",
            "",
            *_heading(["measurement", *result["scores"]]),
            *_score_lines(result["scores"]),
        ]
    )


def _claim(claim: dict[str, Any]) -> str:
    seconds = "seconds" in claim["claim"]
    value, low, high = (_number(claim[key], seconds) for key in ("value", "low", "high"))
    holds = "yes" if claim["holds"] else "**no**"
    return _line([claim["claim"], claim["model"], holds, value, f"{low} to {high}", str(claim["n"])])


def _score_lines(scores: dict[str, Any]) -> list[str]:
    names = list(dict.fromkeys(name for columns in scores.values() for name in columns))
    return [_line([name, *[_cell(columns.get(name), name) for columns in scores.values()]]) for name in names]


def _cell(figure: dict[str, Any] | None, name: str) -> str:
    if figure is None:
        return ""
    mean, low, high = (_number(figure[key], name.startswith("cost/")) for key in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}] n={figure['n']}"


def _number(value: float, seconds: bool) -> str:
    return f"{value:.2f}" if seconds else f"{100 * value:.1f}"


def _curve(name: str, curve: list[dict[str, Any]]) -> str:
    every = max(1, len(curve) // 12)
    chosen = curve[::every] if curve[-1] in curve[::every] else [*curve[::every], curve[-1]]
    families = ("stories", "stories_with_examples", "labels")
    lines = [f"### {name}", ""]
    lines += _heading(["minutes", "million tokens", "loss", *families])
    for point in chosen:
        shares = [f"{100 * point['token_accuracy'].get(family, 0):.1f}" for family in families]
        lines.append(
            _line(
                [
                    f"{point['minutes']:.0f}",
                    f"{point['tokens'] / 1e6:.1f}",
                    f"{point['validation_loss']:.3f}",
                    *shares,
                ]
            )
        )
    return "\n".join([*lines, ""])


def _heading(cells: list[str]) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
