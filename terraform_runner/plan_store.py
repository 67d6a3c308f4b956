"""Keeps plans and their JSON under the SHA-256 of their bytes.

Plan files hold sensitive values in the clear, so files are 0600 in a folder 0700.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from terraform_runner.errors import PlanMissing, PlanTampered
from terraform_runner.private_files import make_private_directory, replace, write_new


class PlanStore:
    """A local folder of files that are named by what they contain."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Keep the bytes, on disk when this returns, and give their SHA-256 (hex)."""
        digest = hashlib.sha256(content).hexdigest()
        replace(make_private_directory(self._folder) / digest, content)
        return digest

    def copy_to(self, digest: str, destination: Path) -> None:
        """Copy what is kept to a new private file. The bytes that are checked are those that are written.

        Raises PlanMissing, or PlanTampered if the bytes have another digest; then nothing is written.
        """
        write_new(destination, self._read(digest))

    def read_json(self, digest: str) -> Any:  # noqa: ANN401 - whatever JSON was kept
        """What was kept as JSON. Raises PlanMissing or PlanTampered."""
        return json.loads(self._read(digest))

    def _read(self, digest: str) -> bytes:
        try:
            descriptor = os.open(self._folder / digest, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise PlanMissing("The plan is not in the store any more. Make a new plan.") from error
        except OSError as error:
            raise PlanTampered(
                f"The plan in the store cannot be opened: {error.strerror}. {_TO_DO}"
            ) from error
        with os.fdopen(descriptor, "rb") as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise PlanTampered(f"The plan in the store is not the one that was made and approved. {_TO_DO}")
        return content


_TO_DO = "Find out who changed it; then make a new plan."
