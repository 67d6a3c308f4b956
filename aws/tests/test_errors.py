from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from aws.errors import AwsError, in_words


def client_error(code: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "So it says."},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "DescribeRules")


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (client_error("Throttling"), "aws:throttled"),
        (client_error("ExpiredToken"), "aws:credentials"),
        (client_error("AccessDenied"), "aws:refused"),
        (client_error("RuleNotFound"), "aws:rule-missing"),
        (client_error("SomethingNew"), "aws:failed"),
        (client_error("InternalFailure", 503), "aws:unavailable"),
        (NoCredentialsError(), "aws:credentials"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "aws:unreachable"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), "aws:unreachable"),
    ],
)
def test_each_error_has_a_code_and_says_what_was_being_done(raised, code):
    with pytest.raises(AwsError) as refused, in_words("read the rules"):
        raise raised
    assert refused.value.code == code
    assert "read the rules" in refused.value.message


def test_what_aws_says_ends_as_a_sentence_before_another_one_follows():
    error = client_error("RuleNotFound")
    error.response["Error"]["Message"] = "No rule with id '1'"
    with (
        pytest.raises(AwsError, match=r"does not have it: No rule with id '1'\. If somebody"),
        in_words("read"),
    ):
        raise error


@pytest.mark.parametrize("mistake", [KeyError("bug"), ParamValidationError(report="no such parameter")])
def test_mistakes_of_the_program_pass_as_they_are(mistake):
    with pytest.raises(type(mistake)), in_words("read the rules"):
        raise mistake
