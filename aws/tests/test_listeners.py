import itertools

import pytest

from aws.errors import AwsError
from aws.listeners import (
    count_target_groups,
    is_internet_facing,
    list_listeners,
    list_rules,
    read_listener,
)
from aws.session import elbv2
from infra.sandbox.tests.service import client, make_target_group

numbers = itertools.count(35_000)
FORWARD = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def make_rule(sandbox, *conditions) -> int:
    priority = next(numbers)
    client(sandbox, "elbv2").create_rule(
        ListenerArn=sandbox.listener_arn, Priority=priority, Conditions=list(conditions), Actions=[FORWARD]
    )
    return priority


def rule(access, sandbox, priority):
    return next(one for one in list_rules(access, sandbox.listener_arn) if one.priority == priority)


def test_the_listeners_of_the_region_are_found(access, sandbox):
    found = next(one for one in list_listeners(access) if one.arn == sandbox.listener_arn)
    assert (found.load_balancer_name, found.port, found.protocol) == (sandbox.load_balancer_name, 80, "HTTP")
    assert found.load_balancer_arn == sandbox.load_balancer_arn
    assert read_listener(access, sandbox.listener_arn) == found


def test_a_listener_that_is_gone_is_named(access, sandbox):
    with pytest.raises(AwsError) as refused:
        read_listener(access, sandbox.listener_arn[:-4] + "0000")
    assert refused.value.code == "aws:listener-missing"


def test_whether_a_load_balancer_is_on_the_internet_is_known(access, sandbox):
    assert is_internet_facing(access, sandbox.listener_arn)
    balancer = client(sandbox, "elbv2")
    subnets = [one["SubnetId"] for one in client(sandbox, "ec2").describe_subnets()["Subnets"][:2]]
    made = balancer.create_load_balancer(Name="inside", Subnets=subnets, Scheme="internal")["LoadBalancers"][
        0
    ]
    listener = balancer.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]
    try:
        assert not is_internet_facing(access, listener["ListenerArn"])
    finally:
        balancer.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def test_network_load_balancers_and_more_than_twenty_are_left_out(scripted):
    access, answer = scripted
    balancers = [
        {
            "LoadBalancerName": f"alb-{number:02}",
            "LoadBalancerArn": f"arn:alb-{number:02}",
            "Type": "application",
        }
        for number in range(25)
    ]
    network = {"LoadBalancerName": "a-network", "LoadBalancerArn": "arn:nlb", "Type": "network"}
    listed: list[tuple[str, dict[str, str], dict[str, list[object]]]] = [
        ("describe_listeners", {"LoadBalancerArn": f"arn:alb-{number:02}"}, {"Listeners": []})
        for number in range(20)
    ]
    answer(
        elbv2(access),
        ("describe_load_balancers", {}, {"LoadBalancers": [network, *reversed(balancers)]}),
        *listed,
    )
    assert list_listeners(access) == []


def test_rules_come_by_priority_with_what_they_ask_for(access, sandbox):
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com", "b.example.com"]}}
    path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}
    first, second = make_rule(sandbox, host, path), make_rule(sandbox, host)
    found = rule(access, sandbox, first)
    assert found.asks_for == "host-header a.example.com, b.example.com; path-pattern /api/*"
    assert not found.takes_all
    priorities = [one.priority for one in list_rules(access, sandbox.listener_arn)]
    assert priorities == sorted(priorities)
    assert {first, second} <= set(priorities)


def test_the_value_of_a_header_is_not_told(access, sandbox):
    header = {
        "Field": "http-header",
        "HttpHeaderConfig": {"HttpHeaderName": "x-canary", "Values": ["secret"]},
    }
    assert rule(access, sandbox, make_rule(sandbox, header)).asks_for == "http-header x-canary"


def test_a_rule_that_takes_every_request_is_known(access, sandbox):
    everything = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}
    elsewhere = {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1/32"]}}
    # Asks for an address that nobody has too, so that it takes nothing from other tests' services.
    found = rule(access, sandbox, make_rule(sandbox, everything, elsewhere))
    assert not found.takes_all
    assert "source-ip 192.0.2.1/32" in found.asks_for


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Field": "path-pattern", "Values": ["/*"]}, True),
        ({"Field": "path-pattern", "Values": ["/*"], "PathPatternConfig": {"Values": ["/*"]}}, True),
        ({"Field": "path-pattern", "Values": ["/api/*"]}, False),
    ],
)
def test_conditions_may_be_written_in_the_older_way(scripted, condition, expected):
    access, answer = scripted
    found = {
        "RuleArn": "arn:rule",
        "Priority": "7",
        "IsDefault": False,
        "Conditions": [condition],
        "Actions": [],
    }
    default = {**found, "Priority": "default", "IsDefault": True}
    answer(elbv2(access), ("describe_rules", {"ListenerArn": "arn:listener"}, {"Rules": [found, default]}))
    (only,) = list_rules(access, "arn:listener")
    assert (only.priority, only.takes_all) == (7, expected)


def test_target_groups_are_counted_once_wherever_requests_are_forwarded_to_them(scripted):
    access, answer = scripted
    listener = {"LoadBalancerArn": "arn:loadbalancer/app/shop/1", "Port": 80, "Protocol": "HTTP"}
    listeners = [{**listener, "ListenerArn": "arn:http"}, {**listener, "ListenerArn": "arn:https"}]
    split = {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a"}, {"TargetGroupArn": "arn:b"}]},
    }
    plain = {
        "Type": "forward",
        "TargetGroupArn": "arn:a",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:a"}]},
    }
    rules = [{"Actions": [split]}, {"Actions": [plain]}]
    answer(
        elbv2(access),
        ("describe_listeners", {"LoadBalancerArn": "arn:loadbalancer/app/shop/1"}, {"Listeners": listeners}),
        ("describe_rules", {"ListenerArn": "arn:http"}, {"Rules": rules[:1], "NextMarker": "more"}),
        ("describe_rules", {"ListenerArn": "arn:http", "Marker": "more"}, {"Rules": rules[1:]}),
        (
            "describe_rules",
            {"ListenerArn": "arn:https"},
            {"Rules": [{"Actions": [{"Type": "forward", "TargetGroupArn": "arn:c"}]}]},
        ),
    )
    assert count_target_groups(access, "arn:loadbalancer/app/shop/1") == 3


def test_a_group_counts_once_a_rule_sends_requests_to_it(access, sandbox, service):
    before = count_target_groups(access, sandbox.load_balancer_arn)
    make_target_group(sandbox, f"unused-{next(numbers)}")
    assert count_target_groups(access, sandbox.load_balancer_arn) == before >= 2
