"""A workspace: the folder that a person works in, with the database and the libraries over it.

ROOT/prompts/*.yaml  ROOT/experiments/*.yaml  ROOT/experiments/models.yaml
ROOT/experiments/datasets/NAME/  ROOT/.workbench/ (database, locks, logs)
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from workbench.core.document import check_name, dump
from workbench.core.experiment import Experiment
from workbench.core.files import write_text
from workbench.core.record_files import RecordFolder
from workbench.datasets import DatasetStore
from workbench.errors import InvalidFile, StorageError, UnknownName, WorkbenchError
from workbench.models.catalog import Catalog
from workbench.prompting.library import PromptLibrary
from workbench.storage import Store, default_url

NOT_EXPERIMENTS = frozenset({"models.yaml", "models.yml"})


class Workspace:
    """Everything that belongs to one root folder. `open` it; parts are built when first used."""

    def __init__(self, root: Path, database_url: str | None = None) -> None:
        self.root = root
        self.state_dir = root / ".workbench"
        self.database_url = database_url or default_url(self.state_dir)

    @classmethod
    def open(cls, root: Path | str | None = None, database_url: str | None = None) -> Workspace:
        """Opens the workspace at `root` ($WORKBENCH_ROOT, else the working directory).

        The database is `database_url`, $WORKBENCH_DATABASE, or SQLite under ROOT/.workbench.
        Raises WorkbenchError when the folder is no workspace.
        """
        folder = Path(root or os.environ.get("WORKBENCH_ROOT") or Path.cwd()).expanduser().resolve()
        if not (folder / "prompts").is_dir() or not (folder / "experiments").is_dir():
            raise WorkbenchError(
                f"{folder} is not a workspace: it needs the folders prompts/ and experiments/. "
                "Change into one, or name it with --root."
            )
        return cls(folder, database_url or os.environ.get("WORKBENCH_DATABASE") or None)

    @cached_property
    def store(self) -> Store:
        """The database. Raises StorageError when it cannot be opened."""
        return Store(self.database_url)

    @cached_property
    def prompts(self) -> PromptLibrary:
        """The prompts under prompts/, with their history in the database."""
        return PromptLibrary(self.root / "prompts", history=self.store.prompt_versions)

    @cached_property
    def datasets(self) -> DatasetStore:
        """The datasets under experiments/datasets/."""
        return DatasetStore(self.root / "experiments" / "datasets")

    @cached_property
    def models(self) -> Catalog:
        """The embedded models, those of experiments/models.yaml, and those that were tuned here."""
        return Catalog(self.experiments_dir / "models.yaml", self.state_dir / "models")

    @property
    def experiments_dir(self) -> Path:
        """Where experiment YAML lives."""
        return self.root / "experiments"

    @property
    def locks_dir(self) -> Path:
        """Where lock files live; each dies with the process that holds it."""
        folder = self.state_dir / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder} cannot be made ({error.strerror}); make it writable.") from None
        return folder

    def experiment_names(self) -> list[str]:
        """Names of the experiments that can be read."""
        return sorted(self._experiments.all()[0])

    def broken_experiments(self) -> list[InvalidFile]:
        """What is wrong with the experiment files that cannot be read."""
        return self._experiments.all()[1]

    def experiment(self, name: str | Path) -> Experiment:
        """An experiment by name, or by the path of its YAML file. Raises InvalidFile, UnknownName."""
        return self._experiments.find(name)

    def save_experiment(self, experiment: Experiment) -> Path:
        """Writes experiments/NAME.yaml in one step. Raises StorageError."""
        path = self.experiments_dir / f"{check_name(experiment.name)}.yaml"
        if path.name in NOT_EXPERIMENTS:
            raise WorkbenchError("The name 'models' is taken by the list of models; choose another.")
        write_text(path, dump(experiment))
        return path

    def delete_experiment(self, name: str) -> str:
        """Removes experiments/NAME.yaml and returns its text, so that a page can undo it."""
        if name not in self._experiments.all()[0]:
            raise UnknownName("experiment", name, self.experiment_names())
        path = self.experiments_dir / f"{check_name(name)}.yaml"
        text = path.read_text(encoding="utf-8")
        path.unlink()
        return text

    def broken(self) -> list[InvalidFile]:
        """Every file of the workspace that cannot be read; the good ones beside them work."""
        return [
            *self.prompts.broken(),
            *self.broken_experiments(),
            *self.datasets.broken(),
            *self.models.broken(),
        ]

    def close(self) -> None:
        """Closes the database, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()

    @property
    def _experiments(self) -> RecordFolder[Experiment]:
        return RecordFolder(Experiment, "experiment", self.experiments_dir, self.root, NOT_EXPERIMENTS)
