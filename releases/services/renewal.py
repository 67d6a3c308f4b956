"""After a change of keys: whatever is stored encrypted is encrypted again with the first key.

It may be interrupted, and done again; while it goes on, everything can be read, since all keys decrypt. Afterwards the
old keys are needed no more, but by backups.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import JSONField, Model, QuerySet

from releases.domain.environment import secret, token_of
from releases.models import Release, Service, Step
from releases.services import secret_values, storage
from releases.services.lifecycle import locked
from terraform_runner.encrypted_objects import EncryptedObjects
from terraform_runner.errors import RunnerError


@dataclass
class Renewed:
    """How many objects and secret values were encrypted again, and what could not be read with any key."""

    objects: int = 0
    values: int = 0
    problems: list[str] = field(default_factory=list)


def renew_encryption() -> Renewed:
    """Walk through all plans, states that could not be written, and services. Raises ``AwsError`` or OSError."""
    renewed = Renewed()
    for folder in (storage.encrypted(storage.PLANS), storage.unsaved_states()):
        _renew_objects(folder, renewed)
    for service_id in Service.objects.values_list("pk", flat=True):
        _renew_service(service_id, renewed)
    return renewed


def _renew_objects(folder: EncryptedObjects, renewed: Renewed) -> None:
    for name in folder.names():
        try:
            renewed.objects += folder.renew(name)
        except RunnerError as error:
            renewed.problems.append(f"{folder.place(name)}: {error.message}")


def _renew_service(service_id: UUID, renewed: Renewed) -> None:
    """In one transaction: equal secrets keep equal tokens, in the service, its releases and steps."""
    tokens: dict[str, str] = {}
    try:
        with locked(service_id):
            renew = partial(_renew_value, service_id, tokens)
            for rows in (
                Service.objects.filter(pk=service_id),
                Release.objects.filter(service_id=service_id),
                Step.objects.filter(service_id=service_id),
            ):
                _renew_rows(rows, renew)
    except RunnerError as error:
        renewed.problems.append(f"service {service_id}: {error.message}")
    else:
        renewed.values += sum(old != new for old, new in tokens.items())


def _renew_rows(rows: "QuerySet[Any]", renew: Callable[[str, str], str]) -> None:
    for row in rows:
        columns = {name: getattr(row, name) for name in _json_columns(type(row))}
        changed = {name: _walk(value, name, renew) for name, value in columns.items()}
        if changed != columns:
            rows.filter(pk=row.pk).update(**changed)


def _json_columns(model: type[Model]) -> list[str]:
    return [column.name for column in model._meta.concrete_fields if isinstance(column, JSONField)]


def _walk(value: Any, name: str, renew: Callable[[str, str], str]) -> Any:  # noqa: ANN401 - JSON
    """The same with every token renewed; ``name`` is the key under which the value stands."""
    token = token_of(value)
    match value:
        case _ if token is not None:
            return secret(renew(name, token))
        case dict():
            return {key: _walk(item, key, renew) for key, item in value.items()}
        case list():
            return [_walk(item, name, renew) for item in value]
        case _:
            return value


def _renew_value(service_id: UUID, tokens: dict[str, str], name: str, token: str) -> str:
    if token not in tokens:
        tokens[token] = secret_values.renew(service_id, name, token)
    return tokens[token]
