"""Reading who has which role, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from releases.domain.access.roles import Role
from releases.models import RoleGrant, Service
from releases.models.role_grant import EVERYWHERE


@dataclass(frozen=True, kw_only=True)
class Administered:
    """Where somebody is an administrator; ``everywhere`` includes people and groups."""

    everywhere: bool = False
    environments: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.environments)


def covering(service: Service) -> Q:
    """The grants that hold on a service: its own, those of its environment, and those that hold everywhere."""
    return Q(service=service) | Q(environment=service.environment) | EVERYWHERE


def held_by(user: User | OuterRef) -> Q:
    """The grants that a person has, by themselves or by a group."""
    return Q(user=user) | Q(group__user=user)


ADMINISTERS = Exists(RoleGrant.objects.filter(held_by(OuterRef("pk")), EVERYWHERE, role=Role.ADMIN.value))
"""Of accounts: whether each is an administrator everywhere, active or not."""


def roles_on(user: User, service: Service) -> frozenset[Role]:
    """The roles that an active person has on a service, through whatever."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        return frozenset()
    return roles_of([user], service)[user.pk]


def roles_of(accounts: Sequence[User], service: Service) -> dict[int, frozenset[Role]]:
    """The roles that each of these has on a service, active or not, by the account's id; one query."""
    grants = RoleGrant.objects.filter(covering(service))
    own = grants.filter(user__in=accounts).values_list("user_id", "role")
    by_group = grants.filter(group__user__in=accounts).values_list("group__user", "role")
    found: dict[int, set[Role]] = {account.pk: set() for account in accounts}
    for account_id, role in own.union(by_group):
        found[account_id].add(Role(role))
    return {account_id: frozenset(roles) for account_id, roles in found.items()}


def grants_on(service: Service) -> QuerySet[RoleGrant]:
    """The grants that hold on a service, with all that a page shows of them."""
    return _shown(RoleGrant.objects.filter(covering(service)))


def wide_grants() -> QuerySet[RoleGrant]:
    """The grants that hold in an environment or everywhere."""
    return _shown(RoleGrant.objects.filter(service__isnull=True)).order_by("environment", "role", "given_at")


def _shown(grants: QuerySet[RoleGrant]) -> QuerySet[RoleGrant]:
    return grants.select_related("user__service_account", "group", "service", "given_by")


def administered_by(user: User) -> Administered:
    """Where an active person is an administrator, on more than a single service. One query."""
    wide = RoleGrant.objects.filter(held_by(user), role=Role.ADMIN.value, service__isnull=True)
    is_active = User.objects.filter(pk=user.pk, is_active=True)
    places = frozenset(
        wide.filter(Q(user__in=is_active) | Q(group__user__in=is_active)).values_list(
            "environment", flat=True
        )
    )
    return Administered(everywhere="" in places, environments=places - {""})


def administers(user: User, service: Service) -> bool:
    """Whether an active person is an administrator of a service, wherever that holds."""
    return Role.ADMIN in roles_on(user, service)


def administrators() -> QuerySet[User]:
    """The active people, not programs, who are administrators everywhere."""
    everywhere = RoleGrant.objects.filter(EVERYWHERE, role=Role.ADMIN.value)
    return User.objects.filter(
        Q(pk__in=everywhere.values("user")) | Q(groups__in=everywhere.values("group")),
        is_active=True,
        service_account__isnull=True,
    ).distinct()
