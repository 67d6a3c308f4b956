"""How an AWS account is reached, and the clients that reach it."""

import os
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, DeferredRefreshableCredentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from aws.errors import in_words

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef, AssumeRoleResponseTypeDef

# Short and bounded: the emergency button waits for these calls, and shows what it waited for. "standard" retries
# what is throttled, 5xx or timed out, with jitter: half a second on average before the second attempt, one before
# the third.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=20,
)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One account and region. Without keys and profile boto3 searches for credentials itself.

    With ``role_arn`` these credentials only take that role. ``endpoint_url`` is the sandbox's, or None for AWS.
    """

    region: str
    account_id: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)


def elbv2(access: Access) -> "ElasticLoadBalancingv2Client":
    """The load balancers' client."""
    return cast("ElasticLoadBalancingv2Client", _client(access, "elbv2"))


def functions(access: Access) -> "LambdaClient":
    """Lambda's client."""
    return cast("LambdaClient", _client(access, "lambda"))


def ecr(access: Access) -> "ECRClient":
    """The image registry's client."""
    return cast("ECRClient", _client(access, "ecr"))


def s3(access: Access) -> "S3Client":
    """The object store's client."""
    return cast("S3Client", _client(access, "s3"))


def iam(access: Access) -> "IAMClient":
    """The client for roles."""
    return cast("IAMClient", _client(access, "iam"))


def cloudwatch(access: Access) -> Any:  # noqa: ANN401 - its stubs would be one more package for two calls
    """The metrics' client."""
    return _client(access, "cloudwatch")


def logs(access: Access) -> Any:  # noqa: ANN401 - likewise
    """The logs' client."""
    return _client(access, "logs")


def sts(access: Access) -> "STSClient":
    """The client that says who one is and takes roles: always as whoever the process is, never in the role."""
    return cast("STSClient", _client(replace(access, role_arn=None, external_id=None), "sts"))


def assume_role(access: Access, *, session_name: str, seconds: int) -> "AssumeRoleResponseTypeDef":
    """Take the access' role, for so long; ``session_name`` appears in AWS's own trail. Raises boto3's errors."""
    request: AssumeRoleRequestTypeDef = {
        "RoleArn": str(access.role_arn),
        "RoleSessionName": session_name,
        "DurationSeconds": seconds,
    }
    if access.external_id:
        request["ExternalId"] = access.external_id
    return sts(access).assume_role(**request)


def own_credentials(access: Access) -> ReadOnlyCredentials:
    """The credentials that the process itself has for this access, without any role. Raises boto3's errors."""
    found = _base(access).get_credentials()
    if found is None:
        raise NoCredentialsError
    return cast("ReadOnlyCredentials", found.get_frozen_credentials())


def connect(access: Access) -> None:
    """Make all clients: it takes about a second, which must not be spent when the emergency button is pressed."""
    elbv2(access), functions(access), ecr(access)


# Clients are made once per process and access. They may be shared between threads, making one may not
# (boto3's guide, "Multithreading or multiprocessing with clients"); a forked child would share their connections.
_clients: dict[tuple[Access, str], object] = {}
_making = threading.Lock()
os.register_at_fork(after_in_child=_clients.clear)


def _client(access: Access, service: str) -> object:
    """A client that is there is given without the lock: nobody waits for another one's making."""
    key = (access, service)
    if key not in _clients:
        with _making:
            if key not in _clients:
                _clients[key] = _make_client(access, service)
    return _clients[key]


def _make_client(access: Access, service: str) -> object:
    session: Any = _in_role(access) if access.role_arn else _base(access)
    client: object = session.client(service, endpoint_url=access.endpoint_url, config=_CONFIG)
    return client


def _base(access: Access) -> Any:  # noqa: ANN401 - boto3 has no type for a session that its stubs could share
    with in_words(f"use the profile {access.profile}"):
        return boto3.Session(
            aws_access_key_id=access.access_key_id,
            aws_secret_access_key=access.secret_access_key,
            region_name=access.region,
            profile_name=access.profile,
        )


def _in_role(access: Access) -> Any:  # noqa: ANN401 - likewise
    """A session whose credentials are those of the role, taken when they are needed and again before they end."""
    inner = botocore.session.get_session()
    inner.get_component("credential_provider").providers.insert(0, _Role(access))
    return boto3.Session(botocore_session=inner, region_name=access.region)


class _Role(CredentialProvider):
    """boto3's way to be given credentials that renew themselves."""

    METHOD = "bluegreen-role"
    SESSION_SECONDS = 3600

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._take = partial(assume_role, access, session_name="bluegreen", seconds=self.SESSION_SECONDS)

    def load(self) -> DeferredRefreshableCredentials:
        """Called by boto3 once; the role is taken at the first request."""
        return DeferredRefreshableCredentials(refresh_using=self._taken, method=self.METHOD)

    def _taken(self) -> dict[str, str]:
        given = self._take()["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }
