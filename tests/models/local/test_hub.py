"""Promises of downloads: only what is used, continued where they broke off, and every failure told apart."""

from __future__ import annotations

import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tests.fake_hub import COMMIT, Hub, fake_hub
from tests.models.tiny import tiny_model
from tests.ports import free_port
from workbench.errors import ModelUnavailable
from workbench.models.local import downloading
from workbench.models.local.downloading import start_download
from workbench.models.local.hub import DownloadProgress, download, downloaded, is_hub_name
from workbench.models.local.weights import find_weights, local_folder

WEIGHTS = os.urandom(2**20)
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickled" * 1000,
    "README.md": b"words",
    "original/consolidated.safetensors": b"again" * 1000,
    "tokenizer.json": b"{}",
}


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes the hub's client ask this address, with an empty cache."""
    from huggingface_hub import constants

    def go(hub: Hub | str, offline: bool = False) -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
        monkeypatch.setattr(constants, "ENDPOINT", hub if isinstance(hub, str) else hub.url)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            constants.ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**16)

    return go


def test_only_what_is_used_is_fetched_and_then_no_server_is_asked(at) -> None:
    with fake_hub({"someone/tiny": FILES}) as hub:
        at(hub)
        assert downloaded("someone/tiny") is None
        folder = download("someone/tiny")
        assert {file.name for file in folder.iterdir()} == {
            "config.json",
            "model.safetensors",
            "tokenizer.json",
        }
        assert (folder / "model.safetensors").read_bytes() == WEIGHTS
        count = len(hub.asked)
        assert downloaded("someone/tiny") == folder == local_folder("someone/tiny", "tiny")
        assert len(hub.asked) == count


def test_progress_ends_at_all_bytes_and_never_goes_back(at) -> None:
    told: list[DownloadProgress] = []
    with fake_hub({"someone/tiny": FILES}) as hub:
        at(hub)
        download("someone/tiny", on_progress=told.append)
    used = sum(len(FILES[name]) for name in ("config.json", "model.safetensors", "tokenizer.json"))
    done = [each.done_bytes for each in told]
    assert done == sorted(done) and done[-1] == used == told[-1].total_bytes


def test_a_broken_off_download_is_continued_and_not_begun_again(at) -> None:
    with fake_hub({"someone/tiny": FILES}, cut={"model.safetensors"}) as hub:
        at(hub)
        with pytest.raises(ModelUnavailable, match=r"status 503|cannot be reached"):
            download("someone/tiny")
        assert downloaded("someone/tiny") is None
        hub.status = 200
        folder = download("someone/tiny")
        assert (folder / "model.safetensors").read_bytes() == WEIGHTS
        ranges = [
            headers.get("range", "") for _, path, headers in hub.asked if path.endswith("model.safetensors")
        ]
        assert any(each.startswith("bytes=") and each != "bytes=0-" for each in ranges)


def test_a_revision_is_pinned_by_its_name_or_commit(at) -> None:
    with fake_hub({"someone/tiny": FILES}, revisions=("main", "v2")) as hub:
        at(hub)
        assert (
            download("someone/tiny@v2") == download(f"someone/tiny@{COMMIT}") == downloaded("someone/tiny@v2")
        )
        assert downloaded("someone/tiny") is None
        with pytest.raises(ModelUnavailable, match="no revision 'v3'"):
            download("someone/tiny@v3")


