"""Everything that ``make run`` starts, on a data directory and ports of its own that are gone afterwards."""

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.figures import Figure, read_figures
from infra.local import parts, terraform
from infra.local.parts import Machine
from infra.local.paths import ROOT, data_dir
from infra.local.secrets import load_secrets
from infra.local.supervisor import Part, Supervisor, supervising

# Servers of one's own may hold what must not be touched; the embedded ones are what is measured.
NOT_USED = ("DATABASE_URL", "REDIS_URL")


@contextmanager
def running_machine() -> Iterator[Callable[[str], Figure]]:
    """Gives what measures a figure by its name. However the context is left, all has ended then and is removed.

    Only the logs are kept, in the usual data directory.

    Raises StopAsked on Ctrl-C, LocalError when something can't be started, ends by itself, or can't be measured.
    """
    _choose_environment()
    with tempfile.TemporaryDirectory(prefix="bluegreen-bench-") as folder:
        machine = Machine(data_dir=Path(folder), port=_free_port(), secrets=load_secrets(Path(folder)))
        with supervising(ROOT, data_dir() / "log" / "bench") as supervisor:
            variables = _start(machine, supervisor)
            yield partial(_measure, machine, supervisor, variables)


def _choose_environment() -> None:
    for name in NOT_USED:
        os.environ.pop(name, None)
    # One that set-up has downloaded is in the usual data directory.
    os.environ["BLUEGREEN_TERRAFORM_BIN"] = str(terraform.find_binary(data_dir()) or "")


def _start(machine: Machine, supervisor: Supervisor) -> Mapping[str, str]:
    """Start all parts; gives the environment of Bluegreen's own."""
    servers, addresses = parts.servers(machine)
    supervisor.start(servers)
    variables = parts.environment(machine, addresses)
    for preparation in parts.preparations(machine, variables):
        supervisor.run_once(preparation)
    supervisor.start(parts.bluegreen(machine, variables))
    return {**variables, "BLUEGREEN_DEMO_PASSWORD": machine.secrets.demo_password}


def _measure(machine: Machine, supervisor: Supervisor, variables: Mapping[str, str], name: str) -> Figure:
    output = machine.data_dir / f"{name}.json"
    command = [sys.executable, "-m", "bench.measuring", name]
    options = ["--address", machine.address, "--output", str(output)]
    supervisor.run_once(Part(name=name, command=[*command, *options], environment=variables))
    return read_figures(output)[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
