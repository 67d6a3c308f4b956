"""The ticket that a request names: an address, or a key of whatever keeps tickets."""

import re
from urllib.parse import urlsplit

from releases.domain.errors import DomainError

LONGEST = 300
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]{1,300}")


class InvalidTicket(DomainError):
    """None that can be kept; the message says what to write."""


def check_ticket(text: str, *, is_needed: bool) -> str:
    """The ticket as it is kept, "" for none where none is needed. Raises ``InvalidTicket``."""
    ticket = text.strip()
    if not ticket and is_needed:
        raise InvalidTicket("ticket:missing", "A request names its ticket here: write its address or key.")
    if ticket and not _ONE_LINE.fullmatch(ticket):
        raise InvalidTicket("ticket:form", f"A ticket is one line of at most {LONGEST} characters.")
    return ticket


def address_of(ticket: str) -> str:
    """Where a page may lead to: only http and https; "" for anything else, which is text (FAULTS P11)."""
    try:
        parts = urlsplit(ticket)
    except ValueError:
        return ""
    return ticket if parts.scheme in {"http", "https"} and parts.hostname and " " not in ticket else ""
