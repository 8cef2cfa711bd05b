"""What a model is made of, as `workbench models show` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.commands.printing import print_fields, print_table

if TYPE_CHECKING:
    from workbench.engine.inspecting import Inspection


def print_anatomy(seen: Inspection) -> None:
    """Facts, then parameters by component; for what cannot be seen, nothing or the reason."""
    from workbench.engine.inspecting import adapter_facts, facts

    found = seen.anatomy
    if found is None:
        print_fields([("made of", seen.unseen)])
        return
    print()
    print_fields(facts(found))
    print()
    print_table(
        ("component", "part", "parameters", "share"),
        [
            (component.name, part.name, f"{part.parameters:,}", f"{part.parameters / found.parameters:.1%}")
            for component in found.components.parts
            for part in component.parts
        ],
    )
    if seen.adapter is not None:
        print()
        print_fields(adapter_facts(seen.adapter, found))
    elif seen.unseen_adapter:
        print_fields([("adapter", seen.unseen_adapter)])
