"""The inbox: what waits for whom, and decisions in place."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from releases.domain.access.decisions import Permission
from releases.domain.plans.risk import Risk, RiskWord
from releases.models import Approval, Policy, Release, Service, Step
from releases.permissions import grant
from releases.services.approval import gates, risks
from releases.tests import factories
from releases.tests.conftest import text_of

LATELY = r"(just now|\d+ s ago)"


def item(scene, act: str = "") -> str:
    return f"/inbox/{scene.canary.pk}/{act}"


def shown(step: Step) -> dict[str, str]:
    run = step.plan_run
    assert run is not None
    return {"sha256": run.plan_sha256, "changes_digest": run.changes_digest}


def listed(step: Step) -> str:
    return ":".join([str(step.pk), *shown(step).values()])


def steps_of(response) -> list[Step]:
    return [row.step for row in response.context["rows"]]


def waiting_canary(scene, service: Service) -> Step:
    grant(scene.manager, service, Permission.VIEW, Permission.APPROVE)
    release = factories.release_with_steps(service, scene.requester, number=1)
    factories.put_in_place(service, release)
    return factories.waiting_step(release.steps.get(transition="canary"))


def approved_by_rosa(step: Step) -> None:
    rosa = factories.person("rosa", step.service, Permission.VIEW, Permission.APPROVE)
    factories.approve(step, rosa)
    gates.ask(step.service, step)


@pytest.fixture
def routine(monkeypatch) -> None:
    """Every plan is routine, whatever was released before."""
    monkeypatch.setattr(
        risks, "risks_of", lambda steps: {step.pk: Risk(RiskWord.ROUTINE, "As usual.") for step in steps}
    )


@pytest.fixture
def another(scene) -> Step:
    """Another service's plan that waits for the same manager."""
    service = factories.ServiceFactory.create(name="ledger")
    return waiting_canary(scene, service)


def test_what_waits_is_counted_and_the_oldest_is_shown_with_its_plan_and_its_buttons(scene, as_user):
    page = text_of(as_user(scene.manager).get("/inbox/"))
    digest = scene.canary.plan_run.plan_sha256[:4]
    assert '<span class="count">1' in page
    assert "Sends only 127.0.0.9/32 to green · green" in page
    assert "needs a look" in page
    assert "condition[0].source_ip[0].values[0]" in page
    assert "Live now" in page
    assert "? Not looked at yet." in page
    assert f"Approve plan {digest}: sends the canary to green" in page
    assert f'data-address="/inbox/{scene.canary.pk}/"' in page


def test_the_one_that_has_waited_longest_comes_first(scene, another, as_user):
    run = another.plan_run
    run.ended_at = timezone.now() - timedelta(hours=3)
    run.save()
    response = as_user(scene.manager).get("/inbox/")
    assert steps_of(response) == [another, scene.canary]
    assert response.context["chosen"].step == another


def test_while_a_page_is_live_nothing_else_is_put_beside_the_list(scene, as_user):
    assert "chosen" not in as_user(scene.manager).get("/inbox/", headers={"X-Live": "1"}).context


@pytest.mark.parametrize("name", ["requester", "operator"])
def test_the_inbox_of_who_may_not_approve_is_empty_and_others_are_waited_for(scene, as_user, name):
    client = as_user(getattr(scene, name))
    assert "Nothing waits for you" in text_of(client.get("/inbox/"))
    assert steps_of(client.get("/inbox/?view=others")) == [scene.canary]
    page = text_of(client.get(item(scene)))
    assert "You may not approve for this service." in page
    assert 'id="approve"' not in page


@pytest.mark.parametrize("owner", ["release", "step"])
def test_what_one_has_asked_for_oneself_waits_for_others(scene, as_user, owner):
    if owner == "release":
        Release.objects.update(requested_by=scene.manager)
    else:
        Step.objects.filter(pk=scene.canary.pk).update(requested_by=scene.manager)
    client = as_user(scene.manager)
    assert steps_of(client.get("/inbox/")) == []
    assert steps_of(client.get("/inbox/?view=others")) == [scene.canary]
    assert client.post(item(scene, "approve/"), shown(scene.canary)).status_code == 403


