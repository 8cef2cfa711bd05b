"""What scoring costs: CPU seconds of each metric over many texts, with its interval, beside others' packages.

    python -m bench.metrics [--rows 10000] [--labels 100000]

Texts have 10 to 40 words of a vocabulary of 2,000; a fifth of an output's words are other ones than its
reference's. A package gets the same texts in the same process, one thread, after a warm-up.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

from workbench.metrics import load_metric

SEED = 4
VOCABULARY = 2_000
WARM_UP = 50
BLEU_FACTOR, BLEU_EXTRA_S = 1.5, 2.0
ACCURACY_S = 1.0

Texts = list[str]


def texts(rows: int) -> tuple[Texts, Texts]:
    """Outputs and their references."""
    rng = random.Random(SEED)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(VOCABULARY)]
    references = [rng.choices(words, k=rng.randint(10, 40)) for _ in range(rows)]
    outputs = [[word if rng.random() < 0.8 else rng.choice(words) for word in right] for right in references]
    return [" ".join(output) for output in outputs], [" ".join(right) for right in references]


def cpu_s(work: Callable[[], Any]) -> float:
    """CPU seconds of this process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def ours(spec: str | dict[str, Any], outputs: Texts, references: Texts) -> tuple[float, float]:
    """CPU seconds of scoring, and of the estimate with its interval."""
    metric = load_metric(spec)
    metric.score(outputs[:WARM_UP], references[:WARM_UP])
    kept: list[Any] = []
    scoring = cpu_s(lambda: kept.append(metric.score(outputs, references)))
    return scoring, cpu_s(lambda: metric.estimate(kept[0]))


def theirs(name: str) -> tuple[str, Callable[[Texts, Texts], object]] | None:
    """The package that a metric is held against: what it is called with, and the call."""
    import sacrebleu

    corpus = {"bleu": sacrebleu.corpus_bleu, "chrf": sacrebleu.corpus_chrf, "ter": sacrebleu.corpus_ter}
    if name in corpus:
        call = corpus[name]
        return f"sacrebleu.corpus_{name}", lambda outputs, references: call(outputs, [references])
    rouge = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}
    if name in rouge:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer([rouge[name]])
        return f"rouge-score {rouge[name]}", lambda outputs, references: [
            scorer.score(right, output) for output, right in zip(outputs, references, strict=True)
        ]
    if name == "accuracy":
        from sklearn.metrics import accuracy_score

        return "sklearn accuracy_score", lambda outputs, references: accuracy_score(references, outputs)
    return None


def line(name: str, rows: int, outputs: Texts, references: Texts) -> str:
    """One metric's line of the table."""
    scoring, interval = ours(name, outputs, references)
    other = theirs(name)
    if other is None:
        return f"| `{name}` | {rows:,} | {scoring:.2f} | {interval:.2f} | | | |"
    package, call = other
    call(outputs[:WARM_UP], references[:WARM_UP])
    taken = cpu_s(lambda: call(outputs, references))
    wanted = ""
    if name == "bleu":
        wanted = f"{BLEU_FACTOR * taken + BLEU_EXTRA_S:.2f}"
    elif name == "accuracy":
        wanted = f"{ACCURACY_S:.2f}"
    return f"| `{name}` | {rows:,} | {scoring:.2f} | {interval:.2f} | {package} | {taken:.2f} | {wanted} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.metrics")
    parser.add_argument("--rows", type=int, default=10_000, help="pairs of texts")
    parser.add_argument("--labels", type=int, default=100_000, help="labels")
    options = parser.parse_args()
    print("| metric | rows | CPU s | interval, CPU s | the same by | CPU s | wanted for both |")
    print("| --- | ---: | ---: | ---: | --- | ---: | ---: |")
    rng = random.Random(SEED)
    labels = rng.choices(["positive", "negative", "neutral"], k=options.labels)
    guesses = [label if rng.random() < 0.8 else "neutral" for label in labels]
    print(line("accuracy", options.labels, guesses, labels), flush=True)
    numbers = [str(rng.randint(0, 10**6)) for _ in range(options.labels)]
    for name in ("exact_match", "numeric"):
        print(line(name, options.labels, numbers, numbers), flush=True)
    outputs, references = texts(options.rows)
    for name in ("bleu", "chrf", "ter", "rouge_1", "rouge_2", "rouge_l", "rouge_lsum", "f1", "levenshtein"):
        print(line(name, options.rows, outputs, references), flush=True)
    formulas = [f"({a}+x)({b}-x)" for a, b in zip(numbers, reversed(numbers), strict=True)][: options.rows]
    print(line("math", len(formulas), formulas, [f"{text}+0" for text in formulas]), flush=True)


if __name__ == "__main__":
    main()
