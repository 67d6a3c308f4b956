"""Refuses what no form sends and no database holds: NUL in a form or in an address."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict
from django.utils.deprecation import MiddlewareMixin


class WholeTextsMiddleware(MiddlewareMixin):
    """Answers 400; the API, which takes no forms, looks through its own bodies (:mod:`releases.api.documents`)."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: object) -> None:
        """Look at the query, and at the form where the view takes one."""
        if _has_nul(request.GET) or (not getattr(view, "csrf_exempt", False) and _has_nul(request.POST)):
            raise BadRequest("A text that was sent has NUL in it.")


def _has_nul(sent: QueryDict) -> bool:
    return any("\0" in text for name, texts in sent.lists() for text in (name, *texts))
