"""The ticket of a request: asked for by the policy, kept, and led to only where that is an address (FAULTS P11)."""

import pytest

from audit.models import AuditEvent
from releases.models import Policy, Release
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_request import ADDRESS, GOOD


@pytest.fixture
def browser(service, aws, as_user):
    return as_user(factories.requester(service))


def test_where_the_policy_asks_for_it_a_request_without_one_is_refused_and_nothing_is_lost(service, browser):
    Policy.objects.create(environment=service.environment, content={"ticket": True})
    response = browser.post(ADDRESS, GOOD)
    assert response.status_code == 422
    assert "A request names its ticket here" in text_of(response)
    assert "Fix the VAT</textarea>" in text_of(response)
    assert not Release.objects.exists()


def test_without_such_a_policy_none_is_needed(browser):
    assert browser.post(ADDRESS, GOOD).status_code == 302
    assert Release.objects.get().ticket == ""


def test_an_address_is_a_link_and_is_in_the_trail(browser):
    ticket = "https://tickets.example.com/PAY-88"
    response = browser.post(ADDRESS, {**GOOD, "ticket": f" {ticket} "}, follow=True)
    assert f'<a id="ticket" href="{ticket}" rel="noreferrer">' in text_of(response)
    assert AuditEvent.objects.get(action="release.requested").after["ticket"] == ticket


@pytest.mark.parametrize("ticket", ["PAY-88", "javascript:alert(1)"])
def test_anything_else_is_text(browser, ticket):
    response = browser.post(ADDRESS, {**GOOD, "ticket": ticket}, follow=True)
    assert f", {ticket}" in text_of(response)
    assert b'id="ticket"' not in response.content
