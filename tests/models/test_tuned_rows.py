"""Promises of models that were tuned here: beside the others in the catalog, strict, never quite lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import UnknownName, UsageError
from workbench.models import Catalog
from workbench.models.embedded import embedded_path

ROW = "name: {name}\nprovider: transformers\nmodel: nano\nadapter: adapter\n"


def a_tuned_model(state: Path, name: str, row: str = ROW) -> Path:
    folder = state / "models" / name
    (folder / "adapter").mkdir(parents=True)
    (folder / "row.yaml").write_text(row.format(name=name))
    return folder


def a_catalog(state: Path, rows: str = "models: []\n") -> Catalog:
    state.mkdir(exist_ok=True)
    (state / "models.yaml").write_text(rows)
    return Catalog(state / "models.yaml", state / "models")


def test_a_tuned_model_stands_between_the_rows_of_the_file_and_the_embedded_ones(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path, "models:\n  - {name: mine, provider: openai, model: m}\n")
    assert catalog.names() == ["mine", "nano", "small"]
    folder = a_tuned_model(tmp_path, "nano-transit")
    assert catalog.names() == ["mine", "nano-transit", "nano", "small"]
    spec = catalog.spec("nano-transit")
    assert spec.model == str(embedded_path("nano")) and spec.adapter == str(folder / "adapter")


def test_a_tuned_model_takes_quantizations_as_others_do(tmp_path: Path) -> None:
    a_tuned_model(tmp_path, "nano-transit")
    catalog = a_catalog(tmp_path)
    assert catalog.spec("nano-transit@int8").quantization == "int8"
    assert catalog.spec("nano-transit@q8_0").provider == "llama_cpp"


def test_whole_weights_lie_beside_the_row(tmp_path: Path) -> None:
    folder = a_tuned_model(tmp_path, "whole", "name: {name}\nprovider: transformers\nmodel: weights\n")
    (folder / "weights").mkdir()
    assert a_catalog(tmp_path).spec("whole").model == str(folder / "weights")


def test_a_row_of_the_file_goes_before_a_tuned_model_of_its_name(tmp_path: Path) -> None:
    a_tuned_model(tmp_path, "mine")
    catalog = a_catalog(tmp_path, "models:\n  - {name: mine, provider: openai, model: m}\n")
    assert catalog.names().count("mine") == 1 and catalog.spec("mine").provider == "openai"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("name: other\nprovider: transformers\nmodel: nano\n", "name: nano-transit"),
        ("name: nano-transit\nprovider: transformers\nmodel: nano\nadaptor: a\n", "adapter"),
        ("name: nano-transit\nprovider: nobody\nmodel: nano\n", "nobody"),
        ("- a list\n", "row.yaml"),
    ],
)
def test_a_broken_row_is_reported_and_the_others_work(tmp_path: Path, row: str, words: str) -> None:
    a_tuned_model(tmp_path, "nano-transit", row)
    a_tuned_model(tmp_path, "good")
    catalog = a_catalog(tmp_path)
    assert catalog.names() == ["good", "nano", "small"]
    (problem,) = catalog.broken()
    assert words in str(problem) and "row.yaml" in str(problem)


def test_a_model_that_is_just_being_saved_is_not_there_yet(tmp_path: Path) -> None:
    a_tuned_model(tmp_path, ".saving-nano-transit")
    assert a_catalog(tmp_path).names() == ["nano", "small"]


def test_a_deleted_model_is_unknown_and_one_reads_how_to_bring_it_back(tmp_path: Path) -> None:
    folder = a_tuned_model(tmp_path, "nano-transit")
    catalog = a_catalog(tmp_path)
    (tmp_path / "models" / ".deleted" / "nano-transit").mkdir(parents=True)
    folder.rename(tmp_path / "models" / ".deleted" / "nano-transit" / "20261121")
    for name in ("nano-transit", "nano-transit@int8"):
        with pytest.raises(UnknownName, match="workbench models undelete nano-transit"):
            catalog.spec(name)
    with pytest.raises(UnknownName, match="Did you mean 'nano'"):
        catalog.spec("nanno")


def test_a_tuned_model_is_no_row_that_could_be_taken_out_of_the_file(tmp_path: Path) -> None:
    a_tuned_model(tmp_path, "nano-transit")
    with pytest.raises(UsageError, match="was tuned here"):
        a_catalog(tmp_path).remove("nano-transit")


@pytest.mark.parametrize("name", ["../models", "a/../../b", "", ".."])
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownName):
        a_catalog(tmp_path).spec(name)