def test_a_plan_of_a_paused_release_stays_in_the_inbox(scene, as_user):
    Release.objects.update(status="paused")
    assert steps_of(as_user(scene.manager).get("/inbox/")) == [scene.canary]


def test_one_press_approves_the_plan_that_was_shown(scene, as_user, django_capture_on_commit_callbacks):
    client = as_user(scene.manager)
    with django_capture_on_commit_callbacks(execute=False):
        answer = client.post(item(scene, "approve/"), {**shown(scene.canary), "comment": "fine"}, follow=True)
    given = Approval.objects.get()
    assert (given.decision, given.decided_by, given.comment) == ("approved", scene.manager, "fine")
    assert given.plan_sha256 == scene.canary.plan_run.plan_sha256
    assert "Approved: catalog, Canary." in text_of(answer)
    assert "Nothing waits for you" in text_of(answer)


def test_a_rejection_needs_its_reason_and_what_was_typed_stays(scene, as_user):
    client = as_user(scene.manager)
    assert "a rejection needs a comment" in text_of(client.post(item(scene, "reject/"), shown(scene.canary)))
    client.post(item(scene, "reject/"), {**shown(scene.canary), "comment": "not today"})
    assert Approval.objects.get().decision == "rejected"


def test_another_plan_than_the_one_shown_is_not_approved_and_the_comment_is_kept(scene, as_user):
    sent = {**shown(scene.canary), "sha256": "0" * 64, "comment": "looks good"}
    answer = as_user(scene.manager).post(item(scene, "approve/"), sent)
    assert answer.status_code == 409
    assert "The plan is another one by now" in text_of(answer)
    assert "looks good</textarea>" in text_of(answer)
    assert not Approval.objects.exists()


def test_a_decision_that_names_no_plan_is_not_taken(scene, as_user):
    answer = as_user(scene.manager).post(item(scene, "approve/"), {"sha256": "x"})
    assert answer.status_code == 409
    assert not Approval.objects.exists()


def test_what_was_decided_meanwhile_says_by_whom_and_when_and_does_nothing(scene, as_user):
    approved_by_rosa(scene.canary)
    client = as_user(scene.manager)
    words = rf"catalog, Canary, was approved by rosa {LATELY}: nothing to do\."
    page = text_of(client.get(item(scene)))
    assert re.search(words, page)
    assert 'id="approve"' not in page
    answer = client.post(item(scene, "approve/"), shown(scene.canary))
    assert answer.status_code == 409
    assert re.search(words, text_of(answer))
    assert Approval.objects.count() == 1


def test_what_i_have_decided_is_listed_with_what_i_saw(scene, as_user):
    factories.approve(scene.canary, scene.manager, comment="ship it")
    page = text_of(as_user(scene.manager).get("/inbox/?view=done"))
    assert "“ship it”" in page
    assert scene.canary.plan_run.plan_sha256[:4] in page
    assert "You have decided nothing yet" in text_of(as_user(scene.operator).get("/inbox/?view=done"))


def test_several_routine_plans_are_approved_at_once(scene, another, as_user, routine):
    client = as_user(scene.manager)
    assert 'id="approve-routine"' in text_of(client.get("/inbox/"))
    sent = {"plan": [listed(scene.canary), listed(another)]}
    page = text_of(client.post("/inbox/approve/", sent, follow=True))
    assert "Approved: catalog, Canary." in page
    assert "Approved: ledger, Canary." in page
    assert Approval.objects.count() == 2


def test_of_several_one_that_is_not_routine_is_left_for_a_look(scene, another, as_user):
    client = as_user(scene.manager)
    assert 'id="approve-routine"' not in text_of(client.get("/inbox/"))
    page = text_of(client.post("/inbox/approve/", {"plan": [listed(scene.canary)]}, follow=True))
    assert "Not approved: catalog, Canary: it needs a look." in page
    assert not Approval.objects.exists()


