"""Keeps plans and their JSON under the SHA-256 of their bytes.

Plan files hold sensitive values in the clear, so the objects that are given here are encrypted ones.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from terraform_runner.errors import EncryptedDamaged, PlanMissing, PlanTampered
from terraform_runner.objects import Objects
from terraform_runner.private_files import write_new


class PlanStore:
    """Objects that are named by what they contain."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, content: bytes) -> str:
        """Keep the bytes, safely stored when this returns, and give their SHA-256 (hex)."""
        digest = hashlib.sha256(content).hexdigest()
        self._objects.put(digest, content)
        return digest

    def copy_to(self, digest: str, destination: Path) -> None:
        """Copy what is kept to a new private file. The bytes that are checked are those that are written.

        Raises PlanMissing, or PlanTampered if the bytes have another digest; then nothing is written.
        """
        write_new(destination, self._read(digest))

    def read_json(self, digest: str) -> Any:  # noqa: ANN401 - whatever JSON was kept
        """What was kept as JSON. Raises PlanMissing or PlanTampered."""
        return json.loads(self._read(digest))

    def remove(self, digest: str) -> None:
        """Keep it no longer."""
        self._objects.remove(digest)

    def _read(self, digest: str) -> bytes:
        try:
            content = self._objects.get(digest)
        except OSError as error:
            raise PlanTampered(
                f"The plan in the store cannot be opened: {error.strerror}. {_TO_DO}"
            ) from error
        except EncryptedDamaged as error:
            raise PlanTampered(f"{_NOT_THE_PLAN} {_TO_DO}") from error
        if content is None:
            raise PlanMissing("The plan is not in the store any more. Make a new plan.")
        if hashlib.sha256(content).hexdigest() != digest:
            raise PlanTampered(f"{_NOT_THE_PLAN} {_TO_DO}")
        return content


_NOT_THE_PLAN = "The plan in the store is not the one that was made and approved."
_TO_DO = "Find out who changed it; then make a new plan."
