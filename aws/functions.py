"""Lambda functions of container images: what they run, and which version their alias leads to."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, WaiterError

from aws.errors import AwsError, in_words
from aws.function_configuration import NO_RESERVE, FunctionConfiguration, read_configuration
from aws.session import Access, functions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import GetFunctionResponseTypeDef

# What Lambda answers while a function wakes: https://docs.aws.amazon.com/lambda/latest/dg/API_Invoke.html, "Errors".
NOT_READY = frozenset({"ResourceNotReadyException", "ResourceConflictException"})

_HEALTH_CHECK = {
    "requestContext": {"elb": {"targetGroupArn": ""}},
    "httpMethod": "GET",
    "path": "/",
    "queryStringParameters": {},
    "headers": {"user-agent": "ELB-HealthChecker/2.0"},
    "body": "",
    "isBase64Encoded": False,
}


@dataclass(frozen=True, kw_only=True)
class FunctionReality:
    """A function as it is.

    Digests are "sha256:…" as Lambda resolved them ("" for a zip), of ``$LATEST`` and of the version that the alias
    leads to. ``newest_version`` is the number published last, "" before the first. ``state`` and ``update_status`` are
    of the alias' version, which answers, ``latest_state`` and ``last_update_status`` of ``$LATEST``, which is changed;
    all four are Lambda's words. The same goes for the two configurations; ``reserved_concurrency`` is the whole
    function's, -1 without any.
    """

    name: str
    latest_digest: str
    newest_version: str
    alias_version: str
    alias_digest: str
    state: str
    update_status: str
    latest_state: str
    last_update_status: str
    latest_configuration: FunctionConfiguration
    alias_configuration: FunctionConfiguration
    reserved_concurrency: int


def check_function(access: Access, name: str) -> None:
    """Whether a function is there, whatever became of its alias. Raises ``AwsError`` ("aws:function-missing")."""
    with in_words(f"find the function {name}"):
        functions(access).get_function(FunctionName=name)


def read_function(access: Access, name: str, *, alias: str = "live") -> FunctionReality:
    """What a function runs now, by four calls, or more where it has over fifty versions.

    Raises ``AwsError``: "aws:function-missing" without function or alias, "aws:alias-split" where somebody made the
    alias lead to two versions, "aws:environment-hidden" where Lambda does not show the environment.
    """
    client = functions(access)
    with in_words(f"read the function {name}"):
        latest = client.get_function(FunctionName=name)
        alias_version = _alias_version(client, name, alias)
        aliased = client.get_function(FunctionName=name, Qualifier=alias_version)
        newest_version = _newest_version(client, name)
    return FunctionReality(
        name=name,
        latest_digest=_digest(latest),
        newest_version=newest_version,
        alias_version=alias_version,
        alias_digest=_digest(aliased),
        state=aliased["Configuration"].get("State", ""),
        update_status=aliased["Configuration"].get("LastUpdateStatus", ""),
        latest_state=latest["Configuration"].get("State", ""),
        last_update_status=latest["Configuration"].get("LastUpdateStatus", ""),
        latest_configuration=read_configuration(name, latest["Configuration"]),
        alias_configuration=read_configuration(name, aliased["Configuration"]),
        reserved_concurrency=_reserved(latest),
    )


def probe(access: Access, name: str, *, alias: str = "live") -> str:
    """Ask a function what a load balancer's health check asks: what is wrong with its answer, "" if nothing is.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html, "Enable health checks".
    One that is ``Inactive`` is woken by it. Raises ``AwsError``.
    """
    client = functions(access)
    with in_words(f"probe the function {name}"):
        try:
            answer = client.invoke(
                FunctionName=name, Qualifier=alias, Payload=json.dumps(_HEALTH_CHECK).encode()
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_READY:
                raise
            return "it was not awake: it is being woken"
    return f"it failed ({answer['FunctionError']})" if answer.get("FunctionError") else ""


def wake(access: Access, name: str, *, alias: str = "live") -> None:
    """Wake a function that is ``Inactive``: Lambda refuses this invocation, and gets the function ready meanwhile.

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html. Only a function that has become active in
    between sees the (empty) event. Raises ``AwsError``.
    """
    client = functions(access)
    with in_words(f"wake the function {name}"):
        try:
            client.invoke(FunctionName=name, Qualifier=alias, InvocationType="Event", Payload=b"{}")
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_READY:
                raise


def publish(access: Access, name: str, *, digest: str) -> str:
    """Publish ``$LATEST``, whose image has to be this one still, as a version, and give its number when it is ready.

    Raises ``AwsError``: "aws:function-changed" where it is another one by now, "aws:version-not-ready".
    """
    client = functions(access)
    with in_words(f"publish a version of {name}"):
        latest = client.get_function(FunctionName=name)
        if _digest(latest) != digest:
            raise AwsError(
                "aws:function-changed", f"The function {name} has another image by now. Plan the step again."
            )
        revision = latest["Configuration"].get("RevisionId", "")
        version = client.publish_version(FunctionName=name, RevisionId=revision)["Version"]
        _wait_until_active(client, name, version)
    return version


def _wait_until_active(client: "LambdaClient", name: str, version: str) -> None:
    waiter = client.get_waiter("published_version_active")
    try:
        waiter.wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    except WaiterError as error:
        raise AwsError(
            "aws:version-not-ready",
            f"Version {version} of {name} does not become active: {error}. Try again.",
        ) from error


def _alias_version(client: "LambdaClient", name: str, alias: str) -> str:
    """An alias can share its calls out to a second version: the first alone would not be what users get."""
    found = client.get_alias(FunctionName=name, Name=alias)
    others = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    if others:
        raise AwsError(
            "aws:alias-split",
            f"The alias {alias} of {name} leads to version {found['FunctionVersion']} and also to "
            f"{', '.join(others)}: somebody set this outside of Bluegreen. Remove the alias' routing configuration.",
        )
    return found["FunctionVersion"]


def _newest_version(client: "LambdaClient", name: str) -> str:
    """Versions are numbers, and come fifty to a page in an order that AWS does not promise."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [found["Version"] for page in pages for found in page["Versions"]]
    return max((version for version in versions if version.isdecimal()), key=int, default="")


def _reserved(function: "GetFunctionResponseTypeDef") -> int:
    return function.get("Concurrency", {}).get("ReservedConcurrentExecutions", NO_RESERVE)


def _digest(function: "GetFunctionResponseTypeDef") -> str:
    return function["Code"].get("ResolvedImageUri", "").partition("@")[2]