def test_of_several_one_that_was_made_again_or_decided_meanwhile_is_said(scene, another, as_user, routine):
    approved_by_rosa(another)
    old = f"{scene.canary.pk}:{'0' * 64}:{'0' * 64}"
    page = text_of(
        as_user(scene.manager).post("/inbox/approve/", {"plan": [old, listed(another)]}, follow=True)
    )
    assert "Not approved: catalog, Canary. The plan is another one by now" in page
    assert re.search(rf"ledger, Canary, was approved by rosa {LATELY}: nothing to do\.", page)


@pytest.mark.parametrize(
    "sent", [{}, {"plan": ["x"]}, {"plan": ["-" * 36 + ":" + "0" * 64 + ":" + "0" * 64]}]
)
def test_several_that_are_none_approve_nothing(scene, as_user, sent):
    page = text_of(as_user(scene.manager).post("/inbox/approve/", sent, follow=True))
    assert "Choose at least one plan of the list" in page


def test_characters_that_turn_a_text_round_are_marked(scene, as_user):
    Release.objects.update(reason="fix\u202etxt.exe<script>")
    page = text_of(as_user(scene.manager).get("/inbox/"))
    assert "fix⟨U+202E⟩txt.exe&lt;script&gt;" in page
    assert "\u202e" not in page


def test_of_a_plan_of_five_thousand_resources_the_destroyed_one_comes_first_and_nobody_can_approve_a_part(
    scene, as_user
):
    run = scene.canary.plan_run
    changes = [{**factories.CHANGE, "address": f"aws_x.{number}"} for number in range(5_000)]
    changes[4_321] = {**factories.CHANGE, "address": "aws_x.gone", "actions": ["delete"]}
    run.changes = changes
    run.save()
    response = as_user(scene.manager).get(item(scene))
    page = text_of(response)
    assert response.context["chosen"].plan.changes[0].address == "aws_x.gone"
    assert "destructive" in page
    assert "This is not all of the plan" in page
    assert 'id="approve"' not in page
    assert "this shows only a part of it" in page


def test_a_gate_of_two_says_how_many_have_approved_and_who_is_missing(scene, as_user):
    content = {"gates": {"canary": {"need": "always", "slots": ["anybody", "SRE"]}}}
    Policy.objects.create(service=scene.service, content=content)
    sre = factories.person("li", scene.service, Permission.VIEW, Permission.APPROVE)
    sre.groups.add(Group.objects.create(name="SRE"))
    factories.approve(scene.canary, scene.manager, comment="ship it")
    gates.ask(scene.service, scene.canary)
    page = text_of(as_user(sre).get("/inbox/"))
    assert "1 of 2 approved" in page
    assert "1 of 2: somebody of SRE is missing (@li)." in page
    mine = text_of(as_user(scene.manager).get(item(scene)))
    assert "You have approved this already" in mine
    assert steps_of(as_user(scene.manager).get("/inbox/?view=others")) == [scene.canary]


def test_a_freeze_is_among_the_checks_and_may_be_approved_in(scene, as_user):
    Policy.objects.create(
        service=scene.service, content={"freezes": ["2020-01-01 00:00 - 2099-01-01 00:00 UTC: Quiet"]}
    )
    page = text_of(as_user(scene.manager).get("/inbox/"))
    assert "Nothing begins now (Quiet)" in page
    assert 'id="approve"' in page


def test_many_plans_are_shown_on_pages(scene, as_user):
    for _ in range(22):
        waiting_canary(scene, factories.ServiceFactory.create())
    client = as_user(scene.manager)
    first, second = client.get("/inbox/"), client.get("/inbox/?page=2")
    assert len(steps_of(first)) == 20
    assert len(steps_of(second)) == 3
    assert "Page 1 of 2" in text_of(first)
