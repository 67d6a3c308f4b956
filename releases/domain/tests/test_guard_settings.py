from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from releases.domain.plans.expectation import Expectation
from releases.domain.plans.guard import check_plan
from releases.domain.provisioning.settings import Settings, SettingsChange
from releases.domain.tests.real_plans import (
    BLUE_FUNCTION,
    CANARY,
    GREEN_FUNCTION,
    PREFIX,
    ROLE,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
    resource,
)
from releases.domain.traffic import Transition
from terraform_runner.domain.plan import parse_plan

OLD = Settings()
NEW = Settings(hostnames=("shop.example.com",), tags={"team": "pay"}, priority=300)
SLOT = f'{PREFIX}aws_lb_listener_rule.canary_slot["2"]'
LOGS = [f"{PREFIX}aws_cloudwatch_log_group.{color}[0]" for color in ("blue", "green")]
READY = [f"{PREFIX}aws_lambda_provisioned_concurrency_config.{color}[0]" for color in ("blue", "green")]
# As Terraform has it for what is made.
KNOWN_LATER = {
    "aws_lambda_provisioned_concurrency_config": {"id": True},
    "aws_lb_listener_rule": {"id": True, "arn": True, "tags_all": True, "action": [{"order": True}]},
}
HOSTS = {"host_header": [{"values": ["shop.example.com"]}]}


def condition(**kinds: Any) -> Document:
    names = ("host_header", "http_header", "http_request_method", "path_pattern", "query_string")
    empty: Document = {name: [] for name in names}
    return {**empty, "source_ip": [], **kinds}


def changed(*, hosts: bool = True, tags: bool = True, priority: int = 300) -> Document:
    """The service after its first rotation, with other hosts, tags and priority."""
    shown = document("canary")
    shown["resource_changes"] = [one for one in shown["resource_changes"] if one["mode"] == "managed"]
    for item in shown["resource_changes"]:
        change = item["change"]
        change |= {"actions": ["no-op"], "after": deepcopy(change["before"]), "after_unknown": {}}
        if tags and "tags" in change["after"]:
            change["actions"] = ["update"]
            change["after"] |= {"tags": {"team": "pay"}, "tags_all": {"team": "pay"}}
    for address, number in ((TRAFFIC, priority), (CANARY, priority - 1)):
        after = change_of(shown, address)["after"]
        change_of(shown, address)["actions"] = ["update"]
        after["priority"] = number
        if hosts:
            kept = [one for one in after["condition"] if not one["path_pattern"]]
            after["condition"] = [condition(**HOSTS), *kept]
    return shown


def expected(settings: SettingsChange | None = None, **columns: Any) -> Expectation:
    settings = settings or SettingsChange(before=OLD, after=NEW)
    made = expectation("canary")
    return replace(
        made,
        transition=columns.pop("transition", Transition.SETTINGS),
        after=columns.pop("after", made.before),
        hostnames=settings.after.hostnames,
        priority=settings.after.priority,
        canary_slots=settings.after.canary_slots,
        settings=settings,
        **columns,
    )


def reasons(shown: Document, wanted: Expectation | None = None) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), wanted or expected())]


def to(**columns: Any) -> Expectation:
    """From the old settings to these and nothing else."""
    return expected(SettingsChange(before=OLD, after=replace(OLD, **columns)))


def made(shown: Document, address: str, kind: str, **after: Any) -> None:
    """Add a resource that the plan creates."""
    label = address.removeprefix(f"{PREFIX}{kind}.").partition("[")[0]
    shown["resource_changes"].append(
        {
            "address": address,
            "module_address": PREFIX.removesuffix("."),
            "mode": "managed",
            "type": kind,
            "name": label,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": after,
                "after_unknown": KNOWN_LATER.get(kind, {"id": True, "arn": True, "tags_all": True}),
                "before_sensitive": False,
                "after_sensitive": {},
            },
        }
    )


def with_logs() -> Document:
    shown = changed(hosts=False, tags=False, priority=200)
    for address, function in zip(LOGS, (BLUE_FUNCTION, GREEN_FUNCTION), strict=True):
        name = change_of(shown, function)["before"]["function_name"]
        made(
            shown,
            address,
            "aws_cloudwatch_log_group",
            name=f"/aws/lambda/{name}",
            retention_in_days=30,
            tags={},
            kms_key_id=None,
            skip_destroy=False,
        )
    return unchanged_rules(shown)


