"""The imports of the package, read from its source without running it.

graph = read_imports(Path("workbench"))
graph["workbench.cli"]  →  [Import(target="workbench.errors", line=9, place="module"), …]
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Place = Literal["module", "function", "typing"]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module; `place` tells whether it happens on import, on use or for types only."""

    target: str
    line: int
    place: Place


def module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_imports(root: Path) -> dict[str, list[Import]]:
    """Every module under `root` with what it imports; names of ours are resolved to modules."""
    files = {module_name(file, root): file for file in sorted(root.rglob("*.py"))}
    return {
        name: list(_imports(ast.parse(file.read_text("utf-8"), str(file)).body, "module", files))
        for name, file in files.items()
    }


def _imports(body: Iterable[ast.AST], place: Place, known: Iterable[str]) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, place) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in known else node.module, node.lineno, place)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(node.body, "typing", known)
            yield from _imports(node.orelse, place, known)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _imports(ast.iter_child_nodes(node), "function", known)
        else:
            yield from _imports(ast.iter_child_nodes(node), place, known)


def find_cycle(graph: dict[str, list[Import]]) -> list[str] | None:
    """One import cycle among our modules as a path, or None. Imports for types only do not count."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return None
        for step in graph[name]:
            # a registry that looks for the siblings in its own, already loaded package is no circle
            own_package = step.place == "function" and name.startswith(f"{step.target}.")
            if step.place != "typing" and not own_package and step.target in graph and step.target != name:
                found = visit(step.target, [*path, name])
                if found:
                    return found
        done.add(name)
        return None

    return next((cycle for name in graph if (cycle := visit(name, []))), None)


def loaded_with(graph: dict[str, list[Import]], name: str) -> set[str]:
    """Every module of ours that importing `name` loads at once (packages above it included)."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in graph:
            continue
        seen.add(current)
        parent = current.rpartition(".")[0]
        waiting.extend([parent] if parent else [])
        waiting.extend(step.target for step in graph[current] if step.place == "module")
    return seen
