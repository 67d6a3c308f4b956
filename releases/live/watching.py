"""Who watches, and what they may see: asked when a stream is opened, and again and again while it is open."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import close_old_connections
from django.http import HttpRequest

from releases.permissions import visible_services

Topics = frozenset[str]
TopicsOf = Callable[[User], Topics | None]
Answer = TypeVar("Answer")


async def ask_database(question: Callable[[], Answer]) -> Answer:
    """Ask in the request's thread, and give the connection back at once: an open stream holds none."""
    return await sync_to_async(_ask)(question)


def _ask(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    finally:
        close_old_connections()


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """The person behind a stream: whoever is signed in by this session."""

    session: SessionBase
    topics_of: TopicsOf

    async def topics(self) -> Topics | None:
        """What there is to see for them now, or None: signed out, deactivated, no right, no such thing."""
        return await ask_database(self._topics)

    def _topics(self) -> Topics | None:
        request = HttpRequest()
        request.session = type(self.session)(self.session.session_key)
        user = get_user(request)
        return self.topics_of(user) if isinstance(user, User) else None


def all_services() -> TopicsOf:
    """Every service that the person may see."""
    return lambda user: frozenset(map(str, visible_services(user).values_list("pk", flat=True)))


def one_service(name: str) -> TopicsOf:
    """One service."""
    return partial(_service, name)


def one_run(run_id: UUID) -> TopicsOf:
    """One run, and the service that it is for."""
    return partial(_run, run_id)


def _service(name: str, user: User) -> Topics | None:
    found = visible_services(user).filter(name=name).values_list("pk", flat=True)
    return frozenset(map(str, found)) or None


def _run(run_id: UUID, user: User) -> Topics | None:
    found = visible_services(user).filter(steps__step_runs__run=run_id).values_list("pk", flat=True)
    services = frozenset(map(str, found))
    return services | {str(run_id)} if services else None
