"""The emergency button's page, and the moments after the press."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.models import EmergencyRollback, Press, Readiness, Service, Step, TrafficCount
from releases.services.rollback import fresh_looks, rollbacks, watches
from releases.tests import factories
from releases.tests.conftest import text_of
from terraform_runner.workers import note_seen

ADDRESS = "/services/catalog/rollback/"
WORDS = "Send all PRODUCTION traffic back to BLUE · blue"


@pytest.fixture
def split(scene) -> None:
    Service.objects.update(green_weight=25, activate_canary=True)


@pytest.fixture
def browser(scene, aws, as_user) -> Client:
    return as_user(scene.operator)


def press(browser: Client, **columns) -> EmergencyRollback:
    browser.post(ADDRESS)
    EmergencyRollback.objects.update(**columns)
    return EmergencyRollback.objects.get()


def result(browser: Client, rollback: EmergencyRollback) -> str:
    return text_of(browser.get(f"{ADDRESS}{rollback.pk}/"))


def test_the_page_says_from_where_to_where_and_what_it_does_not_undo(browser, split):
    page = text_of(browser.get(ADDRESS))
    assert "GREEN · green" in page
    assert "25 % of users and the canary" in page
    assert "BLUE · blue" in page
    assert "75 % of users" in page
    assert WORDS in page
    assert "What it does not undo" in page


def test_the_page_needs_no_script_and_loads_less_than_50_kb(browser, split):
    response = browser.get(ADDRESS)
    assert b"<script" not in response.content
    loaded = [f"releases/static/releases/{name}" for name in ("tokens.css", "emergency.css", "icon.svg")]
    size = len(response.content)
    for name in loaded:
        with open(name, "rb") as file:
            size += len(file.read())
    assert response.content.count(b"/static/") == len(loaded)
    assert size < 50_000


@pytest.fixture
def wanted(monkeypatch) -> set[UUID]:
    """The services whose other side a page wants looked at: nobody sees to it here.

    What a busy machine takes for a test makes nothing old.
    """
    monkeypatch.setattr(fresh_looks, "FRESH_FOR", timedelta(minutes=2))
    fresh_looks.take_wanted()
    return fresh_looks._wanted


def looked_at(scene, **columns) -> None:
    moment = columns.pop("at", timezone.now())
    Readiness.objects.create(
        service=scene.service, color="blue", checked_at=moment, probed_at=moment, **columns
    )


def test_the_page_has_the_other_side_looked_at_and_comes_again_to_show_it(browser, split, scene, wanted, aws):
    aws.is_down = True
    response = browser.get(ADDRESS)
    assert response["Refresh"] == "2; url=?looked=1"
    assert "Not looked at yet. BLUE · blue is looked at now." in text_of(response).replace("</strong>", "")
    assert wanted == {scene.service.pk}
    looked_at(scene)
    again = browser.get(f"{ADDRESS}?looked=1")
    assert "BLUE · blue is ready" in text_of(again)
    assert "Refresh" not in again


def test_what_was_found_a_while_ago_is_shown_with_its_age_and_looked_at_again(browser, split, scene, wanted):
    looked_at(scene, at=timezone.now() - timedelta(minutes=4))
    response = browser.get(ADDRESS)
    page = text_of(response)
    assert "BLUE · blue is ready" in page
    assert "4 min ago" in page
    assert "It is being looked at, and this page comes again by itself." in page
    assert wanted == {scene.service.pk}


@pytest.mark.parametrize("address", ["?looked=3", "?looked=9", "?looked=x", "?hold=1"])
def test_the_page_comes_again_three_times_at_the_most_and_can_be_held(browser, split, wanted, address):
    response = browser.get(f"{ADDRESS}{address}")
    assert "Refresh" not in response
    assert "A newer look was asked for" in text_of(response)
    assert wanted


def test_a_side_that_is_not_ready_is_warned_of_and_not_refused(browser, split, scene, wanted):
    looked_at(scene, problems=["state of blue's function: expected Active, found Inactive"])
    page = text_of(browser.get(ADDRESS))
    assert "BLUE · blue may not be ready" in page
    assert f'<button type="submit">{WORDS}</button>' in page


def test_the_commands_to_do_it_without_bluegreen_name_both_rules(browser, split, scene):
    page = text_of(browser.get(ADDRESS))
    assert page.count("aws elbv2 modify-rule") == 2
    assert scene.service.traffic_rule_arn in page
    assert scene.service.canary_rule_arn in page


def test_while_the_stable_function_is_being_changed_the_button_stops_the_rotation(browser, scene):
    Service.objects.update(green_weight=100, safe_color="green")
    page = text_of(browser.get(ADDRESS))
    assert "Stop the rotation: keep all PRODUCTION traffic on GREEN · green" in page


def test_nothing_to_roll_back_is_said_and_aws_can_still_be_asked(service, aws, as_user):
    page = text_of(as_user(factories.operator(service)).get(ADDRESS))
    assert "There is nothing to roll back:" in page
    assert "Ask AWS, and bring all traffic to BLUE · blue if it is not there" in page


def test_a_press_with_nothing_to_roll_back_records_nothing(service, aws, as_user):
    everyone_on_blue = {service.blue_target_group_arn: 100, service.green_target_group_arn: 0}
    aws.weights = {service.traffic_rule_arn: everyone_on_blue, service.canary_rule_arn: everyone_on_blue}
    response = as_user(factories.operator(service)).post(ADDRESS)
    assert response.status_code == 409
    assert "Everyone is on blue already." in text_of(response)
    assert not EmergencyRollback.objects.exists()


def test_a_press_that_has_to_ask_aws_first_says_when_it_does_not_answer(service, aws, as_user):
    aws.is_down = True
    response = as_user(factories.operator(service)).post(ADDRESS)
    assert response.status_code == 502
    assert "The traffic was not moved." in text_of(response)


def test_who_may_not_press_is_told_who_may(scene, aws, as_user):
    page = text_of(as_user(scene.requester).get(ADDRESS))
    assert "You may not roll this service back." in page
    assert "manager, operator" in page
    assert "disabled" in page


def test_a_service_that_is_not_set_up_has_nothing_to_press(service, as_user):
    Service.objects.update(set_up_at=None)
    page = text_of(as_user(factories.operator(service)).get(ADDRESS))
    assert "The service is not set up yet." in page
    assert "<button" not in page


def test_a_press_moves_the_traffic_and_leads_to_its_moments(browser, split, scene, aws):
    response = browser.post(ADDRESS)
    rollback = EmergencyRollback.objects.get()
    everyone_on_blue = {scene.service.blue_target_group_arn: 100, scene.service.green_target_group_arn: 0}
    assert response.url == f"{ADDRESS}{rollback.pk}/"
    assert aws.weights == {
        scene.service.traffic_rule_arn: everyone_on_blue,
        scene.service.canary_rule_arn: everyone_on_blue,
    }
    page = result(browser, rollback)
    assert "All traffic is on BLUE · blue" in page
    assert "Traffic is back" in page
    assert "Terraform follows" in page
    assert f"ends {scene.release}" in page


def test_a_second_press_joins_the_first(browser, split, scene, as_user):
    first = browser.post(ADDRESS)
    second = as_user(scene.manager).post(ADDRESS)
    assert second.url == first.url
    assert EmergencyRollback.objects.count() == 1
    assert "A rollback is going on" in text_of(browser.get(ADDRESS))


def test_a_press_while_aws_is_down_says_so_and_shows_the_commands(browser, split, aws):
    aws.is_down = True
    browser.post(ADDRESS)
    page = result(browser, EmergencyRollback.objects.get())
    assert "The traffic is not back yet" in page
    assert "AWS did not answer. Try again." in page
    assert "aws elbv2 modify-rule" in page
    assert "Try again: send all PRODUCTION traffic to BLUE · blue" in page


def test_the_page_comes_again_until_terraform_agrees(browser, split):
    rollback = press(browser)
    counted(rollback, minutes=3, safe=9)
    going_on = browser.get(f"{ADDRESS}{rollback.pk}/")
    held = browser.get(f"{ADDRESS}{rollback.pk}/?hold=1")
    Step.objects.filter(pk=rollback.converge_id).update(status="done", ended_at=timezone.now())
    done = browser.get(f"{ADDRESS}{rollback.pk}/")
    assert going_on["Refresh"] == "2"
    assert "Refresh" not in held
    assert "Refresh" not in done
    assert "Terraform agrees" in text_of(done)


def counted(rollback: EmergencyRollback, *, minutes: float, **columns) -> None:
    """The traffic is back since so long, and that was read."""
    at = timezone.now() - timedelta(minutes=minutes)
    EmergencyRollback.objects.update(traffic_back_at=at)
    TrafficCount.objects.create(rollback=rollback, read_at=timezone.now(), since=at, **columns)


@pytest.mark.parametrize(
    ("minutes", "columns", "said"),
    [
        (3, {"safe": 1204}, "1204 requests since"),
        (3, {"safe": 1204, "other": 7}, "GREEN was sent 7 requests since"),
        (3, {}, "is late by some minutes"),
        (11, {}, "where users are is known from the rules alone"),
        (3, {"problem": "AWS did not answer."}, "They could not be read: AWS did not answer."),
    ],
)
def test_what_the_load_balancer_has_counted_since_is_said_and_silence_is_no_pass(
    browser, split, minutes, columns, said
):
    rollback = press(browser)
    counted(rollback, minutes=minutes, **columns)
    page = result(browser, rollback)
    assert said in page
    assert ("Seen in the counts" in page) == (columns == {"safe": 1204})


def test_that_nobody_has_read_the_counts_is_said(browser, split):
    rollback = press(browser)
    assert "Not counted yet" in result(browser, rollback)
    EmergencyRollback.objects.update(traffic_back_at=timezone.now() - timedelta(minutes=12))
    page = result(browser, rollback)
    assert "The counts say nothing" in page
    assert "that takes a worker and the scheduler" in page


def test_when_terraform_agrees_the_page_comes_again_more_slowly_until_the_counts_are_there(browser, split):
    rollback = press(browser)
    Step.objects.filter(pk=rollback.converge_id).update(status="done", ended_at=timezone.now())
    assert browser.get(f"{ADDRESS}{rollback.pk}/")["Refresh"] == "15"
    counted(rollback, minutes=3, safe=9)
    assert "Refresh" not in browser.get(f"{ADDRESS}{rollback.pk}/")


def test_terraform_failing_afterwards_is_said_with_its_problem(browser, split):
    rollback = press(browser)
    Step.objects.filter(pk=rollback.converge_id).update(status="failed", problem="state is locked by rosa")
    page = result(browser, rollback)
    assert "Terraform does not agree" in page
    assert "state is locked by rosa" in page
    assert "press the button once more" in page
    Step.objects.filter(pk=rollback.converge_id).update(problem_code="terraform:state-locked")
    assert "It is planned again by itself every minute." in result(browser, rollback)


def test_traffic_that_had_to_be_set_again_is_shown(browser, split):
    page = result(browser, press(browser, set_again_at=timezone.now()))
    assert "set again after an apply" in page


def test_the_service_s_page_leads_to_a_rollback_that_goes_on(browser, split, scene):
    rollback = press(browser)
    page = text_of(browser.get("/services/catalog/"))
    assert "Rolled back; Terraform follows" in page
    assert f"{ADDRESS}{rollback.pk}/" in page


def test_a_press_needs_the_right_of_the_moment(scene, aws, as_user):
    stranger: User = factories.person("late", scene.service, Permission.VIEW)
    response = as_user(stranger).post(ADDRESS)
    assert response.status_code == 403
    assert "You may not roll this service back." in text_of(response)


def test_the_page_says_who_pressed_and_how_long_it_took(browser, split, scene, as_user):
    rollback = press(browser)
    as_user(scene.manager).post(ADDRESS)
    page = result(browser, rollback)
    assert "pressed by operator, then by manager" in page
    assert "s, read back from the rules at AWS" in page


def test_each_press_leads_to_the_same_rollback(browser, split, scene, as_user):
    browser.post(ADDRESS)
    as_user(scene.manager).post(ADDRESS)
    for one in Press.objects.all():
        assert browser.get(f"{ADDRESS}{one.pk}/").status_code == 200


def test_each_try_that_failed_is_shown(browser, split, aws):
    aws.is_down = True
    browser.post(ADDRESS)
    page = result(browser, EmergencyRollback.objects.get())
    assert "What was tried and failed" in page
    assert "Bluegreen goes on trying by itself" in page


def test_the_reason_is_asked_afterwards_and_one_press_gives_it(browser, split):
    rollback = press(browser)
    assert "One press is enough. The next release waits for it." in result(browser, rollback)
    response = browser.post(f"{ADDRESS}{rollback.pk}/reason/", {"choice": "Errors"})
    assert response.status_code == 302
    assert "“Errors”" in result(browser, rollback)
    assert AuditEvent.objects.get(action="rollback.reason-given").reason == "Errors"


def test_a_reason_in_one_s_own_words_is_kept_and_none_is_refused(browser, split):
    rollback = press(browser)
    empty = browser.post(f"{ADDRESS}{rollback.pk}/reason/", {"text": "  "})
    assert empty.status_code == 422
    assert "Choose a reason, or write one." in text_of(empty)
    browser.post(f"{ADDRESS}{rollback.pk}/reason/", {"choice": "Errors", "text": "5xx in the basket"})
    assert EmergencyRollback.objects.get().reason == "Errors: 5xx in the basket"


def test_the_next_release_waits_for_the_reason_and_says_where_to_give_it(browser, split, scene, as_user):
    rollback = press(browser)
    Step.objects.filter(pk=rollback.converge_id).update(status="done", ended_at=timezone.now())
    page = as_user(scene.requester).get("/services/catalog/")
    assert "First say why the last rollback was pressed" in text_of(page)
    assert f'href="{ADDRESS}{rollback.pk}/#why"' in text_of(page)
    refused = as_user(scene.requester).post("/services/catalog/request/", {"tag": "yellow", "weights": "50"})
    assert refused.status_code == 422
    as_user(scene.requester).post(f"{ADDRESS}{rollback.pk}/reason/", {"choice": "Errors"})
    accepted = as_user(scene.requester).post(
        "/services/catalog/request/", {"tag": "yellow", "weights": "50", "bake_seconds": "0"}
    )
    assert accepted.status_code == 302


def test_when_terraform_agrees_the_way_forward_is_there(browser, split, scene, as_user):
    rollback = press(browser, reason="Errors")
    Step.objects.filter(pk=rollback.converge_id).update(status="done", ended_at=timezone.now())
    page = result(as_user(scene.requester), rollback)
    assert "Go forward again" in page
    assert f'href="/services/catalog/releases/{scene.release.number}/again/"' in page


def test_a_press_that_waits_for_the_database_is_shown_from_its_file(
    browser, split, aws, monkeypatch, settings, tmp_path
):
    settings.DATA_DIR = tmp_path

    def stuck(_):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(rollbacks, "record", stuck)
    response = browser.get(browser.post(ADDRESS).url)
    page = text_of(response)
    assert response["Refresh"] == "2"
    assert "All traffic is on BLUE · blue" in page
    assert "written down in a file of this machine" in page
    aws.is_down = True
    assert "The traffic is not back yet" in text_of(browser.get(response.request["PATH_INFO"]))


def test_whether_the_other_side_was_ready_is_on_the_service_s_page_and_on_the_button_s(browser, split, scene):
    Readiness.objects.create(
        service=scene.service, color="blue", checked_at=timezone.now(), probed_at=timezone.now()
    )
    for address in (ADDRESS, "/services/catalog/"):
        page = text_of(browser.get(address))
        assert "BLUE · blue is ready" in page
        assert "It serves now." in page
        assert "it answered" in page
    Readiness.objects.update(problems=["state of blue's function: expected Active, found Inactive"])
    page = text_of(browser.get("/services/catalog/"))
    assert "BLUE · blue may not be ready" in page
    assert "found Inactive" in page


def test_where_everybody_is_on_the_safe_side_nothing_has_to_take_over(browser, scene):
    assert "nothing has to take over" in text_of(browser.get("/services/catalog/"))


def test_a_rehearsal_shows_each_part_and_its_date_is_on_the_service_s_page(browser, scene, aws):
    assert "was never rehearsed" in text_of(browser.get("/services/catalog/"))
    page = text_of(browser.get(browser.post("/services/catalog/rehearsal/").url))
    assert "The rules are read" in page
    assert "There is no state where Terraform keeps it." in page
    assert "Emergency button rehearsed" in text_of(browser.get("/services/catalog/"))


def test_a_rehearsal_while_a_rollback_is_being_finished_is_refused(browser, split):
    press(browser)
    response = browser.post("/services/catalog/rehearsal/")
    assert response.status_code == 409
    assert "this is no time for a rehearsal" in text_of(response)


class TestPagesWithoutAwsCredentials:
    """The workers set the rules, and the page says so."""

    @pytest.fixture(autouse=True)
    def _by_worker(self, settings):
        settings.BUTTON_BY_WORKER = True

    def test_the_page_says_how_many_workers_are_there_or_that_none_is(self, browser, split):
        assert "no worker process was seen: the rules are not set" in text_of(browser.get(ADDRESS))
        note_seen("host/1/1.0", queues=["runs"])
        assert "so the one worker process sets the rules" in text_of(browser.get(ADDRESS))
        note_seen("host/2/1.0", queues=["runs"])
        assert "so one of 2 worker processes sets the rules" in text_of(browser.get(ADDRESS))

    def test_a_press_asks_aws_for_nothing_and_any_worker_does_it(self, browser, split, scene, aws):
        aws.is_down = True
        rollback = press(browser)
        assert (rollback.problem, rollback.traffic_back_at) == ("", None)
        assert "the rules are being set" in result(browser, rollback)
        aws.is_down = False
        [watch] = watches.take("worker/1/1.0")
        assert watches.look(watch)
        assert aws.weights[scene.service.traffic_rule_arn][scene.service.blue_target_group_arn] == 100
        assert "All traffic is on BLUE" in result(browser, rollback)

    def test_where_the_records_see_nothing_to_roll_back_it_is_said_without_asking(
        self, service, aws, as_user
    ):
        aws.is_down = True
        assert as_user(factories.operator(service)).post(ADDRESS).status_code == 409
