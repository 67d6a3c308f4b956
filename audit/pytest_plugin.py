"""Lets Django's tests empty the trail between them; nothing else may.

Loaded by every test session (`pytest_plugins` in the root conftest.py): after a test with real transactions
Django truncates all tables, which the trail refuses.
"""

from collections.abc import Iterator

import pgtrigger
import pytest
from django.test import TransactionTestCase


@pytest.fixture(autouse=True, scope="session")
def _trail_is_emptied_between_tests() -> Iterator[None]:
    original = getattr(TransactionTestCase, "_fixture_teardown")  # noqa: B009 - not in the type stubs
    with pytest.MonkeyPatch.context() as patch:
        ignoring = pgtrigger.ignore("audit.AuditEvent:append_only", "audit.ChainLink:append_only")(original)
        patch.setattr(TransactionTestCase, "_fixture_teardown", ignoring)
        yield
