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

from releases.domain.versions.environment import secret, token_of
from releases.models import Release, Service, Step, Webhook
from releases.services import canary_header
from releases.services.execution import storage
from releases.services.lifecycle import locked
from releases.services.messaging import webhooks
from releases.services.versions import secret_values
from terraform_runner.encrypted_objects import EncryptedObjects
from terraform_runner.errors import RunnerError

_HEADER = "canary_header_value"
_SETTINGS = frozenset({"settings_before", "settings_after", "settings_begun"})


@dataclass
class Renewed:
    """How many objects and secret values were encrypted again, and what could not be read with any key."""

    objects: int = 0
    values: int = 0
    problems: list[str] = field(default_factory=list)


def renew_encryption() -> Renewed:
    """Walk through plans, states that could not be written, webhooks and services. Raises ``AwsError`` or OSError."""
    renewed = Renewed()
    for folder in (storage.encrypted(storage.PLANS), storage.unsaved_states()):
        _renew_objects(folder, renewed)
    for webhook in Webhook.objects.all():
        _renew_webhook(webhook, renewed)
    for service_id in Service.objects.values_list("pk", flat=True):
        _renew_service(service_id, renewed)
    return renewed


def _renew_objects(folder: EncryptedObjects, renewed: Renewed) -> None:
    for name in folder.names():
        try:
            renewed.objects += folder.renew(name)
        except RunnerError as error:
            renewed.problems.append(f"{folder.place(name)}: {error.message}")


def _renew_webhook(webhook: Webhook, renewed: Renewed) -> None:
    try:
        renewed.values += webhooks.renew(webhook)
    except RunnerError as error:
        renewed.problems.append(f"webhook {webhook}: {error.message}")


@dataclass
class _Tokens:
    """The stored secrets of one service by what they became: equal ones stay equal wherever they are copied."""

    service_id: UUID
    renewed: dict[str, str] = field(default_factory=dict)

    def variable(self, name: str, token: str) -> str:
        return self._once(token, partial(secret_values.renew, self.service_id, name))

    def header(self, token: str) -> str:
        return self._once(token, partial(canary_header.renew, self.service_id))

    def _once(self, token: str, renew: Callable[[str], str]) -> str:
        if token not in self.renewed:
            self.renewed[token] = renew(token)
        return self.renewed[token]


def _renew_service(service_id: UUID, renewed: Renewed) -> None:
    """In one transaction: the service, its releases and its steps."""
    tokens = _Tokens(service_id)
    try:
        with locked(service_id):
            for rows in (
                Service.objects.filter(pk=service_id),
                Release.objects.filter(service_id=service_id),
                Step.objects.filter(service_id=service_id),
            ):
                _renew_rows(rows, tokens)
    except RunnerError as error:
        renewed.problems.append(f"service {service_id}: {error.message}")
    else:
        renewed.values += sum(old != new for old, new in tokens.renewed.items())


def _renew_rows(rows: "QuerySet[Any]", tokens: _Tokens) -> None:
    for row in rows:
        columns = {name: getattr(row, name) for name in _columns(type(row))}
        changed = {name: _renew_column(name, value, tokens) for name, value in columns.items()}
        if changed != columns:
            rows.filter(pk=row.pk).update(**changed)


def _columns(model: type[Model]) -> list[str]:
    columns = model._meta.concrete_fields
    return [column.name for column in columns if isinstance(column, JSONField) or column.name == _HEADER]


def _renew_column(name: str, value: Any, tokens: _Tokens) -> Any:  # noqa: ANN401 - JSON
    """The value of the canary's header is a text, in a column of its own and in settings."""
    if name == _HEADER:
        return value and tokens.header(value)
    if name in _SETTINGS and value.get(_HEADER):
        value = {**value, _HEADER: tokens.header(value[_HEADER])}
    return _walk(value, name, tokens)


def _walk(value: Any, name: str, tokens: _Tokens) -> Any:  # noqa: ANN401 - JSON
    """The same with every token renewed; ``name`` is the key under which the value stands."""
    token = token_of(value)
    match value:
        case _ if token is not None:
            return secret(tokens.variable(name, token))
        case dict():
            return {key: _walk(item, key, tokens) for key, item in value.items()}
        case list():
            return [_walk(item, name, tokens) for item in value]
        case _:
            return value
