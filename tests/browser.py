"""People at their browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page

from tests.serving import session_of

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 15_000


@contextmanager
def visiting(browser: Browser, site: str, user: User | None = None, **options: Any) -> Iterator[Page]:
    """A page in a browser of one's own, signed in as ``user``; paths are of the site."""
    context = browser.new_context(base_url=site, **({"viewport": DESK} | options))
    context.set_default_timeout(PATIENCE_MS)
    if user is not None:
        context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": site}])
    try:
        yield context.new_page()
    finally:
        context.close()


def live_state(page: Page) -> Locator:
    """Where a page says whether it is live."""
    return page.locator("#live-state")
