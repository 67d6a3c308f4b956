"""Fixtures of the tests that drive a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import PATIENCE_MS
from tests.serving import serving

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def site(transactional_db) -> Iterator[str]:
    """The address of the site under its real server; what a test writes is there for it at once."""
    with serving() as address:
        yield address
