"""What is installed is what is needed: dependencies declared, versions pinned, data files shipped."""

from __future__ import annotations

import fnmatch
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.imports import read_imports

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements} - {"workbench"}


DECLARED = names(PROJECT["project"]["dependencies"])
OPTIONAL = names([text for texts in EXTRAS.values() for text in texts])
PINS = dict(
    line.split("==", 1)
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)


def imported_distributions(folder: str) -> dict[str, str]:
    """Every distribution that the code under `folder` imports, with one place that does."""
    known = packages_distributions()
    return {
        canonicalize_name(known[top][0]): f"{module}:{step.line}"
        for module, steps in read_imports(ROOT / folder).items()
        for step in steps
        if (top := step.target.split(".")[0]) not in sys.stdlib_module_names and top in known
    }


def test_what_the_package_imports_is_declared():
    used = imported_distributions("workbench")
    undeclared = {
        name: place for name, place in used.items() if name not in DECLARED | OPTIONAL | {"workbench"}
    }
    assert not undeclared


def test_what_tests_and_benchmarks_import_is_declared():
    for folder in ("tests", "bench"):
        used = imported_distributions(folder)
        undeclared = used.keys() - DECLARED - OPTIONAL - {"packaging", "workbench"}
        assert not undeclared, folder


def test_every_version_is_pinned_exactly():
    pinned = {canonicalize_name(name) for name in PINS}
    assert pinned >= DECLARED | OPTIONAL
    assert all(re.fullmatch(r"\d[\w.]*", version) for version in PINS.values())
    assert PINS["torch"] == "2.13.0"


def test_every_pin_satisfies_its_range():
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    groups = [PROJECT["project"]["dependencies"], *EXTRAS.values()]
    for requirement in (Requirement(text) for texts in groups for text in texts):
        if requirement.name != "workbench":
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_every_data_file_of_the_package_is_shipped():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["workbench"]
    forgotten = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "workbench").rglob("*")
        if file.is_file()
        and file.suffix not in (".py", ".pyc")
        and not any(fnmatch.fnmatch(file.name, pattern.rpartition("/")[2]) for pattern in patterns)
    ]
    assert not forgotten


def test_the_version_is_said_once():
    from workbench import __version__

    assert "version" in PROJECT["project"]["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
