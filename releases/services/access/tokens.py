"""Tokens of programs: made, found by their secret, and ended. The secret itself is shown once and kept nowhere."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from audit import events
from audit.events import Actor
from releases.domain.access.decisions import Permission
from releases.domain.access.scopes import LONGEST_DAYS, Scope
from releases.models import Service, Token
from releases.services.errors import FieldsInvalid
from releases.services.lifecycle import now, person

# Scanners for secrets, and audit.masking, know a token by it.
PREFIX = "bg_"
_HINT_LETTERS = 8
# What there is of a person's can be looked through.
MOST_TOKENS = 50
USE_NOTED_EVERY = timedelta(minutes=1)
SHOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class WantedToken:
    """Without ``services`` it counts on every service of its ``environment``, or of all where that is empty too."""

    name: str
    days: int
    permissions: frozenset[Permission]
    services: Sequence[Service] | None = None
    environment: str = ""


@transaction.atomic
def make(user: User, wanted: WantedToken, *, by: User | None = None) -> tuple[Token, str]:
    """A new token of this account, and its secret; ``by`` is who makes it for a program's. Raises ``FieldsInvalid``."""
    _refuse_impossible(user, wanted)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user,
        name=wanted.name,
        hint=secret[:_HINT_LETTERS],
        digest=_digest(secret),
        permissions=sorted(wanted.permissions | {Permission.VIEW}),
        services=None if wanted.services is None else sorted(str(one.pk) for one in wanted.services),
        environment=wanted.environment,
        made_by=by,
        expires_at=now() + timedelta(days=wanted.days),
    )
    _record(token, "token.made", person(by or user))
    return token, secret


@transaction.atomic
def revoke(token: Token, *, actor: Actor) -> None:
    """End a token now; one that was ended before stays as it is."""
    if Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now()):
        _record(token, "token.revoked", actor)


def find(secret: str) -> Token | None:
    """The token of this secret, with its person, if both count now; its use is noted once a minute. One query."""
    return find_again(_digest(secret))


def find_again(digest: str) -> Token | None:
    """The same for one that was found before, by its digest."""
    counting = Token.objects.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)
    token = counting.select_related("user").filter(digest=digest).first()
    if token:
        _note_use(token)
    return token


def scope_of(token: Token) -> Scope:
    """What a token passes on; a right that there is no more is not among it."""
    known = {permission.value: permission for permission in Permission}
    return Scope(
        permissions=frozenset(known[name] for name in token.permissions if name in known),
        service_ids=None if token.services is None else frozenset(token.services),
        environment=token.environment,
    )


def of(*users: User) -> QuerySet[Token]:
    """The tokens of these accounts, the newest first; those that have ended are there for a while longer."""
    return of_everybody().filter(user__in=users)


def of_everybody(words: str = "") -> QuerySet[Token]:
    """The same of all accounts that have these words in their name, or in the token's."""
    recently = Now() - SHOWN_FOR
    is_over = Q(expires_at__lt=recently) | Q(revoked_at__lt=recently)
    found = Token.objects.exclude(is_over).select_related("user")
    return found.filter(Q(user__username__icontains=words) | Q(name__icontains=words)) if words else found


def _refuse_impossible(user: User, wanted: WantedToken) -> None:
    if not 1 <= wanted.days <= LONGEST_DAYS:
        problem = f"A token is good for 1 to {LONGEST_DAYS} days."
        raise FieldsInvalid("token:days", {"days": problem})
    present = Token.objects.filter(user=user, revoked_at=None, expires_at__gt=Now())
    if present.count() >= MOST_TOKENS:
        problem = f"There are {MOST_TOKENS} tokens already: revoke those that nothing uses any more."
        raise FieldsInvalid("token:too-many", {"name": problem})


def _digest(secret: str) -> str:
    """The secret has 256 random bits, so that nobody finds it by guessing, however fast the hash is."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _note_use(token: Token) -> None:
    moment = timezone.now()
    if token.last_used_at is None or token.last_used_at <= moment - USE_NOTED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=moment)
        token.last_used_at = moment


def _record(token: Token, action: str, actor: Actor) -> None:
    events.record(
        actor=actor,
        action=action,
        subject={"token_id": str(token.pk), "name": token.name, "of": token.user.get_username()},
        after={
            "permissions": token.permissions,
            "services": token.services or [],
            "every_service": token.services is None,
            "environment": token.environment,
            "expires_at": token.expires_at.isoformat(),
        },
    )
