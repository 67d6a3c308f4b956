"""How an AWS account is reached, and the clients that reach it."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_lambda import LambdaClient

# Short and bounded: the emergency button waits for these calls, and shows what it waited for.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=20,
)
_making = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Access:
    """One account and region. Without keys boto3 searches for credentials itself; ``endpoint_url`` is the sandbox's."""

    region: str
    account_id: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None

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
    with _making:
        return _elbv2(access)


def functions(access: Access) -> "LambdaClient":
    """Lambda's client."""
    with _making:
        return _functions(access)


def ecr(access: Access) -> "ECRClient":
    """The image registry's client."""
    with _making:
        return _ecr(access)


def connect(access: Access) -> None:
    """Make all clients: it takes about a second, which must not be spent when the emergency button is pressed."""
    elbv2(access), functions(access), ecr(access)


# Clients are made once per process and access, and are safe to share between threads; making one is not.
@lru_cache
def _elbv2(access: Access) -> "ElasticLoadBalancingv2Client":
    return _session(access).client("elbv2", endpoint_url=access.endpoint_url, config=_CONFIG)


@lru_cache
def _functions(access: Access) -> "LambdaClient":
    return _session(access).client("lambda", endpoint_url=access.endpoint_url, config=_CONFIG)


@lru_cache
def _ecr(access: Access) -> "ECRClient":
    return _session(access).client("ecr", endpoint_url=access.endpoint_url, config=_CONFIG)


def _session(access: Access) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
        region_name=access.region,
    )
