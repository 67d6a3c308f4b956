"""What the gates ask for, on its pages, and how a gate with several places is shown."""

import pytest
from django.contrib.auth.models import Group

from releases.domain.access.decisions import Permission
from releases.domain.approval.gate_policy import AfterWait, Gate, Need
from releases.forms.policy import as_typed
from releases.models import Approval, Policy
from releases.permissions import grant
from releases.services.approval import gates
from releases.services.approval.policies import policy_of
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

ADDRESS = "/services/catalog/policy/"
DEFAULTS = "/environments/production/policy/"
WEEKEND = "Fri 16:00 - Mon 08:00 Europe/Berlin: Weekend"


@pytest.fixture
def keeper(service):
    return factories.person("keeper", service, *Permission)


@pytest.fixture
def client(keeper, as_user):
    return as_user(keeper)


def typed(service, **changes) -> dict[str, str]:
    """What the form sends when nothing but this is changed; what is not ticked is not sent."""
    given = {**as_typed(policy_of(service)), **changes}
    return {name: str(value) for name, value in given.items() if value is not False}


@pytest.mark.parametrize("address", [ADDRESS, DEFAULTS])
def test_what_is_typed_is_the_policy_and_shown_again(service, client, address):
    Group.objects.create(name="SRE")
    sent = typed(
        service,
        four_eyes=False,
        need_shift="always",
        people_promote="anybody\nSRE or the role manager",
        break_glass="the role admin",
        approval_minutes="90",
        wait_minutes="5",
        after_wait="cancel",
        freezes=WEEKEND,
        allowed_hours="Mon-Fri 09:00 - 17:00 UTC",
    )
    response = client.post(address, sent)
    assert response.status_code == 302
    policy = policy_of(service)
    assert (policy.four_eyes, policy.approval_seconds, policy.wait_seconds) == (False, 5400, 300)
    assert (policy.after_wait, policy.rule(Gate.SHIFT).need) == (AfterWait.CANCEL, Need.ALWAYS)
    assert list(map(str, policy.rule(Gate.PROMOTE).slots)) == ["anybody", "SRE or the role manager"]
    page = client.get(address)
    assert WEEKEND in page.content.decode()
    assert page.context["form"].initial["people_promote"] == "anybody\nSRE or the role manager"
    assert page.context["form"].initial["break_glass"] == "the role admin"


@pytest.mark.parametrize("address", [ADDRESS, DEFAULTS])
@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("freezes", "always", "is no window"),
        ("allowed_hours", "Mon-Fri 17:00 - 09:00 UTC", "ends before it begins"),
        ("people_shift", "", "Write one to 5 people"),
        ("people_shift", "Nobodies", "There is no group"),
        ("people_shift", "manager", "A role is written as “the role manager”"),
        ("people_shift", "the role boss", "There is no role “boss”: the roles are viewer, requester"),
        ("approval_minutes", "-1", "Write a whole number from 0 to"),
        ("wait_minutes", "10 days", "Write a whole number from"),
        ("after_wait", "explode", "not one of the available choices"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_lost(
    service, client, address, field, text, words
):
    response = client.post(address, typed(service, **{"freezes": WEEKEND, field: text}))
    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert text in response.content.decode()
    assert not Policy.objects.exclude(content={}).exists()


def test_in_the_middle_of_one_s_own_request_it_is_refused_and_the_reason_is_shown(scene, as_user):
    for permission in Permission:
        grant(scene.requester, scene.service, permission)
    browser = as_user(scene.requester)
    assert "somebody else changes its policy" in text_of(browser.get(ADDRESS))
    response = browser.post(ADDRESS, typed(scene.service, four_eyes=False))
    assert response.status_code == 403
    assert "somebody else changes its policy" in text_of(response)


def test_who_may_not_change_it_sees_it_and_why_not(scene, as_user):
    page = text_of(as_user(scene.manager).get(ADDRESS))
    assert "You may not change this service&#x27;s settings" in page


def test_an_environment_where_one_sees_nothing_is_not_found(client):
    assert client.get("/environments/staging/policy/").status_code == 404


@pytest.fixture
def two_places(scene):
    """The canary's gate asks for an SRE, too."""
    content = {"gates": {"canary": {"need": "as_planned", "slots": ["anybody", "SRE"]}}}
    Policy.objects.create(service=scene.service, content=content)
    sam = factories.person("sam", scene.service, Permission.VIEW, Permission.APPROVE)
    sam.groups.add(Group.objects.create(name="SRE"))
    gates.ask(scene.service, scene.canary)
    return scene


def test_the_release_s_page_says_who_has_approved_who_is_missing_and_why_others_cannot(two_places, as_user):
    scene = two_places
    factories.person("ivo", scene.service, Permission.VIEW, Permission.APPROVE)
    factories.approve(scene.canary, scene.manager, comment="fine")
    address = f"/services/catalog/releases/{scene.release.number}/"
    page = text_of(as_user(scene.operator).get(address))
    assert "Approvals 1 of 2" in page
    assert "1 of 2: somebody of SRE is missing (@sam)" in page
    assert 'May approve here: sam <span class="quiet">ivo (in none of the groups and roles)</span>' in page


def test_who_fills_no_place_sees_why_and_may_still_reject(two_places, as_user):
    scene = two_places
    ivo = factories.person("ivo", scene.service, Permission.VIEW, Permission.APPROVE)
    factories.approve(scene.canary, scene.manager)
    response = as_user(ivo).get(f"/services/catalog/releases/{scene.release.number}/")
    assert "What is missing is an approval by somebody of SRE" in text_of(response)
    assert b'id="reject"' in response.content
    assert b'id="approve"' not in response.content


def test_an_approval_is_taken_back_on_the_page(two_places, as_user):
    scene = two_places
    factories.approve(scene.canary, scene.manager)
    browser, address = as_user(scene.manager), f"/services/catalog/releases/{scene.release.number}/"
    assert b'id="withdraw"' in browser.get(address).content
    response = browser.post(f"/services/catalog/steps/{scene.canary.pk}/withdraw/", follow=True)
    assert "Your approval is withdrawn." in text_of(response)
    assert Approval.objects.get().withdrawn_at is not None
    assert b'id="approve"' in response.content


def test_a_freeze_is_the_headline_with_its_end(scene, as_user):
    content = {"freezes": ["2020-01-01 00:00 - 2099-01-01 00:00 UTC: Migration"]}
    Policy.objects.create(environment="production", content=content)
    factories.approve(scene.canary, scene.manager)
    page = text_of(as_user(scene.operator).get(f"/services/catalog/releases/{scene.release.number}/"))
    assert "Nothing begins now (Migration), until 01 January 2099, 00:00 UTC." in page


def test_more_approvers_and_approvals_need_no_more_queries(two_places, as_user):
    scene = two_places
    address = f"/services/catalog/releases/{scene.release.number}/"
    client = as_user(scene.operator)
    factories.approve(scene.canary, scene.manager)
    one = queries_of(client, address)
    for number in range(10):
        more = factories.person(f"more-{number}", scene.service, Permission.VIEW, Permission.APPROVE)
        factories.approve(scene.canary, more)
    assert queries_of(client, address) == one
