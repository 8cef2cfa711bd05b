"""What any page says of a model that was tuned here: the way to its verdict, and deleting it with an undo."""

from __future__ import annotations

from workbench.app.pages import link
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.app.widgets.undo import offer_undo
from workbench.engine import Workspace
from workbench.tuning import delete_tuned_model, undelete_tuned_model
from workbench.tuning.tuned_models import saved_by


def tuning_link(ws: Workspace, name: str) -> None:
    """A link to what was measured of the model, as long as its tuning is there."""
    tuning = saved_by(ws, name.split("@")[0])
    record = ws.store.tunings.get(tuning) if tuning is not None else None
    if record is not None and record.deleted_at is None:
        link("tune", "What tuning it gained, and where it came from", ":material/school:", tuning=record.id)


def delete_with_undo(ws: Workspace, name: str) -> None:
    """Deletes a tuned model and says which experiments name it. Raises UnknownName, StorageError."""
    used = delete_tuned_model(ws, name)
    if used:
        named = ", ".join(used)
        say_next(
            escaped(f"Deleted {name}. These experiments still name it and cannot run without it: {named}.")
        )
    offer_undo(f"model {name}", lambda: undelete_tuned_model(ws, name))
