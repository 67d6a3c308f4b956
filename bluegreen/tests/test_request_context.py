"""A request's id is the same in the answer, in the log and in the trail."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from audit.context import acting_in, current
from bluegreen.request_context import RequestIdFilter, request_context_middleware


def test_what_is_done_for_a_request_knows_its_id_and_where_it_came_from():
    seen: list[dict[str, str]] = []

    def answer(request):
        seen.append(dict(current()))
        return HttpResponse()

    forged = {"X-Forwarded-For": "203.0.113.7", "X-Request-ID": "mine"}
    request = RequestFactory().get("/", headers=forged, REMOTE_ADDR="192.0.2.9")
    response = request_context_middleware(answer)(request)

    assert seen == [{"request_id": response["X-Request-ID"], "address": "192.0.2.9"}]
    assert response["X-Request-ID"] != "mine"
    assert not current()


def test_two_requests_have_two_ids():
    answer = request_context_middleware(lambda request: HttpResponse())
    ids = {answer(RequestFactory().get("/"))["X-Request-ID"] for _ in range(2)}

    assert len(ids) == 2


@pytest.mark.django_db
def test_every_page_says_the_id_of_its_request(client):
    assert len(client.get("/login/")["X-Request-ID"]) == 32


def test_the_log_s_lines_have_the_id_of_the_request():
    line = logging.LogRecord("releases", logging.INFO, "", 1, "done", None, None)
    logged: dict[str, Any] = settings.LOGGING
    with acting_in(request_id="r1"):
        assert RequestIdFilter().filter(line)
    assert " r1:" in logged["formatters"]["line"]["format"].format(**vars(line), asctime="", message="")
    with acting_in(run_id="run7"):
        RequestIdFilter().filter(line)
    assert line.request_id == "run7"  # type: ignore[attr-defined]
    assert RequestIdFilter().filter(line)
    assert line.request_id == "-"  # type: ignore[attr-defined]
