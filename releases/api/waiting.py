"""Waiting for a release to go on: pushed by the database, as to open pages; it holds no connection."""

import json
import logging
from collections.abc import AsyncIterator
from functools import partial
from time import monotonic
from typing import Annotated

from django.db import Error
from django.http import Http404, StreamingHttpResponse
from ninja import Query
from ninja.responses import NinjaJSONEncoder

from releases.api.auth import Caller, still_calling
from releases.api.found import release_of, service_for
from releases.api.release_shown import release_shown
from releases.api.shown import ReleaseOut
from releases.live.broadcaster import broadcaster
from releases.live.watching import ask_database

logger = logging.getLogger(__name__)

# Shorter than proxies usually wait for an answer.
LONGEST_SECONDS = 30

WaitSeconds = Annotated[int, Query(ge=0, le=LONGEST_SECONDS, description="How long to wait for a change.")]
Known = Annotated[
    str, Query(pattern=r"^([0-9a-f]{16})?$", description="The version that is known: another one is no wait.")
]


def another_than(
    known: ReleaseOut, caller: Caller, service_id: str, wait_seconds: int
) -> StreamingHttpResponse:
    """The release as soon as it is another one than is known, or as it is when the wait is over."""
    return StreamingHttpResponse(
        _document(known, caller, service_id, wait_seconds),
        content_type="application/json",
        headers={"X-Accel-Buffering": "no"},
    )


async def _document(
    known: ReleaseOut, caller: Caller, service_id: str, wait_seconds: int
) -> AsyncIterator[bytes]:
    end = monotonic() + wait_seconds
    with broadcaster.subscription(frozenset({service_id})) as subscription:
        while True:
            # What happened before the subscription is asked for, too.
            found = await ask_database(partial(_now, known, caller))
            if found is None:
                return
            left = end - monotonic()
            if found.version != known.version or left <= 0:
                yield json.dumps(found.model_dump(), cls=NinjaJSONEncoder).encode()
                return
            await subscription.changed(within=left)


def _now(known: ReleaseOut, caller: Caller) -> ReleaseOut | None:
    """The release; None where the caller may not see it any more, or nobody can tell."""
    try:
        present = still_calling(caller)
        service = service_for(present, known.service) if present else None
        return release_shown(service, release_of(service, known.number)) if service else None
    except Http404:
        return None
    except Error as error:
        logger.warning("a wait ends, since nobody can be asked: %s", error)
        return None
