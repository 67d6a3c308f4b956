"""Every page of a service whose stable colour is green says the candidate's share, and which colour is which."""

import pytest

from releases.domain.traffic import Color
from releases.models import Step
from releases.services import states
from releases.tests import factories
from releases.tests.conftest import Scene, text_of

PAGE = "/services/catalog/"


@pytest.fixture
def swapped(service) -> Scene:
    """Green is stable with "blue"; blue has "green", a share of 10 % and the canary; the shift to 25 % waits."""
    service.active_color = service.safe_color = Color.GREEN.value
    service.green_weight = 100
    service.save()
    requester, manager = factories.requester(service), factories.manager(service)
    operator = factories.operator(service)
    release = factories.release_with_steps(service, requester)
    factories.put_in_place(service, release)
    Step.objects.filter(release=release).exclude(candidate_share__gt=10).update(status="done")
    service.green_weight, service.activate_canary = 90, True
    service.save()
    shift = factories.waiting_step(release.steps.get(transition="shift", candidate_share=25))
    return Scene(service, requester, manager, operator, release, shift)


@pytest.fixture
def address(swapped) -> str:
    return f"{PAGE}releases/{swapped.release.number}/"


def test_the_new_version_is_put_into_blue(swapped):
    assert (swapped.service.blue_tag, swapped.service.green_tag) == ("green", "blue")


def test_the_service_says_who_is_sent_where(swapped, as_user):
    response = as_user(swapped.manager).get(PAGE)
    traffic = response.context["traffic"]
    assert (traffic.stable.color, traffic.candidate.color) == ("green", "blue")
    assert traffic.in_words == "blue 10 %, green 90 %; whitelisted addresses to blue"
    page = text_of(response)
    assert "candidate, serves the canary" in page.partition("target-blue")[2].partition("target-green")[0]


def test_a_release_says_the_candidates_share_in_steps_sentence_and_bars(swapped, address, as_user):
    response = as_user(swapped.operator).get(address)
    assert [stair.share for stair in response.context["stairs"]] == [0, 0, 10, 25, 50, 75, 100]
    plan = response.context["plan"]
    assert plan.sentence.startswith("Sends 25 % of users to blue · green; green · blue keeps 75 %.")
    assert (plan.before.blue.share, plan.after.blue.share) == (10, 25)
    assert "sends 25 % of users to green" in text_of(response)


def test_the_variables_have_greens_weight_and_say_what_it_means(swapped, address, as_user):
    page = text_of(as_user(swapped.manager).get(f"{address}?tab=variables"))
    assert "green_weight    = 75" in as_user(swapped.manager).get(f"{address}?tab=variables").content.decode()
    assert "Green is the stable colour here" in page
    assert "the candidate, blue, has 25 %." in page


def test_the_button_says_that_it_leads_to_green(swapped, aws, as_user):
    page = text_of(as_user(swapped.manager).get(f"{PAGE}rollback/"))
    assert "Send all PRODUCTION traffic back to GREEN · blue" in page
    assert "Is green ready?" in page


def test_the_button_sends_everyone_to_green(swapped, aws, as_user):
    browser = as_user(swapped.manager)
    assert browser.post(f"{PAGE}rollback/").status_code == 302
    service = swapped.service
    weights = {service.green_target_group_arn: 100, service.blue_target_group_arn: 0}
    assert aws.weights[service.traffic_rule_arn] == aws.weights[service.canary_rule_arn] == weights
    service.refresh_from_db()
    assert service.state.candidate_share == 0


def test_a_shift_keeps_what_it_was_planned_for(swapped):
    step = swapped.canary
    assert states.from_json(step.state_after).green_weight == 75
