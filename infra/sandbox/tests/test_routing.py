"""The choice of an answer: conditions, priority, weights."""

from collections import Counter
from itertools import count

import pytest

from infra.sandbox.routing import (
    Header,
    Outcome,
    Request,
    Route,
    RoutingTable,
    dump_routes,
    error_outcome,
    load_routes,
)


def outcome(name: str, weight: int = 1) -> Outcome:
    return Outcome(weight=weight, status=200, content_type="text/plain", body=name)


def choose(
    *routes: Route, host="example.com", path="/", address="127.0.0.1", headers=(), group="", draw=0.0
) -> Outcome:
    request = Request(host=host, path=path, address=address, headers=dict(headers), sticky_group=group)
    return RoutingTable(routes).choose(request, lambda: draw)


def sticky(group: str, weight: int) -> Outcome:
    return Outcome(
        weight=weight,
        status=200,
        content_type="text/plain",
        body=group,
        target_group=group,
        sticky_seconds=60,
    )


@pytest.mark.parametrize(
    ("pattern", "host", "matches"),
    [
        ("shop.example.com", "shop.example.com", True),
        ("shop.example.com", "SHOP.Example.com", True),
        ("shop.example.com", "shopXexample.com", False),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("shop?.example.com", "shop1.example.com", True),
        ("shop?.example.com", "shop.example.com", False),
        ("[ab].example.com", "a.example.com", False),
    ],
)
def test_host_header_is_compared_without_case_and_with_wildcards(pattern, host, matches):
    route = Route(hosts=(pattern,), outcomes=(outcome("matched"),))
    assert (choose(route, host=host).body == "matched") is matches


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/*", "/", True),
        ("/img/*", "/img/a/b.png", True),
        ("/img/*", "/IMG/a", False),
        ("/img", "/img/", False),
    ],
)
def test_path_is_compared_with_case_and_wildcards(pattern, path, matches):
    route = Route(paths=(pattern,), outcomes=(outcome("matched"),))
    assert (choose(route, path=path).body == "matched") is matches


@pytest.mark.parametrize(
    ("address", "matches"),
    [
        ("127.0.0.9", True),
        ("127.0.0.8", False),
        ("10.1.2.3", True),
        ("::1", False),
        ("2001:db8::9", True),
        ("2001:db9::9", False),
    ],
)
def test_source_address_matches_any_of_the_networks_of_both_kinds(address, matches):
    networks = ("127.0.0.9/32", "10.0.0.0/8", "2001:db8::/32")
    route = Route(source_ips=networks, outcomes=(outcome("matched"),))
    assert (choose(route, address=address).body == "matched") is matches


@pytest.mark.parametrize(
    ("values", "matches"),
    [
        (("secret",), True),
        (("SECRET",), True),
        (("other", "secret"), True),
        (("secrets",), False),
        (("begins-anyhow",), True),
        ((), False),
    ],
)
def test_header_is_compared_without_case_and_with_wildcards(values, matches):
    header = Header(name="X-Canary", values=("secret", "begins-*"))
    route = Route(headers=(header,), outcomes=(outcome("matched"),))
    assert (choose(route, headers={"x-canary": values}).body == "matched") is matches
    assert choose(route, headers={"x-other": ("secret",)}).status == 503


def test_host_path_and_header_are_needed_together():
    header = Header(name="x-canary", values=("secret",))
    route = Route(hosts=("a.com",), paths=("/api/*",), headers=(header,), outcomes=(outcome("matched"),))
    right = {"host": "a.com", "path": "/api/v1", "headers": {"x-canary": ("secret",)}}
    assert choose(route, **right).body == "matched"
    wrongs: list[dict[str, object]] = [{"host": "b.com"}, {"path": "/"}, {"headers": {}}]
    for wrong in wrongs:
        assert choose(route, **{**right, **wrong}).status == 503


@pytest.mark.parametrize("weight", [0, 50, 100])
def test_sticky_client_stays_whatever_the_weight(weight):
    route = Route(outcomes=(sticky("blue", 100 - weight), sticky("green", weight)))
    assert {choose(route, group="green", draw=point / 10).body for point in range(10)} == {"green"}


def test_client_of_a_group_that_the_rule_does_not_have_is_drawn_like_a_new_one():
    route = Route(outcomes=(sticky("blue", 100), sticky("green", 0)))
    assert choose(route, group="yellow").body == choose(route, group="").body == "blue"


def test_rule_without_stickiness_ignores_the_cookie():
    groups = (
        Outcome(weight=weight, status=200, content_type="text/plain", body=group, target_group=group)
        for group, weight in (("blue", 100), ("green", 0))
    )
    assert choose(Route(outcomes=tuple(groups)), group="green").body == "blue"


def test_every_condition_of_a_rule_has_to_match():
    route = Route(hosts=("example.com",), source_ips=("127.0.0.9/32",), outcomes=(outcome("matched"),))
    assert choose(route, address="127.0.0.9").body == "matched"
    assert choose(route, address="127.0.0.1").status == 503
    assert choose(route, host="other", address="127.0.0.9").status == 503


def test_first_matching_rule_answers():
    assert choose(Route(outcomes=(outcome("first"),)), Route(outcomes=(outcome("second"),))).body == "first"


def test_shares_are_exactly_the_weights():
    route = Route(outcomes=(outcome("blue", 75), outcome("green", 25)))
    chosen = Counter(choose(route, draw=point / 1000).body for point in range(1000))
    assert chosen == {"blue": 750, "green": 250}


@pytest.mark.parametrize("weights", [(0, 100), (100, 0)])
def test_weight_zero_is_never_chosen(weights):
    route = Route(outcomes=(outcome("blue", weights[0]), outcome("green", weights[1])))
    expected = "green" if weights[0] == 0 else "blue"
    assert {choose(route, draw=point / 100).body for point in range(100)} == {expected}


def test_all_weights_zero_is_a_503():
    assert choose(Route(outcomes=(outcome("blue", 0), outcome("green", 0)))).status == 503


def test_no_draw_is_wasted_where_nothing_matches():
    drawn = count()
    table = RoutingTable([Route(hosts=("a",), outcomes=(outcome("a"),))])
    table.choose(Request(host="b", path="/", address="127.0.0.1"), lambda: float(next(drawn)))
    assert next(drawn) == 0


def test_routes_survive_the_way_through_json():
    routes = [
        Route(
            hosts=("a",),
            paths=("/b",),
            source_ips=("10.0.0.0/8",),
            headers=(Header(name="x-canary", values=("1", "2")),),
            outcomes=(outcome("x"), sticky("y", 0)),
        ),
        Route(outcomes=(error_outcome(502, target_group="arn", weight=3),)),
    ]
    line = dump_routes(routes)
    assert load_routes(line) == routes
    assert "\n" not in line
