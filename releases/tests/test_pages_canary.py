"""Who is on the canary: as it is shown, asked for with a release, and added to while it is on."""

import pytest

from releases.models import Release, Service
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


def test_the_service_s_page_says_who_is_on_the_canary(on, as_user):
    Service.objects.update(active_canary_addresses=["2001:db8::/48"], canary_header_name="X-Canary")
    page = text_of(as_user(on.requester).get("/services/catalog/"))
    assert "2001:db8::/48; header X-Canary" in page
