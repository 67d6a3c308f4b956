"""Which of the load balancer's rules let a client in."""

from typing import Any

import pytest

from releases.domain.traffic import NOBODY
from tests.clients import YOU, Client

TESTER = Client(
    name="tester", audience=YOU, url="", address="2001:db8::9", headers={"x-canary": "Secret_Value"}
)


def sources(*values: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


@pytest.mark.parametrize(
    ("conditions", "is_let_in"),
    [
        ([], True),
        ([{"Field": "path-pattern", "Values": ["/*"]}], True),
        ([sources("203.0.113.7/32", "2001:db8::/64")], True),
        ([sources("203.0.113.7/32", "2001:db8::8/128")], False),
        ([sources(NOBODY)], False),
        ([header("X-Canary", "another", "secret_value")], True),
        ([header("X-Canary", "secret_valu")], False),
        ([header("X-Other", "secret_value")], False),
        ([header("X-Canary", "secret_value"), sources(NOBODY)], False),
    ],
)
def test_a_rule_lets_in_whoever_meets_all_its_conditions(conditions, is_let_in):
    assert TESTER.is_let_in({"Conditions": conditions}) is is_let_in
