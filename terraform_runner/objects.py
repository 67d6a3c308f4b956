"""Named bytes in a store: what a run keeps beyond itself. Here the local store; ``aws.artifacts`` has the one on S3."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from terraform_runner.private_files import make_private_directory, replace

# One name is one file or one key: nothing in it leads elsewhere.
_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9._-]{0,199}")


class Objects(Protocol):
    """A folder of a store. An object is there whole or not at all, and survives whoever has put it there."""

    def put(self, name: str, content: bytes) -> None:
        """Keep the bytes under this name, over what was there."""

    def get(self, name: str) -> bytes | None:
        """What is kept under this name; None if nothing is."""

    def remove(self, name: str) -> None:
        """Keep it no longer. Nothing happens if it isn't there."""

    def names(self) -> Iterator[str]:
        """The names of everything in this folder."""

    def place(self, name: str) -> str:
        """Where a person finds it: a path, or an address."""


class LocalObjects:
    """Files 0600 in a local folder 0700, each written in one step. A link is never followed (OSError)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Keep the bytes, on disk when this returns."""
        make_private_directory(self._folder)
        replace(self._path(name), content)

    def get(self, name: str) -> bytes | None:
        """What is kept under this name; None if nothing is."""
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def remove(self, name: str) -> None:
        """Keep it no longer."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """The names of all files, but for those that are being written (their names begin with a dot)."""
        if self._folder.is_dir():
            yield from (path.name for path in sorted(self._folder.iterdir()) if path.name[0] != ".")

    def place(self, name: str) -> str:
        """The file's path."""
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or set(name) == {"."}:
            raise ValueError(f"{name!r} is no object's name.")
        return self._folder / name
