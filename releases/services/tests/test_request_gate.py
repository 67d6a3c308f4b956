"""The gate on the request itself: what it binds, and that whatever changes that asks again (FAULTS P7, P23, P24)."""

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Approval, Step
from releases.permissions import grant, services_with
from releases.selectors import inbox as inbox_selectors
from releases.services import facts, release_acts, shares
from releases.services.approval import approvals, gates
from releases.services.errors import ActRefused
from terraform_runner.models import Run

ASKED = {"request": {"need": "always", "slots": ["anybody"]}}


@pytest.fixture
def asked(life, set_policy):
    """A release whose request waits for an approval."""
    set_policy(gates=ASKED)
    life.release = life.request()
    return life


def shown(life) -> dict:
    """What the page of the release shows to whoever decides."""
    step = life.step()
    return {"step_id": step.pk, "shown": facts.step_facts(life.service, step).plan}


def approve(life, user=None) -> None:
    approvals.approve(**shown(life), user=user or life.manager)
    life.world.work()


def refused(act, **given) -> str:
    with pytest.raises(ActRefused) as refusal:
        act(**given)
    return refusal.value.code


def inbox(user) -> list[Step]:
    return list(inbox_selectors.steps_to_decide(user, services=services_with(user, Permission.APPROVE)))


def is_shut(life) -> bool:
    life.service.refresh_from_db()
    return gates.gates_before(life.service, life.step()).is_request_shut


def test_nothing_is_planned_before_the_request_is_approved(asked):
    step = asked.step()
    assert (step.status, step.plan_run, step.wanted) == (StepStatus.PENDING, None, [""])
    assert step.asked_at
    assert inbox(asked.manager) == [step]
    approve(asked)
    assert asked.step().status == StepStatus.WAITING
    assert inbox(asked.manager) == []
    approval = Approval.objects.get()
    assert approval.plan_run is None
    event = AuditEvent.objects.get(action="request.approved")
    assert event.after == {
        "request_digest": approval.changes_digest,
        "asked_at": step.asked_at.isoformat(),
    }


def test_a_policy_that_does_not_ask_for_it_asks_nobody(life):
    life.request()
    assert not is_shut(life)
    assert life.step().plan_run is not None


def test_the_whole_release_goes_on_with_its_request_approved(asked):
    approve(asked)
    asked.go_to(100)
    assert Approval.objects.filter(plan_run__isnull=True).count() == 1


def test_who_asked_for_it_does_not_approve_it(asked):
    grant(asked.requester, asked.service, *Permission)
    assert refused(approvals.approve, **shown(asked), user=asked.requester) == "approval:own-release"
    assert inbox(asked.requester) == []


def test_a_rejection_ends_the_release_with_its_reason(asked):
    approvals.reject(**shown(asked), user=asked.manager, comment="not this week")
    asked.release.refresh_from_db()
    assert asked.release.status == ReleaseStatus.REJECTED
    assert AuditEvent.objects.get(action="request.rejected").reason == "not this week"
    assert AuditEvent.objects.get(action="release.rejected").reason == "not this week"


def test_it_is_taken_back_until_an_apply_has_begun(asked):
    approve(asked)
    approvals.withdraw(step_id=asked.step().pk, user=asked.manager)
    assert AuditEvent.objects.filter(action="request.approval-withdrawn").exists()
    assert is_shut(asked)
    applied = len(asked.world.applied)
    asked.start()
    assert len(asked.world.applied) == applied
    approve(asked)
    assert len(asked.world.applied) == applied + 1
    assert refused(approvals.withdraw, step_id=asked.step().pk, user=asked.manager) == "approval:not-yours"


def in_canary(life) -> None:
    approve(life)
    life.go_on()
    life.go_on()


def set_share(life) -> None:
    shares.set_share(release_id=life.release.pk, share=40, user=life.operator)


def skip(life) -> None:
    release_acts.skip(step_id=life.step().pk, user=life.operator)


def another_terraform(life) -> None:
    Run.objects.filter(workspace=str(life.service.pk)).update(terraform_version="1.99.0")


