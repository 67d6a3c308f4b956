import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.domain.plan import changes_digest, parse_plan
from terraform_runner.errors import TerraformFailed
from terraform_runner.tests.support import plan_document, real_plan, resource_change

SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
ATTRIBUTES = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def digest(document: dict[str, Any]) -> str:
    return changes_digest(parse_plan(document))


def test_shift_is_one_update_of_the_traffic_rule():
    plan = parse_plan(real_plan("shift_25"))

    (change,) = plan.changes
    assert change.address == "module.service.aws_lb_listener_rule.traffic"
    assert change.module_address == "module.service"
    assert change.actions == ("update",)
    assert change.before is not None
    assert [group["weight"] for group in change.before["action"][0]["forward"][0]["target_group"]] == [100, 0]
    assert len(plan.resource_changes) == 2
    assert (plan.applyable, plan.complete, plan.errored) == (True, True, False)
    assert [check.status for check in plan.checks] == ["pass"]
    assert plan.unexpected == ()


def test_rotation_leaves_the_new_version_unknown():
    changes = {
        change.name + change.type: change
        for change in parse_plan(real_plan("rotate_candidate_first")).changes
    }

    assert changes["greenaws_lambda_alias"].after_unknown["function_version"] is True
    assert changes["greenaws_lambda_function"].after_unknown["version"] is True


def test_drift_is_read_apart_from_changes():
    plan = parse_plan(real_plan("rotate_candidate_first"))

    assert [drift.address for drift in plan.resource_drift] == [
        "module.service.aws_lambda_function.green",
        "module.service.aws_lb_target_group.blue",
    ]


def test_replacement_names_what_forces_it():
    (change,) = parse_plan(real_plan("bad_family_replaced")).changes

    assert change.actions == ("delete", "create")
    assert change.replace_paths
    assert change.action_reason


def test_create_has_no_before():
    changes = parse_plan(real_plan("set_up")).changes

    assert {change.actions for change in changes} == {("create",)}
    assert {change.before for change in changes} == {None}


@pytest.mark.parametrize("actions", [["no-op"], ["read"]])
def test_what_has_no_effect_is_no_change(actions):
    assert parse_plan(plan_document(resource_change(actions=actions))).changes == ()


def test_program_without_the_newer_keys_is_understood():
    plan = parse_plan({"format_version": "1.2", "terraform_version": "1.9.0"})

    assert (plan.applyable, plan.complete, plan.resource_changes, plan.checks) == (None, None, (), ())


def test_content_that_is_not_known_is_named():
    resource = resource_change(actions=["update"], novelty=[1]) | {"surprise": {"a": 1}, "nothing": []}
    document = plan_document(resource, action_invocations=[{"address": "x"}], query_results=[])

    assert parse_plan(document).unexpected == (
        "action_invocations",
        "aws_x.one: surprise",
        "aws_x.one: change.novelty",
    )


@pytest.mark.parametrize("version", ["2.0", "", "0.2"])
def test_another_major_format_is_refused(version):
    with pytest.raises(TerraformFailed, match="format"):
        parse_plan({"format_version": version})


@given(before=ATTRIBUTES, after=ATTRIBUTES, seed=st.integers())
def test_digest_does_not_depend_on_the_order_of_keys_or_resources(before, after, seed):
    one = resource_change(before=before, after=after)
    other = resource_change(before=after, after=before) | {"address": "aws_x.two"}
    shuffled = [_shuffle(one, random.Random(seed)), _shuffle(other, random.Random(seed))]

    assert digest(plan_document(one, other)) == digest(plan_document(*reversed(shuffled)))


@given(data=st.data())
def test_digest_depends_on_every_attribute(data):
    document = real_plan(data.draw(st.sampled_from(["shift_25", "rotate_candidate_first", "set_up"])))
    changed = copy.deepcopy(document)
    effective = [item for item in changed["resource_changes"] if item["change"]["actions"] != ["no-op"]]
    change = data.draw(st.sampled_from(effective))["change"]
    values = data.draw(st.sampled_from([values for values in (change["before"], change["after"]) if values]))
    attribute = data.draw(st.sampled_from(sorted(set(values) - {"last_modified"})))
    values[attribute] = "another value"

    assert digest(document) != digest(changed)


def test_an_import_is_a_change_though_nothing_is_done_at_aws():
    imported = resource_change(actions=["no-op"], importing={"id": "i-1"})
    [change] = parse_plan(plan_document(imported, resource_change(actions=["no-op"]))).changes
    assert change.importing == "i-1"


@pytest.mark.parametrize(
    "change",
    [
        {"actions": ["delete", "create"]},
        {"after_unknown": {"a": True}},
        {"before_sensitive": {"a": True}},
        {"after_sensitive": {"a": True}},
        {"replace_paths": [["a"]]},
        {"importing": {"id": "i-1"}},
        {"before": None},
        {"after": None},
    ],
)
def test_digest_depends_on_what_is_done_and_how(change):
    assert digest(plan_document(resource_change())) != digest(plan_document(resource_change(**change)))


@pytest.mark.parametrize("key", ["address", "previous_address", "deposed"])
def test_digest_depends_on_which_resource_it_is(key):
    other = resource_change() | {key: "another"}

    assert digest(plan_document(resource_change())) != digest(plan_document(other))


@pytest.mark.parametrize(
    "noise", [{"timestamp": "2027-01-01T00:00:00Z"}, {"resource_drift": [resource_change()]}]
)
def test_digest_ignores_when_the_plan_was_made_and_what_drifted(noise):
    assert digest(plan_document(resource_change())) == digest(plan_document(resource_change(), **noise))


def test_digest_ignores_the_moment_of_the_last_change_of_a_function():
    def at(moment: str) -> dict[str, Any]:
        return resource_change(before={"last_modified": moment}) | {"type": "aws_lambda_function"}

    assert digest(plan_document(at("1"))) == digest(plan_document(at("2")))


def _shuffle(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: _shuffle(value[key], order) for key in keys}
    if isinstance(value, list):
        return [_shuffle(item, order) for item in value]
    return value
