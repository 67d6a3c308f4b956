"""A request that is sent again with its key is carried out once: the second time it gets the first one's answer.

Only what has changed something is kept: a key whose request was refused is free again.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction

from releases.domain.errors import DomainError
from releases.models import KeptAnswer, Token
from releases.services.lifecycle import now

KEPT_FOR = timedelta(hours=24)
# No request takes so long: whoever began it is dead. What it may have done, the rules of the act itself notice.
GIVEN_UP_AFTER = timedelta(minutes=1)
_MOST_REMOVED = 1000


class KeyReused(DomainError):
    """The key belongs to another request."""


class KeyInUse(DomainError):
    """The same request is being worked on."""


def begin(token: Token, key: str, fingerprint: str) -> KeptAnswer:
    """The answer that is kept under this key, or a new one without a status: then carry the request out.

    Raises ``KeyReused`` and ``KeyInUse``.
    """
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(token=token, key=key, fingerprint=fingerprint)
    except IntegrityError:
        return _begun_before(token, key, fingerprint)


def keep(answer: KeptAnswer, *, status: int, body: str, location: str) -> None:
    """Keep what the request was answered."""
    KeptAnswer.objects.filter(pk=answer.pk).update(status=status, body=body, location=location)


def forget(answer: KeptAnswer) -> None:
    """Make the key free again: nothing has happened."""
    answer.delete()


def prune() -> None:
    """Remove answers that are too old to be asked for again."""
    old = KeptAnswer.objects.filter(begun_at__lt=now() - KEPT_FOR).values("pk")[:_MOST_REMOVED]
    KeptAnswer.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()


def _begun_before(token: Token, key: str, fingerprint: str) -> KeptAnswer:
    moment = now()
    answer = KeptAnswer.objects.filter(token=token, key=key).first()
    if answer is None:  # it was made free in this very moment
        raise KeyInUse("key:in-use", "The same request was being worked on: send it again.")
    if answer.begun_at < moment - KEPT_FOR:
        answer.delete()
        return begin(token, key, fingerprint)
    if answer.fingerprint != fingerprint:
        raise KeyReused(
            "key:reused", "This key belongs to another request: give each request a key of its own."
        )
    if answer.status is None:
        _take_over(answer)
    return answer


def _take_over(answer: KeptAnswer) -> None:
    moment = now()
    given_up = KeptAnswer.objects.filter(
        pk=answer.pk, status=None, begun_at=answer.begun_at, begun_at__lt=moment - GIVEN_UP_AFTER
    )
    if not given_up.update(begun_at=moment):
        raise KeyInUse("key:in-use", "The same request is being worked on: ask again in a moment.")
