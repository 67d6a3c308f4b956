"""The pages of errors: Django's own, which it makes in a thread of the process that no request's end is told of."""

from collections.abc import Callable
from functools import wraps

from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.views import defaults

Page = Callable[..., HttpResponse]


def giving_back(page: Page) -> Page:
    """The page, with the connection given back that it asked the database by.

    Otherwise the thread would keep it from the pool, also when it is broken: after a restart of the database every
    page of an error would be one of a failure.
    """

    @wraps(page)
    def made(request: HttpRequest, *args: object, **named: object) -> HttpResponse:
        try:
            return page(request, *args, **named)
        finally:
            # In one it is whoever asks who has begun a transaction in this very thread, as tests do.
            if not connection.in_atomic_block:
                close_old_connections()

    return made


bad_request = giving_back(defaults.bad_request)
permission_denied = giving_back(defaults.permission_denied)
page_not_found = giving_back(defaults.page_not_found)
server_error = giving_back(defaults.server_error)
