"""Who reads a page: what they may do that is about no service, and how much waits for them; asked for once."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from releases.domain.access.decisions import Decision
from releases.permissions import HAS_SET_UP_RIGHT, set_up_answer
from releases.selectors.counts import count_of
from releases.selectors.roles import ADMINISTERS
from releases.views.lookups import find_glasses_to_review, find_plans_to_decide, signed_in

_READER = "_reader"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """``administers``: people and groups; ``plans`` wait for a decision of theirs, ``glasses`` for their review."""

    may_set_up: Decision
    administers: bool
    plans: int
    glasses: int

    @property
    def waiting(self) -> int:
        """How much waits in their inbox."""
        return self.plans + self.glasses


def reader_context(request: HttpRequest) -> dict[str, Any]:
    """The ``reader`` of templates; nothing is asked for one that does not look at it, as where nobody is signed in."""
    return {"reader": SimpleLazyObject(partial(reader_of, request))}


def reader_of(request: HttpRequest) -> Reader:
    """Whom this request's page is for, as it was when it was asked for first."""
    if not hasattr(request, _READER):
        setattr(request, _READER, _ask(signed_in(request)))
    reader: Reader = getattr(request, _READER)
    return reader


def _ask(user: User) -> Reader:
    is_active, has_set_up_right, administers, plans, glasses = User.objects.values_list(
        "is_active",
        HAS_SET_UP_RIGHT,
        ADMINISTERS,
        count_of(find_plans_to_decide(user)),
        count_of(find_glasses_to_review(user)),
    ).get(pk=user.pk)
    return Reader(
        may_set_up=set_up_answer(is_active=is_active, has_right=has_set_up_right),
        administers=is_active and administers,
        plans=plans,
        glasses=glasses,
    )
