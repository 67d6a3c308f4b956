"""How an AWS account is reached, and the clients that reach it."""

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_lambda import LambdaClient

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
    """One account and region. Without keys boto3 searches for credentials itself.

    ``endpoint_url`` is the sandbox's, or None for AWS.
    """

    region: str
    account_id: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """What Terraform's AWS provider is given (it reads these names)."""
        values = {
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }
        return {name: value for name, value in values.items() if value}


def elbv2(access: Access) -> "ElasticLoadBalancingv2Client":
    """The load balancers' client."""
    return cast("ElasticLoadBalancingv2Client", _client(access, "elbv2"))


def functions(access: Access) -> "LambdaClient":
    """Lambda's client."""
    return cast("LambdaClient", _client(access, "lambda"))


def ecr(access: Access) -> "ECRClient":
    """The image registry's client."""
    return cast("ECRClient", _client(access, "ecr"))


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
    session: Any = boto3.Session(
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
        region_name=access.region,
    )
    client: object = session.client(service, endpoint_url=access.endpoint_url, config=_CONFIG)
    return client
