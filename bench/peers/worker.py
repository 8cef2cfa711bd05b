"""One contender in this process: it loads a model, then answers prompts as often as it is asked to.

    python -m bench.peers.worker padded_generate FOLDER '{"batch": 32}'

    stdout  {"note": "padded batches of 32, sorted by length"}            once it is loaded
    stdin   {"prompts": [[{"role": "user", "content": "…"}]], "max_tokens": 48}
    stdout  {"wall_s": 5.1, "cpu_s": 5.0, "texts": ["…"]}

Imports nothing of the workbench: a contender may live in an environment without it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time


def main(name: str, folder: str, settings: str) -> None:
    """Answers every line of stdin on stdout."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not come between
    contender = importlib.import_module(f"bench.peers.{name}").Contender(folder, json.loads(settings))

    def tell(answer: dict[str, object]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    tell({"note": contender.note})
    for line in sys.stdin:
        asked = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        texts = contender.answer(asked["prompts"], asked["max_tokens"])
        tell({"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "texts": texts})
    contender.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
