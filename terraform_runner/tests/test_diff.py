import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.domain.diff import AttributeChange, changed_attributes, summarize
from terraform_runner.domain.plan import parse_plan
from terraform_runner.tests.support import plan_document, real_plan, resource_change


def attributes(**change):
    (parsed,) = parse_plan(plan_document(resource_change(**change))).changes
    return changed_attributes(parsed)


def changed(path, before, after, *, unknown=False, sensitive=False):
    return AttributeChange(path=path, before=before, after=after, unknown=unknown, sensitive=sensitive)


def test_shift_changes_two_weights():
    (change,) = parse_plan(real_plan("shift_25")).changes

    assert changed_attributes(change) == (
        changed("action[0].forward[0].target_group[0].weight", 100, 75),
        changed("action[0].forward[0].target_group[1].weight", 0, 25),
    )


def test_rotation_changes_the_image_and_what_follows_from_it():
    changes = {
        change.type: changed_attributes(change)
        for change in parse_plan(real_plan("rotate_candidate_first")).changes
    }

    assert [(item.path, item.unknown) for item in changes["aws_lambda_function"]] == [
        ("image_uri", False),
        ("last_modified", True),
        ("qualified_arn", True),
        ("qualified_invoke_arn", True),
        ("version", True),
    ]
    assert changes["aws_lambda_alias"] == (changed("function_version", "1", None, unknown=True),)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, changed("b", 2, 3)),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, changed("a.b.c", 1, 2)),
        ({"a": [1, 2]}, {"a": [1, 3]}, changed("a[1]", 2, 3)),
        ({"a": [1]}, {"a": [1, 2]}, changed("a", [1], [1, 2])),
        ({"a": None}, {"a": {"b": 1}}, changed("a", None, {"b": 1})),
        ({"a": 1}, {}, changed("a", 1, None)),
        ({"a": 1}, {"a": True}, changed("a", 1, True)),
        ({"tags": {"a.b": 1}}, {"tags": {"a.b": 2}}, changed('tags["a.b"]', 1, 2)),
    ],
)
def test_difference_is_found_at_its_path(before, after, expected):
    assert attributes(before=before, after=after) == (expected,)


def test_create_lists_what_is_set_and_what_is_not_known_yet():
    found = attributes(actions=["create"], before=None, after={"a": 1, "b": None}, after_unknown={"id": True})

    assert found == (changed("a", None, 1), changed("id", None, None, unknown=True))


def test_delete_lists_what_goes():
    assert attributes(actions=["delete"], before={"a": 1}, after=None) == (changed("a", 1, None),)


def test_list_that_is_known_in_part_is_unknown():
    found = attributes(
        before={"a": [{"b": 1}]}, after={"a": [{}, {}]}, after_unknown={"a": [{"b": True}, {}]}
    )

    assert found == (changed("a", [{"b": 1}], [{}, {}], unknown=True),)


@pytest.mark.parametrize(
    "marks", [{"before_sensitive": {"a": {"b": True}}}, {"after_sensitive": {"a": True}}]
)
def test_sensitive_attribute_is_marked(marks):
    (found,) = attributes(before={"a": {"b": 1}}, after={"a": {"b": 2}}, **marks)

    assert (found.path, found.sensitive) == ("a.b", True)


def test_summary_can_be_kept_as_json_and_leaves_out_what_stays():
    summary = summarize(parse_plan(real_plan("shift_25")))

    assert json.loads(json.dumps(summary)) == summary
    assert [(item["address"], item["actions"]) for item in summary] == [
        ("module.service.aws_lb_listener_rule.traffic", ["update"])
    ]


FLAT = st.dictionaries(st.sampled_from("abcd"), st.integers() | st.text(max_size=3), max_size=4)


@given(before=FLAT, after=FLAT)
def test_exactly_what_differs_is_listed(before, after):
    found = {item.path: (item.before, item.after) for item in attributes(before=before, after=after)}

    differing = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert found == {key: (before.get(key), after.get(key)) for key in differing}


@given(
    value=st.recursive(FLAT, lambda inner: st.dictionaries(st.sampled_from("xyz"), inner | st.lists(inner)))
)
def test_what_stays_the_same_is_not_listed(value):
    assert attributes(before=value, after=copy.deepcopy(value)) == ()
