"""Two people rate one run by keyboard, blind, while its server is killed: nothing is lost or doubled."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.app.rated_run import rated_run
from tests.e2e.axe import serious_violations
from tests.e2e.conftest import REPOSITORY, SERVE, _wait_for, aside, keep, settle
from tests.ports import free_port
from workbench.core.rating import Rating, RatingPlan
from workbench.engine import Workspace, start_rating

pytestmark = pytest.mark.timeout(600)  # a browser on a busy machine
NAMES = ("zanzibar", "quetzal", "ocelot")  # of prompts and models
PROMPTS = ("zanzibar-short", "zanzibar-long", "zanzibar-slow")
MODELS = """models:
- {name: quetzal, provider: openai, model: quetzal-7b, base_url: "http://127.0.0.1:9/v1"}
- {name: ocelot, provider: openai, model: ocelot-1b, base_url: "http://127.0.0.1:9/v1"}
"""
PAIRS = 30
ROWS = 12
ANSWERS = ("ArrowLeft", "ArrowRight", "t", "b", "ArrowRight")
PLAIN = {"again_share": 0, "seed": 3}
HOSTILE = """# Steps
![x](http://evil.example/a.png) <script>document.title = "owned"</script>
[a link](http://evil.example) and `code`

```python
left = 12 - 3
```
"""


class Server:
    """The app over a workspace; can be killed at once and started again at the same address."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        with (self.root.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(self.root), str(self.port)],
                cwd=self.root.parent,
                env=environment,
                stderr=log,
            )
        _wait_for(f"{self.url}/_stcore/health", self.process)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)


