"""Keeps guardian's permissions in step with the roles that were given: nothing else writes them.

Pages ask guardian, in one query however many services there are; what it has is made from the grants here, also for a
service that is set up in an environment later, and is no more than to look at once a service is removed.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.auth.models import Group, User
from django.contrib.auth.models import Permission as DjangoPermission
from django.db import connection
from django.db.models import Q, QuerySet
from guardian.models import GroupObjectPermission, UserObjectPermission

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role, permissions_of
from releases.models import RoleGrant, Service
from releases.permissions import codename

Holder = User | Group
# pg_advisory_xact_lock: grants and services are read and written by one at a time, so that none is missed.
_LOCK = 1919905125


class _Place(NamedTuple):
    service: str
    environment: str
    is_removed: bool


def hold() -> None:
    """Let nobody else change roles until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def bring_in_step(services: QuerySet[Service], holder: Holder | None = None) -> None:
    """Give everybody, or one holder, on these services what their roles allow, and nothing else.

    In the caller's transaction. The number of queries does not depend on how many services there are.
    """
    hold()
    places = [
        _Place(str(pk), environment, removed_at is not None)
        for pk, environment, removed_at in services.values_list("pk", "environment", "removed_at")
    ]
    rights = _rights()
    if not isinstance(holder, Group):
        _write(UserObjectPermission, "user", places, rights, holder)
    if not isinstance(holder, User):
        _write(GroupObjectPermission, "group", places, rights, holder)


def _rights() -> dict[Permission, DjangoPermission]:
    names = {codename(permission): permission for permission in Permission}
    found = DjangoPermission.objects.filter(
        content_type__app_label="releases", content_type__model="service", codename__in=names
    )
    return {names[right.codename]: right for right in found}


def _write(
    model: Any,  # noqa: ANN401 - guardian's two tables have no common type
    kind: str,
    places: list[_Place],
    rights: dict[Permission, DjangoPermission],
    holder: Holder | None,
) -> None:
    whose = Q(**{f"{kind}__isnull": False}) if holder is None else Q(**{kind: holder})
    wanted = {
        (holder_id, place, rights[permission].pk)
        for holder_id, place, permission in _wanted(RoleGrant.objects.filter(whose), kind, places)
    }
    rows = model.objects.filter(
        whose, permission__in=rights.values(), object_pk__in=[place.service for place in places]
    )
    present = {
        (holder_id, service, right): pk
        for pk, holder_id, service, right in rows.values_list(
            "pk", f"{kind}_id", "object_pk", "permission_id"
        )
    }
    model.objects.filter(pk__in=[present[row] for row in present.keys() - wanted]).delete()
    content_type = next(iter(rights.values())).content_type_id
    model.objects.bulk_create(
        model(
            **{f"{kind}_id": holder_id},
            object_pk=service,
            permission_id=right,
            content_type_id=content_type,
        )
        for holder_id, service, right in wanted - present.keys()
    )


def _wanted(
    grants: QuerySet[RoleGrant], kind: str, places: list[_Place]
) -> Iterator[tuple[int, str, Permission]]:
    for holder_id, role, service, environment in grants.values_list(
        f"{kind}_id", "role", "service_id", "environment"
    ):
        for place in places:
            everywhere = service is None and not environment
            if everywhere or str(service) == place.service or environment == place.environment:
                for permission in permissions_of([Role(role)], is_removed=place.is_removed):
                    yield holder_id, place.service, permission
