import dataclasses

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from aws.errors import AwsError, in_words
from aws.load_balancer import read_rules
from aws.session import Access, connect, elbv2


def client_error(code):
    return ClientError({"Error": {"Code": code, "Message": "So it says."}}, "DescribeRules")


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (client_error("Throttling"), "aws:throttled"),
        (client_error("ExpiredToken"), "aws:credentials"),
        (client_error("AccessDenied"), "aws:refused"),
        (client_error("RuleNotFound"), "aws:rule-missing"),
        (client_error("SomethingNew"), "aws:failed"),
        (NoCredentialsError(), "aws:credentials"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "aws:unreachable"),
    ],
)
def test_each_error_has_a_code_and_says_what_was_being_done(raised, code):
    with pytest.raises(AwsError) as refused, in_words("read the rules"):
        raise raised
    assert refused.value.code == code
    assert "read the rules" in refused.value.message


def test_other_exceptions_pass():
    with pytest.raises(KeyError), in_words("read the rules"):
        raise KeyError("bug")


def test_an_aws_that_is_not_there_is_said_within_the_time_limits(access):
    nowhere = dataclasses.replace(access, endpoint_url="http://127.0.0.1:9")
    with pytest.raises(AwsError) as refused:
        read_rules(nowhere, ["arn"])
    assert refused.value.code == "aws:unreachable"


def test_terraform_is_given_only_what_there_is(access):
    assert access.environment() == {
        "AWS_REGION": access.region,
        "AWS_ENDPOINT_URL": access.endpoint_url,
        "AWS_ACCESS_KEY_ID": access.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access.secret_access_key,
    }
    assert Access(region="eu-central-1", account_id="1").environment() == {"AWS_REGION": "eu-central-1"}


def test_a_client_is_made_once(access):
    connect(access)
    assert elbv2(access) is elbv2(dataclasses.replace(access))
