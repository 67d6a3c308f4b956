"""moto's API server: one request at a time, and something done after each that may have changed anything."""

import io
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from infra.sandbox.control import PREFIX, control
from infra.sandbox.faults import Faults
from infra.sandbox.mailbox import Mailbox

_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
UNAVAILABLE = b"<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>"
_READING = ("Describe", "Get", "List", "BatchGet", "BatchCheck", "Filter")


class Api:
    """The WSGI application. Before an answer is sent, `after_change(service)` has returned.

    One lock, because moto's models aren't safe for threads: so `after_change` sees what no other request is
    changing. `service` is the name that the request was signed for ("lambda"), or "" if it wasn't signed.
    """

    def __init__(self, after_change: Callable[[str], None], mailbox: Mailbox) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._after_change = after_change
        self._lock = threading.Lock()
        self._faults = Faults()
        self._mailbox = mailbox

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request. While a fault holds it, others go on."""
        if environ["PATH_INFO"].startswith(PREFIX):
            own = partial(control, faults=self._faults, mailbox=self._mailbox)
            return self._answer(environ, start_response, own)
        fault = self._faults.meet(_call(environ))
        self._faults.wait(fault, "before")
        if fault and fault.act == "fail":
            start_response("503 Service Unavailable", [("Content-Type", "text/xml")])
            return [UNAVAILABLE]
        answer = self._answer(environ, start_response, self._moto)
        self._faults.wait(fault, "after")
        return answer

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any], app: Callable[..., Any]
    ) -> Iterable[bytes]:
        with self._lock:
            changes = _may_change(environ)
            answer: Iterable[bytes] = app(environ, start_response)
            if changes:
                self._after_change(_service_of(environ))
        return answer


def make_api_server(app: Api, listener: socket.socket) -> BaseWSGIServer:
    """Return a server for a socket that is bound already; `serve_forever` runs it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = listener.getsockname()
    return make_server(
        host, port, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.fileno()
    )


def _service_of(environ: dict[str, Any]) -> str:
    match = _SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
    return match[1] if match else ""


def _may_change(environ: dict[str, Any]) -> bool:
    """Say whether a request may change something; what isn't known to be a read may."""
    if environ["REQUEST_METHOD"] in {"GET", "HEAD", "OPTIONS"}:
        return False
    return not _operation(environ).startswith(_READING)


def _call(environ: dict[str, Any]) -> str:
    return _operation(environ) or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def _operation(environ: dict[str, Any]) -> str:
    """Return the operation's name where the protocol has one (JSON in a header, Query in the form)."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return ""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    form: dict[str, list[str]] = parse_qs(body.decode(errors="replace"))
    return form.get("Action", [""])[0]
