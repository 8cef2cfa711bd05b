"""Promises of the catalog: embedded models always there, good rows beside broken ones, comments kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.tiny import tiny_model
from workbench.core.document import parse
from workbench.core.model import Model, ModelSpec
from workbench.errors import InvalidFile, UnknownName, UsageError, WorkbenchError
from workbench.models import Catalog, provider_names, registry
from workbench.models.rows import with_row, without_row

ROWS = """\
# mine
models:
  # the fast one
  - {name: fast, provider: openai, model: m, base_url: "http://127.0.0.1:9/v1"}   # at home
  - name: hosted
    provider: openai
    model: gpt
    key: SOME_KEY

  # the last one
  - {name: local, provider: transformers, model: ./nowhere, quantization: bf16}
# the end
"""


def a_catalog(tmp_path: Path, text: str | None = ROWS) -> Catalog:
    path = tmp_path / "models.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return Catalog(path)


def a_row(name: str = "new", **changes: Any) -> ModelSpec:
    return ModelSpec(**{"name": name, "provider": "openai", "model": "m"} | changes)


def test_the_embedded_models_are_there_without_any_file(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path, None)
    assert catalog.names() == ["nano", "small"] and catalog.broken() == []


def test_a_row_takes_the_place_of_an_embedded_model(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path, "models:\n  - {name: nano, provider: openai, model: mine}\n")
    assert catalog.names() == ["nano", "small"] and catalog.spec("nano").model == "mine"


def test_the_shipped_file_is_valid_and_leaves_the_embedded_models(repository: Path) -> None:
    catalog = Catalog(repository / "experiments" / "models.yaml")
    assert catalog.broken() == [] and catalog.names() == ["nano", "small"]


def test_the_examples_of_the_shipped_file_are_rows_that_work(repository: Path, tmp_path: Path) -> None:
    text = (repository / "experiments" / "models.yaml").read_text("utf-8")
    head, _, examples = text.partition("models: []\n")
    lines = [line[1:] for line in examples.splitlines() if line.startswith(("#  - ", "#    "))]
    catalog = a_catalog(tmp_path, head + "models:\n" + "\n".join(lines) + "\n")
    assert catalog.broken() == []
    assert {"qwen", "llama", "gpt", "mistral", "mine"} <= set(catalog.names())


def test_a_quantization_behind_the_name_overrides_the_rows(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path)
    assert catalog.spec("local").quantization == "bf16"
    overridden = catalog.spec("local@int8")
    assert (overridden.name, overridden.quantization) == ("local@int8", "int8")
    assert overridden.model == catalog.spec("local").model


def test_quantizations_that_only_gguf_has_go_to_llama_cpp(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path, None)
    assert catalog.spec("small@q8_0").provider == "llama_cpp"
    assert catalog.spec("small@bf16").provider == "transformers"  # both have it: the row's own provider stays


def test_a_model_of_the_hub_is_usable_before_it_is_here(tmp_path: Path) -> None:
    row = "models: [{name: far, provider: transformers, model: nobody/has-this}]\n"
    state = a_catalog(tmp_path, row).check("far")
    assert state.ok and "downloaded at its first use" in state.sentence


def test_an_unknown_name_offers_the_nearest(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path)
    for name in ("smal", "smal@int8"):
        with pytest.raises(UnknownName, match="Did you mean 'small'"):
            catalog.open(name)
    with pytest.raises(UnknownName, match="no model named 'small@'"):
        catalog.open("small@")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{name: bad, provider: openai}", "key `model`"),
        ("{name: bad, provider: opnai, model: m}", "Did you mean 'openai'"),
        ("{name: bad, provider: openai, model: m, bas_url: x}", "Did you mean 'base_url'"),
        ("{name: bad, provider: openai, model: m, key: sk-123}", "key `key`"),
        ("{name: fast, provider: openai, model: m}", "stands above already"),
        ("just words", "a model is a mapping"),
        ("{name: a b, provider: openai, model: m}", "key `name`"),
    ],
)
def test_a_broken_row_is_told_with_its_line_and_the_others_work(row: str, words: str, tmp_path: Path) -> None:
    lines = ROWS.splitlines()
    catalog = a_catalog(tmp_path, "\n".join([*lines[:4], f"  - {row}", *lines[4:]]))
    assert catalog.names() == ["fast", "hosted", "local", "nano", "small"]
    (problem,) = catalog.broken()
    assert words in str(problem) and problem.line == 5


@pytest.mark.parametrize(
    "text", ["models: [", "- a\n- b", "models: 3", "modles: []", "\x00", "models:\n\t- x"]
)
def test_a_broken_file_leaves_the_embedded_models(text: str, tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path, text)
    assert catalog.names() == ["nano", "small"] and len(catalog.broken()) == 1
    with pytest.raises(UnknownName) as found:  # a name that may stand there leads to the file
        catalog.spec("mine")
    assert str(found.value).endswith(str(catalog.broken()[0]))
    with pytest.raises(UnknownName, match="Did you mean 'small'"):
        catalog.spec("smal")


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_bytes("models: []  # señor".encode("latin-1"))
    assert "UTF-8" in str(Catalog(tmp_path / "models.yaml").broken()[0])


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path)
    assert "fast" in catalog.names()
    (tmp_path / "models.yaml").write_text("models: []\n")
    assert "fast" not in catalog.names()


def test_opening_a_model_loads_and_calls_nothing(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path)
    for name in catalog.names():
        assert isinstance(catalog.open(name), Model)


def test_a_check_says_whether_the_key_is_set_and_never_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = a_catalog(tmp_path)
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert not catalog.check("hosted").ok and "SOME_KEY" in catalog.check("hosted").sentence
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    assert catalog.check("hosted").ok and "sk-secret" not in catalog.check("hosted").sentence


def test_a_check_of_a_local_model_looks_for_folder_and_quantization(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny")
    catalog = a_catalog(tmp_path)
    catalog.add(ModelSpec(name="tiny", provider="transformers", model=str(folder)))
    assert catalog.check("tiny").ok and catalog.check("tiny@int8").ok
    assert "use fp32, bf16" in catalog.check("tiny@int3").sentence
    assert "no folder" in catalog.check("local").sentence


def test_adding_and_removing_keep_every_comment(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path)
    catalog.add(a_row(description="added"))
    catalog.add(a_row("hosted", model="replaced"))
    text = (tmp_path / "models.yaml").read_text()
    assert all(
        comment in text
        for comment in ("# mine", "# the fast one", "# at home", "# the last one", "# the end")
    )
    assert catalog.spec("new").description == "added" and catalog.spec("hosted").model == "replaced"
    catalog.remove("new")
    catalog.remove("fast")
    assert catalog.names() == ["hosted", "local", "nano", "small"] and catalog.broken() == []


def test_the_first_row_goes_into_an_empty_or_absent_file(tmp_path: Path, repository: Path) -> None:
    shipped = (repository / "experiments" / "models.yaml").read_text("utf-8")
    for number, text in enumerate(
        [None, "", "# only a comment\n", "models: []\n", "models:\n", "models: [] # none", shipped]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        catalog = a_catalog(folder, text)
        catalog.add(a_row())
        assert catalog.names() == ["new", "nano", "small"] and catalog.broken() == []
        catalog.remove("new")
        assert catalog.names() == ["nano", "small"] and catalog.broken() == []


def test_what_cannot_be_removed_or_added_says_why(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path)
    with pytest.raises(UsageError, match="ships with the workbench"):
        catalog.remove("small")
    with pytest.raises(UnknownName):
        catalog.remove("nothing")
    with pytest.raises(UnknownName, match="Did you mean 'openai'"):
        catalog.add(a_row(provider="openia"))
    inline = a_catalog(tmp_path, "models: [{name: a, provider: openai, model: m}]\n")
    with pytest.raises(InvalidFile):
        inline.add(a_row())
    assert inline.names()[0] == "a"


def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(WorkbenchError, match="could not be written"):
        Catalog(Path("/proc/models.yaml")).add(a_row())


names = st.from_regex(r"[a-z][a-z0-9.:/-]{0,8}", fullmatch=True)


@given(st.lists(names, unique=True, min_size=1, max_size=6), st.data())
def test_rows_added_and_removed_in_any_order_leave_the_others(rows: list[str], choose: st.DataObject) -> None:
    text = "# head\nmodels: []\n# tail\n"
    for name in rows:
        text = with_row(text, a_row(name, description="a: 'b' # c\nd"))
    gone = choose.draw(st.sets(st.sampled_from(rows)))
    for name in gone:
        content, lines = parse(text)
        index = next(place for place, row in enumerate(content["models"]) if row["name"] == name)
        text = without_row(text, lines[("models", index)])
    kept = [row["name"] for row in parse(text)[0]["models"] or []]
    assert kept == [name for name in rows if name not in gone]
    assert "# head" in text and "# tail" in text


def test_both_providers_are_found_without_being_listed_anywhere() -> None:
    assert {"openai", "transformers"} <= set(provider_names())


PLUGIN = """
from workbench.models import ModelCheck, provider

