"""The app starts on this machine only, with the project's theme wherever it is started from."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from workbench.app.launch import ALWAYS, flattened, free_port, serve, settings
from workbench.errors import InvalidFile, UsageError, WorkbenchError


def test_the_theme_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(tmp_path)
    assert found["theme.light.primaryColor"].startswith("#")
    assert found["theme.dark.sidebar.backgroundColor"].startswith("#")


def test_a_workspace_may_bring_its_own_look_but_never_a_wider_address(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(
        '[server]\naddress = "0.0.0.0"\n'
        "[browser]\ngatherUsageStats = true\n"
        '[theme]\nprimaryColor = "#123456"\n'
    )
    found = settings(tmp_path)
    assert found["theme.primaryColor"] == "#123456"
    assert found["server.address"] == "127.0.0.1"
    assert found["browser.gatherUsageStats"] is False


def test_a_broken_configuration_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[theme\n")
    with pytest.raises(InvalidFile, match=r"config\.toml"):
        settings(tmp_path)


def test_a_taken_port_is_said_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            free_port(port)


def test_a_folder_that_is_no_workspace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="not a workspace"):
        serve(tmp_path)


def test_settings_are_flattened_to_the_names_that_streamlit_knows() -> None:
    from streamlit import config

    assert dict(flattened({"a": {"b": {"c": 1}}, "d": 2})) == {"a.b.c": 1, "d": 2}
    known = set(config.get_config_options())
    assert {name for name in settings(Path("/nonexistent")) if name not in known} == set()
    assert set(ALWAYS) <= known
