"""The log has one line of a refusal; errors keep their traceback."""

import logging

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseForbidden
from django.test import Client, RequestFactory
from django.utils.log import log_response


@pytest.mark.django_db
def test_a_refusal_is_one_line_with_who_what_and_why(caplog):
    client = Client()
    client.force_login(User.objects.create(username="mona"))
    assert client.get("/people/").status_code == 403
    [line] = [record for record in caplog.records if record.name == "django.request"]
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert line.getMessage().startswith("refused to mona: GET /people/: ")


def test_what_somebody_typed_makes_no_second_line(caplog):
    request = RequestFactory().get("/services/x")
    request.user = User(username="mona\nroot")
    refusal = PermissionDenied("No service is called\nx.")
    log_response("Forbidden: %s", "/", response=HttpResponseForbidden(), request=request, exception=refusal)
    assert caplog.messages == ["refused to mona\\nroot: GET /services/x: No service is called\\nx."]


def test_an_error_keeps_its_traceback(caplog):
    logging.getLogger("django.request").error("Internal Server Error: %s", "/", exc_info=ValueError("broken"))
    assert "ValueError: broken" in caplog.text
