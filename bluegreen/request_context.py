"""Which request, or which run, something belongs to: its id is in the log's lines and in the trail's events."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from uuid_utils.compat import uuid7

from audit.context import acting_in, current

HEADER = "X-Request-ID"


def address_of(request: HttpRequest) -> str | None:
    """Where a request comes from: the server lets nobody but a trusted proxy say another address."""
    return request.META.get("REMOTE_ADDR") or None


def request_context_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Gives each request an id of its own, which its answer has too.

    The address is the connection's, or what a trusted proxy says of it.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        identifier = uuid7().hex
        with acting_in(request_id=identifier, address=address_of(request) or ""):
            response = get_response(request)
        response.headers[HEADER] = identifier
        return response

    return middleware


class RequestIdFilter(logging.Filter):
    """Gives each line of the log ``request_id``: the request's or the run's, "-" where there is neither."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through."""
        context = current()
        record.request_id = context.get("request_id") or context.get("run_id") or "-"
        return True
