"""Provisioned concurrency of a function's alias, which moto has not: kept as it is asked for, ready at once.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import json
from typing import Any
from urllib.parse import unquote

import moto.awslambda.urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.responses import LambdaResponse

_PATH = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency$"


class NotProvisioned(LambdaClientError):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html, "Errors"."""

    code = 404

    def __init__(self) -> None:
        super().__init__("ProvisionedConcurrencyConfigNotFoundException", "No such configuration.")


def add_provisioned_concurrency() -> None:
    """Have moto answer the three calls."""
    moto.awslambda.urls.url_paths[_PATH] = LambdaResponse.dispatch
    calls: Any = LambdaResponse  # its stubs know no such methods
    calls.put_provisioned_concurrency_config = _put
    calls.get_provisioned_concurrency_config = _get
    calls.delete_provisioned_concurrency_config = _delete


def _put(self: LambdaResponse) -> tuple[int, dict[str, str], str]:
    """Of an alias or a published version that is there; raises moto's errors otherwise."""
    qualifier, wanted = _qualifier(self), json.loads(self.body)["ProvisionedConcurrentExecutions"]
    if qualifier in {"", "$LATEST"}:
        raise LambdaClientError("InvalidParameterValueException", "Name an alias or a version.")
    self.backend.get_function(_name(self), qualifier)
    _kept(self)[qualifier] = wanted
    return 202, {}, json.dumps(_answer(wanted))


def _get(self: LambdaResponse) -> tuple[int, dict[str, str], str]:
    return 200, {}, json.dumps(_answer(_there(self)))


def _delete(self: LambdaResponse) -> tuple[int, dict[str, str], str]:
    _there(self)
    del _kept(self)[_qualifier(self)]
    return 204, {}, ""


def _answer(wanted: int) -> dict[str, int | str]:
    counted = dict.fromkeys(("Requested", "Available", "Allocated"), wanted)
    named = {f"{which}ProvisionedConcurrentExecutions": number for which, number in counted.items()}
    return {**named, "Status": "READY", "LastModified": "2026-01-01T00:00:00+0000"}


def _there(self: LambdaResponse) -> int:
    found = _kept(self).get(_qualifier(self))
    if found is None:
        raise NotProvisioned
    return found


def _kept(self: LambdaResponse) -> dict[str, int]:
    """By qualifier; with the function in moto's memory, so that it survives a restart with it."""
    kept: dict[str, int] = vars(self.backend.get_function(_name(self))).setdefault("provisioned", {})
    return kept


def _name(self: LambdaResponse) -> str:
    return unquote(self.path.rsplit("/", 2)[-2])


def _qualifier(self: LambdaResponse) -> str:
    return str(self.querystring.get("Qualifier", [""])[0])
