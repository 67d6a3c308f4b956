"""What can go wrong with AWS, each with a stable code and a message that says what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore import exceptions as botocore

# Codes of AWS: "Common error types" of each service's API reference.
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "TooManyRequestsException",
    }
)
CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
MISSING: Mapping[str, str] = {
    "NoSuchBucket": "aws:bucket-missing",
    "RuleNotFound": "aws:rule-missing",
    "TargetGroupNotFound": "aws:target-group-missing",
    "ListenerNotFound": "aws:listener-missing",
    "LoadBalancerNotFound": "aws:load-balancer-missing",
    "ResourceNotFoundException": "aws:function-missing",
    "ImageNotFoundException": "aws:image-missing",
    "RepositoryNotFoundException": "aws:repository-missing",
}
NO_CREDENTIALS = (
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.ProfileNotFound,
    botocore.CredentialRetrievalError,
    botocore.TokenRetrievalError,
)
UNREACHABLE = (botocore.ConnectionError, botocore.HTTPClientError)


class AwsError(Exception):
    """AWS did not do what it was asked. ``code`` is stable ("aws:throttled"); ``message`` is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@contextmanager
def in_words(doing: str) -> Iterator[None]:
    """Turn boto3's errors into ``AwsError``; ``doing`` completes "AWS was asked to …".

    A call with wrong parameters is a mistake of the program and passes as it is.
    """
    try:
        yield
    except botocore.ClientError as error:
        raise _answered(error, doing) from error
    except NO_CREDENTIALS as error:
        raise AwsError(
            "aws:credentials",
            f"There are no AWS credentials to {doing} ({error}). Give the process some, then try again.",
        ) from error
    except UNREACHABLE as error:
        raise AwsError(
            "aws:unreachable",
            f"AWS did not answer when it was asked to {doing} ({error}). Check the network, then try again.",
        ) from error


def _answered(error: botocore.ClientError, doing: str) -> AwsError:
    answer = error.response["Error"]
    code, said = answer.get("Code", ""), _sentence(answer.get("Message", ""))
    if code in THROTTLED:
        return AwsError(
            "aws:throttled", f"AWS throttles the calls to {doing}. Wait a moment, then try again."
        )
    if code in CREDENTIALS:
        return AwsError(
            "aws:credentials", f"AWS does not accept the credentials to {doing}: {said} Renew them."
        )
    if code in REFUSED:
        return AwsError("aws:refused", f"AWS does not allow Bluegreen to {doing}: {said} See its IAM policy.")
    if code in MISSING:
        return AwsError(
            MISSING[code],
            f"AWS was asked to {doing} and does not have it: {said} "
            "If somebody removed it outside of Bluegreen, bring it back first.",
        )
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return AwsError("aws:unavailable", f"AWS failed when it was asked to {doing}: {said} Try again.")
    return AwsError("aws:failed", f"AWS was asked to {doing} and answered {code}: {said}")


def _sentence(said: str) -> str:
    """What AWS said, so that a sentence of ours can follow: some of its services end with no full stop."""
    text = said.strip()
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."
