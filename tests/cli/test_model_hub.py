"""`workbench models download`: where the files went, what they take, and one sentence when it fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.cli.conftest import start
from tests.fake_hub import fake_hub

FILES = {"config.json": b"{}", "model.safetensors": os.urandom(200_000), "pytorch_model.bin": b"x" * 9999}


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    settings = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(folder / "hub")} | environment
    process = start(folder, "models", "download", *arguments, **settings)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_a_download_says_where_the_files_are_and_what_they_take(tmp_path: Path) -> None:
    with fake_hub({"someone/tiny": FILES}) as hub:
        code, out, err = run(tmp_path, "someone/tiny", "--json", HF_ENDPOINT=hub.url)
        assert code == 0, err
        found = json.loads(out)
        assert found["disk_bytes"] == 200_002 and not found["here_before"]
        assert Path(found["folder"]).is_relative_to(tmp_path / "hub")
        assert "0.2 MB of 0.2 MB" in err
        code, out, err = run(tmp_path, "someone/tiny", HF_ENDPOINT=hub.url)
        assert code == 0 and "0.2 MB" in out and "here already" in err


def test_a_failed_download_is_one_sentence_and_keeps_the_token(tmp_path: Path) -> None:
    with fake_hub({"someone/tiny": FILES}, gated=("someone/tiny",)) as hub:
        code, out, err = run(tmp_path, "someone/tiny", HF_ENDPOINT=hub.url, HF_TOKEN="hf_" + "q" * 20)
    assert code == 1 and out == ""
    assert "gated" in err and "HF_TOKEN" in err and "qqqq" not in err and "Traceback" not in err


def test_a_row_that_is_no_model_of_the_hub_is_wrong_usage(workspace_root: Path) -> None:
    code, _, err = run(workspace_root, "small")
    assert code == 2 and "no model of the hub" in err
