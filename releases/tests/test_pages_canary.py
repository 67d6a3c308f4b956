"""Who is on the canary: as it is shown, asked for with a release, and added to while it is on."""

import pytest

from releases.models import Release, Service
from releases.tests import factories
from releases.tests.conftest import text_of

HERE = "127.0.0.1"


@pytest.fixture
def on(scene):
    """The scene with its canary on, for one address."""
    Service.objects.update(activate_canary=True, active_canary_addresses=["127.0.0.9/32"])
    candidate = scene.service.state.candidate.value
    Service.objects.update(**{f"{candidate}_image": scene.release.image})
    return scene


def page_of(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/"


def test_the_reader_s_own_address_is_offered_to_who_operates_while_the_canary_is_on(on, as_user):
    page = text_of(as_user(on.operator).get(page_of(on)))
    assert "The canary sends 127.0.0.9/32" in page
    assert f'value="{HERE}"' in page
    refused = text_of(as_user(on.requester).get(page_of(on)))
    assert "You may not run steps of this service" in refused


def test_an_address_is_added_with_one_press(on, as_user):
    response = as_user(on.operator).post(f"{page_of(on)}canary/", {"address": HERE})
    assert response.status_code == 302
    on.release.refresh_from_db()
    assert on.release.canary_addresses == ["127.0.0.9/32", f"{HERE}/32"]


@pytest.mark.parametrize(
    ("address", "why"),
    [("0.0.0.0/0", "is everyone"), ("127.0.0.9", "is in the canary already"), ("", "is no address")],
)
def test_what_cannot_be_added_is_said_on_the_page(on, as_user, address, why):
    response = as_user(on.operator).post(f"{page_of(on)}canary/", {"address": address})
    assert response.status_code == 409
    assert why in text_of(response)
    assert Release.objects.get().canary_addresses == ["127.0.0.9/32"]


def test_a_forged_header_is_not_where_somebody_comes_from(on, as_user):
    page = text_of(as_user(on.operator).get(page_of(on), headers={"x-forwarded-for": "203.0.113.66"}))
    assert "203.0.113.66" not in page


def test_the_service_s_page_says_which_rule_sends_whom(on, as_user):
    Service.objects.update(
        active_canary_addresses=["127.0.0.9/32", "203.0.113.0/24", "198.51.100.1/32", "2001:db8::/48"],
        canary_slots=3,
        canary_header_name="X-Canary",
    )
    page = text_of(as_user(on.requester).get("/services/catalog/"))
    assert "rule 196: header <code>X-Canary</code>" in page
    assert "rule 197: nobody" in page
    assert "rule 198: <code>2001:db8::/48</code>" in page
    assert "<code>127.0.0.9/32</code>, <code>203.0.113.0/24</code>, <code>198.51.100.1/32</code>" in page
    assert page.index("rule 196") < page.index("rule 197") < page.index("rule 198") < page.index("rule 199")
    assert "Matches nobody; when it is on:" not in page


PRIVATE = [["10.0.0.7/32"], ["100.64.0.1/32"], ["fd00::7/128"], ["fe80::/64"], ["169.254.1.1/32"]]


@pytest.mark.parametrize("addresses", PRIVATE)
def test_a_private_address_before_a_load_balancer_on_the_internet_is_warned_of(on, as_user, addresses):
    Service.objects.update(active_canary_addresses=addresses, internet_facing=True)
    page = text_of(as_user(on.requester).get(page_of(on)))
    assert f"{addresses[0]} is a private address, and this load balancer is on the internet" in page


@pytest.mark.parametrize(
    ("addresses", "internet_facing"),
    [(["10.0.0.7/32"], False), (["10.0.0.7/32"], None), (["203.0.113.7/32", "2001:db8::7/128"], True)],
)
def test_what_may_be_known_by_its_address_is_not_warned_of(on, as_user, addresses, internet_facing):
    Service.objects.update(active_canary_addresses=addresses, internet_facing=internet_facing)
    assert "canary-warning" not in text_of(as_user(on.requester).get(page_of(on)))


def test_the_request_warns_of_the_addresses_that_it_begins_with(aws, service, as_user):
    Service.objects.update(canary_addresses=["10.0.0.7/32", "fd00::/48"], internet_facing=True)
    client = as_user(factories.requester(service))
    said = "10.0.0.7/32, fd00::/48 are private addresses"
    assert said in text_of(client.get("/services/catalog/request/"))
    nonsense = client.post("/services/catalog/request/", {"canary_addresses": "nobody"})
    assert (nonsense.status_code, said in text_of(nonsense)) == (422, False)


def test_the_settings_warn_of_addresses_that_were_kept(service, as_user):
    Service.objects.update(canary_addresses=["192.168.1.0/24"], internet_facing=True)
    page = text_of(as_user(factories.manager(service)).get("/services/catalog/settings/"))
    assert "192.168.1.0/24 is a private address" in page
