"""Terraform's commands, as they are called here: argument lists, environment, exit codes."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from terraform_runner import process
from terraform_runner.domain.diagnosis import recognise
from terraform_runner.domain.output import Output
from terraform_runner.domain.redaction import Redactor
from terraform_runner.domain.tools import Tools, providers_of
from terraform_runner.errors import HoldLost, RunCancelled, RunTimedOut, TerraformMissing, TerraformTooOld
from terraform_runner.points import Point
from terraform_runner.process import Command, Control, Ended, Limits
from terraform_runner.working_dir import WorkingDirectory

OLDEST_VERSION = (1, 10)
VERSION_SECONDS = 60.0
PATH = "/usr/bin:/bin"
POINTS = {"init": Point.IN_INIT, "plan": Point.IN_PLAN, "apply": Point.IN_APPLY}

# How a machine reaches the outside, which Terraform needs to know. Nothing else of the worker's environment goes on.
PASSED_ON = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A Terraform that can be used."""

    binary: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Terraform:
    """Terraform in one working directory. Each method raises what ``domain.diagnosis`` recognises.

    Also RunCancelled, if the run was asked to stop, and RunTimedOut.
    """

    installation: Installation
    directory: WorkingDirectory
    environment: Mapping[str, str]
    limits: Limits
    lock_timeout_seconds: int
    control: Control
    redactor: Redactor

    def init(self) -> None:
        """Install modules and providers into the data directory."""
        self._run("init", "-input=false", "-no-color")

    def plan(self) -> None:
        """Make the plan file."""
        self._run("plan", *self._arguments("plan"))

    def show(self) -> dict[str, Any]:
        """The plan file as JSON, with sensitive values in the clear."""
        return self._read("show", "-json", str(self.directory.plan_file))

    def apply(self) -> None:
        """Execute the plan file."""
        self._run("apply", *self._arguments("apply"))

    def tools(self, verb: str) -> Tools:
        """By what a plan is made or applied (``verb``) in this directory, which is initialised."""
        lock_file = self.directory.lock_file
        return Tools(
            command=" ".join(["terraform", verb, *self._arguments(verb)]),
            terraform=self.installation.version,
            providers=providers_of(lock_file.read_text()) if lock_file.exists() else {},
        )

    def push_state(self, file: Path) -> None:
        """Put a state in the stored one's place; Terraform refuses it too where it is another or an older one."""
        self._run("state", "push", self._lock_timeout, str(file))

    def forget(self, addresses: Sequence[str]) -> None:
        """Leave these resources out of the state; they stay where they are."""
        self._run("state", "rm", self._lock_timeout, *addresses)

    def output(self) -> dict[str, Any]:
        """The outputs by name, each with ``value`` and ``sensitive``."""
        return self._read("output", "-json")

    def raise_if_stopped(self) -> None:
        """Raise RunCancelled if the run was asked to stop."""
        reason = self.control.should_stop()
        if reason is not None:
            raise RunCancelled(reason)

    def _arguments(self, verb: str) -> tuple[str, ...]:
        file = str(self.directory.plan_file)
        last = f"-out={file}" if verb == "plan" else file
        return "-input=false", "-no-color", self._lock_timeout, last

    @property
    def _lock_timeout(self) -> str:
        return f"-lock-timeout={self.lock_timeout_seconds}s"

    def _read(self, verb: str, *arguments: str) -> dict[str, Any]:
        document = self.directory.document(verb)
        self._run(verb, *arguments, document=document)
        try:
            content: dict[str, Any] = json.loads(document.read_bytes())
        finally:
            document.unlink()
        return content

    def _run(self, verb: str, *arguments: str, document: Path | None = None) -> None:
        self.raise_if_stopped()
        command = Command(
            argv=(self.installation.binary, verb, *arguments),
            directory=self.directory.root,
            environment=self.environment,
            document=document,
            point=POINTS.get(verb),
        )
        output = Output(self.redactor)
        ended = process.run(command, limits=self.limits, control=self.control, output=output)
        if ended.exit_code != 0 or ended.unfed:
            _raise(verb, ended, output)


def find_terraform(binary: str | None) -> Installation:
    """The named Terraform, or the one on PATH. Raises TerraformMissing or TerraformTooOld."""
    path = shutil.which(binary or "terraform")
    if path is None:
        raise TerraformMissing(f"There is no {binary or 'terraform'} to run on this machine. {process.TO_DO}")
    return _check(os.path.abspath(path))


def environment(directory: WorkingDirectory, given: Mapping[str, str]) -> dict[str, str]:
    """All that Terraform sees: an allow-list, and what the workspace gives.

    The worker's own environment has passwords, and could have TF_CLI_ARGS, TF_VAR_name, TF_LOG or other AWS keys.
    """
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "PATH": PATH,
        "HOME": str(directory.path),
        "TMPDIR": str(directory.temporary),
        "TF_DATA_DIR": str(directory.data),
        "TF_CLI_CONFIG_FILE": str(directory.cli_config),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        **given,
    }


def cli_configuration(*, mirror: Path | None, cache_folder: Path) -> bytes:
    """The CLI configuration: providers from the mirror and nowhere else, or through a cache from the registry."""
    if mirror is None:
        return f"plugin_cache_dir = {json.dumps(str(cache_folder))}\n".encode()
    source = f"filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}"
    return f"provider_installation {{\n  {source}\n}}\n".encode()


@cache
def _check(binary: str) -> Installation:
    environment = {"PATH": PATH, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    argv = (binary, "version", "-json")
    answer = process.read(argv, environment=environment, directory=Path("/"), seconds=VERSION_SECONDS)
    version = str(json.loads(answer)["terraform_version"])
    major, minor = version.split(".")[:2]
    if (int(major), int(minor)) < OLDEST_VERSION:
        raise TerraformTooOld(f"{binary} is version {version}. {process.TO_DO}")
    return Installation(binary=binary, version=version)


def _raise(verb: str, ended: Ended, output: Output) -> None:
    if ended.cancelled is not None:
        raise RunCancelled(ended.cancelled, exit_code=ended.exit_code)
    if ended.timed_out:
        last = "\n".join(output.recent[-5:])
        raise RunTimedOut(
            f"terraform {verb} took too long and was ended. Look at what it was waiting for, then plan again. "
            f"Its last lines:\n{last}",
            exit_code=ended.exit_code,
        )
    if ended.unfed:
        raise HoldLost("Terraform was ended: this worker could not say any more that it holds the run.")
    raise recognise(verb, ended.exit_code, output.recent)
