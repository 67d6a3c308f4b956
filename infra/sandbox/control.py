"""What one can do to the sandbox that no call of AWS's API does: for tests, at the API's port below ``/-/sandbox/``.

``PUT /-/sandbox/functions/<name>`` with ``{"state": "Inactive"}`` (or another of Lambda's states, or
``"last_update_status"``) makes a function what weeks without a call, or a failed update, make of it.

``POST /-/sandbox/faults`` with ``{"call": "ModifyRule", "act": "hold"}`` places a fault (see ``faults``) at a call, by
its operation's name or, where the protocol has none, by method and path. ``GET`` tells of all, ``DELETE`` clears them.

``/-/sandbox/webhook`` and ``/-/sandbox/messages`` are the mailbox (see ``mailbox``).
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException

from infra.sandbox.corrections import family_of
from infra.sandbox.faults import Faults
from infra.sandbox.mailbox import Mailbox

PREFIX = "/-/sandbox/"
_FUNCTION = re.compile(r"/-/sandbox/functions/([A-Za-z0-9_-]+)")
_FAULTS = f"{PREFIX}faults"
_WEBHOOK, _MESSAGES = f"{PREFIX}webhook", f"{PREFIX}messages"
_SIGNED = ("Bluegreen-Timestamp", "Bluegreen-Signature")
_SETTABLE = {"state", "last_update_status"}
_NOTHING = ("404 Not Found", "There is nothing here.")
_DONE = ("204 No Content", "")

# What others have written is on the page of messages.
_NO_SCRIPTS = ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")

Answer = tuple[str, str]


def control(
    environ: dict[str, Any], start_response: Callable[..., Any], faults: Faults, mailbox: Mailbox
) -> Iterable[bytes]:
    """The WSGI application: 200 or 204, or 4xx with what is wrong."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if (method, path) == ("GET", _MESSAGES):
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), _NO_SCRIPTS])
        return [mailbox.page().encode()]
    function = _FUNCTION.fullmatch(path)
    if (method, path) == ("POST", _WEBHOOK):
        mailbox.receive(_signed(environ), body)
        status, text = _DONE
    elif function and method == "PUT":
        status, text = _set(function[1], json.loads(body))
    else:
        status, text = _change_faults(faults, method, body) if path == _FAULTS else _NOTHING
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]


def _signed(environ: dict[str, Any]) -> dict[str, str]:
    """The headers by which a receiver knows whose a post is."""
    found = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in _SIGNED}
    return {name: value for name, value in found.items() if value}


def _change_faults(faults: Faults, method: str, body: bytes) -> Answer:
    if method == "GET":
        return "200 OK", json.dumps(faults.placed())
    if method == "DELETE":
        faults.clear()
        return _DONE
    if method != "POST":
        return _NOTHING
    try:
        faults.place(**json.loads(body))
    except (ValueError, TypeError, re.error) as error:
        return "400 Bad Request", str(error)
    return _DONE


def _set(name: str, values: dict[str, str]) -> Answer:
    """The function, and each version that it has published."""
    if not values.keys() <= _SETTABLE:
        return "400 Bad Request", f"Only {', '.join(sorted(_SETTABLE))} can be set."
    try:
        for function in family_of(name):
            vars(function).update(values)
    except UnknownFunctionException:
        return "404 Not Found", f"There is no function {name}."
    return _DONE
