"""Calls that are held, delayed and refused: the n-th of its kind, before or after it has an effect."""

import threading
import time
import urllib.error

import pytest

from infra.local.tests.waiting import wait_for
from infra.sandbox.testing import fault, held
from infra.sandbox.tests.service import client, make_service

CODE = r"PUT /2015-03-31/functions/[^/]+/code"


@pytest.fixture(scope="module")
def service(sandbox):
    return make_service(sandbox, "faults", priority=4_300)


def weights(sandbox, service):
    rule = client(sandbox, "elbv2").describe_rules(RuleArns=[service.rule_arn])["Rules"][0]
    return [group["Weight"] for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]]


def begun(call, **arguments):
    """A call in a thread of its own, which is given."""
    thread = threading.Thread(target=call, kwargs=arguments)
    thread.start()
    return thread


@pytest.mark.parametrize(("when", "seen_meanwhile"), [("before", [60, 40]), ("after", [30, 70])])
def test_a_call_is_held_before_or_after_its_effect_while_others_go_on(sandbox, service, when, seen_meanwhile):
    service.set_weights(blue=60, green=40)
    with fault(sandbox, call="ModifyRule", act="hold", when=when):
        thread = begun(service.set_weights, blue=30, green=70)
        wait_for(lambda: held(sandbox) == 1, "the call to be held")
        assert weights(sandbox, service) == seen_meanwhile
    thread.join()
    assert weights(sandbox, service) == [30, 70]
    assert held(sandbox) == 0


def test_the_nth_call_is_met_and_no_other(sandbox, service):
    with fault(sandbox, call="ModifyRule", act="hold", nth=2):
        service.set_weights(blue=50, green=50)
        thread = begun(service.set_weights, blue=20, green=80)
        wait_for(lambda: held(sandbox) == 1, "the second call to be held")
        service.set_weights(blue=10, green=90)
    thread.join()


def test_a_call_without_an_operation_is_met_by_its_path_and_delayed(sandbox, service):
    with fault(sandbox, call=CODE, act="delay", seconds=0.5):
        began = time.monotonic()
        name = service.functions["green"]
        client(sandbox, "lambda").update_function_code(FunctionName=name, ImageUri=sandbox.images["green"])
        assert time.monotonic() - began >= 0.5


def test_a_call_that_fails_has_no_effect_and_is_tried_again_by_the_client(sandbox, service):
    service.set_weights(blue=60, green=40)
    with fault(sandbox, call="ModifyRule", act="fail", times=2):
        service.set_weights(blue=5, green=95)
    assert weights(sandbox, service) == [5, 95]


@pytest.mark.parametrize(
    "values",
    [
        {"call": "ModifyRule", "act": "explode"},
        {"call": "ModifyRule", "act": "fail", "when": "after"},
        {"call": "(", "act": "hold"},
        {"act": "hold"},
        {"call": "ModifyRule", "act": "hold", "every": 3},
    ],
)
def test_what_cannot_be_placed_is_refused(sandbox, values):
    with pytest.raises(urllib.error.HTTPError, match="400"), fault(sandbox, **values):
        pass
