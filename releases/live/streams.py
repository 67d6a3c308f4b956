"""What is sent to an open page.

- ``changed``: the page is to be fetched again. Sent once at the beginning, since something may have changed between
  the page's rendering and the stream's opening.
- ``lines``: new lines of a log as HTML; the event's id is the number of the last one, counted from 1.
- ``end``: the log is complete.
- ``beat``: nothing happened, and news would have arrived. A page that hears nothing for longer isn't live.
"""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from time import monotonic
from uuid import UUID

from django.db import Error
from django.template.loader import render_to_string

from releases.live.broadcaster import Subscription, broadcaster
from releases.live.watching import Topics, Watcher, ask_database
from releases.push import ACCESS
from terraform_runner import selectors
from terraform_runner.domain.runs import ENDED_STATUSES

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
# A right that is taken away is pushed, and closes the stream at once; that a session has expired is not.
CHECK_SECONDS = 60.0
LINES_PER_EVENT = 500
RETRY = b"retry: 1000\n\n"


def event(name: str, data: str = "", *, last_id: int | None = None) -> bytes:
    """One server-sent event; each line of the data becomes a field of its own."""
    number = "" if last_id is None else f"id: {last_id}\n"
    fields = "".join(f"data: {line}\n" for line in re.split(r"\r\n|\r|\n", data))
    return f"event: {name}\n{number}{fields}\n".encode()


async def page_events(watcher: Watcher, topics: Topics) -> AsyncIterator[bytes]:
    """For a page of one or of all services."""
    yield RETRY
    with broadcaster.subscription(topics) as subscription:
        async for changed in _turns(watcher, subscription):
            yield event("changed" if changed else "beat")


async def log_events(watcher: Watcher, topics: Topics, *, run_id: UUID, after: int) -> AsyncIterator[bytes]:
    """For a page with a run's log, of which it has so many lines: the lines, and what concerns the run's service."""
    yield RETRY
    ended = False
    with broadcaster.subscription(topics) as subscription:
        async for changed in _turns(watcher, subscription):
            if not changed:
                yield event("end" if ended else "beat")
                if ended:
                    return
                continue
            # Asked before the lines. The last ones are kept after the run's end, so the next quiet turn is the end.
            ended = await ask_database(partial(_has_ended, run_id))
            while page := await ask_database(partial(_read_lines, run_id, after)):
                after = page.last
                yield event("lines", page.html, last_id=after)
            if changed - {str(run_id)}:
                yield event("changed")


def is_complete(run_id: UUID, after: int) -> bool:
    """Whether a page that has so many lines of a run's log has all that there will ever be."""
    return _has_ended(run_id) and not selectors.list_lines(run_id, after=after, limit=1)


def _has_ended(run_id: UUID) -> bool:
    return selectors.get_run(run_id).status in ENDED_STATUSES


async def _turns(watcher: Watcher, subscription: Subscription) -> AsyncIterator[Topics]:
    """What changed, at least once in a beat while news arrive; ends when the person may not see it any more.

    That is asked when it may have changed, and in each beat while nobody could tell.
    """
    checked = monotonic()
    while True:
        changed = await subscription.changed(within=BEAT_SECONDS)
        only_access = changed == {ACCESS}
        overdue = monotonic() - checked >= CHECK_SECONDS
        if ACCESS in changed or overdue or not broadcaster.listening:
            topics = await _still_visible(watcher)
            if topics is None:
                return
            changed = (changed - {ACCESS}) | (topics ^ subscription.topics)
            subscription.topics, checked = topics, monotonic()
        if changed or (broadcaster.listening and not only_access):
            yield changed


async def _still_visible(watcher: Watcher) -> Topics | None:
    try:
        return await watcher.topics()
    except Error as error:
        logger.warning("a stream is closed, since nobody can be asked who may see it: %s", error)
        return None


@dataclass(frozen=True, kw_only=True)
class _Lines:
    html: str
    last: int


def _read_lines(run_id: UUID, after: int) -> _Lines | None:
    lines = selectors.list_lines(run_id, after=after, limit=LINES_PER_EVENT)
    if not lines:
        return None
    html = render_to_string("releases/_log_lines.html", {"lines": lines})
    return _Lines(html=html, last=lines[-1][0] + 1)
