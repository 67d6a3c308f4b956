"""Several workers on two hosts, with PostgreSQL, Redis and S3 between them: never two runs of one service."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.tests.waiting import is_gone, pid_in, wait_for
from infra.sandbox.info import SandboxInfo
from terraform_runner.tests.support import TERRAFORM, stand_in
from tests.hosts import Host
from tests.installation import (
    SCHEDULER,
    URGENT_WORKER,
    WORKER,
    Installation,
    connected_hosts,
    overlaps,
    running_installation,
)

pytestmark = [pytest.mark.servers, pytest.mark.fault]

Started = subprocess.Popen[bytes]

# Half of the lease is what a busy machine may take for a heartbeat.
LEASE_SECONDS, GRACE_SECONDS = 10, 2
# Notes where it runs, and takes its time; on the host whose name is in the file "hang" it never ends by itself.
SLOW = """
import os, signal, socket, sys, time
folder, host = os.path.dirname(sys.argv[0]), socket.gethostname()
if sys.argv[1] == "plan":
    signal.signal(signal.SIGINT, lambda *_: open(f"{folder}/interrupted-{host}", "w"))
    hangs = os.path.exists(f"{folder}/hang-{host}")
    open(f"{folder}/pid-{host}", "w").write(f"{os.getpid()}\\n")
    time.sleep(0.5)
    while hangs and not os.path.exists(f"{folder}/interrupted-{host}"): time.sleep(0.05)
"""


@pytest.fixture
def program(tmp_path) -> Path:
    """The folder of a program in Terraform's place."""
    folder = tmp_path / "bin"
    folder.mkdir()
    stand_in(folder, SLOW + TERRAFORM)
    return folder


@pytest.fixture
def installation(tmp_path: Path, sandbox: SandboxInfo, program: Path) -> Iterator[Installation]:
    settings = {
        "BLUEGREEN_TERRAFORM_BIN": str(program / "terraform"),
        "BLUEGREEN_LEASE_SECONDS": str(LEASE_SECONDS),
        "BLUEGREEN_TERRAFORM_GRACE_SECONDS": str(GRACE_SECONDS),
        "BLUEGREEN_WORKER_GRACE_SECONDS": "1",
        "BLUEGREEN_WORKERS": "1",
    }
    with running_installation(tmp_path / "installation", sandbox, settings) as made:
        yield made


def ended(installation: Installation, *names: str) -> Callable[[], bool]:
    """Whether each of these services has a run, and none that goes on."""

    def have_all_ended() -> bool:
        runs = [run for run in installation.act("runs") if run["service"] in names]
        return {run["service"] for run in runs} == set(names) and not [
            run for run in runs if run["status"] in ("queued", "running")
        ]

    return have_all_ended


def runs_of(installation: Installation, name: str) -> list[tuple[str, str]]:
    """The host and the status of a service's runs, in their order."""
    return [(run["host"], run["status"]) for run in installation.act("runs") if run["service"] == name]


def test_another_host_goes_on_for_one_that_is_cut_off_or_told_to_stop_and_both_share_the_work(
    installation: Installation, program: Path
):
    with connected_hosts(installation, "host-a", "host-b") as ((a, to_a), (b, to_b)):
        workers = cut_off(installation, program, a, b, to_a, to_b)
        share(installation, a)
        hand_over(installation, program, *workers)
        installation.start(b, to_b, *WORKER)
        wait_for(ended(installation, "last"), "the other host to go on")
        assert runs_of(installation, "last") == [("host-a", "cancelled"), ("host-b", "succeeded")]
        installation.stop()
    assert overlaps(installation.act("runs")) == []


def cut_off(
    installation: Installation, program: Path, a: Host, b: Host, to_a: dict[int, int], to_b: dict[int, int]
) -> tuple[Started, Started]:
    """The first host is cut off in the middle of a run: Terraform ends there, and only then goes on elsewhere."""
    (program / "hang-host-a").touch()
    of_a = installation.start(a, to_a, *WORKER)
    installation.start(b, to_b, *URGENT_WORKER)
    installation.start(b, to_b, *SCHEDULER)
    installation.set_up("shop")
    terraform = pid_in(program / "pid-host-a")
    of_b = installation.start(b, to_b, *WORKER)

    a.pull_the_cable()
    began = time.monotonic()
    wait_for(lambda: is_gone(terraform), "Terraform to end on the host that was cut off")
    assert time.monotonic() - began < LEASE_SECONDS / 2 + GRACE_SECONDS + 5
    assert (program / "interrupted-host-a").exists()
    assert not (program / "pid-host-b").exists()

    wait_for(ended(installation, "shop"), "the other host to take over")
    assert time.monotonic() - began >= LEASE_SECONDS
    assert runs_of(installation, "shop") == [("host-a", "lost"), ("host-b", "succeeded")]
    (program / "hang-host-a").unlink()
    a.plug_it_in_again()
    return of_a, of_b


def hand_over(installation: Installation, program: Path, of_a: Started, of_b: Started) -> None:
    """A worker that is told to stop ends its run gently, and itself, so that another one can go on with it."""
    of_b.terminate()
    of_b.wait(60)
    (program / "hang-host-a").touch()
    for name in ("pid-host-a", "interrupted-host-a"):
        (program / name).unlink()
    installation.set_up("last")
    terraform = pid_in(program / "pid-host-a")
    of_a.terminate()
    of_a.wait(60)
    assert is_gone(terraform)
    assert (program / "interrupted-host-a").exists()


def share(installation: Installation, a: Host) -> None:
    """The first host, connected again, has noticed; and from now on both take what there is."""
    wait_for(lambda: "is not held by this worker any more" in installation.log(a), "the first host to notice")
    for number in range(1, 4):
        names = [f"shop-{number}-{letter}" for letter in "abcd"]
        installation.set_up(*names)
        wait_for(ended(installation, *names), "all runs to end")
    found = [run for run in installation.act("runs") if run["service"] != "shop"]
    assert [run["status"] for run in found] == ["succeeded"] * 12
    assert {run["host"] for run in found} == {"host-a", "host-b"}
