"""The sandbox from start to end: the API in this process, the load balancer in one of its own."""

import fcntl
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from infra.sandbox.account import ACCESS_KEY_ID, ACCOUNT_ID, REGION, SECRET_ACCESS_KEY
from infra.sandbox.api import Api, make_api_server
from infra.sandbox.balancer_process import BalancerProcess, running_balancer
from infra.sandbox.corrections import apply_corrections
from infra.sandbox.demo import LOAD_BALANCER, DemoResources, make_demo_resources
from infra.sandbox.errors import SandboxError
from infra.sandbox.info import FILE_NAME, SandboxInfo, write_info
from infra.sandbox.mailbox import Mailbox
from infra.sandbox.metrics import publishing
from infra.sandbox.ports import bind_ports
from infra.sandbox.provisioned_concurrency import add_provisioned_concurrency
from infra.sandbox.routes import read_routes
from infra.sandbox.store import Store

# Whose changes may change an answer.
_ROUTED_BY = {"ecr", "elasticloadbalancing", "lambda", ""}


def run(data_directory: Path, asked_ports: Mapping[str, int]) -> int:
    """Run a sandbox until SIGTERM or SIGINT; return the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(data_directory, asked_ports) as (info, balancer):
        print(greeting(info), flush=True)
        while not stop.wait(0.2):
            if balancer.has_ended():
                print("The load balancer has ended, so the sandbox ends.", file=sys.stderr)
                return 1
    return 0


@contextmanager
def running(
    data_directory: Path, asked_ports: Mapping[str, int]
) -> Iterator[tuple[SandboxInfo, BalancerProcess]]:
    """Start everything, write `sandbox.json`, and end everything afterwards. Raises SandboxError."""
    with _claimed(data_directory):
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        apply_corrections()
        add_provisioned_concurrency()
        store = Store(data_directory / "aws")
        store.load()
        sockets = bind_ports(data_directory, asked_ports)
        with running_balancer([sockets[name] for name in ("own", "everyone", "you", "ipv6")]) as balancer:
            balancer.follow(read_routes())
            api = Api(partial(_after_change, store, balancer), Mailbox(data_directory))
            with _serving(api, sockets["api"]):
                info = _info(sockets, make_demo_resources(_url(sockets["api"])))
                with publishing(info):
                    write_info(data_directory / FILE_NAME, info)
                    yield info, balancer


def _after_change(store: Store, balancer: BalancerProcess, service: str) -> None:
    """Keep what a call has changed, and make the load balancer follow it."""
    store.save(service)
    if service in _ROUTED_BY:
        balancer.follow(read_routes())


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
        ipv6_url=_url(sockets["ipv6"]),
        pid=os.getpid(),
    )


def greeting(info: SandboxInfo) -> str:
    """Return what a person reads at the start: addresses, and lines to paste into a shell for Terraform."""
    exports = "\n".join(f"  export {name}={value}" for name, value in info.environment().items())
    return f"""The sandbox is ready.

For Terraform and the AWS command line, paste:
{exports}

Load balancer {info.load_balancer_name}:
  {info.url}  your requests come from the address that connects
  {info.everyone_url}  they count as everyone's (changing addresses in 127.0.1.0/24)
  {info.you_url}  they count as yours (127.0.0.9)
  {info.ipv6_url}  they count as yours by IPv6 (2001:db8::9)
  {info.url}/-/sandbox/  a page that shows who is answered by which version

Images: {", ".join(f"{info.repository_uri}:{tag}" for tag in info.images)}

Ctrl-C ends it; what it holds is kept."""
