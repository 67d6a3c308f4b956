import pytest

from aws.errors import AwsError
from aws.functions import read_function
from infra.sandbox.tests.service import client


def digest(reference):
    return reference.partition("@")[2]


def test_a_function_is_read_with_what_it_and_its_alias_run(service, access, sandbox):
    function = read_function(access, service.functions["blue"])
    assert function.latest_digest == function.alias_digest == digest(sandbox.images["blue"])
    assert (function.alias_version, function.newest_version) == ("1", "1")
    assert (function.state, function.last_update_status) == ("Active", "Successful")


def test_a_version_that_the_alias_does_not_follow_yet_is_seen(service, access, sandbox):
    client(sandbox, "lambda").update_function_code(
        FunctionName=service.functions["blue"], ImageUri=sandbox.images["yellow"], Publish=True
    )
    function = read_function(access, service.functions["blue"])
    assert function.latest_digest == digest(sandbox.images["yellow"])
    assert function.alias_digest == digest(sandbox.images["blue"])
    assert (function.alias_version, function.newest_version) == ("1", "2")


def test_the_newest_of_many_versions_is_found_by_number(service, access, sandbox):
    functions = client(sandbox, "lambda")
    for number in range(10):
        image = sandbox.images["green" if number % 2 else "yellow"]
        functions.update_function_code(FunctionName=service.functions["blue"], ImageUri=image, Publish=True)
    assert read_function(access, service.functions["blue"]).newest_version == "11"


def test_a_function_that_is_gone_is_named(access):
    with pytest.raises(AwsError) as refused:
        read_function(access, "nobody-made-this")
    assert refused.value.code == "aws:function-missing"
    assert "nobody-made-this" in refused.value.message
