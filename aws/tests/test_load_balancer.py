import pytest

from aws import session
from aws.errors import AwsError
from aws.load_balancer import read_rules, registered_targets, set_weights
from infra.sandbox.tests.service import client, make_target_group


def weights_of(service, access):
    return read_rules(access, [service.rule_arn])[service.rule_arn].weights


def by_arn(service, **weights):
    return {service.groups[color]: weight for color, weight in weights.items()}


def test_a_rule_is_read_with_its_weights_and_conditions(service, access):
    rule = read_rules(access, [service.rule_arn])[service.rule_arn]
    assert rule.weights == by_arn(service, blue=100, green=0)
    assert rule.hostnames == {service.host}
    assert rule.source_ips == rule.paths == frozenset()
    assert (rule.stickiness_seconds, rule.headers) == (0, {})
    assert rule.other_conditions == frozenset()


def test_several_rules_are_read_by_one_call(service, access, sandbox):
    other = client(sandbox, "elbv2").create_rule(
        ListenerArn=sandbox.listener_arn,
        Priority=int(service.host.split("-")[2].partition(".")[0]) + 500,
        Conditions=[{"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1/32"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": service.groups["green"]}],
    )["Rules"][0]["RuleArn"]
    rules = read_rules(access, [service.rule_arn, other])
    assert rules[other].source_ips == {"192.0.2.1/32"}
    assert rules[other].weights == by_arn(service, green=1)
    assert rules[service.rule_arn].priority != rules[other].priority


def test_a_header_that_a_rule_asks_for_is_read_and_not_shown(service, access, sandbox):
    header = {"HttpHeaderName": "X-Canary", "Values": ["abcdefgh_12345678"]}
    conditions = [
        {"Field": "host-header", "HostHeaderConfig": {"Values": [service.host]}},
        {"Field": "http-header", "HttpHeaderConfig": header},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}},
    ]
    client(sandbox, "elbv2").modify_rule(RuleArn=service.rule_arn, Conditions=conditions)
    rule = read_rules(access, [service.rule_arn])[service.rule_arn]
    assert rule.headers == {"X-Canary": {"abcdefgh_12345678"}}
    assert rule.other_conditions == {"query-string"}
    assert "abcdefgh" not in repr(rule)


def test_a_rule_that_is_gone_is_named(service, access, sandbox):
    client(sandbox, "elbv2").delete_rule(RuleArn=service.rule_arn)
    with pytest.raises(AwsError) as refused:
        read_rules(access, [service.rule_arn])
    assert refused.value.code == "aws:rule-missing"


def test_weights_are_set_and_everything_else_stays(service, access):
    before = read_rules(access, [service.rule_arn])[service.rule_arn]
    set_weights(access, service.rule_arn, by_arn(service, blue=30, green=70))
    after = read_rules(access, [service.rule_arn])[service.rule_arn]
    assert after.weights == by_arn(service, blue=30, green=70)
    assert (after.hostnames, after.priority) == (before.hostnames, before.priority)


@pytest.fixture
def sent(access):
    """What each ModifyRule was asked with."""
    asked = []

    def note(params, **_):
        asked.append(params)

    events = session.elbv2(access).meta.events
    events.register("provide-client-params.elastic-load-balancing-v2.ModifyRule", note)
    yield asked
    events.unregister("provide-client-params.elastic-load-balancing-v2.ModifyRule", note)


def test_only_actions_are_sent(service, access, sent):
    set_weights(access, service.rule_arn, by_arn(service, blue=30, green=70))
    assert [params.keys() for params in sent] == [{"RuleArn", "Actions"}]


