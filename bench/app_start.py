"""How long the app takes from its start until its first page is interactive, in a real browser.

Wants Chromium; Debian's is used when it is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from workbench.app.launch import free_port

REPOSITORY = Path(__file__).resolve().parents[1]
TARGET_S = 3.0
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def main() -> None:
    """Prints the table."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for part in ("prompts", "experiments"):
            shutil.copytree(REPOSITORY / part, Path(folder) / part)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        started = time.perf_counter()
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "workbench.cli",
                "app",
                "--no-browser",
                "--port",
                str(port),
                "--root",
                folder,
            ],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            answers_s = time.perf_counter() - started
            page.goto(f"http://127.0.0.1:{port}")
            page.wait_for_selector(IDLE)
            page.get_by_role("button").first.wait_for()
            interactive_s = time.perf_counter() - started
        finally:
            server.terminate()
            server.wait(20)
            browser.close()
    print("| from the command on | s | target |")
    print("| --- | ---: | ---: |")
    print(f"| the server answers | {answers_s:.2f} | |")
    print(f"| the first page is interactive | {interactive_s:.2f} | |")
    print(f"| from the answer to interactive | {interactive_s - answers_s:.2f} | {TARGET_S:.1f} |")


def wait_for(url: str, limit_s: float = 60.0) -> None:
    """Until the address answers."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {limit_s:.0f} s")


if __name__ == "__main__":
    main()