def test_what_is_wrong_is_told_apart(at, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_thesecretitself")
    pickled = {name: content for name, content in FILES.items() if "safetensors" not in name}
    with fake_hub({"someone/gated": FILES, "someone/pickled": pickled}, gated=("someone/gated",)) as hub:
        at(hub)
        for model, words in {
            "someone/absent": r"no model 'someone/absent', or it is private; .* HF_TOKEN",
            "someone/gated": "is gated: accept its terms .* HF_TOKEN",
            "someone/pickled": "no safetensors weights on the hub",
            "no-owner": "write OWNER/NAME",
            "someone/../../etc": "write OWNER/NAME",
        }.items():
            with pytest.raises(ModelUnavailable, match=words) as caught:
                download(model, "mine")
            assert "thesecret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_server_that_is_down_or_absent_is_one_sentence(at) -> None:
    with fake_hub({}, status=500) as hub:
        at(hub)
        with pytest.raises(ModelUnavailable, match=r"status 500 .* try again later"):
            download("someone/tiny")
    at(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ModelUnavailable, match=r"Model 'mine': the hub cannot be reached at http://127"):
        find_weights("someone/tiny", "mine")


def test_offline_mode_is_named(at) -> None:
    at("http://127.0.0.1:9", offline=True)
    with pytest.raises(ModelUnavailable, match="HF_HUB_OFFLINE forbids"):
        download("someone/tiny")


def test_a_model_larger_than_the_disk_is_refused_before_it_begins(
    at, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 3 * 10**9))
    with fake_hub({"someone/tiny": FILES}, claimed_bytes={"model.safetensors": 7 * 10**9}) as hub:
        at(hub)
        with pytest.raises(ModelUnavailable, match=r"takes 7\.0 GB and 3\.0 GB are free .* HF_HOME"):
            download("someone/tiny")
        assert not any(path.endswith("model.safetensors") for _, path, _ in hub.asked)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_meanwhile_is_named(at, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> None:
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")

    monkeypatch.setattr(sys.modules["huggingface_hub._snapshot_download"], "hf_hub_download", full)
    with fake_hub({"someone/tiny": FILES}) as hub:
        at(hub)
        with pytest.raises(ModelUnavailable, match="the disk is full"):
            download("someone/tiny")


def test_a_download_in_the_background_is_polled_and_shared(at, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "_running", {})
    with fake_hub({"someone/tiny": FILES}, pause_s=0.01) as hub:
        at(hub)
        first = start_download("someone/tiny")
        assert start_download("someone/tiny") is first
        assert first.wait(60) == "done"
        assert first.folder is not None and first.progress.done_bytes == first.progress.total_bytes
        failed = start_download("someone/absent")
        assert failed.wait(60) == "failed" and "no model" in str(failed.problem)


def test_a_cancelled_download_ends_soon_and_keeps_what_came(at, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "_running", {})
    large = FILES | {"model.safetensors": os.urandom(8 * 2**20)}
    with fake_hub({"someone/tiny": large}, pause_s=0.2) as hub:
        at(hub)
        running = start_download("someone/tiny")
        while running.state == "running" and running.progress.done_bytes < 2**16:
            pass
        running.cancel()
        assert running.wait(60) == "cancelled" and downloaded("someone/tiny") is None
        hub.pause_s = 0.0
        assert start_download("someone/tiny").wait(60) == "done"


def test_a_model_from_the_hub_answers(at, tmp_path: Path) -> None:
    import asyncio

    from workbench.core.model import ModelSpec, Request
    from workbench.core.prompt import Sampling
    from workbench.models.transformers_local import TransformersModel

    made = tiny_model(tmp_path / "made")
    files = {file.name: file.read_bytes() for file in made.iterdir()}
    with fake_hub({"someone/tiny": files}) as hub:
        at(hub)
        model = TransformersModel(ModelSpec(name="t", provider="transformers", model="someone/tiny"))
        sampling = Sampling(temperature=0.0, max_tokens=4, seed=1)

        async def ask() -> int:
            try:
                done = await model.complete(Request(({"role": "user", "content": "hi"},), sampling))
                return done.completion_tokens
            finally:
                await model.close()

        assert asyncio.run(ask()) == 4


@pytest.mark.parametrize(
    ("name", "good"),
    [("a/b", True), ("a/b@v1.0", True), ("a", False), ("a/b/c", False), ("../b", False), ("a/b@../c", False)],
)
def test_hub_names_are_told_from_paths(name: str, good: bool) -> None:
    assert is_hub_name(name) is good
