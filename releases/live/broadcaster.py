"""One listening connection for all streams of this process: what is notified reaches those who wait for it.

Topics are the ids of services and runs, as ``releases.push`` sends them, and ACCESS, which concerns every stream.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from django.db import connection as default_connection
from psycopg import AsyncConnection, AsyncCursor, sql

from releases.push import ACCESS, CHANNEL

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
# A peer that vanished without a word (a firewall's time-out) is noticed after about half a minute.
KEEPALIVE: dict[str, Any] = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}


class Subscription:
    """What one stream waits for. However much happens, it holds each topic at most once."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    def note(self, topics: frozenset[str]) -> None:
        """Keep those of the topics that are waited for, and wake the stream."""
        if concerns := (self.topics | {ACCESS}) & topics:
            self._changed |= concerns
            self._wake.set()

    async def changed(self, *, within: float) -> frozenset[str]:
        """The topics that changed since the last call; waits so many seconds for one, then there are none."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._wake.wait()
        self._wake.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed


class Broadcaster:
    """Listens from the first subscription on for as long as the process lives, and again after each loss.

    Whoever subscribes, and everyone after a loss, is told that all its topics changed: what happened while nobody
    listened is unknown. ``listening`` says whether news would arrive now.
    """

    def __init__(self) -> None:
        self.listening = False
        self._subscriptions: set[Subscription] = set()
        self._listener: asyncio.Task[None] | None = None

    @contextmanager
    def subscription(self, topics: frozenset[str]) -> Iterator[Subscription]:
        """Receive news of these topics until the context is left."""
        subscription = Subscription(topics)
        self._subscriptions.add(subscription)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen_for_ever())
        if self.listening:
            subscription.note(topics | {ACCESS})
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _listen_for_ever(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._listening() as connection:
                    pause = FIRST_PAUSE_SECONDS
                    async for notification in connection.notifies():
                        self._spread(notification.payload)
            except psycopg.Error as error:
                logger.warning("live pages are cut off from the database, trying again: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own, outside of Django's pool, which is for requests."""
        parameters = default_connection.get_connection_params() | KEEPALIVE | {"cursor_factory": AsyncCursor}
        async with await AsyncConnection.connect(**parameters, autocommit=True) as connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            self.listening = True
            for subscription in self._subscriptions:
                subscription.note(subscription.topics | {ACCESS})
            try:
                yield connection
            finally:
                self.listening = False

    def _spread(self, payload: str) -> None:
        message = json.loads(payload)
        topics = frozenset(message[kind] for kind in ("service", "run", ACCESS) if kind in message)
        for subscription in self._subscriptions:
            subscription.note(topics)


broadcaster = Broadcaster()
