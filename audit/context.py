"""How whatever happens now came in: the edges say it once, and each event that is recorded meanwhile carries it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_CONTEXT: ContextVar[Mapping[str, str]] = ContextVar("audit_context", default={})  # noqa: B039 - never changed


@contextmanager
def acting_in(**context: str) -> Iterator[None]:
    """Everything recorded inside carries these, for example ``request_id`` and ``address``; empty ones are left out."""
    token = _CONTEXT.set({**_CONTEXT.get(), **{name: value for name, value in context.items() if value}})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def current() -> Mapping[str, str]:
    """What is known of how the present act came in."""
    return _CONTEXT.get()
