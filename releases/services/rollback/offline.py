"""The file for the day without a database: where each service's users are to be, beside the other artifacts.

It is written whenever it differs from the records, and before an apply that changes a function: where a rollback leads
may be another colour from then on.
"""

import json
from typing import Any
from uuid import UUID

from aws.errors import AwsError
from releases.models import Service
from releases.services.errors import StepFailed
from releases.services.execution import storage
from releases.services.rollback.kept_presses import Pressing
from releases.services.rollback.safe_traffic import SafeTraffic

FOLDER = "emergency"
FILE = "services.json"


def write() -> bool:
    """Bring the file up to date. Whether it had to be written. Raises ``AwsError`` and OSError."""
    content = json.dumps(_document(), indent=1, sort_keys=True).encode()
    store = storage.objects(FOLDER)
    if store.get(FILE) == content:
        return False
    store.put(FILE, content)
    return True


def write_or_refuse() -> None:
    """Before a function is changed: nobody may be led to it by the file. Raises ``StepFailed``."""
    try:
        write()
    except (AwsError, OSError) as error:
        raise StepFailed(
            "step:offline-file",
            f"Nothing was changed: the file for emergencies without a database could not be written ({error}). "
            "Look after the storage, and try again.",
        ) from error


def pressing_from(content: str, service: str, *, name: str) -> Pressing:
    """The press of somebody on the command line, from the file's content. Raises KeyError, TypeError and ValueError."""
    found = json.loads(content)[service]
    traffic = SafeTraffic.from_json(found["traffic"])
    service_id = UUID(found["service_id"])
    return Pressing(service_id=service_id, traffic=traffic, name=name)


def _document() -> dict[str, Any]:
    services = Service.objects.filter(set_up_at__isnull=False, removed_at__isnull=True).order_by("name")
    return {
        service.name: {"service_id": str(service.pk), "traffic": SafeTraffic.of(service).to_json()}
        for service in services
    }
