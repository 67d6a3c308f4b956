"""Liveness: the process and the database, nothing else."""

from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client


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
