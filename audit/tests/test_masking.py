"""No secret gets into the trail, whether its field says so or only its look."""

import pytest
from django.db import connection

from audit.events import Actor, record
from audit.masking import MASK, masked, masked_text

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    [
        *("password", "DB_PASSWORD", "client-secret", "secret_key", "API_KEY", "apikey", "token", "x.token"),
        *("Authorization", "private_key", "signing_key", "credentials"),
    ],
)
def test_a_field_that_is_called_a_secret_is_masked_however_deep(name):
    assert masked({"a": [{name: "hunter2"}]}) == {"a": [{name: MASK}]}


@pytest.mark.parametrize(
    "document",
    [
        {"token_ttl": "30", "secretary": "rosa", "tokens_left": "3"},
        {"secret": True, "password": None, "token": 3, "credentials": ""},
        {"image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:" + "a" * 64},
        {"address": "https://example.com/a:b@c", "arn": "arn:aws:elasticloadbalancing:eu-central-1:1:x/y"},
    ],
)
def test_what_is_no_secret_stays(document):
    assert masked(document) == document


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2QT4",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "glpat-abcdefghij0123456789",
        "xoxb-123456789012-abcdef",
        "bg_3Xb1mYxq0cOe5iJ1pR9nA2sD4fG6hK8lZ-qW_eRtYu0",
        PEM,
        PEM[:40],
    ],
)
def test_what_looks_like_a_secret_is_masked_wherever_it_is(secret):
    assert masked_text(f"it was {secret}") == f"it was {MASK}"


def test_of_an_address_and_a_header_only_the_secret_part_is_masked():
    assert masked_text("postgres://rosa:hunter2@db/x") == f"postgres://{MASK}@db/x"
    assert masked_text("Authorization: Bearer abcdefghijklmnop1234") == f"Authorization: Bearer {MASK}"


@pytest.mark.django_db
def test_neither_documents_nor_reasons_bring_a_secret_into_the_database():
    record(
        actor=Actor(id="", name="AKIAIOSFODNN7EXAMPLE", via="worker"),
        action="step.failed",
        subject={"password": "hunter2"},
        before={"token": "hunter2"},
        after={"list": [{"secret": "hunter2"}, "nul: \0"]},
        reason=f"key {PEM}",
        context={"api_key": "hunter2"},
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(event)::text FROM audit_auditevent AS event")
        [(stored,)] = cursor.fetchall()
    assert not [secret for secret in ("hunter2", "MIIE", "AKIA") if secret in stored]
    assert "nul: \N{REPLACEMENT CHARACTER}" in stored
