"""Terraform commands in a directory of the test's own: nothing is written into the checkout."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INFRA = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A root module, and the environment of the commands that run in it."""

    path: Path
    environment: Mapping[str, str]

    def terraform(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command and return what it printed. Fails with that if it ends with another exit code."""
        return self.run("terraform", *arguments, exit_code=exit_code)

    def run(self, *command: str, exit_code: int = 0) -> str:
        """Run any command, as `terraform` does."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout


def copy_of_infra(destination: Path) -> Path:
    """Copy modules and examples as they stand to each other, without what Terraform has left there by hand."""
    ignored = shutil.ignore_patterns(".terraform*", "terraform.tfstate*", "__pycache__")
    for name in ("modules", "examples"):
        shutil.copytree(INFRA / name, destination / name, ignore=ignored)
    return destination
