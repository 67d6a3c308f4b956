"""The acts on a release's page beside deciding and starting: what each does, and why one is not offered."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.models import Release, Step
from releases.tests import factories
from releases.tests.conftest import text_of


@pytest.fixture
def address(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/"


@pytest.fixture
def operator(scene, as_user):
    return as_user(scene.operator)


def step_act(step: Step, name: str) -> str:
    return f"/services/catalog/steps/{step.pk}/{name}/"


def offered(page: str) -> set[str]:
    """The ids of the buttons that can be pressed."""
    names = ("pause", "resume", "skip", "skip-bake", "cancel", "set-share", "retry", "start")
    return {name for name in names if re.search(f'id="{name}" type="submit" ?>', page)}


def let_bake(step: Step) -> None:
    bake_until = timezone.now() + timedelta(hours=1)
    Step.objects.filter(pk=step.pk).update(status="baking", bake_until=bake_until)


def test_an_operator_is_offered_what_is_possible_and_told_what_comes_of_it(operator, address):
    page = text_of(operator.get(address))
    assert offered(page) == {"pause", "skip", "cancel", "set-share", "start"}
    assert "What runs finishes; nothing begins until somebody resumes." in page
    assert "Its approval is asked for at the next step then." in page
    assert "Now 0 %. More is planned and approved first; less begins at once." in page


def test_who_does_not_operate_is_told_so_once_and_may_cancel_an_own_request(scene, as_user, address):
    page = text_of(as_user(scene.requester).get(address))
    assert offered(page) == {"cancel"}
    assert page.count("You may not run steps of this service: an operator does.") == 2
    assert 'aria-describedby="why-course"' in page


def test_a_paused_release_says_so_everywhere_and_is_resumed(scene, operator, address):
    assert operator.post(f"{address}pause/").url == address
    page = text_of(operator.get(address))
    assert "Paused: nothing begins until it is resumed." in page
    assert "Nothing begins until somebody resumes it. Canary waits for somebody to approve its plan" in page
    assert offered(page) == {"resume", "skip", "cancel", "set-share"}
    assert "The release is paused: resume it first." in page
    row = operator.get("/").context["rows"][0]
    assert (row.status.word, row.needs_attention) == ("Paused", False)
    operator.post(f"{address}resume/")
    assert operator.get(address).context["headline"].word == "Waiting for approval"


def test_a_failed_step_is_tried_again_from_the_top_of_the_page(scene, operator, address):
    Step.objects.filter(pk=scene.canary.pk).update(status="failed", problem="AccessDenied: no")
    page = text_of(operator.get(address))
    assert "Try again: plan Canary once more" in page
    assert page.index('id="retry"') < page.index('id="course"')
    assert page.count('id="retry"') == 1
    operator.post(step_act(scene.canary, "retry"))
    assert Step.objects.get(pk=scene.canary.pk).status == "planning"
    assert 'id="retry"' not in text_of(operator.get(address))


def test_what_failed_while_the_step_before_it_bakes_is_what_the_list_tells(scene, operator):
    let_bake(scene.canary)
    scene.release.steps.filter(pk=scene.step(10).pk).update(status="failed", problem="AccessDenied")
    row = operator.get("/").context["rows"][0]
    assert (row.status.word, row.detail) == ("Failed", "Shift to 10 %: AccessDenied")


def test_a_rejected_step_is_asked_for_again(scene, operator, address):
    Step.objects.filter(pk=scene.canary.pk).update(status="rejected")
    assert "Ask again: plan Canary once more" in text_of(operator.get(address))


def test_who_may_not_try_again_reads_why(scene, as_user, address):
    Step.objects.filter(pk=scene.canary.pk).update(status="failed", problem="AccessDenied: no")
    page = text_of(as_user(scene.manager).get(address))
    assert 'id="retry" type="submit"' not in page
    assert "Try again: plan Canary once more" in page


def test_a_skipped_step_is_shown_as_skipped(scene, operator, address):
    operator.post(step_act(scene.canary, "skip"))
    response = operator.get(f"{address}?step=2")
    assert [stair.status.word for stair in response.context["stairs"]][:2] == ["done", "skipped"]
    assert "What was to be done: Canary" in text_of(response)


def test_a_bake_time_is_ended(scene, operator, address):
    let_bake(scene.canary)
    assert "End the bake time of: Canary" in text_of(operator.get(address))
    operator.post(step_act(scene.canary, "skip-bake"))
    scene.canary.refresh_from_db()
    assert scene.canary.status == "done"


def test_a_cancelled_release_says_so_and_the_next_one_can_be_requested(scene, as_user, address):
    requester = as_user(scene.requester)
    requester.post(f"{address}cancel/")
    page = text_of(requester.get(address))
    assert "Nobody had been sent to it." in page
    assert offered(page) == set()
    assert requester.get("/").context["rows"][0].may_be_released


def test_a_share_is_set_and_stands_in_the_staircase(scene, operator, address):
    response = operator.post(f"{address}share/", {"share": "30"})
    assert response.url == address
    response = operator.get(address)
    assert [stair.title for stair in response.context["stairs"]] == [
        "Rotate", "Canary", "10 %", "25 %", "30 %", "50 %", "75 %", "Promote"
    ]  # fmt: skip
    page = text_of(response)
    assert "Set by hand by operator." in page
    assert "set by hand" in page
    assert "set the share of the new version" in page
    assert f"(R-{scene.release.number}, 30 %)" in page


@pytest.mark.parametrize("typed", ["-1", "101", "10.5", "٣", "1e2", "", "10; DROP", "9" * 1000])
def test_what_is_no_share_is_refused_with_the_range_and_kept(scene, operator, address, typed):
    response = operator.post(f"{address}share/", {"share": typed})
    page = text_of(response)
    assert response.status_code == 409
    assert "A share of the users is a whole number from 0 to 100" in page
    assert f'value="{typed}"' in page
    assert Release.objects.get().steps.count() == 7


def test_a_share_that_is_there_already_is_refused_in_words(operator, address):
    response = operator.post(f"{address}share/", {"share": "0"})
    assert response.status_code == 409
    assert "The new version has 0 % of the users already." in text_of(response)


def test_an_act_on_an_earlier_page_is_refused_and_the_page_is_the_present_one(scene, operator):
    operator.post(step_act(scene.canary, "skip"))
    response = operator.post(step_act(scene.canary, "skip"))
    assert response.status_code == 409
    assert "The release is at another step by now: look at it again." in text_of(response)


def test_every_act_is_in_the_trail_in_words(scene, operator, address, as_user):
    operator.post(f"{address}pause/")
    operator.post(f"{address}resume/")
    operator.post(f"{address}share/", {"share": "30"})
    operator.post(f"{address}cancel/")
    page = text_of(as_user(scene.manager).get("/audit/"))
    for words in ("paused the release", "resumed the release", "skipped the step", "cancelled the release"):
        assert words in page
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert not {action for action in actions if f"<td>{action}" in page}


def test_an_automatic_step_says_that_it_starts_by_itself(scene, operator, address):
    scene.release.steps.update(automatic=True)
    page = text_of(operator.get(address))
    assert "It starts by itself then." in page
    assert "by itself" in page
    assert "It starts by itself. This step waits for an approval." in page
    factories.approve(scene.canary, scene.manager)
    assert operator.get("/").context["rows"][0].status.word == "In release"


def test_a_share_is_sent_as_it_was_typed(scene, operator, address):
    """A field that took three characters only would make 1000 the promotion."""
    page = text_of(operator.get(address))
    field = page[page.index('id="share"') :].partition(">")[0]
    assert "maxlength" not in field
    assert operator.post(f"{address}share/", {"share": "1000"}).status_code == 409
