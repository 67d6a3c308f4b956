"""Tokens in a list."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from django.utils import timezone

from releases.domain.access.decisions import Permission
from releases.models import Service, Token

_WORDS = {
    Permission.VIEW.value: "look",
    Permission.REQUEST.value: "request",
    Permission.APPROVE.value: "approve",
    Permission.OPERATE.value: "cancel",
    Permission.EMERGENCY.value: "roll back",
}


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    """A token, what it may do and where, in words, and how it stands: "good", "revoked" or "over"."""

    token: Token
    rights: str
    where: str
    standing: str


def token_rows(tokens: Iterable[Token]) -> list[TokenRow]:
    """The rows of these tokens, in the given order; two queries."""
    found = list(tokens)
    named = set(chain.from_iterable(token.services or () for token in found))
    names = {str(pk): name for pk, name in Service.objects.filter(pk__in=named).values_list("pk", "name")}
    return [_row(token, names) for token in found]


def _row(token: Token, names: dict[str, str]) -> TokenRow:
    return TokenRow(
        token=token,
        rights=", ".join(words for right, words in _WORDS.items() if right in token.permissions),
        where=_where(token, names),
        standing=_standing(token),
    )


def _where(token: Token, names: dict[str, str]) -> str:
    environment = f" in {token.environment}" if token.environment else ""
    if token.services is None:
        return f"every service{environment}"
    return (
        ", ".join(sorted(names[pk] for pk in token.services if pk in names)) or "no service"
    ) + environment


def _standing(token: Token) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "good" if token.expires_at > timezone.now() else "over"
