"""What programs do with a release: the same rules as on the pages, and in the trail by which token."""

import json
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.models import Approval, EmergencyRollback, Press, Release, Step, Token
from releases.permissions import grant
from releases.services.approval import approvals
from releases.services.errors import ActRefused
from releases.tests import factories
from releases.tests.api import bearer, call, problem, secret_of

pytestmark = pytest.mark.usefixtures("aws")


def shown(step: Step) -> dict[str, str]:
    run = step.plan_run
    assert run is not None
    return {"plan_sha256": run.plan_sha256, "changes_digest": run.changes_digest}


@pytest.fixture
def gate(scene) -> str:
    """The address of the step that waits."""
    return f"/services/catalog/releases/{scene.release.number}/steps/{scene.canary.pk}"


def test_an_approval_is_the_person_s_and_the_trail_says_by_which_token(scene, gate):
    secret = secret_of(scene.manager, Permission.APPROVE)
    answer = call(secret, "POST", f"{gate}/approve", shown(scene.canary) | {"comment": "looks good"})
    assert answer.status_code == 200
    assert answer.json()["state"] == "waiting_for_start"
    approval = Approval.objects.get()
    assert (approval.decided_by, approval.comment) == (scene.manager, "looks good")
    event = AuditEvent.objects.get(action="plan.approved")
    token = Token.objects.get()
    assert (event.actor_name, event.via) == ("manager", "token")
    assert (event.context["token_id"], event.context["token_name"]) == (str(token.pk), "ci")
    assert event.context["request_id"] == answer["X-Request-ID"]


def test_the_requester_s_token_approves_nothing_however_much_it_may(scene, gate):
    grant(scene.requester, scene.service, *Permission)
    document = problem(call(secret_of(scene.requester), "POST", f"{gate}/approve", shown(scene.canary)), 403)
    assert document["code"] == "approval:own-release"
    assert not Approval.objects.exists()


def test_a_token_that_does_not_pass_the_right_on_approves_nothing(scene, gate):
    secret = secret_of(scene.manager, Permission.REQUEST)
    document = problem(call(secret, "POST", f"{gate}/approve", shown(scene.canary)), 403)
    assert document["code"] == "person:no-permission"
    assert not Approval.objects.exists()
    event = AuditEvent.objects.get(action="access.refused")
    assert (event.actor_name, event.via, event.service_id) == ("manager", "token", str(scene.service.pk))
    assert event.subject == {
        "act": "POST approve_step",
        "path": f"/api/v1{gate}/approve",
        "answer": 403,
        "code": "person:no-permission",
    }
    assert event.reason == "You may not approve for this service."
    assert event.context["token_name"] == "ci"


def test_a_rejection_needs_its_reason_and_stops_the_release(scene, gate):
    secret = secret_of(scene.manager)
    for wrong in ({}, {"comment": ""}):
        document = problem(call(secret, "POST", f"{gate}/reject", shown(scene.canary) | wrong), 422)
        assert [one["field"] for one in document["errors"]] == ["comment"]
    answer = call(secret, "POST", f"{gate}/reject", shown(scene.canary) | {"comment": "not on Friday"})
    assert (answer.json()["state"], answer.json()["open"]) == ("rejected", False)


def test_an_older_plan_is_refused_with_what_is_different(scene, gate):
    sent = shown(scene.canary)
    run = factories.finished_plan(scene.canary)
    run.changes = json.loads(json.dumps(run.changes).replace("127.0.0.9", "127.0.0.10"))
    run.plan_sha256, run.changes_digest = "1" * 64, "2" * 64
    run.save()
    Step.objects.filter(pk=scene.canary.pk).update(plan_run=run)
    document = problem(call(secret_of(scene.manager), "POST", f"{gate}/approve", sent), 412)
    assert document["code"] == "approval:other-plan"
    assert document["differences"] == [
        {"field": "plan_sha256", "sent": sent["plan_sha256"], "present": "1" * 64},
        {"field": "changes_digest", "sent": sent["changes_digest"], "present": "2" * 64},
    ]
    [gone], [new] = document["no_longer"], document["only_now"]
    assert gone.endswith("192.0.2.1/32 → 127.0.0.9/32")
    assert new.endswith("192.0.2.1/32 → 127.0.0.10/32")
    assert not Approval.objects.exists()


