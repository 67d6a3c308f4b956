"""What the database itself holds, whoever writes."""

from itertools import chain

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import F, ProtectedError
from hypothesis import given

from releases.domain.lifecycle import OPEN_STATUSES
from releases.domain.tests.states import states as traffic_states
from releases.domain.traffic import Color
from releases.models import Approval, EmergencyRollback, Release, Service, Step
from releases.services import states
from releases.tests import factories
from releases.tests.factories import ReleaseFactory, StepFactory


@given(traffic_states)
def test_a_state_kept_as_json_is_the_same_state(state):
    assert states.from_json(states.to_json(state)) == state


def test_a_service_s_recorded_state_is_its_columns(service):
    service.green_weight, service.active_color = 30, Color.GREEN
    assert service.state.candidate is Color.BLUE
    assert service.state.candidate_share == 70
    assert service.target_group_arn(Color.GREEN) == service.green_target_group_arn
    assert service.function_versions == {Color.BLUE: "1", Color.GREEN: "1"}


@pytest.mark.parametrize("status", sorted(OPEN_STATUSES))
def test_a_second_open_release_is_refused(service, status):
    ReleaseFactory.create(service=service, status="promoted")
    assert ReleaseFactory.create(service=service, status=status).is_open
    with pytest.raises(IntegrityError, match="release_one_open_per_service"), transaction.atomic():
        ReleaseFactory.create(service=service)


def test_a_number_is_given_once_for_each_service(service):
    ReleaseFactory.create(service=service, number=1, status="promoted")
    ReleaseFactory.create(number=1)
    with pytest.raises(IntegrityError, match="release_number_unique"), transaction.atomic():
        ReleaseFactory.create(service=service, number=1, status="promoted")


def test_a_place_in_a_plan_is_given_once(scene):
    with pytest.raises(IntegrityError, match="step_position_unique"), transaction.atomic():
        StepFactory.create(release=scene.release, position=scene.canary.position)


def test_a_plan_makes_room_for_a_step_in_one_statement(scene):
    before = scene.release.steps.count()
    scene.release.steps.update(position=F("position") + 1)
    StepFactory.create(release=scene.release, position=0)
    assert list(scene.release.steps.values_list("position", flat=True)) == list(range(before + 1))


def test_each_decides_on_a_plan_once(scene):
    factories.approve(scene.canary, scene.manager)
    factories.approve(scene.canary, scene.operator)
    with (
        pytest.raises(IntegrityError, match="approval_one_decision_of_each_per_plan"),
        transaction.atomic(),
    ):
        factories.approve(scene.canary, scene.manager)


def test_an_epoch_has_one_rollback(scene):
    def press() -> None:
        converge = Step.objects.create(service=scene.service, transition="rollback", candidate_share=0)
        EmergencyRollback.objects.create(
            service=scene.service,
            epoch=1,
            pressed_by=scene.manager,
            pressed_at=converge.created_at,
            converge=converge,
        )

    press()
    with pytest.raises(IntegrityError, match="rollback_one_per_epoch"), transaction.atomic():
        press()


@pytest.mark.parametrize(
    ("model", "columns", "constraint"),
    [
        (Service, {"green_weight": 101}, "service_weight_at_most_100"),
        (Service, {"active_color": "red"}, "service_active_color_known"),
        (Service, {"safe_color": ""}, "service_safe_color_known"),
        (Service, {"role_rights": "all"}, "service_role_rights_known"),
        (Release, {"status": "nearly"}, "release_status_known"),
        (Step, {"status": "nearly"}, "step_status_known"),
        (Step, {"transition": "teleport"}, "step_transition_known"),
        (Step, {"candidate_share": 101}, "step_share_at_most_100"),
        (Approval, {"decision": "perhaps"}, "approval_decision_known"),
    ],
)
def test_a_value_that_does_not_exist_is_refused(scene, model, columns, constraint):
    factories.approve(scene.canary, scene.manager)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.update(**columns)


def test_what_has_a_history_is_not_deleted(scene):
    for one in (scene.service, scene.requester, scene.release, scene.canary.plan_run):
        with pytest.raises(ProtectedError), transaction.atomic():
            one.delete()


def test_rows_name_themselves_for_people(scene):
    approval = factories.approve(scene.canary, scene.manager)
    named = [str(one) for one in (scene.service, scene.release, scene.canary, approval)]
    assert named == [
        "catalog",
        f"R-{scene.release.number}",
        "canary 0 %",
        f"approved {approval.plan_sha256[:4]}",
    ]


def test_no_time_is_noted_by_a_machine_s_own_clock():
    """FAULTS W15: one function in the database gives "now" to all of it."""
    ours = [apps.get_app_config(name).get_models() for name in ("releases", "terraform_runner", "audit")]
    own = [
        field
        for model in chain.from_iterable(ours)
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateField)
        and (field.auto_now or field.auto_now_add or field.has_default())
    ]
    assert own == []
