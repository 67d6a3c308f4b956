"""Whether a plan is the rest of an approved one, on plans that Terraform made."""

from copy import deepcopy

import pytest

from releases.domain.approval.rest import is_rest
from releases.domain.tests.real_plans import (
    CANARY,
    GREEN_ALIAS,
    GREEN_FUNCTION,
    TRAFFIC,
    Document,
    change_of,
    document,
    plan,
    resource,
)
from terraform_runner.domain.plan import parse_plan


def done(shown: Document, address: str, **known: object) -> None:
    """As a plan shows a resource whose change was made already: what was unknown is known."""
    change = change_of(shown, address)
    change["before"] = change["after"] = {**change["after"], **known}
    change["actions"], change["after_unknown"] = ["no-op"], {}


def rest(name: str, *addresses: str) -> Document:
    shown = document(name)
    for address in addresses:
        done(shown, address)
    return shown


def published(version: str = "7") -> Document:
    """A rotation that was killed between the publishing and the alias."""
    shown = document("first_rotation")
    done(shown, GREEN_FUNCTION, version=version, last_modified="later", qualified_arn=f"arn:{version}")
    change = change_of(shown, GREEN_ALIAS)
    change["after"]["function_version"], change["after_unknown"] = version, {}
    return shown


@pytest.mark.parametrize("done_before", [(), (TRAFFIC,), (CANARY,), (TRAFFIC, CANARY)])
def test_a_plan_without_what_is_done_already_is_a_rest(done_before):
    assert is_rest(parse_plan(rest("promote", *done_before)), of=plan("promote"))


def test_what_was_unknown_may_have_become_known():
    assert is_rest(parse_plan(published()), of=plan("first_rotation"))


def test_another_end_is_no_rest():
    assert not is_rest(plan("shift_down"), of=plan("shift_up"))
    assert not is_rest(plan("promote"), of=plan("shift_up"))


def test_more_than_was_approved_is_no_rest():
    assert not is_rest(plan("promote"), of=parse_plan(rest("promote", CANARY)))


def test_what_is_there_already_has_to_be_at_its_approved_end():
    shown = rest("promote", TRAFFIC)
    other = change_of(document("shift_up"), TRAFFIC)["after"]
    change_of(shown, TRAFFIC).update(before=deepcopy(other), after=deepcopy(other))
    assert not is_rest(parse_plan(shown), of=plan("promote"))


def test_an_attribute_that_was_not_to_change_must_not():
    shown = document("promote")
    change_of(shown, TRAFFIC)["before"]["priority"] = 7
    assert not is_rest(parse_plan(shown), of=plan("promote"))


def test_a_value_that_was_known_must_not_have_become_unknown():
    shown = document("promote")
    change_of(shown, TRAFFIC)["after_unknown"]["priority"] = True
    assert not is_rest(parse_plan(shown), of=plan("promote"))


def test_a_resource_that_is_gone_is_no_rest():
    shown = rest("promote", TRAFFIC)
    shown["resource_changes"].remove(resource(shown, TRAFFIC))
    assert not is_rest(parse_plan(shown), of=plan("promote"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("actions", ["delete", "create"]), ("replace_paths", [["priority"]]), ("importing", {"id": "x"})],
)
def test_the_same_end_by_another_way_is_no_rest(key, value):
    shown = document("promote")
    change_of(shown, TRAFFIC)[key] = value
    assert not is_rest(parse_plan(shown), of=plan("promote"))
