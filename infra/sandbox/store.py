"""Keeps what moto holds in files: one per service, written after each call that changed it.

moto's models are pickled as they are, so that after a restart every identifier, version and time is what it
was; playing the calls again would have to fake the clock and every random number. A file is replaced in one
step, before the call is answered: what a caller was told survives a SIGKILL.
"""

import os
import pickle
import threading
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import IO, Any
from weakref import WeakValueDictionary

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.s3.utils import _VersionedKeyStore

from infra.sandbox.account import ACCOUNT_ID, REGION
from infra.sandbox.errors import SandboxError

# The name a request is signed for -> moto's name. Other services work, and forget.
SERVICES = {
    "ec2": "ec2",
    "ecr": "ecr",
    "elasticloadbalancing": "elbv2",
    "iam": "iam",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "s3": "s3",
    "sts": "sts",
}


class Store:
    """The files of one data directory."""

    def __init__(self, directory: Path) -> None:
        """Use `directory`, made if missing. Raises SandboxError if another version of moto has written it."""
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        written_by = directory / "moto-version"
        if written_by.exists() and written_by.read_text() != version("moto"):
            raise SandboxError(
                f"{directory} was written by moto {written_by.read_text()}, this is {version('moto')}: "
                "remove that directory to start with an empty sandbox"
            )
        written_by.write_text(version("moto"))

    def load(self) -> None:
        """Give every service back what it held."""
        for name in SERVICES.values():
            file = self._directory / name
            if file.exists():
                with file.open("rb") as source:
                    vars(_backend(name)).update(_Unpickler(source).load())

    def save(self, service: str) -> None:
        """Keep what a service holds now, by the name its calls are signed for; "" is every service."""
        names = SERVICES.values() if not service else filter(None, [SERVICES.get(service)])
        for name in names:
            self._save(name)

    def _save(self, name: str) -> None:
        draft = self._directory / f"{name}.new"
        with draft.open("wb") as target:
            _Pickler(target, name).dump(vars(_backend(name)))
        os.replace(draft, self._directory / name)


def _backend(name: str) -> BaseBackend:
    """Return a service's memory for our region, or for the partition where it has no regions."""
    regions: dict[str, BaseBackend] = get_backend(name)[ACCOUNT_ID]  # type: ignore[call-overload]
    return regions[REGION if REGION in regions else "aws"]


class _Pickler(pickle.Pickler):
    """Pickles one service's memory; another's, where it is referred to, by name only."""

    def __init__(self, target: IO[bytes], name: str) -> None:
        super().__init__(target, protocol=pickle.HIGHEST_PROTOCOL)
        self._names = {id(_backend(other)): other for other in SERVICES.values()}

    def persistent_id(self, obj: object) -> str | None:
        return self._names.get(id(obj)) if isinstance(obj, BaseBackend) else None

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401 - pickle's protocol
        """Say how to pickle the kinds of object in moto's models that pickle refuses, or loses something of."""
        if isinstance(obj, _LOCK):
            return threading.RLock, ()
        if isinstance(obj, WeakValueDictionary):
            return WeakValueDictionary, (dict(obj),)
        if isinstance(obj, FunctionType) and obj.__qualname__ == "LambdaStorage.__init__.<locals>.<lambda>":
            return _factory_of_dicts, ()
        if isinstance(obj, _VersionedKeyStore):
            return _key_store, ({key: obj.getlist(key) for key in obj},)
        return NotImplemented


_LOCK = type(threading.RLock())


def _factory_of_dicts() -> type[dict[str, Any]]:
    """Return what stands for `lambda: {}` as a default factory."""
    return dict


def _key_store(versions: dict[str, list[Any]]) -> _VersionedKeyStore:
    """Return a bucket's objects with all their versions: as a dict it shows the newest of each only."""
    store = _VersionedKeyStore()
    for key, versions_of_key in versions.items():
        store.setlist(key, versions_of_key)
    return store


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: str) -> BaseBackend:
        return _backend(pid)