def unchanged_rules(shown: Document) -> Document:
    for address in (TRAFFIC, CANARY):
        change = change_of(shown, address)
        change |= {"actions": ["no-op"], "after": deepcopy(change["before"])}
    return shown


def with_slot() -> Document:
    shown = unchanged_rules(changed(hosts=False, tags=False, priority=200))
    rule = deepcopy(change_of(shown, CANARY)["after"])
    made(shown, SLOT, "aws_lb_listener_rule", **{**rule, "priority": 198, "tags": {}})
    return shown


def with_concurrency() -> Document:
    shown = unchanged_rules(changed(hosts=False, tags=False, priority=200))
    for address, function in zip(READY, (BLUE_FUNCTION, GREEN_FUNCTION), strict=True):
        made(
            shown,
            address,
            "aws_lambda_provisioned_concurrency_config",
            function_name=change_of(shown, function)["before"]["function_name"],
            qualifier="live",
            provisioned_concurrent_executions=2,
            skip_destroy=False,
        )
    return shown


GOOD = {
    "hosts, tags, priority": (changed, expected),
    "logs": (with_logs, lambda: to(log_retention_days=30)),
    "a slot": (with_slot, lambda: to(canary_slots=2)),
    "concurrency": (with_concurrency, lambda: to(provisioned_concurrency=2)),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_was_asked_for_is_accepted(name):
    make, wanted = GOOD[name]
    assert reasons(make(), wanted()) == []


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("transition", [Transition.CANARY, Transition.SHIFT, Transition.PROMOTE])
def test_no_release_may_change_settings(name, transition):
    make, wanted = GOOD[name]
    assert reasons(make(), replace(wanted(), transition=transition))


@pytest.mark.parametrize("name", GOOD)
def test_what_was_not_asked_for_is_refused(name):
    make, wanted = GOOD[name]
    other = replace(wanted(), settings=SettingsChange(before=OLD, after=OLD), canary_slots=1)
    assert reasons(make(), other)


def test_a_plan_that_leaves_something_out_is_refused():
    assert f"{TRAFFIC}, condition: would not be what was asked for." in reasons(changed(hosts=False))
    assert f"{BLUE_FUNCTION}, tags: would not be what was asked for." in reasons(changed(tags=False))
    assert f"{CANARY}, priority: would not be what was asked for." in reasons(changed(priority=301))


def test_what_somebody_changed_by_hand_is_said():
    shown = changed()
    change_of(shown, TRAFFIC)["before"]["priority"] = 250
    assert reasons(shown) == [f"{TRAFFIC}, priority: was changed outside of Bluegreen."]


def test_what_an_earlier_try_has_begun_is_found_without_complaint():
    shown = changed()
    change_of(shown, TRAFFIC)["before"]["priority"] = 250
    begun = SettingsChange(before=OLD, after=NEW, begun=replace(NEW, priority=250))
    assert reasons(shown, expected(begun)) == []


def test_the_end_of_a_rollback_finishes_what_was_begun():
    begun = SettingsChange(before=OLD, after=NEW, begun=NEW)
    assert reasons(changed(), expected(begun, transition=Transition.ROLLBACK)) == []


def test_the_end_of_any_other_rollback_changes_no_settings():
    wanted = expected(SettingsChange(before=OLD, after=OLD), transition=Transition.ROLLBACK)
    assert any("may not change it" in reason for reason in reasons(changed(), wanted))


@pytest.mark.parametrize(
    ("address", "attribute", "value"),
    [
        (TRAFFIC, "listener_arn", "arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/other/1/2"),
        (BLUE_FUNCTION, "memory_size", 512),
        (BLUE_FUNCTION, "image_uri", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:" + "0" * 64),
        (GREEN_FUNCTION, "timeout", 1),
        (f"{PREFIX}aws_lambda_alias.blue", "function_version", "99"),
        (
            f"{PREFIX}aws_lb_target_group_attachment.blue",
            "target_id",
            "arn:aws:lambda:eu-central-1:1:function:x",
        ),
        (f"{PREFIX}aws_lambda_permission.blue", "principal", "*"),
        (ROLE, "assume_role_policy", "{}"),
    ],
)
def test_functions_aliases_targets_and_rights_stay_as_they_are(address, attribute, value):
    shown = changed()
    change_of(shown, address)["actions"] = ["update"]
    change_of(shown, address)["after"][attribute] = value
    assert any(reason.startswith(f"{address}, {attribute}") for reason in reasons(shown))


def test_weights_stay_as_they_are():
    shown = changed()
    for group in change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["target_group"]:
        group["weight"] = 50
    assert any(reason.startswith(f"{TRAFFIC}, weights") for reason in reasons(shown))


def test_the_canary_stays_off():
    shown = changed()
    for block in change_of(shown, CANARY)["after"]["condition"]:
        for source in block["source_ip"]:
            source["values"] = ["0.0.0.0/0"]
    assert any(reason.startswith(f"{CANARY}, source addresses") for reason in reasons(shown))


@pytest.mark.parametrize("kind", ["query_string", "http_request_method"])
def test_a_rule_asks_for_nothing_that_is_no_setting(kind):
    shown = changed()
    change_of(shown, TRAFFIC)["after"]["condition"].append(condition(**{kind: [{"values": ["x"]}]}))
    assert f"{TRAFFIC}, condition: would not be what was asked for." in reasons(shown)


@pytest.mark.parametrize("address", [TRAFFIC, CANARY, BLUE_FUNCTION, f"{PREFIX}aws_lb_target_group.blue"])
@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create"]])
def test_nothing_that_serves_is_deleted_replaced_or_made(address, actions):
    shown = changed()
    change_of(shown, address)["actions"] = actions
    assert any(reason.startswith(f"{address}: would be") for reason in reasons(shown))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("priority", 197),
        ("listener_arn", "arn:other"),
        ("condition", [condition(path_pattern=[{"values": ["/*"]}], source_ip=[{"values": ["0.0.0.0/0"]}])]),
    ],
)
def test_a_new_slot_is_like_the_first_and_matches_nobody(attribute, value):
    shown = with_slot()
    change_of(shown, SLOT)["after"][attribute] = value
    assert any(reason.startswith(SLOT) for reason in reasons(shown, to(canary_slots=2)))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("name", "/aws/lambda/other"), ("retention_in_days", 1), ("kms_key_id", "key"), ("tags", {"x": "y"})],
)
def test_a_new_log_group_is_its_functions_own(attribute, value):
    shown = with_logs()
    change_of(shown, LOGS[0])["after"][attribute] = value
    assert any(
        reason.startswith(f"{LOGS[0]}, {attribute}") for reason in reasons(shown, to(log_retention_days=30))
    )


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("function_name", "other"), ("qualifier", "2"), ("provisioned_concurrent_executions", 900)],
)
def test_what_is_kept_ready_is_the_alias_as_often_as_was_asked(attribute, value):
    shown = with_concurrency()
    change_of(shown, READY[1])["after"][attribute] = value
    found = reasons(shown, to(provisioned_concurrency=2))
    assert any(reason.startswith(f"{READY[1]}, {attribute}") for reason in found)


