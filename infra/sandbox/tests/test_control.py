"""What no call of AWS's API does: a function that sleeps, or whose last update failed."""

import json
import urllib.error
import urllib.request
from functools import partial
from itertools import count

import pytest
from botocore.exceptions import ClientError

from infra.local.tests.waiting import wait_for
from infra.sandbox.tests.service import client, make_service

_numbers = count(1)


@pytest.fixture
def service(sandbox):
    made = make_service(sandbox, f"control-{next(_numbers)}", priority=4_100)
    yield made
    client(sandbox, "elbv2").delete_rule(RuleArn=made.rule_arn)


def put(sandbox, path, values):
    request = urllib.request.Request(
        f"{sandbox.endpoint_url}/-/sandbox/{path}", method="PUT", data=json.dumps(values).encode()
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def state_of(sandbox, name, qualifier):
    found = client(sandbox, "lambda").get_function(FunctionName=name, Qualifier=qualifier)
    return found["Configuration"]["State"]


def is_awake(sandbox, name, qualifier):
    return state_of(sandbox, name, qualifier) == "Active"


def ask(sandbox, service):
    request = urllib.request.Request(sandbox.url, headers={"Host": service.host})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_function_that_sleeps_refuses_its_first_call_and_wakes(sandbox, service):
    name = service.functions["blue"]
    assert put(sandbox, f"functions/{name}", {"state": "Inactive"}) == (204, "")
    assert state_of(sandbox, name, "live") == state_of(sandbox, name, "$LATEST") == "Inactive"
    assert ask(sandbox, service) == 502
    with pytest.raises(ClientError, match="ResourceNotReadyException"):
        # Tried again it would be awake, on a busy machine.
        client(sandbox, "lambda", tries_again=False).invoke(FunctionName=name, Qualifier="live")
    for qualifier in ("live", "$LATEST"):
        wait_for(partial(is_awake, sandbox, name, qualifier), "it to be awake")
    assert client(sandbox, "lambda").invoke(FunctionName=name, Qualifier="live")["StatusCode"] == 200
    assert ask(sandbox, service) == 200


def test_an_update_that_failed_is_told_of_until_one_succeeds(sandbox, service):
    name = service.functions["green"]
    put(sandbox, f"functions/{name}", {"last_update_status": "Failed"})
    found = client(sandbox, "lambda").get_function(FunctionName=name)
    assert found["Configuration"]["LastUpdateStatus"] == "Failed"


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("functions/nobodys", {"state": "Inactive"}, 404),
        ("functions/nobodys", {"memory": 1}, 400),
        ("elsewhere", {}, 404),
    ],
)
def test_what_is_not_there_is_told(sandbox, path, values, status):
    assert put(sandbox, path, values)[0] == status
