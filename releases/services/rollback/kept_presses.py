"""Presses of the button that the database could not take in time: a file each, synced, until it has them.

Nothing here is locked, so that no process that stands still can be in the button's way. Whatever process of this
machine is there records them (:mod:`releases.services.rollback.watchman`); one that is recorded twice is recorded once.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from audit.events import Actor
from releases.services.rollback.safe_traffic import SafeTraffic
from terraform_runner.objects import LocalObjects

logger = logging.getLogger(__name__)

FOLDER = "presses"
_SUFFIX = ".json"


@dataclass(frozen=True, kw_only=True)
class Pressing:
    """One press: of which service, where it leads, by whom, and the moment by this machine's clock."""

    id: UUID = field(default_factory=uuid7)
    service_id: UUID
    traffic: SafeTraffic
    name: str
    user_id: int | None = None
    via: str = "command"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    batch: UUID | None = None

    @property
    def actor(self) -> Actor:
        """Who pressed, as the trail names them."""
        return Actor(id=str(self.user_id or ""), name=self.name, via=self.via)


def keep(press: Pressing) -> None:
    """Write a press down; it is on disk when this returns. Raises OSError."""
    _folder().put(f"{press.id}{_SUFFIX}", json.dumps(_to_json(press)).encode())


def kept() -> Iterator[Pressing]:
    """What waits on this machine; a file that nobody can read is put aside, with a dot before its name."""
    folder = _folder()
    for name in list(folder.names()):
        content = folder.get(name) if name.endswith(_SUFFIX) else None
        if content is None:
            continue
        try:
            yield _from_json(json.loads(content))
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.exception("the press in %s cannot be read: it is put aside", folder.place(name))
            _put_aside(name, content)


def find(press_id: UUID) -> Pressing | None:
    """One that waits on this machine."""
    content = _folder().get(f"{press_id}{_SUFFIX}")
    return _from_json(json.loads(content)) if content else None


def forget(press: Pressing) -> None:
    """It is recorded."""
    _folder().remove(f"{press.id}{_SUFFIX}")


def put_aside(press: Pressing) -> None:
    """It cannot be recorded here; the file stays for people, with a dot before its name."""
    _put_aside(f"{press.id}{_SUFFIX}", json.dumps(_to_json(press)).encode())


def _put_aside(name: str, content: bytes) -> None:
    _folder().put(f".{name}", content)
    _folder().remove(name)


def _folder() -> LocalObjects:
    return LocalObjects(settings.DATA_DIR / FOLDER)


def _to_json(press: Pressing) -> dict[str, Any]:
    return {
        **asdict(press),
        "id": str(press.id),
        "service_id": str(press.service_id),
        "traffic": press.traffic.to_json(),
        "at": press.at.isoformat(),
        "batch": str(press.batch) if press.batch else None,
    }


def _from_json(document: dict[str, Any]) -> Pressing:
    return Pressing(
        **{
            **document,
            "id": UUID(document["id"]),
            "service_id": UUID(document["service_id"]),
            "traffic": SafeTraffic.from_json(document["traffic"]),
            "at": datetime.fromisoformat(document["at"]),
            "batch": UUID(document["batch"]) if document["batch"] else None,
        }
    )