def another_provider(life) -> None:
    changed = {"terraform_version": "1.11.4", "providers": {"registry.terraform.io/hashicorp/aws": "5.999.0"}}
    Run.objects.filter(workspace=str(life.service.pk)).update(**changed)


def another_module(life) -> None:
    life.monkeypatch.setattr("releases.services.approval.request_identities.module_digest", lambda: "another")


def another_image(life) -> None:
    life.service.releases.update(image="repository@sha256:" + "f" * 64)


@pytest.mark.parametrize(
    "edit", [set_share, skip, another_terraform, another_provider, another_module, another_image]
)
def test_whatever_changes_it_after_the_approval_asks_again(asked, monkeypatch, edit):
    asked.monkeypatch = monkeypatch
    in_canary(asked)
    assert not is_shut(asked)
    edit(asked)
    assert is_shut(asked)
    asked.world.work()
    applied = len(asked.world.applied)
    step = asked.step()
    if step.started_at is None:
        asked.start()
    assert len(asked.world.applied) == applied
    assert inbox(asked.manager) == [asked.step()]


def test_who_changed_it_last_does_not_approve_what_it_became(asked):
    in_canary(asked)
    grant(asked.operator, asked.service, Permission.APPROVE)
    set_share(asked)
    assert refused(approvals.approve, **shown(asked), user=asked.operator) == "approval:own-release"
    asked.world.work()
    approve(asked)
    approve(asked, user=asked.manager)
    assert asked.now().candidate_share == 40


def test_the_form_of_the_request_as_it_was_is_refused_and_nothing_is_recorded(asked):
    in_canary(asked)
    skip(asked)
    old = shown(asked)
    skip(asked)
    new = shown(asked)
    given = {**old, "step_id": new["step_id"]}
    assert refused(approvals.approve, **given, user=asked.manager) == "approval:other-plan"
    assert Approval.objects.filter(plan_run__isnull=True).count() == 1


def test_a_lower_share_waits_for_nobody_and_the_way_up_again_for_the_request_too(asked):
    in_canary(asked)
    asked.go_on()
    assert asked.now().candidate_share == 10
    shares.set_share(release_id=asked.release.pk, share=5, user=asked.operator)
    asked.world.work()
    asked.world.work()
    assert asked.now().candidate_share == 5
    assert is_shut(asked)


def test_an_approver_who_loses_the_right_stops_the_next_apply(asked):
    approve(asked)
    asked.manager.userobjectpermission_set.all().delete()
    applied = len(asked.world.applied)
    asked.start()
    assert len(asked.world.applied) == applied
    assert is_shut(asked)


def test_what_is_lost_right_before_the_apply_stops_it_in_the_worker(asked):
    approve(asked)

    def loses(*_):
        asked.manager.userobjectpermission_set.all().delete()
        return ()

    asked.world.differences = loses
    applied = len(asked.world.applied)
    asked.start()
    assert len(asked.world.applied) == applied
    assert (
        "may not approve here" in AuditEvent.objects.filter(action="step.planned-again").latest("id").reason
    )


def test_the_approval_of_an_ended_release_is_none_of_the_next_one_s(asked):
    approve(asked)
    release_acts.cancel(release_id=asked.release.pk, user=asked.operator)
    asked.request()
    assert is_shut(asked)


def test_where_each_counts_at_one_gate_the_request_is_one(life, set_policy, member):
    set_policy(gates=ASKED, one_gate_each=True)
    life.release = life.request()
    approve(life)
    life.go_on()
    life.start()
    assert refused(life.approve) == "approval:other-gate"
    life.approve(user=member("max"))
    assert life.now().activate_canary


def test_a_request_that_waited_too_long_ends(life, set_policy):
    set_policy(gates=ASKED, wait_seconds=60, after_wait="cancel")
    life.release = life.request()
    step = life.step()
    assert step.asked_at is not None
    past = step.asked_at - (step.look_again_at - step.asked_at)
    Step.objects.filter(pk=step.pk).update(asked_at=past, look_again_at=past)
    life.world.work()
    life.release.refresh_from_db()
    assert life.release.status == ReleaseStatus.CANCELLED
