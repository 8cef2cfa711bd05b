"""`__all__` is what a package exports: no more, no less, and every name of it is really there."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "workbench"
PACKAGES = sorted(
    ".".join(("workbench", *init.parent.relative_to(ROOT).parts))
    for init in ROOT.rglob("__init__.py")
    if "__all__" in init.read_text("utf-8")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there(package: str):
    module = importlib.import_module(package)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing
    assert len(set(module.__all__)) == len(module.__all__)


def test_every_exported_name_is_offered_by_completion():
    import workbench

    assert set(workbench.__all__) <= set(dir(workbench))


def test_everything_public_in_the_package_is_exported():
    import workbench

    ours = {
        name
        for name, value in vars(workbench).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("workbench.")
    }
    assert ours <= set(workbench.__all__)


def test_every_error_is_exported():
    import workbench
    from workbench import errors

    tree = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.WorkbenchError)
    }
    assert tree <= set(workbench.__all__)


@pytest.mark.parametrize("module", ["workbench", "workbench.cli"])
def test_importing_it_loads_nothing_heavy(module: str):
    heavy = "torch transformers streamlit pandas sklearn openai langchain_core evaluate sacrebleu sqlalchemy"
    code = f"import sys, {module}; print(*(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_name_that_is_not_exported_is_an_attribute_error():
    import workbench

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = workbench.no_such_name
