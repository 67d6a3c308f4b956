"""``make run``: everything on one machine, from the start to Ctrl-C."""

import os
import socket
import sys
from pathlib import Path

from infra.local import parts
from infra.local.errors import LocalError
from infra.local.lock import only_one
from infra.local.manage import environment_told
from infra.local.parts import Machine
from infra.local.paths import ROOT, data_dir
from infra.local.secrets import load_secrets
from infra.local.supervisor import StopAsked, Supervisor, supervising

PEOPLE = "requester, manager, operator, auditor, admin"


def run() -> int:
    """Starts everything and keeps it running. Returns 0 after Ctrl-C or SIGTERM; else 1, and says why."""
    try:
        _run(data_dir(), _wanted_port())
    except StopAsked:
        print("Stopped.", flush=True)
        return 0
    except (LocalError, OSError) as error:
        print(f"\nBluegreen can't run: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _run(folder: Path, port: int) -> None:
    _make_private(folder)
    with only_one(folder, f"process {os.getpid()}, http://127.0.0.1:{port}") as lock:
        _refuse_taken(port)
        machine = Machine(data_dir=folder, port=port, secrets=load_secrets(folder))
        with supervising(ROOT, folder / "log", keep_open=[lock]) as supervisor:
            variables = start_all(machine, supervisor)
            with environment_told(folder, variables):
                supervisor.say(_greeting(machine))
                supervisor.watch()


def start_all(machine: Machine, supervisor: Supervisor) -> dict[str, str]:
    """Starts every part, and returns when the pages answer; gives the environment that Bluegreen's own parts have."""
    servers, addresses = parts.servers(machine)
    supervisor.start(servers)
    variables = parts.environment(machine, addresses)
    for preparation in parts.preparations(machine, variables):
        supervisor.run_once(preparation)
    supervisor.start(parts.bluegreen(machine, variables))
    return variables


def _greeting(machine: Machine) -> str:
    sandbox = machine.sandbox()
    return "\n".join(
        [
            "Bluegreen is running. Ctrl-C ends it; the next `make run` continues with what is there.",
            "",
            f"    Bluegreen    {machine.address}",
            f"    sign in as   {PEOPLE}",
            f"    password     {machine.secrets.demo_password}   (the same for all of them)",
            f"    the service  {sandbox.url}/-/sandbox/   (who is answered by which version)",
            f"    messages     {sandbox.endpoint_url}/-/sandbox/messages   (who was told what)",
            "",
        ]
    )


def _wanted_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise LocalError(f"PORT is {text!r}, which isn't a port: use a number from 1 to 65535.")
    return int(text)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalError(
                f"Port {port} can't be used: {error.strerror}. Use another one: `make run PORT=8001`."
            ) from error


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise LocalError(
            f"The data directory {folder} can't be used: {error.strerror}. Set BLUEGREEN_DATA_DIR to another one."
        ) from error
