"""Which calls are taken as changes, and for which service."""

import io
from typing import Any

import pytest

from infra.sandbox.api import Api
from infra.sandbox.mailbox import Mailbox

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def environ(service: str, method: str, body: str = "", **headers: str) -> dict[str, Any]:
    """A signed request as WSGI gives it; `headers` by their WSGI names."""
    scope = (
        f"AWS4-HMAC-SHA256 Credential=key/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host"
    )
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": scope if service else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body.encode()),
        **headers,
    }


@pytest.mark.parametrize(
    ("request_environ", "changed"),
    [
        (environ("iam", "POST", "Action=ListRoles&Version=1", CONTENT_TYPE=FORM), []),
        (environ("iam", "POST", "Action=CreateRole&Version=1", CONTENT_TYPE=FORM), ["iam"]),
        (environ("ecr", "POST", "{}", HTTP_X_AMZ_TARGET="AmazonEC2Registry_V1.DescribeImages"), []),
        (environ("ecr", "POST", "{}", HTTP_X_AMZ_TARGET="AmazonEC2Registry_V1.PutImage"), ["ecr"]),
        (environ("lambda", "GET"), []),
        (environ("lambda", "POST", "{}"), ["lambda"]),
        (environ("s3", "HEAD"), []),
        (environ("s3", "PUT", "body"), ["s3"]),
        (environ("", "PUT", "body"), [""]),
    ],
)
def test_change_is_told_before_the_answer_is_given(request_environ, changed, monkeypatch, tmp_path):
    told: list[str] = []
    api = Api(told.append, Mailbox(tmp_path))
    read: list[bytes] = []

    def moto(environ: dict[str, Any], start_response: object) -> list[bytes]:
        assert told == []
        read.append(environ["wsgi.input"].read())
        return [b"answer"]

    monkeypatch.setattr(api, "_moto", moto)
    assert api(request_environ, lambda *_: None) == [b"answer"]
    assert told == changed
    assert len(read[0]) == int(request_environ["CONTENT_LENGTH"])
