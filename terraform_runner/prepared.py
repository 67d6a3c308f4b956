"""Keeps what ``terraform init`` makes, so that a run of the same configuration needs none.

A prepared data directory holds links to the providers and a list of modules: some kilobytes. It is kept under a
digest of all that ``init`` reads, so one that fits is found by its name, and one that does not is never used.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from terraform_runner.private_files import make_private_directory
from terraform_runner.working_dir import WorkingDirectory

WAIT_SECONDS = 0.1


def digest_of(directory: WorkingDirectory, *, terraform_version: str) -> str:
    """SHA-256 (hex) over Terraform's version, its CLI configuration, the root module, modules and lock file.

    Not over the values of variables, which ``init`` does not read.
    """
    files = [path for path in directory.root.rglob("*") if path.is_file() and ".auto.tfvars" not in path.name]
    digest = hashlib.sha256(terraform_version.encode())
    for path in (directory.cli_config, *sorted(files)):
        name = str(path.relative_to(directory.path)).encode()
        digest.update(hashlib.sha256(name).digest() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def take(data_root: Path, digest: str, destination: Path) -> bool:
    """Copy the prepared data directory of this digest, links as links. False if there is none."""
    prepared = _folder(data_root) / digest
    try:
        os.utime(prepared)  # so it is not removed for being unused
        shutil.copytree(prepared, destination, symlinks=True)
    except (FileNotFoundError, shutil.Error):  # it is not there, or was removed in this moment
        shutil.rmtree(destination, ignore_errors=True)
        return False
    return True


def keep(data_root: Path, digest: str, source: Path, *, unused_seconds: float) -> None:
    """Keep a data directory that ``init`` has just made. It appears whole, or not at all.

    Those that were not used for so long are removed: a new one is made for each new module or provider.
    """
    folder = make_private_directory(_folder(data_root))
    _remove_unused(folder, unused_seconds)
    temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
    shutil.copytree(source, temporary, symlinks=True, dirs_exist_ok=True)
    try:
        temporary.rename(folder / digest)
    except OSError:  # another run of the same configuration was faster
        shutil.rmtree(temporary)


@contextmanager
def one_at_a_time(data_root: Path, *, while_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the machine's ``init``: Terraform's cache of providers is not safe for two at once.

    https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache. ``while_waiting`` is
    called again and again, and may raise.
    """
    with (make_private_directory(data_root) / "init.lock").open("a") as file:
        while not _try_to_lock(file.fileno()):
            while_waiting()
            time.sleep(WAIT_SECONDS)
        yield


def _remove_unused(folder: Path, unused_seconds: float) -> None:
    oldest = time.time() - unused_seconds
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another run removes it too
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path.rename(folder / f".old-{uuid4()}"), ignore_errors=True)


def _try_to_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder(data_root: Path) -> Path:
    return data_root / "prepared"
