"""How many sign-ins may fail: of one name from one address, of one name in all, and from one address in all."""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Sum
from django.http import HttpRequest, HttpResponseBase

_COOKIE = "bluegreen_known"
_KNOWN_SECONDS = 90 * 24 * 3600


def make_known(answer: HttpResponseBase, user: User) -> None:
    """Keep in a browser, signed, whose it is: the limits in all, which others can reach, do not hold it up."""
    answer.set_signed_cookie(
        _COOKIE,
        user.get_username(),
        max_age=_KNOWN_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


class SignInLimits(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Axes counts all that it looks at against one limit; each of the other two has its own here."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """How many count against the limit of one name from one address; one in all that is reached fills it up."""
        failures: int = super().get_failures(request, credentials)
        name: str = get_client_username(request, credentials) or ""
        return max(failures, settings.AXES_FAILURE_LIMIT) if _is_reached(request, name) else failures


def _is_reached(request: HttpRequest, name: str) -> bool:
    if name and request.get_signed_cookie(_COOKIE, "", max_age=_KNOWN_SECONDS) == name:
        return False
    address: str | None = request.axes_ip_address  # type: ignore[attr-defined]  # which axes gives it
    return _failed(request, username=name) >= settings.SIGN_IN_TRIES_BY_NAME or (
        address is not None and _failed(request, ip_address=address) >= settings.SIGN_IN_TRIES_BY_ADDRESS
    )


def _failed(request: HttpRequest, **of: str) -> int:
    recent = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request), **of)
    return recent.aggregate(failed=Sum("failures_since_start"))["failed"] or 0