def test_a_value_that_is_known_only_later_is_refused():
    shown = with_logs()
    change_of(shown, LOGS[0])["after_unknown"]["name"] = True
    found = reasons(shown, to(log_retention_days=30))
    assert f"{LOGS[0]}, name: has to be known in the plan." in found


def test_what_is_kept_ready_may_end_and_logs_may_not():
    shown = with_concurrency()
    for address in READY:
        change = change_of(shown, address)
        change |= {"actions": ["delete"], "before": change["after"], "after": None, "after_unknown": {}}
        resource(shown, address)["action_reason"] = "delete_because_count_index"
    ended = expected(SettingsChange(before=replace(OLD, provisioned_concurrency=2), after=OLD))
    assert reasons(shown, ended) == []
    resource(shown, READY[0])["action_reason"] = "delete_because_no_resource_config"
    assert reasons(shown, ended) == [
        f"{READY[0]}: Terraform gives a reason of its own (delete_because_no_resource_config)."
    ]
    shown = with_logs()
    change_of(shown, LOGS[0])["actions"] = ["delete"]
    assert any("would be deleted" in reason for reason in reasons(shown, to(log_retention_days=30)))


@pytest.mark.parametrize("address", [SLOT.replace('"2"', '"3"'), f"{PREFIX}aws_lb_listener_rule.other"])
def test_no_more_rules_are_made_than_were_asked_for(address):
    shown = with_slot()
    resource(shown, SLOT)["address"] = address
    assert reasons(shown, to(canary_slots=2))
