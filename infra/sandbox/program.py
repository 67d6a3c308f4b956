"""The sandbox from start to end: the API in this process, the load balancer in one of its own."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from infra.sandbox.account import ACCESS_KEY_ID, ACCOUNT_ID, REGION, SECRET_ACCESS_KEY
from infra.sandbox.api import Api, make_api_server
from infra.sandbox.corrections import apply_corrections
from infra.sandbox.demo import LOAD_BALANCER, DemoResources, make_demo_resources
from infra.sandbox.errors import SandboxError
from infra.sandbox.info import FILE_NAME, SandboxInfo, write_info
from infra.sandbox.ports import bind_ports
from infra.sandbox.routes import read_routes
from infra.sandbox.routing import dump_routes
from infra.sandbox.store import Store

# Whose changes may change an answer.
_ROUTED_BY = {"ecr", "elasticloadbalancing", "lambda", ""}


class Sandbox:
    """A running sandbox: `info` says where, `failed()` whether its load balancer has ended."""

    def __init__(self, store: Store, balancer: "subprocess.Popen[bytes]", routes: IO[bytes]) -> None:
        self._store = store
        self._balancer = balancer
        self._routes = routes
        self._listener_arn = ""

    def after_change(self, service: str) -> None:
        """Keep what a call changed, and tell the load balancer."""
        self._store.save(service)
        if self._listener_arn and service in _ROUTED_BY:
            self._send_routes()

    def follow(self, listener_arn: str) -> None:
        """Let the load balancer follow this listener from now on."""
        self._listener_arn = listener_arn
        self._send_routes()

    def failed(self) -> bool:
        """Say whether the load balancer has ended."""
        return self._balancer.poll() is not None

    def _send_routes(self) -> None:
        self._routes.write(dump_routes(read_routes(self._listener_arn)).encode() + b"\n")
        self._routes.flush()


def run(data_directory: Path, asked_ports: Mapping[str, int]) -> int:
    """Run a sandbox until SIGTERM or SIGINT; return the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(data_directory, asked_ports) as (sandbox, info):
        print(_greeting(info), flush=True)
        while not stop.wait(0.2):
            if sandbox.failed():
                print("The load balancer has ended, so the sandbox ends.", file=sys.stderr)
                return 1
    return 0


@contextmanager
def running(data_directory: Path, asked_ports: Mapping[str, int]) -> Iterator[tuple[Sandbox, SandboxInfo]]:
    """Start everything, write `sandbox.json`, and end everything afterwards. Raises SandboxError."""
    with _claimed(data_directory):
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        apply_corrections()
        store = Store(data_directory / "aws")
        store.load()
        sockets = bind_ports(data_directory, asked_ports)
        with _balancer(sockets) as balancer:
            sandbox = Sandbox(store, balancer, cast("IO[bytes]", balancer.stdin))
            with _serving(Api(sandbox.after_change), sockets["api"]):
                resources = make_demo_resources(_url(sockets["api"]))
                sandbox.follow(resources.listener_arn)
                info = _info(sockets, resources)
                write_info(data_directory / FILE_NAME, info)
                yield sandbox, info


@contextmanager
def _claimed(directory: Path) -> Iterator[None]:
    """Hold the data directory for this process, which alone may say in it that a sandbox is running."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SandboxError(f"another sandbox runs in {directory}: end it, or take another one") from error
        info = directory / FILE_NAME
        info.unlink(missing_ok=True)
        try:
            yield
        finally:
            info.unlink(missing_ok=True)


@contextmanager
def _balancer(sockets: Mapping[str, socket.socket]) -> Iterator["subprocess.Popen[bytes]"]:
    descriptors = [sockets[name].fileno() for name in ("own", "everyone", "you")]
    command = [sys.executable, "-m", "infra.sandbox.load_balancer", *map(str, descriptors)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=descriptors) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def _serving(app: Api, listener: socket.socket) -> Iterator[None]:
    server = make_api_server(app, listener)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _info(sockets: Mapping[str, socket.socket], resources: DemoResources) -> SandboxInfo:
    return SandboxInfo(
        endpoint_url=_url(sockets["api"]),
        region=REGION,
        account_id=ACCOUNT_ID,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        load_balancer_name=LOAD_BALANCER,
        load_balancer_arn=resources.load_balancer_arn,
        listener_arn=resources.listener_arn,
        vpc_id=resources.vpc_id,
        repository_uri=resources.repository_uri,
        images=resources.images,
        url=_url(sockets["own"]),
        everyone_url=_url(sockets["everyone"]),
        you_url=_url(sockets["you"]),
        pid=os.getpid(),
    )


def _greeting(info: SandboxInfo) -> str:
    exports = "\n".join(f"  export {name}={value}" for name, value in info.environment().items())
    return f"""The sandbox is ready.

For Terraform and the AWS command line, paste:
{exports}

Load balancer {info.load_balancer_name}:
  {info.url}  your requests come from the address that connects
  {info.everyone_url}  they count as everyone's (changing addresses in 127.0.1.0/24)
  {info.you_url}  they count as yours (127.0.0.9)
  {info.url}/-/sandbox/  a page that shows who is answered by which version

Images: {", ".join(f"{info.repository_uri}:{tag}" for tag in info.images)}

Ctrl-C ends it; what it holds is kept."""