@provider("{name}")
class Own:
    def __init__(self, spec):
        self.spec, self.concurrency, self.context, self.local = spec, 1, None, True

    @staticmethod
    def check(spec):
        return ModelCheck(True, "Ready.")
"""


@pytest.fixture
def discovered_anew() -> Iterator[None]:
    registry._discover.cache_clear()
    yield
    for name in ("planted", "broken-one"):
        registry._PROVIDERS.pop(name, None)
        registry._FAILED.pop(name, None)
    registry._discover.cache_clear()


@pytest.mark.usefixtures("discovered_anew")
def test_another_package_adds_a_provider_and_a_broken_one_harms_only_its_own_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "planted-1.0.dist-info").mkdir(parents=True)
    (site / "planted_models.py").write_text(PLUGIN.format(name="planted"))
    (site / "planted-1.0.dist-info" / "METADATA").write_text("Name: planted\nVersion: 1.0\n")
    (site / "planted-1.0.dist-info" / "entry_points.txt").write_text(
        "[workbench.providers]\nplanted = planted_models\nbroken-one = not_there_at_all\n"
    )
    monkeypatch.syspath_prepend(str(site))
    rows = ["{name: a, provider: planted, model: m}", "{name: b, provider: broken-one, model: m}"]
    catalog = a_catalog(tmp_path, "models:\n" + "".join(f"  - {row}\n" for row in rows))
    assert catalog.names() == ["a", "nano", "small"]
    assert catalog.check("a").ok and catalog.open("a").spec.model == "m"
    assert "not_there_at_all" in str(catalog.broken()[0])
