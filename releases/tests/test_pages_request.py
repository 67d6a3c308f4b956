"""Requesting a release."""

import pytest
from django.test import Client

from audit.models import AuditEvent
from releases.models import Release, Service, Step
from releases.tests import factories
from releases.tests.conftest import text_of

ADDRESS = "/services/catalog/request/"
GOOD = {"tag": "green", "weights": "10, 50", "canary": "on", "bake_seconds": "0", "reason": "Fix the VAT"}


@pytest.fixture
def browser(service, aws, as_user) -> Client:
    return as_user(factories.requester(service))


def test_the_form_is_filled_with_the_usual_case(browser):
    response = browser.get(ADDRESS)
    page = text_of(response)
    assert response.context["chosen"] == "yellow"
    assert 'value="10, 25, 50, 75"' in page
    assert factories.digest("yellow")[:12] in page
    assert "what users have" in page


def test_a_request_opens_a_release_and_leads_to_it(browser):
    response = browser.post(ADDRESS, GOOD)
    release = Release.objects.get()
    assert response.url == f"/services/catalog/releases/{release.number}/"
    assert (release.tag, release.reason) == ("green", "Fix the VAT")
    steps = [(step.transition, step.candidate_share) for step in release.steps.order_by("position")]
    assert steps == [("rotate_candidate", 0), ("canary", 0), ("shift", 10), ("shift", 50), ("promote", 100)]


def test_canary_extra_approvals_and_bake_time_are_as_chosen(browser):
    sent = {**GOOD, "bake_seconds": "90", "gates": ["shift-50"]}
    del sent["canary"]
    browser.post(ADDRESS, sent)
    steps = list(Step.objects.filter(release__isnull=False).order_by("position"))
    assert [step.transition for step in steps] == ["rotate_candidate", "shift", "shift", "promote"]
    assert [step.gate for step in steps] == [False, True, True, True]
    assert [step.bake_seconds for step in steps] == [0, 90, 90, 0]


def test_each_step_bakes_and_starts_as_chosen(browser):
    sent = {**GOOD, "bake_seconds": "90", "bake-shift-10": "600", "bake-canary": "", "bake-shift-50": "0"}
    browser.post(ADDRESS, {**sent, "automatic": ["rotation", "shift-50", "promote"]})
    steps = Step.objects.filter(release__isnull=False).order_by("position")
    assert [(step.bake_seconds, step.automatic) for step in steps] == [
        (0, True),
        (90, False),
        (600, False),
        (0, True),
        (0, True),
    ]


def test_a_plan_that_is_kept_is_what_the_next_request_begins_with(browser):
    sent = {
        **GOOD,
        "bake_seconds": "90",
        "gates": ["shift-50"],
        "automatic": ["rotation"],
        "bake-shift-10": "600",
    }
    del sent["canary"]
    browser.post(ADDRESS, {**sent, "keep_plan": "on"})
    Release.objects.update(status="cancelled")
    page = text_of(browser.get(ADDRESS))
    assert 'value="10, 50"' in page
    assert 'name="canary" checked' not in page
    assert 'value="shift-50" checked' in page
    assert 'value="rotation" checked' in page
    assert 'name="bake-shift-10" value="600"' in page
    event = AuditEvent.objects.get(action="service.plan-kept")
    assert (event.before["weights"], event.after["weights"]) == ([10, 25, 50, 75], [10, 50])


def test_a_plan_that_is_not_kept_is_for_this_release_alone(browser):
    browser.post(ADDRESS, GOOD)
    assert Service.objects.get().weights == [10, 25, 50, 75]
    assert not AuditEvent.objects.filter(action="service.plan-kept").exists()


def test_a_plan_that_is_kept_as_it_was_is_no_event(browser):
    usual = {"tag": "green", "weights": "10, 25, 50, 75", "canary": "on", "bake_seconds": "0"}
    browser.post(ADDRESS, {**usual, "keep_plan": "on"})
    assert Release.objects.exists()
    assert not AuditEvent.objects.filter(action="service.plan-kept").exists()


