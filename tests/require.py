"""What a test needs from the machine: absent parts skip it here and fail it in the full run.

browser = require(shutil.which("chromium"), "a Chromium on the PATH")
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")


def require(found: T | None, what: str) -> T:
    """`found` where it is there; else a skip, or a failure where WORKBENCH_TEST_ALL=1."""
    if found:
        return found
    if os.environ.get("WORKBENCH_TEST_ALL") == "1":
        pytest.fail(f"the full run needs {what}", pytrace=False)
    pytest.skip(f"needs {what}")
