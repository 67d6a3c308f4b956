from aws.leftovers import (
    find_rules,
    find_target_group,
    has_alias,
    has_function,
    has_role,
    read_statements,
)


def test_what_is_there_is_found_by_its_name(service, access):
    blue, green = service.functions["blue"], service.functions["green"]
    assert has_function(access, blue)
    assert has_alias(access, blue, "live")
    assert read_statements(access, blue, "live") == {f"AllowALB-{blue}"}
    assert find_target_group(access, green) == service.groups["green"]
    assert has_role(access, service.host.partition(".")[0])


def test_what_is_not_there_is_not(access, sandbox):
    assert not has_role(access, "nobodys")
    assert not has_function(access, "nobodys")
    assert not has_alias(access, "nobodys", "live")
    assert read_statements(access, "nobodys", "live") == frozenset()
    assert find_target_group(access, "nobodys") == ""
    assert find_rules(access, sandbox.listener_arn, ["arn:nobodys"]) == {}


def test_rules_are_found_by_where_they_lead_and_nowhere_else(service, access, sandbox):
    groups = list(service.groups.values())
    service.set_weights(blue=60, green=40)
    assert list(find_rules(access, sandbox.listener_arn, groups).values()) == [service.rule_arn]
    assert find_rules(access, sandbox.listener_arn, groups[:1]) == {}
