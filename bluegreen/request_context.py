"""Which request something belongs to: its id is in the log's lines, in the trail's events and in the answer."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from uuid_utils.compat import uuid7

from audit.context import acting_in, current

HEADER = "X-Request-ID"


def request_context_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Gives each request an id of its own. The address is the connection's, or what a trusted proxy says of it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        identifier = uuid7().hex
        with acting_in(request_id=identifier, address=request.META.get("REMOTE_ADDR") or ""):
            response = get_response(request)
        response.headers[HEADER] = identifier
        return response

    return middleware


class RequestIdFilter(logging.Filter):
    """Gives each line of the log ``request_id``: "-" where there is no request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through."""
        record.request_id = current().get("request_id", "-")
        return True
