"""The private, disposable folder in which one run works.

``<data root>/working/<run id>/`` (0700) has ``root/`` (what Terraform reads, and its current directory), ``data/``
(TF_DATA_DIR), the CLI configuration and, for a while, the plan. TMPDIR is beside other programs' temporary folders.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from terraform_runner.errors import ModuleInvalid
from terraform_runner.private_files import make_private_directory, write_new
from terraform_runner.state import CREDENTIALS_FILE

LOCK_FILE = ".terraform.lock.hcl"
# Terraform writes it to its current directory when it could not write the state after it had changed something.
ERRORED_STATE = "errored.tfstate"


@dataclass(frozen=True, kw_only=True)
class WorkingDirectory:
    """The places in one run's folder."""

    path: Path

    @property
    def root(self) -> Path:
        """The root module, and Terraform's current directory."""
        return self.path / "root"

    @property
    def data(self) -> Path:
        """TF_DATA_DIR, which ``init`` makes."""
        return self.path / "data"

    @property
    def temporary(self) -> Path:
        """TMPDIR, private like the rest.

        Not below ``path``: providers put their sockets there, and a socket's whole path has 104 bytes at most on some
        systems, so that the folder's must be short wherever the data is.
        """
        return Path(tempfile.gettempdir(), f"bg-{self.path.name[-12:]}")

    @property
    def cli_config(self) -> Path:
        """TF_CLI_CONFIG_FILE."""
        return self.path / "terraform.tfrc"

    @property
    def state_credentials(self) -> Path:
        """What the state's backend reads, where it needs credentials of its own."""
        return self.path / CREDENTIALS_FILE

    @property
    def plan_file(self) -> Path:
        """The plan that is made here or applied from here."""
        return self.path / "plan.tfplan"

    @property
    def unsaved_state(self) -> Path:
        """A state that an earlier run could not write, for Terraform to push."""
        return self.path / "unsaved.tfstate"

    @property
    def lock_file(self) -> Path:
        """The dependency lock file."""
        return self.root / LOCK_FILE

    def document(self, name: str) -> Path:
        """Where a command's standard output goes that is read as a whole."""
        return self.path / f"{name}.json"


def make(data_root: Path, run_id: UUID) -> WorkingDirectory:
    """Make a run's folder. What an earlier try of the same run left is removed."""
    discard(data_root, run_id)
    directory = WorkingDirectory(path=_path(data_root, run_id))
    make_private_directory(directory.root)
    directory.temporary.mkdir(mode=0o700)  # fails if somebody else has made it
    return directory


def unsaved_state(data_root: Path, run_id: UUID) -> Path | None:
    """The file with the state that a run's Terraform could not write, if there is one: it is nowhere else."""
    errored = WorkingDirectory(path=_path(data_root, run_id)).root / ERRORED_STATE
    return errored if errored.is_file() else None


def list_left(data_root: Path) -> list[UUID]:
    """The runs that have a folder here: those that go on, and those whose worker was killed."""
    return [UUID(path.name) for path in (data_root / "working").glob("*-*-*-*-*")]


def discard(data_root: Path, run_id: UUID) -> None:
    """Remove a run's folder."""
    path = _path(data_root, run_id)
    shutil.rmtree(WorkingDirectory(path=path).temporary, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def render(
    directory: WorkingDirectory,
    *,
    root: Mapping[str, Any],
    variables: Mapping[str, Any],
    modules: Mapping[str, Path],
) -> None:
    """Write the root module and its variables as JSON, and copy the modules to ``modules/<name>`` beside them.

    Raises ModuleInvalid if a module has a link that leaves it.
    """
    write_new(directory.root / "main.tf.json", _json(root))
    write_new(directory.root / "service.auto.tfvars.json", _json(variables))
    for name, source in modules.items():
        _copy_module(source.resolve(), directory.root / "modules" / name)


def _path(data_root: Path, run_id: UUID) -> Path:
    return data_root / "working" / str(run_id)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode()


def _copy_module(source: Path, destination: Path) -> None:
    if not source.is_dir():
        raise ModuleInvalid(f"There is no module at {source}. Correct the service's module.")
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if _is_left_out(relative):
            continue
        _refuse_link_out(path, source)
        if path.is_file():
            make_private_directory((destination / relative).parent)
            write_new(destination / relative, path.read_bytes())


def _refuse_link_out(path: Path, module: Path) -> None:
    """Links to files of the same module are followed; others, also to folders, would be a surprise."""
    if path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(module)):
        raise ModuleInvalid(
            f"{path.relative_to(module)} in the module {module.name} is a link that leaves it. Remove it."
        )


def _is_left_out(relative: Path) -> bool:
    """What people's own runs leave beside a module, and its tests."""
    hidden = any(part.startswith(".") for part in relative.parts)
    return hidden or relative.parts[0] == "tests" or ".tfstate" in relative.name
