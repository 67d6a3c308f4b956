"""Reading who there is, and who is in which group: a constant number of queries each."""

from django.contrib.auth.models import Group, User
from django.db.models import OuterRef, Prefetch, Q, QuerySet

from releases.models import RoleGrant
from releases.selectors.counts import count_of
from releases.selectors.roles import held_by

_ROLES = Prefetch("role_grants", RoleGrant.objects.select_related("service"))


def people(words: str = "") -> QuerySet[User]:
    """The people, not programs, with these words in their name or e-mail address; the active ones first."""
    found = User.objects.filter(service_account__isnull=True)
    if words:
        found = found.filter(Q(username__icontains=words) | Q(email__icontains=words))
    return found.prefetch_related("groups", _ROLES).order_by("-is_active", "username")


def programs_of(user: User) -> QuerySet[User]:
    """The accounts of programs that somebody is behind: they made the account, or a token of it."""
    made = Q(service_account__made_by=user) | Q(service_account__isnull=False, tokens__made_by=user)
    return User.objects.filter(made)


def groups(words: str = "") -> QuerySet[Group]:
    """The groups with these words in their name, each with its roles and, as ``members``, how many are in it."""
    found = Group.objects.filter(name__icontains=words) if words else Group.objects.all()
    members = count_of(User.objects.filter(groups=OuterRef("pk")))
    return found.annotate(members=members).prefetch_related(_ROLES).order_by("name")


def members(group: Group) -> QuerySet[User]:
    """Who is in a group, by name."""
    return User.objects.filter(groups=group).order_by("username")


def roles_of(user: User) -> QuerySet[RoleGrant]:
    """The roles that somebody has, by themselves or by a group."""
    return RoleGrant.objects.filter(held_by(user)).select_related("service", "group")
