"""A person's browser as far as HTTP goes: cookies, the form's token, and redirects that are noticed, not followed."""

from email.message import Message
from http.cookiejar import CookieJar
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from bench.errors import CannotMeasure

REDIRECT = 302
LOGIN = "/login/"
SECONDS = 30


class Browser:
    """One session at ``address``."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies), _NotFollowed)

    def sign_in(self, name: str, password: str) -> None:
        """Sign in by the form. Raises CannotMeasure if that fails."""
        self.get(LOGIN)
        status = self.post(LOGIN, username=name, password=password)
        if status != REDIRECT:
            raise CannotMeasure(f"{name} can't sign in: the page answered {status}.")

    def get(self, path: str) -> int:
        """Open a page, and with it take the token of its forms; the status of the answer."""
        return self._send(Request(self._address + path))  # noqa: S310 - the benchmark's own server

    def post(self, path: str, **fields: str) -> int:
        """Send a form with the token; the status of the answer."""
        token = next((cookie.value for cookie in self._cookies if cookie.name == "csrftoken"), None)
        body = urlencode({"csrfmiddlewaretoken": token or "", **fields}).encode()
        return self._send(Request(self._address + path, data=body))  # noqa: S310 - likewise

    def _send(self, request: Request) -> int:
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                answer.read()
                return int(answer.status)
        except HTTPError as error:
            with error:
                error.read()
            return error.code


class _NotFollowed(HTTPRedirectHandler):
    """Leaves a redirect as the answer that it is."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """No other request."""
