"""The Model page: what a model is made of, whether it fits, its speed and its tokens; never a traceback."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path

import pytest

from tests.app.conftest import Visit, press, texts
from tests.models.tiny import tiny_model
from workbench.app.widgets.model_tokens import chips, visible
from workbench.core.model import ModelSpec
from workbench.engine import Workspace
from workbench.engine.benchmark_process import BenchmarkState, _write, benchmark_state
from workbench.engine.benchmarking import BatchSpeed, BenchmarkResult, benchmark_json
from workbench.engine.using import machine_name
from workbench.models.local.downloading import find_download
from workbench.models.local.tokens import TokenPiece, TokenView

NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
pytestmark = pytest.mark.usefixtures("weights")


def added(root: Path, **row: object) -> None:
    ws = Workspace.open(root)
    ws.models.add(ModelSpec(**row))  # type: ignore[arg-type]
    ws.close()


def test_it_says_what_the_model_is_made_of(visit: Visit) -> None:
    test = visit("model", model="small")
    assert not test.exception
    assert not test.error
    numbers = {metric.label: metric.value for metric in test.metric}
    assert numbers["Parameters"] == "1.48 M"
    assert numbers["Layers"] == "6"
    assert len(test.get("plotly_chart")) == 1
    assert "feed" in test.table[0].value.to_string()


def test_the_treemap_holds_every_parameter(visit: Visit) -> None:
    figure = json.loads(visit("model", model="small").get("plotly_chart")[0].proto.spec)
    boxes = figure["data"][0]
    leaves = set(boxes["ids"]) - set(boxes["parents"])
    values = boxes["values"]
    if isinstance(values, dict):  # packed as binary
        pytest.skip("plotly packed the numbers")
    whole = values[boxes["parents"].index("")]
    assert whole == 1_476_224
    assert sum(value for name, value in zip(boxes["ids"], values) if name in leaves) == whole


def test_a_link_with_a_quantization_is_understood(visit: Visit) -> None:
    test = visit("model", model="small@int8")
    assert not test.warning
    assert [box.value for box in test.selectbox][:2] == ["small", "int8"]


def test_memory_is_told_for_every_quantization_and_marked(visit: Visit) -> None:
    test = visit("model", model="small", view="memory")
    assert not test.error, [error.value for error in test.error]
    shown = test.table[0].value.to_string()
    assert "fp32" in shown
    assert "int8" in shown
    assert "1,024 tokens" in shown
    assert "fits" in shown


def test_kept_benchmarks_stand_side_by_side(visit: Visit, root: Path) -> None:
    ws = Workspace.open(root)
    for name, decode in (("small", 281.4), ("small@bf16", 190.0)):
        identity = ws.models.open(name).identity()
        speeds = (BatchSpeed(1, 9000.0, decode), BatchSpeed(8, 9100.0, None, "decode did not fit into 8 s"))
        result = BenchmarkResult(
            name, identity, machine_name(), "cpu", NOW, 30.0, 2.0, 0.012, (*speeds, BatchSpeed(32))
        )
        ws.store.benchmarks.add(name, identity, result.machine, "cpu", benchmark_json(result))
    ws.close()
    test = visit("model", model="small", view="speed")
    assert not test.error, [error.value for error in test.error]
    table = test.table[0].value
    assert len(table) == 2
    assert list(table["Decode, 1 at once"]) == ["281", "190"]
    assert list(table["Decode, 8 at once"]) == ["–", "–"]
    assert "2026" in table.to_string()
    assert "did not fit" in texts(test)


def test_a_benchmark_under_way_can_be_cancelled(visit: Visit, root: Path) -> None:
    ws = Workspace.open(root)
    _write(ws, BenchmarkState("small", "running", 0.4, "decode, 8 at once", 12.0, time.time()))
    test = visit("model", model="small", view="speed")
    assert "Measure for 30 s" not in [button.label for button in test.button]
    test = press(test, "Cancel")
    assert not test.exception
    assert (root / ".workbench" / "benchmark.cancel").exists()
    ws.close()


@pytest.mark.timeout(200)
def test_the_button_starts_a_benchmark_and_its_end_is_told(visit: Visit, root: Path, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()  # so that it ends soon
    added(root, name="tiny", provider="transformers", model=str(folder))
    press(visit("model", model="tiny", view="speed"), "Measure for 30 s")
    ws = Workspace.open(root)
    state = benchmark_state(ws)
    assert state is not None
    assert state.model == "tiny"
    for _ in range(600):
        state = benchmark_state(ws)
        if state is not None and state.status != "running":
            break
        time.sleep(0.2)
    ws.close()
    said = texts(visit("model", model="tiny", view="speed"))
    assert "failed" in said
    assert "tokenizer" in said


def test_tokens_of_a_text_are_counted_and_shown(visit: Visit) -> None:
    test = visit("model", model="small", view="tokens")
    test.text_area[0].set_value("Hello <b>you</b> :red[x] ![y](http://a/b.png)").run()
    assert not test.exception
    assert not test.error
    shown = next(one.value for one in test.markdown if "-background[" in one.value)
    assert "<b>" not in shown
    assert ":red[" not in shown
    assert "](http" not in shown
    assert int({metric.label: metric.value for metric in test.metric}["Tokens"]) > 5


def test_another_models_tokens_are_counted_beside(visit: Visit) -> None:
    test = visit("model", model="small", view="tokens")
    next(box for box in test.selectbox if box.label == "Count beside").set_value("nano").run()
    assert "makes" in texts(test)


def test_invisible_letters_and_half_characters_are_shown() -> None:
    view = TokenView(
        3, 3, (TokenPiece(1, " a"), TokenPiece(2, "<F0 9F>", partial=True), TokenPiece(3, "\u202e\x00\n"))
    )
    assert visible(view.pieces[2]) == "<U+202E><U+0000>⏎"
    assert "\u202e" not in chips(view)
    assert "·a" in chips(view)


def test_a_hosted_model_says_what_cannot_be_seen(visit: Visit, root: Path) -> None:
    url = "https://me:secret@api.example.org/v1"
    added(root, name="gpt", provider="openai", model="gpt-5-mini", base_url=url)
    test = visit("model", model="gpt")
    assert not test.exception
    assert "cannot be seen" in texts(test).replace("\\", "") + test.info[0].value
    assert "secret" not in texts(test) + test.table[0].value.to_string()


@pytest.mark.parametrize("view", ["", "memory", "speed", "tokens"])
def test_files_that_are_not_whole_are_one_sentence(
    visit: Visit, root: Path, tmp_path: Path, view: str
) -> None:
    folder = tiny_model(tmp_path / "tiny")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    added(root, name="cut", provider="transformers", model=str(folder))
    test = visit("model", model="cut", view=view)
    assert not test.exception
    assert "is not whole" in test.error[0].value.replace("\\", "")


def test_a_model_that_is_not_here_says_so(visit: Visit, root: Path) -> None:
    added(root, name="far", provider="transformers", model="nobody/such-model")
    test = visit("model", model="far")
    assert "is not here yet" in texts(test).replace("\\", "")
    assert [button.label for button in test.button] == ["Download"]


@pytest.mark.timeout(120)
def test_a_download_that_fails_says_why(visit: Visit, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    added(root, name="far", provider="transformers", model="nobody/such-model")
    press(visit("model", model="far"), "Download")
    attempt = find_download("nobody/such-model")
    assert attempt is not None
    assert attempt.wait(60) == "failed"
    test = visit("model", model="far")
    assert "such-model" in test.error[0].value.replace("\\", "")
    assert [button.label for button in test.button] == ["Download"]


def test_an_unknown_model_or_view_in_the_url_is_harmless(visit: Visit) -> None:
    test = visit("model", model="<script>", view="../..", quantization="zip", at_once="9e9")
    assert not test.exception
    assert "There is no model named" in test.warning[0].value


def test_the_models_page_links_to_each_model(visit: Visit) -> None:
    labels = [link.proto.label for link in visit("models").get("page_link")]
    assert "small" in " ".join(labels)