def test_a_release_that_is_another_one_by_now_is_refused_where_the_version_was_named(scene, gate):
    secret = secret_of(scene.manager)
    path = f"/services/catalog/releases/{scene.release.number}"
    seen = call(secret, "GET", path).json()["version"]
    approvals.start(step_id=scene.canary.pk, user=scene.operator)
    answer = call(secret, "POST", f"{gate}/approve", shown(scene.canary), **{"If-Match": f'"{seen}"'})
    document = problem(answer, 412)
    assert document["differences"] == [
        {"field": "If-Match", "sent": seen, "present": document["release"]["version"]}
    ]
    assert not Approval.objects.exists()
    again = {"If-Match": document["release"]["version"]}
    assert call(secret, "POST", f"{gate}/approve", shown(scene.canary), **again).status_code == 200


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_a_step_is_found_below_its_own_release_and_service_only(scene, act):
    other = factories.ServiceFactory.create(name="other")
    grant(scene.manager, other, *Permission)
    release = factories.release_with_steps(other, scene.requester, number=scene.release.number)
    secret, sent = secret_of(scene.manager), shown(scene.canary) | {"comment": "x"}
    for name, step in (
        ("other", scene.canary.pk),
        ("catalog", release.steps.all()[0].pk),
        ("catalog", uuid4()),
    ):
        path = f"/services/{name}/releases/{scene.release.number}/steps/{step}/{act}"
        problem(call(secret, "POST", path, sent), 404)
    assert not Approval.objects.exists()
    refusals = AuditEvent.objects.filter(action="access.refused")
    assert [one.subject["answer"] for one in refusals] == [
        404,
        404,
    ]  # of a step that there is nowhere, nothing


def test_the_requester_gives_a_release_up_with_a_reason(scene):
    path = f"/services/catalog/releases/{scene.release.number}/cancel"
    answer = call(secret_of(scene.requester), "POST", path, {"reason": "wrong image"})
    assert answer.json()["state"] == "cancelled"
    assert AuditEvent.objects.get(action="release.cancelled").reason == "wrong image"
    assert problem(call(secret_of(scene.requester), "POST", path), 409)["code"] == "act:ended"


def test_the_button_brings_everybody_back_and_says_why(aws, scene):
    secret = secret_of(scene.operator, Permission.EMERGENCY)
    answer = call(secret, "POST", "/services/catalog/rollback", {"reason": "errors"})
    assert answer.status_code == 200
    rollback = EmergencyRollback.objects.get()
    assert answer.json()["id"] == str(rollback.pk)
    assert answer.json()["traffic_back_at"]
    assert rollback.reason == "errors"
    assert Press.objects.get().via == AuditEvent.objects.get(action="rollback.pressed").via == "token"


def test_the_button_counts_also_while_aws_does_not_answer(aws, scene):
    aws.is_down = True
    answer = call(secret_of(scene.operator), "POST", "/services/catalog/rollback")
    assert answer.status_code == 202
    assert answer.json()["traffic_back_at"] is None
    assert answer.json()["problem"]
    assert EmergencyRollback.objects.exists()


def test_a_token_without_the_right_does_not_press_the_button(scene):
    secret = secret_of(scene.operator, Permission.OPERATE)
    problem(call(secret, "POST", "/services/catalog/rollback"), 403)
    assert not EmergencyRollback.objects.exists()


def test_an_account_that_is_deactivated_while_its_request_is_worked_on_does_nothing(scene, gate):
    acting = bearer(secret_of(scene.manager))
    type(acting).objects.filter(pk=acting.pk).update(is_active=False)
    run = scene.canary.plan_run
    identity = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
    with pytest.raises(ActRefused) as refused:
        approvals.approve(step_id=scene.canary.pk, user=acting, shown=identity)
    assert refused.value.code == "person:inactive"


@pytest.mark.parametrize("operation", ["", "/steps/{step}/approve", "/steps/{step}/reject", "/cancel"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_never_changes_anything(scene, operation, method):
    path = f"/services/catalog/releases/{scene.release.number}" + operation.format(step=scene.canary.pk)
    secret = secret_of(scene.manager)
    before = (list(Release.objects.values()), list(Step.objects.order_by("pk").values()))
    events = AuditEvent.objects.count()
    call(secret, method, path)
    assert (list(Release.objects.values()), list(Step.objects.order_by("pk").values())) == before
    assert AuditEvent.objects.count() == events
