"""Liveness, for supervisors, and readiness with each dependency, for load balancers and people."""

import logging
from collections.abc import Callable

from celery import current_app
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from audit import roles
from releases.dispatch import RUNS, URGENT
from terraform_runner import workers

logger = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"
OK = "ok"
NOT_ASKED = "not known without the database"

Answer = Callable[[HttpRequest], HttpResponseBase]


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when this process answers and the database does. Nothing else is asked: nothing else stops the pages."""
    problem = _database()
    if problem != OK:
        return HttpResponse(problem, status=503, content_type=PLAIN)
    return HttpResponse("ok", content_type=PLAIN)


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything is there that a release needs, else 503; as JSON what each part says."""
    database = _database()
    parts = {
        "database": database,
        "broker": _broker(),
        "workers": _workers(RUNS) if database == OK else NOT_ASKED,
        "urgent workers": _workers(URGENT) if database == OK else NOT_ASKED,
    }
    if settings.CHECK_AUDIT_ROLE:
        parts["audit role"] = _audit_role() if database == OK else NOT_ASKED
    return JsonResponse(parts, status=200 if set(parts.values()) == {OK} else 503)


VIEWS: dict[str, Answer] = {"/healthz": healthz, "/readyz": readyz}


def health_middleware(get_response: Answer) -> Answer:
    """Answers before anybody looks at the host: a load balancer asks each machine by its address, not by a name."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return VIEWS.get(request.path, get_response)(request)

    return middleware


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        logger.exception("the database does not answer")
        return "The database does not answer."
    return OK


def _audit_role() -> str:
    return (
        "The database role could change the audit trail: " + " ".join(found)
        if (found := roles.problems())
        else OK
    )


def _broker() -> str:
    """A connection that was left open may be dead, so a new one is asked."""
    with current_app.connection_for_write() as broker:
        try:
            broker.default_channel.client.ping()  # type: ignore[attr-defined]  # Redis's channel
        except broker.connection_errors + broker.channel_errors + (OperationalError,):
            logger.warning("the broker does not answer", exc_info=True)
            return "The broker does not answer. The emergency button works; runs wait."
    return OK


def _workers(queue: str) -> str:
    seen = workers.list_seen(queue)
    if not seen:
        return f"No worker of the queue {queue} was heard of in the last {workers.SEEN_SECONDS:.0f} s."
    return next((worker.problem for worker in seen if worker.problem), OK)
