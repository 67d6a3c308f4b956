"""Liveness: the process and the database, nothing else. Readiness: whatever a release needs."""

from unittest.mock import patch

import psycopg
import pytest
from celery import current_app
from django.db import OperationalError, connection
from django.test import Client

from audit import roles
from releases.dispatch import RUNS, URGENT
from terraform_runner import workers


@pytest.mark.django_db
def test_healthz_answers_without_a_sign_in_while_the_database_does():
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_healthz_says_503_while_the_database_does_not_answer():
    with patch.object(
        connection, "cursor", side_effect=OperationalError("connection refused by db.internal")
    ):
        answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert b"db.internal" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_kept_while_the_database_went_away_costs_nobody_a_page():
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's has one
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        kept = cursor.fetchone()
    connection.close()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", kept)
    assert Client().get("/healthz").status_code == 200


@pytest.fixture
def ready(monkeypatch, valkey_url):
    """A broker that answers, and a worker of each queue."""
    monkeypatch.setattr(current_app.conf, "broker_url", valkey_url)
    monkeypatch.setattr(current_app.conf, "broker_write_url", valkey_url)
    for queue in (RUNS, URGENT):
        workers.note_seen(f"host/{queue}/1.00", queues=[queue])


def readiness() -> tuple[int, dict[str, str]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


@pytest.mark.django_db
def test_readyz_says_that_everything_is_there(ready):
    assert readiness() == (
        200,
        dict.fromkeys(["database", "broker", "workers", "urgent workers"], "ok"),
    )


@pytest.mark.django_db
def test_readyz_names_the_queue_that_no_worker_serves(ready):
    workers.note_gone(f"host/{URGENT}/1.00")
    status, parts = readiness()
    assert (status, parts["workers"]) == (503, "ok")
    assert parts["urgent workers"] == "No worker of the queue urgent was heard of in the last 40 s."


@pytest.mark.django_db
def test_readyz_says_what_a_worker_lacks(ready):
    workers.note_seen(f"host/{RUNS}/1.00", queues=[RUNS], problem="There is no terraform to run here.")
    assert readiness()[1]["workers"] == "There is no terraform to run here."


@pytest.mark.django_db
def test_readyz_is_red_while_the_broker_does_not_answer(ready, monkeypatch):
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    status, parts = readiness()
    assert (status, parts["broker"]) == (
        503,
        "The broker does not answer. The emergency button works; runs wait.",
    )


@pytest.mark.django_db
def test_readyz_is_red_while_the_database_does_not_answer(ready):
    with patch.object(connection, "cursor", side_effect=OperationalError("gone")):
        status, parts = readiness()
    assert status == 503
    assert parts["workers"] == "not known without the database"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_a_load_balancer_asks_by_address_whatever_the_site_s_name_is(settings, address):
    settings.ALLOWED_HOSTS = ["bluegreen.example.com"]
    client = Client(headers={"host": "10.2.0.9:8000"})
    assert client.get(address).status_code in {200, 503}
    assert client.get("/login/").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_both_are_only_asked(address):
    assert Client().post(address).status_code == 405


@pytest.mark.django_db
def test_readyz_says_so_where_the_database_role_could_change_the_trail_if_it_is_asked_to(ready, settings):
    settings.CHECK_AUDIT_ROLE = True
    status, parts = readiness()  # the tests' own role owns everything
    assert status == 503
    assert "could change the audit trail" in parts["audit role"]
    with patch.object(roles, "problems", return_value=[]):
        assert readiness()[1]["audit role"] == "ok"
