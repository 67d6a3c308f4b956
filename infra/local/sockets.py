"""Folders for Unix sockets: private, and with paths that fit into a socket's address."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from infra.local.errors import LocalError

# sockaddr_un's sun_path has 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_PATH = 103


def socket_folder(preferred: Path, socket_name: str) -> Path:
    """Makes and returns a 0700 folder in which a socket called ``socket_name`` can be bound.

    It is ``preferred`` unless the socket's path would be too long there; then a folder of the system's
    temporary one, with a name that is the same for the same ``preferred``. Raises LocalError when that
    temporary folder belongs to somebody else.
    """
    if len(os.fsencode(preferred / socket_name)) <= LONGEST_PATH:
        preferred.mkdir(mode=0o700, parents=True, exist_ok=True)
        return preferred
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    fallback = Path(tempfile.gettempdir()) / f"bluegreen-{os.geteuid()}-{digest}"
    fallback.mkdir(mode=0o700, exist_ok=True)
    _refuse_strangers(fallback)
    return fallback


def _refuse_strangers(folder: Path) -> None:
    """The temporary folder is everybody's: who made ``folder`` first could read or replace our sockets."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise LocalError(
            f"{folder} is needed for sockets, since the data directory's path is too long, but it isn't "
            "a private folder of this user. Remove it, or set BLUEGREEN_DATA_DIR to a shorter path."
        )
