"""A folder of a store whose objects nobody reads without the key ring."""

from collections.abc import Iterator

from terraform_runner.encryption import KeyRing
from terraform_runner.objects import Objects


class EncryptedObjects:
    """Objects that are encrypted before they reach the store, each bound to its folder and name.

    So an object that was moved to another name there is refused like a changed one.
    """

    def __init__(self, objects: Objects, ring: KeyRing, *, folder: str) -> None:
        """``folder`` is a name of what is kept here, the same on each machine."""
        self._objects = objects
        self._ring = ring
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Keep the bytes, encrypted with the first key."""
        self._objects.put(name, self._ring.encrypt(content, context=self._context(name)))

    def get(self, name: str) -> bytes | None:
        """The clear bytes; None if there are none. Raises EncryptedDamaged or EncryptionKeyUnknown."""
        encrypted = self._objects.get(name)
        return None if encrypted is None else self._ring.decrypt(encrypted, context=self._context(name))

    def remove(self, name: str) -> None:
        """Keep it no longer."""
        self._objects.remove(name)

    def names(self) -> Iterator[str]:
        """The names of everything in this folder."""
        return self._objects.names()

    def place(self, name: str) -> str:
        """Where a person finds it, encrypted."""
        return self._objects.place(name)

    def renew(self, name: str) -> bool:
        """Encrypt it with the first key; False if that was so already. Raises as ``get`` does."""
        encrypted = self._objects.get(name)
        if encrypted is None or self._ring.is_current(encrypted):
            return False
        self._objects.put(name, self._ring.renew(encrypted, context=self._context(name)))
        return True

    def _context(self, name: str) -> bytes:
        return f"{self._folder}/{name}".encode()