def test_choices_for_steps_of_other_shares_are_shown_again_without_them(browser):
    """Without the page's script the lines below the shares are those of the shares before: one more look at them."""
    response = browser.post(ADDRESS, {**GOOD, "weights": "20", "automatic": ["shift-10"]})
    page = text_of(response)
    assert response.status_code == 422
    assert "This plan has no step that could start by itself: shift-10." in page
    assert 'id="automatic-shift-20"' in page
    assert 'id="automatic-shift-10"' not in page


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"tag": ""}, "tag", "Choose an image."),
        ({"tag": "no/tag"}, "tag", "This is no tag of an image."),
        ({"tag": "purple"}, None, "There is no image purple."),
        ({"tag": "blue"}, None, "All users of catalog have this version already."),
        ({"weights": ""}, "weights", "This field is required."),
        ({"weights": "50, 10"}, "weights", "Each share must be higher than the one before it."),
        ({"weights": "10, x"}, "weights", "Shares are separated by commas"),
        ({"weights": "100"}, "weights", "from 1 to 99"),
        ({"bake_seconds": "-1"}, "bake_seconds", "from 0 to 86400"),
        ({"bake_seconds": "soon"}, "bake_seconds", "Write a whole number from 0 to 86400"),
        ({"bake-shift-10": "soon"}, "bake_seconds", "A bake time is a whole number of seconds"),
        ({"bake-shift-10": "-1"}, "bake_seconds", "A bake time is a whole number of seconds"),
        ({"bake-shift-10": "86401"}, "bake_seconds", "from 0 to 86400"),
        ({"bake-shift-10": "٣"}, "bake_seconds", "A bake time is a whole number of seconds"),
        ({"bake-shift-33": "60"}, "weights", "no step that could bake: shift-33"),
        ({"bake-promote": "60"}, "weights", "no step that could bake: promote"),
        ({"automatic": ["shift-33"]}, "weights", "no step that could start by itself: shift-33"),
        ({"reason": "x" * 2001}, "reason", "at most 2000 characters"),
        ({"gates": ["shift-33"]}, "weights", "no step that could have this gate: shift-33"),
    ],
)
def test_an_error_is_said_at_its_field_and_what_was_typed_stays(browser, changed, field, said):
    response = browser.post(ADDRESS, {**GOOD, **changed})
    form = response.context["form"]
    errors = form.non_field_errors() if field is None else form.errors[field]
    assert response.status_code == 422
    assert any(said in error for error in errors)
    assert said in text_of(response)
    assert form.data["reason"] == {**GOOD, **changed}["reason"]
    assert not Release.objects.exists()


def test_the_chosen_image_and_the_extra_approvals_stay_after_an_error(browser):
    response = browser.post(ADDRESS, {**GOOD, "gates": ["shift-50"], "bake_seconds": "x"})
    page = text_of(response)
    assert response.context["chosen"] == "green"
    assert 'value="shift-50" checked' in page


def test_aws_not_answering_is_said_and_what_was_typed_stays(browser, aws):
    aws.is_down = True
    response = browser.post(ADDRESS, GOOD)
    page = text_of(response)
    assert response.status_code == 422
    assert "The images could not be read from the repository." in page
    assert "AWS did not answer. Try again." in page
    assert 'name="tag" value="green"' in page


def test_an_open_release_is_said_before_anything_is_typed(scene, aws, as_user):
    page = text_of(as_user(scene.requester).get(ADDRESS))
    assert "This cannot be requested now." in page
    assert "A release is open: it has to end first." in page
    assert 'type="submit" disabled' in page


def test_a_request_while_a_release_is_open_is_refused_in_words(scene, aws, as_user):
    response = as_user(scene.requester).post(ADDRESS, GOOD)
    assert response.status_code == 422
    assert "A release is open: it has to end first." in text_of(response)
    assert Release.objects.count() == 1


def test_a_service_without_canary_addresses_is_offered_no_canary(browser):
    Service.objects.update(canary_addresses=[])
    page = text_of(browser.get(ADDRESS))
    assert "this service has no canary addresses" in page
    assert 'name="canary" checked' not in page


def test_the_steps_follow_the_typed_shares(browser):
    page = text_of(browser.get(f"{ADDRESS}steps/?weights=20,40&canary=on&gates=shift-40"))
    assert "20 % of users" in page
    assert 'value="shift-40" checked' in page
    assert 'id="gate-canary"' not in page


def test_after_a_promotion_the_steps_begin_with_the_rotation_by_copy(browser):
    Service.objects.update(green_weight=100)
    page = text_of(browser.get(f"{ADDRESS}steps/?weights=20"))
    assert "The promoted version is copied to the stable colour" in page


def test_shares_that_make_no_plan_are_explained_and_approvals_kept(browser):
    page = text_of(browser.get(f"{ADDRESS}steps/?weights=50,20&gates=shift-50"))
    assert "Each share must be higher than the one before it." in page
    assert '<input type="hidden" name="gates" value="shift-50">' in page