class Rater:
    """One person with a browser of their own, who notes everything that reaches it."""

    def __init__(self, browser: Any, server: Server, run: str, name: str, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": 1360, "height": 900}, color_scheme=scheme)
        self.tab = self.context.new_page()
        self.name = name
        self.address = f"{server.url}/rate?run={run}&rater={name}"
        self.heard: list[str] = []
        self.strangers: list[str] = []
        self.seconds: list[float] = []
        self.seen: list[str] = []
        self.answers = cycle(ANSWERS)
        self.context.on("request", lambda request: self._asked(request.url))
        self.tab.on("websocket", self._listen)

    def _asked(self, url: str) -> None:
        self.heard.append(url)
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.strangers.append(url)

    def _listen(self, socket: Any) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(
                event,
                lambda frame: self.heard.append(
                    frame if isinstance(frame, str) else frame.decode("utf-8", "ignore")
                ),
            )

    def open(self) -> None:
        self.tab.goto(self.address)
        self.tab.wait_for_selector("[data-hears]", timeout=60_000)
        settle(self.tab)
        self.heard.append(self.tab.content())

    def item(self) -> str:
        """What the keyboard is about; "" once nothing is left."""
        return str(self.tab.locator("[data-hears]").first.get_attribute("data-hears"))

    def answer(self) -> None:
        """Presses the next key and waits for the next item."""
        before = self.item()
        began = time.perf_counter()
        self.tab.keyboard.press(next(self.answers))
        self.wait_for_other_than(before)
        self.seconds.append(time.perf_counter() - began)
        self.seen.append(before)
        self.heard.append(self.tab.content())

    def wait_for_other_than(self, item: str) -> None:
        self.tab.wait_for_function(
            "before => { const one = document.querySelector('[data-hears]');"
            " return one && one.dataset.hears !== before }",
            arg=item,
            timeout=120_000,
        )

    def leaks(self) -> list[str]:
        """Names of prompts and models among all that the browser sent, got or showed."""
        said = "\n".join([*self.heard, self.tab.url, self.tab.title()]).lower()
        return [name for name in NAMES if name in said]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("rated") / "workspace"
    root.mkdir()
    for folder in ("prompts", "experiments"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    (root / "experiments" / "models.yaml").write_text(MODELS)
    plain = (root / "prompts" / "direct.yaml").read_text()
    for name in PROMPTS:
        (root / "prompts" / f"{name}.yaml").write_text(plain.replace("name: direct", f"name: {name}"))
    found = Server(root)
    found.start()
    yield found
    found.kill()


def new_run(server: Server, text: Callable[[int, int], str], **plan: Any) -> str:
    def make() -> str:
        run = rated_run(server.root, text, ROWS, PROMPTS, ("quetzal", "ocelot"))
        ws = Workspace.open(server.root)
        start_rating(ws, run, RatingPlan.model_validate(PLAIN | plan))
        ws.close()
        return run

    return str(aside(make))


def cut_labels(tab: Any) -> list[str]:
    """What buttons and links say where it does not fit on them."""
    return list(
        tab.evaluate(
            "[...document.querySelectorAll('[data-testid=stMain] button *, [data-testid=stPageLink] *')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible')"
            ".map(e => e.innerText)"
        )
    )


def current(server: Server, run: str) -> list[Rating]:
    """The ratings that count, as they lie in the database."""

    def read() -> list[Rating]:
        ws = Workspace.open(server.root)
        found = ws.store.ratings.current(run)
        ws.close()
        return found

    return list(aside(read))


def test_two_raters_by_keyboard_with_the_server_killed_lose_and_double_nothing(
    browser: Any, server: Server
) -> None:
    run = new_run(
        server, lambda cell, row: f"{HOSTILE if row % 4 == 0 else ''}\nThe answer of row {row} is **{cell}**."
    )
    ada, bob = (Rater(browser, server, run, name) for name in ("ada", "bob"))
    ada.open()
    bob.open()
    for _ in range(6):
        ada.answer()
        bob.answer()
    in_flight = ada.item()
    ada.tab.keyboard.press("ArrowLeft")
    server.kill()
    before = current(server, run)
    assert {one.item for one in before} >= {*ada.seen, *bob.seen}
    server.start()
    bob.open()  # one comes back by the address, the other's tab by itself
    ada.tab.wait_for_selector("[data-testid=stConnectionStatus]", state="detached", timeout=60_000)
    settle(ada.tab)
    if in_flight in {one.item for one in before}:
        ada.wait_for_other_than(in_flight)
        ada.seen.append(in_flight)
    else:
        ada.answer()
    turns = cycle((ada, bob))
    while len(ada.seen) + len(bob.seen) < PAIRS:
        next(turns).answer()
    settle(ada.tab)

    kept = current(server, run)
    assert len(kept) == PAIRS
    assert Counter(one.item for one in kept) == Counter(ada.seen + bob.seen)
    assert Counter(one.rater for one in kept) == {"ada": len(ada.seen), "bob": len(bob.seen)}
    pairs = Counter((one.position, one.cell, one.other) for one in kept)
    assert max(pairs.values()) == 1, "both raters got the same pair"
    for rater in (ada, bob):
        assert not rater.leaks()
        assert not rater.strangers
        assert rater.tab.title() != "owned"
        took = sorted(rater.seconds)
        print(
            f"{rater.name}: key to next item {1000 * statistics.median(took):.0f} ms (median of {len(took)})"
        )
    assert statistics.median(ada.seconds + bob.seconds) < 15  # 0.3 s on a machine of its own
    bob.context.close()
    ada.tab.goto(f"{server.url}/ratings?run={run}")
    ada.tab.get_by_text("zanzibar-short").first.wait_for(timeout=60_000)
    ada.context.close()


def test_typing_does_not_rate_and_a_note_goes_with_its_rating(browser: Any, server: Server) -> None:
    run = new_run(server, lambda cell, row: f"Row {row}, answer {cell}.")
    ada = Rater(browser, server, run, "ada")
    ada.open()
    item = ada.item()
    ada.tab.keyboard.press("n")
    ada.tab.keyboard.type("left, but slow: s u t b")
    ada.tab.keyboard.press("ArrowLeft")
    ada.tab.keyboard.press("Escape")
    settle(ada.tab)
    ada.tab.keyboard.press("w")
    ada.tab.keyboard.type("Answer: 7")
    ada.tab.get_by_text("the left one").wait_for()  # sent without leaving the field, as the typing paused
    settle(ada.tab)
    assert ada.item() == item and not current(server, run)
    ada.tab.reload()  # what was written and not rated yet is still there
    ada.tab.wait_for_selector("[data-hears]")
    settle(ada.tab)
    fields = ada.tab.get_by_role("textbox")
    assert [fields.nth(place).input_value() for place in (0, 1)] == ["left, but slow: s u t b", "Answer: 7"]
    ada.answer()
    [one] = current(server, run)
    assert (one.note, one.correction) == ("left, but slow: s u t b", "Answer: 7")
    after = ada.item()
    ada.tab.keyboard.press("u")
    ada.wait_for_other_than(after)
    settle(ada.tab)
    assert ada.item() == item and not current(server, run)
    assert not ada.leaks()
    ada.context.close()


def test_scores_are_given_by_number_criterion_after_criterion(browser: Any, server: Server) -> None:
    criteria = [{"name": "helpful", "description": "does it answer?"}, {"name": "clear"}]
    run = new_run(server, lambda cell, row: f"Row {row}, answer {cell}.", mode="likert", criteria=criteria)
    ada = Rater(browser, server, run, "ada", "dark")
    ada.open()
    item = ada.item()
    ada.tab.keyboard.press("4")
    ada.tab.get_by_text("▶ clear").wait_for()
    settle(ada.tab)
    assert ada.item() == item
    assert not serious_violations(ada.tab)
    keep(ada.tab, "rate-scores-dark")
    ada.tab.keyboard.press("2")
    ada.wait_for_other_than(item)
    assert [(one.criterion, one.value) for one in current(server, run)] == [("helpful", 4), ("clear", 2)]
    ada.context.close()


def test_what_a_rater_sees_can_be_read_and_loads_nothing(browser: Any, server: Server) -> None:
    run = new_run(server, lambda cell, row: f"{HOSTILE}\nRow {row}:\n\n1. take **{cell}**\n2. add `1`")
    ada = Rater(browser, server, run, "ada")
    ada.open()
    ada.answer()
    settle(ada.tab)
    assert not serious_violations(ada.tab)
    ada.tab.set_viewport_size({"width": 900, "height": 900})
    assert not cut_labels(ada.tab)
    ada.tab.set_viewport_size({"width": 1360, "height": 900})
    assert ada.tab.locator("[data-testid=stMain] img, [data-testid=stMain] a[href*=evil]").count() == 0
    keep(ada.tab, "rate")
    assert not ada.strangers
    ada.context.close()
