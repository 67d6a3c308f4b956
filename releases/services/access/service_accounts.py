"""Accounts of programs: made for one service by whoever manages it, used by tokens, and ended.

What such an account asks for counts as asked for by the people behind it, so that nobody approves their own release by
way of a program.
"""

from collections.abc import Collection, Iterable

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from audit import events
from releases.domain.access.decisions import Decision, Permission, Refused, has_permission
from releases.domain.access.role_rules import GIVEN_TO_PROGRAMS
from releases.domain.access.roles import Role, permissions_of
from releases.models import Service, ServiceAccount, Token
from releases.permissions import NotAllowed, as_person
from releases.selectors import people as people_selectors
from releases.services.access import rights, tokens
from releases.services.access.roles import Place, record_given
from releases.services.access.tokens import WantedToken
from releases.services.errors import FieldsInvalid
from releases.services.lifecycle import person

_PASSED_ON = permissions_of(GIVEN_TO_PROGRAMS)


def may_manage(user: User, service: Service) -> Decision:
    """Whether this person makes and ends a service's accounts, and their tokens."""
    return has_permission(as_person(user, service), Permission.MANAGE)


@transaction.atomic
def make(service: Service, *, name: str, roles: Collection[Role], by: User) -> ServiceAccount:
    """A new account with these roles on this service, or else a viewer. Raises ``NotAllowed`` and ``FieldsInvalid``."""
    rights.hold()
    _refuse_unless_allowed(by, service)
    user = User(username=name)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise FieldsInvalid("account:name", {"name": " ".join(error.messages)}) from error
    user.save()
    account = ServiceAccount.objects.create(user=user, service=service, made_by=by)
    given = sorted(GIVEN_TO_PROGRAMS & set(roles)) or [Role.VIEWER]
    _record(account, "account.made", by, {"roles": [role.value for role in given]})
    for role in given:
        record_given(role, user, Place(service=service), actor=person(by), given_by=by)
    return account


def make_token(account: ServiceAccount, *, name: str, days: int, by: User) -> str:
    """A token of an account, on its service; gives its secret. Raises ``NotAllowed`` and ``FieldsInvalid``."""
    _refuse_unless_allowed(by, account.service)
    wanted = WantedToken(name=name, days=days, permissions=_PASSED_ON, services=[account.service])
    return tokens.make(account.user, wanted, by=by)[1]


def revoke_token(account: ServiceAccount, token: Token, *, by: User) -> None:
    """End a token of an account. Raises ``NotAllowed``."""
    _refuse_unless_allowed(by, account.service)
    tokens.revoke(token, actor=person(by))


@transaction.atomic
def end(account: ServiceAccount, *, by: User) -> None:
    """Nothing gets in as this account any more, by whichever token. Raises ``NotAllowed``."""
    _refuse_unless_allowed(by, account.service)
    if User.objects.filter(pk=account.user_id, is_active=True).update(is_active=False):
        _record(account, "account.ended", by, {})


def with_people_behind(account_ids: Iterable[int]) -> set[int]:
    """These accounts, and, of those that are programs', who made them or a token of them. One query."""
    return set[int]().union(*people_behind(account_ids).values())


def people_behind(account_ids: Iterable[int]) -> dict[int, set[int]]:
    """Each of these accounts with itself and, if it is a program's, with who made it or a token of it. One query."""
    found = {account_id: {account_id} for account_id in account_ids}
    makers = ServiceAccount.objects.filter(user__in=found)
    for account_id, *by in makers.values_list("user", "made_by", "user__tokens__made_by"):
        found[account_id].update(maker for maker in by if maker is not None)
    return found


def with_programs(user: User) -> set[int]:
    """A person's account, and those of programs that they, by making it or a token of it, are behind. One query."""
    return {user.pk, *people_selectors.programs_of(user).values_list("pk", flat=True)}


def _refuse_unless_allowed(user: User, service: Service) -> None:
    answer = may_manage(user, service)
    if isinstance(answer, Refused):
        raise NotAllowed(answer.code, answer.reason)


def _record(account: ServiceAccount, action: str, by: User, after: dict[str, list[str]]) -> None:
    events.record(
        actor=person(by),
        action=action,
        service_id=str(account.service_id),
        subject={"account": account.user.get_username(), "account_id": str(account.user_id)},
        after=after,
    )
