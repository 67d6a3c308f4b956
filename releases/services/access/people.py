"""Who there is, and who is in which group: each change with its event, under the lock of the roles.

Nothing else writes them, but that :mod:`releases.services.access.group_removal` removes groups. Accounts of programs
are in :mod:`releases.services.access.service_accounts`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from audit import events
from audit.events import Actor
from releases.domain.access import role_rules
from releases.domain.access.decisions import Allowed, Decision
from releases.models import Token
from releases.permissions import is_service_account
from releases.selectors.roles import administrators
from releases.services.access import rights, tokens
from releases.services.access.roles import (
    EVERYWHERE,
    giver_at,
    keeping_an_administrator,
    require,
    require_group,
)
from releases.services.errors import FieldsInvalid
from releases.services.lifecycle import person


def may_administer(user: User) -> Decision:
    """Whether somebody changes who there is, who is in which group, and other people's tokens."""
    return role_rules.may_administer(giver_at(user, EVERYWHERE))


def may_be_deactivated(whom: User) -> Decision:
    """Whether somebody else is an administrator where this person is one; asked once more when it is done."""
    others = administrators().exclude(pk=whom.pk)
    is_last = not others.exists() and administrators().filter(pk=whom.pk).exists()
    return role_rules.LAST_ADMINISTRATOR if is_last else Allowed()


def add(name: str, *, email: str, by: User) -> User:
    """A new account, without a password until its person sets one. Raises ``NotAllowed`` and ``FieldsInvalid``."""
    with _administering(by):
        return record_added(name, email=email, actor=person(by))


def deactivate(whom: User, *, by: User) -> None:
    """End somebody's sessions, password and tokens, and let none of their approvals count that is not used yet.

    Raises ``NotAllowed``, and ``RoleRefused`` for the last administrator.
    """
    with _administering(by):
        actor = person(by)
        # A session is bound to its password: none comes back when the person does.
        ended = {"is_active": False, "password": make_password(None)}
        if _people(whom).filter(is_active=True).update(**ended):
            for token in tokens.of(whom).filter(revoked_at=None):
                tokens.revoke(token, actor=actor)
            _note("person.deactivated", whom, actor, before={"active": True}, after={"active": False})


def reactivate(whom: User, *, by: User) -> None:
    """Let somebody in again, with the roles and groups that they had, and a new password. Raises ``NotAllowed``."""
    with _administering(by):
        if _people(whom).filter(is_active=False).update(is_active=True):
            _note("person.reactivated", whom, person(by), before={"active": False}, after={"active": True})


def end_password(whom: User, *, by: User) -> None:
    """End somebody's password, with all sessions and links: only a new link lets them in. Raises ``NotAllowed``."""
    with _administering(by):
        record_password_ended(whom, actor=person(by))


def revoke_token(token: Token, *, by: User) -> None:
    """End a token of whoever it is. Raises ``NotAllowed``."""
    with _administering(by):
        tokens.revoke(token, actor=person(by))


def password_link(user: User) -> str:
    """The address of a page where this person sets a password, once, within ``PASSWORD_RESET_TIMEOUT``."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password-set", args=[key, default_token_generator.make_token(user)])
    return f"{settings.PUBLIC_URL}{path}"


def set_password(user: User, password: str) -> bool:
    """Keep what somebody sets by a link; False where the password or the account ended since ``user`` was read."""
    return _keep_password(user, password, "person.password-set")


def change_password(user: User, password: str) -> bool:
    """The same for who is signed in and gave the old one: every session ends that is not bound to the new one."""
    return _keep_password(user, password, "person.password-changed")


def make_group(name: str, *, by: User) -> Group:
    """A new group, without members and roles. Raises ``NotAllowed`` and ``FieldsInvalid``."""
    with _administering(by):
        return record_group(name, actor=person(by))


def add_member(group: Group, whom: User, *, by: User) -> None:
    """Put somebody else into a group, which gives them its roles. Raises ``NotAllowed`` and ``RoleRefused``."""
    with _administering(by):
        giver = giver_at(by, EVERYWHERE)
        to_program = is_service_account(whom)
        require(role_rules.may_add_member(giver, oneself=whom.pk == by.pk, is_program=to_program))
        record_member(group, whom, actor=person(by))


def remove_member(group: Group, whom: User, *, by: User) -> None:
    """Take somebody out of a group. Raises ``NotAllowed``, and ``RoleRefused`` for the last administrator."""
    with _administering(by):
        before = _groups_of(whom)
        if group.name in before:
            whom.groups.remove(group)
            _note_member("group.member-removed", group, whom, person(by), before=before)


@transaction.atomic
def record_added(name: str, *, email: str = "", actor: Actor) -> User:
    """Make an account without asking whether one may: for who runs the machine. Raises ``FieldsInvalid``."""
    rights.hold()
    user = User(username=User.normalize_username(name), email=email, password=make_password(None))
    try:
        user.full_clean()
    except ValidationError as error:
        raise _invalid("person:invalid", error) from error
    user.save()
    _note("person.added", user, actor, after={"email": email})
    return user


@transaction.atomic
def record_password_ended(whom: User, *, actor: Actor) -> None:
    """The same for a password that is to be set anew; who is not active has none, and gets none."""
    ended = make_password(None)
    if _people(whom).filter(is_active=True).update(password=ended):
        whom.password = ended
        _note("person.password-ended", whom, actor)


@transaction.atomic
def record_group(name: str, *, actor: Actor) -> Group:
    """The same for a group."""
    rights.hold()
    group = Group(name=name)
    try:
        group.full_clean()
    except ValidationError as error:
        raise _invalid("group:invalid", error) from error
    group.save()
    events.record(actor=actor, action="group.made", subject={"group": name})
    return group


@transaction.atomic
def record_member(group: Group, whom: User, *, actor: Actor) -> None:
    """The same for a member; one that is there already stays as it is."""
    rights.hold()
    require_group(group)
    before = _groups_of(whom)
    if group.name not in before:
        whom.groups.add(group)
        _note_member("group.member-added", group, whom, actor, before=before)


@transaction.atomic
def _keep_password(user: User, password: str, action: str) -> bool:
    as_read = User.objects.filter(pk=user.pk, is_active=True, password=user.password)
    kept = make_password(password)
    if not as_read.update(password=kept):
        return False
    user.password = kept
    _note(action, user, person(user))
    return True


@contextmanager
def _administering(by: User) -> Iterator[None]:
    with keeping_an_administrator():
        require(may_administer(by))
        yield


def _people(whom: User) -> QuerySet[User]:
    return User.objects.filter(pk=whom.pk, service_account__isnull=True)


def _groups_of(whom: User) -> list[str]:
    return sorted(whom.groups.values_list("name", flat=True))


def _note(
    action: str,
    whom: User,
    actor: Actor,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    subject = {"person": whom.get_username()}
    events.record(actor=actor, action=action, subject=subject, before=before, after=after)


def _note_member(action: str, group: Group, whom: User, actor: Actor, *, before: list[str]) -> None:
    events.record(
        actor=actor,
        action=action,
        subject={"group": group.name, "person": whom.get_username()},
        before={"groups": before},
        after={"groups": _groups_of(whom)},
    )


def _invalid(code: str, error: ValidationError) -> FieldsInvalid:
    return FieldsInvalid(code, {name: " ".join(problems) for name, problems in error.message_dict.items()})
