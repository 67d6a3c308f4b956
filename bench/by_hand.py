"""The plain way: the same module for a service of its own, by Terraform commands as people type them."""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from bench.errors import CannotMeasure
from bench.pairs import timed
from terraform_runner import cli, private_files, working_dir
from terraform_runner.executor import Workspace
from terraform_runner.private_files import make_private_directory
from terraform_runner.working_dir import WorkingDirectory

VARIABLES = "service.auto.tfvars.json"
STATE = "terraform.tfstate"
PLAN = "weight.tfplan"
# What people keep between two fresh directories: the state, and the lock file in their repository.
KEPT = (STATE, working_dir.LOCK_FILE)


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """Terraform in directories below ``folder``. Providers come from where Bluegreen's own runs have them."""

    folder: Path
    workspace: Workspace
    binary: str
    mirror: Path | None

    def set_up(self) -> None:
        """Make the service, unless an earlier figure has."""
        if (self._initialised.root / STATE).exists():
            return
        providers = make_private_directory(self.folder / "providers")
        self._cli_config.write_bytes(cli.cli_configuration(mirror=self.mirror, cache_folder=providers))
        self._render(self._initialised, green_weight=0)
        self._run(self._initialised, "init")
        self._run(self._initialised, "apply", "-auto-approve")

    def apply_weight(self, green_weight: int) -> float:
        """The seconds of ``apply -auto-approve`` of a weight, in the initialised directory."""
        self._write_variables(self._initialised, green_weight=green_weight)
        return timed(partial(self._run, self._initialised, "apply", "-auto-approve"))

    def change(self, **variables: Any) -> None:
        """Apply these variables at once, in the initialised directory."""
        self._write_variables(self._initialised, **variables)
        self._run(self._initialised, "apply", "-auto-approve")

    def outputs(self) -> dict[str, Any]:
        """What the service's outputs are, by name."""
        printed = json.loads(self._run(self._initialised, "output", "-json"))
        return {name: output["value"] for name, output in printed.items()}

    def with_module(self, module: Path) -> Self:
        """The same with another module in the place of Bluegreen's."""
        (name,) = self.workspace.modules
        return replace(self, workspace=replace(self.workspace, modules={name: module}))

    def apply_saved_plan(self, green_weight: int) -> float:
        """The seconds of ``apply`` of a plan of a weight that was made before, in the initialised directory."""
        self._write_variables(self._initialised, green_weight=green_weight)
        self._run(self._initialised, "plan", f"-out={PLAN}")
        return timed(partial(self._run, self._initialised, "apply", PLAN))

    def change_in_fresh_directory(self, green_weight: int) -> float:
        """The seconds of ``init``, ``plan -out``, ``show -json`` and ``apply`` of that plan."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            fresh = WorkingDirectory(path=Path(name))
            self._render(fresh, green_weight=green_weight)
            for kept in KEPT:
                shutil.copy(self._initialised.root / kept, fresh.root)
            seconds = timed(partial(self._init_plan_show_apply, fresh))
            shutil.copy(fresh.root / STATE, self._initialised.root)
        return seconds

    @property
    def _initialised(self) -> WorkingDirectory:
        return WorkingDirectory(path=self.folder / "initialised")

    @property
    def _cli_config(self) -> Path:
        return self.folder / "terraform.tfrc"

    def _render(self, directory: WorkingDirectory, *, green_weight: int) -> None:
        """The root module and the module, file by file what Bluegreen's runs get."""
        make_private_directory(directory.root)
        space = self.workspace
        variables = {**space.variables, "green_weight": green_weight}
        working_dir.render(directory, root=space.root, variables=variables, modules=space.modules)

    def _write_variables(self, directory: WorkingDirectory, **variables: Any) -> None:
        content = json.dumps({**self.workspace.variables, **variables}).encode()
        private_files.replace(directory.root / VARIABLES, content)

    def _init_plan_show_apply(self, directory: WorkingDirectory) -> None:
        self._run(directory, "init")
        self._run(directory, "plan", f"-out={PLAN}")
        self._run(directory, "show", "-json", PLAN)
        self._run(directory, "apply", PLAN)

    def _run(self, directory: WorkingDirectory, *arguments: str) -> str:
        """Run a command; gives what it printed. Raises CannotMeasure with the end of what it printed, if it fails."""
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=directory.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CannotMeasure(f"terraform {' '.join(arguments)} failed by hand:\n{done.stdout[-2000:]}")
        return done.stdout

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.workspace.environment,
            "TF_CLI_CONFIG_FILE": str(self._cli_config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
