"""Who may do what on a service, as django-guardian stores it; the rules are in ``releases.domain``."""

from django.contrib.auth.models import Permission as DjangoPermission
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects
from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import assign_perm, get_objects_for_user, get_users_with_perms

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused
from releases.domain.access.scopes import Scope
from releases.domain.errors import DomainError
from releases.models import Service
from releases.selectors.roles import roles_of

_SCOPE = "_scope_of_its_token"
_MAY_NOT_SET_UP = Refused(
    "person:no-permission", "You may not set up services: an administrator gives this right."
)
_ADD_SERVICE = Q(codename="add_service", content_type__app_label="releases")
HAS_SET_UP_RIGHT = Exists(
    DjangoPermission.objects.filter(_ADD_SERVICE, Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk")))
)
"""Of accounts: whether each has been granted, by itself or by a group, to set up services."""

_MAY_NOT_SET_DEFAULTS = Refused(
    "person:no-permission", "Who manages all services of this environment changes its policy."
)


class NotAllowed(DomainError):
    """The person lacks the right; pages answer 403."""


def as_person(user: User, service: Service) -> Person:
    """An account as the rules know it, straight from the database: nothing is remembered.

    What counts is what was granted on this very service, to the person or to a group: a superuser has no rights by
    that alone, and rights on all services do not exist. Of one who acts by a token only what that passes on counts.
    """
    account = User.objects.select_related("service_account").get(pk=user.pk)
    granted = ObjectPermissionChecker(account)
    names = {*granted.get_user_perms(service), *granted.get_group_perms(service)}
    held = frozenset(permission for permission in Permission if codename(permission) in names)
    scope = _scope(user)
    if scope is not None:
        held = scope.within(held, service_id=str(service.pk), environment=service.environment)
    return Person(
        id=str(account.pk),
        is_active=account.is_active,
        permissions=held,
        groups=groups_of(account),
        roles=roles_of([account], service)[account.pk],
        is_service_account=is_service_account(account),
    )


def is_service_account(account: User) -> bool:
    """Whether an account is a program's: it never counts as an approver."""
    return hasattr(account, "service_account")


def limited(user: User, scope: Scope) -> User:
    """The account as somebody who acts by a token: whatever they are asked to be allowed is kept within its scope.

    It belongs to this very object: an approval that was given before counts by all that its approver may do.
    """
    setattr(user, _SCOPE, scope)
    return user


def is_limited(user: User) -> bool:
    """Whether somebody acts by a token."""
    return _scope(user) is not None


def _scope(user: User) -> Scope | None:
    scope: Scope | None = getattr(user, _SCOPE, None)
    return scope


def groups_of(account: User) -> frozenset[str]:
    """The names of the groups that an account is in."""
    return frozenset(group.name for group in account.groups.all())


def codename(permission: Permission) -> str:
    """The name of a right in Django's tables."""
    return f"{permission.value}_service"


def grant(user: User, service: Service, *permissions: Permission) -> None:
    """Give a person rights on a service."""
    for permission in permissions:
        assign_perm(codename(permission), user, service)


def may_set_up_services(user: User) -> Decision:
    """Whether an active person may set up new services: a right on no service, granted to them or to a group.

    One query. A token does not pass this right on.
    """
    if _scope(user) is not None:
        return _MAY_NOT_SET_UP
    is_active, has_right = User.objects.values_list("is_active", HAS_SET_UP_RIGHT).get(pk=user.pk)
    return set_up_answer(is_active=is_active, has_right=has_right)


def set_up_answer(*, is_active: bool, has_right: bool) -> Decision:
    """Whether somebody may set up new services, of whose account these are known."""
    if not is_active:
        return Refused("person:inactive", "This account is no longer active.")
    return Allowed() if has_right else _MAY_NOT_SET_UP


def grant_set_up(user: User) -> None:
    """Let a person set up new services."""
    assign_perm("releases.add_service", user)


def visible_services(user: User) -> QuerySet[Service]:
    """The services that a person may see, as one query."""
    return services_with(user, Permission.VIEW)


def services_with(user: User, permission: Permission) -> QuerySet[Service]:
    """The services on which a person has been granted a right, as one query."""
    services: QuerySet[Service] = get_objects_for_user(
        user, codename(permission), klass=Service, with_superuser=False, accept_global_perms=False
    )
    scope = _scope(user)
    return services if scope is None else _reached(services, scope, permission)


def _reached(services: QuerySet[Service], scope: Scope, permission: Permission) -> QuerySet[Service]:
    if permission not in scope.permissions:
        return services.none()
    if scope.service_ids is not None:
        services = services.filter(pk__in=scope.service_ids)
    return services.filter(environment=scope.environment) if scope.environment else services


def may_set_defaults(user: User, environment: str) -> Decision:
    """Whether an active person may change what an environment's gates usually ask for: who manages all its services."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        return Refused("person:inactive", "This account is no longer active.")
    there = Service.objects.filter(environment=environment, removed_at__isnull=True)
    return Allowed() if _manages_all(user, there) else _MAY_NOT_SET_DEFAULTS


def _manages_all(user: User, there: QuerySet[Service]) -> bool:
    managed = services_with(user, Permission.MANAGE).values("pk")
    return there.exists() and not there.exclude(pk__in=managed).exists()


def holders(service: Service, permission: Permission) -> list[User]:
    """The active people who have a right on a service, by name."""
    having = get_users_with_perms(service, only_with_perms_in=[codename(permission)], with_superusers=False)
    active = User.objects.filter(pk__in=having, is_active=True)
    return list(active.select_related("service_account").order_by("username"))


def approvers(service: Service) -> dict[User, Person]:
    """The active people who may approve for a service, by name, each as the rules know them; four queries."""
    accounts = holders(service, Permission.APPROVE)
    roles = roles_of(accounts, service)
    prefetch_related_objects(accounts, "groups")
    right = frozenset({Permission.APPROVE})
    return {
        account: Person(
            id=str(account.pk),
            is_active=True,
            permissions=right,
            groups=groups_of(account),
            roles=roles[account.pk],
            is_service_account=is_service_account(account),
        )
        for account in accounts
    }
