import urllib.request
from unittest.mock import ANY

import pytest

from aws import session
from aws.errors import AwsError
from aws.functions import check_function, probe, publish, read_function, wake
from infra.local.tests.waiting import wait_for
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


def test_the_newest_of_many_versions_is_found_by_number_on_all_pages(scripted):
    access, answer = scripted
    function: dict[str, object] = {"Configuration": {}, "Code": {}}
    answer(
        session.functions(access),
        ("get_function", {"FunctionName": "shop"}, function),
        ("get_alias", {"FunctionName": "shop", "Name": "live"}, {"FunctionVersion": "9"}),
        ("get_function", {"FunctionName": "shop", "Qualifier": "9"}, function),
        (
            "list_versions_by_function",
            {"FunctionName": "shop"},
            {"Versions": [{"Version": number} for number in ("$LATEST", "9", "11")], "NextMarker": "more"},
        ),
        (
            "list_versions_by_function",
            {"FunctionName": "shop", "Marker": "more"},
            {"Versions": [{"Version": number} for number in ("10", "2")]},
        ),
    )
    assert read_function(access, "shop").newest_version == "11"


def test_what_was_not_published_is_published_once_asked_for(service, access, sandbox):
    name, yellow = service.functions["green"], sandbox.images["yellow"]
    client(sandbox, "lambda").update_function_code(FunctionName=name, ImageUri=yellow)
    before = read_function(access, name)

    version = publish(access, name, digest=digest(yellow))

    function = read_function(access, name)
    assert before.newest_version == "1"
    assert (function.newest_version, function.alias_version) == (version, "1") == ("2", "1")


def test_another_image_than_the_one_that_was_meant_is_not_published(service, access, sandbox):
    name = service.functions["blue"]
    newest = read_function(access, name).newest_version

    with pytest.raises(AwsError) as caught:
        publish(access, name, digest="sha256:" + "0" * 64)

    assert caught.value.code == "aws:function-changed"
    assert read_function(access, name).newest_version == newest


def test_a_version_that_does_not_become_active_is_told(scripted):
    access, answer = scripted
    latest = {"Configuration": {"RevisionId": "r1"}, "Code": {"ResolvedImageUri": "shop@sha256:0"}}
    answer(
        session.functions(access),
        ("get_function", {"FunctionName": "shop"}, latest),
        ("publish_version", {"FunctionName": "shop", "RevisionId": "r1"}, {"Version": "2"}),
        (
            "get_function_configuration",
            {"FunctionName": "shop", "Qualifier": "2"},
            {"State": "Failed"},
        ),
    )
    with pytest.raises(AwsError) as caught:
        publish(access, "shop", digest="sha256:0")
    assert caught.value.code == "aws:version-not-ready"


def test_an_update_that_goes_on_and_a_version_that_sleeps_are_both_seen(scripted):
    access, answer = scripted
    asked = {"FunctionName": "shop"}
    answer(
        session.functions(access),
        (
            "get_function",
            asked,
            {"Configuration": {"State": "Active", "LastUpdateStatus": "InProgress"}, "Code": {}},
        ),
        ("get_alias", {**asked, "Name": "live"}, {"FunctionVersion": "1"}),
        (
            "get_function",
            {**asked, "Qualifier": "1"},
            {"Configuration": {"State": "Inactive", "LastUpdateStatus": "Successful"}, "Code": {}},
        ),
        ("list_versions_by_function", asked, {"Versions": [{"Version": "1"}]}),
    )
    function = read_function(access, "shop")
    assert (function.state, function.last_update_status) == ("Inactive", "InProgress")


def test_an_alias_that_leads_to_two_versions_is_refused(service, access, sandbox):
    name, functions = service.functions["green"], client(sandbox, "lambda")
    functions.update_function_code(FunctionName=name, ImageUri=sandbox.images["yellow"], Publish=True)
    functions.update_alias(
        FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}
    )
    with pytest.raises(AwsError, match="version 1 and also to 2") as refused:
        read_function(access, name)
    assert refused.value.code == "aws:alias-split"


def test_a_missing_alias_is_named(service, access):
    with pytest.raises(AwsError, match="future") as refused:
        read_function(access, service.functions["blue"], alias="future")
    assert refused.value.code == "aws:function-missing"


def test_a_function_that_is_gone_is_named(access):
    with pytest.raises(AwsError) as refused:
        read_function(access, "nobody-made-this")
    assert refused.value.code == "aws:function-missing"
    assert "nobody-made-this" in refused.value.message


def test_a_function_that_sleeps_is_woken(service, access, sandbox):
    name = service.functions["green"]
    request = urllib.request.Request(
        f"{sandbox.endpoint_url}/-/sandbox/functions/{name}", method="PUT", data=b'{"state": "Inactive"}'
    )
    urllib.request.urlopen(request).close()
    asleep = read_function(access, name)
    assert (asleep.state, asleep.latest_state) == ("Inactive", "Inactive")
    wake(access, name)
    wake(access, name)
    wait_for(lambda: read_function(access, name).state == "Active", "it to be awake")


def test_a_function_that_is_gone_cannot_be_woken(access):
    with pytest.raises(AwsError) as refused:
        wake(access, "nobodys")
    assert refused.value.code == "aws:function-missing"


def test_a_function_is_there_or_missing_whatever_became_of_its_alias(service, access, sandbox):
    name = service.functions["blue"]
    client(sandbox, "lambda").delete_alias(FunctionName=name, Name="live")
    check_function(access, name)
    with pytest.raises(AwsError) as missing:
        check_function(access, f"{name}-gone")
    assert missing.value.code == "aws:function-missing"


def test_a_function_that_answers_is_probed_by_a_health_check(service, access):
    assert probe(access, service.functions["blue"]) == ""


def test_a_probe_wakes_what_sleeps_and_says_so(service, access, sandbox):
    name = service.functions["blue"]
    address = f"{sandbox.endpoint_url}/-/sandbox/functions/{name}"
    body = b'{"state": "Inactive"}'
    urllib.request.urlopen(urllib.request.Request(address, method="PUT", data=body), timeout=10)
    assert "woken" in probe(access, name)


def test_an_answer_that_is_an_error_of_the_function_is_told(scripted):
    access, answer = scripted
    asked = {"FunctionName": "shop", "Qualifier": "live", "Payload": ANY}
    answer(session.functions(access), ("invoke", asked, {"StatusCode": 200, "FunctionError": "Unhandled"}))
    assert probe(access, "shop") == "it failed (Unhandled)"
