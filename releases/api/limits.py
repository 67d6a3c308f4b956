"""How often a token may ask: a pipeline that has run wild must not slow the pages down."""

import time
from typing import cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from releases.api.auth import ApiRequest

_SECONDS = 60


class PerToken(BaseThrottle):
    """So many requests in each minute, counted by each web process."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Whether this one is not too many."""
        token = cast(ApiRequest, request).caller.token
        key = f"api:{token.pk}:{int(time.time()) // _SECONDS}"
        cache.add(key, 0, timeout=_SECONDS)
        try:
            return bool(cache.incr(key) <= settings.API_REQUESTS_PER_MINUTE)
        except ValueError:  # the cache has made room for others meanwhile
            return True

    def wait(self) -> float:
        """The rest of this minute, in seconds."""
        return _SECONDS - time.time() % _SECONDS