def test_stickiness_stays_while_users_are_split_and_ends_where_one_group_gets_everything(
    service, access, sandbox, sent
):
    forward = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": 50} for arn in service.groups.values()],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 300},
    }
    client(sandbox, "elbv2").modify_rule(
        RuleArn=service.rule_arn, Actions=[{"Type": "forward", "ForwardConfig": forward}]
    )
    set_weights(access, service.rule_arn, by_arn(service, blue=10, green=90))
    assert read_rules(access, [service.rule_arn])[service.rule_arn].stickiness_seconds == 300
    set_weights(access, service.rule_arn, by_arn(service, blue=100, green=0))
    assert not read_rules(access, [service.rule_arn])[service.rule_arn].stickiness_seconds
    stickiness = sent[-1]["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert stickiness == {"Enabled": False}


def test_an_authentication_before_the_forward_stays_and_keeps_its_secret(service, access, sandbox, sent):
    oidc = {
        "Issuer": "https://login.example.com",
        "AuthorizationEndpoint": "https://login.example.com/a",
        "TokenEndpoint": "https://login.example.com/t",
        "UserInfoEndpoint": "https://login.example.com/u",
        "ClientId": "bluegreen",
        "ClientSecret": "hidden",
    }
    forward = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": 50} for arn in service.groups.values()],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    elbv2 = client(sandbox, "elbv2")
    elbv2.modify_rule(
        RuleArn=service.rule_arn,
        Actions=[
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc},
            {"Type": "forward", "Order": 2, "ForwardConfig": forward},
        ],
    )
    set_weights(access, service.rule_arn, by_arn(service, blue=100, green=0))
    first, second = elbv2.describe_rules(RuleArns=[service.rule_arn])["Rules"][0]["Actions"]
    assert (first["Type"], first["Order"]) == ("authenticate-oidc", 1)
    assert first["AuthenticateOidcConfig"]["ClientId"] == "bluegreen"
    assert second["Order"] == 2
    assert sent[0]["Actions"][0]["AuthenticateOidcConfig"]["UseExistingClientSecret"] is True
    assert weights_of(service, access) == by_arn(service, blue=100, green=0)


@pytest.mark.parametrize("weights", [{"blue": 0, "green": 0}, {"blue": -1, "green": 101}, {"blue": 1000}, {}])
def test_impossible_weights_are_refused(service, access, sent, weights):
    with pytest.raises(ValueError, match=r"nobody|0 to 999"):
        set_weights(access, service.rule_arn, by_arn(service, **weights))
    assert sent == []


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_rule_that_forwards_to_one_of_the_groups_gets_the_other_back(service, access, sandbox, is_plain):
    green = {"TargetGroupArn": service.groups["green"]}
    forward = green if is_plain else {"ForwardConfig": {"TargetGroups": [green]}}
    client(sandbox, "elbv2").modify_rule(RuleArn=service.rule_arn, Actions=[{"Type": "forward", **forward}])
    set_weights(access, service.rule_arn, by_arn(service, blue=100, green=0))
    assert weights_of(service, access) == by_arn(service, blue=100, green=0)


def test_a_rule_that_forwards_elsewhere_is_left_alone(service, access, sandbox, sent):
    other, _ = make_target_group(sandbox, f"other-{service.host.partition('.')[0]}")
    forward = {"TargetGroups": [{"TargetGroupArn": arn} for arn in (*service.groups.values(), other)]}
    client(sandbox, "elbv2").modify_rule(
        RuleArn=service.rule_arn, Actions=[{"Type": "forward", "ForwardConfig": forward}]
    )
    with pytest.raises(AwsError, match="somebody changed it") as refused:
        set_weights(access, service.rule_arn, by_arn(service, blue=0, green=100))
    assert refused.value.code == "aws:other-groups"
    assert sent == []


def test_a_rule_that_forwards_nowhere_is_left_alone(service, access, sandbox, sent):
    closed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    client(sandbox, "elbv2").modify_rule(RuleArn=service.rule_arn, Actions=[closed])
    with pytest.raises(AwsError, match="somebody changed it"):
        set_weights(access, service.rule_arn, by_arn(service, blue=100, green=0))
    assert sent == []
    assert weights_of(service, access) == {}


def test_a_kind_of_condition_that_bluegreen_never_makes_is_told(service, access, sandbox):
    method = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}
    path = {"Field": "path-pattern", "Values": ["/shop/*"]}
    client(sandbox, "elbv2").modify_rule(RuleArn=service.rule_arn, Conditions=[method, path])
    rule = read_rules(access, [service.rule_arn])[service.rule_arn]
    assert rule.other_conditions == {"http-request-method"}
    assert rule.paths == {"/shop/*"}
    assert rule.hostnames == frozenset()


def test_the_target_of_a_group_is_the_alias(service, access):
    assert registered_targets(access, service.groups["blue"]) == (service.targets["blue"],)


def test_a_target_group_that_is_gone_is_named(access, service):
    with pytest.raises(AwsError) as refused:
        registered_targets(access, service.groups["blue"][:-4] + "beef")
    assert refused.value.code == "aws:target-group-missing"
