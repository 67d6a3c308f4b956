"""Who may do what on a service, as django-guardian stores it; the rules are in ``releases.domain``."""

from django.contrib.auth.models import User
from django.db.models import QuerySet
from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import assign_perm, get_objects_for_user, get_users_with_perms

from releases.domain.decisions import Permission, Person
from releases.domain.errors import DomainError
from releases.models import Service


class NotAllowed(DomainError):
    """The person lacks the right; pages answer 403."""


def as_person(user: User, service: Service) -> Person:
    """An account as the rules know it, straight from the database: nothing is remembered.

    What counts is what was granted on this very service, to the person or to a group: a superuser has no rights by
    that alone, and rights on all services do not exist.
    """
    account = User.objects.get(pk=user.pk)
    granted = ObjectPermissionChecker(account)
    held = {*granted.get_user_perms(service), *granted.get_group_perms(service)}
    return Person(
        id=str(account.pk),
        is_active=account.is_active,
        permissions=frozenset(permission for permission in Permission if codename(permission) in held),
    )


def codename(permission: Permission) -> str:
    """The name of a right in Django's tables."""
    return f"{permission.value}_service"


def grant(user: User, service: Service, *permissions: Permission) -> None:
    """Give a person rights on a service."""
    for permission in permissions:
        assign_perm(codename(permission), user, service)


def visible_services(user: User) -> QuerySet[Service]:
    """The services that a person may see, as one query."""
    return services_with(user, Permission.VIEW)


def services_with(user: User, permission: Permission) -> QuerySet[Service]:
    """The services on which a person has been granted a right, as one query."""
    services: QuerySet[Service] = get_objects_for_user(
        user, codename(permission), klass=Service, with_superuser=False, accept_global_perms=False
    )
    return services


def holders(service: Service, permission: Permission) -> list[User]:
    """The active people who have a right on a service, by name."""
    having = get_users_with_perms(service, only_with_perms_in=[codename(permission)], with_superusers=False)
    return list(User.objects.filter(pk__in=having, is_active=True).order_by("username"))
