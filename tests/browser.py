"""People at their browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page, ViewportSize

from tests.serving import session_of

DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
# Nothing takes so long but on a machine that does much else meanwhile.
PATIENCE_MS = 60_000


@contextmanager
def visiting(browser: Browser, site: str, user: User | None = None, **options: Any) -> Iterator[Page]:
    """A page in a browser of one's own, signed in as ``user``; paths are of the site."""
    context = browser.new_context(base_url=site, **({"viewport": DESK} | options))
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        if user is not None:
            sign_in(page, user)
        yield page
    finally:
        context.close()


def sign_in(page: Page, user: User) -> None:
    """From now on this browser is ``user``'s."""
    page.context.add_cookies(
        [{"name": "sessionid", "value": session_of(user), "domain": "127.0.0.1", "path": "/"}]
    )


def live_state(page: Page) -> Locator:
    """Where a page says whether it is live."""
    return page.locator("#live-state")
