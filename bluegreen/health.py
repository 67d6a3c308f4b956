"""Liveness, for supervisors and load balancers."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when this process answers and the database does. Nothing else is asked: nothing else stops the pages."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        logger.exception("the database does not answer")
        return HttpResponse("The database does not answer.", status=503, content_type=PLAIN)
    return HttpResponse("ok", content_type=PLAIN)
