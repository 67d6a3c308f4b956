"""What may be sent at all, whatever it says (FAULTS P12)."""

import pytest
from django.test import Client

from releases.api.documents import DEEPEST, MOST_BYTES
from releases.models import Release
from releases.tests import factories
from releases.tests.api import ADDRESS, call, problem, secret_of

PATH = "/services/catalog/releases"


@pytest.fixture
def secret(aws, service) -> str:
    return secret_of(factories.requester(service))


def send(secret: str, body: bytes, content_type: str = "application/json", **headers: str):
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one", **headers}
    return Client().generic("POST", ADDRESS + PATH, body, content_type=content_type, headers=headers)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_another_content_type_is_refused(secret, content_type):
    document = problem(send(secret, b'{"tag": "green"}', content_type), 415)
    assert document["errors"][0]["field"] == "body"


def test_a_charset_beside_the_content_type_is_no_other_type(secret):
    assert send(secret, b'{"tag": "green"}', "application/json; charset=utf-8").status_code == 201


def test_a_body_without_end_is_refused_before_it_is_read(secret):
    problem(send(secret, b'{"reason": "' + b"x" * MOST_BYTES + b'"}'), 413)
    problem(send(secret, b"{}", **{"Transfer-Encoding": "chunked"}), 411)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"tag": "green", "tag": "blue"}',
        b'{"bake_seconds": NaN}',
        b'{"bake_seconds": ' + b"9" * 5000 + b"}",
        b'{"reason": "\\u0000"}',
        b'{"reason": "\\ud800"}',
        b'{"\\u0000": 1}',
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"[" * 30_000,
        b"[" * 30_000 + b"]" * 30_000,
        '{"reason": "é"}'.encode("latin-1"),
        '{"reason": "é"}'.encode("utf-16"),
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_what_is_no_json_or_means_nothing_is_refused(secret, body):
    document = problem(send(secret, body), 400)
    assert document["errors"][0]["field"] == "body"
    assert not Release.objects.exists()


def test_who_has_no_token_is_told_so_before_anything_is_read(secret):
    problem(send("bg_none", b"{", "text/plain"), 401)


@pytest.mark.parametrize("key", ["", "x" * 101, "with space", "ü"])
def test_a_release_is_requested_with_a_key_that_can_be_one(secret, key):
    answer = send(secret, b'{"tag": "green"}', **{"Idempotency-Key": key})
    assert [one["field"] for one in problem(answer, 422)["errors"]] == ["Idempotency-Key"]
    assert not Release.objects.exists()


def test_a_key_that_is_missing_is_named(secret):
    answer = call(secret, "POST", PATH, {"tag": "green"})
    assert [one["field"] for one in problem(answer, 422)["errors"]] == ["Idempotency-Key"]


def test_a_version_that_can_be_none_is_refused_by_its_header(scene, aws):
    run = scene.canary.plan_run
    body = {"plan_sha256": run.plan_sha256, "changes_digest": run.changes_digest}
    path = f"{PATH}/{scene.release.number}/steps/{scene.canary.pk}/approve"
    answer = call(secret_of(scene.manager), "POST", path, body, **{"If-Match": "*"})
    assert [one["field"] for one in problem(answer, 422)["errors"]] == ["If-Match"]


@pytest.mark.parametrize("wrong", ["0" * 63, "g" * 64, "0" * 65, 7, None])
@pytest.mark.parametrize("field", ["plan_sha256", "changes_digest"])
def test_what_is_no_digest_is_refused_by_its_field(scene, aws, field, wrong):
    body = {"plan_sha256": "0" * 64, "changes_digest": "0" * 64, field: wrong}
    path = f"{PATH}/{scene.release.number}/steps/{scene.canary.pk}/approve"
    answer = call(secret_of(scene.manager), "POST", path, body)
    assert [one["field"] for one in problem(answer, 422)["errors"]] == [field]
