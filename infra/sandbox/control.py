"""What one can do to the sandbox that no call of AWS's API does: for tests, at the API's port below ``/-/sandbox/``.

``PUT /-/sandbox/functions/<name>`` with ``{"state": "Inactive"}`` (or another of Lambda's states, or
``"last_update_status"``) makes a function what weeks without a call, or a failed update, make of it.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException

from infra.sandbox.corrections import family_of

PREFIX = "/-/sandbox/"
_FUNCTION = re.compile(r"/-/sandbox/functions/([A-Za-z0-9_-]+)")
_SETTABLE = {"state", "last_update_status"}


def control(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application: 204, or 4xx with what is wrong."""
    asked = _FUNCTION.fullmatch(environ["PATH_INFO"])
    if environ["REQUEST_METHOD"] != "PUT" or asked is None:
        return _answer(start_response, "404 Not Found", "There is nothing here.")
    values = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    if not values.keys() <= _SETTABLE:
        return _answer(start_response, "400 Bad Request", f"Only {', '.join(sorted(_SETTABLE))} can be set.")
    try:
        _set(asked[1], values)
    except UnknownFunctionException:
        return _answer(start_response, "404 Not Found", f"There is no function {asked[1]}.")
    return _answer(start_response, "204 No Content", "")


def _set(name: str, values: dict[str, str]) -> None:
    """The function, and each version that it has published."""
    for function in family_of(name):
        vars(function).update(values)


def _answer(start_response: Callable[..., Any], status: str, text: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]
