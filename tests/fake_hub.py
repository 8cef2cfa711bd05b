"""A small Hugging Face hub for tests: real HTTP on loopback, the few routes that a download needs.

    with fake_hub({"someone/tiny": {"config.json": b"{}", "model.safetensors": b"…"}}) as hub:
        ...          # hub.url is its address, hub.asked holds every request's method, path and headers

Repositories in `gated` show what they hold and give nothing; `cut` names files whose connection breaks
half way, once.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40


@dataclass
class Hub:
    """What the server holds, and what it was asked."""

    repositories: Mapping[str, Mapping[str, bytes]]
    gated: tuple[str, ...] = ()
    cut: set[str] = field(default_factory=set)
    revisions: tuple[str, ...] = ("main",)
    claimed_bytes: dict[str, int] = field(default_factory=dict)
    """Sizes that the listing states instead of the true ones."""
    status: int = 200
    """What every request is answered with, where it is an error's."""
    pause_s: float = 0.0
    """Between two pieces of a file."""
    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    stopping: threading.Event

    def do_GET(self) -> None:
        self._route(body=True)

    def do_HEAD(self) -> None:
        self._route(body=False)

    def log_message(self, *args: object) -> None: ...

    def _route(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.asked.append(
            (self.command, path, {key.lower(): value for key, value in self.headers.items()})
        )
        if self.hub.status != 200:
            self._error(self.hub.status, "")
            return
        parts = path.removeprefix("api/models/").split("/")
        repository, rest = "/".join(parts[:2]), parts[2:]
        files = self.hub.repositories.get(repository)
        if files is None:
            self._error(401, "RepoNotFound")
        elif rest and rest[0] in ("revision", "tree", "resolve") and not self._known(rest[1]):
            self._error(404, "RevisionNotFound")
        elif path.startswith("api/") and rest[:1] == ["tree"]:
            entries = [
                {"type": "file", "path": file, "size": len(content), "oid": _etag(content)}
                for file, content in files.items()
            ]
            self._json(entries)
        elif path.startswith("api/"):
            sizes = {file: self.hub.claimed_bytes.get(file, len(files[file])) for file in files}
            siblings = [{"rfilename": file, "size": size} for file, size in sizes.items()]
            self._json({"id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings})
        elif repository in self.hub.gated:
            self._error(403, "GatedRepo")
        else:
            self._file("/".join(rest[2:]), files, body)

    def _known(self, revision: str) -> bool:
        return revision == COMMIT or revision in self.hub.revisions

    def _file(self, file: str, files: Mapping[str, bytes], body: bool) -> None:
        content = files.get(file)
        if content is None:
            self._error(404, "EntryNotFound")
            return
        start = 0
        if asked := self.headers.get("Range"):
            start = int(asked.removeprefix("bytes=").split("-")[0])
        rest = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.send_header("ETag", f'"{_etag(content)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not body:
            return
        if file in self.hub.cut:
            self.hub.cut.discard(file)
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.hub.status = 503  # and the next attempts find it down
            return
        for at in range(0, len(rest), 65536):
            self.wfile.write(rest[at : at + 65536])
            if self.stopping.wait(self.hub.pause_s):
                return

    def _json(self, content: object) -> None:
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _error(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", "no")
        self.send_header("Content-Length", "0")
        self.end_headers()


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:40]


@contextmanager
def fake_hub(repositories: Mapping[str, Mapping[str, bytes]], **options: object) -> Iterator[Hub]:
    """Serves these files, in a thread of its own, for as long as the block lasts."""
    hub = Hub(repositories, **options)  # type: ignore[arg-type]
    stopping = threading.Event()
    handler = type("Handler", (_Handler,), {"hub": hub, "stopping": stopping})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
