"""The cookie that keeps a client with a target group."""

import base64

import pytest

from infra.sandbox.stickiness import COOKIE, read_cookie, write_cookie

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web-green/1"


def held(seconds: int = 60) -> str:
    """What a client sends back of a cookie that it was given at time 1000."""
    return write_cookie(GROUP, seconds=seconds, now=1000.0).partition(";")[0]


def cookie(content: str) -> str:
    return f"{COOKIE}={base64.urlsafe_b64encode(content.encode()).decode()}"


def test_client_is_told_how_long_the_cookie_holds():
    assert write_cookie(GROUP, seconds=60, now=1000.0).endswith("; Max-Age=60; Path=/")


@pytest.mark.parametrize(("now", "group"), [(1000.0, GROUP), (1059.9, GROUP), (1060.0, ""), (9999.0, "")])
def test_cookie_holds_until_its_time_is_over(now, group):
    assert read_cookie([held()], now=now) == group


def test_cookie_is_found_among_others_and_in_a_second_header():
    assert read_cookie([f"a=1; {held()}; b=2"], now=1000.0) == GROUP
    assert read_cookie(["a=1", held()], now=1000.0) == GROUP


@pytest.mark.parametrize(
    "header",
    [
        "",
        "a=1",
        f"{COOKIE}=",
        f"{COOKIE}=x",
        f"{COOKIE}=%%%",
        cookie("[]"),
        cookie("{}"),
        cookie('["group", "soon"]'),
        cookie("[1, 2000.0]"),
        cookie("5"),
    ],
)
def test_cookie_that_the_load_balancer_never_gave_holds_nobody(header):
    assert read_cookie([header], now=1000.0) == ""
