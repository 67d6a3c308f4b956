"""Refuses what no form sends and no database holds: NUL in a form or in an address."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict
from django.utils.deprecation import MiddlewareMixin


class WholeTextsMiddleware(MiddlewareMixin):
    """Answers 400, but for the API, which takes no forms and says itself which of its fields cannot be so."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: object) -> None:
        """Look at the query and the form."""
        if not getattr(view, "csrf_exempt", False) and (_has_nul(request.GET) or _has_nul(request.POST)):
            raise BadRequest("A text that was sent has NUL in it.")


def _has_nul(sent: QueryDict) -> bool:
    return any("\0" in text for name, texts in sent.lists() for text in (name, *texts))
