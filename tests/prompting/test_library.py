"""The prompt library: strict reading, whole writing, history, and names that stay in their folder."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.core.prompt import Ensemble, Message, Prompt
from workbench.errors import CyclicEnsemble, InvalidFile, PromptError, StorageError, UnknownName
from workbench.prompting import PromptLibrary, lint, read_prompt
from workbench.prompting.history import FileVersion, Version

DIRECT = "name: direct\n# asked often\nmessages:\n  - {role: user, content: '{{ question }}'}\n"


def prompt(name: str, text: str = "{{ question }}") -> Prompt:
    return Prompt(name=name, messages=(Message(role="user", content=text),))


def ensemble(name: str, *members: str, **options: Any) -> Ensemble:
    parts = [{"prompt": member} for member in members]
    return Ensemble.model_validate({"name": name, "members": parts, **options})


class Notebook:
    """A history in memory."""

    def __init__(self) -> None:
        self.kept: list[Version] = []

    def record(self, name: str, version: str, text: str, author: str) -> None:
        newest = self.versions(name)
        if not newest or (newest[0].version, newest[0].text) != (version, text):
            self.kept.append(FileVersion(version, name, author, datetime.now(UTC), text))

    def versions(self, name: str) -> list[Version]:
        return [one for one in reversed(self.kept) if one.name == name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "direct.yaml").write_text(DIRECT)
    return tmp_path / "prompts"


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def library(folder: Path, notebook: Notebook) -> PromptLibrary:
    return PromptLibrary(folder, notebook)


def test_a_prompt_is_read_from_the_file_of_its_name(library: PromptLibrary) -> None:
    assert library.names() == ["direct"]
    assert library.get("direct") == prompt("direct")
    assert library.text("direct") == DIRECT
    assert library.broken() == []


def test_a_file_that_changes_is_read_anew(library: PromptLibrary, folder: Path) -> None:
    before = library.version("direct")
    (folder / "direct.yaml").write_text(DIRECT.replace("question", "sentence"))
    assert library.version("direct") != before
    (folder / "direct.yaml").unlink()
    assert library.names() == []


BROKEN = {
    "typo": ("name: typo\nmesages: []\n", r"prompts/typo.yaml, line 2, key `mesages`: .*'messages'"),
    "other": (DIRECT, r"a prompt named 'direct' belongs in direct.yaml; rename the file"),
    "list": ("- a\n- b\n", "expected `key: value` lines"),
    "empty": ("", "expected `key: value` lines"),
    "unclosed": ("name: [", "not valid YAML"),
    "tags": ("name: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
    "both": ("name: both\nmembers: []\nmessages: []\n", "unknown key"),
}


def test_a_broken_file_is_named_and_spoils_no_other(library: PromptLibrary, folder: Path) -> None:
    for name, (text, _) in BROKEN.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00n")
    (folder / "short.yml").write_text(DIRECT)
    (folder / "folder.yaml").mkdir()
    (folder / ".hidden.yaml").write_text("nonsense: [")
    (folder / "notes.txt").write_text("not a prompt")
    assert library.names() == ["direct"]
    assert len(library.broken()) == len(BROKEN) + 3
    for name, (_, sentence) in BROKEN.items():
        with pytest.raises(InvalidFile, match=sentence):
            library.get(name)
    with pytest.raises(InvalidFile, match="UTF-8"):
        library.get("bytes")
    assert library.text("typo") == BROKEN["typo"][0], "a broken text can be looked at and mended"


def test_an_unknown_prompt_offers_the_nearest(library: PromptLibrary) -> None:
    with pytest.raises(UnknownName, match=r"no prompt named 'dirct'\. Did you mean 'direct'"):
        library.get("dirct")


@pytest.mark.parametrize(
    "name", ["../direct", "/etc/passwd", "a/b", "..", "", "a\x00b", "C:\\x", "x" * 200, "né"]
)
def test_a_name_never_leaves_the_folder(library: PromptLibrary, name: str) -> None:
    for act in (library.get, library.text, library.delete, library.history, library.version):
        with pytest.raises(PromptError, match="not a usable name"):
            act(name)


def test_a_link_out_of_the_folder_is_not_followed(library: PromptLibrary, folder: Path) -> None:
    outside = folder.parent / "outside.yaml"
    outside.write_text(DIRECT)
    (folder / "link.yaml").symlink_to(outside)
    with pytest.raises(InvalidFile, match="leads out of the folder"):
        library.get("link")
    assert library.text("link") == ""


def test_an_ensembles_version_changes_with_its_members(library: PromptLibrary) -> None:
    library.save(prompt("steps"))
    library.save(ensemble("inner", "direct", "steps"))
    library.save(ensemble("outer", "inner"))
    before = library.version("outer")
    assert list(library.resolve("outer")) == ["direct", "steps", "inner", "outer"]
    library.save(prompt("steps", "Think. {{ question }}"))
    assert library.version("outer") != before
    library.save(prompt("steps"))
    assert library.version("outer") == before


def test_judges_and_merging_prompts_belong_to_the_closure(library: PromptLibrary) -> None:
    library.save(prompt("judge"))
    library.save(ensemble("best", "direct", combine="best_of", by="judge"))
    assert set(library.resolve("best")) == {"direct", "judge", "best"}


def test_a_circle_is_named_and_never_saved(library: PromptLibrary, folder: Path) -> None:
    library.save(ensemble("a", "direct"))
    library.save(ensemble("b", "a"))
    with pytest.raises(CyclicEnsemble, match="a → b → a"):
        library.save(ensemble("a", "b"))
    assert library.get("a") == ensemble("a", "direct")
    (folder / "a.yaml").write_text("name: a\nmembers: [{prompt: b}]\n")
    for name in ("a", "b"):
        with pytest.raises(CyclicEnsemble, match="contains itself"):
            library.version(name)
    assert "direct" in library.names()


def test_an_ensemble_of_a_missing_prompt_is_not_saved(library: PromptLibrary) -> None:
    with pytest.raises(UnknownName, match="'nowhere'"):
        library.save(ensemble("vote", "nowhere"))
    assert "vote" not in library.names()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=50,
)
@given(text=st.text(min_size=1))
def test_what_is_saved_reads_back_the_same(tmp_path: Path, text: str) -> None:
    library = PromptLibrary(tmp_path / "made" / "on-demand")
    one = prompt("any", text)
    try:
        version = library.save(one)
    except StorageError:
        assert any("\ud800" <= char <= "\udfff" for char in text)
    else:
        assert library.get("any") == one
        assert library.version("any") == version == one.version


def test_saving_keeps_comments_where_the_text_is_given(library: PromptLibrary) -> None:
    text = DIRECT.replace("question", "sentence")
    library.save(prompt("direct", "{{ sentence }}"), "Ada", text)
    assert library.text("direct") == text
    with pytest.raises(PromptError, match="reads as another prompt"):
        library.save(prompt("direct", "other"), "Ada", text)


def test_history_holds_every_version_with_author_and_time(library: PromptLibrary) -> None:
    library.save(prompt("direct", "second"), author="Ada")
    library.save(prompt("direct", "third"), author="Grace")
    history = library.history("direct")
    assert [one.author for one in history] == ["Grace", "Ada", ""]
    assert history[-1].text == DIRECT, "what was written by hand before is kept too"
    assert history[0].version == library.version("direct")
    assert all(one.created_at.tzinfo for one in history)


def test_an_earlier_version_comes_back_as_it_was_written(library: PromptLibrary) -> None:
    first = library.version("direct")
    library.save(prompt("direct", "second"))
    assert library.restore("direct", first[:10], "Ada") == prompt("direct")
    assert library.text("direct") == DIRECT
    assert [one.author for one in library.history("direct")] == ["Ada", "", ""]
    with pytest.raises(UnknownName, match="no version of prompt 'direct' named 'ffff'"):
        library.restore("direct", "ffff")


def test_edits_by_hand_are_kept_before_they_are_overwritten(library: PromptLibrary, folder: Path) -> None:
    library.save(prompt("direct", "second"))
    for edited in (DIRECT.replace("often", "daily"), "name: [broken by hand"):
        (folder / "direct.yaml").write_text(edited)
        library.save(prompt("direct", "third"))
        assert edited in [one.text for one in library.history("direct")]


def test_a_deleted_prompt_can_be_brought_back(library: PromptLibrary) -> None:
    assert library.delete("direct") == DIRECT
    assert library.names() == []
    version = library.history("direct")[0].version
    assert library.restore("direct", version) == prompt("direct")
    with pytest.raises(UnknownName):
        library.delete("nowhere")


def test_without_a_history_the_file_is_the_only_version(folder: Path) -> None:
    library = PromptLibrary(folder)
    library.save(prompt("direct", "second"))
    assert [one.version for one in library.history("direct")] == [library.version("direct")]


def test_a_prompt_gets_another_name_unless_an_ensemble_asks_it(library: PromptLibrary) -> None:
    library.rename("direct", "plain")
    assert library.names() == ["plain"]
    assert "# asked often" in library.text("plain")
    library.save(ensemble("vote", "plain"))
    with pytest.raises(PromptError, match="'plain' is asked by vote"):
        library.rename("plain", "direct")
    with pytest.raises(PromptError, match="a prompt 'vote' already"):
        library.rename("plain", "vote")


def refusing(number: int) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize(
    ("function", "number", "reason"),
    [
        ("fsync", errno.ENOSPC, "no space left"),
        ("open", errno.EDQUOT, "disk quota exceeded"),
        ("replace", errno.EACCES, "permission denied"),
    ],
)
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(
    library: PromptLibrary,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    number: int,
    reason: str,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, function, refusing(number))
        with pytest.raises(StorageError, match=f"direct.yaml could not be written: {reason}.*untouched"):
            library.save(prompt("direct", "second"))
    assert library.text("direct") == DIRECT
    assert [path.name for path in folder.iterdir()] == ["direct.yaml"]
    assert "second" in library.history("direct")[0].text, "the text that found no room is in the history"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_one_sentence(library: PromptLibrary, folder: Path) -> None:
    folder.chmod(0o555)
    try:
        with pytest.raises(StorageError, match="permission denied"):
            library.save(prompt("direct", "second"))
        with pytest.raises(StorageError, match="could not be deleted"):
            library.delete("direct")
    finally:
        folder.chmod(0o755)
    assert library.text("direct") == DIRECT


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    library = PromptLibrary(tmp_path / "nowhere")
    assert (library.names(), library.broken()) == ([], [])


def test_the_shipped_prompts_are_sound(repository: Path) -> None:
    library = PromptLibrary(repository / "prompts")
    assert library.broken() == []
    for name in library.names():
        assert library.version(name)
        notes = lint(library.get(name), library=library)
        assert notes == [], f"{name}: {notes}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("examples: {rows: [], select: simlar}", r"line 3.*examples.select.*Did you mean 'similar'"),
        ("reasoning: step_by_stp", r"line 3.*reasoning.*Did you mean 'step_by_step'"),
    ],
)
def test_an_unknown_technique_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidFile, match=said):
        read_prompt(f"name: a\nmessages: [{{role: user, content: x}}]\n{text}\n", "a.yaml")
    with pytest.raises(InvalidFile, match="Did you mean 'majority'"):
        read_prompt("name: a\nmembers: [{prompt: b}]\ncombine: majorty\n", "a.yaml")
