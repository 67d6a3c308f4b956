"""All that a run has printed, masked: written to a file while it goes on, and handed to the store when it has ended."""

import gzip
import logging
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from terraform_runner.domain.log_bounds import whole_bounds
from terraform_runner.errors import StorageFailed
from terraform_runner.private_files import make_private_directory, open_to_append

logger = logging.getLogger(__name__)

READ_BYTES = 1_000_000


class WholeLog:
    """One run's log. ``keep`` takes it, compressed, and may raise OSError or StorageFailed.

    Nothing here ends a run: what could not be written or kept is said by ``close``.
    """

    def __init__(self, path: Path, *, keep: Callable[[bytes], None]) -> None:
        self._path = path
        self._keep = keep
        self._bounds = whole_bounds()
        self._file: IO[bytes] | None = None
        self._problem = ""

    def write(self, lines: Iterable[str]) -> None:
        """Write what is within the bounds."""
        self._write(self._bounds.take(lines))

    def close(self) -> str:
        """Hand all to the store, also what a killed process has left. Gives what went wrong, in words, or nothing."""
        self._write(self._bounds.end())
        if self._file is not None:
            self._file.close()
        try:
            if self._path.exists():
                self._keep(gzip.compress(self._path.read_bytes()))
                self._path.unlink()
        except (OSError, StorageFailed) as error:
            logger.exception("the log %s could not be kept", self._path)
            self._problem = self._problem or f"{error} It is still in {self._path}."
        return f"(The whole log could not be kept: {self._problem})" if self._problem else ""

    def _write(self, lines: list[str]) -> None:
        if not lines or self._problem:
            return
        try:
            if self._file is None:
                make_private_directory(self._path.parent)
                self._file = open_to_append(self._path)
            self._file.write("".join(f"{line}\n" for line in lines).encode())
            self._file.flush()
        except OSError as error:
            logger.exception("the log %s is not written any more", self._path)
            self._problem = f"{error.strerror}."


def read_compressed(kept: bytes) -> Iterator[bytes]:
    """A kept log in pieces, so that all of it is never in memory."""
    with gzip.open(BytesIO(kept)) as text:
        while piece := text.read(READ_BYTES):
            yield piece
