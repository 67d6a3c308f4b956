"""Folders and files that are for this user only, and that are whole or not there."""

import os
import tempfile
from pathlib import Path
from typing import IO

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def make_private_directory(path: Path) -> Path:
    """Make a folder 0700 unless it exists; folders above it that are missing likewise."""
    if not path.is_dir():
        make_private_directory(path.parent)
        path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    return path


def write_new(path: Path, content: bytes) -> None:
    """Write a file 0600 that must not be there yet, not even as a link."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def open_to_append(path: Path) -> IO[bytes]:
    """Open a file 0600 to add to it; a link is not followed (OSError)."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, FILE_MODE), "ab")


def replace(path: Path, content: bytes) -> None:
    """Write a file 0600 in one step, over what was there. After a crash it is the old or the new one, on disk."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
