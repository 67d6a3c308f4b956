"""Credentials of a run: for it alone, of the right account, or none."""

from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber

from aws.credentials import Credentials, for_run
from aws.errors import AwsError
from aws.load_balancer import read_rules
from aws.session import elbv2, sts

ROLE = "arn:aws:iam::123456789012:role/bluegreen"


@pytest.fixture
def in_role(access):
    return replace(access, role_arn=ROLE, external_id="4711")


def test_without_a_role_they_are_the_process_s_own(access):
    assert for_run(access, session_name="bluegreen-1") == Credentials(
        access_key_id=access.access_key_id, secret_access_key=access.secret_access_key
    )


def test_a_role_gives_each_run_others(in_role):
    first, second = (for_run(in_role, session_name=f"bluegreen-{number}") for number in (1, 2))
    assert first.session_token
    assert second.session_token
    assert first.secret_access_key != second.secret_access_key


def test_the_role_is_asked_for_by_the_run_s_name_and_with_the_external_id(scripted):
    access, _ = scripted
    in_role = replace(access, role_arn=ROLE, external_id="4711")
    with Stubber(sts(in_role)) as stubber:
        stubber.add_client_error(
            "assume_role",
            "AccessDenied",
            "not for you",
            expected_params={
                "RoleArn": ROLE,
                "RoleSessionName": "bluegreen-1",
                "DurationSeconds": 3600,
                "ExternalId": "4711",
            },
        )
        with pytest.raises(AwsError, match=r"bluegreen.*not for you") as refused:
            for_run(in_role, session_name="bluegreen-1")
    assert refused.value.code == "aws:refused"


def test_credentials_of_another_account_are_refused_before_anything_is_done(access, in_role):
    for reach in (access, in_role):
        with pytest.raises(AwsError, match="123456789012, and the service is in 999999999999") as refused:
            for_run(replace(reach, account_id="999999999999"), session_name="bluegreen-1")
        assert refused.value.code == "aws:wrong-account"


def test_without_any_credentials_it_is_told(access, monkeypatch):
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    with pytest.raises(AwsError) as refused:
        for_run(replace(access, access_key_id=None, secret_access_key=None), session_name="bluegreen-1")
    assert refused.value.code == "aws:credentials"


def test_a_profile_that_is_not_there_is_told(access):
    with pytest.raises(AwsError, match="use the profile nobodys") as refused:
        elbv2(replace(access, access_key_id=None, secret_access_key=None, profile="nobodys"))
    assert refused.value.code == "aws:credentials"


def test_pages_work_in_the_role_which_is_taken_when_it_is_first_needed(in_role, service):
    rules = read_rules(in_role, [service.rule_arn])
    assert set(rules) == {service.rule_arn}
    signed = elbv2(in_role).generate_presigned_url("describe_rules")
    assert "X-Amz-Security-Token" in signed


def test_what_is_secret_is_named_and_not_shown(in_role):
    credentials = for_run(in_role, session_name="bluegreen-1")
    assert credentials.secrets == (credentials.secret_access_key, credentials.session_token)
    assert not any(secret in repr(credentials) for secret in credentials.secrets)
    assert credentials.environment == {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }
