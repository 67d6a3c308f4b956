"""The cookie by which a load balancer keeps a client with the target group that answered it first.

AWS encrypts its content, so that no client can choose a group; here it is readable, and the sandbox believes it.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
"""

import base64
import binascii
import json
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

COOKIE = "AWSALBTG"


def write_cookie(target_group: str, *, seconds: int, now: float) -> str:
    """Return a Set-Cookie header's value that holds a client to a group until `seconds` from `now` (Unix time)."""
    content = json.dumps([target_group, now + seconds]).encode()
    return f"{COOKIE}={base64.urlsafe_b64encode(content).decode()}; Max-Age={seconds}; Path=/"


def read_cookie(headers: Iterable[str], *, now: float) -> str:
    """Return the target group that a request's Cookie headers hold it to; "" if none does, or no more."""
    for header in headers:
        try:
            morsel = SimpleCookie(header).get(COOKIE)
            group, expires = json.loads(base64.urlsafe_b64decode(morsel.value)) if morsel else ("", now)
        except (CookieError, binascii.Error, ValueError, TypeError):
            continue
        if isinstance(group, str) and isinstance(expires, float) and now < expires:
            return group
    return ""
