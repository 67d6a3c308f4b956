"""What can go wrong with AWS, each with a stable code and a message that says what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"}
)
CREDENTIALS = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
MISSING: Mapping[str, str] = {
    "RuleNotFound": "aws:rule-missing",
    "ListenerNotFound": "aws:listener-missing",
    "LoadBalancerNotFound": "aws:load-balancer-missing",
    "TargetGroupNotFound": "aws:target-group-missing",
    "ResourceNotFoundException": "aws:function-missing",
    "ImageNotFoundException": "aws:image-missing",
    "RepositoryNotFoundException": "aws:repository-missing",
}


class AwsError(Exception):
    """AWS did not do what it was asked. ``code`` is stable ("aws:throttled"); ``message`` is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@contextmanager
def in_words(doing: str) -> Iterator[None]:
    """Turn boto3's errors into ``AwsError``; ``doing`` completes "AWS was asked to …"."""
    try:
        yield
    except ClientError as error:
        raise _refused(error, doing) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise AwsError(
            "aws:credentials",
            f"There are no AWS credentials to {doing}. Give the process some, then try again.",
        ) from error
    except BotoCoreError as error:
        raise AwsError(
            "aws:unreachable", f"AWS did not answer when it was asked to {doing} ({error}). Try again."
        ) from error


def _refused(error: ClientError, doing: str) -> AwsError:
    code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
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
        return AwsError(MISSING[code], f"AWS was asked to {doing} and does not have it: {said}")
    return AwsError("aws:failed", f"AWS was asked to {doing} and answered {code}: {said}")
