"""Who may invoke a function's alias: without the load balancer's permission each request is a 502."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aws.errors import in_words
from aws.session import Access, functions

LOAD_BALANCER = "elasticloadbalancing.amazonaws.com"
EVERY_GROUP = "*"


def read_callers(access: Access, function_name: str, *, alias: str = "live") -> frozenset[str]:
    """The ARNs of the target groups from which the load balancer may invoke an alias.

    ``EVERY_GROUP`` is among them where the permission asks for no group. Raises ``AwsError``; an alias that nobody was
    given a permission to is no error (Lambda answers ResourceNotFoundException then, API reference, GetPolicy).
    """
    with in_words(f"read who may invoke the function {function_name}"):
        try:
            answer = functions(access).get_policy(FunctionName=function_name, Qualifier=alias)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return frozenset()
            raise
    statements = json.loads(answer["Policy"])["Statement"]
    return frozenset(arn for statement in statements for arn in _allowed(statement, access, alias))


def _allowed(statement: Mapping[str, Any], access: Access, alias: str) -> Iterator[str]:
    """A statement with a condition that isn't known here is none: it might never be fulfilled."""
    conditions = {
        (operator, key.lower()): value
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    }
    group = conditions.pop(("ArnLike", "aws:sourcearn"), EVERY_GROUP)
    account = conditions.pop(("StringEquals", "aws:sourceaccount"), access.account_id)
    grants = (
        statement["Effect"] == "Allow"
        and statement["Action"] in {"lambda:InvokeFunction", "lambda:*"}
        and statement["Principal"] == {"Service": LOAD_BALANCER}
        and statement["Resource"].endswith(f":{alias}")
        and account == access.account_id
    )
    if grants and not conditions:
        yield group
