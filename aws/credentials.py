"""Credentials for one run alone: taken just before it, for the right account, and never written down."""

from dataclasses import dataclass, field

from aws.errors import AwsError, in_words
from aws.session import Access, assume_role, own_credentials, sts

# The longest that every role allows, and longer than any run:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds
ROLE_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What signs requests; ``session_token`` is there for what was borrowed."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What has to be masked wherever it appears."""
        return tuple(secret for secret in (self.secret_access_key, self.session_token) if secret)

    @property
    def environment(self) -> dict[str, str]:
        """The names by which the AWS SDKs and Terraform's provider read them."""
        values = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }
        return {name: value for name, value in values.items() if value}


def for_run(access: Access, *, session_name: str) -> Credentials:
    """Credentials of the access' account; a role is taken under ``session_name``, which AWS's own trail shows.

    Raises ``AwsError``: "aws:wrong-account" where they open another account, "aws:refused" where the role is.
    """
    credentials, account_id = _of_role(access, session_name) if access.role_arn else _own(access)
    if account_id != access.account_id:
        raise AwsError(
            "aws:wrong-account",
            f"The credentials are those of account {account_id}, and the service is in {access.account_id}. "
            "Nothing was done. Give Bluegreen credentials of the right account.",
        )
    return credentials


def _own(access: Access) -> tuple[Credentials, str]:
    with in_words("say whose credentials these are"):
        found = own_credentials(access)
        account_id = sts(access).get_caller_identity()["Account"]
    credentials = Credentials(
        access_key_id=str(found.access_key),
        secret_access_key=str(found.secret_key),
        session_token=found.token,
    )
    return credentials, account_id


def _of_role(access: Access, session_name: str) -> tuple[Credentials, str]:
    """The answer itself says which account the role is in: ``arn:aws:sts::123456789012:assumed-role/…``."""
    with in_words(f"take the role {access.role_arn}"):
        answer = assume_role(access, session_name=session_name, seconds=ROLE_SECONDS)
    given = answer["Credentials"]
    credentials = Credentials(
        access_key_id=given["AccessKeyId"],
        secret_access_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
    )
    return credentials, answer["AssumedRoleUser"]["Arn"].split(":")[4]
